package pbx

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

// A Queue is a queue of app_queue's.
type Queue struct {
	Name    string
	Params  []codec.Header // of its QueueParams, as last listed; its Calls is the number of Callers
	Members []*Member      // in the order in which Asterisk lists them, the newest last
	Callers []Caller       // the next one first

	touched uint64 // by a caller
}

// A Caller waits in a queue. Who it is its channel says.
type Caller struct {
	Uniqueid string // of its channel
	Priority string // "0" where only an event told of it
	Since    time.Time
}

// A Member is a member of a queue. Its texts are Asterisk's own.
type Member struct {
	Queue          string // as Asterisk spells it
	Name           string
	Interface      string
	StateInterface string
	Membership     string // static, dynamic, realtime
	Penalty        string
	CallsTaken     string
	LastCall       string // Unix time, "0" for none
	LastPause      string // Unix time
	LoginTime      string // Unix time
	InCall         string // 1 or 0
	Status         string // a device state: a number
	Paused         string // 1 or 0
	PausedReason   string
	Ringinuse      string // 1 or 0, "" while no event told
	Wrapuptime     string // seconds

	caller, channel string    // Uniqueids of the call that it has taken last, as AgentConnect said
	connected       time.Time // of that
	several         bool      // it was taken while another one was known
	touched         uint64
}

var memberRows = []row[Member]{
	{"Queue", "Queue", func(m *Member) *string { return &m.Queue }, false},
	{"MemberName", "Name", func(m *Member) *string { return &m.Name }, false},
	{"Interface", "Location", func(m *Member) *string { return &m.Interface }, false},
	{"StateInterface", "StateInterface", func(m *Member) *string { return &m.StateInterface }, false},
	{"Membership", "Membership", func(m *Member) *string { return &m.Membership }, false},
	{"Penalty", "Penalty", func(m *Member) *string { return &m.Penalty }, false},
	{"CallsTaken", "CallsTaken", func(m *Member) *string { return &m.CallsTaken }, false},
	{"LastCall", "LastCall", func(m *Member) *string { return &m.LastCall }, false},
	{"LastPause", "LastPause", func(m *Member) *string { return &m.LastPause }, true},
	{"LoginTime", "LoginTime", func(m *Member) *string { return &m.LoginTime }, true},
	{"InCall", "InCall", func(m *Member) *string { return &m.InCall }, true},
	{"Status", "Status", func(m *Member) *string { return &m.Status }, false},
	{"Paused", "Paused", func(m *Member) *string { return &m.Paused }, false},
	{"PausedReason", "PausedReason", func(m *Member) *string { return &m.PausedReason }, false},
	{"Ringinuse", "", func(m *Member) *string { return &m.Ringinuse }, true},
	{"Wrapuptime", "Wrapuptime", func(m *Member) *string { return &m.Wrapuptime }, true},
}

var (
	memberEvent = eventColumns(memberRows)
	memberList  = listColumns(memberRows)
)

// Member is the member of that interface, whose case does not matter, or nil.
func (q *Queue) Member(iface string) *Member {
	for _, m := range q.Members {
		if sameFold(m.Interface, iface) {
			return m
		}
	}
	return nil
}

func (q *Queue) caller(uniqueid string) int {
	return slices.IndexFunc(q.Callers, func(c Caller) bool { return c.Uniqueid == uniqueid })
}

// queue is the queue of that name, made known where it was not.
func (s *State) queue(name string) *Queue {
	if q := s.queues[name]; q != nil {
		return q
	}
	key := fold(name)
	q := s.queues[key]
	if q == nil {
		q = &Queue{Name: strings.Clone(name)}
		s.queues[strings.Clone(key)] = q
	}
	return q
}

func queueCallerJoin(s *State, e event) {
	c := e.channel
	name := e.value("Queue")
	if c == nil || name == "" {
		return
	}
	q := s.queue(name)
	q.touched = s.events
	if q.caller(c.Uniqueid) < 0 {
		s.leaveQueue(c)
		at, err := strconv.Atoi(e.value("Position"))
		if err != nil || at < 1 || at > len(q.Callers) {
			at = len(q.Callers) + 1
		}
		q.Callers = slices.Insert(q.Callers, at-1, Caller{Uniqueid: c.Uniqueid, Priority: "0", Since: e.now})
	}
	c.Queue = q.Name
}

