package stats

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ampd/codec"
)

// How much is remembered: of one member or agent, and of how many.
const (
	entriesMost = 1_000
	membersMost = 10_000
)

// Activity is what members and agents did since it was made.
type Activity struct {
	Since time.Time

	of       map[string]*member   // by interface in lower case; of app_agent_pool's agents "agent:ID"
	statuses map[string]*standing // of members, by memberKey
}

// A standing is what a member of a queue does.
type standing struct {
	status string
	since  time.Time
}

// An Entry is one thing that was done.
type Entry struct {
	Time      time.Time
	What      string // Login, Logoff, Pause, Unpause
	Interface string // "Agent:1101" of an agent of app_agent_pool
	Name      string // MemberName, "" where it has none
	Queue     string // "" for an agent of app_agent_pool
	Reason    string // of a pause
}

// A member is what is remembered of one.
type member struct {
	iface, name string
	entries     []Entry
}

// NewActivity remembers from now on.
func NewActivity(now time.Time) *Activity {
	return &Activity{Since: now, of: map[string]*member{}, statuses: map[string]*standing{}}
}

// Observe takes an event. Of p only copies are kept.
func (a *Activity) Observe(p *codec.Packet, now time.Time) {
	what := ""
	switch p.Name() {
	case "AgentLogin":
		a.add(p, now, "Login", "Agent:"+p.Get("Agent"))
		return
	case "AgentLogoff":
		a.add(p, now, "Logoff", "Agent:"+p.Get("Agent"))
		return
	case "QueueMemberAdded":
		what = "Login"
	case "QueueMemberRemoved":
		what = "Logoff"
	case "QueueMemberPause":
		what = "Unpause"
		if p.Get("Paused") == "1" {
			what = "Pause"
		}
	case "QueueMemberStatus":
	default:
		return
	}
	iface := p.Get("Interface")
	if what != "" {
		a.add(p, now, what, iface)
	}
	if what == "Logoff" {
		delete(a.statuses, memberKey(iface, p.Get("Queue")))
		return
	}
	a.become(iface, p.Get("Queue"), StatusOf(p.Get("Status"), p.Get("InCall"), p.Get("Paused")), now)
}

func memberKey(iface, queue string) string { return strings.ToLower(iface + "\n" + queue) }

// StatusOf is what a member does, by its device state, whether it is in a call, and
// whether it is paused, as events and lists say them: Talking, Ringing, Paused, Idle or
// Unavailable.
func StatusOf(device, inCall, paused string) string {
	switch {
	case inCall == "1", device == "2", device == "3", device == "7", device == "8": // in use, busy, on hold
		return "Talking"
	case device == "6":
		return "Ringing"
	case paused == "1":
		return "Paused"
	case device == "1":
		return "Idle"
	}
	return "Unavailable"
}

func (a *Activity) become(iface, queue, status string, now time.Time) {
	key := memberKey(iface, queue)
	st := a.statuses[key]
	switch {
	case st == nil && len(a.statuses) >= membersMost:
	case st == nil:
		a.statuses[key] = &standing{status, now}
	case st.status != status:
		st.status, st.since = status, now
	}
}

// member finds one, made known where it was not.
func (a *Activity) member(iface string) *member {
	key := strings.ToLower(iface)
	m := a.of[key]
	if m == nil {
		if len(a.of) >= membersMost {
			a.forget()
		}
		m = &member{iface: strings.Clone(iface)}
		a.of[strings.Clone(key)] = m
	}
	return m
}

// forget drops the one that has done nothing for the longest time.
func (a *Activity) forget() {
	oldest, since := "", time.Time{}
	for key, m := range a.of {
		if last := m.entries[len(m.entries)-1].Time; oldest == "" || last.Before(since) {
			oldest, since = key, last
		}
	}
	delete(a.of, oldest)
}

func (a *Activity) add(p *codec.Packet, now time.Time, what, iface string) {
	if iface == "" || iface == "Agent:" {
		return
	}
	m := a.member(iface)
	if name := p.Get("MemberName"); name != m.name {
		m.name = strings.Clone(name)
	}
	if len(m.entries) >= entriesMost {
		m.entries = slices.Delete(m.entries, 0, 1)
	}
	e := Entry{Time: now, What: what, Interface: m.iface, Name: m.name, Queue: strings.Clone(p.Get("Queue"))}
	if what == "Pause" {
		e.Reason = strings.Clone(p.Get("PausedReason"))
	}
	m.entries = append(m.entries, e)
}

// Of returns what those did whose interface and name match, in the order of time, the
// last 1,000.
func (a *Activity) Of(match func(iface, name string) bool) (entries []Entry) {
	for _, m := range a.of {
		if match(m.iface, m.name) {
			entries = append(entries, m.entries...)
		}
	}
	slices.SortStableFunc(entries, func(x, y Entry) int {
		return cmp.Or(x.Time.Compare(y.Time), cmp.Compare(x.Interface, y.Interface), cmp.Compare(x.Queue, y.Queue))
	})
	return entries[max(0, len(entries)-entriesMost):]
}

// StatusSince tells since when a member of a queue, or with "" an agent of app_agent_pool, does
// what it does, zero where no event told or it does something else.
func (a *Activity) StatusSince(iface, queue, status string) time.Time {
	if st := a.statuses[memberKey(iface, queue)]; st != nil && st.status == status {
		return st.since
	}
	return time.Time{}
}
