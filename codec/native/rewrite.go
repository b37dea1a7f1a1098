package native

import (
	"bytes"
	"strings"

	"ampd/codec"
)

// WithActionID returns a packet like p with that ActionID: its line is replaced
// where it stands, or becomes the second line where there was none. An empty id
// leaves it out. Which ActionID is p's, [codec.Packet.Index] says. The packet
// shares nothing with p.
func WithActionID(p *codec.Packet, id string) *codec.Packet {
	at := p.Index("ActionID")
	b := newBuilder(p, len("ActionID: \r\n")+len(id))
	end := 0
	for i, line := range lines(p) {
		end += len(line)
		switch {
		case i != at:
			b.keep(line, p.Headers[i])
		case id != "":
			b.add(p.Headers[i].Name, id)
		}
		if i == 0 && at < 0 && id != "" {
			b.add("ActionID", id)
		}
	}
	return b.packet(p.Raw[end:])
}

// SetActionID makes q like p with that ActionID as WithActionID does, in the memory that q
// has, whose Raw and Headers are used again the next time. Its Headers are views into p.
func SetActionID(q, p *codec.Packet, id string) {
	at := p.Index("ActionID")
	if at < 0 || id == "" || strings.ContainsAny(id, "\r\n\x00") {
		*q = *WithActionID(p, id)
		return
	}
	from, to := 0, 0
	for range at + 1 {
		from = to
		to += bytes.IndexByte(p.Raw[from:], '\n') + 1
	}
	q.Raw = append(q.Raw[:0], p.Raw[:from]...)
	q.Raw = AppendHeader(q.Raw, p.Headers[at].Name, id)
	q.Raw = append(q.Raw, p.Raw[to:]...)
	q.Headers = append(q.Headers[:0], p.Headers...)
	q.Headers[at].Value = id
}

// Rewrite returns a packet like p whose lines edit has judged, in their order: a
// header is left out where keep is false, gets the value returned where that is
// not its own, and else keeps its line to the byte. Where edit changes nothing the
// result is p itself, else a packet that shares nothing with it.
func Rewrite(p *codec.Packet, edit func(i int, h codec.Header) (value string, keep bool)) *codec.Packet {
	var b *builder // nil as long as nothing was changed
	end := 0
	for i, line := range lines(p) {
		end += len(line)
		h := p.Headers[i]
		value, keep := edit(i, h)
		same := keep && value == h.Value
		if b == nil && !same {
			b = newBuilder(p, len(value))
			for j, before := range lines(p) {
				if j == i {
					break
				}
				b.keep(before, p.Headers[j])
			}
		}
		switch {
		case b == nil:
		case same:
			b.keep(line, h)
		case keep:
			b.add(h.Name, value)
		}
	}
	if b == nil {
		return p
	}
	return b.packet(p.Raw[end:])
}

// lines yields the lines of p with their line ends; the i-th belongs to
// p.Headers[i].
func lines(p *codec.Packet) func(func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		rest := p.Raw
		for i := range p.Headers {
			end := bytes.IndexByte(rest, '\n') + 1
			if !yield(i, rest[:end]) {
				return
			}
			rest = rest[end:]
		}
	}
}

// A builder puts a packet together from lines of another and new ones.
type builder struct {
	raw     []byte
	headers []codec.Header
}

// newBuilder makes room for p and more bytes.
func newBuilder(p *codec.Packet, more int) *builder {
	return &builder{
		raw:     make([]byte, 0, len(p.Raw)+more),
		headers: make([]codec.Header, 0, len(p.Headers)+1),
	}
}

// keep takes over a line, its end included, and its header.
func (b *builder) keep(line []byte, h codec.Header) {
	from := len(b.raw)
	b.raw = append(b.raw, line...)
	b.header(cutNUL(trimCR(b.raw[from:len(b.raw)-1])), h.Name, h.Value)
}

// add appends a new line.
func (b *builder) add(name, value string) {
	from := len(b.raw)
	b.raw = AppendHeader(b.raw, name, value)
	if len(b.raw) > from {
		b.header(b.raw[from:len(b.raw)-len(crlf)], name, value)
	}
}

// header appends the header whose name begins the line and whose value ends it.
func (b *builder) header(line []byte, name, value string) {
	b.headers = append(b.headers, codec.Header{
		Name:  view(line[:len(name)]),
		Value: view(line[len(line)-len(value):]),
	})
}

// packet returns the packet built, with the empty line that end is.
func (b *builder) packet(end []byte) *codec.Packet {
	return &codec.Packet{Raw: append(b.raw, end...), Headers: b.headers}
}