func queueCallerLeave(s *State, e event) {
	c := e.channel
	q := under(s.queues, e.value("Queue"))
	if c == nil || q == nil {
		return
	}
	q.touched = s.events
	if c.Queue == q.Name {
		s.leaveQueue(c)
	}
}

func (s *State) leaveQueue(c *Channel) {
	if c.Queue == "" {
		return
	}
	q := under(s.queues, c.Queue)
	c.Queue = ""
	if q == nil {
		return
	}
	q.touched = s.events
	if i := q.caller(c.Uniqueid); i >= 0 {
		q.Callers = slices.Delete(q.Callers, i, i+1)
	}
}

func (s *State) removeQueue(q *Queue) {
	for _, caller := range q.Callers {
		if c := s.channels[caller.Uniqueid]; c != nil {
			c.Queue = ""
		}
	}
	s.memberships++
	delete(s.queues, fold(q.Name))
	s.forgot(queueKind, fold(q.Name))
}

func queueMember(s *State, e event) {
	name, iface := e.value("Queue"), e.value("Interface")
	if name == "" || iface == "" {
		return
	}
	s.member(s.queue(name), iface, memberEvent, e.Headers)
}

// member takes over what is said of a member, made known where it was not.
func (s *State) member(q *Queue, iface string, c columns[Member], headers []codec.Header) *Member {
	m := q.Member(iface)
	if m == nil {
		m = &Member{}
		q.Members = append(q.Members, m)
		s.memberships++
	}
	name, states, taken := m.Name, m.StateInterface, m.CallsTaken
	c.update(m, "", headers)
	if m.InCall != "1" || m.CallsTaken != taken { // the call that was known has ended
		m.caller, m.channel = "", ""
	}
	m.Queue, m.touched = q.Name, s.events
	if m.Name != name || m.StateInterface != states {
		s.memberships++
	}
	return m
}

// agentConnect and agentComplete are the events of a call that a member takes. The
// member's own events do not follow at once: update_queue sends none, so what a call
// changes of a member is counted here until one says it.
func agentConnect(s *State, e event) {
	if m := s.memberOf(e); m != nil {
		m.several = m.InCall == "1" && m.caller != ""
		keep(&m.InCall, "1")
		keep(&m.caller, e.value("Uniqueid"))
		keep(&m.channel, e.value("DestUniqueid"))
		m.connected = e.now
	}
}

func agentComplete(s *State, e event) {
	m := s.memberOf(e)
	if m == nil || m.InCall != "1" || !m.completes(e) { // a list may have counted the call already
		return
	}
	keep(&m.InCall, "0")
	if n, err := strconv.Atoi(m.CallsTaken); err == nil {
		m.CallsTaken = strconv.Itoa(n + 1)
	}
	m.LastCall = unix(e.now)
}

// completes tells whether a call that ends is the one that counts: that which the member has
// taken last, or another one of the same second. A member with ringinuse may talk in
// several (update_queue looks at when the call began; observed with Asterisk 16 and 22).
// AgentComplete lacks the blocks of channels that are gone; its TalkTime is always there.
func (m *Member) completes(e event) bool {
	caller, channel := e.value("Uniqueid"), e.value("DestUniqueid")
	if m.caller == "" || m.caller == caller || m.channel == channel { // "": it began before anything was known
		return true
	}
	if caller == "" && channel == "" && !m.several {
		return true
	}
	seconds, err := strconv.ParseInt(e.value("TalkTime"), 10, 64)
	if err != nil {
		return false
	}
	later := e.now.Unix() - seconds - m.connected.Unix()
	return later == 0 || caller == "" && channel == "" && (later == 1 || later == -1)
}

// memberOf is the member that an event of an agent's names, or nil.
func (s *State) memberOf(e event) *Member {
	q := under(s.queues, e.value("Queue"))
	if q == nil {
		return nil
	}
	m := q.Member(e.value("Interface"))
	if m != nil {
		m.touched = s.events
	}
	return m
}

func queueMemberRemoved(s *State, e event) {
	q := under(s.queues, e.value("Queue"))
	if q == nil {
		return
	}
	if m := q.Member(e.value("Interface")); m != nil {
		s.removeMember(q, m)
	}
}

func (s *State) removeMember(q *Queue, m *Member) {
	q.Members = slices.DeleteFunc(q.Members, func(other *Member) bool { return other == m })
	s.memberships++
	s.forgot(memberKind, memberKey(q.Name, m.Interface))
}

func memberKey(queue, iface string) string { return fold(queue) + "\n" + fold(iface) }
