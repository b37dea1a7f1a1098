package stats

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"ampd/codec"
	"ampd/pbx"
)

// A Book counts what happens in the queues of one Asterisk, and what the agents do there.
type Book struct {
	calendar Calendar
	short    int64 // a wait shorter than this is a short abandon, in seconds
	state    *pbx.State
	began    time.Time // when the Book was made
	since    time.Time // nothing from before is counted
	day      string    // the last one that has begun
	first    string    // the day before: the first one whose hours are held

	queues  map[string]*queueFigures // by the name in lower case
	waiting map[string]*openCall     // by Uniqueid: undecided
	talking map[string]*openCall     // by the Uniqueid of the agent's channel
	ended   map[string]*openCall     // that were among those up to patience ago
	people  map[string]*person       // see personKey
	members map[string]*membership   // by queue and interface in lower case
	pools   map[string]*person       // by the id of app_agent_pool in lower case

	queueSums sums[QueueTotals]
	agentSums sums[AgentTotals]

	wrapUps map[string]int64 // of queues by their names in lower case, in seconds

	lost time.Time // since when nobody knows what happens, zero while it is known
	why  string    // that is so; "" where nothing was known before either
	gaps []Gap

	news    *Batch                 // what nobody took yet; nil while nobody wants it
	touched map[*queueFigures]bool // since the last Changed
	moved   map[*person]bool       // since the last Changed
}

// A Gap is a time in which nobody watched.
type Gap struct {
	Begin, End time.Time
	Reason     string // "Asterisk was lost", "ampd was not running"
}

type queueFigures struct {
	name  string
	sum   int // in Book.queueSums
	hours map[Hour]*QueueTotals
}

// NewBook counts from now on. state is the tracked one, always as it is behind the event
// that Observe is called with; it is only read.
func NewBook(c Config, state *pbx.State, now time.Time) *Book {
	b := &Book{
		calendar: NewCalendar(c), short: int64(c.ShortAbandon.Std() / time.Second), state: state,
		began: now, since: now, lost: now,
		queues: map[string]*queueFigures{}, waiting: map[string]*openCall{}, talking: map[string]*openCall{}, ended: map[string]*openCall{},
		people: map[string]*person{}, members: map[string]*membership{}, pools: map[string]*person{},
		queueSums: newSums[QueueTotals](QueuesMost), agentSums: newSums[AgentTotals](AgentsMost),
		touched: map[*queueFigures]bool{}, moved: map[*person]bool{},
	}
	b.day = b.calendar.Hour(now).Day
	b.first = b.calendar.Before(b.day)
	return b
}

var (
	queueStatus = []byte("QUEUESTATUS")
	madeUp      = "AmpdSynthetic"
)

// Observe takes an event, in Asterisk's order, and those that are made up to correct the
// state. Of p only copies are kept.
func (b *Book) Observe(p *codec.Packet, now time.Time) {
	if !b.lost.IsZero() {
		return
	}
	switch p.Name() {
	case "VarSet":
		if bytes.Contains(p.Raw, queueStatus) && p.Get("Variable") == "QUEUESTATUS" {
			b.queueStatus(p, now)
		}
	case "Newexten":
		// A key that leads out of the queue is told by one of the Queue application before Leave
		// (observed with Asterisk 16 and 22).
		if c := b.waits(p); c != nil && (c.left || !strings.EqualFold(p.Get("Application"), "Queue")) {
			b.goesOn(c, now)
		}
	case "Hangup":
		if c := b.waits(p); c != nil {
			c.guessed = c.guessed || p.Get(madeUp) != ""
			b.goesOn(c, now)
		}
	case "QueueCallerJoin":
		b.join(p, now)
	case "QueueCallerLeave":
		if c := b.waits(p); c != nil {
			c.left = true
			c.guessed = c.guessed || p.Get(madeUp) != ""
			b.touch(c.Queue)
		}
	case "QueueCallerAbandon":
		if c := b.waits(p); c != nil {
			c.abandoned = true
			c.Wait = seconds(p, "HoldTime", c.waited(now))
		}
	case "AgentCalled":
		b.called(p, now)
	case "AgentRingNoAnswer":
		b.notAnswered(p, now)
	case "AgentConnect":
		b.connect(p, now)
	case "AgentComplete":
		b.complete(p, now)
	case "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberStatus", "QueueMemberRinginuse", "QueueMemberPenalty":
		b.member(p, now)
	case "AgentLogin":
		b.poolLogin(p.Get("Agent"), now)
	case "AgentLogoff":
		b.poolLogoff(p.Get("Agent"), now)
	case "DialEnd":
		b.dialled(p, now)
	}
}

// waits is the undecided call of an event's channel, or nil.
func (b *Book) waits(p *codec.Packet) *openCall {
	if len(b.waiting) == 0 {
		return nil
	}
	return b.waiting[p.Get("Uniqueid")]
}

// Lost says that from now on nobody knows what happens.
func (b *Book) Lost(now time.Time) {
	if !b.lost.IsZero() {
		return
	}
	b.lost, b.why = now, "Asterisk was lost"
	for _, p := range b.people {
		b.settle(p, now, true, true)
		p.resume = now
		p.loggedIn, p.paused = time.Time{}, time.Time{}
	}
	for _, c := range b.talking {
		c.parted = b.state.Channel(c.Channel) == nil
	}
}

