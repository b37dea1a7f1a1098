package native

import (
	"bytes"
	"slices"

	"ampd/codec"
)

// A skipped is what is kept of a client's packet over the limits while the rest of
// it is awaited.
type skipped struct {
	lines   int
	headers []codec.Header
}

// decodeClient reads a packet from a client: lines up to an empty one. It does what
// get_input and do_message do, to these ends (observed with Asterisk 22):
//
//   - A line ends at its NUL, so one that begins with a NUL is empty.
//   - Of a line over MaxLine what remains behind its last full buffer is a line
//     again. Where that is the LF of a CR LF alone (a line of 1,025 bytes), the
//     packet ends there.
//   - A packet with too many lines and one too long is refused for the first, and
//     the next packet for the second.
func (d *Decoder) decodeClient(p *codec.Packet) error {
	lines := d.skipped.lines
	p.Headers = append(p.Headers, d.skipped.headers...)
	d.skipped = skipped{}
	for pos, whole := 0, true; ; {
		rest := d.rest()
		if whole && pos < len(rest) && rest[pos] == telnetIAC {
			d.skipTelnet(pos)
			rest = d.rest()
		}
		window := rest[pos:min(len(rest), pos+MaxLine)]
		i := bytes.IndexByte(window, '\n')
		switch {
		case i < 0 && len(window) < MaxLine:
			if err := d.fill(); err != nil {
				if d.tooLong || lines > MaxLines {
					d.skipped = skipped{lines, slices.Clone(p.Headers)}
				}
				return inside(err, len(rest) > 0 || lines > 0)
			}
			continue
		case i < 0:
			d.tooLong, whole = true, false
			pos += MaxLine - 1 // the last byte is kept: it may be the CR of a CR LF
		default:
			line := cutNUL(trimCR(window[:i]))
			pos += i + 1
			if len(line) == 0 {
				d.take(pos)
				p.Raw = rest[:pos:pos]
				return d.judge(p, lines)
			}
			whole = true
			if lines++; lines <= MaxLines {
				p.Headers = append(p.Headers, headerFromClient(line))
			}
		}
		if d.tooLong || lines > MaxLines { // nothing more of it is kept
			d.take(pos)
			pos = 0
		}
	}
}

// judge returns the error for a whole packet that is over the limits.
func (d *Decoder) judge(p *codec.Packet, lines int) error {
	var limit Limit
	switch {
	case lines > MaxLines:
		limit = TooManyLines
	case d.tooLong:
		limit = LineTooLong
		d.tooLong = false
	default:
		return nil
	}
	over := &LimitError{Limit: limit}
	for _, h := range p.Headers {
		if isName(h, "ActionID") {
			over.ActionID = h.Value
			break
		}
	}
	p.Raw, p.Headers = nil, p.Headers[:0]
	return over
}

func headerFromClient(line []byte) codec.Header {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return codec.Header{Value: view(line)}
	}
	value := line[colon+1:]
	for len(value) > 0 && value[0] < 33 {
		value = value[1:]
	}
	return codec.Header{Name: view(line[:colon]), Value: view(value)}
}
