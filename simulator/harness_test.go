package simulator_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/simulator"
)

// inBubble serves a call centre inside a synctest bubble and has f use it. It fails
// where a goroutine is left.
func inBubble(t *testing.T, cfg simulator.Config, f func(*testing.T, *centre)) {
	synctest.Test(t, func(t *testing.T) {
		c := &centre{t: t, Server: simulator.New(cfg)}
		c.serve()
		defer c.stop()
		f(t, c)
	})
}

// A centre is a Server that is served to pipes.
type centre struct {
	*simulator.Server
	t     *testing.T
	ln    *pipes
	end   context.CancelFunc
	ended chan struct{}
	keep  bool // clients keep the bytes they receive
}

func (c *centre) serve() {
	var ctx context.Context
	ctx, c.end = context.WithCancel(c.t.Context())
	c.ln = &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	c.ended = make(chan struct{})
	go func() {
		defer close(c.ended)
		if err := c.Serve(ctx, c.ln); err != nil {
			c.t.Error("serve:", err)
		}
	}()
	synctest.Wait()
}

func (c *centre) stop() {
	c.end()
	<-c.ended
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5038} }

// A client keeps what it is sent.
type client struct {
	t    *testing.T
	conn net.Conn

	mu      sync.Mutex
	bytes   []byte
	packets []*codec.Packet
	err     error // that ended reading
}

// connect connects and reads the greeting.
func (c *centre) connect() *client {
	near, far := net.Pipe()
	c.ln.conns <- far
	cl := &client{t: c.t, conn: near}
	var from io.Reader = near
	if c.keep {
		from = io.TeeReader(near, cl)
	}
	go cl.read(from)
	synctest.Wait()
	return cl
}

func (cl *client) read(from io.Reader) {
	defer cl.conn.Close()
	dec := native.NewDecoder(from, native.FromAsterisk)
	if _, err := dec.ReadLine(); err != nil {
		cl.fail(err)
		return
	}
	for {
		p := new(codec.Packet)
		if err := dec.Decode(p); err != nil {
			cl.fail(err)
			return
		}
		cl.mu.Lock()
		cl.packets = append(cl.packets, p)
		cl.mu.Unlock()
	}
}

// Write keeps the bytes that come in.
func (cl *client) Write(b []byte) (int, error) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.bytes = append(cl.bytes, b...)
	return len(b), nil
}

func (cl *client) fail(err error) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.err = err
}

// received returns all bytes so far.
func (cl *client) received() string {
	synctest.Wait()
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return string(cl.bytes)
}

// ended tells whether the server closed the connection.
func (cl *client) ended() bool {
	synctest.Wait()
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.err != nil
}

// take returns the packets that came since the last call.
func (cl *client) take() []*codec.Packet {
	synctest.Wait()
	cl.mu.Lock()
	defer cl.mu.Unlock()
	got := cl.packets
	cl.packets = nil
	return got
}

// send writes an action, its lines given one by one.
func (cl *client) send(lines ...string) {
	_, err := io.WriteString(cl.conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	require.NoError(cl.t, err)
}

// do sends an action and returns what came at once: its answer and what else
// happened.
func (cl *client) do(lines ...string) []*codec.Packet {
	cl.take()
	cl.send(lines...)
	return cl.take()
}

// answer sends an action and returns its response.
func (cl *client) answer(lines ...string) *codec.Packet {
	for _, p := range cl.do(lines...) {
		if p.Kind() == codec.Response {
			return p
		}
	}
	require.Fail(cl.t, "no response", "%q", lines)
	return nil
}

// login connects and logs in as the default user.
func (c *centre) login(more ...string) *client {
	cl := c.connect()
	got := cl.do(append([]string{"Action: Login", "Username: ampd", "Secret: ampdsecret"}, more...)...)
	require.Equal(c.t, "Authentication accepted", got[0].Get("Message"))
	return cl
}

func named(packets []*codec.Packet, event string) []*codec.Packet {
	var found []*codec.Packet
	for _, p := range packets {
		if p.Kind() == codec.Event && p.Name() == event {
			found = append(found, p)
		}
	}
	return found
}
