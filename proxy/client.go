package proxy

import (
	"errors"
	"io"
	"strconv"
	"time"

	"go.uber.org/zap"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/commands"
	"ampd/downstream"
	"ampd/pbx"
	"ampd/profiles"
	"ampd/rights"
	"ampd/upstream"
)

// A framing is how the output of a Command is sent.
type framing uint8

const (
	asItComes framing = iota
	oldFraming
	newFraming
)

// framing is what the profile says, else the dialect.
func (c *client) framing() framing {
	switch {
	case c.profile.CommandFraming == "old", c.profile.CommandFraming == "" && c.voice.Ampd:
		return oldFraming
	case c.profile.CommandFraming == "new":
		return newFraming
	}
	return asItComes
}

// A client is what the hub knows of a session. Guarded by Hub.mu.
type client struct {
	session *downstream.Session
	profile *profiles.Profile
	role    profiles.Role
	state   commands.State
	voice   downstream.Voice
	command string        // the name of what is being answered
	from    *subscription // nil once the session gets no more events

	joining  bool  // its login is not answered yet
	expelled error // why it is to be dismissed when that is

	numbered bool   // its events have numbers, so that it can be resumed
	token    string // with which; "" where it can't be, or not any more

	taken  int         // actions in the second that began then
	second time.Time   // for actions_per_second
	pause  *time.Timer // until the next one, nil for none

	queue   []downstream.Request // what waits, in the client's order
	leaving bool                 // nothing of it is answered any more

	// The action under way upstream, nil for none. Its events wait while
	// holding: from the moment it is written until its answer's end, unless
	// that has not begun within order_hold; then they go on, but for those from
	// the first that bears the action's id.
	call    *upstream.Call
	action  *codec.Packet
	asked   *codec.Packet // as the client sent it
	reply   rights.Answer
	holding bool
	overdue bool
	timer   *time.Timer // of order_hold, or of the wait
	begun   time.Time   // when the action was taken up

	framed framing // of the answer

	working  bool              // something that takes time is under way
	program  *commands.Program // under way, nil for none: it runs to its end even where the client leaves
	gathered []*codec.Packet   // of the answer to its action

	wait *commands.Wait // the WaitEvent under way, nil for none

	refusals refusals
}

func newClient(s *downstream.Session, login downstream.Login, subject *rights.Subject) *client {
	c := &client{
		session:  s,
		profile:  login.Profile,
		role:     login.Role,
		voice:    login.Voice,
		command:  "Login",
		numbered: wantsResume(login.Action),
	}
	if subject == nil {
		subject = nobody
	}
	c.state.Rights = subject
	c.state.Filters = subject.Filters()
	c.state.Ampd = c.voice.Ampd
	c.state.Challenge = s.Challenge
	c.state.Mask = codec.All
	if mask, ok := commands.ParseMask(login.Action.Get("Events")); ok {
		c.state.Mask = mask
	}
	return c
}

// nobody has no rights.
var nobody, _ = rights.New(rights.Grant{}, pbx.New())

// goOn has the session see what the one before it saw, unless the login says otherwise.
func (c *client) goOn(old *client, login *codec.Packet) {
	c.state.Filters, c.state.Added = old.state.Filters, old.state.Added
	if _, ok := commands.ParseMask(login.Get("Events")); !ok {
		c.state.Mask = old.state.Mask
	}
}

// bootNotice is what a FullyBooted must be, but for its headers, for a session to see
// it: an event of class system.
var bootNotice = rights.NewEvent(&codec.Packet{Headers: []codec.Header{
	{Name: "Event", Value: "FullyBooted"}, {Name: "Privilege", Value: "system,all"},
}})

// seesSystem reports whether the session gets events of class system. Asterisk writes
// FullyBooted at a login past the session's filters, and so do we.
func (c *client) seesSystem() bool {
	view := c.state.Rights.View(c.state.Mask, &rights.Filters{})
	notice := bootNotice
	if view.Limited() {
		view.First(&notice)
	}
	return view.See(&notice) != nil
}

func (c *client) stopTimers() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// send gives the session native packets of its own, in its voice.
func (h *Hub) send(c *client, packets []byte) {
	if !c.voice.Plain() {
		packets = c.voice.Append(nil, c.command, packets)
	}
	c.session.Send(time.Now(), packets)
	h.touch(c)
}

// pass is send for one packet.
func (h *Hub) pass(c *client, p *codec.Packet) {
	packet := p.Raw
	if !c.voice.Plain() {
		packet = c.voice.AppendPacket(nil, c.command, p)
	}
	c.session.Send(time.Now(), packet)
	h.touch(c)
}

// touch has what is ready for the session written.
func (h *Hub) touch(c *client) {
	if n := len(h.touched); n == 0 || h.touched[n-1] != c.session {
		h.touched = append(h.touched, c.session)
	}
}

