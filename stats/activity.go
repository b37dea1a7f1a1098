package stats

import (
	"slices"
	"time"
)

// entriesMost is how many entries of one agent are remembered.
const entriesMost = 1_000

// An Entry is one thing that an agent did.
type Entry struct {
	Time      time.Time
	Agent     string // who: see Agent.Name
	What      string // Login, Logoff, Pause, Unpause, Answered, Missed, Finished
	Interface string // "Agent:1101" of an agent of app_agent_pool
	Name      string // MemberName, the interface where it has none
	Queue     string // "" for the login of an agent of app_agent_pool
	Reason    string // of a pause
	Uniqueid  string // of a call: the caller's channel
	Seconds   int64  // Answered, Missed: how long it rang; Finished: how long they talked
}

// record notes what a person did.
func (b *Book) record(p *person, e Entry) {
	e.Agent = p.name
	b.remember(p, e)
	if b.news != nil {
		b.news.Entries = append(b.news.Entries, e)
	}
}

func (b *Book) remember(p *person, e Entry) {
	if e.Queue != "" {
		p.iface = e.Interface
	}
	if len(p.entries) >= 2*entriesMost { // now and then, for it costs
		p.entries = slices.Delete(p.entries, 0, entriesMost)
	}
	p.entries = append(p.entries, e)
}

// Activity is what those did whose interface and name match, today and the day before: the last
// 1,000 that are wanted, in the order of time.
func (b *Book) Activity(match func(iface, name string) bool, wanted func(*Entry) bool) (entries []Entry) {
	for _, p := range b.people {
		for i := range p.entries {
			if e := &p.entries[i]; match(e.Interface, e.Name) && wanted(e) {
				entries = append(entries, *e)
			}
		}
	}
	slices.SortStableFunc(entries, func(x, y Entry) int { return x.Time.Compare(y.Time) })
	return entries[max(0, len(entries)-entriesMost):]
}

// Statuses are those of an agent, the busiest first: what it does in several queues is the first of
// these that it does in any.
var Statuses = [...]string{"Talking", "Ringing", "Idle", "Paused", "Unavailable"}

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
	case device == "0", device == "1": // of an unknown one Asterisk calls the member too: num_available_members
		return "Idle"
	}
	return "Unavailable"
}

// busier is that of two statuses which comes first; "" is none.
func busier(x, y string) string {
	if y != "" && statusIndex(y) < statusIndex(x) {
		return y
	}
	return x
}

// does is the member's status.
func (m *membership) does() string {
	paused := ""
	if m.paused {
		paused = "1"
	}
	return StatusOf(m.status, m.inCall, paused)
}

// statusIndex is the place of a status in Statuses, which it must be in.
func statusIndex(status string) int { return slices.Index(Statuses[:], status) }

// changedStatus notes since when the person does what it does.
func (p *person) changedStatus(now time.Time) {
	status := "Unavailable"
	if len(p.members) == 0 && len(p.on) > 0 {
		status = "Idle"
	}
	for _, m := range p.members {
		status = busier(status, m.does())
	}
	if p.calls > 0 {
		status = "Talking"
	}
	if status != p.status {
		p.status, p.since = status, now
	}
}

// loadPeople takes who is a member of what from the state.
func (b *Book) loadPeople(now time.Time) {
	begin, _ := b.calendar.Begin(b.day)
	known := map[*membership]bool{}
	for q := range b.state.Queues() {
		for _, facts := range q.Members {
			m, added := b.know(facts, now)
			known[m] = true
			if !added && m.paused != (facts.Paused == "1") {
				b.tellPause(m, facts, now)
			}
			m.take(facts)
		}
	}
	for _, m := range b.members {
		if !known[m] {
			b.removed(m, now)
		}
	}
	for _, p := range b.people {
		p.on = nil
	}
	logins := map[*person]time.Time{}
	for a := range b.state.Agents() {
		if a.Channel != "" {
			p := b.pool(a.ID, now)
			p.logIn(a.ID)
			if login := unix(a.LoggedInTime); logins[p].IsZero() || login.Before(logins[p]) {
				logins[p] = login
			}
		}
	}
	for _, p := range b.people {
		if p.resume.IsZero() {
			p.resume = begin
		}
		p.settled = now
		login, pause := logins[p], time.Time{}
		for _, m := range p.members {
			if len(p.pools) == 0 && (login.IsZero() || m.login.Before(login)) {
				login = m.login
			}
			if m.pause.After(pause) {
				pause = m.pause
			}
		}
		paused, reason := p.isPaused()
		p.loggedIn, p.paused, p.reason = time.Time{}, time.Time{}, reason
		if p.isLoggedIn() {
			p.loggedIn = within(login, p.resume, now)
		}
		if paused {
			p.paused = within(pause, p.loggedIn, now)
		}
		p.resume = time.Time{}
		b.settleBy(p, b.began, false, false, b.countBefore)
		if p.status == "" {
			p.changedStatus(time.Time{})
		} else {
			p.changedStatus(now)
		}
		b.moved[p] = true
	}
}

// within is a moment that Asterisk tells, not before what is counted already; now where it
// tells none. Like now it has a reading of the clock that nobody sets.
func within(told, least, now time.Time) time.Time {
	switch {
	case told.IsZero() || told.After(now) || least.After(now):
		return now
	case told.Before(least):
		return now.Add(least.Sub(now))
	}
	return now.Add(told.Sub(now))
}
