package downstream

import (
	"bytes"
	"strconv"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/codec/xml"
)

// A Voice is how a session is spoken to. The zero Voice is Asterisk's own.
type Voice struct {
	XML bool // else native
	NUL bool // behind each packet, for Flash; in XML in place of the line feed

	// Ampd is the dialect of the classic protocol: a response begins with the name of
	// the command that it answers, behind the Response with ResponseFirst.
	Ampd, ResponseFirst bool
}

// Unknown is the name in the answer to what is no command, or can't be read.
const Unknown = "Unknown"

// Plain tells whether the session gets packets as Asterisk writes them.
func (v *Voice) Plain() bool { return !v.XML && !v.NUL && !v.Ampd }

// Append appends whole native packets, which answer a command of that name.
func (v *Voice) Append(b []byte, command string, packets []byte) []byte {
	if v.Plain() {
		return append(b, packets...)
	}
	for p := range native.Packets(packets) {
		b = v.AppendPacket(b, command, p)
	}
	return b
}

// AppendPacket appends one packet of an answer, or an event.
func (v *Voice) AppendPacket(b []byte, command string, p *codec.Packet) []byte {
	if v.XML {
		return v.end(v.appendXML(b, command, p))
	}
	if !v.Ampd || p.Kind() != codec.Response {
		return v.end(append(b, p.Raw...))
	}
	if v.ResponseFirst {
		first := bytes.IndexByte(p.Raw, '\n') + 1
		b = native.AppendHeader(append(b, p.Raw[:first]...), "Action", command)
		return v.end(append(b, p.Raw[first:]...))
	}
	return v.end(append(native.AppendHeader(b, "Action", command), p.Raw...))
}

// OfEvents is what of the voice matters to events.
func (v *Voice) OfEvents() Voice { return Voice{XML: v.XML, NUL: v.NUL} }

// AppendEvent appends an event, with its number where that is not 0: in XML behind its name.
func (v *Voice) AppendEvent(b []byte, p *codec.Packet, seq uint64) []byte {
	switch {
	case !v.XML && seq == 0:
		return v.end(append(b, p.Raw...))
	case !v.XML:
		return v.end(withNumber(b, p.Raw, seq))
	case seq == 0 || len(p.Headers) == 0:
		return v.end(xml.AppendElement(b, "event", p.Headers))
	}
	headers := make([]codec.Header, 0, len(p.Headers)+1)
	headers = append(headers, p.Headers[0], codec.Header{Name: seqHeader, Value: strconv.FormatUint(seq, 10)})
	return v.end(xml.AppendElement(b, "event", append(headers, p.Headers[1:]...)))
}

func (v *Voice) end(b []byte) []byte {
	switch {
	case v.NUL:
		return append(b, 0)
	case v.XML:
		return append(b, '\n')
	}
	return b
}

func (v *Voice) appendXML(b []byte, command string, p *codec.Packet) []byte {
	switch {
	case p.Kind() == codec.Event:
		return xml.AppendElement(b, "event", p.Headers)
	case command == Unknown:
		return xml.AppendError(b, p.Get("ActionID"), p.Get("Message"))
	}
	headers := make([]codec.Header, 1, 1+len(p.Headers))
	headers[0] = codec.Header{Name: "Action", Value: strings.ToLower(command)}
	for _, h := range p.Headers {
		switch {
		case h.Name != "":
			headers = append(headers, h)
		case h.Value != native.EndCommand: // a line of a text
			headers = append(headers, codec.Header{Name: "Output", Value: h.Value})
		}
	}
	return xml.AppendElement(b, "command", headers)
}
