package pbx

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Difference is a field in which two states differ.
type Difference struct {
	Object string // "channel", "member" ...
	Key    string // what tells this object from others
	Field  string // "" where one of the states has no such object
	Have   string
	Want   string
}

// A Field is something that is tracked, and who tells it.
type Field struct {
	Object string
	Name   string // "" for whether there is such an object at all
	Event  bool   // events tell it, at once
	List   bool   // the list that is loaded tells it
	Note   string
}

// A told says who tells a field.
type told struct{ event, list bool }

var (
	both   = told{true, true}
	byList = told{list: true}
	byOnly = told{event: true} // by events
)

// A compared field of objects of type T.
type compared[T any] struct {
	name     string
	told     told
	note     string
	get      func(*State, *T) string
	optional bool // "" where to is not known, which is no difference
}

// comparedRows are the fields that a table of rows has.
func comparedRows[T any](rows []row[T]) []compared[T] {
	var all []compared[T]
	for _, r := range rows {
		name := r.event
		if name == "" {
			name = r.list
		}
		all = append(all, compared[T]{
			name:     name,
			told:     told{r.event != "", r.list != ""},
			get:      func(_ *State, t *T) string { return *r.of(t) },
			optional: r.optional,
		})
	}
	return all
}

// What is compared beside the tables of rows, or told otherwise than they say.
var (
	channelFields = slices.Concat(
		channelNotes(comparedRows(channelRows[:len(channelBlock)])),
		[]compared[Channel]{
			{name: "ChanVariable", told: both, note: "where manager.conf has channelvars", get: func(_ *State, c *Channel) string { return strings.Join(c.ChanVariables, "\n") }},
			{name: "Application", told: both, note: "by Newexten, which comes where extension or priority change: not for what ExecIf or Originate's Application run, nor where a waiting channel is parked or bridged by an action and runs nothing any more", get: func(_ *State, c *Channel) string { return c.Application }},
			{name: "AppData", told: both, note: "as Application", get: func(_ *State, c *Channel) string { return c.AppData }},
			{name: "BridgeId", told: both, get: func(_ *State, c *Channel) string { return c.Bridge }},
			{name: "Duration", told: byList, note: "counts from the Newchannel; one that was missed counts from its repair", get: func(_ *State, c *Channel) string { return moment(c.Since) }},
			{name: "Queue", told: both, note: "in which it waits", get: func(_ *State, c *Channel) string { return fold(c.Queue) }},
			{name: "Hold", told: byOnly, get: func(_ *State, c *Channel) string { return strconv.FormatBool(c.Hold) + " " + c.MusicClass }},
			{name: "DialString", told: byOnly, get: func(_ *State, c *Channel) string { return c.DialString }},
			{name: "DialedBy", told: byOnly, get: func(_ *State, c *Channel) string { return c.DialedBy }},
			{name: "BRIDGEPEER", told: byOnly, note: "lists tell it of agents of app_agent_pool only", get: func(_ *State, c *Channel) string { return c.variables[0] }},
			{name: "DIALEDPEERNAME", told: byOnly, get: func(_ *State, c *Channel) string { return c.variables[1] }},
			{name: "DIALSTATUS", told: byOnly, get: func(_ *State, c *Channel) string { return c.variables[2] }},
			{name: "QUEUESTATUS", told: byOnly, get: func(_ *State, c *Channel) string { return c.variables[3] }},
		})
	bridgeFields = slices.Concat(comparedRows(bridgeRows), []compared[Bridge]{
		{name: "members", told: both, note: "in which order they came no list tells", get: func(_ *State, b *Bridge) string { return strings.Join(slices.Sorted(slices.Values(b.Members)), "\n") }},
	})
	queueFields = []compared[Queue]{
		{name: "callers", told: both, note: "in their order", get: func(_ *State, q *Queue) string { return callerIDs(q) }},
		{name: "parameters", told: byList, note: "Max, Strategy, Holdtime, TalkTime, Completed, Abandoned, ServiceLevel, ServicelevelPerf, ServicelevelPerf2, Weight", get: func(_ *State, q *Queue) string { return queueParams(q) }},
		{name: "Priority", told: byList, note: "of its callers", get: func(_ *State, q *Queue) string { return callerPriorities(q) }},
		{name: "Wait", told: byList, note: "of its callers: counts from the QueueCallerJoin; one that was missed counts from its repair", get: func(_ *State, q *Queue) string { return callerTimes(q) }},
	}
	memberFields = memberNotes(comparedRows(memberRows[1:]))
	agentFields  = []compared[Agent]{
		{name: "Status", told: both, get: func(s *State, a *Agent) string { status, _ := s.AgentStatus(a); return status }},
		{name: "TalkingToChan", told: both, get: func(s *State, a *Agent) string { _, talkingTo := s.AgentStatus(a); return talkingTo }},
		{name: "Channel", told: both, get: func(_ *State, a *Agent) string { return a.Channel }},
		{name: "Name", told: byList, get: func(_ *State, a *Agent) string { return a.Name }},
		{name: "LoggedInTime", told: byList, note: "the moment of AgentLogin, or of its repair", get: func(_ *State, a *Agent) string { return a.LoggedInTime }},
		{name: "CallStarted", told: byList, note: "the moment at which BRIDGEPEER was set, or of its repair", get: func(_ *State, a *Agent) string { return a.CallStarted }},
	}
	peerFields = []compared[Peer]{
		{name: "Status", told: both, note: "DeviceState of an endpoint's", get: func(_ *State, p *Peer) string { return p.Status() }},
		{name: "address", told: both, note: "of chan_sip and IAX2", get: func(_ *State, p *Peer) string { return p.address() }},
		{name: "Reachable", told: byOnly, note: "of PJSIP", get: func(_ *State, p *Peer) string { return p.Reachable }},
		{name: "all other headers of its list item", told: byList, get: func(_ *State, p *Peer) string { return peerRest(p) }},
	}
	contactFields = []compared[Contact]{
		{name: "AOR", told: both, get: func(_ *State, c *Contact) string { return c.AOR }},
		{name: "Status", told: byOnly, note: "a contact that has registered is listed with it, a fixed one is not", get: func(_ *State, c *Contact) string { return c.Status }},
		{name: "RoundtripUsec", told: byOnly, note: "as Status", get: func(_ *State, c *Contact) string { return c.RoundtripUsec }},
		{name: "all other headers of its list item", told: byList, get: func(_ *State, c *Contact) string { return contactRest(c) }},
	}
	parkedFields = slices.Concat(comparedRows(parkedRows), []compared[ParkedCall]{
		{name: "ParkingDuration", told: both, get: func(_ *State, c *ParkedCall) string { return moment(c.Since) }},
		{name: "ParkingTimeout", told: both, get: func(_ *State, c *ParkedCall) string { return moment(c.Until) }},
	})
)

