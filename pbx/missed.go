package pbx

import (
	"fmt"
	"time"

	"ampd/codec"
)

// Missed returns the events that would have brought a client from s to to, in an order
// that makes sense to it: what hangs on a channel ends before its Hangup and begins
// after its Newchannel. They are Asterisk's own, with all their headers, and AmpdSynthetic: 1
// as the last. Neither state changes.
//
// Applied to s they give to, but for what no event tells: see [Fields].
func (s *State) Missed(to *State, now time.Time) []*codec.Packet {
	m := &missing{old: s, to: to, now: now, style: to.style, kept: map[string][]string{}}
	if !m.style.known {
		m.style = s.style
	}
	m.callersLeave()
	m.unparked()
	m.agentsLogOff()
	m.dialsEnd()
	m.bridgesLeave()
	m.hangups()
	m.bridgesDestroy()
	m.renames()
	m.channels()
	m.bridgesEnter()
	m.channelDetails()
	m.members()
	m.callersJoin()
	m.agentsLogIn()
	m.peers()
	m.parks()
	return m.events
}

// missing writes down what was missed.
type missing struct {
	builder
	old, to *State
	now     time.Time
	style   style
	kept    map[string][]string // the callers that never left, by queue
	events  []*codec.Packet
}

// begin begins an event with what stands in front of all of them.
func (m *missing) begin(name string) {
	m.style.begin(&m.builder, name, events[name].class, m.now)
}

func (y *style) begin(b *builder, name, class string, now time.Time) {
	b.header("Event", name)
	b.header("Privilege", class+",all")
	if y.timestamps {
		b.header("Timestamp", fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000))
	}
	if y.systemName != "" {
		b.header("SystemName", y.systemName)
	}
}

// NewEvent is an event of ampd's own, of one class, which begins as this Asterisk's do. Headers
// without a value are left out.
func (s *State) NewEvent(name, class string, now time.Time, headers ...codec.Header) *codec.Packet {
	var b builder
	s.style.begin(&b, name, class, now)
	for _, h := range headers {
		if h.Value != "" {
			b.header(h.Name, h.Value)
		}
	}
	return b.packet()
}

func (m *missing) end() {
	m.header("AmpdSynthetic", "1")
	m.events = append(m.events, m.packet())
}

// channel is how a channel is, or was where it is gone.
func (m *missing) channel(id string) *Channel {
	if c := m.to.channels[id]; c != nil {
		return c
	}
	return m.old.channels[id]
}

// about begins an event with a channel's block.
func (m *missing) about(name string, c *Channel) {
	m.begin(name)
	writeChannel(&m.builder, "", c)
}

// say is an event of nothing but a channel's block.
func (m *missing) say(name string, c *Channel) {
	m.about(name, c)
	m.end()
}

// unparked tells how calls were unparked as far as one can see: who shares a bridge with the
// call now has fetched it.
func (m *missing) unparked() {
	for call := range m.old.ParkedCalls() {
		c, now := m.to.channels[call.Parkee], m.to.parked[call.Parkee]
		switch {
		case now != nil && parkedBlock.same(call, now): // in the same space
		case c == nil:
			m.parking("ParkedCallGiveUp", call, nil)
		case m.retriever(c) != nil:
			m.parking("UnParkedCall", call, m.retriever(c))
		case !call.Until.After(m.now):
			m.parking("ParkedCallTimeOut", call, nil)
		default: // it left the bridge of its lot by itself: PARK_ABANDON in res/parking
			m.parking("ParkedCallGiveUp", call, nil)
		}
	}
}

func (m *missing) retriever(c *Channel) *Channel {
	if m.to.parked[c.Uniqueid] == nil {
		for other := range m.to.Bridged(c) {
			return other
		}
	}
	return nil
}

func (m *missing) parks() {
	for call := range m.to.ParkedCalls() {
		if was := m.old.parked[call.Parkee]; was == nil || !parkedBlock.same(was, call) ||
			differ(was.Since, call.Since) || differ(was.Until, call.Until) {
			m.parking("ParkedCall", call, nil)
		}
	}
}

// differ tells whether two moments that were worked out from whole seconds are not the same.
func differ(a, b time.Time) bool { return a.Sub(b).Abs() > 2*time.Second }

func (m *missing) parking(event string, call *ParkedCall, retriever *Channel) {
	m.begin(event)
	c := m.channel(call.Parkee)
	if c == nil {
		c = call.early
	}
	writeParked(&m.builder, c, retriever, call, m.now)
	m.end()
}
