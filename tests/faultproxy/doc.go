// Package faultproxy stands between ampd and an AMI server and does to their
// connections what a bad network does: cuts to the byte, silence without an end, delay,
// a narrow line, bytes that come one by one.
//
// A [Proxy] has a [Link] for each connection, numbered from 0 in the order in which they
// were made. Either takes a [Line] for each direction; a [Trap] waits for a place in what
// passes. Four goroutines serve a link, which have ended when [Proxy.Close] returns. A
// proxy may live in a synctest bubble, with pipes instead of sockets (see [Proxy.Join]).
//
// All methods may be called from anywhere, a trap's Do included.
package faultproxy
