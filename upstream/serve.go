package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ampd/codec"
)

var (
	errUnconnected = errors.New("not connected to Asterisk")
	errLost        = errors.New("connection lost")
	errShutdown    = errors.New("ampd stops")
	errSilent      = errors.New("no answer to a Ping")
	errOverdue     = errors.New("an answer is long overdue")
	errRetired     = errors.New("the overdue answer has come")
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
	k.timer = time.NewTimer(time.Hour)
	defer k.timer.Stop()
	k.armed = time.Now().Add(time.Hour)
	_ = k.do(func() error { c.alive(k); return nil }) // never fails
	go c.read(k)
	defer func() {
		_ = k.Close()
		<-k.over
		c.leave(k)
	}()
	enlist := k.enlist
	for {
		select {
		case r := <-k.work:
			_ = k.do(func() error { c.begin(k, r); return nil }) // never fails
			err = c.write(k, r.wire)                             // not under mu: what comes meanwhile is read
		case <-enlist:
			enlist = nil
			err = k.do(func() error { c.enlist(k); return nil })
		case <-k.over:
			return k.readErr
		case <-k.timer.C:
			err = k.do(func() error { return c.passed(k) })
		case <-life.Done():
			if err = context.Cause(life); errors.Is(err, errShutdown) {
				k.logOff()
			}
		}
		if err != nil {
			return err
		}
	}
}

// do has the connection to itself, and sees to it that the timer fires in time.
func (k *conn) do(work func() error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := work()
	if k.deadline.Before(k.armed) {
		k.armed = k.deadline
		k.timer.Reset(time.Until(k.armed))
	}
	return err
}

// passed deals with the timer, which fires early where the deadline was put off.
func (c *Client) passed(k *conn) (err error) {
	if !time.Now().Before(k.deadline) {
		err = c.silent(k)
	}
	k.armed = k.deadline
	k.timer.Reset(time.Until(k.armed))
	return err
}

// alive notes that Asterisk was heard of, or something was just asked of it.
func (c *Client) alive(k *conn) {
	k.pinged = false
	switch {
	case k.answer == nil:
		k.deadline = time.Now().Add(c.cfg.Load().PingInterval.Std())
	case !k.answer.late:
		k.deadline = time.Now().Add(k.answer.run.limit)
	}
}

// begin has the connection expect the answer to a run, which is written next.
func (c *Client) begin(k *conn, r *run) {
	k.offered = false
	k.answer = newAnswer(r)
	r.started = time.Now()
	if r.converted {
		r.deadline = r.started.Add(originateLasts(r.calls[0].Action) + c.cfg.Load().ActionTimeout.Std())
	}
	for _, call := range r.calls {
		if comesBack(r) && (r.converted || call.Action.Get("ActionID") != "") {
			c.ids.remember(r.id, call.Action.Get("ActionID"), r.started.Add(duration(call.Action)+idLinger), r.converted)
		}
	}
	if r.converted {
		c.mu.Lock()
		c.originates[r.id] = r
		c.mu.Unlock()
		c.wake()
	} else {
		for _, call := range r.calls {
			c.handler.Started(call)
		}
	}
	c.alive(k)
}

func (c *Client) write(k *conn, b []byte) error {
	_ = k.SetWriteDeadline(time.Now().Add(c.cfg.Load().PingTimeout.Std())) // an error shows in Write
	if _, err := k.Write(b); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// take deals with packets that came. The time that this takes is not Asterisk's.
func (c *Client) take(k *conn) error {
	defer c.handler.Rest()
	return k.do(func() error {
		began := time.Now()
		if k.ending {
			return nil
		}
		if k.answer == nil {
			c.alive(k)
		}
		for i := range k.packets {
			if err := c.takePacket(k, &k.packets[i]); err != nil {
				return err
			}
		}
		c.flush(k)
		k.deadline = k.deadline.Add(time.Since(began))
		return nil
	})
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
	c.offer(k)
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
	k.deadline = time.Now().Add(c.cfg.Load().PingTimeout.Std())
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
	k.retired = k.takes && k.role == actionRole && c.overdue < c.cfg.Load().ActionConnections
	c.overdue++
	if c.overdue >= max(1, c.cfg.Load().ActionConnections) {
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
	k.mu.Lock()
	k.ending = true
	k.mu.Unlock()
	_ = k.SetDeadline(time.Now().Add(logoffWait))
	if _, err := k.Write([]byte("Action: Logoff\r\n\r\n")); err == nil {
		<-k.over
	}
}
