package history

import (
	"maps"
	"strings"
	"time"

	"ampd/stats"
)

// What may wait to be written: together some 50 MB.
const (
	mostCalls   = 20_000
	mostEntries = 50_000
	mostRows    = 50_000 // of queues, and of agents
	mostOthers  = 20_000
)

// pending is what is to be written.
type pending struct {
	calls   map[callKey]stats.Call
	entries []stats.Entry
	queues  map[queueKey]stats.QueueRow
	agents  map[agentKey]stats.AgentRow
	gaps    []stats.Gap
	reached []stats.Reached

	since time.Time // of the oldest of them, zero where there is none
	known time.Time // up to when it is known what happened
}

type callKey struct {
	uniqueid, queue string
	joined          int64 // milliseconds
}

type queueKey struct {
	stats.Hour
	queue string // in lower case
}

type agentKey struct {
	stats.Hour
	agent, queue string // in lower case
}

func keyOfCall(c *stats.Call) callKey {
	return callKey{c.Uniqueid, strings.ToLower(c.Queue), c.Joined.UnixMilli()}
}

func keyOfQueue(r *stats.QueueRow) queueKey { return queueKey{r.Hour, strings.ToLower(r.Queue)} }

func keyOfAgent(r *stats.AgentRow) agentKey {
	return agentKey{r.Hour, strings.ToLower(r.Agent), strings.ToLower(r.Queue)}
}

func newPending() *pending {
	return &pending{
		calls:  map[callKey]stats.Call{},
		queues: map[queueKey]stats.QueueRow{},
		agents: map[agentKey]stats.AgentRow{},
	}
}

// losses are how many things found no room, by their kinds.
type losses struct{ calls, activity, figures, others int }

// add takes a batch, which is later than all that is there.
func (p *pending) add(b *stats.Batch, known, now time.Time) (lost losses) {
	for i := range b.Calls {
		lost.calls += put(p.calls, keyOfCall(&b.Calls[i]), b.Calls[i], mostCalls)
	}
	for i := range b.Queues {
		lost.figures += put(p.queues, keyOfQueue(&b.Queues[i]), b.Queues[i], mostRows)
	}
	for i := range b.Agents {
		lost.figures += put(p.agents, keyOfAgent(&b.Agents[i]), b.Agents[i], mostRows)
	}
	p.entries, lost.activity = join(p.entries, b.Entries, mostEntries)
	var gaps, reached int
	p.gaps, gaps = join(p.gaps, b.Gaps, mostOthers)
	p.reached, reached = join(p.reached, b.Reached, mostOthers)
	lost.others = gaps + reached
	if p.since.IsZero() && !p.empty() {
		p.since = now
	}
	if known.After(p.known) {
		p.known = known
	}
	return lost
}

// follow takes what came after p, the batches of another pending.
func (p *pending) follow(later *pending) losses {
	b := &stats.Batch{Entries: later.entries, Gaps: later.gaps, Reached: later.reached}
	for c := range maps.Values(later.calls) {
		b.Calls = append(b.Calls, c)
	}
	for r := range maps.Values(later.queues) {
		b.Queues = append(b.Queues, r)
	}
	for r := range maps.Values(later.agents) {
		b.Agents = append(b.Agents, r)
	}
	return p.add(b, later.known, later.since)
}

func (p *pending) empty() bool {
	return len(p.calls)+len(p.entries)+len(p.queues)+len(p.agents)+len(p.gaps)+len(p.reached) == 0
}

// put takes one thing, in place of what it was before; lost is 1 where there is no room.
func put[K comparable, V any](all map[K]V, key K, one V, most int) (lost int) {
	if _, known := all[key]; !known && len(all) >= most {
		return 1
	}
	all[key] = one
	return 0
}

func join[T any](all, more []T, most int) (joined []T, lost int) {
	n := min(len(more), max(0, most-len(all)))
	return append(all, more[:n]...), len(more) - n
}
