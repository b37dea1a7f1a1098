package stats

import (
	"maps"
	"slices"
	"time"
)

// A Batch is what happened since the last one. Calls and totals are as they are now, whole, and
// take the place of what was written of them before.
type Batch struct {
	Calls   []Call // one by one: a call is known by Uniqueid, Queue and Joined
	Entries []Entry
	Queues  []QueueRow
	Agents  []AgentRow
	Gaps    []Gap
	Reached []Reached

	// What is to be taken; owned by the Book.
	calls  map[*openCall]bool
	queues map[queueHour]bool
	agents map[personHour]bool
}

// QueueRow is a queue's hour.
type QueueRow struct {
	Hour
	Queue  string
	Totals QueueTotals
}

// AgentRow is an agent's hour for a queue. With Queue "" it has the times that belong to
// no queue, which are counted up to Until.
type AgentRow struct {
	Hour
	Agent, Queue string
	Totals       AgentTotals
	Until        time.Time
}

// Reached is a number that was called and answered.
type Reached struct {
	Digits string // see Digits
	Time   time.Time
}

type queueHour struct {
	queue *queueFigures
	Hour
}

type personHour struct {
	person *person
	agentHour
}

func newBatch() *Batch {
	return &Batch{calls: map[*openCall]bool{}, queues: map[queueHour]bool{}, agents: map[personHour]bool{}}
}

// tell says that a call has changed.
func (b *Book) tell(c *openCall) {
	if b.news != nil {
		b.news.calls[c] = true
	}
}

func (n *Batch) reached(number string, now time.Time) {
	n.Reached = append(n.Reached, Reached{Digits(number), now})
}

// Take returns what happened since it was called last; the first call begins that. The batch is
// the caller's.
func (b *Book) Take() *Batch {
	n := b.news
	b.news = newBatch()
	if n == nil {
		return &Batch{}
	}
	for c := range n.calls {
		n.Calls = append(n.Calls, c.Call)
	}
	for of := range n.queues {
		if t := of.queue.hours[of.Hour]; t != nil {
			n.Queues = append(n.Queues, QueueRow{of.Hour, of.queue.name, *t})
		}
	}
	for of := range n.agents {
		if t := of.person.totals[of.agentHour]; t != nil {
			row := AgentRow{Hour: of.Hour, Agent: of.person.name, Queue: of.queue, Totals: *t, Until: of.person.settled}
			row.Totals.PausedFor = maps.Clone(t.PausedFor)
			n.Agents = append(n.Agents, row)
		}
	}
	n.calls, n.queues, n.agents = nil, nil, nil
	return n
}

// A Past is what a history knows when ampd starts.
type Past struct {
	Since   time.Time // the first moment that it has of what is now known
	Until   time.Time // when it was written last, zero for never
	Queues  []QueueRow
	Agents  []AgentRow
	Entries []Entry // of the day, in order
	Calls   []Call  // that had not ended
	Gaps    []Gap   // of the day
}

// Restore goes on with what was counted before ampd started: today and the day before. It is to
// be called before Loaded.
func (b *Book) Restore(past *Past) {
	if past.Until.IsZero() {
		return
	}
	b.since = past.Since
	b.gaps = slices.Clone(past.Gaps)
	if b.news == nil {
		b.news = newBatch()
	}
	b.lost, b.why = past.Until, "ampd was not running"
	for _, r := range past.Queues {
		*b.hour(r.Queue, r.Hour) = r.Totals
	}
	for _, r := range past.Agents {
		p := b.personCalled(r.Agent)
		if r.Queue == "" && r.Until.After(p.resume) {
			p.resume = r.Until
		}
		*b.agentHour(p, r.Hour, r.Queue) = r.Totals
	}
	for _, e := range past.Entries {
		b.remember(b.personCalled(e.Agent), e)
	}
	for _, call := range past.Calls {
		c := &openCall{Call: call, hour: b.calendar.Hour(call.Joined)}
		if call.Outcome == None {
			if before := b.waiting[c.Uniqueid]; before != nil {
				b.decide(before, Unknown, past.Until)
			}
			b.waiting[c.Uniqueid] = c
			continue
		}
		c.taken = b.calendar.Hour(call.Answered)
		c.person = b.personCalled(call.Agent)
		c.person.calls++
		b.talks(c, past.Until)
	}
	clear(b.news.queues)
	clear(b.news.agents)
}

// Known is up to when it is known what happened: now, or since when nobody watches; zero where
// nothing was known yet.
func (b *Book) Known(now time.Time) time.Time {
	switch {
	case b.lost.IsZero():
		return now
	case b.why == "":
		return time.Time{}
	}
	return b.lost
}
