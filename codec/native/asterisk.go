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

// decodeAsterisk reads a packet from Asterisk: everything up to an empty line, or
// up to endCommand.
func (d *Decoder) decodeAsterisk(p *codec.Packet) error {
	if err := d.skipEmpty(); err != nil {
		return err
	}
	for seen := 0; ; {
		rest := d.rest()
		if i := bytes.Index(rest[seen:], packetEnd); i >= 0 {
			end := seen + i + len(packetEnd)
			raw := rest[:end:end]
			if !d.skipping {
				d.framed = isFramed(raw)
			}
			if d.framed && !bytes.HasSuffix(raw, endCommand) {
				seen += i + len(crlf)
				continue
			}
			d.take(end)
			if d.skipping {
				d.skipping = false
				return &LimitError{Limit: PacketTooLong}
			}
			if d.framed {
				p.Raw = raw
				p.Headers = splitFramed(p.Headers, raw)
				return nil
			}
			d.split(p, raw)
			return nil
		}
		if len(rest) > MaxPacket && !d.skipping {
			d.skipping = true
			d.framed = isFramed(rest)
		}
		if d.skipping { // keep just enough to know the end by
			if n := len(rest) - len(endCommand); n > 0 {
				d.take(n)
				rest = d.rest()
			}
		}
		seen = max(0, len(rest)-len(packetEnd)+1)
		if err := d.fill(); err != nil {
			return inside(err, true)
		}
	}
}

// skipEmpty leaves out stray empty lines before a packet: after QueueRule's answer
// there is one too many, IAXnetstats may answer with nothing else, and a bare LF
// at the end of a last value looks like one to some.
func (d *Decoder) skipEmpty() error {
	for !d.skipping {
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
	return nil
}

// split makes raw and its lines p's, repaired where a line holds a bare LF.
func (d *Decoder) split(p *codec.Packet, raw []byte) {
	headers := p.Headers
	for rest := raw; ; {
		i := bytes.IndexByte(rest, '\n')
		if i == 1 && rest[0] == '\r' {
			break // the empty line
		}
		if i == 0 || rest[i-1] != '\r' {
			raw = d.repair(raw)
			rest, headers = raw, headers[:0]
			continue
		}
		headers = append(headers, headerFromAsterisk(rest[:i-1]))
		rest = rest[i+1:]
	}
	p.Raw, p.Headers = raw, headers
}

// repair returns a copy of a packet without bare LFs: at the end of a line they
// are removed, inside one each becomes a blank. A line of nothing else is left out
// as empty.
func (d *Decoder) repair(raw []byte) []byte {
	repaired := make([]byte, 0, len(raw))
	for rest := raw; len(rest) > len(crlf); {
		line, after, _ := bytes.Cut(rest, crlf)
		rest = after
		if bytes.IndexByte(line, '\n') < 0 {
			repaired = append(append(repaired, line...), crlf...)
			continue
		}
		line = bytes.TrimRight(line, "\n")
		if len(line) == 0 {
			d.repairs.EmptyLines++
			continue
		}
		d.repairs.Values++
		repaired = append(repaired, bytes.ReplaceAll(line, []byte{'\n'}, []byte{' '})...)
		repaired = append(repaired, crlf...)
	}
	return append(repaired, crlf...)
}

func headerFromAsterisk(line []byte) codec.Header {
	line = cutNUL(line)
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

// isFramed tells whether a packet begins as an old answer to Command does.
func isFramed(raw []byte) bool {
	after, found := bytes.CutPrefix(raw, follows)
	return found && (after[0] == '\n' || after[0] == '\r' && after[1] == '\n')
}

// splitFramed splits an old answer to Command: Response, Privilege and ActionID are
// headers, from the first other line on all is output, whose lines end at LF.
func splitFramed(headers []codec.Header, raw []byte) []codec.Header {
	output := false
	for rest := raw[:len(raw)-len(crlf)]; len(rest) > 0; {
		line, after, _ := bytes.Cut(rest, []byte{'\n'})
		rest = after
		line = trimCR(line)
		if !output {
			h := headerFromAsterisk(line)
			output = !isName(h, "Response") && !isName(h, "Privilege") && !isName(h, "ActionID")
			if !output {
				headers = append(headers, h)
				continue
			}
		}
		headers = append(headers, codec.Header{Value: view(cutNUL(line))})
	}
	return headers
}
