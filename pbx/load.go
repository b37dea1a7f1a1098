package pbx

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ampd/codec"
)

// whole tells what is wrong with an answer, its response first.
func whole(answer []*codec.Packet) error {
	if len(answer) == 0 {
		return errors.New("no answer")
	}
	response := answer[0]
	if word := response.Name(); !strings.EqualFold(word, "Success") {
		message := response.Get("Message")
		if strings.HasPrefix(message, "No ") { // "No Contacts found": a list of nothing
			return nil
		}
		return fmt.Errorf("%s: %s", word, message)
	}
	if end := answer[len(answer)-1].Get("EventList"); !strings.EqualFold(end, "Complete") {
		return errors.New("list was not ended")
	}
	return nil
}

// Load takes the whole answer to a question, its response first and the end of its
// list last, at its place among the events. What the list does not have is removed;
// what no list tells of the rest (a hold, a dial, variables: see [Fields]) stays. An
// error means that the answer was none, or not whole, and that nothing has changed.
func (s *State) Load(q Question, answer []*codec.Packet, now time.Time) error {
	if err := whole(answer); err != nil {
		return fmt.Errorf("answer to %s: %w", q.Action, err)
	}
	s.load(q, answer, now, func(key) bool { return true })
	return nil
}

// A loader takes one answer in.
type loader struct {
	*State
	now     time.Time
	seen    map[key]struct{}
	entries map[string][]entry   // the callers of queues, by folded name
	members map[string][]*Member // of queues, as they are listed
}

// An entry is a caller at its position.
type entry struct {
	position int
	caller   Caller
}

// load takes in of the answer what may say something: the rest of the state stays.
func (s *State) load(q Question, answer []*codec.Packet, now time.Time, may func(key) bool) {
	l := &loader{State: s, now: now, seen: map[key]struct{}{}, entries: map[string][]entry{}, members: map[string][]*Member{}}
	for _, p := range answer {
		it, k, ok := about(p)
		if !ok || !slices.Contains(q.tells, k.kind) || !may(k) {
			continue
		}
		l.seen[k] = struct{}{}
		it.load(l, p)
	}
	for _, tells := range q.tells {
		for _, k := range s.keys(tells) {
			if _, ok := l.seen[k]; !ok && may(k) {
				s.remove(k)
			}
		}
	}
	l.order()
}

// keys are those of all objects of a kind.
func (s *State) keys(of kind) []key {
	var keys []key
	add := func(name string) { keys = append(keys, key{of, name}) }
	switch of {
	case channelKind:
		for id := range s.channels {
			add(id)
		}
	case bridgeKind:
		for id := range s.bridges {
			add(id)
		}
	case queueKind:
		for name := range s.queues {
			add(name)
		}
	case memberKind:
		for _, q := range s.queues {
			for _, m := range q.Members {
				add(memberKey(q.Name, m.Interface))
			}
		}
	case agentKind:
		for id := range s.agents {
			add(id)
		}
	case parkedKind:
		for id := range s.parked {
			add(id)
		}
	case sipKind, iaxKind, endpointKind:
		for _, p := range s.peers {
			if p.Technology == technologies[of] {
				add(fold(p.Name))
			}
		}
	case contactKind:
		for _, p := range s.peers {
			for _, c := range p.Contacts {
				if c.Entry != nil {
					add(contactKey(p.Name, c.URI))
				}
			}
		}
	}
	return keys
}

var technologies = map[kind]string{sipKind: techSIP, iaxKind: techIAX, endpointKind: techPJSIP}

// remove removes what a list has no more.
func (s *State) remove(k key) {
	switch k.kind {
	case channelKind:
		s.removeChannel(s.channels[k.name])
	case bridgeKind:
		s.removeBridge(s.bridges[k.name])
	case queueKind:
		s.removeQueue(s.queues[k.name])
	case memberKind:
		queue, iface, _ := strings.Cut(k.name, "\n")
		if q := s.queues[queue]; q != nil { // else it went with its queue
			s.removeMember(q, q.Member(iface))
		}
	case agentKind:
		s.logOff(s.agents[k.name])
		delete(s.agents, k.name)
	case parkedKind:
		s.unpark(k.name)
	case sipKind, iaxKind, endpointKind:
		delete(s.peers, peerKey(technologies[k.kind], k.name))
	case contactKind:
		endpoint, uri, _ := strings.Cut(k.name, "\n")
		p := s.peers[peerKey(techPJSIP, endpoint)]
		p.Contacts[p.contact(uri)].Entry = nil // EndpointList says which contacts there are
	}
}

// order puts callers and members in the order of the list.
func (l *loader) order() {
	for name := range l.seen {
		if name.kind != queueKind {
			continue
		}
		q := l.queues[name.name]
		if q == nil {
			continue
		}
		entries := l.entries[name.name]
		slices.SortStableFunc(entries, func(a, b entry) int { return a.position - b.position })
		for _, old := range q.Callers {
			if c := l.channels[old.Uniqueid]; c != nil && c.Queue == q.Name {
				c.Queue = ""
			}
		}
		q.Callers = nil
		for _, e := range entries {
			c := l.channels[e.caller.Uniqueid]
			if c == nil || q.caller(c.Uniqueid) >= 0 {
				continue
			}
			l.leaveQueue(c)
			c.Queue = q.Name
			q.Callers = append(q.Callers, e.caller)
		}
	}
	for name, members := range l.members {
		q := l.queues[name]
		if q == nil {
			continue
		}
		for _, m := range q.Members {
			if !slices.Contains(members, m) {
				members = append(members, m)
			}
		}
		q.Members = members
	}
}
