// Package queuelog computes the figures of queues and agents from queue_log, the file that
// Asterisk writes itself, so that tests can compare ampd's figures with them. It shares no
// code with ampd.
//
// What the lines mean is said in Asterisk's documentation ("Queue Logs") and by the calls of
// ast_queue_log in apps/app_queue.c and apps/app_agent_pool.c. Two events are the tests' own:
// their dialplan writes REFUSEDFULL and REFUSEDEMPTY for callers who could not join.
package queuelog