// channelNotes says what of a channel its own events do not tell at once.
func channelNotes(fields []compared[Channel]) []compared[Channel] {
	for i := range fields {
		if f := &fields[i]; f.name == "Language" {
			f.note = "CHANNEL(language) sends none: with the channel's next event"
		}
	}
	return fields
}

// memberNotes says what of a member its own events do not tell at once.
func memberNotes(fields []compared[Member]) []compared[Member] {
	for i := range fields {
		switch f := &fields[i]; f.name {
		case "InCall":
			f.note = "by AgentConnect and AgentComplete; a QueueMemberStatus that was written before an AgentConnect may come behind it: 0 then until the next event or resync; of several calls at a time the last one counts, and which that is must have been seen"
		case "CallsTaken", "LastCall":
			f.note = "counted at AgentComplete, exact with the member's next event; \"queue reset stats\" sends none; with shared_lastcall the same member of other queues gets none"
		case "Ringinuse":
			f.note = "left out of events that are made up while no event told it"
		}
	}
	return fields
}

// existence tells who makes an object known, and takes it away.
var existence = []Field{
	{"channel", "", true, true, ""},
	{"bridge", "", true, true, ""},
	{"queue", "", false, true, "an event about a queue that is not known makes it known; none takes it away"},
	{"member", "", true, true, "a change of queues.conf that is reloaded sends none"},
	{"agent", "", false, true, "AgentLogin makes it known; none takes it away"},
	{"peer", "", false, true, ""},
	{"contact", "", true, true, ""},
	{"parked call", "", true, true, ""},
}

