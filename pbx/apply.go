package pbx

import (
	"time"

	"ampd/codec"
)

// An eventRule is what an event says: which channels' blocks it carries, and what
// else is to be done.
type eventRule struct {
	class  string // of its Privilege
	blocks []block
	then   func(*State, event)
}

// An event is a packet that says something.
type event struct {
	*codec.Packet
	channel *Channel // that of the rule's first block where it is known, or nil
	now     time.Time
}

func (e *event) value(name string) string { return value(e.Packet, name) }

// A block is a channel's in an event: the prefix of its headers, the name of the first
// of them and of the one that tells which channel it is.
type block struct{ prefix, first, uniqueid string }

func blockOf(prefix string) block { return block{prefix, prefix + "Channel", prefix + "Uniqueid"} }

// in is the part of headers that begins with the block, or nil.
func (b *block) in(headers []codec.Header) []codec.Header {
	for i := range headers {
		if headers[i].Name == b.first {
			return headers[i:]
		}
	}
	return nil
}

var (
	one    = []block{blockOf("")}
	dial   = []block{blockOf("Dest"), blockOf("")}
	local  = []block{blockOf("LocalOne"), blockOf("LocalTwo")}
	parked = []block{blockOf(parkee)}
)

// events are those that say something of what is tracked. The transfers' are not among
// them: their blocks were taken before the transfer and are old when they come.
var events = map[string]*eventRule{
	"Newchannel":       {class: "call", then: newchannel},
	"Rename":           {class: "call", then: rename},
	"Newstate":         {class: "call", blocks: one},
	"NewCallerid":      {class: "call", blocks: one},
	"NewConnectedLine": {class: "call", blocks: one},
	"NewAccountCode":   {class: "call", blocks: one},
	"Newexten":         {class: "dialplan", blocks: one, then: newexten},
	"VarSet":           {class: "dialplan", blocks: one, then: varSet},
	"Hold":             {class: "call", blocks: one, then: hold},
	"Unhold":           {class: "call", blocks: one, then: unhold},
	"HangupRequest":    {class: "call", blocks: one},
	"Hangup":           {class: "call", blocks: one, then: hangup},
	"MusicOnHoldStart": {class: "call", blocks: one},
	"MusicOnHoldStop":  {class: "call", blocks: one},
	"DialBegin":        {class: "call", blocks: dial, then: dialBegin},
	"DialState":        {class: "call", blocks: dial},
	"DialEnd":          {class: "call", blocks: dial, then: dialEnd},
	"LocalBridge":      {class: "call", blocks: local},

	"BridgeCreate":            {class: "call", then: bridgeCreate},
	"BridgeVideoSourceUpdate": {class: "call", then: bridgeCreate},
	"BridgeEnter":             {class: "call", blocks: one, then: bridgeEnter},
	"BridgeLeave":             {class: "call", blocks: one, then: bridgeLeave},
	"BridgeDestroy":           {class: "call", then: bridgeDestroy},

	"QueueCallerJoin":      {class: "agent", blocks: one, then: queueCallerJoin},
	"QueueCallerLeave":     {class: "agent", blocks: one, then: queueCallerLeave},
	"QueueMemberAdded":     {class: "agent", then: queueMember},
	"QueueMemberStatus":    {class: "agent", then: queueMember},
	"QueueMemberPause":     {class: "agent", then: queueMember},
	"QueueMemberPenalty":   {class: "agent", then: queueMember},
	"QueueMemberRinginuse": {class: "agent", then: queueMember},
	"QueueMemberRemoved":   {class: "agent", then: queueMemberRemoved},

	"AgentConnect":  {class: "agent", blocks: dial, then: agentConnect},
	"AgentComplete": {class: "agent", then: agentComplete},
	"AgentLogin":    {class: "agent", blocks: one, then: agentLogin},
	"AgentLogoff":   {class: "agent", blocks: one, then: agentLogoff},

	"PeerStatus":        {class: "system", then: peerStatus},
	"ContactStatus":     {class: "system", then: contactStatus},
	"DeviceStateChange": {class: "call", then: deviceStateChange},

	"ParkedCall":        {class: "call", blocks: parked, then: parkedCall},
	"ParkedCallSwap":    {class: "call", blocks: parked, then: parkedCallSwap},
	"ParkedCallGiveUp":  {class: "call", blocks: parked, then: unparkedCall},
	"ParkedCallTimeOut": {class: "call", blocks: parked, then: unparkedCall},
	"UnParkedCall":      {class: "call", blocks: parked, then: unparkedCall},
}

// Apply takes an event, in Asterisk's order. What is no event, or says nothing of what
// is tracked (a UserEvent, a list item), changes nothing. Only copies of p's strings
// are kept.
func (s *State) Apply(p *codec.Packet, now time.Time) {
	h := p.Headers
	if len(h) < 2 || h[0].Name != "Event" || h[1].Name != "Privilege" {
		return
	}
	rule := events[h[0].Value]
	if rule == nil || isItem(h) {
		return
	}
	s.events++
	s.style.learn(h[2:])
	e := event{Packet: p, now: now}
	for i := range rule.blocks {
		b := &rule.blocks[i]
		headers := b.in(h)
		c := s.channels[header(headers, b.uniqueid)]
		if c != nil {
			s.said(c, b.prefix, headers)
		}
		if i == 0 {
			e.channel = c
		}
	}
	if rule.then != nil {
		rule.then(s, e)
	}
}

// isItem tells a list item, which has an ActionID, from an event: the PeerStatus of
// SIPpeerstatus has a Privilege, too (observed with Asterisk 16).
func isItem(headers []codec.Header) bool {
	for i := range headers {
		if headers[i].Name == "ActionID" {
			return true
		}
	}
	return false
}

// A style is what this Asterisk's events have beside what they say.
type style struct {
	known      bool
	timestamps bool   // timestampevents in manager.conf
	systemName string // of asterisk.conf, or ""
}

// learn looks at what stands behind an event's Privilege.
func (y *style) learn(headers []codec.Header) {
	y.known = true
	y.timestamps = len(headers) > 0 && headers[0].Name == "Timestamp"
	if y.timestamps {
		headers = headers[1:]
	}
	if len(headers) > 0 && headers[0].Name == "SystemName" {
		keep(&y.systemName, headers[0].Value)
	} else {
		y.systemName = ""
	}
}
