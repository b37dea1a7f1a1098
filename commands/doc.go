// Package commands holds the actions that ampd answers itself and that never reach
// Asterisk: those that mean the session they are sent on (Events, Filter, Ping,
// ListCommands, WaitEvent ...), and those of ampd's own (AmpdSnapshot); and the
// commands of the classic ampd protocol, whose table is [actions.Commands].
//
// [Prepare] gives a client's packet the form in which it is judged, and [Request.Begin]
// says what becomes of it then: an answer, an action for Asterisk, or a [Script] of
// several. A command is judged as what it is, not as what it becomes.
//
// Nothing here starts a goroutine that outlives its caller's work, or waits. A [State]
// belongs to the caller, which runs one action of a session at a time.
//
// Texts and oddities follow action_events, set_eventmask, strings_to_mask,
// action_waitevent, action_listcommands, manager_add_filter and action_logoff in
// Asterisk's main/manager.c and were observed with Asterisk 16 and 22.
package commands
