package stats

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
	"ampd/pbx"
)

// A person is who takes calls: all members with one MemberName, whatever their interfaces
// and queues, and the agent of app_agent_pool that one of them stands for.
type person struct {
	name    string // MemberName; the interface where that has none; "Agent:ID"
	iface   string // in a queue, the last one
	members []*membership
	pools   []string // ids of app_agent_pool that are this person, in lower case
	on      []string // those of them that are logged in

	sum     int // in Book.agentSums
	totals  map[agentHour]*AgentTotals
	entries []Entry

	// Counted up to these moments; zero while the person is not.
	loggedIn, paused time.Time
	reason           string
	settled          time.Time
	resume           time.Time // the person's times are counted up to here, when others take over

	calls int // that are not over
	wrap  struct {
		from, until time.Time
		hour        Hour
		queue       string
	}
	status string
	since  time.Time // that of status, zero where nobody saw it begin
}

// An agentHour is what an agent did in an hour for a queue; Queue "" has the times that belong
// to no queue.
type agentHour struct {
	Hour
	queue string
}

// A membership is a person's place in a queue.
type membership struct {
	person *person
	queue  string
	iface  string
	name   string
	states string // StateInterface

	status, inCall string
	paused         bool
	reason         string
	wrapuptime     int64     // its own, in seconds; 0: that of the queue
	login, pause   time.Time // as Asterisk says; zero where it does not
}

const poolPrefix = "Agent:"

func memberKey(queue, iface string) string { return strings.ToLower(queue + "\n" + iface) }

