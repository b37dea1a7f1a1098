package native

// AppendHeader appends "name: value" and a line end to b. A header without a name
// is a line of its value alone, and one with neither is nothing.
//
// Exactly one line is written: CR, LF and NUL, which no line can carry, become
// blanks. Who must not change a value refuses it before.
func AppendHeader(b []byte, name, value string) []byte {
	if name == "" && value == "" {
		return b
	}
	if name != "" {
		b = appendClean(b, name)
		b = append(b, ": "...)
	}
	b = appendClean(b, value)
	return append(b, '\r', '\n')
}

// AppendEnd appends the empty line that ends a packet.
func AppendEnd(b []byte) []byte { return append(b, '\r', '\n') }

func appendClean(b []byte, s string) []byte {
	from := len(b)
	b = append(b, s...)
	for i := from; i < len(b); i++ {
		if c := b[i]; c == '\r' || c == '\n' || c == 0 {
			b[i] = ' '
		}
	}
	return b
}
