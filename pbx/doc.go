// Package pbx is the tracked picture of one Asterisk: its channels, bridges, queues
// with members and callers, agents, peers and parked calls.
//
// A [State] is what Asterisk's events say ([State.Apply]) after its lists were loaded
// ([State.Load]). Two states can be compared ([State.Differences]), and what an
// Asterisk would have sent to get from one to the other can be made up
// ([State.Missed]); a state can be shown as the list events that Asterisk would
// answer with ([State.Snapshot]).
//
// There is no goroutine and no lock here: a State belongs to whoever holds it, and so
// does all that it returns a pointer to, until the next change.
//
// # Order
//
// An Asterisk computes a list at a moment that is ahead of the events which follow it
// on the same connection. So what comes behind a list may repeat what the list has
// already: an event says how things are, never how they have changed, and one about
// what is unknown, or known already, changes nothing. When all such events are
// through, the state is exact.
//
// Only Newchannel makes a channel. All that hangs on a channel (its place in a bridge
// or a queue, an agent's login) is only known while it is, and goes with its Hangup; so
// does its parking space, which may be known before it.
//
// # Sources
//
// Headers and their order were observed with Asterisk 16 and 22 (the recordings in
// tests/corpus); channels follow ast_manager_build_channel_state_string_prefix in
// main/manager_channels.c, bridges main/manager_bridges.c, queues
// queue_member_blob_create and manager_queues_status in apps/app_queue.c, agents
// action_agents in apps/app_agent_pool.c, parked calls res/parking/parking_manager.c.
package pbx