// Fields are all fields that are tracked, and who tells them.
func Fields() []Field {
	var all []Field
	for _, e := range existence {
		all = append(all, e)
		switch e.Object {
		case "channel":
			all = append(all, fieldsOf(e.Object, channelFields)...)
		case "bridge":
			all = append(all, fieldsOf(e.Object, bridgeFields)...)
		case "queue":
			all = append(all, fieldsOf(e.Object, queueFields)...)
		case "member":
			all = append(all, fieldsOf(e.Object, memberFields)...)
		case "agent":
			all = append(all, fieldsOf(e.Object, agentFields)...)
		case "peer":
			all = append(all, fieldsOf(e.Object, peerFields)...)
		case "contact":
			all = append(all, fieldsOf(e.Object, contactFields)...)
		case "parked call":
			all = append(all, fieldsOf(e.Object, parkedFields)...)
		}
	}
	return all
}

func fieldsOf[T any](object string, fields []compared[T]) []Field {
	all := make([]Field, len(fields))
	for i, f := range fields {
		all[i] = Field{object, f.name, f.told.event, f.told.list, f.note}
	}
	return all
}

// Differences are the fields in which s is not as to is, s's values being what it has
// and to's what it should have. Moments are compared to the second.
func (s *State) Differences(to *State) []Difference {
	d := &differences{old: s, to: to}
	compare(d, "channel", channelFields, s.channels, to.channels)
	compare(d, "bridge", bridgeFields, s.bridges, to.bridges)
	compare(d, "queue", queueFields, s.queues, to.queues)
	compare(d, "member", memberFields, s.allMembers(), to.allMembers())
	compare(d, "agent", agentFields, s.agents, to.agents)
	compare(d, "peer", peerFields, s.peers, to.peers)
	compare(d, "contact", contactFields, s.allContacts(to), to.allContacts(s))
	compare(d, "parked call", parkedFields, s.parked, to.parked)
	return d.found
}

type differences struct {
	old, to *State
	found   []Difference
}

func compare[T any](d *differences, object string, fields []compared[T], have, want map[string]*T) {
	keys := map[string]struct{}{}
	for k := range have {
		keys[k] = struct{}{}
	}
	for k := range want {
		keys[k] = struct{}{}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		a, b := have[k], want[k]
		if a == nil || b == nil {
			d.found = append(d.found, Difference{Object: object, Key: k, Have: present(a), Want: present(b)})
			continue
		}
		for _, f := range fields {
			if x, y := f.get(d.old, a), f.get(d.to, b); x != y && (y != "" || !f.optional) {
				d.found = append(d.found, Difference{object, k, f.name, x, y})
			}
		}
	}
}

func present[T any](t *T) string {
	if t == nil {
		return ""
	}
	return "there"
}

func (s *State) allMembers() map[string]*Member {
	all := map[string]*Member{}
	for _, q := range s.queues {
		for _, m := range q.Members {
			all[memberKey(q.Name, m.Interface)] = m
		}
	}
	return all
}

// allContacts are those of the endpoints that the other state knows, too.
func (s *State) allContacts(other *State) map[string]*Contact {
	all := map[string]*Contact{}
	for k, p := range s.peers {
		if other.peers[k] == nil {
			continue
		}
		for _, c := range p.Contacts {
			all[contactKey(p.Name, c.URI)] = c
		}
	}
	return all
}

// moment is t to the second.
func moment(t time.Time) string { return unix(t.Round(time.Second)) }

func callerIDs(q *Queue) string {
	return joined(q, func(c Caller) string { return c.Uniqueid })
}

func callerPriorities(q *Queue) string {
	return joined(q, func(c Caller) string { return c.Priority })
}

func callerTimes(q *Queue) string {
	return joined(q, func(c Caller) string { return moment(c.Since) })
}

func joined(q *Queue, text func(Caller) string) string {
	var b strings.Builder
	for _, c := range q.Callers {
		b.WriteString(text(c) + "\n")
	}
	return b.String()
}

// queueParams leaves out Calls, which is the number of callers.
func queueParams(q *Queue) string { return text(q.Params, "Calls") }

func peerRest(p *Peer) string {
	return text(p.Entry, "Status", "DeviceState", "IPaddress", p.portHeader(), "Contacts", "ActiveChannels")
}

func contactRest(c *Contact) string {
	return text(c.Entry, "Status", "RoundtripUsec")
}
