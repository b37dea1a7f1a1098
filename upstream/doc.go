// Package upstream keeps the connections to one Asterisk and runs actions on them.
//
// # Connections
//
// Asterisk runs the actions of a connection one after another and holds its events
// back meanwhile. So one connection brings the events, and a few more, on which
// events are off, run the actions of clients, one at a time each. Where the account
// may log in once only, or Config.ActionConnections is 0, the event connection runs
// them too. With the event connection all is lost and made anew; an action
// connection that is lost is replaced and costs the action it was running.
//
// On the event connection ampd waits for FullyBooted, asks what its account reads
// ("manager show user", if the account may run Command), and what Asterisk can do:
// ListCommands and CoreSettings, and asks for the lists that the Handler wants. Then
// actions are taken.
//
// # Actions
//
// What is written is built line by line from the headers that were judged, under an
// ActionID of ampd's. Where an answer ends, type answer says. Slow actions (as the
// table of package actions has it, and those it does not know) leave one connection
// to the others. An equal list that waits is asked once. A synchronous Originate goes
// as "Async: true" and is answered by its OriginateResponse.
//
// An action whose answer does not go on within its deadline is answered by ampd. Its
// connection is retired: it reads, drops what comes, and ends when the answer is
// whole, or after a minute; another connection takes its place. Where there are as
// many of these as action connections, and on a shared event connection, the one
// whose answer is overdue stays in its place instead, which is free again when the
// answer has come; after a minute the connection is given up. As long as it is so slow
// actions are refused. Where there is no action connection and none can be made, what waits
// is refused too.
//
// # Goroutines and state
//
// [Client.Run] makes the event connection and, once actions can be run, waits for its
// end. Beside it run:
//
//   - two for each connection, which take turns with it (conn.mu): [Client.read] deals
//     with what comes and calls the Handler for it, [Client.serve] begins runs, watches
//     the time, and owns the connection's end;
//   - one for each place of an action connection ([Client.slot]), which makes them;
//   - the clerk, who gives the answers that belong to no connection.
//
// All have ended when Run returns. What they share is behind Client.mu, which is taken
// behind conn.mu, held for moments and never while the Handler is called, so that the Handler may call
// [Client.Submit] from wherever it likes.
//
// # Sources
//
// Login, ActionIDs, lists and the texts of errors follow main/manager.c, Originate its
// action_originate and fast_originate. What Asterisk does on the wire was observed
// with Asterisk 16 and 22.
package upstream
