package main

import "fmt"

// goalSurcharge is how much of a plain client's CPU one may take that is served otherwise.
const goalSurcharge = 1.5

// A surcharge is what it costs to serve clients in some way, beside the cost of plain ones.
type surcharge struct {
	name       string // of the case
	title      string
	way, plain string // in the table's head
	loads      []load
	start      func(clients int) (*duel, error)
}

// A load is so many clients, and the events a second that they are sent in turn.
type load struct {
	clients int
	rates   []float64
}

// flatOut is as many events a second as are taken.
const flatOut = 0

func (b *bench) surcharge(s *surcharge) error {
	t := &table{
		title: s.title,
		columns: []string{
			"clients", "events/s", "CPU us/delivery " + s.way, s.plain, "ratio", "goal", "p99 ms " + s.way, s.plain, "ratio",
		},
	}
	defer t.print(b.out)
	for _, l := range s.loads {
		if err := b.surchargeOf(t, s, l); err != nil {
			return fmt.Errorf("%d clients: %w", l.clients, err)
		}
	}
	return nil
}

func (b *bench) surchargeOf(t *table, s *surcharge, l load) error {
	var d *duel
	for _, rate := range l.rates {
		events := short(rate)
		if rate == flatOut {
			events = "flat out"
		}
		if !b.wants("%s/%dx%s", s.name, l.clients, events) {
			continue
		}
		var err error
		if d == nil {
			if d, err = s.start(l.clients); err != nil {
				return err
			}
			defer d.close()
		}
		var f *figures
		p99 := []string{"-", "-", "-"}
		if rate == flatOut {
			f, err = d.flatOut(b.rounds, b.lasting)
		} else if f, err = d.paced(b.rounds, rate, b.lasting); err == nil {
			events = reachedOf(rate, f, s.plain)
			p99 = []string{short(f.ampd.p99.median()), short(f.other.p99.median()), ratios(f.ampd.p99, f.other.p99).String()}
		}
		if err != nil {
			return fmt.Errorf("%s events/s: %w", events, err)
		}
		cpu := ratios(f.ampd.cpu, f.other.cpu)
		cells := []string{
			fmt.Sprint(l.clients), events,
			short(f.ampd.cpu.median()), short(f.other.cpu.median()), cpu.String(), atMost(cpu.median(), goalSurcharge),
		}
		t.add(append(cells, p99...)...)
	}
	return nil
}
