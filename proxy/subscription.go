package proxy

import (
	"cmp"
	"slices"
	"time"

	"ampd/codec"
	"ampd/downstream"
	"ampd/rights"
)

// A subscription is what all sessions share that see the same events. Guarded by
// Hub.mu.
type subscription struct {
	key     subscriptionKey
	at      int // in Hub.fanned
	view    rights.View
	feed    *downstream.Feed
	clients map[*client]struct{}
	waiting []*client // those with a WaitEvent under way
	woken   bool      // which the event being told ends already

	filtering meter // what the filters cost
	sampled   uint8 // counts to samples
}

// A subscriptionKey tells subscriptions apart.
type subscriptionKey struct {
	view     rights.ViewKey
	numbered bool // each event has its number
	own      bool // events of ampd's own are seen
	voice    downstream.Voice
}

// subscribe has the session see what its mask and filters say from now on.
func (h *Hub) subscribe(c *client) {
	if c.leaving {
		return
	}
	view := c.state.Rights.View(c.state.Mask, c.state.Filters)
	key := subscriptionKey{view.Key(), c.numbered, c.voice.Ampd || c.profile.AmpdEvents, c.voice.OfEvents()}
	s := h.subscriptions[key]
	if s != nil && s == c.from {
		return
	}
	h.unsubscribe(c)
	if s == nil {
		s = &subscription{key: key, at: len(h.fanned), view: view, feed: h.fanout.NewFeed(key.voice), clients: map[*client]struct{}{}, filtering: newMeter(shareOfOne)}
		s.filtering.inherit(time.Now(), h.filtered[c.profile])
		h.subscriptions[key] = s
		h.fanned = append(h.fanned, s)
		if s.view.Limited() {
			h.limited++
			s.view.Begin()
		}
	}
	c.from = s
	s.clients[c] = struct{}{}
	if c.wait != nil { // its profile was changed meanwhile
		s.waiting = append(s.waiting, c)
	}
	c.session.Follow(s.feed)
	h.touch(c)
}

// unsubscribe has the session see no more events.
func (h *Hub) unsubscribe(c *client) {
	s := c.from
	if s == nil {
		return
	}
	c.from = nil
	if s.view.Filters() {
		m := newMeter(shareOfOne)
		m.inherit(time.Now(), h.filtered[c.profile])
		m.inherit(time.Now(), s.filtering)
		h.filtered[c.profile] = m
	}
	s.forget(c)
	delete(s.clients, c)
	if len(s.clients) == 0 {
		delete(h.subscriptions, s.key)
		if s.view.Limited() {
			h.limited--
		}
		last := len(h.fanned) - 1
		h.fanned[s.at] = h.fanned[last]
		h.fanned[s.at].at = s.at
		h.fanned[last] = nil
		h.fanned = h.fanned[:last]
	}
}

// forget takes back that the client waits for an event.
func (s *subscription) forget(c *client) {
	if s != nil {
		s.waiting = slices.DeleteFunc(s.waiting, func(other *client) bool { return other == c })
	}
}

// fanOut takes an event of Asterisk's.
func (h *Hub) fanOut(now time.Time, p *codec.Packet) {
	h.state.Apply(p, now)
	if h.loading != nil {
		h.loading.Apply(p, now)
	}
	h.statistics.Observe(p, now)
	if reloads(p.Name()) {
		h.resyncSoon()
	}
	h.tell(now, p)
}

// tellOwn gives an event of ampd's own to the sessions that take such, if there are any.
func (h *Hub) tellOwn(now time.Time, p *codec.Packet) {
	if !h.takesOwn() {
		return
	}
	h.telling = true
	h.tell(now, p)
	h.telling = false
}

// takesOwn tells whether there is a session that takes events of ampd's own.
func (h *Hub) takesOwn() bool {
	return slices.ContainsFunc(h.fanned, func(s *subscription) bool { return s.key.own })
}

// tellUpstream says how ampd's connection to Asterisk is.
func (h *Hub) tellUpstream(status string) {
	now := time.Now()
	h.tellOwn(now, h.state.NewEvent("AmpdUpstream", "system", now, codec.Header{Name: "Status", Value: status}))
}

