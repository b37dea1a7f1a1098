package pbx

import (
	"slices"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
)

// value is the value of the first header of that name, spelt as Asterisk does, or "".
func value(p *codec.Packet, name string) string {
	v, _ := lookup(p, name)
	return v
}

func lookup(p *codec.Packet, name string) (string, bool) {
	for i := range p.Headers {
		if h := &p.Headers[i]; h.Name == name {
			return h.Value, true
		}
	}
	return "", false
}

// A builder makes packets, one after the other.
type builder struct {
	raw   []byte
	marks []mark
}

// A mark is where a header stands in raw.
type mark struct{ name, nameEnd, value, end int }

func (b *builder) header(name, value string) {
	from := len(b.raw)
	b.raw = native.AppendHeader(b.raw, name, value)
	nameEnd := from + len(name)
	b.marks = append(b.marks, mark{from, nameEnd, nameEnd + len(": "), len(b.raw) - len("\r\n")})
}

func (b *builder) headers(headers []codec.Header) {
	for _, h := range headers {
		b.header(h.Name, h.Value)
	}
}

// packet ends the packet and returns it.
func (b *builder) packet() *codec.Packet {
	b.raw = native.AppendEnd(b.raw)
	text := string(b.raw)
	p := &codec.Packet{Raw: []byte(text), Headers: make([]codec.Header, len(b.marks))}
	for i, m := range b.marks {
		p.Headers[i] = codec.Header{Name: text[m.name:m.nameEnd], Value: text[m.value:m.end]}
	}
	b.raw, b.marks = b.raw[:0], b.marks[:0]
	return p
}

// fold is s with its ASCII letters in lower case: what strcasecmp does not tell apart
// is equal then.
func fold(s string) string {
	for i := range len(s) {
		if isCapital(s[i]) {
			folded := []byte(s)
			for ; i < len(folded); i++ {
				folded[i] = lower(folded[i])
			}
			return string(folded)
		}
	}
	return s
}

// under is what m has under fold(name), which it does not make for that.
func under[T any](m map[string]T, name string) T {
	var room [80]byte
	if len(name) > len(room) {
		return m[fold(name)]
	}
	key := room[:copy(room[:], name)]
	for i := range key {
		key[i] = lower(key[i])
	}
	return m[string(key)]
}

// sameFold tells whether fold does not tell a and b apart.
func sameFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if isCapital(c) {
		return c + 'a' - 'A'
	}
	return c
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }

// copyHeaders copies headers whose strings alias a decoder's memory, but for those
// that say nothing of the object.
func copyHeaders(headers []codec.Header) []codec.Header {
	kept := make([]codec.Header, 0, len(headers))
	for _, h := range headers[1:] {
		if h.Name != "ActionID" {
			kept = append(kept, codec.Header{Name: strings.Clone(h.Name), Value: strings.Clone(h.Value)})
		}
	}
	return kept
}

// header is the value of the first of headers of that name, or "".
func header(headers []codec.Header, name string) string {
	for i := range headers {
		if headers[i].Name == name {
			return headers[i].Value
		}
	}
	return ""
}

// text is all of headers but those named.
func text(headers []codec.Header, but ...string) string {
	var b strings.Builder
	for _, h := range headers {
		if !slices.Contains(but, h.Name) {
			b.WriteString(h.Name + ": " + h.Value + "\n")
		}
	}
	return b.String()
}
