package native

import (
	"bytes"
	"iter"
	"strings"

	"ampd/codec"
)

// AppendAnswer appends the head of a response to action: "Response: word" and the
// action's ActionID, where it has one, as astman_start_ack and
// astman_send_response_full in Asterisk's main/manager.c do. Further headers and
// [AppendEnd] follow.
func AppendAnswer(b []byte, action *codec.Packet, word string) []byte {
	b = AppendHeader(b, "Response", word)
	if id := action.Get("ActionID"); id != "" {
		b = AppendHeader(b, "ActionID", id)
	}
	return b
}

// Answer is a whole response to action: its word and a Message.
func Answer(action *codec.Packet, word, message string) []byte {
	b := AppendAnswer(make([]byte, 0, 128), action, word)
	return AppendEnd(AppendHeader(b, "Message", message))
}

// Packets yields the packets of b, which [AppendHeader] and [AppendEnd] have written: none is
// framed as an answer to an old Command is. They are views into b; the packet itself is
// the yield's alone.
func Packets(b []byte) iter.Seq[*codec.Packet] {
	return func(yield func(*codec.Packet) bool) {
		var p codec.Packet
		for len(b) > 0 {
			end := len(b)
			if i := bytes.Index(b, packetEnd); i >= 0 {
				end = i + len(packetEnd)
			}
			p.Raw, b = b[:end:end], b[end:]
			p.Headers = split(p.Headers[:0], p.Raw)
			if !yield(&p) {
				return
			}
		}
	}
}

// NewPacket makes a packet of headers, which it copies; those with neither name nor value are left
// out.
func NewPacket(headers ...codec.Header) *codec.Packet {
	b := make([]byte, 0, 128)
	for _, h := range headers {
		b = AppendHeader(b, h.Name, h.Value)
	}
	b = AppendEnd(b)
	return &codec.Packet{Raw: b, Headers: split(make([]codec.Header, 0, len(headers)), b)}
}

// EndCommand is the last line of an answer in the framing of Asterisk 13 and older.
const EndCommand = "--END COMMAND--"

// outputFollows is in the response to each Command (action_command).
var outputFollows = codec.Header{Name: "Message", Value: "Command output follows"}

// Framed returns the response to a Command, in the framing of Asterisk 14 and later (each
// line of its output an Output header), in that of 13 and older: action_command there. Of the
// response to another action the headers are the text. What is no success is returned as it is.
func Framed(p *codec.Packet) *codec.Packet {
	if !strings.EqualFold(p.Name(), "Success") {
		return p
	}
	b := AppendHeader(make([]byte, 0, len(p.Raw)+64), "Response", "Follows")
	b = AppendHeader(b, "Privilege", "Command")
	if id := p.Get("ActionID"); id != "" {
		b = AppendHeader(b, "ActionID", id)
	}
	for i := range p.Headers {
		switch h := p.Headers[i]; {
		case isName(h, "Output"):
			b = append(append(b, h.Value...), '\n')
		case i > 0 && !isName(h, "ActionID") && h != outputFollows:
			b = append(append(append(append(b, h.Name...), ": "...), h.Value...), '\n')
		}
	}
	b = append(b, EndCommand+"\r\n\r\n"...)
	return &codec.Packet{Raw: b, Headers: splitFramed(nil, b)}
}

// Unframed returns the response to a Command in the framing of Asterisk 13 and older in that of 14
// and later: action_command in main/manager.c. Any other is returned as it is.
func Unframed(p *codec.Packet) *codec.Packet {
	if !strings.EqualFold(p.Name(), "Follows") {
		return p
	}
	b := AppendHeader(make([]byte, 0, 2*len(p.Raw)), "Response", "Success")
	if id := p.Get("ActionID"); id != "" {
		b = AppendHeader(b, "ActionID", id)
	}
	b = AppendHeader(b, "Message", "Command output follows")
	for i := range p.Headers {
		if h := &p.Headers[i]; h.Name == "" && h.Value != EndCommand {
			b = append(b, "Output: "...)
			b = append(append(b, h.Value...), crlf...)
		}
	}
	b = AppendEnd(b)
	return &codec.Packet{Raw: b, Headers: split(nil, b)}
}
