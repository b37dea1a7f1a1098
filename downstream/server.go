package downstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"ampd/audit"
	"ampd/profiles"
	"ampd/socket"
)

// A Server accepts clients and runs their sessions.
type Server struct {
	limits   *Limits
	profiles *profiles.Store
	handler  Handler
	fanout   *Fanout
	log      *zap.Logger
	metrics  *Metrics
	audit    *audit.Log

	mu              sync.Mutex
	lastID          uint64
	unauthenticated map[netip.Addr]int // by address; the zero Addr for unix sockets
	waiting         int                // the sum of unauthenticated
	sessions        map[string]int     // logged in, by profile

	tooMany complaint
}

// NewServer returns a server that does nothing yet. Its sessions follow feeds of the
// fanout. trail may be nil.
func NewServer(limits *Limits, store *profiles.Store, handler Handler, fanout *Fanout, log *zap.Logger, metrics *Metrics, trail *audit.Log) *Server {
	return &Server{
		limits:          limits,
		profiles:        store,
		handler:         handler,
		fanout:          fanout,
		log:             log,
		metrics:         metrics,
		audit:           trail,
		unauthenticated: map[netip.Addr]int{},
		sessions:        map[string]int{},
	}
}

// Run serves clients of the ports that come until the channel and all of those are closed
// and all sessions have ended; when ctx ends, it ends the sessions. The caller closes the
// ports.
func (s *Server) Run(ctx context.Context, ports <-chan *Port) {
	var fanout, running sync.WaitGroup
	ended := make(chan struct{})
	fanout.Go(func() { s.fanout.run(ended) })
	for port := range ports {
		running.Go(func() { s.accept(ctx, port, &running) })
	}
	running.Wait()
	close(ended)
	fanout.Wait()
}

// acceptAgain is how long ampd waits after it could not accept a client.
const acceptAgain = 100 * time.Millisecond

// accept takes connections from port until it is closed.
func (s *Server) accept(ctx context.Context, port *Port, running *sync.WaitGroup) {
	var failing complaint
	logged := false // and not yet that it is over
	for {
		conn, err := port.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors, most likely
			if _, due := failing.due(time.Now()); due {
				s.log.Error("cannot accept clients: those connected go on, new ones wait",
					zap.Stringer("listener", port.Addr()), zap.Error(err))
				logged = true
			}
			time.Sleep(acceptAgain)
			continue
		}
		if logged {
			s.log.Info("clients are accepted again", zap.Stringer("listener", port.Addr()))
			logged = false
		}
		running.Go(func() { s.serve(ctx, port, conn) })
	}
}

// serve runs one connection's session.
func (s *Server) serve(ctx context.Context, port *Port, raw net.Conn) {
	conn := raw
	direct := socket.New(raw)
	if direct != nil {
		conn = direct
	}
	manner := port.manner()
	if manner.tls != nil {
		conn, direct = tls.Server(conn, manner.tls), nil
	}
	session := newSession(s, manner, conn, raw, direct)
	if !s.admit(session) {
		raw.Close()
		s.metrics.disconnects.WithLabelValues(tooMany).Inc()
		if n, due := s.tooMany.due(time.Now()); due {
			s.log.Warn("too many connections without a login", zap.String("address", session.Address()), zap.Int("closed", n))
		}
		return
	}
	s.metrics.connections.Inc()
	s.log.Debug("client connected", zap.Uint64("client", session.id), zap.String("address", session.Address()))

	cause := session.Run(ctx)

	s.leave(session)
	s.metrics.connections.Dec()
	s.metrics.disconnects.WithLabelValues(causeLabel(cause)).Inc()
	fields := []zap.Field{zap.Uint64("client", session.id), zap.String("address", session.Address())}
	level := zap.DebugLevel
	if session.profile != nil {
		fields = append(fields, zap.String("profile", session.profile.Name))
		level = zap.InfoLevel
	}
	s.log.Log(level, "client left", append(fields, zap.NamedError("cause", cause))...)
}

// admit counts a new connection and reports false where it is one too many.
func (s *Server) admit(session *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	limits := s.limits.Get()
	if s.waiting >= limits.MaxUnauthenticated || s.unauthenticated[session.addr] >= limits.MaxUnauthenticatedPerAddress {
		return false
	}
	s.lastID++
	session.id = s.lastID
	session.sender = s.fanout.senders[s.lastID%uint64(len(s.fanout.senders))]
	s.waiting++
	s.unauthenticated[session.addr]++
	s.metrics.unauthenticated.Set(float64(s.waiting))
	return true
}

// loggedIn counts a session of p's and reports false where it is one too many.
func (s *Server) loggedIn(session *Session, p *profiles.Profile) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.MaxSessions > 0 && s.sessions[p.Name] >= p.MaxSessions {
		return false
	}
	s.sessions[p.Name]++
	session.profile, session.counted = p, true
	s.known(session)
	return true
}

// leave takes an ended session out of the counts.
func (s *Server) leave(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session.profile == nil {
		s.known(session)
		return
	}
	s.uncountLocked(session)
}

// uncount takes a session out of those that max_sessions bounds.
func (s *Server) uncount(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uncountLocked(session)
}

func (s *Server) uncountLocked(session *Session) {
	if !session.counted {
		return
	}
	session.counted = false
	name := session.profile.Name
	if s.sessions[name]--; s.sessions[name] == 0 {
		delete(s.sessions, name)
	}
}

// known takes a connection out of those without a login. The caller holds mu.
func (s *Server) known(session *Session) {
	s.waiting--
	if s.unauthenticated[session.addr]--; s.unauthenticated[session.addr] == 0 {
		delete(s.unauthenticated, session.addr)
	}
	s.metrics.unauthenticated.Set(float64(s.waiting))
}
