package upstream

import (
	"strings"
	"time"

	"ampd/codec"
)

// A synchronous Originate would hold its connection, and in Asterisk all events of
// its session, until the call is answered. So it goes as "Async: true": Asterisk
// answers at once, and what it would have answered in the end is told by the event
// OriginateResponse. See action_originate and fast_originate in main/manager.c.

// originateQueued deals with Asterisk's answer to a converted Originate: an error is
// the answer, and success says that an OriginateResponse will come.
func (c *Client) originateQueued(r *run, a *answer, p *codec.Packet, last bool) {
	if !last || a.succeeded() || c.takeOriginate(r.id) == nil {
		return
	}
	c.ids.forget(r.id)
	c.answerCalls(r, func(call *Call) *codec.Packet { return r.translate(p, call) }, resultError)
}

// answerOriginate answers a converted Originate by its OriginateResponse, in the
// words of action_originate.
func (c *Client) answerOriginate(r *run, p *codec.Packet) {
	word, message, result := "Error", "Originate failed", resultError
	if strings.EqualFold(p.Get("Response"), "Success") {
		word, message, result = "Success", "Originate successfully queued", resultSuccess
	}
	c.answerCalls(r, func(call *Call) *codec.Packet { return response(call.Action, word, message) }, result)
}

// takeOriginate takes a converted Originate out of those that wait for their
// OriginateResponse; whoever got it answers it. nil if there is none.
func (c *Client) takeOriginate(id string) *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.originates[id]
	delete(c.originates, id)
	return r
}

// overdueOriginates takes out those whose deadline has passed and tells how long the
// next one has. It is called with mu held.
func (c *Client) overdueOriginates() (overdue []*run, next time.Duration) {
	now := time.Now()
	next = time.Hour
	for id, r := range c.originates {
		if left := r.deadline.Sub(now); left > 0 {
			next = min(next, left)
			continue
		}
		delete(c.originates, id)
		overdue = append(overdue, r)
	}
	return overdue, next
}
