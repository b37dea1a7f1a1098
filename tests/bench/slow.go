package main

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Laggards are clients that want everything and read a little or nothing.
type laggards struct {
	side *side
	fds  []int
	stop chan struct{}
	read sync.WaitGroup
}

// newLaggards logs in so many that never read, and so many that read 1 kB/s.
func newLaggards(s *side, never, little int) (*laggards, error) {
	l := &laggards{side: s, stop: make(chan struct{})}
	everything := everything()[0]
	for i := range never + little {
		fd, err := dial(s.port, 60_000+i)
		if err == nil {
			l.fds = append(l.fds, fd)
			err = logIn(conversation{fd: fd}, &everything)
		}
		if err == nil {
			err = unix.SetNonblock(fd, true)
		}
		if err != nil {
			l.leave()
			return nil, fmt.Errorf("laggard: %w", err)
		}
	}
	l.read.Go(func() { l.nibble(l.fds[never:]) })
	return l, nil
}

// nibble reads 100 bytes of each ten times a second.
func (l *laggards) nibble(fds []int) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	bite := make([]byte, 100)
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		for _, fd := range fds {
			_, _ = unix.Read(fd, bite) // whether ampd has closed it is asked of ampd
		}
	}
}

func (l *laggards) leave() {
	close(l.stop)
	l.read.Wait()
	for _, fd := range l.fds {
		unix.Close(fd)
	}
}

// goalUndisturbed is how many times p99 may grow when others misbehave.
const goalUndisturbed = 2.0

// slow is how 100 good clients fare beside 20 that never read and 20 that read 1 kB/s,
// whose buffers in the kernel and in ampd are filled before a round begins.
func (b *bench) slow() error {
	if !b.wants("slow") {
		return nil
	}
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	s, err := b.connected(r, newLanes(r, mixed()), 100)
	if err != nil {
		return err
	}
	defer s.close()
	const (
		rate          = 1000.0
		never, little = 20, 20
	)
	n := int(rate * b.lasting.Seconds())
	var alone, beside gathered
	var memory spread
	empty, err := s.settledRSS()
	if err != nil {
		return err
	}
	quiet := func(counts bool) error {
		r, err := s.paced(n, rate)
		if err == nil && counts {
			alone.add(r)
		}
		return err
	}
	disturbed := func(counts bool) error {
		l, err := newLaggards(s, never, little)
		if err != nil {
			return err
		}
		defer func() { s.awaitSessions(100) }()
		defer l.leave()
		if err := s.fill(); err != nil {
			return err
		}
		r, err := s.paced(n, rate)
		if err != nil {
			return err
		}
		if sessions, err := s.sessions(); err != nil || sessions != 100+never+little {
			return fmt.Errorf("%d sessions are left, not %d: %w", sessions, 100+never+little, err)
		}
		rss, err := s.rss()
		if err == nil && counts {
			beside.add(r)
			memory = append(memory, float64(rss-empty)/1e6)
		}
		return err
	}
	if err := alternate(b.rounds, quiet, disturbed); err != nil {
		return err
	}
	p99 := ratios(beside.p99, alone.p99)
	t := &table{
		title: "Slow clients: 100 good ones at 1,000 events/s, alone and beside 20 that never read and 20 that read 1 kB/s",
		note:  "Each of the 40 lacks 12 MB when a round begins. The good ones lose nothing in any round.",
		columns: []string{
			"p99 ms alone", "beside", "ratio", "goal", "CPU us/delivery alone", "beside", "memory MB", "most",
		},
	}
	t.add(short(alone.p99.median()), short(beside.p99.median()), p99.String(), atMost(p99.median(), goalUndisturbed),
		short(alone.cpu.median()), short(beside.cpu.median()), "+"+short(memory.median()), "+"+short(memory.sorted()[len(memory)-1]))
	t.print(b.out)
	return nil
}

// filling is what the laggards must lack, in bytes: more than the kernel takes for a
// client that does not read, less than ampd lets wait.
const filling = 12 << 20

// fill sends so much.
func (s *side) fill() error {
	events := filling / s.crowd.recording.mean()
	_, err := s.run(false, func() error { return s.stream.pace(events, 1e9) })
	if err != nil {
		return err
	}
	return s.checkTail()
}

// sessions is how many clients are logged in, as ampd has it.
func (s *side) sessions() (int, error) {
	values, err := s.ampd.values()
	return int(values["ampd_sessions"]), err
}

// awaitSessions waits until so many are left.
func (s *side) awaitSessions(n int) {
	for range 1000 {
		if now, err := s.sessions(); err != nil || now <= n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
