package downstream

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Flush writes what is ready for the client. It never waits for it: what the kernel
// does not take at once a goroutine writes that ends when nothing is left. A session
// that keeps more than it may then is closed, or given up where it is parked.
//
// It may be called from anywhere. Of several calls at the same time one writes, what
// the others came for included.
func (s *Session) Flush() {
	o := &s.out
	o.mu.Lock()
	switch {
	case o.sending:
	case o.parked:
		if o.atEnd() {
			s.shut()
		}
		if o.tooMuch() {
			s.detach()
		}
	case s.direct == nil:
		if data, _ := o.next(); data != nil || o.ending() && !o.ended {
			o.sending, o.slowly = true, true
			go s.write()
		}
	default:
		s.writeDirectly()
	}
	slow := (o.slowly || o.holding) && !o.parked && o.tooMuch()
	o.mu.Unlock()
	if slow {
		s.Close(ErrSlowClient)
	}
}

// writeDirectly writes what the kernel takes at once and leaves the rest to write. The
// caller holds out.mu.
func (s *Session) writeDirectly() {
	o := &s.out
	o.sending = true
	for {
		data, _ := o.next()
		if data == nil {
			o.sending = false
			if o.atEnd() {
				s.shut()
			}
			return
		}
		o.mu.Unlock()
		n, err := s.direct.TryWrite(data)
		s.server.metrics.written.Add(float64(n))
		if err != nil {
			s.failed(err)
		}
		o.mu.Lock()
		o.wrote(n)
		if n < len(data) && !o.dropped {
			o.slowly = true
			go s.write()
			return
		}
	}
}

// write writes what is ready and waits for the client until nothing is left, at most
// until the oldest byte is older than backlog_time. It has ended when ended is closed.
func (s *Session) write() {
	o := &s.out
	o.mu.Lock()
	for {
		data, since := o.next()
		if data == nil {
			break
		}
		o.mu.Unlock()
		s.conn.SetWriteDeadline(s.server.limits.deadline(since))
		n, err := s.conn.Write(data)
		s.server.metrics.written.Add(float64(n))
		if err != nil {
			s.failed(err)
		}
		o.mu.Lock()
		o.wrote(n)
	}
	s.conn.SetWriteDeadline(time.Time{})
	o.sending, o.slowly = false, false
	ended := o.atEnd()
	o.mu.Unlock()
	if ended {
		s.shut()
	}
}

func (s *Session) failed(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("the client reads too slowly: what waits for it is older than backlog_time: %w", err)
	} else {
		err = fmt.Errorf("write: %w", err)
	}
	s.Close(err)
}

// shut closes ampd's side of the connection when all has been written.
func (s *Session) shut() {
	until := time.Now()
	for _, conn := range []net.Conn{s.conn, s.raw} { // TLS first says so in its own way
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // the client may be gone already
			until = time.Now().Add(linger)
		}
	}
	s.conn.SetReadDeadline(until)
	close(s.ended)
}
