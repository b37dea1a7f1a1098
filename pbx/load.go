package pbx

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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

// whole tells what is wrong with an answer, its response first.
func whole(answer []*codec.Packet) error {
	if len(answer) == 0 {
		return errors.New("no answer")
	}
	response := answer[0]
	if word := response.Name(); !strings.EqualFold(word, "Success") {
		message := response.Get("Message")
		if strings.HasPrefix(message, "No ") { // "No Contacts found": a list of nothing
			return nil
		}
		return fmt.Errorf("%s: %s", word, message)
	}
	if end := answer[len(answer)-1].Get("EventList"); !strings.EqualFold(end, "Complete") {
		return errors.New("list was not ended")
	}
	return nil
}

// Load takes the whole answer to a question, its response first and the end of its
// list last, at its place among the events. What the list does not have is removed;
// what no list tells of the rest (a hold, a dial, variables: see [Fields]) stays. An
// error means that the answer was none, or not whole, and that nothing has changed.
func (s *State) Load(q Question, answer []*codec.Packet, now time.Time) error {
	if err := whole(answer); err != nil {
		return fmt.Errorf("answer to %s: %w", q.Action, err)
	}
	s.load(q, answer, now, func(key) bool { return true })
	return nil
}

// A loader takes one answer in.
type loader struct {
	*State
	now     time.Time
	seen    map[key]struct{}
	entries map[string][]entry   // the callers of queues, by folded name
	members map[string][]*Member // of queues, as they are listed
}

// An entry is a caller at its position.
type entry struct {
	position int
	caller   Caller
}

// load takes in of the answer what may say something: the rest of the state stays.
func (s *State) load(q Question, answer []*codec.Packet, now time.Time, may func(key) bool) {
	l := &loader{State: s, now: now, seen: map[key]struct{}{}, entries: map[string][]entry{}, members: map[string][]*Member{}}
	for _, p := range answer {
		it, k, ok := about(p)
		if !ok || !slices.Contains(q.tells, k.kind) || !may(k) {
			continue
		}
		l.seen[k] = struct{}{}
		it.load(l, p)
	}
	for _, tells := range q.tells {
		for _, k := range s.keys(tells) {
			if _, ok := l.seen[k]; !ok && may(k) {
				s.remove(k)
			}
		}
	}
	l.order()
}

// keys are those of all objects of a kind.
func (s *State) keys(of kind) []key {
	var keys []key
	add := func(name string) { keys = append(keys, key{of, name}) }
	switch of {
	case channelKind:
		for id := range s.channels {
			add(id)
		}
	case bridgeKind:
		for id := range s.bridges {
			add(id)
		}
	case queueKind:
		for name := range s.queues {
			add(name)
		}
	case memberKind:
		for _, q := range s.queues {
			for _, m := range q.Members {
				add(memberKey(q.Name, m.Interface))
			}
		}
	case agentKind:
		for id := range s.agents {
			add(id)
		}
	case parkedKind:
		for id := range s.parked {
			add(id)
		}
	case sipKind, iaxKind, endpointKind:
		for _, p := range s.peers {
			if p.Technology == technologies[of] {
				add(fold(p.Name))
			}
		}
	case contactKind:
		for _, p := range s.peers {
			for _, c := range p.Contacts {
				if c.Entry != nil {
					add(contactKey(p.Name, c.URI))
				}
			}
		}
	}
	return keys
}

var technologies = map[kind]string{sipKind: techSIP, iaxKind: techIAX, endpointKind: techPJSIP}

// remove removes what a list has no more.
func (s *State) remove(k key) {
	switch k.kind {
	case channelKind:
		s.removeChannel(s.channels[k.name])
	case bridgeKind:
		s.removeBridge(s.bridges[k.name])
	case queueKind:
		s.removeQueue(s.queues[k.name])
	case memberKind:
		queue, iface, _ := strings.Cut(k.name, "\n")
		if q := s.queues[queue]; q != nil { // else it went with its queue
			s.removeMember(q, q.Member(iface))
		}
	case agentKind:
		s.logOff(s.agents[k.name])
		delete(s.agents, k.name)
	case parkedKind:
		s.unpark(k.name)
	case sipKind, iaxKind, endpointKind:
		delete(s.peers, peerKey(technologies[k.kind], k.name))
	case contactKind:
		endpoint, uri, _ := strings.Cut(k.name, "\n")
		p := s.peers[peerKey(techPJSIP, endpoint)]
		p.Contacts[p.contact(uri)].Entry = nil // EndpointList says which contacts there are
	}
}

// order puts callers and members in the order of the list.
func (l *loader) order() {
	for name := range l.seen {
		if name.kind != queueKind {
			continue
		}
		q := l.queues[name.name]
		if q == nil {
			continue
		}
		entries := l.entries[name.name]
		slices.SortStableFunc(entries, func(a, b entry) int { return a.position - b.position })
		for _, old := range q.Callers {
			if c := l.channels[old.Uniqueid]; c != nil && c.Queue == q.Name {
				c.Queue = ""
			}
		}
		q.Callers = nil
		for _, e := range entries {
			c := l.channels[e.caller.Uniqueid]
			if c == nil || q.caller(c.Uniqueid) >= 0 {
				continue
			}
			l.leaveQueue(c)
			c.Queue = q.Name
			q.Callers = append(q.Callers, e.caller)
		}
	}
	for name, members := range l.members {
		q := l.queues[name]
		if q == nil {
			continue
		}
		for _, m := range q.Members {
			if !slices.Contains(members, m) {
				members = append(members, m)
			}
		}
		q.Members = members
	}
}

