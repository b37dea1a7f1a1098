package downstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/profiles"
)

// Why sessions end, besides errors of their connection.
var (
	ErrSlowClient   = errors.New("the client reads too slowly: its backlog is full")
	ErrShutdown     = errors.New("ampd is shutting down")
	ErrLogoff       = errors.New("the client logged off")
	ErrFilters      = errors.New("the session's filters take too long")
	ErrUpstreamLost = errors.New("the upstream was lost and the profile says disconnect")
	ErrClientLeft   = errors.New("the client closed the connection")
	errLoginRefused = errors.New("the login was refused")
	errAuthTimeout  = errors.New("no login within auth_timeout")
)

// causes are the values of the label cause, but for "error".
var causes = []struct {
	err   error
	label string
}{
	{ErrSlowClient, "slow"},
	{os.ErrDeadlineExceeded, "slow"},
	{ErrShutdown, "shutdown"},
	{ErrLogoff, "logoff"},
	{ErrFilters, "filters"},
	{ErrUpstreamLost, "upstream"},
	{ErrClientLeft, "client"},
	{errLoginRefused, "login"},
	{errAuthTimeout, "auth_timeout"},
	{errXML, "xml"},
}

func causeLabel(err error) string {
	for _, c := range causes {
		if errors.Is(err, c.err) {
			return c.label
		}
	}
	return "error"
}

// linger is how long a client may take to close its side after ampd has closed
// its own. Without it, bytes that the client sent meanwhile would make the
// kernel throw away the last answer.
const linger = time.Second

// A Handler takes what sessions bring. Its methods are called from the session's
// goroutine and may block for a moment; the calls for one session come in the
// client's order: Join, then any number of Request and Input, then Leave.
type Handler interface {
	// Greeting is the line sent on connect, "Asterisk Call Manager/11.0.0",
	// or "" while no upstream was ever seen.
	Greeting() string

	// Join begins the session: the handler answers the login.
	Join(*Session, Login)

	// Request hands over what the client sent. The handler calls
	// [Session.Done] once for each when it has been answered.
	Request(*Session, Request)

	// Input says that bytes have come from the client after [Session.Watch].
	Input(*Session)

	// Leave ends the session; nothing sent after it arrives.
	Leave(*Session)
}

// A Login is a client's that was verified.
type Login struct {
	Profile *profiles.Profile
	Action  *codec.Packet // the action Login itself: its Events and ActionID
}

// A Request is one packet of a client's, or the reason why there is none.
type Request struct {
	Packet *codec.Packet

	// Err is nil or matches [codec.ErrTooLong], where the client sent a packet
	// over the limits ([TooLong] answers it); or [io.EOF], where it has closed
	// its side and only waits for answers; or [ErrXML].
	Err error
}

// ErrXML is the Err of a [Request] where the client has begun to speak XML, which
// this version does not. Nothing follows.
var ErrXML = errXML

// XMLRefused answers a client that speaks XML, in XML.
const XMLRefused = `<command action="Unknown" Response="Error">This version of ampd does not speak XML; use native AMI</command>` + "\n"

// A Session is one client's connection.
type Session struct {
	id       uint64
	conn     net.Conn   // TLS or raw itself
	raw      net.Conn   // the socket, whose Close never waits
	addr     netip.Addr // invalid for a unix socket
	greeting string     // while no upstream was ever seen
	server   *Server

	out     *outbox
	slots   chan struct{} // one token for each request not yet done: one that runs and those that wait
	written chan struct{} // closed when the writer has ended
	closed  chan struct{} // closed by Close

	end   sync.Mutex
	cause error // why it ends: the first to say so

	// Owned by the goroutine of Run.
	in        *input
	decoder   *native.Decoder
	challenge string
	profile   *profiles.Profile // nil before login
}

func newSession(server *Server, conn, raw net.Conn, greeting string) *Session {
	s := &Session{
		conn:     conn,
		raw:      raw,
		greeting: greeting,
		server:   server,
		out:      newOutbox(),
		slots:    make(chan struct{}, 1+server.cfg.MaxQueued),
		written:  make(chan struct{}),
		closed:   make(chan struct{}),
	}
	if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		s.addr = a.Addr().Unmap().WithZone("") // no network has a zone
	}
	s.in = &input{conn: conn, arrived: func() { server.handler.Input(s) }}
	s.decoder = native.NewDecoder(s.in, native.FromClient)
	return s
}

// ID numbers the connections of this process, from 1.
func (s *Session) ID() uint64 { return s.id }

// Address is the client's, "unix" for a unix socket.
func (s *Session) Address() string {
	if !s.addr.IsValid() {
		return "unix"
	}
	return s.addr.String()
}

