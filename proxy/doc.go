// Package proxy is the daemon: its configuration, how the parts are wired, and the
// [Hub] between the upstream and the sessions.
//
// [Run] owns every goroutine but the one that writes the log. The hub has none: all that
// is known of a session (its mask and filters, the action under way) is behind its
// mutex, and whoever brings something from the upstream or from a session runs the hub's
// part of it. So every session sees events in Asterisk's order, a decision about an event
// is taken once, and "Events" or "Filter" take effect between two events. The mutex is
// held for work in memory only; connections are written to and lines logged after it.
package proxy
