package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// loginsPerSecond of known profiles come and go while others listen.
const loginsPerSecond = 200

// churn is how 100 clients at 1,000 events/s fare while others log in and off.
func (b *bench) churn() error {
	if !b.wants("churn") {
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
	const rate = 1000.0
	n := int(rate * b.lasting.Seconds())
	var alone, beside gathered
	var logins int
	quiet := func(counts bool) error {
		r, err := s.paced(n, rate)
		if err == nil && counts {
			alone.add(r)
		}
		return err
	}
	disturbed := func(counts bool) error {
		visits := startVisits(s.port)
		r, err := s.paced(n, rate)
		made, failed := visits.end()
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		if counts {
			beside.add(r)
			logins += made
		}
		return nil
	}
	if err := alternate(b.rounds, quiet, disturbed); err != nil {
		return err
	}
	p99 := ratios(beside.p99, alone.p99)
	t := &table{
		title: fmt.Sprintf("Churn: 100 clients at 1,000 events/s, alone and beside %d logins a second", loginsPerSecond),
		columns: []string{
			"logins", "failed", "p99 ms alone", "beside", "ratio", "goal", "CPU us/delivery alone", "beside, logins and all",
		},
	}
	t.add(fmt.Sprint(logins), "0", short(alone.p99.median()), short(beside.p99.median()), p99.String(),
		atMost(p99.median(), goalUndisturbed), short(alone.cpu.median()), short(beside.cpu.median()))
	t.print(b.out)
	return nil
}

// visits are logins that are logoffs at once.
type visits struct {
	port    int
	stop    chan struct{}
	group   sync.WaitGroup
	made    atomic.Int64
	mu      sync.Mutex
	failure error
}

func startVisits(port int) *visits {
	v := &visits{port: port, stop: make(chan struct{})}
	v.group.Go(func() {
		tick := time.NewTicker(time.Second / loginsPerSecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-v.stop:
				return
			case <-tick.C:
				v.group.Go(func() { v.visit(n) })
			}
		}
	})
	return v
}

// end waits for those under way, and returns how many came and why one failed.
func (v *visits) end() (int, error) {
	close(v.stop)
	v.group.Wait()
	return int(v.made.Load()), v.failure
}

func (v *visits) visit(n int) {
	err := comeAndGo(v.port, 40_000+n%10_000)
	if err == nil {
		v.made.Add(1)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failure = fmt.Errorf("visitor %d: %w", n, err)
}

// comeAndGo logs in, with events, and off.
func comeAndGo(port, number int) error {
	fd, err := dial(port, number)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	conn := conversation{fd: fd}
	if err := logIn(conn, &subscription{profile: "queues", mask: "off"}); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("Action: Logoff\r\n\r\n")); err != nil {
		return err
	}
	var said []byte
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		said = append(said, buffer[:n]...)
		switch {
		case errors.Is(err, errClosed) && strings.Contains(string(said), "Response: Goodbye"):
			return nil
		case err != nil:
			return fmt.Errorf("log off: %w after %q", err, said)
		}
	}
}
