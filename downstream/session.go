package downstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/profiles"
	"ampd/socket"
)

// Why sessions end, besides errors of their connection.
var (
	ErrSlowClient   = errors.New("the client reads too slowly: its backlog is full")
	ErrShutdown     = errors.New("ampd is shutting down")
	ErrLogoff       = errors.New("the client logged off")
	ErrFilters      = errors.New("the session's filters take too long")
	ErrUpstreamLost = errors.New("the upstream was lost and the profile says disconnect")
	ErrProfile      = errors.New("the profile was changed, disabled or deleted")
	ErrTakenOver    = errors.New("the client has resumed the session on another connection")
	ErrClientLeft   = errors.New("the client closed the connection")
	errLoginRefused = errors.New("the login was refused")
	errAuthTimeout  = errors.New("no login within auth_timeout")
)

// tooMany is the value of the label cause for a connection that never was a session: one
// too many without a login.
const tooMany = "too_many"

// causes are the values of the label cause, but for "error" and tooMany.
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
	{ErrProfile, "profile"},
	{ErrTakenOver, "resumed"},
	{ErrClientLeft, "client"},
	{errLoginRefused, "login"},
	{errAuthTimeout, "auth_timeout"},
	{errPolicy, "policy"},
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

	// Displace ends the connection of the session that the login would resume and
	// returns it, nil where there is none.
	Displace(Login) *Session

	// Join begins the session: the handler answers the login.
	Join(*Session, Login)

	// Request hands over what the client sent. The handler calls
	// [Session.Done] once for each when it has been answered.
	Request(*Session, Request)

	// Input says that bytes have come from the client after [Session.Watch].
	Input(*Session)

	// Leave says that the session has ended: nothing of its connection is left.
	Leave(*Session)
}

// A Login is a client's that was verified.
type Login struct {
	Profile *profiles.Profile
	Role    profiles.Role // what the session is, of that profile
	Voice   Voice         // how it is spoken to
	Action  *codec.Packet // the action Login itself: its Events and ActionID
}

// A Request is one packet of a client's, or the reason why there is none.
type Request struct {
	Packet *codec.Packet

	// Err is nil; or [io.EOF], where the client has closed its side and only waits for
	// answers; or says that the client sent a packet over the limits, or a bad message
	// in XML, which [Malformed] answers.
	Err error
}

// A Session is one client's connection.
type Session struct {
	id      uint64
	conn    net.Conn   // TLS or raw itself
	raw     net.Conn   // the socket, whose Close never waits
	addr    netip.Addr // invalid for a unix socket
	manner  *Manner    // how it is served
	server  *Server
	sender  *sender
	counted bool // among its profile's; guarded by Server.mu
	place   int  // among the followers of its feed; the sender's

	out    outbox
	direct *socket.Conn  // conn, nil where that can only be written to by waiting for it
	slots  chan struct{} // one token for each request not yet done: one that runs and those that wait
	ended  chan struct{} // closed when nothing is written any more
	closed chan struct{} // closed by Close

	end   sync.Mutex
	cause error // why it ends: the first to say so

	challenge string // "" before it was asked for; of Run's goroutine, after Join guarded by the handler

	// Owned by the goroutine of Run.
	in      *input
	reader  reader
	profile *profiles.Profile // nil before login
	role    profiles.Role     // of that profile's
}

func newSession(server *Server, manner *Manner, conn, raw net.Conn, direct *socket.Conn) *Session {
	s := &Session{
		conn:   conn,
		raw:    raw,
		direct: direct,
		manner: manner,
		server: server,
		slots:  make(chan struct{}, 1+server.limits.Get().MaxQueued),
		ended:  make(chan struct{}),
		closed: make(chan struct{}),
	}
	if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		s.addr = a.Addr().Unmap().WithZone("") // no network has a zone
	}
	s.in = &input{conn: conn, arrived: func() { server.handler.Input(s) }}
	s.reader.Decoder = native.NewDecoder(s.in, native.FromClient)
	s.reader.nul = manner.voice.NUL
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

// Permitted tells whether logins of a profile may come from where the client is.
func (s *Session) Permitted(p *profiles.Profile) bool { return p.Networks.Permits(s.addr) }

// Send puts packets, which it copies, behind all that the session has been given but for
// what is held. now is the moment from which they wait.
//
// Send and the methods up to Finish change what the session is to be sent, in the order
// of their calls, and write nothing: that takes a Flush after the last of them.
func (s *Session) Send(now time.Time, packets []byte) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.send(now, packets)
}

