package downstream

import (
	"errors"
	"net"
	"sync/atomic"
)

// errXML ends the input where a packet begins with "<".
var errXML = errors.New("the client speaks XML")

// An input is what a session reads: the client's bytes up to the first packet that
// is XML. Owned by the goroutine of Session.Run, but for watched.
type input struct {
	conn    net.Conn
	arrived func()

	// watched is set by the handler while a WaitEvent waits: arrived is called
	// when bytes come, and watched taken back.
	watched atomic.Bool

	line    int  // bytes of the present line so far, CR not counted
	content bool // the present packet has had something but white space
	xml     bool // "<" began a packet: nothing more is read
}

func (in *input) Read(buf []byte) (int, error) {
	if in.xml {
		return 0, errXML
	}
	n, err := in.conn.Read(buf)
	if m := in.arrive(buf[:n]); in.xml {
		return m, errXML
	}
	return n, err
}

// arrive looks at bytes that have come and returns how many of them are to be read.
func (in *input) arrive(data []byte) int {
	if len(data) > 0 && in.watched.Load() && in.watched.Swap(false) {
		in.arrived()
	}
	if i := in.beginOfXML(data); i >= 0 {
		in.xml = true
		return i
	}
	return len(data)
}

// beginOfXML returns where in buf a packet begins with "<", or -1: the first byte of
// a packet that is not white space decides what it is.
func (in *input) beginOfXML(buf []byte) int {
	for i, b := range buf {
		switch b {
		case '\n':
			if in.line == 0 {
				in.content = false
			}
			in.line = 0
		case '\r':
		default:
			in.line++
			if b > ' ' && !in.content {
				in.content = true
				if b == '<' {
					return i
				}
			}
		}
	}
	return -1
}