// Send puts packets behind all that the client has yet to be sent. It never
// waits. It reports false when the session's backlog, with held more bytes that
// the caller keeps for it, is over its bound: the session has then been closed.
// now is the moment from which the packets wait.
func (s *Session) Send(now time.Time, held int, packets ...[]byte) bool {
	if s.out.add(now, packets...)+held <= int(s.server.cfg.BacklogBytes) {
		return true
	}
	s.Close(ErrSlowClient)
	return false
}

// Fits reports whether held bytes that the caller keeps for the client still are
// within its backlog's bound; if not, the session has been closed.
func (s *Session) Fits(held int) bool {
	if s.out.size()+held <= int(s.server.cfg.BacklogBytes) {
		return true
	}
	s.Close(ErrSlowClient)
	return false
}

// Done says that one request has been answered, so that another may be read.
func (s *Session) Done() { <-s.slots }

// Watch asks for one call of [Handler.Input] at the next bytes of the client's,
// or takes that back.
func (s *Session) Watch(on bool) { s.in.watched.Store(on) }

// Finish ends the session when all that waits has been written. The first cause
// given, here or to Close, is the one told.
func (s *Session) Finish(cause error) {
	s.setCause(cause)
	s.out.finish(false)
}

// Close ends the session at once.
func (s *Session) Close(cause error) {
	s.setCause(cause)
	s.end.Lock()
	defer s.end.Unlock()
	select {
	case <-s.closed:
		return
	default:
	}
	close(s.closed)
	s.out.finish(true)
	s.raw.Close()
}

func (s *Session) setCause(cause error) {
	s.end.Lock()
	defer s.end.Unlock()
	if s.cause == nil {
		s.cause = cause
	}
}

// Run serves the client until it ends and says why.
func (s *Session) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.Close(ErrShutdown) })
	defer stop()
	var writer sync.WaitGroup
	writer.Go(s.write)
	s.Close(s.read(ctx))
	writer.Wait()
	s.end.Lock()
	defer s.end.Unlock()
	return s.cause
}

// read logs the client in, hands over its requests and says why it stopped.
func (s *Session) read(ctx context.Context) error {
	login, err := s.logIn(ctx)
	if err != nil {
		s.Finish(err)
		<-s.written
		s.drain()
		return err
	}
	s.server.handler.Join(s, login)
	defer s.server.handler.Leave(s)
	for {
		select {
		case s.slots <- struct{}{}:
		case <-s.closed:
			return ErrShutdown // Close has said the cause
		}
		p := new(codec.Packet)
		err := s.decode(p)
		switch {
		case err == nil || errors.Is(err, codec.ErrTooLong):
			s.server.handler.Request(s, Request{Packet: p, Err: err})
		case errors.Is(err, errXML) || errors.Is(err, io.EOF):
			s.server.handler.Request(s, Request{Err: err})
			<-s.written
			s.drain()
			return ErrClientLeft
		default:
			return err
		}
	}
}

// decode reads the next packet. Half a packet before the end is no packet.
func (s *Session) decode(p *codec.Packet) error {
	err := s.decoder.Decode(p)
	switch {
	case err == nil || errors.Is(err, codec.ErrTooLong):
		return err
	case s.in.xml:
		return errXML
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF
	}
	return fmt.Errorf("read: %w", err)
}

// drain throws away what the client still sends until it closes its side: at
// most linger after the writer has closed ours.
func (s *Session) drain() {
	var buf [512]byte
	for {
		if _, err := s.conn.Read(buf[:]); err != nil {
			return
		}
	}
}

// write owns writing to the connection until the outbox has ended.
func (s *Session) write() {
	defer close(s.written)
	for s.out.wait() {
		buf := writeBuffers.Get().(*[]byte)
		data, since := s.out.take((*buf)[:0])
		s.conn.SetWriteDeadline(since.Add(s.server.cfg.BacklogTime.Std()))
		n, err := s.conn.Write(data)
		s.out.wrote(len(data))
		s.server.metrics.written.Add(float64(n))
		if cap(data) <= 2*writeSize {
			*buf = data
			writeBuffers.Put(buf)
		}
		if err != nil {
			s.Close(fmt.Errorf("write: %w", err))
			return
		}
	}
	until := time.Now()
	for _, conn := range []net.Conn{s.conn, s.raw} { // TLS first says so in its own way
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // the client may be gone already
			until = time.Now().Add(linger)
		}
	}
	s.conn.SetReadDeadline(until)
}

var writeBuffers = sync.Pool{New: func() any { return new([]byte) }}
