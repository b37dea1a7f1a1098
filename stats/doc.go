// Package stats counts what happens in the queues of one Asterisk, and what agents do there:
// the figures that docs/statistics.md defines.
//
// A [Book] is told events ([Book.Observe]) and the passing of time ([Book.Tick]), and tells figures:
// of the present day ([Book.Queue], [Book.Agents]), since it was made ([Book.Sums]), what has
// changed ([Book.Changed]), and what a history is to write down ([Book.Take], [Book.Restore]).
//
// There is no goroutine and no lock here: a Book belongs to whoever holds it, the hub under its
// lock. It reads the tracked state that it was made with, which must have taken each event before.
//
// The order of events was observed with Asterisk 16 and 22: whoever leaves a queue does so by
// QueueCallerLeave, before which comes QueueCallerAbandon unless an agent or a key has the caller,
// and behind which the VarSet QUEUESTATUS (set_queue_result in apps/app_queue.c). AgentComplete comes
// for each AgentConnect, also after both channels' Hangup, and then lacks what it says of them. It comes
// twice for some calls that the caller transfers: for the transfer and for the caller's hangup, in
// either order.
package stats