// Request queues what a client sent and runs it when its turn has come.
func (h *Hub) Request(s *downstream.Session, r downstream.Request) {
	h.do(func() {
		c := h.clients[s]
		if c.leaving {
			s.Done()
			return
		}
		c.queue = append(c.queue, r)
		if c.wait != nil {
			h.endWait(c)
			return
		}
		h.next(c)
	})
}

// Input ends a WaitEvent: its client has sent something.
func (h *Hub) Input(s *downstream.Session) {
	h.do(func() {
		if c := h.clients[s]; c != nil && c.wait != nil {
			h.endWait(c)
		}
	})
}

// next runs what waits until an action takes time.
func (h *Hub) next(c *client) {
	for c.call == nil && c.wait == nil && !c.working && !c.leaving && len(c.queue) > 0 && h.paced(c) {
		r := c.queue[0]
		c.queue[0] = downstream.Request{}
		c.queue = c.queue[1:]
		h.take(c, r)
	}
	if len(c.queue) == 0 {
		c.queue = nil
	}
}

// paced tells whether the session may run an action now. Over actions_per_second it waits for
// the next second, and what it sends meanwhile waits behind it.
func (h *Hub) paced(c *client) bool {
	most := c.profile.ActionsPerSecond
	if most == 0 || c.queue[0].Err != nil {
		return true
	}
	now := time.Now()
	if now.Sub(c.second) >= time.Second {
		c.second, c.taken = now, 0
	}
	if c.taken < most {
		c.taken++
		return true
	}
	if c.pause == nil {
		c.pause = time.AfterFunc(time.Second-now.Sub(c.second), func() {
			h.do(func() {
				c.pause = nil
				h.next(c)
			})
		})
	}
	return false
}

// take answers one request or sends it on its way.
func (h *Hub) take(c *client, r downstream.Request) {
	switch {
	case errors.Is(r.Err, io.EOF):
		c.session.Done()
		if c.token == "" {
			h.dismiss(c, downstream.ErrClientLeft)
			return
		}
		c.session.Finish(downstream.ErrClientLeft) // and waits for its client to come back
		h.touch(c)
	case r.Err != nil:
		c.command = downstream.Unknown
		h.answer(c, downstream.Malformed(r.Err), "malformed")
	default:
		h.act(c, r.Packet)
	}
}

// act runs an action: ampd's own at once, another one upstream.
func (h *Hub) act(c *client, p *codec.Packet) {
	if h.draining {
		h.answer(c, native.Answer(p, "Error", "Asterisk is shutting down"), "shutdown")
		return
	}
	now := time.Now()
	env := h.env(now)
	env.Profile = c.profile
	request := commands.Prepare(env, c.voice.Ampd, p)
	c.command = request.Name
	c.begun, c.asked = now, p
	if request.Refusal != "" {
		refusal := native.Answer(p, "Error", request.Refusal)
		h.recordPackets(c, refusal)
		h.answer(c, refusal, "invalid")
		return
	}
	verdict := c.state.Rights.Judge(h.table, request.Action)
	if !verdict.Allowed {
		if unlogged, ok := c.refusals.next(now); ok {
			h.later = append(h.later, func() {
				h.log.Info("action refused", zap.Uint64("client", c.session.ID()), zap.String("address", c.session.Address()),
					zap.String("profile", c.profile.Name), zap.String("action", p.ActionName()), zap.String("rule", verdict.Rule), zap.Int("unlogged", unlogged))
			})
		}
		h.record(c, p, "refused", verdict.Rule)
		c.asked = nil
		h.answer(c, native.Answer(p, "Error", verdict.Message), "refused")
		return
	}
	switch step := request.Begin(&c.state, env, verdict.Packet); {
	case step.Answer != nil:
		h.answered(c, step.Answer)
	case step.Work != nil:
		h.work(c, step.Work)
	case step.Script != nil:
		c.program = step.Script.Start()
		h.programs.Add(1)
		h.resume(c, nil)
	default:
		c.reply, c.framed = c.state.Rights.Answer(step.Send), asItComes
		if step.Framed {
			c.framed = c.framing()
		}
		h.submit(c, step.Send)
	}
}

// answered gives the client an answer of ampd's own.
func (h *Hub) answered(c *client, answer *commands.Answer) {
	h.subscribe(c)
	h.recordPackets(c, answer.Packets)
	switch {
	case answer.Wait != nil:
		h.beginWait(c, answer.Wait)
	case answer.Logoff:
		h.answer(c, answer.Packets, "own")
		h.dismiss(c, downstream.ErrLogoff)
	default:
		h.answer(c, answer.Packets, "own")
	}
}

// work has what takes time done without the lock, on a goroutine that ends with it: ours may
// be the upstream's, where the client's action before was answered.
func (h *Hub) work(c *client, work func() func(*commands.Env) []byte) {
	c.working = true
	go func() {
		answer := work()
		h.do(func() {
			packets := answer(h.env(time.Now()))
			c.working = false
			h.recordPackets(c, packets)
			if !c.leaving {
				h.send(c, packets)
				h.done(c)
			}
		})
	}()
}

