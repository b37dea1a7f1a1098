// Package downstream serves AMI clients. A [Session] is one client's connection,
// a [Server] accepts them and bounds how many may knock at once.
//
// [Server.Run] owns one goroutine for each listener and one for each session;
// all have ended when it returns. A session has two goroutines: the one in
// [Session.Run] reads, logs the client in and hands its requests to the
// [Handler]; the writer it starts is the only one that writes to the connection.
// What a session is told (answers, events) comes through [Session.Send], which
// never waits: it adds to a bounded outbox or ends the session.
//
// Which events a client sees and which actions it runs is not decided here but
// by the [Handler].
//
// The conversation before login follows authenticate, action_challenge and
// process_message in Asterisk's main/manager.c; texts and delays were observed
// with Asterisk 16 and 22.
package downstream
