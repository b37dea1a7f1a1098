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
// What TryWrite writes may stand in the middle of a Write that waits.
type Conn struct {
	net.Conn
	raw syscall.RawConn

	writing sync.Mutex // held by Write
	in, out transfer
	wait    func(fd uintptr) bool // receives into a buffer of its own
	got     *[bufferSize]byte
}

// bufferSize is how many bytes Await takes at once.
const bufferSize = 4 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

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
	c.wait = func(fd uintptr) bool {
		buffer := buffers.Get().(*[bufferSize]byte)
		c.in.n, c.in.err = receive(fd, buffer[:])
		if errors.Is(c.in.err, syscall.EAGAIN) {
			buffers.Put(buffer)
			return false
		}
		c.got = buffer
		return true
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

// Await is Read for who holds no buffer while it waits: what was read is given to take,
// which must not keep it.
func (c *Conn) Await(take func([]byte)) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	if err := c.raw.Read(c.wait); err != nil {
		return c.failed("read", err)
	}
	buffer := c.got
	c.got = nil
	defer buffers.Put(buffer)
	switch {
	case c.in.err != nil:
		return c.failed("read", c.in.err)
	case c.in.n == 0:
		return io.EOF
	}
	take(buffer[:c.in.n])
	return nil
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
	c.writing.Lock()
	defer c.writing.Unlock()
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