// tell gives an event to each session that may see it.
func (h *Hub) tell(now time.Time, p *codec.Packet) {
	e := rights.NewEvent(p)
	awaiting := h.awaiting(p)
	var ended []*client
	var costly []*subscription // whose filters take too long
	if h.limited > 0 {
		ended, costly = h.introduce(now, &e)
	}
	h.seq++
	h.rendered = h.rendered[:0]
	for _, s := range h.fanned {
		if h.telling && !s.key.own {
			continue
		}
		seen, ok := h.see(s, &e)
		if !ok {
			costly = append(costly, s)
		}
		if seen == nil {
			continue
		}
		for _, c := range awaiting {
			if c.from == s {
				keepBehindAnswer(c)
			}
		}
		h.deliver(now, s, seen)
		if !s.woken {
			ended = append(ended, s.waiting...)
		}
	}
	for _, c := range ended {
		h.endWait(c)
	}
	if len(costly) == 0 && h.filtering.debt > meterMost {
		costly = append(costly, slices.MaxFunc(h.fanned, func(a, b *subscription) int { return cmp.Compare(a.filtering.debt, b.filtering.debt) }))
	}
	for _, s := range costly {
		h.expel(s)
	}
}

// introduce asks each limited view about an event, and gives its sessions what they need
// first; ended and costly are as in tell.
func (h *Hub) introduce(now time.Time, e *rights.Event) (ended []*client, costly []*subscription) {
	for _, s := range h.fanned {
		if !s.view.Limited() {
			continue
		}
		s.woken = false
		for _, first := range s.view.First(e) {
			seen, ok := h.see(s, &first)
			if !ok {
				costly = append(costly, s)
			}
			if seen == nil {
				continue
			}
			h.seq++
			h.rendered = h.rendered[:0]
			h.deliver(now, s, seen)
			if !s.woken {
				ended = append(ended, s.waiting...)
				s.woken = true
			}
		}
	}
	return ended, costly
}

// deliver gives a subscription's sessions an event that they may see.
func (h *Hub) deliver(now time.Time, s *subscription, seen *codec.Packet) {
	h.metrics.deliveries.Add(float64(len(s.clients)))
	switch {
	case !s.key.voice.Plain():
		s.feed.Append(now, h.render(s, seen))
	case s.key.numbered:
		s.feed.AppendNumbered(now, seen.Raw, h.seq)
	default:
		s.feed.Append(now, seen.Raw)
	}
}

// A rendering is an event in another voice than Asterisk's, for all subscriptions that see
// the same of it.
type rendering struct {
	seen     *codec.Packet
	numbered bool
	voice    downstream.Voice
	text     []byte
}

// render returns an event in the subscription's voice.
func (h *Hub) render(s *subscription, seen *codec.Packet) []byte {
	for i := range h.rendered {
		if r := &h.rendered[i]; r.seen == seen && r.numbered == s.key.numbered && r.voice == s.key.voice {
			return r.text
		}
	}
	seq := uint64(0)
	if s.key.numbered {
		seq = h.seq
	}
	if n := len(h.rendered); n < cap(h.rendered) {
		h.rendered = h.rendered[:n+1]
	} else {
		h.rendered = append(h.rendered, rendering{})
	}
	r := &h.rendered[len(h.rendered)-1]
	*r = rendering{seen, s.key.numbered, s.key.voice, s.key.voice.AppendEvent(r.text[:0], seen, seq)}
	return r.text
}

// samples is the number of events of which one shows what filters cost that only look for
// text: measuring costs more than most of those.
const samples = 16

// see returns the event as the sessions get it, or nil. ok is false where its filters
// take too long, for all events wait for them.
func (h *Hub) see(s *subscription, e *rights.Event) (_ *codec.Packet, ok bool) {
	times := time.Duration(1)
	if !s.view.Costly() {
		if !s.view.Filters() {
			return s.view.See(e), true
		}
		if s.sampled++; s.sampled < samples {
			return s.view.See(e), true
		}
		s.sampled, times = 0, samples
	}
	var seen *codec.Packet
	began := time.Now()
	used := processorTime(func() { seen = s.view.See(e) })
	if s.view.Costly() {
		h.filtering.add(began, used)
	}
	return seen, s.filtering.add(began, times*used)
}

// expel ends the sessions of a subscription whose filters take too long.
func (h *Hub) expel(s *subscription) {
	h.filtering = newMeter(shareOfAll)
	for c := range s.clients {
		if c.leaving { // is parked
			h.discard(c)
			continue
		}
		h.later = append(h.later, func() { c.session.Close(downstream.ErrFilters) })
	}
}

// awaiting returns the clients that wait for the answer to an action with the event's
// ActionID.
func (h *Hub) awaiting(p *codec.Packet) (clients []*client) {
	if len(h.calls) == 0 {
		return nil
	}
	id := p.Get("ActionID")
	if id == "" {
		return nil
	}
	for _, c := range h.calls {
		if (c.holding || c.overdue) && c.action.Get("ActionID") == id {
			clients = append(clients, c)
		}
	}
	return clients
}

// keepBehindAnswer has the next event wait for the answer to the client's action, even
// where that is overdue.
func keepBehindAnswer(c *client) {
	if c.holding {
		c.session.Cut()
		return
	}
	c.session.Hold()
	c.holding = true
}
