package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// A Conn is a TCP or unix connection. As with any [net.Conn] methods may be called by
// several goroutines at the same time; two Reads, or two Writes, go one after the other.
type Conn struct {
	net.Conn
	raw syscall.RawConn

	in, out transfer
}

// A transfer is one direction.
type transfer struct {
	mu   sync.Mutex // held by the call under way, of which is all below
	data []byte
	n    int
	err  error
	try  func(fd uintptr) bool
}

// New returns conn with other ways to read and write, or nil where it is no socket.
func New(conn net.Conn) *Conn {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil // closed
	}
	c := &Conn{Conn: conn, raw: raw}
	c.in.try = func(fd uintptr) bool {
		c.in.n, c.in.err = receive(fd, c.in.data)
		return !errors.Is(c.in.err, syscall.EAGAIN)
	}
	c.out.try = func(fd uintptr) bool {
		c.out.n, c.out.err = send(fd, c.out.data)
		return true // whatever came of it
	}
	return c
}

// Read is that of [net.Conn].
func (c *Conn) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err = c.in.run(c.raw.Read, b)
	switch {
	case err != nil:
		return 0, c.failed("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// TryWrite writes what the kernel takes at once, which may be less than all of b or
// nothing; that is no error.
func (c *Conn) TryWrite(b []byte) (n int, err error) {
	n, err = c.out.run(c.raw.Write, b)
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		return 0, c.failed("write", err)
	}
	return n, nil
}

// Write is that of [net.Conn].
func (c *Conn) Write(b []byte) (n int, err error) {
	if n, err = c.TryWrite(b); err != nil || n == len(b) {
		return n, err
	}
	m, err := c.Conn.Write(b[n:])
	return n + m, err
}

// CloseWrite closes the writing side.
func (c *Conn) CloseWrite() error { return c.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// run has the poller call try until it says that this is enough.
func (t *transfer) run(wait func(func(fd uintptr) bool) error, data []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data, t.n, t.err = data, 0, nil
	err = wait(t.try)
	t.data = nil
	if err == nil {
		err = t.err
	}
	if err != nil {
		return 0, err
	}
	return t.n, nil
}

// failed names what failed as package net does.
func (c *Conn) failed(op string, err error) error {
	if opErr, ok := errors.AsType[*net.OpError](err); ok {
		err = opErr.Err
	} else if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
