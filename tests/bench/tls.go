package main

import "fmt"

// tls sends events at a steady rate to clients over TLS, and to as many without, each
// at an ampd of their own.
func (b *bench) tls() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, mixed())
	t := &table{
		title: "TLS: the same clients over TLS and without",
		columns: []string{
			"clients", "events/s", "CPU us/delivery over TLS", "plain", "ratio", "p99 ms over TLS", "plain", "ratio",
		},
	}
	defer t.print(b.out)
	const clients = 100
	var over, plain *side
	for _, rate := range []float64{200, 1000} {
		if !b.wants("tls/%dx%.0f", clients, rate) {
			continue
		}
		if over == nil {
			if over, err = b.connected(r, lanes, clients, settings{tls: true}); err != nil {
				return err
			}
			defer over.close()
			if plain, err = b.connected(r, lanes, clients, settings{}); err != nil {
				return err
			}
			defer plain.close()
		}
		var secured, open gathered
		n := int(rate * b.lasting.Seconds())
		turn := func(s *side, g *gathered) func(bool) error {
			return func(counts bool) error {
				r, err := s.paced(n, rate)
				if err == nil && counts {
					g.add(r)
				}
				return err
			}
		}
		if err := alternate(b.rounds, turn(over, &secured), turn(plain, &open)); err != nil {
			return fmt.Errorf("%.0f events/s: %w", rate, err)
		}
		t.add(fmt.Sprint(clients), short(rate),
			short(secured.cpu.median()), short(open.cpu.median()), ratios(secured.cpu, open.cpu).String(),
			short(secured.p99.median()), short(open.p99.median()), ratios(secured.p99, open.p99).String())
	}
	return nil
}

// connected is an ampd with clients.
func (b *bench) connected(r *recording, lanes []*lane, clients int, want settings) (*side, error) {
	s, err := b.ampdSide(r, lanes, want)
	if err != nil {
		return nil, err
	}
	if err := s.connect(clients); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