// submit sends an action on its way.
func (h *Hub) submit(c *client, action *codec.Packet) {
	c.action = action
	c.call = &upstream.Call{Owner: c.session.ID(), Action: action}
	h.calls[c.call] = c
	h.upstream.Submit(c.call)
}

// resume goes on with the client's program, which the client may have left.
func (h *Hub) resume(c *client, answer []*codec.Packet) {
	next, packets := c.program.Resume(answer)
	if next != nil {
		h.submit(c, next)
		return
	}
	c.program = nil
	h.programs.Done()
	h.recordPackets(c, packets)
	if !c.leaving {
		h.send(c, packets)
		h.done(c)
	}
}

// env is what is true now. It is good until the hub is left.
func (h *Hub) env(now time.Time) *commands.Env {
	env := &commands.Env{Now: now, Upstream: h.info, Table: h.table, Version: h.version, Profiles: h.profiles, Recordings: &h.recordings, Statistics: h.statistics}
	if h.history != nil {
		env.History = h.history
	}
	if h.loaded {
		env.State = h.state
	}
	return env
}

// answer gives the client the whole answer to the request just taken.
func (h *Hub) answer(c *client, packets []byte, result string) {
	h.metrics.actions.WithLabelValues(result).Inc()
	h.send(c, packets)
	c.session.Done()
}

// Started holds the events of the session whose action is about to be written.
func (h *Hub) Started(call *upstream.Call) {
	h.do(func() {
		c := h.calls[call]
		if c == nil || c.leaving {
			return
		}
		c.holding = true
		c.session.Hold()
		c.timer = time.AfterFunc(h.limits.Get().OrderHold.Std(), func() {
			h.do(func() {
				if c.call == call && c.timer != nil {
					h.overdue(c)
				}
			})
		})
	})
}

// overdue lets a session's events go on because no answer has begun for
// order_hold.
func (h *Hub) overdue(c *client) {
	h.metrics.overdue.Inc()
	c.timer = nil
	c.overdue = true
	c.holding = c.session.ReleaseToCut(time.Now())
	h.touch(c)
}

// Answer passes on a packet of the answer to the action under way; behind the last
// one come the events that waited, then the session's next action.
func (h *Hub) Answer(call *upstream.Call, p *codec.Packet, last bool) {
	if last {
		h.do(func() { h.takeAnswer(call, p, last) })
		return
	}
	h.mu.Lock() // what is to be written waits for the rest of the list, or for Rest
	defer h.mu.Unlock()
	h.takeAnswer(call, p, last)
}

// Rest has written what Answer has left.
func (h *Hub) Rest() { h.do(func() {}) }

func (h *Hub) takeAnswer(call *upstream.Call, p *codec.Packet, last bool) {
	c := h.calls[call]
	if c == nil {
		return // the client has left
	}
	if !c.leaving { // else its program goes on without it
		c.stopTimers()
		if !c.holding && !last {
			c.holding = true
			c.session.Hold()
		}
	}
	if last {
		delete(h.calls, call)
		if reloads(c.action.ActionName()) {
			h.resyncSoon()
		}
	}
	if c.program != nil {
		c.gathered = append(c.gathered, p.Copy())
		if last {
			answer := c.gathered
			c.gathered = nil
			h.resume(c, answer)
		}
		return
	}
	h.recordAnswer(c, p)
	if p = c.reply.Take(p); p != nil {
		switch c.framed {
		case oldFraming:
			p = native.Framed(p)
		case newFraming:
			p = native.Unframed(p)
		}
		h.pass(c, p)
	}
	if last {
		h.done(c)
	}
}

// done ends the action under way, whose answer was given.
func (h *Hub) done(c *client) {
	h.metrics.actions.WithLabelValues("upstream").Inc()
	h.metrics.latency.Observe(time.Since(c.begun).Seconds())
	c.call, c.action = nil, nil
	c.holding, c.overdue = false, false
	c.session.Release(time.Now())
	c.session.Done()
	h.next(c)
	if h.draining {
		h.dismiss(c, downstream.ErrShutdown)
	}
}

// beginWait lets a WaitEvent wait, unless there is no need to.
func (h *Hub) beginWait(c *client, w *commands.Wait) {
	c.wait = w
	if w.Timeout == 0 || len(c.queue) > 0 {
		h.endWait(c)
		return
	}
	c.session.Hold()
	c.session.Watch(true)
	c.from.waiting = append(c.from.waiting, c)
	if w.Timeout > 0 {
		c.timer = time.AfterFunc(w.Timeout, func() {
			h.do(func() {
				if c.wait == w {
					h.endWait(c)
				}
			})
		})
	}
}

// endWait answers the WaitEvent, around the event that is held, if one is.
func (h *Hub) endWait(c *client) {
	w := c.wait
	c.wait = nil
	c.stopTimers()
	c.session.Watch(false)
	c.from.forget(c)
	begin := w.Begin()
	h.recordPackets(c, begin)
	h.send(c, begin)
	c.session.Release(time.Now())
	h.answer(c, w.End(), "own")
	h.next(c)
}

func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64(d/time.Second), 10)
}
