package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A stream is a connection on which events are sent: the event connection of an ampd,
// or the upstream of the relay, whose events stand in frames.
type stream struct {
	sent int // events so far

	fd     int         // does not block
	mu     *sync.Mutex // nil, or held while packets are written
	bytes  []byte      // one recording, ready to be sent
	starts []int       // of each event or frame in it; one more than events

	// How many events every client is known to have, and how far the stream goes ahead
	// of that.
	floor  atomic.Int64
	window int
}

// windowFor is how many events a stream goes ahead of the slowest of so many clients.
// It is less than what ampd lets wait by default, so that no client is given up as
// slow, and much more than what is under way to one that reads: half a megabyte,
// eight where clients are few.
func windowFor(clients int) int { return min(16_000, max(1000, 2_000_000/max(1, clients))) }

// never is more events than are ever sent.
const never = math.MaxInt64 / 2

// chunk is how much a flat-out stream writes at once, in bytes.
const chunk = 128 << 10

// newStream makes the bytes for a connection. frames has the lanes of each event
// that begin its frame, nil for none.
func newStream(r *recording, frames func(event int) []uint16) *stream {
	s := &stream{}
	for i, event := range r.events {
		s.starts = append(s.starts, len(s.bytes))
		if frames != nil {
			lanes := frames(i)
			s.bytes = binary.LittleEndian.AppendUint32(s.bytes, uint32(len(event)))
			s.bytes = binary.LittleEndian.AppendUint16(s.bytes, uint16(len(lanes)))
			for _, lane := range lanes {
				s.bytes = binary.LittleEndian.AppendUint16(s.bytes, lane)
			}
		}
		s.bytes = append(s.bytes, event...)
	}
	s.starts = append(s.starts, len(s.bytes))
	return s
}

// pace sends n events, rate of them a second, each with a write of its own when it is
// due, or at once when that is over.
func (s *stream) pace(n int, rate float64) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := exactSleep(); err != nil {
		return err
	}
	began := now()
	for i := range n {
		due := began + int64(float64(i)/rate*1e9)
		for now() < due {
			sleepUntil(due)
		}
		if err := s.send(1); err != nil {
			return err
		}
	}
	return nil
}

// flatOut sends as much as is taken for as long as said.
func (s *stream) flatOut(lasting time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := exactSleep(); err != nil {
		return err
	}
	for until := now() + int64(lasting); now() < until; {
		at := s.sent % (len(s.starts) - 1)
		n := 1
		for at+n < len(s.starts)-1 && s.starts[at+n]-s.starts[at] < chunk {
			n++
		}
		if err := s.send(n); err != nil {
			return err
		}
	}
	return nil
}

// send writes the next n events, which must not go beyond the recording's end.
func (s *stream) send(n int) error {
	for int64(s.sent+n) > s.floor.Load()+int64(s.window) {
		sleepUntil(now() + 100_000)
	}
	at, t := s.sent%(len(s.starts)-1), uint64(now())
	for i := range n {
		end := s.starts[at+i+1]
		putHex(s.bytes[end-seqTail:], uint64(s.sent+i))
		putHex(s.bytes[end-timeTail:], t)
	}
	if s.mu != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	if err := s.write(s.bytes[s.starts[at]:s.starts[at+n]]); err != nil {
		return err
	}
	s.sent += n
	return nil
}

func (s *stream) write(b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(s.fd, b)
		switch {
		case errors.Is(err, unix.EAGAIN):
			ready := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
			if n, err := unix.Poll(ready, 30_000); n == 0 && err == nil {
				return errors.New("send events: nobody reads")
			}
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("send events: %w", err)
		default:
			b = b[max(n, 0):]
		}
	}
	return nil
}

// exactSleep takes from the thread the 50 us that the kernel may add to any sleep.
func exactSleep() error {
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("timer slack: %w", err)
	}
	return nil
}

func sleepUntil(t int64) {
	ts := unix.NsecToTimespec(t - now())
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // woken early it sleeps again
}
