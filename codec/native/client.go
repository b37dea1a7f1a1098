package native

import (
	"bytes"

	"ampd/codec"
)

// decodeClient reads a packet from a client as get_input and do_message do: lines
// up to an empty one. What a line over MaxLine leaves behind its last full buffer
// is a line again, as there.
func (d *Decoder) decodeClient(p *codec.Packet) error {
	var over Limit
	lines := 0
	for pos := 0; ; {
		rest := d.rest()
		window := rest[pos:min(len(rest), pos+MaxLine)]
		i := bytes.IndexByte(window, '\n')
		if i < 0 && len(window) < MaxLine {
			if err := d.fill(); err != nil {
				return inside(err, len(rest) > 0 || over != 0)
			}
			continue
		}
		if i < 0 {
			if over == 0 {
				over = LineTooLong
			}
			pos += MaxLine - 1 // get_input keeps the last byte: it may be the CR of a CR LF
		} else {
			line := cutNUL(trimCR(window[:i]))
			pos += i + 1
			if len(line) == 0 {
				if over != 0 {
					d.take(pos)
					return &LimitError{Limit: over, ActionID: actionID(p.Headers)}
				}
				p.Raw = rest[:pos:pos]
				d.take(pos)
				return nil
			}
			if lines++; lines <= MaxLines {
				p.Headers = append(p.Headers, headerFromClient(line))
			} else {
				over = TooManyLines
			}
		}
		if over != 0 { // nothing of it is kept
			d.take(pos)
			pos = 0
		}
	}
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

func actionID(headers []codec.Header) string {
	for _, h := range headers {
		if isName(h, "ActionID") {
			return h.Value
		}
	}
	return ""
}
