// Package stats remembers what agents and members of queues did, as Asterisk's events told.
//
// Nothing here starts a goroutine or waits: [Activity] belongs to whoever holds it, the
// hub under its lock.
//
// The events are those of apps/app_queue.c (queue_member_to_ami) and of
// apps/app_agent_pool.c, as observed with Asterisk 16 and 22.
package stats
