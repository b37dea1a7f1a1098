package main

import (
	"fmt"
	"time"
)

// goalFilter is what ampd may use for each event and distinct filter with a literal,
// on top of what it may use for the deliveries.
const goalFilter = 300 * time.Nanosecond

// filters has each client log in and add a filter of its own, which lets a tenth of
// the events through.
func (b *bench) filters() error {
	t := &table{
		title: "Filters: each client has one of its own, which lets 10 % through",
		note:  "Allowed is 1.3 times the relay's CPU, and 0.3 us for each event and filter.",
		columns: []string{
			"clients", "events/s", "deliveries/s", "CPU us/delivery", "relay", "allowed", "of allowed", "goal",
			"CPU us/event and filter", "p99 ms", "relay",
		},
	}
	defer t.print(b.out)
	for _, clients := range []int{100, 500} {
		if err := b.filtersOf(t, clients); err != nil {
			return fmt.Errorf("%d clients: %w", clients, err)
		}
	}
	return nil
}

func (b *bench) filtersOf(t *table, clients int) error {
	var d *duel
	for _, rate := range []float64{200, 1000} {
		if !b.wants("filters/%dx%.0f", clients, rate) {
			continue
		}
		if d == nil {
			r, err := newRecording(addressees(clients))
			if err != nil {
				return err
			}
			if d, err = b.newDuel(r, newLanes(r, filtered(clients)), clients); err != nil {
				return err
			}
			defer d.close()
		}
		f, err := d.paced(b.rounds, rate, b.lasting)
		if err != nil {
			return fmt.Errorf("%.0f events/s: %w", rate, err)
		}
		// What filters may cost, in us a delivery: each event meets each filter.
		extra := goalFilter.Seconds() * 1e6 * float64(clients) * f.ampd.reached.median() / f.ampd.perSecond.median()
		allowed := make(spread, len(f.other.cpu))
		filtering := make(spread, len(f.other.cpu))
		for i, cpu := range f.other.cpu {
			allowed[i] = 1.3*cpu + extra
			filtering[i] = (f.ampd.cpu[i] - 1.3*cpu) / extra * goalFilter.Seconds() * 1e6
		}
		of := ratios(f.ampd.cpu, allowed)
		ratio, goal := b.ratio(of, atMost(of.median(), 1))
		t.add(fmt.Sprint(clients), reachedOf(rate, f, "relay"), short(f.ampd.perSecond.median()),
			short(f.ampd.cpu.median()), short(f.other.cpu.median()), short(allowed.median()), ratio, goal,
			short(filtering.median()), short(f.ampd.p99.median()), short(f.other.p99.median()))
	}
	return nil
}
