package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// A client is one connection of the bench's. It is a descriptor that Go's own poller
// knows nothing of, and as little else as possible.
type client struct {
	fd   int
	tls  *tls.Conn // over fd, or nil
	lane *lane

	got  int64  // bytes of events
	at   int    // in lane.seen, of the next event
	base int    // how many events are sent before the recording that this is in begins
	tail []byte // the first bytes of the next event, if some have come
}

// join has the client see what is sent from now on: sent events were.
func (c *client) join(sent int) {
	c.got = c.lane.bytesBefore(sent)
	c.tail = c.tail[:0]
	if n := len(c.lane.seen); n > 0 {
		seen := c.lane.before(sent)
		c.at = seen % n
		c.base = seen / n * c.lane.all
	}
}

// errStream is a client that did not get what it must.
var errStream = errors.New("not what the client must see next")

// take checks and counts events; b begins with the next one's first byte. It returns
// what is no whole event yet.
func (c *client) take(b []byte, at int64, times *latencies) ([]byte, error) {
	l := c.lane
	for {
		if len(l.seen) == 0 {
			if len(b) == 0 {
				return nil, nil
			}
			return nil, fmt.Errorf("%w: nothing, but came %q", errStream, b[:min(len(b), 400)])
		}
		next := l.seen[c.at]
		wire := &l.wire[next]
		if len(b) < wire.size {
			return b, nil
		}
		if seq := hex(b[wire.seq:]); seq != uint64(c.base+next) || b[wire.size-1] != '\n' {
			return nil, fmt.Errorf("%w: number %d, but came %q", errStream, c.base+next, b[:min(len(b), wire.size+200)])
		}
		times.add(at - int64(hex(b[wire.time:])))
		b = b[wire.size:]
		if c.at++; c.at == len(l.seen) {
			c.at, c.base = 0, c.base+l.all
		}
	}
}

// dial connects from one of many addresses, so that the ports of none run short.
func dial(port, n int) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	for _, set := range []func() error{
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) },
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) },
		// Closed it leaves no port behind that waits for a minute.
		func() error {
			return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		},
		func() error {
			return unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 30})
		},
		func() error { return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 1, byte(n >> 8), byte(n)}}) },
		func() error { return unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}) },
	} {
		if err := set(); err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("connect to port %d: %w", port, err)
		}
	}
	return fd, nil
}

// A conversation is a descriptor as a [net.Conn], as far as that is needed.
type conversation struct {
	net.Conn // nil
	fd       int
}

func (c conversation) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(c.fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return 0, notYet{}
		case err != nil:
			return 0, err
		case n == 0:
			return 0, errClosed
		default:
			return n, nil
		}
	}
}

// Write writes b, which is small, whole.
func (c conversation) Write(b []byte) (int, error) { return unix.Write(c.fd, b) }

var errClosed = errors.New("closed by the server")

// notYet is that a descriptor has nothing to read, after 30 s of waiting or, where it
// does not block, now. A [tls.Conn] goes on after it, since it is a temporary
// [net.Error].
type notYet struct{}

func (notYet) Error() string   { return "nothing to read" }
func (notYet) Timeout() bool   { return true }
func (notYet) Temporary() bool { return true }

// logIn logs in to ampd and adds the subscription's filters. When it returns nothing
// is under way to the client.
func logIn(conn net.Conn, s *subscription) error {
	actions, pong, end := s.greet()
	if _, err := conn.Write([]byte(actions)); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	var said []byte
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return fmt.Errorf("log in: %w after %q", err, said)
		}
		said = append(said, buffer[:n]...)
		if strings.Contains(string(said), "Response: Error") {
			return fmt.Errorf("log in as %s: %q", s.profile, said)
		}
		if _, rest, found := strings.Cut(string(said), pong); found && strings.HasSuffix(rest, end) {
			return nil
		}
	}
}

// greet is what a client says when it has connected: its login, its filters and a Ping.
// pong is a header that only the answer to that has, and end what ends it.
func (s *subscription) greet() (actions, pong, end string) {
	if s.xml {
		return fmt.Sprintf(`<command action="login" username="%s" secret="%[1]ssecret" type="monitor" format="xml" events="%s" />`, s.profile, s.mask) +
			`<command action="ping" actionid="ready" />`, `ActionID="ready"`, ">\n"
	}
	actions = fmt.Sprintf("Action: Login\r\nUsername: %s\r\nSecret: %[1]ssecret\r\nEvents: %s\r\n", s.profile, s.mask)
	if s.classic {
		actions += "Type: monitor\r\n"
	}
	actions += "\r\n"
	for _, filter := range s.filters {
		actions += fmt.Sprintf("Action: Filter\r\nOperation: Add\r\nFilter: %s\r\n\r\n", filter)
	}
	pong = "ActionID: ready\r\n"
	return actions + "Action: Ping\r\n" + pong + "\r\n", pong, "\r\n\r\n"
}
