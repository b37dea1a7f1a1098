package main

import (
	"bytes"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A question is an action asked over and over, each client's next one when the answer
// to its last has come.
type question struct {
	name  string
	wire  []byte
	whole func(tail []byte) bool // whether an answer ends with these bytes
}

var (
	askPing = question{
		"Ping", []byte("Action: Ping\r\nActionID: " + askedID + "\r\n\r\n"),
		func(tail []byte) bool { return bytes.HasSuffix(tail, []byte("\r\n\r\n")) },
	}
	askList = question{
		"QueueStatus", []byte("Action: QueueStatus\r\nActionID: " + askedID + "\r\nQueue: bench\r\n\r\n"),
		func(tail []byte) bool {
			before, end := bytes.CutSuffix(tail, []byte("\r\n\r\n"))
			at := bytes.LastIndex(before, []byte("\r\n\r\n"))
			return end && at >= 0 && bytes.Contains(before[at:], []byte("\r\nEventList: Complete\r\n"))
		},
	}
)

// tailKept is more than the last packet of a list, in bytes.
const tailKept = 256

// ask has every client ask for as long as said, and returns how many answers came.
func (c *crowd) ask(q question, lasting time.Duration) (answers int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range c.clients {
		if err := c.put(&c.clients[i], q); err != nil {
			return 0, err
		}
	}
	until := now() + int64(lasting)
	for waiting, heard := len(c.clients), now(); waiting > 0; {
		n := c.poll()
		if n == 0 {
			if n, err = c.sleep(); err != nil {
				return 0, err
			}
		}
		t := now()
		for _, event := range c.ready[:n] {
			client := &c.clients[event.Fd]
			whole, err := c.answered(client, q)
			if err != nil {
				return 0, fmt.Errorf("%s: client %d: %w", q.name, event.Fd, err)
			}
			if !whole {
				continue
			}
			answers++
			if t >= until {
				waiting--
			} else if err := c.put(client, q); err != nil {
				return 0, err
			}
		}
		if n > 0 {
			heard = t
		} else if t-heard > int64(patience) {
			return 0, fmt.Errorf("%s: %d answers have not come", q.name, waiting)
		}
	}
	return answers, nil
}

// put asks.
func (c *crowd) put(client *client, q question) error {
	client.tail = client.tail[:0]
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(client.fd), uintptr(unsafe.Pointer(&q.wire[0])), uintptr(len(q.wire)))
	if errno != 0 || int(n) != len(q.wire) {
		return fmt.Errorf("%s: write: %w", q.name, errno)
	}
	return nil
}

// answered reads what has come and tells whether the answer is whole.
func (c *crowd) answered(client *client, q question) (bool, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(client.fd), uintptr(unsafe.Pointer(&c.buffer[headroom])), readSize, unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EAGAIN:
			return q.whole(client.tail), nil
		case errno != 0:
			return false, errno
		case n == 0:
			return false, errClosed
		}
		b := c.buffer[headroom : headroom+int(n)]
		if len(client.tail) == 0 && !bytes.HasPrefix(b, []byte("Response: Success\r\n")) {
			return false, fmt.Errorf("answered %q", b[:min(len(b), 400)])
		}
		client.tail = append(client.tail, b[max(0, len(b)-tailKept):]...)
		client.tail = append(client.tail[:0], client.tail[max(0, len(client.tail)-tailKept):]...)
		if int(n) < readSize {
			return q.whole(client.tail), nil
		}
	}
}

// asked is a round of questions. Deliveries are answers.
func (s *side) asked(q question, lasting time.Duration) (*round, error) {
	began := time.Now()
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	answers, err := s.crowd.ask(q, lasting)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", s.name, err, s.last())
	}
	r := &round{deliveries: answers, took: time.Since(began)}
	after, err := s.cpu()
	r.cpu = after - before
	return r, err
}
