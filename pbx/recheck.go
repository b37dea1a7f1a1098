package pbx

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"ampd/codec"
)

// A Recheck compares the state with two answers to the same question that came on
// another connection, and so are no moments of the stream of events. An object is
// corrected only where both say the same of it and no event about it came since the
// first was asked for.
type Recheck struct {
	state    *State
	question Question
	mark     uint64 // the events applied when it began
	gone     map[key]struct{}
	first    map[key]uint64
	answered bool
}

// Recheck begins before the question is asked for the first time. A state has one at
// a time: a new one ends the old.
func (s *State) Recheck(q Question) *Recheck {
	s.recheck = &Recheck{state: s, question: q, mark: s.events, gone: map[key]struct{}{}}
	return s.recheck
}

// forgot notes that an object was removed.
func (s *State) forgot(of kind, name string) {
	if s.recheck != nil {
		s.recheck.gone[key{of, name}] = struct{}{}
	}
}

var errOtherRecheck = errors.New("ended by another one")

// Answer takes an answer. For the first it returns nothing; for the second, which is
// asked for some seconds after, it corrects the state and returns the events that were
// missed. Every event that is older than an answer must have been applied before.
func (r *Recheck) Answer(answer []*codec.Packet, now time.Time) ([]*codec.Packet, error) {
	s := r.state
	if s.recheck != r {
		return nil, fmt.Errorf("recheck of %s: %w", r.question.Action, errOtherRecheck)
	}
	if err := whole(answer); err != nil {
		s.recheck = nil
		return nil, fmt.Errorf("answer to %s: %w", r.question.Action, err)
	}
	said := sayings(answer)
	if !r.answered {
		r.first, r.answered = said, true
		return nil, nil
	}
	s.recheck = nil
	to := s.Clone()
	to.load(r.question, answer, now, func(k key) bool {
		_, gone := r.gone[k]
		return !gone && said[k] == r.first[k] && s.touched(k) <= r.mark
	})
	missed := s.Missed(to, now)
	s.Become(to)
	return missed, nil
}

// moving are the headers that change by themselves.
var moving = []string{"ActionID", "Duration", "Seconds", "TimeToHangup", "Wait", "ParkingTimeout", "ParkingDuration"}

// seed makes what two answers say comparable.
var seed = maphash.MakeSeed()

// sayings are hashes of what an answer says of each object.
func sayings(answer []*codec.Packet) map[key]uint64 {
	said := make(map[key]uint64, len(answer))
	var h maphash.Hash
	for _, p := range answer {
		_, k, ok := about(p)
		if !ok {
			continue
		}
		h.SetSeed(seed)
		maphash.WriteComparable(&h, said[k]) // of a queue there are several
		for i := range p.Headers {
			if header := &p.Headers[i]; !slices.Contains(moving, header.Name) {
				maphash.WriteComparable(&h, *header)
			}
		}
		said[k] = h.Sum64()
	}
	return said
}

// touched is the event that said something of an object last, 0 where there is none.
func (s *State) touched(k key) uint64 {
	switch k.kind {
	case channelKind:
		if c := s.channels[k.name]; c != nil {
			return c.touched
		}
	case bridgeKind:
		if b := s.bridges[k.name]; b != nil {
			return b.touched
		}
	case queueKind:
		if q := s.queues[k.name]; q != nil {
			return q.touched
		}
	case memberKind:
		queue, iface, _ := strings.Cut(k.name, "\n")
		if q := s.queues[queue]; q != nil {
			if m := q.Member(iface); m != nil {
				return m.touched
			}
		}
	case agentKind:
		if a := s.agents[k.name]; a != nil {
			return a.touched
		}
	case parkedKind:
		if c := s.parked[k.name]; c != nil {
			return c.touched
		}
	case sipKind, iaxKind, endpointKind:
		return s.peerTouched(technologies[k.kind], k.name)
	case contactKind:
		endpoint, _, _ := strings.Cut(k.name, "\n")
		return s.peerTouched(techPJSIP, endpoint)
	}
	return 0
}

func (s *State) peerTouched(technology, name string) uint64 {
	if p := s.peers[peerKey(technology, name)]; p != nil {
		return p.touched
	}
	return 0
}
