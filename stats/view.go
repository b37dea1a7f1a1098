package stats

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// Day is the day whose figures are shown, and since when they are counted: the begin of the
// day, or later where nobody watched before.
func (b *Book) Day() (day string, since time.Time) {
	begin, _ := b.calendar.Begin(b.day)
	if b.since.After(begin) {
		begin = b.since
	}
	return b.day, begin
}

// Gap is how much of the day nobody watched: Asterisk was lost, or ampd did not run.
func (b *Book) Gap(now time.Time) (missed time.Duration) {
	_, since := b.Day()
	gaps := b.gaps
	if !b.lost.IsZero() && b.why != "" {
		gaps = append(slices.Clone(gaps), Gap{Begin: b.lost, End: now})
	}
	for _, g := range gaps {
		if g.Begin.Before(since) {
			g.Begin = since
		}
		if g.End.After(g.Begin) {
			missed += g.End.Sub(g.Begin)
		}
	}
	return missed
}

// Queue is a queue's figures of the day. Totals is a copy.
func (b *Book) Queue(name string) (totals QueueTotals) {
	if q := b.queues[strings.ToLower(name)]; q != nil {
		for h, t := range q.hours {
			if h.Day == b.day {
				totals.Add(t)
			}
		}
	}
	return totals
}

// Queues are the names of the queues of which there are figures, sorted.
func (b *Book) Queues() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for _, q := range b.queues {
			if !yield(q.name) {
				return
			}
		}
	})
}

// An Agent is a person as it is now. It is good until the next event.
type Agent struct {
	Name    string    // MemberName; the interface of a member without one; "Agent:ID"
	Status  string    // Talking, Ringing, Idle, Paused, Unavailable: the busiest of its members
	Since   time.Time // that of Status, zero where nobody saw it begin
	Members []Membership

	day string
	of  *person
}

// A Membership is a queue that an agent is, or today was, a member of. Of one that was, Interface is the
// agent's last one.
type Membership struct {
	Queue, Interface, Name, StateInterface string

	Current bool
	status  string // of a current one
}

// Only leaves of an agent the memberships that sees is true for, and what they tell.
func (a *Agent) Only(sees func(Membership) bool) {
	before := len(a.Members)
	a.Members = slices.DeleteFunc(a.Members, func(m Membership) bool { return !sees(m) })
	if len(a.Members) == before {
		return
	}
	status := "Unavailable"
	for _, m := range a.Members {
		status = busier(status, m.status)
	}
	if status != a.Status {
		a.Status, a.Since = status, time.Time{}
	}
}

// Agents are all people that are members, or were today, and the agents of app_agent_pool that
// were logged in, by name. What ends now is counted up to now.
func (b *Book) Agents(now time.Time) iter.Seq[Agent] {
	people := slices.SortedFunc(maps.Values(b.people), func(x, y *person) int { return cmp.Compare(x.name, y.name) })
	return func(yield func(Agent) bool) {
		for _, p := range people {
			if !yield(b.agent(p, now)) {
				return
			}
		}
	}
}

func (b *Book) agent(p *person, now time.Time) Agent {
	if b.lost.IsZero() {
		b.settle(p, now, false, false)
	}
	a := Agent{Name: p.name, Status: p.status, Since: p.since, day: b.day, of: p}
	seen := map[string]bool{}
	for _, m := range p.members {
		a.Members = append(a.Members, Membership{m.queue, m.iface, m.name, m.states, true, m.does()})
		seen[m.queue] = true
	}
	for of := range p.totals {
		if of.queue != "" && of.Day == b.day && !seen[of.queue] {
			seen[of.queue] = true
			a.Members = append(a.Members, Membership{Queue: of.queue, Interface: cmp.Or(p.iface, p.name), Name: p.name})
		}
	}
	slices.SortStableFunc(a.Members, func(x, y Membership) int { return cmp.Compare(x.Queue, y.Queue) })
	return a
}

// PoolAgent is the name of whom an agent of app_agent_pool is, "" while nobody knows of it.
func (b *Book) PoolAgent(id string) string {
	if p := b.pools[strings.ToLower(id)]; p != nil {
		return p.name
	}
	return ""
}

// Pools are the ids of the agents of app_agent_pool that the agent is, in lower case.
func (a *Agent) Pools() []string { return a.of.pools }

// Totals are the agent's figures of the day, those of calls of the queues that count says.
func (a *Agent) Totals(count func(queue string) bool) (totals AgentTotals) {
	for of, t := range a.of.totals {
		if of.Day == a.day && (of.queue == "" || count(of.queue)) {
			totals.Add(t)
		}
	}
	return totals
}

// Changed are the queues and agents whose figures or status have changed since it was
// called last.
func (b *Book) Changed(now time.Time) (queues []string, agents []Agent) {
	for q := range b.touched {
		queues = append(queues, q.name)
	}
	for p := range b.moved {
		agents = append(agents, b.agent(p, now))
	}
	clear(b.touched)
	clear(b.moved)
	slices.Sort(queues)
	slices.SortFunc(agents, func(x, y Agent) int { return cmp.Compare(x.Name, y.Name) })
	return queues, agents
}
