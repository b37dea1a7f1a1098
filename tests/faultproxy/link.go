package faultproxy

import (
	"bytes"
	"net"
	"sync"
	"time"
)

// What is on its way in a direction: so many parcels of at most so many bytes.
const (
	queued     = 256
	parcelMost = 4096
)

// A Link is a client's connection and the one to the server that belongs to it.
type Link struct {
	Number int

	proxy *Proxy
	conns [2]net.Conn // by their sides
	once  sync.Once
	ended chan struct{} // closed when both connections are

	// Guarded by proxy.mu.
	lines [2]Line
	sent  [2][]byte // what has passed
}

// A parcel is what was read together.
type parcel struct {
	data []byte
	came time.Time
}

// Set changes a direction of the link.
func (l *Link) Set(from Side, line Line) { l.proxy.change(func() { l.lines[from] = line }) }

// Hush stops both directions: the link is half-open to whoever goes on.
func (l *Link) Hush() {
	l.Set(Client, Line{Still: true})
	l.Set(Server, Line{Still: true})
}

// Cut closes both connections.
func (l *Link) Cut() { l.end(false) }

// Reset does so with an RST instead of a FIN, where they are TCP's.
func (l *Link) Reset() { l.end(true) }

// Sent is what a side has sent and the other was given.
func (l *Link) Sent(from Side) []byte {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	return bytes.Clone(l.sent[from])
}

// Ended is closed when the link has ended.
func (l *Link) Ended() <-chan struct{} { return l.ended }

func (l *Link) end(hard bool) {
	l.once.Do(func() {
		for _, conn := range l.conns {
			if hard {
				reset(conn)
			} else {
				conn.Close()
			}
		}
		close(l.ended)
	})
}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it is closed without an RST
	}
	conn.Close()
}

// take reads what a side sends.
func (l *Link) take(from Side, queue chan<- parcel) {
	defer close(queue)
	buf := make([]byte, parcelMost)
	for {
		n, err := l.conns[from].Read(buf)
		if n > 0 {
			select {
			case queue <- parcel{bytes.Clone(buf[:n]), time.Now()}:
			case <-l.ended:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass gives it to the other side, and then the end.
func (l *Link) pass(from Side, queue <-chan parcel) {
	defer l.end(false)
	for {
		select {
		case p, more := <-queue:
			if !more {
				l.await(from, time.Time{})
				return
			}
			if !l.deliver(from, p) {
				return
			}
		case <-l.ended:
			return
		}
	}
}

// deliver writes a parcel and reports whether the link goes on.
func (l *Link) deliver(from Side, p parcel) bool {
	rest := p.data
	for {
		line, ok := l.await(from, p.came)
		if !ok {
			return false
		}
		part := rest
		if line.Rate > 0 { // in tenths of a second
			part = part[:min(len(part), max(1, line.Rate/10))]
		}
		if line.Chunk > 0 {
			part = part[:min(len(part), line.Chunk)]
		}
		l.proxy.mu.Lock()
		part, trap := l.proxy.next(l, from, part)
		l.proxy.mu.Unlock()
		if len(part) > 0 {
			if _, err := l.conns[1-from].Write(part); err != nil {
				return false
			}
			l.proxy.mu.Lock()
			l.sent[from] = append(l.sent[from], part...)
			l.proxy.mu.Unlock()
			rest = rest[len(part):]
		}
		if trap != nil {
			trap.Do(l)
			close(trap.sprung)
		}
		if line.Rate > 0 && !l.rest(time.Duration(len(part))*time.Second/time.Duration(line.Rate)) {
			return false
		}
		if len(rest) == 0 {
			return true
		}
	}
}

// await waits until what came then may pass, and returns the line as it is now.
func (l *Link) await(from Side, came time.Time) (line Line, ok bool) {
	for {
		l.proxy.mu.Lock()
		line, changed := l.lines[from], l.proxy.changed
		l.proxy.mu.Unlock()
		if !line.Still {
			return line, l.rest(time.Until(came.Add(line.Delay)))
		}
		select {
		case <-changed:
		case <-l.ended:
			return line, false
		}
	}
}

// rest lets time pass, if any, and reports whether the link goes on.
func (l *Link) rest(d time.Duration) bool {
	if d <= 0 {
		select {
		case <-l.ended:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ended:
		return false
	}
}
