package native

import (
	"bytes"

	"ampd/codec"
)

var (
	crlf       = []byte("\r\n")
	packetEnd  = []byte("\r\n\r\n")
	follows    = []byte("Response: Follows")
	endCommand = []byte("--END COMMAND--\r\n\r\n")
)

// decodeAsterisk reads a packet from Asterisk: lines that end at CR LF, up to an
// empty one.
func (d *Decoder) decodeAsterisk(p *codec.Packet) error {
	if d.skipUntil != nil {
		return d.skip()
	}
	if err := d.skipEmpty(); err != nil {
		return err
	}
	bare := false // a bare LF was met
	headers := p.Headers
	line, seen := 0, 0 // where the line begins, and how far no end of it was found
	for {
		rest := d.rest()
		i := bytes.IndexByte(rest[seen:], '\n')
		if i < 0 {
			seen = len(rest)
			if err := d.fillPacket(packetEnd); err != nil {
				return err
			}
			continue
		}
		end := seen + i
		seen = end + 1
		if line == 0 && bytes.Equal(trimCR(rest[:end]), follows) {
			return d.decodeFramed(p)
		}
		if rest[end-1] != '\r' { // end > 0, for no packet begins with LF
			bare = true
			continue
		}
		if end-1 > line {
			headers = append(headers, headerFromAsterisk(rest[line:end-1]))
			line = seen
			continue
		}
		raw := rest[:seen:seen]
		d.take(seen)
		if len(raw) > MaxPacket {
			return &LimitError{Limit: PacketTooLong}
		}
		if bare {
			raw = d.repair(raw)
		}
		if bare || bytes.IndexByte(raw, 0) >= 0 {
			headers = split(headers[:0], raw)
		}
		p.Raw, p.Headers = raw, headers
		return nil
	}
}

// skipEmpty leaves out stray empty lines before a packet: behind QueueRule's answer
// there is one too many, and IAXnetstats may answer with nothing else.
func (d *Decoder) skipEmpty() error {
	for {
		rest := d.rest()
		switch {
		case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
			if err := d.fill(); err != nil {
				return inside(err, len(rest) > 0)
			}
		case rest[0] == '\n':
			d.take(1)
			d.repairs.EmptyLines++
		case rest[0] == '\r' && rest[1] == '\n':
			d.take(2)
			d.repairs.EmptyLines++
		default:
			return nil
		}
	}
}

// fillPacket reads more of a packet, or skips it up to its end if it has become too
// long.
func (d *Decoder) fillPacket(end []byte) error {
	if len(d.rest()) > MaxPacket {
		d.skipUntil = end
		return d.skip()
	}
	return inside(d.fill(), true)
}

// skip reads up to skipUntil and keeps nothing.
func (d *Decoder) skip() error {
	for {
		rest := d.rest()
		if i := bytes.Index(rest, d.skipUntil); i >= 0 {
			d.take(i + len(d.skipUntil))
			d.skipUntil = nil
			return &LimitError{Limit: PacketTooLong}
		}
		d.take(max(0, len(rest)-len(d.skipUntil)+1))
		if err := d.fill(); err != nil {
			return inside(err, true)
		}
	}
}

// repair returns a copy of a packet without bare LFs: at the end of a line they
// are removed, inside one each becomes a blank. A line of nothing else is left out
// as empty.
func (d *Decoder) repair(raw []byte) []byte {
	repaired := make([]byte, 0, len(raw))
	for rest := raw; len(rest) > len(crlf); {
		var line []byte
		line, rest, _ = bytes.Cut(rest, crlf)
		if bytes.IndexByte(line, '\n') >= 0 {
			line = bytes.TrimRight(line, "\n")
			if len(line) == 0 {
				d.repairs.EmptyLines++
				continue
			}
			line = bytes.ReplaceAll(line, []byte{'\n'}, []byte{' '})
			d.repairs.Values++
		}
		repaired = append(repaired, line...)
		repaired = append(repaired, crlf...)
	}
	return append(repaired, crlf...)
}

// split appends the headers of a whole packet, whose lines may hold NULs.
func split(headers []codec.Header, raw []byte) []codec.Header {
	for rest := raw; len(rest) > len(crlf); {
		var line []byte
		line, rest, _ = bytes.Cut(rest, crlf)
		headers = append(headers, headerFromAsterisk(cutNUL(line)))
	}
	return headers
}

func headerFromAsterisk(line []byte) codec.Header {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return codec.Header{Value: view(line)}
	}
	value := line[colon+1:]
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	return codec.Header{Name: view(line[:colon]), Value: view(value)}
}
