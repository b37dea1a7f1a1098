// Package proxy is the daemon: its configuration, how the parts are wired, and the
// [Hub] between the upstream and the sessions.
//
// [Run] owns every goroutine but the one that writes the log. The hub is one of
// them: all that is known of a session (its mask and filters, the action under way,
// the events that wait for an answer) belongs to it alone, and sessions and upstream
// only put work into its inbox. So every session sees events in Asterisk's order, a
// decision about an event is taken once, and "Events" or "Filter" take effect between
// two events. The hub waits for nothing: what a client has yet to read lies in its
// session's bounded outbox, what Asterisk has yet to run in the upstream's queue.
package proxy
