// Package native reads and writes AMI's own text format: lines of "Name: value",
// an empty line behind each packet.
//
// A [Decoder] is told which side it reads from, for the two differ. From Asterisk
// a line ends at CR LF only, has no limit but memory, and what Asterisk is known to
// get wrong is repaired and counted ([Repairs]). From a client a line ends at LF,
// with or without CR, and the limits are Asterisk's own ([MaxLine], [MaxLines]).
//
// What is written is built with [AppendHeader] and [AppendEnd], or is a decoded
// packet with whole lines replaced or left out ([WithActionID], [Rewrite]).
//
// The package starts no goroutine. A Decoder belongs to the one that reads from
// the connection; the packets it returns may go anywhere.
//
// Reading from clients follows get_input, do_message and __astman_get_header in
// Asterisk's main/manager.c, the framing of old Commands action_command of
// Asterisk 13. What Asterisk writes was observed with Asterisk 16 and 22.
package native