// unix is the moment that Asterisk writes as a number, zero for none.
func unix(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// personCalled is the person of that name, made known where it was not.
func (b *Book) personCalled(name string) *person {
	key := strings.ToLower(name)
	p := b.people[key]
	if p == nil {
		p = &person{name: strings.Clone(name), sum: b.agentSums.of(name), totals: map[agentHour]*AgentTotals{}}
		b.people[strings.Clone(key)] = p
	}
	return p
}

// personOf is the member's person, also where the member is not known.
func (b *Book) personOf(queue, iface, name string) *person {
	if m := b.members[memberKey(queue, iface)]; m != nil {
		return m.person
	}
	if name == "" {
		name = iface
	}
	return b.personCalled(name)
}

// countAgent counts n of a person: in an hour, and in its sums.
func (b *Book) countAgent(p *person, h Hour, queue string, n AgentTotals) {
	b.countBefore(p, h, queue, n)
	b.agentSums.add(p.sum, AgentColumns, &n)
}

// countBefore counts n in an hour only: it was before the Book was made.
func (b *Book) countBefore(p *person, h Hour, queue string, n AgentTotals) {
	b.agentHour(p, h, queue).Add(&n)
}

// agentHour is what a person did in an hour, which is about to change. An hour that is no longer held
// is kept nowhere.
func (b *Book) agentHour(p *person, h Hour, queue string) *AgentTotals {
	if h.Day < b.first {
		return &AgentTotals{}
	}
	of := agentHour{h, queue}
	if queue != "" {
		of.queue = b.queue(queue).name
	}
	t := p.totals[of]
	if t == nil {
		t = &AgentTotals{}
		p.totals[of] = t
	}
	if b.news != nil {
		b.news.agents[personHour{p, of}] = true
	}
	return t
}

// member takes an event about a member of a queue.
func (b *Book) member(p *codec.Packet, now time.Time) {
	queue, iface := p.Get("Queue"), p.Get("Interface")
	if p.Name() == "QueueMemberRemoved" {
		if m := b.members[memberKey(queue, iface)]; m != nil {
			b.removed(m, now)
		}
		return
	}
	q := b.state.Queue(queue)
	if q == nil {
		return
	}
	facts := q.Member(iface)
	if facts == nil {
		return
	}
	m, added := b.know(facts, now)
	if added {
		b.record(m.person, Entry{Time: now, What: "Login", Interface: m.iface, Name: m.name, Queue: m.queue})
	}
	if was := m.paused; was != (facts.Paused == "1") || m.reason != facts.PausedReason {
		b.tellPause(m, facts, now)
	}
	m.take(facts)
	b.touch(m.queue)
	b.update(m.person, now)
}

// tellPause notes what a member does now; it is before the membership takes it over.
func (b *Book) tellPause(m *membership, facts *pbx.Member, now time.Time) {
	switch {
	case facts.Paused == "1":
		b.record(m.person, Entry{Time: now, What: "Pause", Interface: m.iface, Name: m.name, Queue: m.queue, Reason: strings.Clone(facts.PausedReason)})
	case m.paused:
		b.record(m.person, Entry{Time: now, What: "Unpause", Interface: m.iface, Name: m.name, Queue: m.queue})
	}
}

// know finds a membership, made known where it was not, under the person that it is now.
func (b *Book) know(facts *pbx.Member, now time.Time) (m *membership, added bool) {
	key := memberKey(facts.Queue, facts.Interface)
	name := facts.Name
	if name == "" {
		name = facts.Interface
	}
	if m = b.members[key]; m == nil {
		m = &membership{queue: strings.Clone(facts.Queue), iface: strings.Clone(facts.Interface)}
		b.members[key] = m
		added = true
	}
	if m.person == nil || m.name != name || !strings.EqualFold(m.states, facts.StateInterface) {
		before, stood := m.person, poolID(m.states)
		if before != nil {
			before.members = without(before.members, m)
		}
		m.name, m.states = strings.Clone(name), strings.Clone(facts.StateInterface)
		m.person = b.personCalled(name)
		m.person.members = append(m.person.members, m)
		if id := poolID(m.states); id != "" {
			b.standsFor(m.person, id, now)
		}
		if before != nil {
			if stood != "" && b.pools[strings.ToLower(stood)] == before && !before.hasMember(stood) {
				itself := b.personCalled(poolPrefix + stood)
				b.standsFor(itself, stood, now)
				b.update(itself, now)
			}
			b.update(before, now)
		}
	}
	return m, added
}

// hasMember tells whether one of the person's members stands for that agent of app_agent_pool.
func (p *person) hasMember(id string) bool {
	return slices.ContainsFunc(p.members, func(m *membership) bool { return strings.EqualFold(poolID(m.states), id) })
}

func (m *membership) take(facts *pbx.Member) {
	m.status, m.inCall = strings.Clone(facts.Status), strings.Clone(facts.InCall)
	m.paused, m.reason = facts.Paused == "1", strings.Clone(facts.PausedReason)
	m.login, m.pause = unix(facts.LoginTime), unix(facts.LastPause)
	m.wrapuptime, _ = strconv.ParseInt(facts.Wrapuptime, 10, 64)
}

func (b *Book) removed(m *membership, now time.Time) {
	delete(b.members, memberKey(m.queue, m.iface))
	m.person.members = without(m.person.members, m)
	b.agentHour(m.person, b.calendar.Hour(now), m.queue) // who was a member today is shown
	b.record(m.person, Entry{Time: now, What: "Logoff", Interface: m.iface, Name: m.name, Queue: m.queue})
	b.touch(m.queue)
	b.update(m.person, now)
}

func without[T comparable](all []T, one T) []T {
	return slices.DeleteFunc(all, func(other T) bool { return other == one })
}

// poolID is the agent of app_agent_pool whose state a member's is, or "".
func poolID(states string) string {
	if len(states) > len(poolPrefix) && strings.EqualFold(states[:len(poolPrefix)], poolPrefix) {
		return states[len(poolPrefix):]
	}
	return ""
}

// standsFor makes the pool's agent that person.
func (b *Book) standsFor(p *person, id string, now time.Time) {
	key := strings.ToLower(id)
	before := b.pools[key]
	if before == p {
		return
	}
	b.pools[key] = p
	p.pools = append(p.pools, key)
	if before == nil {
		return
	}
	before.pools = without(before.pools, key)
	if slices.Contains(before.on, key) {
		before.on = without(before.on, key)
		p.on = append(p.on, key)
	}
	b.update(before, now)
}

// pool is the person of a pool's agent.
func (b *Book) pool(id string, now time.Time) *person {
	key := strings.ToLower(id)
	if p := b.pools[key]; p != nil {
		return p
	}
	b.standsFor(b.personCalled(poolPrefix+id), id, now)
	return b.pools[key]
}

func (b *Book) poolLogin(id string, now time.Time) {
	if id == "" {
		return
	}
	p := b.pool(id, now)
	p.logIn(id)
	b.record(p, Entry{Time: now, What: "Login", Interface: poolPrefix + strings.Clone(id), Name: p.name})
	b.update(p, now)
}

// logIn says that an agent of app_agent_pool is logged in.
func (p *person) logIn(id string) {
	if key := strings.ToLower(id); !slices.Contains(p.on, key) {
		p.on = append(p.on, key)
	}
}

func (b *Book) poolLogoff(id string, now time.Time) {
	if id == "" {
		return
	}
	p := b.pool(id, now)
	p.on = without(p.on, strings.ToLower(id))
	b.record(p, Entry{Time: now, What: "Logoff", Interface: poolPrefix + strings.Clone(id), Name: p.name})
	b.update(p, now)
}

// isLoggedIn: an agent of the pool is by its own login; anybody else by being a member.
func (p *person) isLoggedIn() bool {
	if len(p.pools) > 0 {
		return len(p.on) > 0
	}
	return len(p.members) > 0
}

// isPaused tells whether the person is paused in all queues, and why: the latest reason.
func (p *person) isPaused() (paused bool, reason string) {
	var latest time.Time
	for i, m := range p.members {
		if !m.paused {
			return false, ""
		}
		if i == 0 || m.pause.After(latest) {
			reason, latest = m.reason, m.pause
		}
	}
	return len(p.members) > 0 && p.isLoggedIn(), reason
}

// update takes over what the person does now. What was before is counted first. While nobody
// watches it does nothing: Loaded says all anew.
func (b *Book) update(p *person, now time.Time) {
	if !b.lost.IsZero() {
		return
	}
	b.moved[p] = true
	p.changedStatus(now)
	paused, reason := p.isPaused()
	loggedIn := p.isLoggedIn()
	if !p.wrap.from.IsZero() && (!now.Before(p.wrap.until) || paused || !loggedIn || p.calls > 0) {
		b.endWrapUp(p, now)
	}
	if loggedIn == !p.loggedIn.IsZero() && paused == !p.paused.IsZero() && reason == p.reason {
		return
	}
	b.settle(p, now, !loggedIn, !paused || reason != p.reason)
	p.loggedIn = begun(loggedIn, p.loggedIn, now)
	if reason != p.reason {
		p.paused = time.Time{}
	}
	p.paused, p.reason = begun(paused, p.paused, now), reason
}

// begun is since when something is counted.
func begun(is bool, since, now time.Time) time.Time {
	switch {
	case !is:
		return time.Time{}
	case since.IsZero():
		return now
	}
	return since
}

// settle counts the person's times up to now: out and unpaused say of which one the fraction of a
// second is not to be counted later.
func (b *Book) settle(p *person, now time.Time, out, unpaused bool) {
	p.settled = now
	b.settleBy(p, now, out, unpaused, b.countAgent)
}

func (b *Book) settleBy(p *person, now time.Time, out, unpaused bool, count func(p *person, h Hour, queue string, n AgentTotals)) {
	p.loggedIn = b.spread(p.loggedIn, now, out, func(at time.Time, n int64) {
		count(p, b.calendar.Hour(at), "", AgentTotals{LoggedIn: n})
	})
	p.paused = b.spread(p.paused, now, unpaused, func(at time.Time, n int64) {
		count(p, b.calendar.Hour(at), "", AgentTotals{Paused: n})
		b.agentHour(p, b.calendar.Hour(at), "").pausedFor(p.reason, n)
	})
}

// spread counts the whole seconds from a moment to another, those of each hour from the moment
// at, and returns up to where it has counted.
func (b *Book) spread(from, to time.Time, final bool, count func(at time.Time, n int64)) time.Time {
	if from.IsZero() {
		return from
	}
	from = to.Add(-to.Sub(from)) // by the clock as it shows now: it may have been put since
	for from.Before(to) {
		end, whole := to, final
		if next := b.calendar.next(from); !next.After(to) {
			end, whole = next, true
		}
		n := end.Sub(from)
		if whole {
			n = n.Round(time.Second)
		} else {
			n = n.Truncate(time.Second)
		}
		if n > 0 {
			count(from, int64(n/time.Second))
		}
		if !whole {
			return from.Add(n)
		}
		from = end
	}
	return from
}

// called counts that a member is rung.
func (b *Book) called(p *codec.Packet, now time.Time) {
	if p.Get("Queue") == "" {
		return
	}
	person := b.personOf(p.Get("Queue"), p.Get("Interface"), p.Get("MemberName"))
	b.endWrapUp(person, now)
	b.countAgent(person, b.calendar.Hour(now), p.Get("Queue"), AgentTotals{Offered: 1})
	b.update(person, now)
}

func (b *Book) notAnswered(p *codec.Packet, now time.Time) {
	queue, iface := p.Get("Queue"), p.Get("Interface")
	if queue == "" {
		return
	}
	person := b.personOf(queue, iface, p.Get("MemberName"))
	b.countAgent(person, b.calendar.Hour(now), queue, AgentTotals{NotAnswered: 1})
	b.record(person, Entry{
		Time: now, What: "Missed", Interface: strings.Clone(iface), Name: person.name, Queue: b.queue(queue).name,
		Uniqueid: strings.Clone(p.Get("Uniqueid")), Seconds: seconds(p, "RingTime", 0) / 1000,
	})
	b.update(person, now)
}

// entry notes what became of a call.
func (b *Book) entry(c *openCall, now time.Time, what string, n int64) {
	if c.person != nil {
		b.record(c.person, Entry{Time: now, What: what, Interface: c.Interface, Name: c.Agent, Queue: b.queue(c.Queue).name, Uniqueid: c.Uniqueid, Seconds: n})
	}
}

// wrapUp begins the time after a call.
func (b *Book) wrapUp(p *person, c *openCall, now time.Time) {
	m := b.members[memberKey(c.Queue, c.Interface)]
	if m == nil || p.calls > 0 {
		return
	}
	wrapuptime := m.wrapuptime
	if wrapuptime <= 0 {
		wrapuptime = b.wrapUps[strings.ToLower(c.Queue)]
	}
	if wrapuptime <= 0 {
		return
	}
	p.wrap.from, p.wrap.until = now, now.Add(time.Duration(wrapuptime)*time.Second)
	p.wrap.hour, p.wrap.queue = b.calendar.Hour(now), c.Queue
}

// wrapping tells whether the time after a call is over.
func (p *person) wrapping(now time.Time) bool {
	return !p.wrap.from.IsZero() && !now.Before(p.wrap.until)
}

func (b *Book) endWrapUp(p *person, now time.Time) {
	if p.wrap.from.IsZero() {
		return
	}
	end := p.wrap.until
	if now.Before(end) {
		end = now
	}
	if n := int64(end.Sub(p.wrap.from).Round(time.Second) / time.Second); n > 0 {
		b.countAgent(p, p.wrap.hour, p.wrap.queue, AgentTotals{WrapUp: n})
	}
	p.wrap.from, p.wrap.until = time.Time{}, time.Time{}
}
