package tests

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"ampd/codec"
)

// shapes are the shapes that events were seen in: the names of their headers in their
// order, the values of those that are alike in all events of a name, and neither what
// channelvars adds, which differs from channel to channel, nor AmpdSynthetic, nor Ringinuse,
// which ampd leaves out while no event has told it (pbx.Fields).
type shapes struct {
	mu   sync.Mutex
	seen map[string]map[string]int // by the event's name
}

func newShapes() *shapes { return &shapes{seen: map[string]map[string]int{}} }

func (s *shapes) add(p *codec.Packet) {
	var shape []string
	for _, h := range p.Headers {
		switch {
		case strings.HasSuffix(h.Name, "ChanVariable") || h.Name == "AmpdSynthetic" || h.Name == "Ringinuse":
		case h.Name == "Event" || h.Name == "Privilege" || h.Name == "SystemName":
			shape = append(shape, h.Name+": "+h.Value)
		default:
			shape = append(shape, h.Name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[p.Name()] == nil {
		s.seen[p.Name()] = map[string]int{}
	}
	s.seen[p.Name()][strings.Join(shape, ", ")]++
}

// strange are the shapes that events of the same name of own have not.
func (s *shapes) strange(own *shapes) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	own.mu.Lock()
	defer own.mu.Unlock()
	var found []string
	for _, name := range slices.Sorted(maps.Keys(s.seen)) {
		for _, shape := range slices.Sorted(maps.Keys(s.seen[name])) {
			if own.seen[name][shape] == 0 {
				found = append(found, "made:        "+shape+"\nAsterisk's: "+
					strings.Join(slices.Sorted(maps.Keys(own.seen[name])), "\n            "))
			}
		}
	}
	return found
}
