package main

import (
	"fmt"
	"time"
)

// tooMany is how many deliveries a second no case asks for.
const tooMany = 3_000_000

// fanout sends events at a steady rate to clients with mixed masks.
func (b *bench) fanout() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, mixed())
	t := &table{
		title: "Fan-out: clients with mixed masks and rights, events at a steady rate",
		columns: []string{
			"clients", "events/s", "deliveries/s", "CPU us/delivery", "relay", "ratio", "goal",
			"p50 ms", "relay", "p99 ms", "relay", "ratio", "goal", "max ms", "relay",
		},
	}
	defer t.print(b.out)
	for _, clients := range []int{1, 10, 100, 500, 1000, 2000, 5000, b.most(10_000, 2)} {
		if err := b.fanoutTo(t, r, lanes, clients); err != nil {
			return fmt.Errorf("%d clients: %w", clients, err)
		}
	}
	return nil
}

func (b *bench) fanoutTo(t *table, r *recording, lanes []*lane, clients int) error {
	var seen float64
	for i := range clients {
		seen += lanes[i%len(lanes)].fraction()
	}
	var d *duel
	for _, rate := range []float64{200, 1000, 5000} {
		if seen*rate > tooMany || !b.wants("fanout/%dx%.0f", clients, rate) {
			continue
		}
		if d == nil {
			var err error
			if d, err = b.newDuel(r, lanes, clients); err != nil {
				return err
			}
			defer d.close()
		}
		f, err := d.paced(b.rounds, rate, b.lasting)
		if err != nil {
			return fmt.Errorf("%.0f events/s: %w", rate, err)
		}
		b.fanoutRow(t, clients, rate, f)
	}
	return nil
}

// goalFanout is how much more CPU than the relay ampd may use, 0 for no goal.
func goalFanout(clients int, rate float64) float64 {
	switch {
	case clients > 2000:
		return 0
	case rate == 200 && (clients == 100 || clients == 500):
		return 1.3
	}
	return 1.15
}

const goalLatency = 1.5

func (b *bench) fanoutRow(t *table, clients int, rate float64, f *figures) {
	cpu, p99 := ratios(f.ampd.cpu, f.other.cpu), ratios(f.ampd.p99, f.other.p99)
	goal, latencyGoal := "-", "-"
	if g := goalFanout(clients, rate); g > 0 {
		goal, latencyGoal = atMost(cpu.median(), g), atMost(p99.median(), goalLatency)
	}
	cpuRatio, goal := b.ratio(cpu, goal)
	p99Ratio, latencyGoal := b.ratio(p99, latencyGoal)
	t.add(fmt.Sprint(clients), reachedOf(rate, f, "relay"), short(f.ampd.perSecond.median()),
		short(f.ampd.cpu.median()), short(f.other.cpu.median()), cpuRatio, goal,
		short(f.ampd.p50.median()), short(f.other.p50.median()),
		short(f.ampd.p99.median()), short(f.other.p99.median()), p99Ratio, latencyGoal,
		short(f.ampd.max.median()), short(f.other.max.median()))
}

// reachedOf is a rate of events, and what of it was reached where that is less; other is what
// ampd was compared to.
func reachedOf(rate float64, f *figures, other string) string {
	text := short(rate)
	if reached := f.ampd.reached.median(); reached < 0.95*rate {
		text += fmt.Sprintf(" (ampd %s)", short(reached))
	}
	if reached := f.other.reached.median(); reached < 0.95*rate {
		text += fmt.Sprintf(" (%s %s)", other, short(reached))
	}
	return text
}

// figures are those of all rounds that count.
type figures struct{ ampd, other gathered }

// gathered are a side's: CPU in us a delivery, times in ms.
type gathered struct {
	cpu, p50, p99, max spread
	perSecond          spread // deliveries
	reached            spread // events a second
}

func (g *gathered) add(r *round) {
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	g.cpu = append(g.cpu, r.cpuEach())
	g.perSecond = append(g.perSecond, r.perSecond())
	g.reached = append(g.reached, float64(r.events)/r.took.Seconds())
	if r.times != nil {
		g.p50 = append(g.p50, ms(r.times.quantile(0.5)))
		g.p99 = append(g.p99, ms(r.times.quantile(0.99)))
		g.max = append(g.max, ms(time.Duration(r.times.max)))
	}
}

// paced runs rounds at a rate. Where a server can't follow, rounds have fewer events.
func (d *duel) paced(rounds int, rate float64, lasting time.Duration) (*figures, error) {
	n := max(1, int(rate*lasting.Seconds()))
	most := n
	f := &figures{}
	turn := func(s *side, g *gathered) func(bool) error {
		return func(counts bool) error {
			r, err := s.paced(n, rate)
			if err != nil {
				return err
			}
			if counts {
				g.add(r)
			} else if r.took > lasting*3/2 {
				most = min(most, max(1, int(float64(n)*float64(lasting*3/2)/float64(r.took))))
			}
			return nil
		}
	}
	one, other := turn(d.ampd, &f.ampd), turn(d.other, &f.other)
	if err := alternate(0, one, other); err != nil {
		return nil, err
	}
	n = most
	return f, alternate(rounds, one, other)
}