// Follow has the session get what is appended to the feed from now on, and no more of
// the one before. [Session.Run] ends it.
func (s *Session) Follow(feed *Feed) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if !s.out.finished {
		s.sender.moved(move{s, s.out.feed, feed})
		s.out.follow(feed)
	}
}

// Hold has the events that come from now on wait for Release; what is sent meanwhile
// stands before them.
func (s *Session) Hold() {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.hold()
}

// Cut marks a place among the events that are held, the first time only: those from now
// on are not let go by ReleaseToCut.
func (s *Session) Cut() {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.cutHere()
}

// Release lets the events go that are held. now is the moment from which they wait for
// the client.
func (s *Session) Release(now time.Time) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.release(now, true)
}

// ReleaseToCut lets go what is held before the place that Cut has marked and tells
// whether there was one: the rest is held on.
func (s *Session) ReleaseToCut(now time.Time) (holding bool) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.release(now, false)
	return s.out.holding
}

// Done says that one request has been answered, so that another may be read.
func (s *Session) Done() { <-s.slots }

// Watch asks for one call of [Handler.Input] at the next bytes of the client's,
// or takes that back.
func (s *Session) Watch(on bool) { s.in.watched.Store(on) }

// Finish ends the session when all that waits has been written, but for what is held.
// One that remembers is parked then, unless the cause forbids it, and goes on collecting.
// The first cause given, here or to Close, is the one told.
func (s *Session) Finish(cause error) {
	s.setCause(cause)
	s.out.mu.Lock()
	if s.out.remembers && mayReturn(cause) {
		s.out.hold()
		s.out.leaving = true
		s.out.mu.Unlock()
		return
	}
	s.out.mu.Unlock()
	s.finish(false)
}

// Close ends the session at once.
func (s *Session) Close(cause error) {
	s.setCause(cause)
	s.end.Lock()
	select {
	case <-s.closed:
		s.end.Unlock()
		return
	default:
	}
	close(s.closed)
	s.raw.Close()
	s.end.Unlock()
	s.out.mu.Lock()
	parks := mayReturn(cause) && s.out.remembers && !s.out.finished
	if parks {
		s.out.park()
	}
	s.out.mu.Unlock()
	if !parks {
		s.finish(true)
	}
	s.Flush()
}

// ends are the causes after which a session is not resumed. That its client was too slow
// is none: so ends, sooner or later, every connection that is dead without a word.
var ends = []error{ErrSlowClient, ErrShutdown, ErrLogoff, ErrFilters, ErrUpstreamLost, ErrProfile, ErrTakenOver}

// mayReturn tells whether a session that ended so can be resumed.
func mayReturn(cause error) bool {
	return !slices.ContainsFunc(ends, func(end error) bool { return errors.Is(cause, end) })
}

func (s *Session) finish(drop bool) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.feed != nil {
		s.sender.moved(move{s, s.out.feed, nil})
	}
	s.out.finish(drop)
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
	joined, err := s.read(ctx)
	s.Close(err)
	<-s.ended
	if joined {
		s.server.handler.Leave(s)
	}
	return s.Cause()
}

// Cause is why the session ends, nil while it does not.
func (s *Session) Cause() error {
	s.end.Lock()
	defer s.end.Unlock()
	return s.cause
}

// read logs the client in, hands over its requests and says why it stopped. joined tells
// whether there was a login.
func (s *Session) read(ctx context.Context) (joined bool, err error) {
	// The login takes a deep stack, which would stay with an idle session.
	var login sync.WaitGroup
	login.Go(func() { err = s.join(ctx) })
	login.Wait()
	if err != nil {
		s.Finish(err)
		s.Flush()
		<-s.ended
		s.drain()
		return false, err
	}
	for {
		select {
		case s.slots <- struct{}{}:
		case <-s.closed:
			return true, ErrShutdown // Close has said the cause
		}
		p := new(codec.Packet)
		err := s.decode(p)
		switch {
		case err == nil || isMalformed(err):
			s.server.handler.Request(s, Request{Packet: p, Err: err})
		case errors.Is(err, io.EOF):
			s.server.handler.Request(s, Request{Err: err})
			<-s.ended
			s.drain()
			return true, ErrClientLeft
		default:
			return true, err
		}
	}
}

// join begins the session.
func (s *Session) join(ctx context.Context) error {
	login, err := s.logIn(ctx)
	if err != nil {
		return err
	}
	s.out.mu.Lock()
	s.out.limits = s.server.limits
	s.out.mu.Unlock()
	s.server.handler.Join(s, login)
	return nil
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
