package proxy

import (
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

	filtering meter // what the filters cost
}

// A subscriptionKey tells subscriptions apart.
type subscriptionKey struct {
	view     rights.ViewKey
	numbered bool // each event ends with its number
}

// subscribe has the session see what its mask and filters say from now on.
func (h *Hub) subscribe(c *client) {
	if c.leaving {
		return
	}
	view := c.state.Rights.View(c.state.Mask, c.state.Filters)
	key := subscriptionKey{view.Key(), c.numbered}
	s := h.subscriptions[key]
	if s == nil {
		s = &subscription{key: key, at: len(h.fanned), view: view, feed: h.fanout.NewFeed(), clients: map[*client]struct{}{}, filtering: newMeter(shareOfOne)}
		h.subscriptions[key] = s
		h.fanned = append(h.fanned, s)
	}
	if c.from == s {
		return
	}
	h.unsubscribe(c)
	c.from = s
	s.clients[c] = struct{}{}
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
	s.forget(c)
	delete(s.clients, c)
	if len(s.clients) == 0 {
		delete(h.subscriptions, s.key)
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

// fanOut gives an event to each session that may see it.
func (h *Hub) fanOut(now time.Time, p *codec.Packet) {
	h.metrics.events.Inc()
	h.seq++
	e := rights.NewEvent(p)
	id := ""
	if len(h.calls) > 0 {
		id = p.Get("ActionID")
	}
	var ended []*client
	var costly []*subscription
	for _, s := range h.fanned {
		seen, ok := h.see(s, &e)
		if !ok {
			costly = append(costly, s)
		}
		if seen == nil {
			continue
		}
		h.metrics.deliveries.Add(float64(len(s.clients)))
		if id != "" {
			h.keepBehindAnswer(s, id)
		}
		if s.key.numbered {
			s.feed.AppendNumbered(now, seen.Raw, h.seq)
		} else {
			s.feed.Append(now, seen.Raw)
		}
		ended = append(ended, s.waiting...)
	}
	for _, c := range ended {
		h.endWait(c)
	}
	for _, s := range costly {
		h.expel(s)
	}
}

// see returns the event as the sessions get it, or nil. ok is false where filters take
// too long, these or all together, for all events wait for them.
func (h *Hub) see(s *subscription, e *rights.Event) (_ *codec.Packet, ok bool) {
	if !s.view.Costly() {
		return s.view.See(e), true
	}
	var seen *codec.Packet
	began := time.Now()
	used := processorTime(func() { seen = s.view.See(e) })
	return seen, s.filtering.add(began, used) && h.filtering.add(began, used)
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

// keepBehindAnswer has the next event, which bears that ActionID, wait for the answer to
// the action with it, even where the answer is overdue.
func (h *Hub) keepBehindAnswer(s *subscription, id string) {
	for _, c := range h.calls {
		switch {
		case c.from != s || c.action.Get("ActionID") != id:
		case c.holding:
			c.session.Cut()
		case c.overdue:
			c.session.Hold()
			c.holding = true
		}
	}
}
