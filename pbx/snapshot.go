package pbx

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

// Objects is a set of what a snapshot shows.
type Objects uint8

// The sets.
const (
	Channels Objects = 1 << iota // and bridges
	Queues                       // with members and callers
	Agents
	Peers
	Parked

	AllObjects = Channels | Queues | Agents | Peers | Parked
)

var objects = []struct {
	name  string
	set   Objects
	tells []kind
}{
	{"channels", Channels, []kind{channelKind, bridgeKind}},
	{"queues", Queues, []kind{queueKind, memberKind}},
	{"agents", Agents, []kind{agentKind}},
	{"peers", Peers, []kind{sipKind, iaxKind, endpointKind, contactKind}},
	{"parked", Parked, []kind{parkedKind}},
}

// ParseObjects reads a list such as "channels,queues", without case and blanks; an
// empty one means all. unknown is the first name that is none, or "".
func ParseObjects(list string) (set Objects, unknown string) {
	if strings.TrimSpace(list) == "" {
		return AllObjects, ""
	}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		known := name == ""
		for _, o := range objects {
			if strings.EqualFold(o.name, name) {
				set |= o.set
				known = true
			}
		}
		if !known && unknown == "" {
			unknown = name
		}
	}
	return set, unknown
}

// SnapshotOf is the question that a snapshot answers, so that it can be loaded.
func SnapshotOf(set Objects) Question {
	q := Question{Action: "AmpdSnapshot"}
	for _, o := range objects {
		if set&o.set != 0 {
			q.tells = append(q.tells, o.tells...)
		}
	}
	return q
}

// Snapshot yields the state as the list items that Asterisk would answer with, with
// the ActionID, where there is one, in the place where Asterisk has it. What other
// items hang on comes first.
func (s *State) Snapshot(set Objects, actionID string, now time.Time) iter.Seq[*codec.Packet] {
	return func(yield func(*codec.Packet) bool) {
		l := lister{State: s, actionID: actionID, now: now, yield: yield}
		if set&Channels != 0 {
			l.channels()
		}
		if set&Queues != 0 {
			l.queues()
		}
		if set&Agents != 0 {
			l.agents()
		}
		if set&Peers != 0 {
			l.peers()
		}
		if set&Parked != 0 {
			l.parked()
		}
	}
}

// A lister writes list items until it is told to stop.
type lister struct {
	*State
	builder
	actionID string
	now      time.Time
	yield    func(*codec.Packet) bool
	stopped  bool
}

// first begins an item whose ActionID stands in front, last begins one whose ActionID
// stands behind.
func (l *lister) first(event string) {
	l.header("Event", event)
	l.id()
}

func (l *lister) last(event string) { l.header("Event", event) }

func (l *lister) id() {
	if l.actionID != "" {
		l.header("ActionID", l.actionID)
	}
}

func (l *lister) endFirst() { l.stopped = l.stopped || !l.yield(l.packet()) }

func (l *lister) endLast() {
	l.id()
	l.endFirst()
}

func (l *lister) channels() {
	for c := range l.Channels() {
		l.first("CoreShowChannel")
		writeChannel(&l.builder, "", c)
		channelList.write(&l.builder, "", c)
		l.header("Duration", clock(l.now.Sub(c.Since)))
		l.header("BridgeId", c.Bridge)
		if l.endFirst(); l.stopped {
			return
		}
	}
	for b := range l.Bridges() {
		l.first("BridgeListItem")
		writeBridge(&l.builder, b, len(b.Members))
		if l.endFirst(); l.stopped {
			return
		}
	}
}

// clock is a duration as hh:mm:ss.
func clock(d time.Duration) string {
	n := max(0, int64(d/time.Second))
	return fmt.Sprintf("%02d:%02d:%02d", n/3600, n/60%60, n%60)
}

func (l *lister) queues() {
	for q := range l.Queues() {
		if l.stopped {
			return
		}
		l.last("QueueParams")
		if len(q.Params) == 0 {
			l.header("Queue", q.Name)
		}
		for _, h := range q.Params {
			if h.Name == "Calls" {
				h.Value = strconv.Itoa(len(q.Callers))
			}
			l.header(h.Name, h.Value)
		}
		l.endLast()
		for _, m := range q.Members {
			l.last("QueueMember")
			memberList.write(&l.builder, "", m)
			l.endLast()
		}
		for i, caller := range q.Callers {
			l.last("QueueEntry")
			l.caller(q, i, caller)
			l.endLast()
		}
	}
}

// caller adds the headers of QueueEntry, which calls unknown what events call
// <unknown>.
func (l *lister) caller(q *Queue, at int, caller Caller) {
	c := l.State.channels[caller.Uniqueid]
	l.header("Queue", q.Name)
	l.header("Position", strconv.Itoa(at+1))
	l.header("Channel", c.Name)
	l.header("Uniqueid", c.Uniqueid)
	l.header("CallerIDNum", unbracketed(c.CallerIDNum))
	l.header("CallerIDName", unbracketed(c.CallerIDName))
	l.header("ConnectedLineNum", unbracketed(c.ConnectedLineNum))
	l.header("ConnectedLineName", unbracketed(c.ConnectedLineName))
	l.header("Wait", seconds(l.now.Sub(caller.Since)))
	l.header("Priority", caller.Priority)
}

func unbracketed(s string) string {
	if s == "<unknown>" {
		return "unknown"
	}
	return s
}

func (l *lister) agents() {
	for a := range l.Agents() {
		status, talkingTo := l.AgentStatus(a)
		l.last("Agents")
		l.header("Agent", a.ID)
		l.header("Name", a.Name)
		l.header("Status", status)
		if status != AgentLoggedOff {
			if talkingTo != "" {
				l.header("TalkingToChan", talkingTo)
				l.header("CallStarted", a.CallStarted)
			}
			l.header("LoggedInTime", a.LoggedInTime)
			writeChannel(&l.builder, "", l.State.channels[a.Channel])
		}
		if l.endLast(); l.stopped {
			return
		}
	}
}

func (l *lister) peers() {
	active := map[string]int{}
	for _, c := range l.State.channels {
		active[fold(c.Device())]++
	}
	for p := range l.Peers() {
		event := "PeerEntry"
		if p.Technology == techPJSIP {
			event = "EndpointList"
		}
		l.first(event)
		l.headers(p.entry(active[peerKey(p.Technology, p.Name)]))
		if l.endFirst(); l.stopped {
			return
		}
	}
	for p := range l.Peers() {
		for _, c := range p.Contacts {
			if c.Entry == nil {
				continue
			}
			l.first("ContactList")
			for _, h := range c.Entry {
				switch h.Name {
				case "Status":
					h.Value = c.Status
				case "RoundtripUsec":
					if h.Value = c.RoundtripUsec; h.Value == "0" {
						h.Value = notQualified
					}
				}
				l.header(h.Name, h.Value)
			}
			if l.endFirst(); l.stopped {
				return
			}
		}
	}
}

func (l *lister) parked() {
	for call := range l.ParkedCalls() {
		l.last("ParkedCall")
		writeParked(&l.builder, l.parkee(call), nil, call, l.now)
		if l.endLast(); l.stopped {
			return
		}
	}
}
