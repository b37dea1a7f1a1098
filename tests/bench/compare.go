package main

import (
	"fmt"
	"slices"
)

// A duel is ampd and another server side by side, each with the same clients: the relay, or
// an ampd that serves them in a plainer way.
type duel struct{ ampd, other *side }

// newDuel has ampd and the relay.
func (w *workshop) newDuel(r *recording, lanes []*lane, clients int) (*duel, error) {
	d := &duel{}
	var err error
	if d.ampd, err = w.ampdSide(r, lanes, settings{}); err != nil {
		return nil, err
	}
	if d.other, err = w.relaySide(r, lanes, min(clients, len(lanes))); err != nil {
		d.ampd.close()
		return nil, err
	}
	return d, d.connect(clients)
}

// connect closes the duel where it fails.
func (d *duel) connect(clients int) error {
	for _, s := range []*side{d.ampd, d.other} {
		if err := s.connect(clients); err != nil {
			d.close()
			return err
		}
	}
	return nil
}

// A way is how an ampd serves its clients.
type way struct {
	lanes    []*lane
	settings settings
}

// newAmpds has two ampds.
func (w *workshop) newAmpds(r *recording, served, plainly way, clients int) (*duel, error) {
	d := &duel{}
	var err error
	if d.ampd, err = w.ampdSide(r, served.lanes, served.settings); err != nil {
		return nil, err
	}
	if d.other, err = w.ampdSide(r, plainly.lanes, plainly.settings); err != nil {
		d.ampd.close()
		return nil, err
	}
	return d, d.connect(clients)
}

func (d *duel) close() {
	d.ampd.close()
	d.other.close()
}

// alternate runs one round of each, first one and then the other, in turn the other
// way round. The first time is to get warm and does not count.
func alternate(rounds int, one, other func(counts bool) error) error {
	for i := range rounds + 1 {
		turns := []func(bool) error{one, other}
		if i%2 == 1 {
			slices.Reverse(turns)
		}
		for _, turn := range turns {
			if err := turn(i > 0); err != nil {
				return fmt.Errorf("round %d: %w", i, err)
			}
		}
	}
	return nil
}

// A spread is a figure taken in each of many rounds.
type spread []float64

func (s spread) sorted() spread {
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return sorted
}

func (s spread) median() float64 {
	sorted := s.sorted()
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// String is the median and between what the middle half of all lies, with three
// digits.
func (s spread) String() string {
	sorted := s.sorted()
	n := len(sorted)
	return fmt.Sprintf("%s (%s..%s)", short(s.median()), short(sorted[n/4]), short(sorted[n-1-n/4]))
}

// ratios divides round by round.
func ratios(a, b spread) spread {
	out := make(spread, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

// short writes a number with three digits or so.
func short(v float64) string {
	switch {
	case v >= 10_000_000:
		return fmt.Sprintf("%.1fM", v/1e6)
	case v >= 1_000_000:
		return fmt.Sprintf("%.2fM", v/1e6)
	case v >= 10_000:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
