// Package simulator is a small call centre that speaks AMI as an Asterisk 22
// does: callers join queues, agents ring, answer, talk, pause, some callers give
// up, and whoever is logged in reads it as events, asks for lists and acts on it.
// The demo and tests put it where Asterisk would be.
//
// # Time and chance
//
// The clock is package time's, so that tests run it in a synctest bubble. All
// chance comes from [Config.Seed]: the same seed and the same actions at the same
// times give the same bytes. Left to real time are only the addresses in security
// events, and the order of two sessions' actions that arrive at the same instant.
// What is due by the time an action runs has happened before it.
//
// # Ownership
//
// [Server.Serve] makes the call centre, starts one goroutine for its life and two
// for each connection, and has ended them all when it returns. The call centre
// (centre, channels, queues) and the sessions' queues of events are guarded by
// Server.mu; nothing is written to a connection under it. As in Asterisk
// (session_do in main/manager.c) a session runs one action at a time and gets no
// event meanwhile, not even while a synchronous Originate rings. Unlike there, an
// action is answered with the state of exactly one moment: the events before it
// are written before the answer, those after it behind.
//
// # Where its facts come from
//
// Every packet has the header names, order, classes and texts of Asterisk 22's
// recorded traffic, which a test compares: tests/corpus/22-*.s2c, and testdata/22-*.s2c
// for what those lack (Originate of an application, phones that ring or are busy,
// refused parameters and logins, Shutdown). The order of a call's events was
// observed with Asterisk 22 where a queue dials PJSIP endpoints. Left out: the VarSet
// events of RTPAUDIOQOS* and BRIDGEPVTCALLID, and TestEvent.
//
// # What it knows
//
// One dialplan for the contexts internal, queue-entry, misc and callers: an agent's
// extension rings that phone, a queue's joins the queue; caller, echo, wait and moh
// answer and stay; noanswer, busy and congestion do what they say; five digits or
// more call out through the trunk, where somebody always answers. Channels are
// PJSIP/EXTENSION, PJSIP/NUMBER@trunk and Local/EXTENSION@CONTEXT. A member whose
// interface is none of its phones is Invalid and never rings.
package simulator
