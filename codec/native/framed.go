package native

import (
	"bytes"

	"ampd/codec"
)

// decodeFramed reads an answer to Command in the framing of Asterisk 13 and older:
// headers, then the output as the command printed it, up to endCommand. The output
// may hold anything, empty lines too, and need not end with a line end.
func (d *Decoder) decodeFramed(p *codec.Packet) error {
	for seen := 0; ; {
		rest := d.rest()
		if i := bytes.Index(rest[seen:], endCommand); i >= 0 {
			end := seen + i + len(endCommand)
			d.take(end)
			if end > MaxPacket {
				return &LimitError{Limit: PacketTooLong}
			}
			p.Raw = rest[:end:end]
			p.Headers = splitFramed(p.Headers, p.Raw)
			return nil
		}
		seen = max(0, len(rest)-len(endCommand)+1)
		if err := d.fillPacket(endCommand); err != nil {
			return err
		}
	}
}

// splitFramed appends the lines of an old answer to Command: Response, Privilege
// and ActionID are headers; from the first other line on all is output, whose lines
// end at LF.
func splitFramed(headers []codec.Header, raw []byte) []codec.Header {
	output := false
	for rest := raw[:len(raw)-len(crlf)]; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		line = cutNUL(trimCR(line))
		h := codec.Header{Value: view(line)}
		if !output {
			named := headerFromAsterisk(line)
			output = !isName(named, "Response") && !isName(named, "Privilege") && !isName(named, "ActionID")
			if !output {
				h = named
			}
		}
		headers = append(headers, h)
	}
	return headers
}
