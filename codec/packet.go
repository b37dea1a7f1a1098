package codec

import (
	"bytes"
	"errors"
	"iter"
	"strings"
)

// ErrTooLong matches the error of a decoder that met a packet over its limits.
var ErrTooLong = errors.New("packet too long")

// A Header is one line of a packet. A line without a colon, as in the output of
// old commands, has no Name and is all Value.
type Header struct {
	Name  string
	Value string
}

// A Packet is one action, response or event.
type Packet struct {
	// Raw holds the packet's bytes, its empty line included. It is never
	// changed once decoded and may be kept and shared.
	Raw []byte

	// Headers are the lines of Raw in their order, one for each. They are
	// views into Raw: the strings live as long as they are held, the slice
	// until the packet is decoded into again.
	Headers []Header
}

// Kind is what a packet is, as its first header says.
type Kind uint8

// The kinds of packets. Text is output without any header, as some actions of
// Asterisk's give (Queues).
const (
	Text Kind = iota
	Action
	Response
	Event
)

// Kind tells what the packet is. A client's action may begin with any header:
// Kind knows an Action only where it stands first.
func (p *Packet) Kind() Kind {
	if len(p.Headers) == 0 {
		return Text
	}
	switch name := p.Headers[0].Name; {
	case strings.EqualFold(name, "Event"):
		return Event
	case strings.EqualFold(name, "Response"):
		return Response
	case strings.EqualFold(name, "Action"):
		return Action
	}
	return Text
}

// Name is the event's name, the response's word or the action's name: the value
// of the first header where Kind is not Text, else "".
func (p *Packet) Name() string {
	if p.Kind() == Text {
		return ""
	}
	return p.Headers[0].Value
}

// ActionName is the action that Asterisk takes a client's packet for: its first
// header Action that is not empty (GET_HEADER_SKIP_EMPTY in process_message of
// main/manager.c), or "".
func (p *Packet) ActionName() string {
	for i := range p.Headers {
		if h := &p.Headers[i]; h.Value != "" && strings.EqualFold(h.Name, "Action") {
			return h.Value
		}
	}
	return ""
}

// Get returns the value of the first header of that name, which ignores case, or
// "". See [Packet.Index] for the headers that count.
func (p *Packet) Get(name string) string {
	if i := p.Index(name); i >= 0 {
		return p.Headers[i].Value
	}
	return ""
}

// Index returns the place of the first header of that name, which ignores case,
// or -1.
//
// In "Event: UserEvent" only what Asterisk wrote counts: the headers before
// "UserEvent:" and that one, and an ActionID right behind it. Everything after
// was chosen by the sender (action_userevent in main/manager.c) and may say
// "Privilege:" or "Channel:" as it likes.
func (p *Packet) Index(name string) int {
	user := p.isUserEvent()
	for i := range p.Headers {
		h := &p.Headers[i]
		if len(h.Name) == len(name) && strings.EqualFold(h.Name, name) {
			return i
		}
		if user && strings.EqualFold(h.Name, "UserEvent") {
			if i+1 < len(p.Headers) && strings.EqualFold(name, "ActionID") &&
				strings.EqualFold(p.Headers[i+1].Name, "ActionID") {
				return i + 1
			}
			return -1
		}
	}
	return -1
}

func (p *Packet) isUserEvent() bool {
	return len(p.Headers) > 0 && strings.EqualFold(p.Headers[0].Value, "UserEvent") &&
		strings.EqualFold(p.Headers[0].Name, "Event")
}

// Lines yields the lines of Raw as they came, their line ends and the closing
// empty line left out; the i-th belongs to Headers[i].
func (p *Packet) Lines() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		rest := p.Raw
		for i := range p.Headers {
			line, after, _ := bytes.Cut(rest, []byte{'\n'})
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			if !yield(i, line) {
				return
			}
			rest = after
		}
	}
}

// Copy returns a packet that shares nothing with p.
func (p *Packet) Copy() *Packet {
	to := &Packet{Raw: bytes.Clone(p.Raw), Headers: make([]Header, len(p.Headers))}
	for i, h := range p.Headers {
		to.Headers[i] = Header{Name: strings.Clone(h.Name), Value: strings.Clone(h.Value)}
	}
	return to
}

// Clone returns a packet that shares Raw and has its own slice of headers, so
// that it outlives the next Decode into p.
func (p *Packet) Clone() *Packet {
	return &Packet{Raw: p.Raw, Headers: append([]Header(nil), p.Headers...)}
}