// Loaded says that the state is what Asterisk's lists say, and that the next events will be
// observed. What was under way and is no more has ended unknown.
func (b *Book) Loaded(now time.Time) {
	since := map[string]time.Time{}
	for q := range b.state.Queues() {
		for _, caller := range q.Callers {
			since[caller.Uniqueid] = caller.Since
		}
	}
	for _, c := range slices.Collect(maps.Values(b.waiting)) {
		ch := b.state.Channel(c.Uniqueid)
		again := since[c.Uniqueid].Add(-time.Second).After(b.lost) // Asterisk tells whole seconds
		if ch != nil && strings.EqualFold(ch.Queue, c.Queue) && !again {
			continue
		}
		c.left, c.guessed = true, true
		if ch == nil || ch.Queue != "" || c.abandoned {
			b.goesOn(c, now)
		} // else an agent may have the caller: what comes next tells
	}
	for _, c := range slices.Collect(maps.Values(b.talking)) {
		if b.state.Channel(c.Uniqueid) == nil || b.state.Channel(c.Channel) == nil && !c.parted {
			b.end(c, "unknown", 0, now)
		}
	}
	for q := range b.state.Queues() {
		b.queueSums.of(q.Name)
		for i, caller := range q.Callers {
			if ch := b.state.Channel(caller.Uniqueid); b.waiting[caller.Uniqueid] == nil && ch != nil {
				b.joined(&openCall{Call: Call{
					Queue: q.Name, Uniqueid: ch.Uniqueid, Linkedid: ch.Linkedid, Number: ch.CallerIDNum, Name: ch.CallerIDName,
					Joined: caller.Since, Position: i + 1,
				}})
			}
		}
	}
	b.loadPeople(now)
	if b.why == "" {
		b.since = now
	} else if now.After(b.lost) {
		g := Gap{b.lost, now, b.why}
		b.gaps = append(b.gaps, g)
		if b.news != nil {
			b.news.Gaps = append(b.news.Gaps, g)
		}
	}
	b.lost = time.Time{}
}

// WrapUps says how long queues leave their members alone after a call, in seconds, by their names
// in lower case: no event and no list tells it. The map is the Book's from now on.
func (b *Book) WrapUps(seconds map[string]int64) { b.wrapUps = seconds }

// Tick is to be called about once a second: time passes.
func (b *Book) Tick(now time.Time) {
	// A clock that is put back begins no day anew, unless it was wrong by more than a day.
	if day := b.calendar.Hour(now).Day; day > b.day || day < b.first {
		b.turn(day, now)
	}
	if !b.lost.IsZero() {
		return
	}
	for _, p := range b.people {
		if p.wrapping(now) {
			b.update(p, now)
		}
		if now.Sub(p.settled) >= time.Minute {
			b.settle(p, now, false, false)
		}
	}
	b.sweep(now)
}

// turn begins a day: what is older than the day before is forgotten.
func (b *Book) turn(day string, now time.Time) {
	b.day, b.first = day, b.calendar.Before(day)
	for _, p := range b.people {
		b.settle(p, now, false, false)
	}
	if b.since.After(now) {
		b.since = now
	}
	begin, _ := b.calendar.Begin(b.first)
	old := func(h Hour) bool { return h.Day < b.first || h.Day > day }
	for key, q := range b.queues {
		maps.DeleteFunc(q.hours, func(h Hour, _ *QueueTotals) bool { return old(h) })
		if b.touched[q] = true; len(q.hours) == 0 && b.state.Queue(q.name) == nil {
			delete(b.queues, key)
			delete(b.touched, q)
		}
	}
	for key, p := range b.people {
		maps.DeleteFunc(p.totals, func(of agentHour, _ *AgentTotals) bool { return old(of.Hour) })
		p.entries = slices.DeleteFunc(p.entries, func(e Entry) bool { return e.Time.Before(begin) })
		if b.moved[p] = true; len(p.totals) == 0 && len(p.members) == 0 && len(p.pools) == 0 && p.calls == 0 {
			delete(b.people, key)
			delete(b.moved, p)
		}
	}
	b.gaps = slices.DeleteFunc(b.gaps, func(g Gap) bool { return old(b.calendar.Hour(g.End)) })
}

func (b *Book) queue(name string) *queueFigures {
	q := b.queues[name]
	if q == nil {
		key := strings.ToLower(name)
		if q = b.queues[key]; q == nil {
			key = strings.Clone(key)
			q = &queueFigures{name: strings.Clone(name), sum: b.queueSums.of(name), hours: map[Hour]*QueueTotals{}}
			b.queues[key] = q
		}
	}
	return q
}

// touch says that what is shown of a queue has changed.
func (b *Book) touch(queue string) { b.touched[b.queue(queue)] = true }

// count counts n of a queue: in an hour, and in its sums.
func (b *Book) count(queue string, h Hour, n QueueTotals) {
	b.hour(queue, h).Add(&n)
	b.queueSums.add(b.queue(queue).sum, QueueColumns, &n)
}

// hour is a queue's hour, which is about to change. One that is no longer held is kept nowhere.
func (b *Book) hour(queue string, h Hour) *QueueTotals {
	if h.Day < b.first {
		return &QueueTotals{}
	}
	q := b.queue(queue)
	b.touched[q] = true
	t := q.hours[h]
	if t == nil {
		t = &QueueTotals{}
		q.hours[h] = t
	}
	if b.news != nil {
		b.news.queues[queueHour{q, h}] = true
	}
	return t
}
