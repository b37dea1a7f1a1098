package main

import (
	"fmt"
	"time"
)

const (
	goalSaturated = 0.8       // of the relay's deliveries a second
	goalOneClient = 1_000_000 // events a second
)

// saturated sends all events as fast as they are taken.
func (b *bench) saturated() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, everything())
	t := &table{
		title:   "Saturated: clients that see all events, sent as fast as they are taken",
		columns: []string{"clients", "deliveries/s", "relay", "ratio", "CPU us/delivery", "relay", "goal"},
	}
	defer t.print(b.out)
	for _, clients := range []int{1, 100, 1000} {
		if !b.wants("saturated/%d", clients) {
			continue
		}
		f, err := b.saturate(r, lanes, clients)
		if err != nil {
			return fmt.Errorf("%d clients: %w", clients, err)
		}
		throughput := ratios(f.ampd.perSecond, f.other.perSecond)
		goal := "-"
		switch clients {
		case 1:
			goal = atLeast(f.ampd.perSecond.median(), goalOneClient)
		case 1000:
			goal = atLeast(throughput.median(), goalSaturated)
		}
		ratio, goal := b.ratio(throughput, goal)
		t.add(fmt.Sprint(clients), short(f.ampd.perSecond.median()), short(f.other.perSecond.median()), ratio,
			short(f.ampd.cpu.median()), short(f.other.cpu.median()), goal)
	}
	return nil
}

func (b *bench) saturate(r *recording, lanes []*lane, clients int) (*figures, error) {
	d, err := b.newDuel(r, lanes, clients)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.flatOut(b.rounds, b.lasting)
}

// flatOut runs rounds as fast as events are taken.
func (d *duel) flatOut(rounds int, lasting time.Duration) (*figures, error) {
	f := &figures{}
	turn := func(s *side, g *gathered) func(bool) error {
		return func(counts bool) error {
			r, err := s.flatOut(lasting)
			if err != nil {
				return err
			}
			if counts {
				g.add(r)
			}
			return s.checkTail()
		}
	}
	return f, alternate(rounds, turn(d.ampd, &f.ampd), turn(d.other, &f.other))
}
