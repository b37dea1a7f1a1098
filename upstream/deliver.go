package upstream

import (
	"errors"
	"strings"
	"time"

	"ampd/codec"
	"ampd/codec/native"
)

// What became of an action: the label result of ampd_upstream_actions_total.
const (
	resultSuccess     = "success"
	resultError       = "error"
	resultLost        = "lost"
	resultTimeout     = "timeout"
	resultBusy        = "busy"
	resultUnconnected = "unconnected"
	resultInvalid     = "invalid"
)

// A refusal is an answer that no connection gives.
type refusal struct {
	call *Call
	p    *codec.Packet
}

// part gives on a packet of an answer; nil is none.
func (c *Client) part(a *answer, p *codec.Packet, last bool) {
	r := a.run
	switch {
	case p == nil:
		return
	case r.converted:
		c.originateQueued(r, a, p, last)
		return
	case a.late:
		c.metrics.Dropped.WithLabelValues("late").Inc()
		return
	case r.reply != nil:
		r.answer = append(r.answer, p.Clone())
		if last {
			r.reply(r.answer, nil)
		}
		return
	}
	for _, call := range r.calls {
		c.handler.Answer(call, r.translate(p, call), last)
	}
	if last {
		result := resultSuccess
		if strings.EqualFold(a.word, "Error") {
			result = resultError
			c.ids.forget(r.id) // it did nothing, so no event of it comes
		}
		c.finished(r, result)
	}
}

// translate gives a packet of the answer the ActionID that the call came with. A
// packet without any stays without. The result is good until the next.
func (r *run) translate(p *codec.Packet, call *Call) *codec.Packet {
	if p.Get("ActionID") != r.id {
		return p
	}
	native.SetActionID(&r.translated, p, call.Action.Get("ActionID"))
	return &r.translated
}

// fail answers a run for which Asterisk's answer does not come, or not to its end.
func (c *Client) fail(a *answer, message, result string) {
	r := a.run
	if r.converted {
		if c.takeOriginate(r.id) != nil {
			c.answerCalls(r, func(call *Call) *codec.Packet { return failure(call.Action, message) }, result)
		}
		return
	}
	of := func(call *Call) *codec.Packet { return failure(call.Action, message) }
	switch {
	case a.isList():
		c.part(a, a.held, false)
		of = func(call *Call) *codec.Packet { return a.cancelled(call, message) }
	case a.held != nil && a.word == "": // free text, which shows no end
		c.part(a, a.held, false)
	case a.held != nil && r.known.OneEvent == "":
		c.part(a, a.held, true) // the answer, as far as can be told
		return
	}
	if r.reply != nil {
		r.reply(nil, errors.New(message))
		return
	}
	c.answerCalls(r, of, result)
}

func (c *Client) answerCalls(r *run, of func(*Call) *codec.Packet, result string) {
	for _, call := range r.calls {
		c.handler.Answer(call, of(call), true)
	}
	c.finished(r, result)
}

// finished counts a run that was written and is answered.
func (c *Client) finished(r *run, result string) {
	c.metrics.Actions.WithLabelValues(result).Add(float64(len(r.calls)))
	c.metrics.Latency.Observe(time.Since(r.started).Seconds())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered(len(r.calls))
}

// answered counts calls that have got their last Answer. It is called with mu held.
func (c *Client) answered(calls int) {
	c.unanswered -= calls
	if c.unanswered == 0 && c.drained != nil {
		c.drained()
		c.drained = nil
	}
}

// release lets the next slow run begin.
func (c *Client) release(a *answer) {
	if !a.run.slow {
		return
	}
	a.run.slow = false
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sched.slowNow--
	c.dispatch()
}

// dispatch is called with mu held.
func (c *Client) dispatch() {
	c.sched.dispatch()
	c.metrics.Waiting.Set(float64(c.sched.waiting))
}

// enlist has the connection take runs.
func (c *Client) enlist(k *conn) {
	k.takes = true
	c.mu.Lock()
	c.sched.working++
	c.mu.Unlock()
	c.offer(k)
}

// offer tells the scheduler where the connection is idle.
func (c *Client) offer(k *conn) {
	if k.answer != nil || !k.takes || k.offered {
		return
	}
	k.offered = true
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sched.idle = append(c.sched.idle, k)
	c.dispatch()
}

// leave ends what the connection, which is closed, was doing.
func (c *Client) leave(k *conn) {
	c.flush(k)
	c.mu.Lock()
	if k.takes {
		k.takes = false
		c.sched.working--
	}
	given := k.offered && !c.sched.withdraw(k)
	if k.answer != nil && k.answer.late || k.retired {
		c.overdue--
	}
	c.mu.Unlock()
	a := k.answer
	k.answer = nil
	if a != nil && !a.late {
		c.fail(a, textLost, resultLost)
		c.release(a)
	}
	if given { // not written: another connection runs it
		c.again(<-k.work)
	}
	if !k.retired {
		close(k.vacated)
	}
}

// again has a run wait once more that was given to a connection and not written.
func (c *Client) again(r *run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.slow {
		c.sched.slowNow--
	}
	if !c.ready {
		if r.reply != nil {
			r.reply(nil, errUnconnected)
		}
		for _, call := range r.calls {
			c.refuse(call, failure(call.Action, textUnconnected), resultUnconnected)
		}
		return
	}
	var key uint64
	if len(r.calls) > 0 {
		key = r.calls[0].Owner
	}
	c.sched.add(key, r)
	c.dispatch()
}

// refuse has the clerk answer a call. It is called with mu held.
func (c *Client) refuse(call *Call, p *codec.Packet, result string) {
	c.metrics.Actions.WithLabelValues(result).Inc()
	c.refusals = append(c.refusals, refusal{call, p})
	c.wake()
}

// refuseWaiting refuses the calls of waiting runs that match. It is called with mu
// held.
func (c *Client) refuseWaiting(match func(*run) bool, message, result string) {
	for _, r := range c.sched.remove(match) {
		if r.reply != nil {
			r.reply(nil, errors.New(message))
		}
		for _, call := range r.calls {
			c.refuse(call, failure(call.Action, message), result)
		}
	}
	c.metrics.Waiting.Set(float64(c.sched.waiting))
}

func (c *Client) wake() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

// clerk gives the answers that belong to no connection: refusals, and converted
// Originates whose OriginateResponse does not come.
func (c *Client) clerk() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		c.mu.Lock()
		refusals, closed := c.refusals, c.closed
		c.refusals = nil
		overdue, next := c.overdueOriginates()
		c.mu.Unlock()
		for _, r := range refusals {
			c.handler.Answer(r.call, r.p, true)
		}
		c.mu.Lock()
		c.answered(len(refusals))
		c.mu.Unlock()
		for _, r := range overdue {
			c.answerCalls(r, func(call *Call) *codec.Packet { return failure(call.Action, textTimeout) }, resultTimeout)
		}
		switch {
		case closed && len(refusals) > 0: // an answer may have had its client ask for more
			continue
		case closed:
			return
		}
		timer.Reset(next)
		select {
		case <-c.woken:
		case <-timer.C:
		}
	}
}
