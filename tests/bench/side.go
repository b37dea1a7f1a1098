package main

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A side is one of what is compared: a server, what feeds it, and its clients. One
// goroutine uses it.
type side struct {
	*process
	port   int
	stream *stream
	crowd  *crowd
	enter  func(net.Conn, *lane) error

	ampd *ampd         // nil for the relay
	fake *fakeAsterisk // ampd's, nil for the relay

	counted int // events, by ampd itself
}

// ampdSide starts ampd behind a fake Asterisk.
func (w *workshop) ampdSide(r *recording, lanes []*lane, want settings) (*side, error) {
	fake, err := startFake()
	if err != nil {
		return nil, fmt.Errorf("fake Asterisk: %w", err)
	}
	a, err := w.startAmpd(fake.addr(), want)
	if err != nil {
		fake.close()
		return nil, err
	}
	s := &side{process: a.process, port: a.port, ampd: a, fake: fake}
	s.enter = func(conn net.Conn, l *lane) error { return logIn(conn, &l.subscription) }
	if s.stream, err = fake.stream(r); err == nil {
		s.crowd, err = newCrowd(r, lanes)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.crowd.tls = want.tls
	return s, nil
}

// connected is an ampd with clients.
func (w *workshop) connected(r *recording, lanes []*lane, clients int) (*side, error) {
	s, err := w.ampdSide(r, lanes, settings{})
	if err != nil {
		return nil, err
	}
	if err := s.connect(clients); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// relaySide starts the relay. used is how many lanes have clients: no more are fed.
func (w *workshop) relaySide(r *recording, lanes []*lane, used int) (*side, error) {
	relay, err := w.startRelay(len(lanes))
	if err != nil {
		return nil, err
	}
	s := &side{process: relay.process, port: relay.port, enter: enterLane}
	of := make([][]uint16, len(r.events))
	for _, lane := range lanes[:used] {
		for _, event := range lane.seen {
			of[event] = append(of[event], uint16(lane.number))
		}
	}
	s.stream = newStream(r, func(event int) []uint16 { return of[event] })
	s.stream.fd = relay.upstream
	if s.crowd, err = newCrowd(r, lanes); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *side) connect(clients int) error {
	if err := s.crowd.connect(clients, s.port, s.stream.sent, s.enter); err != nil {
		return fmt.Errorf("%s: %w: %s", s.name, err, s.last())
	}
	return nil
}

func (s *side) close() {
	if s.crowd != nil {
		s.crowd.close()
	}
	s.stop()
	if s.fake != nil {
		s.fake.close()
	} else {
		unix.Close(s.stream.fd)
	}
}

// A round is what one round was like.
type round struct {
	events     int
	deliveries int
	took       time.Duration // from the first event to its last delivery
	cpu        time.Duration // of the server
	times      *latencies    // nil where bytes were only counted
}

func (r *round) cpuEach() float64 { return float64(r.cpu.Nanoseconds()) / float64(r.deliveries) / 1e3 }

func (r *round) perSecond() float64 { return float64(r.deliveries) / r.took.Seconds() }

// paced sends n events at a rate.
func (s *side) paced(n int, rate float64) (*round, error) {
	return s.run(true, func() error { return s.stream.pace(n, rate) })
}

// flatOut sends all that is taken for as long as said.
func (s *side) flatOut(lasting time.Duration) (*round, error) {
	return s.run(false, func() error { return s.stream.flatOut(lasting) })
}

// checkTail makes sure of the sequence numbers after bytes were only counted.
func (s *side) checkTail() error {
	_, err := s.paced(50, 1000)
	return err
}

func (s *side) run(checked bool, send func() error) (*round, error) {
	r := &round{}
	if checked {
		r.times = new(latencies)
	}
	first, began := s.stream.sent, now()
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	var end atomic.Int64
	end.Store(-1)
	s.stream.floor.Store(int64(first))
	s.stream.window = windowFor(len(s.crowd.clients))
	sending := make(chan error, 1)
	go func() {
		err := send()
		end.Store(int64(s.stream.sent))
		sending <- err
	}()
	last, err := s.crowd.receive(s.stream, &end, r.times)
	s.stream.floor.Store(never) // nobody waits for clients any more
	if err := errors.Join(err, <-sending); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", s.name, err, s.last())
	}
	r.took = time.Duration(last - began)
	after, err := s.cpu()
	if err != nil {
		return nil, err
	}
	r.cpu = after - before
	r.events = s.stream.sent - first
	for i := range s.crowd.clients {
		lane := s.crowd.clients[i].lane
		r.deliveries += lane.before(s.stream.sent) - lane.before(first)
	}
	return r, nil
}
