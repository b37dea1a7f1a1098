// Package codec says what a packet of Asterisk's Manager Interface (AMI) is: an
// ordered list of headers together with the bytes it came as.
//
// The formats on the wire live below it, in codec/native. Nothing here starts a
// goroutine; a [Packet] belongs to whoever holds it.
//
// The facts were observed with Asterisk 16 and 22 and follow main/manager.c:
// header names repeat, ignore case and need not be words (OriginateResponse has
// "ChanVariable(Local/x@y-00000001;1)"), only the first header tells a packet's
// kind, and a UserEvent carries any header that its sender chose.
package codec
