// Package xml reads and writes the ampd protocol's XML: one element for each
// command, response and event.
//
//	<command action="originate" channel="SIP/100" exten="200"><variable>a=1</variable></command>
//	<command action="originate" response="Success" Message="Originate successfully queued" />
//	<event event="Hangup" Channel="SIP/100-00000001" Cause="16" />
//
// A [Splitter] finds where a client's message ends, and where the next begins
// behind a bad one. [Parse] reads what it has cut off, which is bounded then, with
// encoding/xml. [AppendElement] and [AppendError] write.
//
// Of XML only this is taken: elements, attributes, text and CDATA, the five built-in
// entities and character references, comments, and a declaration in front. No DTD,
// no other processing instruction, no namespaces, no encoding but UTF-8.
//
// The package starts no goroutine. A Splitter belongs to the one that reads from
// the connection; what Parse returns shares no memory with the message.
//
// The elements are those of the ampd protocol. What is XML is said by
// "Extensible Markup Language (XML) 1.0 (Fifth Edition)" of the W3C, whose sections
// are cited.
package xml
