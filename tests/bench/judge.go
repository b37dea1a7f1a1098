package main

import (
	"fmt"
	"time"
)

// The relay counts as a reference when it is this good.
const (
	relayCPU       = 6.0       // us a delivery, at most, at 100 clients and 200 events/s
	relaySaturated = 3_000_000 // deliveries/s, at least, flat out with 1,000 clients
)

// judgeRelay finds out whether the relay is good enough on this machine for ratios to
// mean something. Its best round counts: a busy neighbour is not its fault.
func (b *bench) judgeRelay() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, mixed())
	best := func(clients int, play func(*side) (*round, error), better func(*round)) error {
		s, err := b.relaySide(r, lanes, len(lanes))
		if err != nil {
			return err
		}
		defer s.close()
		if err := s.connect(clients); err != nil {
			return err
		}
		for range 6 {
			played, err := play(s)
			if err != nil {
				return err
			}
			better(played)
		}
		return nil
	}
	cpu, perSecond := 1e9, 0.0
	lasting := min(b.lasting, time.Second/2)
	n := int(200 * lasting.Seconds())
	err = best(100, func(s *side) (*round, error) { return s.paced(n, 200) },
		func(r *round) { cpu = min(cpu, r.cpuEach()) })
	if err != nil {
		return err
	}
	err = best(1000, func(s *side) (*round, error) { return s.flatOut(lasting) },
		func(r *round) { perSecond = max(perSecond, r.perSecond()) })
	if err != nil {
		return err
	}
	b.ratios = cpu <= relayCPU && perSecond >= relaySaturated
	word := "accepted as reference"
	if !b.ratios {
		word = "**relay not acceptable**"
	}
	fmt.Fprintf(b.out, "The relay at its best: %s us of CPU a delivery at 100 clients × 200 events/s (at most %s), "+
		"%s deliveries/s flat out with 1,000 clients (at least %s): %s.\n",
		short(cpu), short(relayCPU), short(perSecond), short(relaySaturated), word)
	return nil
}

// ratio prints a ratio to the relay, and its goal.
func (b *bench) ratio(s spread, goal string) (ratio, verdict string) {
	if !b.ratios {
		return "-", "relay not acceptable"
	}
	return s.String(), goal
}
