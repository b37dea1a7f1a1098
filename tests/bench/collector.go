package main

import "fmt"

const (
	goalAllocations = 1.0 // for each event, with all its deliveries
	goalPause       = 1.0 // ms

	// fewestEvents is how many it takes until it hardly matters that Go counts
	// allocations by whole spans, and what asking allocates.
	fewestEvents = 10_000
)

// collector is what fan-out costs in allocations and pauses, as ampd's own metrics
// have it.
func (b *bench) collector() error {
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	lanes := newLanes(r, mixed())
	t := &table{
		title: "Garbage: allocations for each event with all its deliveries, pauses of the collector",
		columns: []string{
			"clients", "events/s", "allocations/event", "goal", "bytes/event", "collections", "longest pause ms", "goal",
		},
	}
	defer t.print(b.out)
	const rate = 1000.0
	for _, clients := range []int{100, 1000} {
		if !b.wants("gc/%dx%.0f", clients, rate) {
			continue
		}
		if err := b.collectorOf(t, r, lanes, clients, rate); err != nil {
			return fmt.Errorf("%d clients: %w", clients, err)
		}
	}
	return nil
}

func (b *bench) collectorOf(t *table, r *recording, lanes []*lane, clients int, rate float64) error {
	s, err := b.connected(r, lanes, clients)
	if err != nil {
		return err
	}
	defer s.close()
	events := max(fewestEvents, int(rate*b.lasting.Seconds())*b.rounds)
	if _, err := s.paced(events/10, rate); err != nil { // to get warm
		return err
	}
	// Asking twice in a row tells what asking itself allocates, but for the first time.
	if _, err := s.ampd.values(); err != nil {
		return err
	}
	first, err := s.ampd.values()
	if err != nil {
		return err
	}
	before, err := s.ampd.values()
	if err != nil {
		return err
	}
	if _, err := s.paced(events, rate); err != nil {
		return err
	}
	after, err := s.ampd.values()
	if err != nil {
		return err
	}
	of := func(name string) float64 {
		return max(0, after[name]-before[name]-(before[name]-first[name])) / float64(events)
	}
	allocations := of("go_memstats_mallocs_total")
	pause := after[`go_gc_duration_seconds{quantile="1"}`] * 1000
	t.add(fmt.Sprint(clients), short(rate), short(allocations), atMost(allocations, goalAllocations),
		short(of("go_memstats_alloc_bytes_total")),
		short(after["go_gc_duration_seconds_count"]-before["go_gc_duration_seconds_count"]), short(pause), atMost(pause, goalPause))
	return nil
}
