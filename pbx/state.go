package pbx

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// A State is the picture of one Asterisk. It is used by one goroutine at a time; what
// it returns pointers to is its own and not to be changed.
type State struct {
	channels map[string]*Channel // by Uniqueid
	folded   map[string]*Channel // those whose Uniqueid has capital letters, without them
	names    map[string]*Channel // by name without case
	bridges  map[string]*Bridge  // by BridgeUniqueid
	queues   map[string]*Queue   // by name without case
	agents   map[string]*Agent   // by id
	peers    map[string]*Peer    // by "technology/name" without case
	parked   map[string]*ParkedCall

	style       style
	events      uint64   // those applied
	made        uint64   // channels and bridges
	memberships uint64   // counts changes of who is a member or an agent where
	recheck     *Recheck // under way, or nil
}

// New returns the state of an Asterisk of which nothing is known.
func New() *State {
	return &State{
		channels: map[string]*Channel{},
		folded:   map[string]*Channel{},
		names:    map[string]*Channel{},
		bridges:  map[string]*Bridge{},
		queues:   map[string]*Queue{},
		agents:   map[string]*Agent{},
		peers:    map[string]*Peer{},
		parked:   map[string]*ParkedCall{},
	}
}

// Clone returns a state that shares nothing with s that changes.
func (s *State) Clone() *State {
	to := *s
	to.recheck = nil
	to.channels = cloneMap(s.channels, func(c *Channel) { c.dials = slices.Clone(c.dials) })
	to.names = make(map[string]*Channel, len(s.names))
	for name, c := range s.names {
		to.names[name] = to.channels[c.Uniqueid]
	}
	to.folded = make(map[string]*Channel, len(s.folded))
	for id, c := range s.folded {
		to.folded[id] = to.channels[c.Uniqueid]
	}
	to.bridges = cloneMap(s.bridges, func(b *Bridge) { b.Members = slices.Clone(b.Members) })
	to.queues = cloneMap(s.queues, func(q *Queue) {
		q.Callers = slices.Clone(q.Callers)
		q.Members = cloneAll(q.Members)
	})
	to.agents = cloneMap(s.agents, nil)
	to.peers = cloneMap(s.peers, func(p *Peer) { p.Contacts = cloneAll(p.Contacts) })
	to.parked = cloneMap(s.parked, nil)
	return &to
}

func cloneMap[T any](m map[string]*T, deepen func(*T)) map[string]*T {
	to := make(map[string]*T, len(m))
	for key, v := range m {
		w := *v
		if deepen != nil {
			deepen(&w)
		}
		to[key] = &w
	}
	return to
}

func cloneAll[T any](list []*T) []*T {
	to := make([]*T, len(list))
	for i, v := range list {
		w := *v
		to[i] = &w
	}
	return to
}

// Become makes s what to is. to is not to be used afterwards.
func (s *State) Become(to *State) {
	memberships := max(s.memberships, to.memberships) + 1
	known := s.style
	*s = *to
	s.memberships = memberships
	if !s.style.known {
		s.style = known
	}
}

// Channel is the channel that Asterisk would take ref for: that of this name, which
// ignores case, else of this Uniqueid, which does, too (ast_channel_get_by_name in
// main/channel.c). It is nil where there is none.
func (s *State) Channel(ref string) *Channel {
	if ref == "" {
		return nil
	}
	key := fold(ref)
	if c := s.names[key]; c != nil {
		return c
	}
	if c := s.channels[key]; c != nil {
		return c
	}
	return s.folded[key]
}

// Bridge is the bridge of that BridgeUniqueid, or nil.
func (s *State) Bridge(uniqueid string) *Bridge { return s.bridges[uniqueid] }

// Queue is the queue of that name, which ignores case, or nil.
func (s *State) Queue(name string) *Queue { return under(s.queues, name) }

// Peer is the peer of a name such as "PJSIP/101" or "IAX2/branch", which ignores
// case, or nil.
func (s *State) Peer(name string) *Peer { return under(s.peers, name) }

// Agent is the agent of that id, or nil.
func (s *State) Agent(id string) *Agent { return s.agents[id] }

// Parked is the parked call of the channel of that Uniqueid, or nil.
func (s *State) Parked(uniqueid string) *ParkedCall { return s.parked[uniqueid] }

// Channels yields the channels in the order in which they came.
func (s *State) Channels() iter.Seq[*Channel] {
	return sorted(s.channels, func(a, b *Channel) int { return cmp.Compare(a.number, b.number) })
}

// Bridges yields the bridges in the order in which they came.
func (s *State) Bridges() iter.Seq[*Bridge] {
	return sorted(s.bridges, func(a, b *Bridge) int { return cmp.Compare(a.number, b.number) })
}

// Queues yields the queues by name.
func (s *State) Queues() iter.Seq[*Queue] {
	return sorted(s.queues, func(a, b *Queue) int { return cmp.Compare(a.Name, b.Name) })
}

// Agents yields the agents by id.
func (s *State) Agents() iter.Seq[*Agent] {
	return sorted(s.agents, func(a, b *Agent) int { return cmp.Compare(a.ID, b.ID) })
}

// Peers yields the peers by technology and name.
func (s *State) Peers() iter.Seq[*Peer] {
	return sorted(s.peers, func(a, b *Peer) int {
		return cmp.Or(cmp.Compare(a.Technology, b.Technology), cmp.Compare(a.Name, b.Name))
	})
}

// ParkedCalls yields the parked calls by lot and space.
func (s *State) ParkedCalls() iter.Seq[*ParkedCall] {
	return sorted(s.parked, func(a, b *ParkedCall) int {
		return cmp.Or(cmp.Compare(a.Lot, b.Lot), cmp.Compare(a.Space, b.Space), cmp.Compare(a.Parkee, b.Parkee))
	})
}

func sorted[T any](m map[string]*T, order func(a, b *T) int) iter.Seq[*T] {
	return slices.Values(slices.SortedFunc(maps.Values(m), order))
}

// Bridged yields the channels that share a bridge with c now.
func (s *State) Bridged(c *Channel) iter.Seq[*Channel] {
	return func(yield func(*Channel) bool) {
		b := s.bridges[c.Bridge]
		if b == nil {
			return
		}
		for _, id := range b.Members {
			if other := s.channels[id]; other != nil && other != c && !yield(other) {
				return
			}
		}
	}
}

// OtherHalf is the other half of a Local channel ("...;1" and "...;2"), or nil.
func (s *State) OtherHalf(c *Channel) *Channel {
	n := len(c.Name) - 1
	if n < 1 || c.Name[n-1] != ';' {
		return nil
	}
	switch c.Name[n] {
	case '1':
		return s.names[fold(c.Name[:n]+"2")]
	case '2':
		return s.names[fold(c.Name[:n]+"1")]
	}
	return nil
}
