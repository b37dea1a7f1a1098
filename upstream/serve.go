package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ampd/codec"
)

var (
	errShutdown = errors.New("ampd stops")
	errSilent   = errors.New("no answer to a Ping")
	errOverdue  = errors.New("an answer is long overdue")
	errRetired  = errors.New("the overdue answer has come")
)

// overdueMost is how long ampd reads on for an answer that nobody waits for any more.
const overdueMost = 60 * time.Second

// logoffWait is how long Asterisk may take to say goodbye.
const logoffWait = time.Second

// serve owns the connection until it ends or life does, and says why that was. It
// logs off where ampd is stopped.
func (c *Client) serve(life context.Context, k *conn) (err error) {
	c.count(k, 1)
	defer c.count(k, -1)
	go k.read(c.metrics)
	defer func() {
		k.end()
		c.leave(k)
	}()
	c.alive(k)
	timer := time.NewTimer(time.Until(k.deadline))
	defer timer.Stop()
	enlist := k.enlist
	for {
		work := k.work
		if k.answer != nil {
			work = nil
		} else if k.takes && !k.offered {
			k.offered = true
			c.offer(k)
		}
		select {
		case r := <-work:
			err = c.begin(k, r)
		case <-enlist:
			enlist = nil
			c.enlist(k)
		case batch, ok := <-k.batches:
			if !ok {
				return fmt.Errorf("read: %w", k.readErr)
			}
			err = c.take(k, batch)
		case <-timer.C:
			err = c.silent(k)
		case <-life.Done():
			if err = context.Cause(life); errors.Is(err, errShutdown) {
				k.logOff()
			}
		}
		if err != nil {
			return err
		}
		timer.Reset(time.Until(k.deadline))
	}
}

// alive notes that Asterisk was heard of, or something was just asked of it.
func (c *Client) alive(k *conn) {
	k.pinged = false
	switch {
	case k.answer == nil:
		k.deadline = time.Now().Add(c.cfg.PingInterval.Std())
	case !k.answer.late:
		k.deadline = time.Now().Add(k.answer.run.limit)
	}
}

// begin writes a run.
func (c *Client) begin(k *conn, r *run) error {
	k.offered = false
	k.answer = newAnswer(r)
	r.started = time.Now()
	if r.converted {
		r.deadline = r.started.Add(originateLasts(r.calls[0].Action) + c.cfg.ActionTimeout.Std())
	}
	for _, call := range r.calls {
		if comesBack(r) && (r.converted || call.Action.Get("ActionID") != "") {
			c.ids.remember(r.id, call.Action.Get("ActionID"), r.started.Add(duration(call.Action)+idLinger), r.converted)
		}
	}
	c.mu.Lock()
	c.running += len(r.calls)
	if r.converted {
		c.originates[r.id] = r
	}
	c.mu.Unlock()
	if r.converted {
		c.wake()
	} else {
		for _, call := range r.calls {
			c.handler.Started(call)
		}
	}
	c.alive(k)
	return c.write(k, r.wire)
}

