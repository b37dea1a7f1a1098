package main

import "fmt"

// goalAction is how much CPU ampd may use for an answer, in us.
var goalAction = map[string]float64{askPing.name: 12, askList.name: 100}

// actions has clients ask for a Ping, which ampd answers itself, and for a list of 50
// items, which comes from Asterisk, as soon as the answer before has come.
func (b *bench) actions() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, []subscription{nothing()})
	t := &table{
		title: "Actions: each client's next one when its last is answered",
		note:  "The relay has its answers ready and asks nobody.",
		columns: []string{
			"action", "clients", "CPU us/answer", "goal", "relay", "ratio", "answers/s", "relay",
		},
	}
	defer t.print(b.out)
	for _, clients := range []int{1, 20} {
		var d *duel
		for _, q := range []question{askPing, askList} {
			if !b.wants("actions/%s/%d", q.name, clients) {
				continue
			}
			if d == nil {
				if d, err = b.newDuel(r, lanes, clients); err != nil {
					return err
				}
				defer d.close()
			}
			f, err := b.ask(d, q)
			if err != nil {
				return fmt.Errorf("%d clients: %w", clients, err)
			}
			ratio, _ := b.ratio(ratios(f.ampd.cpu, f.other.cpu), "")
			t.add(q.name, fmt.Sprint(clients), f.ampd.cpu.String(), atMost(f.ampd.cpu.median(), goalAction[q.name]),
				short(f.other.cpu.median()), ratio, short(f.ampd.perSecond.median()), short(f.other.perSecond.median()))
		}
	}
	return nil
}

func (b *bench) ask(d *duel, q question) (*figures, error) {
	f := &figures{}
	turn := func(s *side, g *gathered) func(bool) error {
		return func(counts bool) error {
			r, err := s.asked(q, b.lasting)
			if err == nil && counts {
				g.add(r)
			}
			return err
		}
	}
	return f, alternate(b.rounds, turn(d.ampd, &f.ampd), turn(d.other, &f.other))
}
