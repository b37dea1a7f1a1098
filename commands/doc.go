// Package commands holds the actions that ampd answers itself and that never reach
// Asterisk: those that mean the session they are sent on (Events, Filter, Ping,
// ListCommands, WaitEvent ...), and those of ampd's own (AmpdSnapshot). [Own] is their
// table.
//
// Nothing here starts a goroutine or waits. A [State] belongs to the caller, which
// runs one action of a session at a time.
//
// Texts and oddities follow action_events, set_eventmask, strings_to_mask,
// action_waitevent, action_listcommands, manager_add_filter and action_logoff in
// Asterisk's main/manager.c and were observed with Asterisk 16 and 22.
package commands
