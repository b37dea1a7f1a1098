package pbx

import (
	"fmt"
	"slices"
	"strconv"
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
	m.header("Event", name)
	m.header("Privilege", events[name].class+",all")
	if m.style.timestamps {
		m.header("Timestamp", fmt.Sprintf("%d.%06d", m.now.Unix(), m.now.Nanosecond()/1000))
	}
	if m.style.systemName != "" {
		m.header("SystemName", m.style.systemName)
	}
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

func (m *missing) hangups() {
	for c := range m.old.Channels() {
		if m.to.channels[c.Uniqueid] == nil {
			m.about("Hangup", c)
			m.header("Cause", "0")
			m.header("Cause-txt", "Unknown")
			m.end()
		}
	}
}

func (m *missing) renames() {
	for c := range m.old.Channels() {
		if now := m.to.channels[c.Uniqueid]; now != nil && now.Name != c.Name {
			m.begin("Rename")
			m.header("Channel", c.Name)
			m.header("Newname", now.Name)
			m.header("Uniqueid", c.Uniqueid)
			m.end()
		}
	}
}

// channels tells of new channels, and of what has changed in the blocks of others.
func (m *missing) channels() {
	for c := range m.to.Channels() {
		was := m.old.channels[c.Uniqueid]
		if was == nil {
			m.say("Newchannel", c)
			if c.State != "0" {
				m.say("Newstate", c)
			}
			if c.Application != "" || c.AppData != "" {
				m.newexten(c)
			}
			continue
		}
		said := len(m.events)
		if !channelBlock.same(was, c, "ChannelState", "ChannelStateDesc") {
			m.say("Newstate", c)
		}
		if !channelBlock.same(was, c, "CallerIDNum", "CallerIDName") {
			m.about("NewCallerid", c)
			m.header("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")
			m.end()
		}
		if !channelBlock.same(was, c, "ConnectedLineNum", "ConnectedLineName") {
			m.say("NewConnectedLine", c)
		}
		if was.AccountCode != c.AccountCode {
			m.about("NewAccountCode", c)
			m.header("OldAccountCode", was.AccountCode)
			m.end()
		}
		if was.Application != c.Application || was.AppData != c.AppData ||
			!channelBlock.same(was, c, "Context", "Exten", "Priority") {
			m.newexten(c)
		}
		if len(m.events) == said && !m.sameBlock(was, c) {
			m.say("Newstate", c) // nothing has an event of its own for the rest
		}
	}
}

// sameBlock leaves out the name, which has its Rename.
func (m *missing) sameBlock(a, b *Channel) bool {
	return channelBlock[1:].same(a, b) && slices.Equal(a.ChanVariables, b.ChanVariables)
}

func (m *missing) newexten(c *Channel) {
	m.about("Newexten", c)
	m.header("Extension", c.Exten)
	m.header("Application", c.Application)
	m.header("AppData", c.AppData)
	m.end()
}

// channelDetails tells of what is no part of a channel's block.
func (m *missing) channelDetails() {
	for c := range m.to.Channels() {
		was := m.old.channels[c.Uniqueid]
		if was == nil {
			was = &Channel{}
		}
		switch {
		case c.Hold && (!was.Hold || was.MusicClass != c.MusicClass):
			m.about("Hold", c)
			if c.MusicClass != "" {
				m.header("MusicClass", c.MusicClass)
			}
			m.end()
		case was.Hold && !c.Hold:
			m.say("Unhold", c)
		}
		for i, name := range variableNames {
			if was.variables[i] != c.variables[i] {
				m.about("VarSet", c)
				m.header("Variable", name)
				m.header("Value", c.variables[i])
				m.end()
			}
		}
		if c.dialled() && !c.sameDial(was) {
			m.begin("DialBegin")
			if by := m.to.channels[c.DialedBy]; by != nil {
				writeChannel(&m.builder, "", by)
			}
			writeChannel(&m.builder, "Dest", c)
			m.header("DialString", c.DialString)
			m.end()
		}
	}
}

func (c *Channel) dialled() bool { return c.DialString != "" || c.DialedBy != "" }

func (c *Channel) sameDial(d *Channel) bool {
	return c.DialString == d.DialString && c.DialedBy == d.DialedBy
}

func (m *missing) dialsEnd() {
	for was := range m.old.Channels() {
		c := m.to.channels[was.Uniqueid]
		if !was.dialled() || c != nil && c.sameDial(was) {
			continue
		}
		status := "CANCEL"
		if c != nil && c.StateDesc == "Up" {
			status = "ANSWER"
		}
		m.begin("DialEnd")
		if m.old.channels[was.DialedBy] != nil {
			writeChannel(&m.builder, "", m.channel(was.DialedBy))
		}
		writeChannel(&m.builder, "Dest", m.channel(was.Uniqueid))
		m.header("DialStatus", status)
		m.end()
	}
}

func (m *missing) bridgesLeave() {
	for b := range m.old.Bridges() {
		n := len(b.Members)
		for _, id := range b.Members {
			if c := m.to.channels[id]; c != nil && c.Bridge == b.Uniqueid {
				continue
			}
			n--
			m.begin("BridgeLeave")
			writeBridge(&m.builder, b, n)
			writeChannel(&m.builder, "", m.channel(id))
			m.end()
		}
	}
}

func (m *missing) bridgesDestroy() {
	for b := range m.old.Bridges() {
		if m.to.bridges[b.Uniqueid] == nil {
			m.begin("BridgeDestroy")
			writeBridge(&m.builder, b, 0)
			m.end()
		}
	}
}

func (m *missing) bridgesEnter() {
	for b := range m.to.Bridges() {
		was := m.old.bridges[b.Uniqueid]
		var stayed []string
		if was == nil {
			m.begin("BridgeCreate")
			writeBridge(&m.builder, b, 0)
			m.end()
		} else {
			for _, id := range b.Members {
				if slices.Contains(was.Members, id) {
					stayed = append(stayed, id)
				}
			}
		}
		n := len(stayed)
		for _, id := range b.Members {
			if slices.Contains(stayed, id) {
				continue
			}
			n++
			m.begin("BridgeEnter")
			writeBridge(&m.builder, b, n)
			writeChannel(&m.builder, "", m.to.channels[id])
			m.end()
		}
		if was != nil && n == len(stayed) && !bridgeBlock.same(was, b) {
			m.begin("BridgeVideoSourceUpdate") // the one event that says how a bridge is
			writeBridge(&m.builder, b, n)
			m.header("BridgePreviousVideoSource", "")
			m.end()
		}
	}
}

// callersLeave tells of callers that have left, and of those that stand elsewhere now.
func (m *missing) callersLeave() {
	for q := range m.old.Queues() {
		var staying []string
		if now := m.to.queues[fold(q.Name)]; now != nil {
			staying = stayers(q.Callers, now.Callers)
		}
		m.kept[fold(q.Name)] = staying
		left := 0
		for i, caller := range q.Callers {
			if slices.Contains(staying, caller.Uniqueid) {
				continue
			}
			m.about("QueueCallerLeave", m.channel(caller.Uniqueid))
			m.header("Queue", q.Name)
			m.header("Position", strconv.Itoa(i+1-left))
			left++
			m.header("Count", strconv.Itoa(len(q.Callers)-left))
			m.end()
		}
	}
}

// stayers are callers that are in both, in the same order in both.
func stayers(old, now []Caller) []string {
	var ids []string
	at := 0
	for _, c := range now {
		i := slices.IndexFunc(old[at:], func(o Caller) bool { return o.Uniqueid == c.Uniqueid })
		if i >= 0 {
			ids = append(ids, c.Uniqueid)
			at += i + 1
		}
	}
	return ids
}

func (m *missing) callersJoin() {
	for q := range m.to.Queues() {
		staying := m.kept[fold(q.Name)]
		count := len(staying)
		for i, caller := range q.Callers {
			if slices.Contains(staying, caller.Uniqueid) {
				continue
			}
			count++
			m.about("QueueCallerJoin", m.to.channels[caller.Uniqueid])
			m.header("Queue", q.Name)
			m.header("Position", strconv.Itoa(i+1))
			m.header("Count", strconv.Itoa(count))
			m.end()
		}
	}
}

func (m *missing) members() {
	for q := range m.old.Queues() {
		now := m.to.queues[fold(q.Name)]
		for _, member := range q.Members {
			if now == nil || now.Member(member.Interface) == nil {
				m.member("QueueMemberRemoved", member)
			}
		}
	}
	for q := range m.to.Queues() {
		was := m.old.queues[fold(q.Name)]
		for _, member := range q.Members {
			var old *Member
			if was != nil {
				old = was.Member(member.Interface)
			}
			m.memberChanged(old, member)
		}
	}
}

func (m *missing) memberChanged(old, member *Member) {
	if old == nil {
		m.member("QueueMemberAdded", member)
		return
	}
	if memberEvent[1:].same(old, member) { // but for the queue's name
		return
	}
	said := len(m.events)
	if !memberEvent.same(old, member, "Paused", "PausedReason") {
		m.member("QueueMemberPause", member)
	}
	if old.Penalty != member.Penalty {
		m.member("QueueMemberPenalty", member)
	}
	if !memberEvent.same(old, member, "Ringinuse") {
		m.member("QueueMemberRinginuse", member)
	}
	if len(m.events) == said || old.Status != member.Status {
		m.member("QueueMemberStatus", member)
	}
}

func (m *missing) member(event string, member *Member) {
	m.begin(event)
	memberEvent.write(&m.builder, "", member)
	m.end()
}

func (m *missing) agentsLogOff() {
	for a := range m.old.Agents() {
		if now := m.to.agents[a.ID]; a.Channel == "" || now != nil && now.Channel == a.Channel {
			continue
		}
		m.about("AgentLogoff", m.channel(a.Channel))
		m.header("Agent", a.ID)
		since, _ := strconv.ParseInt(a.LoggedInTime, 10, 64)
		m.header("Logintime", strconv.FormatInt(max(0, m.now.Unix()-since), 10))
		m.end()
	}
}

func (m *missing) agentsLogIn() {
	for a := range m.to.Agents() {
		if was := m.old.agents[a.ID]; a.Channel == "" || was != nil && was.Channel == a.Channel {
			continue
		}
		m.about("AgentLogin", m.to.channels[a.Channel])
		m.header("Agent", a.ID)
		m.end()
	}
}

func (m *missing) unparked() {
	for call := range m.old.ParkedCalls() {
		now := m.to.parked[call.Parkee]
		switch {
		case now != nil && parkedBlock.same(call, now): // in the same space
		case m.to.channels[call.Parkee] == nil:
			m.parking("ParkedCallGiveUp", call)
		default:
			m.parking("UnParkedCall", call)
		}
	}
}

func (m *missing) parks() {
	for call := range m.to.ParkedCalls() {
		if was := m.old.parked[call.Parkee]; was == nil || !parkedBlock.same(was, call) ||
			differ(was.Since, call.Since) || differ(was.Until, call.Until) {
			m.parking("ParkedCall", call)
		}
	}
}

// differ tells whether two moments that were worked out from whole seconds are not the same.
func differ(a, b time.Time) bool { return a.Sub(b).Abs() > 2*time.Second }

func (m *missing) parking(event string, call *ParkedCall) {
	m.begin(event)
	writeParked(&m.builder, m.channel(call.Parkee), call, m.now)
	m.end()
}

func (m *missing) peers() {
	for p := range m.to.Peers() {
		was := m.old.peers[peerKey(p.Technology, p.Name)]
		switch {
		case was == nil: // only a list makes a peer known
		case p.Technology == techPJSIP:
			m.endpoint(was, p)
		default:
			m.peer(was, p)
		}
	}
}

// peer tells of a peer of chan_sip's or IAX2's.
func (m *missing) peer(was, p *Peer) {
	if address := p.address(); address != was.address() {
		word := "Registered"
		if address == "" {
			word = "Unregistered"
		}
		m.peerStatus(p, word)
		if address != "" {
			m.header("Address", address)
		}
		m.end()
	}
	word, ms := wordOf(p.Get("Status"))
	if word == "" || was.Get("Status") == p.Get("Status") {
		return
	}
	m.peerStatus(p, word)
	if ms != "" {
		m.header("Time", ms)
	}
	m.end()
}

func (m *missing) peerStatus(p *Peer, word string) {
	m.begin("PeerStatus")
	m.header("ChannelType", p.Technology)
	m.header("Peer", p.Technology+"/"+p.Name)
	m.header("PeerStatus", word)
}

func (m *missing) endpoint(was, p *Peer) {
	if p.Reachable != was.Reachable {
		m.peerStatus(p, p.Reachable)
		m.end()
	}
	for _, c := range was.Contacts {
		if p.contact(c.URI) < 0 {
			m.contact(p, c, "Removed")
		}
	}
	for _, c := range p.Contacts {
		i := was.contact(c.URI)
		if i < 0 || !contactEvent.same(was.Contacts[i], c) {
			m.contact(p, c, c.Status)
		}
	}
	for _, d := range deviceStates {
		if state := p.Get("DeviceState"); state == d.list && state != was.Get("DeviceState") {
			m.begin("DeviceStateChange")
			m.header("Device", p.Technology+"/"+p.Name)
			m.header("State", d.event)
			m.end()
		}
	}
}

func (m *missing) contact(p *Peer, c *Contact, status string) {
	m.begin("ContactStatus")
	m.header("URI", c.URI)
	m.header("ContactStatus", status)
	m.header("AOR", c.AOR)
	m.header("EndpointName", p.Name)
	m.header("RoundtripUsec", c.RoundtripUsec)
	m.end()
}
