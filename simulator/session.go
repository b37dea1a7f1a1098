package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"ampd/codec"
	"ampd/codec/native"
)

const (
	greeting    = "Asterisk Call Manager/" + managerVersion + "\r\n"
	authTimeout = 30 * time.Second // manager.conf's authtimeout
	punishment  = time.Second      // for a wrong secret
)

// never is a deadline that does not come.
var never time.Time

// A session is one client's connection.
type session struct {
	server    *Server
	conn      net.Conn
	id        string
	challenge string
	began     time.Time
	wake      chan struct{} // there are events; one is enough

	// Guarded by server.mu.
	user    *User // nil before login
	mask    codec.Classes
	pending []byte // events to be written
}

// An input is what the reader took from the connection: a packet or an error.
type input struct {
	packet *codec.Packet
	err    error
}

// run greets, answers and brings events until the client leaves, is to leave, or
// ctx ends. Only it writes to conn.
func (s *session) run(ctx context.Context) {
	var reader sync.WaitGroup
	defer reader.Wait()
	defer s.conn.Close()
	if !s.server.awake(ctx) || !s.write([]byte(greeting)) {
		return
	}
	inputs, done := make(chan input), make(chan struct{})
	defer close(done)
	s.conn.SetReadDeadline(time.Now().Add(authTimeout))
	reader.Go(func() { s.read(inputs, done) })
	for {
		select {
		case <-ctx.Done():
			s.flush()
			return
		case <-s.wake:
			if !s.server.awake(ctx) || !s.flush() {
				return
			}
		case in := <-inputs:
			if !s.server.awake(ctx) || !s.take(ctx, in) {
				return
			}
		}
	}
}

func (s *session) read(inputs chan<- input, done <-chan struct{}) {
	dec := native.NewDecoder(s.conn, native.FromClient)
	for {
		in := input{packet: new(codec.Packet)}
		in.err = dec.Decode(in.packet)
		select {
		case inputs <- in:
		case <-done:
			return
		}
		if in.err != nil && !errors.Is(in.err, codec.ErrTooLong) {
			return
		}
	}
}

// take runs what the client sent and reports whether the session goes on.
func (s *session) take(ctx context.Context, in input) bool {
	if in.err != nil && !errors.Is(in.err, codec.ErrTooLong) {
		return false
	}
	r := &request{s: s, p: in.packet}
	before := s.server.run(r, in.err)
	if len(before) > 0 && !s.write(before) {
		return false
	}
	if r.punish && !sleep(ctx, punishment) {
		return false
	}
	if len(r.out) > 0 && !s.write(r.out) {
		return false
	}
	if r.later != nil {
		select {
		case <-ctx.Done():
			return false
		case rest := <-r.later:
			if !s.write(rest) {
				return false
			}
		}
	}
	return !r.close && s.flush()
}

// flush writes the events that wait.
func (s *session) flush() bool {
	s.server.mu.Lock()
	events := s.pending
	s.pending = nil
	s.server.mu.Unlock()
	return len(events) == 0 || s.write(events)
}

func (s *session) write(b []byte) bool {
	s.conn.SetWriteDeadline(time.Now().Add(s.server.cfg.WriteTimeout))
	_, err := s.conn.Write(b)
	return err == nil
}

// sees tells whether the session is to have events of these classes.
func (s *session) sees(class codec.Classes) bool {
	return s.user != nil && s.user.Read.Has(class) && s.mask.Has(class)
}

// security sends a security event about the session (main/security_events.c).
// accountLast puts AccountID at the end, where RequestBadFormat has it.
func (s *session) security(name, severity string, more func(*event), accountLast bool) {
	s.securityEvent(name, severity, "1", s.user.Name, s.began, more, accountLast)
}

const eventTime = "2006-01-02T15:04:05.000-0700"

func (s *session) securityEvent(name, severity, version, account string, began time.Time, more func(*event), accountLast bool) {
	c := s.server.centre
	e := c.event(name, codec.Security).add("EventTV", c.clock.UTC().Format(eventTime)).
		add("Severity", severity).add("Service", "AMI").add("EventVersion", version)
	if !accountLast {
		e.add("AccountID", account)
	}
	e.add("SessionID", s.id).add("LocalAddress", address(s.conn.LocalAddr())).
		add("RemoteAddress", address(s.conn.RemoteAddr()))
	if more != nil {
		more(e)
	}
	e.add("SessionTV", began.UTC().Format(eventTime))
	if accountLast {
		e.add("AccountID", account)
	}
	e.send()
}

func (s *session) loggedIn() {
	s.securityEvent("SuccessfulAuth", "Informational", "1", s.user.Name, s.began,
		func(e *event) { e.add("UsingPassword", "0") }, false)
}

// refused tells of a login that failed. Asterisk has no time for that session.
func (s *session) refused(event, account string) {
	version := "1"
	if event == "InvalidPassword" {
		version = "2"
	}
	s.securityEvent(event, "Error", version, account, time.Unix(0, 0), nil, false)
}

// address writes an address as security events do.
func address(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "IPV4/TCP/127.0.0.1/0"
	}
	family := "IPV4"
	if strings.Contains(host, ":") {
		family = "IPV6"
	}
	return family + "/TCP/" + host + "/" + port
}

// newSession numbers a session. Its id and challenge come from the seed.
func (s *Server) newSession(conn net.Conn) *session {
	s.accepted++
	n := s.cfg.Seed*1000003 + s.accepted*7919
	return &session{
		server: s, conn: conn, began: time.Now(), wake: make(chan struct{}, 1),
		id: fmt.Sprintf("0x7f%010x", n&0xffffffffff), challenge: strconv.FormatUint(100000000+n*2654435761%899999999, 10),
	}
}
