package rights

import (
	"strconv"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// Begin has a view of a limited session begin: of the channels that it may know of now it
// needs not be told.
func (v *View) Begin() {
	b := v.bounds
	if b == nil || b.owner == nil && len(b.channels) == 0 {
		return
	}
	v.told, v.bridges = map[string]string{}, map[string]struct{}{}
	for c := range b.state.Channels() {
		if b.shows(c) {
			v.told[c.Uniqueid] = c.Name
			if c.Bridge != "" {
				v.bridges[c.Bridge] = struct{}{}
			}
		}
	}
}

// Limited tells whether what is seen depends on what is tracked: First must be asked
// before See then.
func (v *View) Limited() bool { return v.bounds != nil }

// First judges an event when the state has taken it, and returns events of ampd's own
// that the session needs first: of a channel that it may know of only now, the Newchannel
// and the latest Newstate, and where its call is in a bridge that BridgeEnter. Each is to be
// seen like any other.
//
// What the state knows no more when an event comes (who was hung up, or has left) the view
// remembers: the Uniqueids of channels and bridges that the session was told of.
func (v *View) First(e *Event) (first []Event) {
	b, p := v.bounds, e.clear
	if !e.looked {
		e.objects, e.cut, e.looked = b.objects(p), b.index.cut(e.masked), true
	}
	v.seen, v.ended = !e.unknown && b.sees(e.objects, v.bridges), ""
	if v.told == nil {
		return nil
	}
	switch p.Name() {
	case "Hangup":
		id := p.Get("Uniqueid")
		if !v.seen {
			v.ended = v.told[id]
		}
		delete(v.told, id)
		return nil
	case "BridgeDestroy":
		delete(v.bridges, p.Get("BridgeUniqueid"))
		return nil
	}
	if !v.seen {
		return nil
	}
	for i := range e.objects {
		o := &e.objects[i]
		if c := o.channel; o.rule.kind == aChannel && c.Uniqueid != "" && b.shows(c) && !v.knows(c) && p.Name() != "Newchannel" {
			first = v.introduce(first, c, p)
		}
	}
	if id := p.Get("BridgeUniqueid"); id != "" && p.Name() == "BridgeEnter" {
		v.bridges[id] = struct{}{}
		first = v.introduceCall(first, p, id)
	}
	return first
}

// knows tells whether the session was told of a channel, and has it told now.
func (v *View) knows(c *pbx.Channel) bool {
	_, told := v.told[c.Uniqueid]
	v.told[c.Uniqueid] = c.Name
	return told
}

// introduceCall introduces those in a bridge that the agent's first channel in it enters.
func (v *View) introduceCall(first []Event, p *codec.Packet, id string) []Event {
	b := v.bounds
	bridge := b.state.Bridge(id)
	if b.owner == nil || !isCall(bridge) {
		return first
	}
	var others []*pbx.Channel
	for _, member := range bridge.Members {
		c := b.byUniqueid(member)
		switch {
		case c == nil || c.Uniqueid == p.Get("Uniqueid"):
		case b.owner.Owns(c):
			return first
		case b.shows(c):
			others = append(others, c)
		}
	}
	for i, c := range others {
		if !v.knows(c) {
			first = v.introduce(first, c, p)
		}
		w := begin("BridgeEnter", p)
		w.header("BridgeUniqueid", bridge.Uniqueid)
		w.header("BridgeType", bridge.Type)
		w.header("BridgeTechnology", bridge.Technology)
		w.header("BridgeCreator", bridge.Creator)
		w.header("BridgeName", bridge.Name)
		w.header("BridgeNumChannels", strconv.Itoa(i+1))
		w.header("BridgeVideoSourceMode", bridge.VideoSourceMode)
		w.channel(c)
		first = append(first, w.event())
	}
	return first
}

// introduce tells of a channel: who it is, and how it is.
func (v *View) introduce(first []Event, c *pbx.Channel, p *codec.Packet) []Event {
	for _, name := range []string{"Newchannel", "Newstate"} {
		w := begin(name, p)
		w.channel(c)
		first = append(first, w.event())
	}
	return first
}

// A writer makes an event of ampd's own.
type writer struct {
	raw     []byte
	headers []codec.Header
}

// begin begins an event of class call with what stands in front of p, too.
func begin(name string, p *codec.Packet) *writer {
	w := &writer{}
	w.header("Event", name)
	w.header("Privilege", "call,all")
	for _, h := range []string{"Timestamp", "SystemName"} {
		if value := p.Get(h); value != "" {
			w.header(h, value)
		}
	}
	return w
}

func (w *writer) header(name, value string) {
	w.raw = native.AppendHeader(w.raw, name, value)
	w.headers = append(w.headers, codec.Header{Name: name, Value: value})
}

// channel adds a channel's block, as ast_manager_build_channel_state_string_prefix in
// main/manager_channels.c writes it.
func (w *writer) channel(c *pbx.Channel) {
	for _, h := range []codec.Header{
		{Name: "Channel", Value: c.Name},
		{Name: "ChannelState", Value: c.State},
		{Name: "ChannelStateDesc", Value: c.StateDesc},
		{Name: "CallerIDNum", Value: c.CallerIDNum},
		{Name: "CallerIDName", Value: c.CallerIDName},
		{Name: "ConnectedLineNum", Value: c.ConnectedLineNum},
		{Name: "ConnectedLineName", Value: c.ConnectedLineName},
		{Name: "Language", Value: c.Language},
		{Name: "AccountCode", Value: c.AccountCode},
		{Name: "Context", Value: c.Context},
		{Name: "Exten", Value: c.Exten},
		{Name: "Priority", Value: c.Priority},
		{Name: "Uniqueid", Value: c.Uniqueid},
		{Name: "Linkedid", Value: c.Linkedid},
	} {
		w.header(h.Name, h.Value)
	}
	if c.TenantID != "" {
		w.header("TenantID", c.TenantID)
	}
	for _, v := range c.ChanVariables {
		w.header("ChanVariable", v)
	}
}

func (w *writer) event() Event {
	w.header("AmpdSynthetic", "1")
	w.raw = native.AppendEnd(w.raw)
	e := NewEvent(&codec.Packet{Raw: w.raw, Headers: w.headers})
	e.first = true
	return e
}

// cutHangup is the Hangup of a channel that the session was told of and that is not its
// any more: that it has ended, by the name that the session was told, and nothing of what
// it did last.
func cutHangup(p *codec.Packet, name string) *codec.Packet {
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		switch h.Name {
		case "Channel":
			return name, true
		case "Event", "Privilege", "Timestamp", "SystemName", "Uniqueid", "Cause", "Cause-txt", "AmpdSynthetic":
			return h.Value, true
		}
		return "", false
	})
}
