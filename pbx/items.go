package pbx

import (
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

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
	}
	id := value(p, parkee+"Uniqueid")
	was := ParkedCall{}
	if call := l.parked[id]; call != nil {
		was = *call
	}
	l.park(p, l.now)
	if call := l.parked[id]; parkedBlock.same(&was, call) && call.Since.Sub(was.Since).Abs() < listLate {
		call.Since, call.Until = was.Since, was.Until
	}
}

// listLate is how late a list may come on a busy machine: its whole seconds count from the
// moment in which it was made.
const listLate = 15 * time.Second
