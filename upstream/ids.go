package upstream

import (
	"container/heap"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ampd/codec"
	"ampd/codec/native"
)

const idPrefix = "ampd-"

// idLinger is how long an ActionID may still come back in an event after its action
// should be over. Events queue up in an Asterisk that can't follow (22 s were
// observed with Asterisk 22).
const idLinger = 10 * time.Minute

// idMemory bounds the ActionIDs remembered, in bytes; idCost is what one takes
// beside its own.
const (
	idMemory = 16 << 20
	idCost   = 200
)

// ids makes ampd's ActionIDs and knows which of the clients' they stand for in
// events that come later and go to everybody. It may be used from anywhere.
//
// An answer needs none of this: it comes on the connection that runs its action.
type ids struct {
	prefix string
	last   atomic.Uint64
	forgot func() // called for each entry dropped for want of memory

	mu     sync.Mutex
	byID   map[string]*remembered
	expiry expiry
	size   int
}

// remembered is what one of ampd's ActionIDs stands for.
type remembered struct {
	id, client string
	until      time.Time
	hidden     bool // its OriginateResponse is nobody's to see
	at         int  // in ids.expiry
}

func newIDs(forgot func()) *ids {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: see crypto/rand
	return &ids{
		prefix: idPrefix + hex.EncodeToString(random[:]) + "-",
		forgot: forgot,
		byID:   make(map[string]*remembered),
	}
}

func (s *ids) next() string { return s.prefix + strconv.FormatUint(s.last.Add(1), 10) }

// isOurs tells whether an ActionID has the form of ampd's, of this process or any
// other.
func isOurs(id string) bool {
	rest, ok := strings.CutPrefix(id, idPrefix)
	if !ok {
		return false
	}
	random, n, ok := strings.Cut(rest, "-")
	return ok && isAll(random, "0123456789abcdef") && isAll(n, "0123456789")
}

func isAll(s, of string) bool { return s != "" && strings.Trim(s, of) == "" }

// remember keeps what id stands for until an event may bear it no longer.
func (s *ids) remember(id, client string, until time.Time, hidden bool) {
	e := &remembered{id: id, client: strings.Clone(client), until: until, hidden: hidden}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id] = e
	heap.Push(&s.expiry, e)
	s.size += e.cost()
	for now := time.Now(); len(s.expiry) > 0; {
		first := s.expiry[0]
		expired := !first.until.After(now)
		if !expired && s.size <= idMemory {
			break
		}
		s.drop(first)
		if !expired {
			s.forgot()
		}
	}
}

// forget drops id where no event bears it any more.
func (s *ids) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byID[id]; e != nil {
		s.drop(e)
	}
}

func (s *ids) drop(e *remembered) {
	heap.Remove(&s.expiry, e.at)
	delete(s.byID, e.id)
	s.size -= e.cost()
}

// lookup returns the client's ActionID that id stands for, "" if it sent none or
// nobody knows any more.
func (s *ids) lookup(id string) (client string, hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byID[id]; e != nil {
		return e.client, e.hidden
	}
	return "", false
}

// restore gives an event back the ActionID that the client sent. hidden tells that
// nobody is to see the event.
func (s *ids) restore(p *codec.Packet) (restored *codec.Packet, hidden bool) {
	id := p.Get("ActionID")
	if !isOurs(id) {
		return p, false
	}
	client, hidden := s.lookup(id)
	switch p.Name() {
	case "OriginateResponse", "UserEvent", "SIPQualifyPeerDone": // come once
		s.forget(id)
	}
	if hidden {
		return nil, true
	}
	return native.WithActionID(p, client), false
}

// comesBack tells whether events may later bear the action's ActionID. Those three
// were observed with Asterisk 16 and 22; of an action that the table does not know
// it can't be told.
func comesBack(r *run) bool {
	switch strings.ToLower(r.name) {
	case "originate", "userevent", "sipqualifypeer":
		return true
	}
	return r.known.Name == ""
}

// expiry is a heap whose first entry expires first.
type expiry []*remembered

func (h expiry) Len() int           { return len(h) }
func (h expiry) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h expiry) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *expiry) Push(x any) {
	e := x.(*remembered)
	e.at = len(*h)
	*h = append(*h, e)
}

func (h *expiry) Pop() any {
	old := *h
	e := old[len(old)-1]
	*h = old[:len(old)-1]
	return e
}

func (e *remembered) cost() int { return idCost + len(e.client) }