// loadChannel takes a CoreShowChannel or a Status, which differ in a few names.
func loadChannel(l *loader, p *codec.Packet) {
	id := value(p, "Uniqueid")
	c := l.channels[id]
	if c == nil {
		c = l.addChannel(id, since(p, l.now))
	}
	l.said(c, "", one[0].in(p.Headers))
	keep(&c.Application, value(p, "Application"))
	keep(&c.AppData, either(p, "ApplicationData", "Data"))
	bridge := either(p, "BridgeId", "BridgeID")
	if bridge == "" {
		l.leaveBridge(c)
		return
	}
	l.enterBridge(c, l.bridge(bridge))
}

func either(p *codec.Packet, a, b string) string {
	if v, ok := lookup(p, a); ok {
		return v
	}
	return value(p, b)
}

// since is when a channel was made: CoreShowChannel has its Duration as hh:mm:ss,
// Status its age in Seconds.
func since(p *codec.Packet, now time.Time) time.Time {
	if age, ok := lookup(p, "Seconds"); ok {
		return before(now, age)
	}
	h, rest, _ := strings.Cut(value(p, "Duration"), ":")
	m, sec, _ := strings.Cut(rest, ":")
	hours, err1 := strconv.Atoi(h)
	minutes, err2 := strconv.Atoi(m)
	if err1 != nil || err2 != nil || hours < 0 || hours > 1e6 || minutes < 0 || minutes > 59 {
		return now
	}
	return before(now, sec).Add(-time.Duration(60*hours+minutes) * time.Minute)
}

func loadBridge(l *loader, p *codec.Packet) {
	bridgeBlock.update(l.bridge(value(p, "BridgeUniqueid")), "", p.Headers)
}

func loadQueue(l *loader, p *codec.Packet) {
	l.queue(value(p, "Queue")).Params = copyHeaders(p.Headers)
}

func loadCaller(l *loader, p *codec.Packet) {
	q := l.queue(value(p, "Queue"))
	c := l.channels[value(p, "Uniqueid")]
	if c == nil {
		return // its Newchannel and its QueueCallerJoin follow
	}
	position, _ := strconv.Atoi(value(p, "Position"))
	e := entry{position, Caller{Uniqueid: c.Uniqueid, Priority: strings.Clone(value(p, "Priority"))}}
	if i := q.caller(c.Uniqueid); i >= 0 {
		e.caller.Since = q.Callers[i].Since
	} else {
		e.caller.Since = before(l.now, value(p, "Wait"))
	}
	name := fold(q.Name)
	l.entries[name] = append(l.entries[name], e)
}

func loadMember(l *loader, p *codec.Packet) {
	q := l.queue(value(p, "Queue"))
	m := l.member(q, value(p, "Location"), memberList, p.Headers)
	name := fold(q.Name)
	l.members[name] = append(l.members[name], m)
}

// loadAgent takes an Agents item, in which the block of the channel stands that the
// agent has logged in on.
func loadAgent(l *loader, p *codec.Packet) {
	a := l.agent(value(p, "Agent"))
	switch c := l.of(p, ""); {
	case value(p, "Status") == AgentLoggedOff:
		l.logOff(a)
	case c != nil: // else its Newchannel and its AgentLogin follow
		if a.Channel != c.Uniqueid {
			l.logIn(a, c)
		}
		l.said(c, "", one[0].in(p.Headers))
		keep(&c.variables[bridgePeer], value(p, "TalkingToChan"))
	}
	agentList.update(a, "", p.Headers)
	if a.Channel == "" {
		a.LoggedInTime, a.CallStarted = "", ""
	} else if _, talks := lookup(p, "CallStarted"); !talks {
		a.CallStarted = ""
	}
}

func (l *loader) peer(technology string, p *codec.Packet) *Peer {
	name := value(p, "ObjectName")
	k := peerKey(technology, name)
	peer := l.peers[k]
	if peer == nil {
		peer = &Peer{Technology: technology, Name: strings.Clone(name)}
		l.peers[k] = peer
	}
	peer.touched = l.events
	peer.Entry = copyHeaders(p.Headers)
	return peer
}

func loadPeer(l *loader, p *codec.Packet) {
	technology := techIAX
	if strings.EqualFold(value(p, "Channeltype"), techSIP) {
		technology = techSIP
	}
	l.peer(technology, p)
}

func loadEndpoint(l *loader, p *codec.Packet) {
	peer := l.peer(techPJSIP, p)
	peer.listed(peer.Get("Contacts"))
}

func loadContact(l *loader, p *codec.Packet) {
	peer := l.peers[peerKey(techPJSIP, value(p, "Endpoint"))]
	if peer == nil {
		return
	}
	i := peer.contact(value(p, "Uri"))
	if i < 0 {
		return // its ContactStatus follows
	}
	peer.touched = l.events
	c := peer.Contacts[i]
	contactList.update(c, "", p.Headers)
	if c.RoundtripUsec == notQualified {
		c.RoundtripUsec = "0" // as events say it
	}
	c.Entry = copyHeaders(p.Headers)
}

func loadParked(l *loader, p *codec.Packet) {
	if c := l.of(p, parkee); c != nil {
		l.said(c, parkee, parked[0].in(p.Headers))
		l.park(c, p, l.now)
	}
}
