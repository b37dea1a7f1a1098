package main

import (
	"fmt"
	"time"
)

const (
	goalIdle    = 10_000 // bytes of memory for a client that is logged in and idle
	goalIdleTLS = 40_000
)

// idle is what clients take of memory that are logged in and get nothing.
func (b *bench) idle() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, mixed())
	t := &table{
		title: "Idle clients: memory of the process (VmRSS) for each",
		note:  "After their logins, and once more after each has seen some hundred events.",
		columns: []string{
			"", "clients", "before MB", "with them MB", "kB a client", "goal", "kB a client after events",
		},
	}
	defer t.print(b.out)
	for _, kind := range []struct {
		name  string
		goal  float64
		start func() (*side, error)
	}{
		{"ampd", goalIdle, func() (*side, error) { return b.ampdSide(r, lanes, settings{}) }},
		{"ampd, TLS", goalIdleTLS, func() (*side, error) { return b.ampdSide(r, lanes, settings{tls: true}) }},
		{"relay", 0, func() (*side, error) { return b.relaySide(r, lanes, len(lanes)) }},
	} {
		if !b.wants("idle/%s", kind.name) {
			continue
		}
		if err := b.idleOf(t, kind.name, kind.goal, kind.start); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	return nil
}

func (b *bench) idleOf(t *table, name string, goal float64, start func() (*side, error)) error {
	const clients = 5000
	s, err := start()
	if err != nil {
		return err
	}
	defer s.close()
	empty, err := s.settledRSS()
	if err != nil {
		return err
	}
	if err := s.connect(clients); err != nil {
		return err
	}
	full, err := s.settledRSS()
	if err != nil {
		return err
	}
	if _, err := s.paced(200, 100); err != nil {
		return err
	}
	used, err := s.settledRSS()
	if err != nil {
		return err
	}
	each := float64(full-empty) / clients
	verdict := "-"
	if goal > 0 {
		verdict = atMost(each/1000, goal/1000)
	}
	t.add(name, fmt.Sprint(clients), short(float64(empty)/1e6), short(float64(full)/1e6), short(each/1000), verdict,
		short(float64(used-empty)/clients/1000))
	return nil
}

// settledRSS waits until the process's memory stays as it is for two seconds, 20 at
// most.
func (s *side) settledRSS() (int, error) {
	const (
		pause  = 250 * time.Millisecond
		quiet  = 8
		at     = 80
		slight = 0.005
	)
	last, same := 0, 0
	for range at {
		time.Sleep(pause)
		rss, err := s.rss()
		if err != nil {
			return 0, err
		}
		if change := float64(rss - last); change < slight*float64(last) && -change < slight*float64(last) {
			same++
		} else {
			last, same = rss, 0
		}
		if same == quiet {
			break
		}
	}
	return last, nil
}
