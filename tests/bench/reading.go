package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// goalReading is how much of its speed ampd must keep whatever clients do.
const goalReading = 0.9

// reading is how fast ampd takes events from an Asterisk that sends all it can,
// whatever clients do.
func (b *bench) reading() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	t := &table{
		title: "Upstream: events as fast as ampd reads them",
		note:  "Clients that stop reading are closed when their backlog is full.",
		columns: []string{
			"clients", "events/s", "of none", "goal", "CPU us/event",
		},
	}
	defer t.print(b.out)
	const undisturbed = "none"
	var alone float64
	for _, kind := range []struct {
		name             string
		clients, stalled int
	}{
		{undisturbed, 0, 0},
		{"100 with events off", 100, 0},
		{"20 that do not read", 0, 20},
	} {
		if !b.wants("upstream/%s", kind.name) {
			continue
		}
		perSecond, cpu, err := b.readingBeside(r, kind.clients, kind.stalled)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		of, goal := "-", "-"
		if kind.name == undisturbed {
			alone = perSecond.median()
		} else if alone > 0 {
			of, goal = short(perSecond.median()/alone), atLeast(perSecond.median()/alone, goalReading)
		}
		t.add(kind.name, perSecond.String(), of, goal, short(cpu.median()))
	}
	return nil
}

func (b *bench) readingBeside(r *recording, clients, stalled int) (perSecond, cpu spread, err error) {
	s, err := b.connected(r, newLanes(r, []subscription{nothing()}), clients)
	if err != nil {
		return nil, nil, err
	}
	defer s.close()
	for i := range b.rounds + 1 {
		slow, err := newLaggards(s, stalled, 0)
		if err != nil {
			return nil, nil, err
		}
		read, err := s.flooded(b.lasting)
		slow.leave()
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			perSecond = append(perSecond, float64(read.events)/read.took.Seconds())
			cpu = append(cpu, float64(read.cpu.Nanoseconds())/1e3/float64(read.events))
		}
	}
	return perSecond, cpu, nil
}

// flooded is a flat-out round that lasts until ampd has counted the last event.
func (s *side) flooded(lasting time.Duration) (*round, error) {
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	first := s.stream.sent
	r, err := s.flatOut(lasting)
	if err != nil {
		return nil, err
	}
	for {
		waiting, err := unix.IoctlGetInt(s.stream.fd, unix.SIOCOUTQ)
		if err != nil {
			return nil, fmt.Errorf("ask for what waits in the socket: %w", err)
		}
		if waiting == 0 {
			values, err := s.ampd.values()
			if err != nil {
				return nil, err
			}
			if int(values["ampd_upstream_events_total"]) >= s.counted+s.stream.sent-first {
				s.counted = int(values["ampd_upstream_events_total"])
				break
			}
		}
		if time.Since(began) > lasting+patience {
			return nil, fmt.Errorf("ampd does not count the events")
		}
		time.Sleep(time.Millisecond)
	}
	r.took = time.Since(began)
	after, err := s.cpu()
	r.cpu = after - before
	return r, err
}
