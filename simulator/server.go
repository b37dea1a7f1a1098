package simulator

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"ampd/codec"
	"ampd/codec/native"
)

// A Server is a simulated Asterisk. Its call centre exists while Serve runs: serving
// once more is a restart.
type Server struct {
	cfg Config

	mu       sync.Mutex
	centre   *centre // nil while nothing is served
	sessions map[*session]struct{}
	accepted uint64
	asleep   time.Time     // until when nothing happens
	changed  chan struct{} // the schedule may have changed; one is enough
}

// New makes a server.
func New(cfg Config) *Server {
	return &Server{
		cfg: cfg.withDefaults(), sessions: make(map[*session]struct{}), changed: make(chan struct{}, 1),
	}
}

// Serve runs the call centre and serves the clients of ln until ctx ends or ln
// fails. Sessions then get the event Shutdown, and ln is closed. It returns nil when
// ctx ended. One Serve at a time.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var group sync.WaitGroup
	defer group.Wait()
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer s.shutDown()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()

	s.start()
	group.Go(func() { s.live(running) })
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		client := s.join(conn)
		group.Go(func() {
			client.run(running)
			s.leave(client)
		})
	}
}

func (s *Server) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.centre = newCentre(s.cfg, time.Now(), s.emit)
	if s.cfg.Boot <= 0 {
		s.centre.booted = true
	} else {
		s.centre.after(s.cfg.Boot, s.centre.fullyBooted)
	}
}

// shutDown tells the sessions that Asterisk stops.
func (s *Server) shutDown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.centre.event("Shutdown", codec.System).add("Shutdown", "Cleanly").add("Restart", "False").send()
}

// live lets things happen when they are due.
func (s *Server) live(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.changed:
		}
		if !s.awake(ctx) {
			return
		}
		s.mu.Lock()
		now := time.Now()
		s.centre.advance(now)
		at, ok := s.centre.schedule.next()
		s.mu.Unlock()
		if ok {
			timer.Reset(max(at.Sub(now), 0))
		} else {
			timer.Stop()
		}
	}
}

// run runs a client's action and returns the events that came before it. err is
// that of a packet that was too long.
func (s *Server) run(r *request, err error) (before []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.c = s.centre
	r.c.advance(time.Now())
	before = r.s.pending
	r.s.pending = nil
	if err != nil {
		r.tooLong(err)
	} else {
		r.process()
	}
	signal(s.changed)
	return before
}

// tooLong answers a packet that Asterisk does not take (astman_send_error_va's
// callers in do_message).
func (r *request) tooLong(err error) {
	message := "Failed to parse message: line too long"
	r.respond("Error")
	var limit *native.LimitError
	if errors.As(err, &limit) && limit.Limit == native.TooManyLines {
		message = "Too many lines in message or allocation failure"
		if limit.ActionID != "" {
			r.add("ActionID", limit.ActionID)
		}
	}
	r.add("Message", message)
	r.end()
}

// emit puts an event into the queue of every session that is to have it.
func (s *Server) emit(class codec.Classes, raw []byte) {
	for client := range s.sessions {
		if client.sees(class) {
			client.pending = append(client.pending, raw...)
			signal(client.wake)
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *Server) join(conn net.Conn) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	client := s.newSession(conn)
	s.sessions[client] = struct{}{}
	return client
}

func (s *Server) leave(client *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, client)
}

func (s *Server) user(name string) *User {
	for i := range s.cfg.Users {
		if s.cfg.Users[i].Name == name {
			return &s.cfg.Users[i]
		}
	}
	return nil
}

// Drop cuts all connections without a word, as a SIGKILL would, but goes on
// serving.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for client := range s.sessions {
		client.conn.Close()
	}
}

// Stall has the server do nothing for d, as between SIGSTOP and SIGCONT: nothing is
// read, written or called. What was due meanwhile then happens at once.
func (s *Server) Stall(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asleep = time.Now().Add(d)
}

// awake waits while the server is stalled. It returns false when ctx has ended.
func (s *Server) awake(ctx context.Context) bool {
	for {
		s.mu.Lock()
		d := time.Until(s.asleep)
		s.mu.Unlock()
		if d <= 0 {
			return true
		}
		if !sleep(ctx, d) {
			return false
		}
	}
}

// sleep returns false when ctx ended before d had passed.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
