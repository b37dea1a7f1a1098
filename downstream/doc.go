// Package downstream serves AMI clients. A [Session] is one client's connection,
// a [Server] accepts them and bounds how many may knock at once. What they may take is
// said by [Limits], which may change meanwhile.
//
// # Feeds and outboxes
//
// Events reach sessions by feeds. A [Feed] is a log that all sessions of one
// subscription read, each at its own place: [Feed.Append] copies an event once, and
// [Fanout.Send] writes to every session's connection what it has not had yet. A
// session's outbox puts packets of its own (answers, by [Session.Send]) between the
// events of its feed, holds events back behind an answer under way, and changes feeds
// between two events. [Session.Flush] writes what is ready. No call waits for a
// client: what its kernel does not take at once is written by a goroutine that ends
// when the client has caught up; a session that keeps more than it may is closed. One that
// can be resumed is parked without its connection and given up over its bound.
//
// # Ownership
//
// [Server.Run] owns one goroutine for each listener, one for each session and, on
// machines with many processors, some senders; all have ended when it returns. A
// session's goroutine, in [Session.Run], reads, logs the client in and hands its
// requests to the [Handler]; it owns the session's other goroutines: that of the login,
// and the one that writes to a client that is slow or speaks TLS. Of several that want
// to write to a connection one does (outbox.sending).
//
// Append, Follow and what else takes the end of a feed for a place are called under a
// lock of the handler's, so that all agree on what comes before what. Locks are taken in
// the order handler, outbox, sender, and none is held while a connection is written to.
//
// Which events a client sees and which actions it runs is not decided here but
// by the [Handler].
//
// The conversation before login follows authenticate, action_challenge and
// process_message in Asterisk's main/manager.c; texts and delays were observed
// with Asterisk 16 and 22.
package downstream
