package queuelog

import (
	"slices"
	"strings"
	"time"
)

// Rules say what queue_log does not.
type Rules struct {
	From, Until  time.Time           // the time that counts, From inclusive
	ShortAbandon int                 // an abandoned caller who waited for less seconds
	ServiceLevel map[string]int      // seconds, by queue
	Static       map[string][]string // the queues of members of queues.conf, by MemberName
	PoolNames    map[string]string   // the MemberName of agents of app_agent_pool, by id
}

// Queue has the figures of a queue: of the calls that joined it in the time that counts.
type Queue struct {
	Offered, Answered, Abandoned, ShortAbandoned, TimedOut, ExitedKey, LeftEmpty, Withdrawn int
	RefusedFull, RefusedEmpty, Transferred, CompletedByAgent, CompletedByCaller             int
	HoldTime, LongestHold, AbandonTime, LongestAbandon, TalkTime, LongestTalk               int // seconds
	AnsweredInTime                                                                          int
}

// Decided is how many of the callers who joined are gone or were answered, those apart who
// abandoned at once.
func (q *Queue) Decided() int {
	return q.Answered + q.Abandoned + q.TimedOut + q.ExitedKey + q.LeftEmpty + q.Withdrawn - q.ShortAbandoned
}

// Agent has the figures of a person: of the rings and calls that began, and the seconds that
// passed, in the time that counts.
type Agent struct {
	Answered, NotAnswered, Cancelled int // Cancelled: the caller went while it rang
	TalkTime, LongestTalk            int
	LoggedIn, Paused                 int
	PausedBy                         map[string]int // by the reason
	Logins, Pauses                   int            // intervals of LoggedIn and PausedBy: each may be a second off
}

// Day is what a queue_log has about a time. Agents are known by their names in lower case.
type Day struct {
	Queues map[string]*Queue
	Agents map[string]*Agent
}

// Compute computes the figures. Agents whose login has no end are logged in until the end of
// the time that counts, and so are members of queues.conf from the start of the queues on.
func Compute(lines []Line, rules Rules) Day {
	c := &computer{
		Rules: rules, day: Day{map[string]*Queue{}, map[string]*Agent{}},
		joined: map[string]bool{}, people: map[string]*person{},
	}
	for _, name := range rules.PoolNames {
		c.person(name).pool = true
	}
	for i := range lines {
		c.queueLine(&lines[i])
		c.agentLine(&lines[i])
	}
	for name := range c.people {
		c.member(name, rules.Until, func(p *person) { clear(p.in) })
	}
	return c.day
}

type computer struct {
	Rules
	day    Day
	joined map[string]bool // of calls, whether they joined in the time that counts
	people map[string]*person
}

func (c *computer) counts(t time.Time) bool { return !t.Before(c.From) && t.Before(c.Until) }

func (c *computer) queue(name string) *Queue {
	q := c.day.Queues[name]
	if q == nil {
		q = &Queue{}
		c.day.Queues[name] = q
	}
	return q
}

func (c *computer) queueLine(l *Line) {
	switch l.Event {
	case "ENTERQUEUE":
		c.joined[l.Call] = c.counts(l.Time)
		if c.joined[l.Call] {
			c.queue(l.Queue).Offered++
		}
	case "REFUSEDFULL":
		if c.counts(l.Time) {
			c.queue(l.Queue).RefusedFull++
		}
	case "REFUSEDEMPTY":
		if c.counts(l.Time) {
			c.queue(l.Queue).RefusedEmpty++
		}
	default:
		if c.joined[l.Call] {
			c.queue(l.Queue).add(l, c.ShortAbandon, c.ServiceLevel[l.Queue])
		}
	}
}

// add takes a line of a call that counts.
func (q *Queue) add(l *Line, short, level int) {
	hold, talk := l.Seconds(l.Hold()), l.Seconds(l.Talk())
	switch l.Event {
	case "CONNECT":
		q.Answered++
		q.HoldTime += hold
		q.LongestHold = max(q.LongestHold, hold)
		if hold <= level {
			q.AnsweredInTime++
		}
	case "ABANDON":
		q.Abandoned++
		q.AbandonTime += hold
		q.LongestAbandon = max(q.LongestAbandon, hold)
		if hold < short {
			q.ShortAbandoned++
		}
	case "EXITWITHTIMEOUT":
		q.TimedOut++
	case "EXITWITHKEY":
		q.ExitedKey++
	case "EXITEMPTY":
		q.LeftEmpty++
	case "WITHDRAW":
		q.Withdrawn++
	case "COMPLETEAGENT":
		q.CompletedByAgent++
	case "COMPLETECALLER":
		q.CompletedByCaller++
	case "BLINDTRANSFER", "ATTENDEDTRANSFER":
		q.Transferred++
	}
	q.TalkTime += talk
	q.LongestTalk = max(q.LongestTalk, talk)
}

