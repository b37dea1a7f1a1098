package pbx

import (
	"slices"
	"strings"

	"ampd/codec"
)

// A Question is a list action whose answer is a part of the state.
type Question struct {
	Action  string
	Headers []codec.Header // to be sent besides

	tells []kind // of what the answer is all that there is
}

// A kind is that of an object.
type kind uint8

const (
	channelKind kind = iota
	bridgeKind
	queueKind // with its callers
	memberKind
	agentKind
	sipKind
	iaxKind
	endpointKind
	contactKind
	parkedKind
)

// A key tells objects apart: by Uniqueid, BridgeUniqueid, folded name ...
type key struct {
	kind kind
	name string
}

// questions are in the order in which they are asked: what hangs on channels comes
// after them. Where an Asterisk has not the first of several, the next will do.
var questions = [][]Question{
	{
		{Action: "CoreShowChannels", tells: []kind{channelKind}},
		{Action: "Status", tells: []kind{channelKind}},
	},
	{{Action: "BridgeList", tells: []kind{bridgeKind}}},
	{{Action: "QueueStatus", tells: []kind{queueKind, memberKind}}},
	{{Action: "Agents", tells: []kind{agentKind}}},
	{{Action: "SIPpeers", tells: []kind{sipKind}}},
	{
		{Action: "IAXpeerlist", tells: []kind{iaxKind}},
		{Action: "IAXpeers", tells: []kind{iaxKind}},
	},
	{{Action: "PJSIPShowEndpoints", tells: []kind{endpointKind}}},
	{{Action: "PJSIPShowContacts", tells: []kind{contactKind}}},
	{{Action: "ParkedCalls", tells: []kind{parkedKind}}},
}

// Questions are those that this Asterisk can be asked, in the order in which to ask
// them.
func Questions(available func(action string) bool) []Question {
	var asked []Question
	for _, choice := range questions {
		if i := slices.IndexFunc(choice, func(q Question) bool { return available(q.Action) }); i >= 0 {
			asked = append(asked, choice[i])
		}
	}
	return asked
}

// An item is what a list item is about.
type item struct {
	kind kind
	name func(*codec.Packet) string // in its key
	load func(*loader, *codec.Packet)
}

var items = map[string]item{
	"CoreShowChannel": {channelKind, named("Uniqueid"), loadChannel},
	"Status":          {channelKind, named("Uniqueid"), loadChannel},
	"BridgeListItem":  {bridgeKind, named("BridgeUniqueid"), loadBridge},
	"QueueParams":     {queueKind, folded("Queue"), loadQueue},
	"QueueEntry":      {queueKind, folded("Queue"), loadCaller},
	"QueueMember":     {memberKind, memberName, loadMember},
	"Agents":          {agentKind, named("Agent"), loadAgent},
	"PeerEntry":       {sipKind, folded("ObjectName"), loadPeer}, // or iaxKind
	"EndpointList":    {endpointKind, folded("ObjectName"), loadEndpoint},
	"ContactList":     {contactKind, contactName, loadContact},
	"ParkedCall":      {parkedKind, named("ParkeeUniqueid"), loadParked},
}

func named(header string) func(*codec.Packet) string {
	return func(p *codec.Packet) string { return value(p, header) }
}

func folded(header string) func(*codec.Packet) string {
	return func(p *codec.Packet) string { return fold(value(p, header)) }
}

func memberName(p *codec.Packet) string {
	if value(p, "Queue") == "" || value(p, "Location") == "" {
		return ""
	}
	return memberKey(value(p, "Queue"), value(p, "Location"))
}

func contactName(p *codec.Packet) string {
	if value(p, "Endpoint") == "" || value(p, "Uri") == "" {
		return ""
	}
	return contactKey(value(p, "Endpoint"), value(p, "Uri"))
}

func contactKey(endpoint, uri string) string { return fold(endpoint) + "\n" + uri }

// about is what a list item is about. ok is false for what is none, or says nothing.
func about(p *codec.Packet) (it item, k key, ok bool) {
	if p.Kind() != codec.Event {
		return item{}, key{}, false
	}
	it, ok = items[p.Headers[0].Value]
	if !ok {
		return item{}, key{}, false
	}
	k = key{it.kind, it.name(p)}
	if it.kind == sipKind && !strings.EqualFold(value(p, "Channeltype"), techSIP) {
		k.kind = iaxKind
	}
	return it, k, k.name != ""
}
