package main

import (
	"sort"

	"ampd/codec"
)

// A subscription is what a client asks for, and which events it must see then. That
// is worked out here anew, not asked of ampd.
type subscription struct {
	profile string   // it logs in as, see profiles
	mask    string   // its Events
	filters []string // it adds after its login, as Filter has them
	classic bool     // it speaks the ampd dialect
	xml     bool     // and that in XML; it has no filters then
	sees    func(event []byte, classes codec.Classes) bool
}

// A lane is one subscription and the events that it lets through. The relay has the
// same bytes for all clients of a lane.
type lane struct {
	subscription
	number int      // among the lanes of its case
	wire   []layout // of each event of the recording, as it comes

	seen  []int   // events of the recording, ascending
	bytes []int64 // of the first n events seen; one more than seen
	all   int     // events in the recording
}

func newLane(r *recording, s subscription) *lane {
	l := &lane{subscription: s, wire: r.native, bytes: []int64{0}, all: len(r.events)}
	if s.xml {
		l.wire = r.xml
	}
	for i, event := range r.events {
		if s.sees(event, r.classes[i]) {
			l.seen = append(l.seen, i)
			l.bytes = append(l.bytes, l.bytes[len(l.seen)-1]+int64(l.wire[i].size))
		}
	}
	return l
}

func newLanes(r *recording, subscriptions []subscription) []*lane {
	lanes := make([]*lane, len(subscriptions))
	for i, s := range subscriptions {
		lanes[i] = newLane(r, s)
		lanes[i].number = i
	}
	return lanes
}

// before is how many events the lane sees of the first n sent.
func (l *lane) before(n int) int {
	return n/l.all*len(l.seen) + sort.SearchInts(l.seen, n%l.all)
}

// bytesBefore is how many bytes these are.
func (l *lane) bytesBefore(n int) int64 {
	return int64(n/l.all)*l.bytes[len(l.seen)] + l.bytes[sort.SearchInts(l.seen, n%l.all)]
}

// sentFor is how many events must have been sent before the one of which the first
// byte is that which comes after bytes.
func (l *lane) sentFor(bytes int64) int {
	whole := l.bytes[len(l.seen)]
	if whole == 0 {
		return never // it waits for nothing
	}
	rest := bytes % whole
	at := sort.Search(len(l.seen), func(i int) bool { return l.bytes[i+1] > rest })
	return int(bytes/whole)*l.all + l.seen[at]
}

// fraction is how much of all events the lane sees.
func (l *lane) fraction() float64 { return float64(len(l.seen)) / float64(l.all) }