// A person is an agent in the queues that it is in.
type person struct {
	in       map[string]*membership
	pool     bool // of app_agent_pool
	loggedIn bool // there
	answered map[string]time.Time

	since, pausedSince time.Time // zero while it is not
	reason             string    // of the latest pause
}

type membership struct{ paused bool }

func (c *computer) person(name string) *person {
	key := strings.ToLower(name)
	p := c.people[key]
	if p == nil {
		p = &person{in: map[string]*membership{}, answered: map[string]time.Time{}}
		c.people[key] = p
		c.day.Agents[key] = &Agent{PausedBy: map[string]int{}}
	}
	return p
}

// isIn and isPaused tell whether it is logged in, and whether it is paused wherever it is.
func (p *person) isIn() bool {
	if p.pool {
		return p.loggedIn
	}
	return len(p.in) > 0
}

func (p *person) isPaused() bool {
	for _, m := range p.in {
		if !m.paused {
			return false
		}
	}
	return len(p.in) > 0 && p.isIn()
}

// member changes what a person is and counts the time until then.
func (c *computer) member(name string, now time.Time, change func(*person)) {
	p := c.person(name)
	a := c.day.Agents[strings.ToLower(name)]
	reason := p.reason
	change(p)
	if !p.isIn() && !p.since.IsZero() {
		a.LoggedIn += c.between(p.since, now)
		a.Logins++
		p.since = time.Time{}
	}
	if p.isIn() && p.since.IsZero() {
		p.since = now
	}
	if !p.pausedSince.IsZero() && (!p.isPaused() || p.reason != reason) {
		seconds := c.between(p.pausedSince, now)
		a.Paused += seconds
		a.PausedBy[reason] += seconds
		a.Pauses++
		p.pausedSince = time.Time{}
	}
	if p.isPaused() && p.pausedSince.IsZero() {
		p.pausedSince = now
	}
}

// between is how many seconds of a time count.
func (c *computer) between(from, until time.Time) int {
	if from.Before(c.From) {
		from = c.From
	}
	if until.After(c.Until) {
		until = c.Until
	}
	return max(0, int(until.Sub(from)/time.Second))
}

func (c *computer) agentLine(l *Line) {
	switch l.Event {
	case "QUEUESTART":
		for name, queues := range c.Static {
			for _, queue := range queues {
				c.member(name, l.Time, func(p *person) { p.in[queue] = &membership{} })
			}
		}
	case "ADDMEMBER":
		c.member(l.Agent, l.Time, func(p *person) {
			p.in[l.Queue] = &membership{paused: slices.Contains(l.Data, "PAUSED")}
			if p.in[l.Queue].paused {
				p.reason = "" // the log has none
			}
		})
	case "REMOVEMEMBER":
		c.member(l.Agent, l.Time, func(p *person) { delete(p.in, l.Queue) })
	case "PAUSE", "UNPAUSE":
		c.member(l.Agent, l.Time, func(p *person) {
			if p.in[l.Queue] == nil {
				return
			}
			p.in[l.Queue].paused = l.Event == "PAUSE"
			if l.Event == "PAUSE" {
				p.reason = strings.Join(l.Data, "|")
			}
		})
	case "AGENTLOGIN", "AGENTLOGOFF":
		c.member(c.PoolNames[l.Agent], l.Time, func(p *person) { p.loggedIn = l.Event == "AGENTLOGIN" })
	case "CONNECT":
		c.person(l.Agent).answered[l.Call] = l.Time
		if c.counts(l.Time) {
			c.day.Agents[strings.ToLower(l.Agent)].Answered++
		}
	case "RINGNOANSWER", "RINGCANCELED":
		c.person(l.Agent)
		a := c.day.Agents[strings.ToLower(l.Agent)]
		switch {
		case !c.counts(l.Time):
		case l.Event == "RINGNOANSWER":
			a.NotAnswered++
		default:
			a.Cancelled++
		}
	case "COMPLETEAGENT", "COMPLETECALLER", "BLINDTRANSFER", "ATTENDEDTRANSFER":
		p := c.person(l.Agent)
		a := c.day.Agents[strings.ToLower(l.Agent)]
		talk := l.Seconds(l.Talk())
		a.TalkTime += c.between(l.Time.Add(-time.Duration(talk)*time.Second), l.Time)
		if c.counts(p.answered[l.Call]) {
			a.LongestTalk = max(a.LongestTalk, talk)
		}
		delete(p.answered, l.Call)
	}
}