func (c *Client) write(k *conn, b []byte) error {
	_ = k.SetWriteDeadline(time.Now().Add(c.cfg.PingTimeout.Std())) // an error shows in Write
	if _, err := k.Write(b); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// take deals with packets that came.
func (c *Client) take(k *conn, b *batch) error {
	if k.answer == nil {
		c.alive(k)
	}
	for i := range b.packets {
		if err := c.takePacket(k, &b.packets[i]); err != nil {
			return err
		}
	}
	c.flush(k)
	c.handler.Rest()
	select {
	case k.free <- b:
	default:
	}
	return nil
}

func (c *Client) takePacket(k *conn, p *codec.Packet) error {
	if k.isPong(p) {
		return nil
	}
	part := foreign
	if k.answer != nil {
		part = k.answer.take(p)
	}
	if part == foreign {
		c.event(k, p)
		return nil
	}
	c.flush(k) // the events before it
	a := k.answer
	switch part {
	case more:
		c.more(a, p)
	case unclear:
		a.fence = c.ids.next()
		c.more(a, p)
		if err := c.write(k, appendPing(nil, a.fence)); err != nil {
			return err
		}
	case last:
		c.part(a, a.held, false)
		c.part(a, p, true)
		return c.done(k)
	case fenced:
		if a.held == nil {
			a.held = &codec.Packet{Raw: []byte("\r\n")}
		}
		c.part(a, a.held, true)
		return c.done(k)
	}
	c.alive(k)
	return nil
}

// more gives on a packet that is not the last, or holds it until that is known.
func (c *Client) more(a *answer, p *codec.Packet) {
	if !a.holds() {
		c.part(a, p, false)
		return
	}
	c.part(a, a.held, false)
	a.held = p.Clone()
}

// done ends the run under way.
func (c *Client) done(k *conn) error {
	a := k.answer
	k.answer = nil
	c.release(a)
	if k.retired {
		return errRetired
	}
	if a.late {
		c.mu.Lock()
		c.overdue--
		c.mu.Unlock()
	}
	c.alive(k)
	return nil
}

// event deals with a packet that belongs to no answer.
func (c *Client) event(k *conn, p *codec.Packet) {
	if p.Kind() != codec.Event || !isBroadcast(p) {
		c.metrics.Dropped.WithLabelValues("ownerless").Inc()
		return
	}
	if k.role != eventRole {
		return // comes on the event connection as well: events of no class reach every session
	}
	c.metrics.Events.Inc()
	switch p.Name() {
	case "FullyBooted":
		c.fullyBooted(k, p)
		return
	case "Load", "Unload", "Reload":
		c.reloaded(p)
	case "OriginateResponse":
		if r := c.takeOriginate(p.Get("ActionID")); r != nil {
			c.flush(k)
			c.answerOriginate(r, p)
		}
	}
	p, hidden := c.ids.restore(p)
	if !hidden {
		k.out = append(k.out, p)
	}
}

// flush hands over the events collected.
func (c *Client) flush(k *conn) {
	if len(k.out) > 0 {
		c.handler.Events(k.out)
		clear(k.out)
		k.out = k.out[:0]
	}
}

// silent deals with a connection that was silent for too long.
func (c *Client) silent(k *conn) error {
	switch a := k.answer; {
	case len(k.batches) > 0: // it was not Asterisk that was slow
		k.deadline = time.Now().Add(c.cfg.PingTimeout.Std())
		return nil
	case a != nil && a.late:
		return errOverdue
	case a != nil:
		c.giveUp(k)
		return nil
	case k.pinged:
		return errSilent
	}
	id := c.ids.next()
	k.pinged = true
	k.pings = append(k.pings, id)
	k.deadline = time.Now().Add(c.cfg.PingTimeout.Std())
	return c.write(k, appendPing(nil, id))
}

// giveUp answers the run under way in Asterisk's place and, where the number of such
// connections allows it, retires the connection, so that another takes its place.
func (c *Client) giveUp(k *conn) {
	a := k.answer
	if !a.run.converted { // else its OriginateResponse may still come
		c.fail(a, textTimeout, resultTimeout)
	}
	a.late = true
	c.release(a)
	k.deadline = time.Now().Add(overdueMost)
	c.count(k, -1)
	defer c.count(k, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	k.retired = k.takes && k.role == actionRole && c.overdue < c.cfg.ActionConnections
	c.overdue++
	if c.overdue >= max(1, c.cfg.ActionConnections) {
		c.refuseWaiting(func(r *run) bool { return r.slow }, textBusy, resultBusy)
	}
	if k.retired {
		c.sched.working--
		k.takes = false
		c.metrics.Retired.Inc()
		close(k.vacated)
	}
}

// count keeps the number of connections, each by what it is for.
func (c *Client) count(k *conn, n float64) {
	role := "action"
	switch {
	case k.role == eventRole:
		role = "event"
	case k.retired:
		role = "retired"
	}
	c.metrics.Connections.WithLabelValues(role).Add(n)
}

// isPong tells whether p answers a Ping of the keepalive.
func (k *conn) isPong(p *codec.Packet) bool {
	if len(k.pings) == 0 || p.Kind() != codec.Response {
		return false
	}
	id := p.Get("ActionID")
	for i := range k.pings {
		if k.pings[i] == id {
			k.pings = append(k.pings[:i], k.pings[i+1:]...)
			return true
		}
	}
	return false
}

// logOff takes leave and waits until Asterisk closes, so that it reads the Logoff
// before it sees the end.
func (k *conn) logOff() {
	until := time.Now().Add(logoffWait)
	_ = k.SetDeadline(until)
	if _, err := k.Write([]byte("Action: Logoff\r\n\r\n")); err != nil {
		return
	}
	for range k.batches { // what comes now is nobody's
	}
}

// end closes the connection and waits for its reader.
func (k *conn) end() {
	close(k.ended)
	_ = k.Close()
	for range k.batches {
	}
}
