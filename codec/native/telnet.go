package native

// The bytes of telnet's commands (RFC 854). A subnegotiation (SB, 250) is not among
// those skipped: a server that never negotiates is sent none.
const (
	telnetIAC  = 255 // begins a command
	telnetWILL = 251 // 251 to 254 are WILL, WONT, DO, DONT: an option follows
	telnetNOP  = 241 // 241 to 249 are NOP to GA
	telnetGA   = 249
)

// skipTelnet removes the telnet commands at the start of a line, pos bytes into
// the undecoded ones. Asterisk takes them for part of the header's name; no header
// it knows begins so. One that has not come whole is left for the next call.
func (d *Decoder) skipTelnet(pos int) {
	rest := d.rest()[pos:]
	n := 0
	for {
		length := telnetCommand(rest[n:])
		if length == 0 {
			break
		}
		n += length
		d.repairs.Telnet++
	}
	switch {
	case n == 0:
	case pos == 0:
		d.take(n)
	default: // no packet was given these bytes yet, so they may be written
		copy(rest, rest[n:])
		d.buf = d.buf[:len(d.buf)-n]
	}
}

// telnetCommand returns the length of the whole telnet command that b begins with,
// or 0. IAC IAC is data.
func telnetCommand(b []byte) int {
	switch {
	case len(b) < 2 || b[0] != telnetIAC || b[1] == telnetIAC:
		return 0
	case b[1] >= telnetWILL && len(b) >= 3:
		return 3
	case b[1] >= telnetNOP && b[1] <= telnetGA:
		return 2
	default:
		return 0
	}
}
