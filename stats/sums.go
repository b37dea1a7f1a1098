package stats

import (
	"strings"
	"time"
	"unicode/utf8"

	"ampd/pbx"
)

// QueuesMost and AgentsMost are of how many names there are sums: those that come first, until
// ampd ends. Rest is the name of all others, and of whoever is really called so.
const (
	QueuesMost = 500
	AgentsMost = 2_000
	Rest       = "(other)"
)

// QueueSums are a queue's figures since the Book was made, and what is there now. Those of
// Rest are the sums of several queues.
type QueueSums struct {
	Name   string
	Totals QueueTotals // since the Book was made; what was restored is not in it

	There       bool  // Asterisk has the queue; without it the following have no meaning
	InTime      int64 // today's callers who were answered in time ...
	Decided     int64 // ... and all of whom the service level is the share
	Waiting     int
	LongestWait time.Duration
	Members     [len(Statuses)]int // by status
}

// AgentSums are an agent's figures since the Book was made, PausedFor is none of them, and what
// it does now. Those of Rest are the sums of several agents.
type AgentSums struct {
	Name     string
	Totals   AgentTotals
	Statuses [len(Statuses)]int // how many agents are there, by status
}

// Sums are all queues' and agents', in the order in which they came, each name once. Names are UTF-8; the
// result is the caller's. Nothing in Totals is ever less than it was.
func (b *Book) Sums(now time.Time) (queues []QueueSums, agents []AgentSums) {
	for q := range b.state.Queues() { // also those that have come since Loaded
		b.queueSums.of(q.Name)
	}
	queues = make([]QueueSums, len(b.queueSums.all))
	for i, s := range b.queueSums.all {
		queues[i].Name, queues[i].Totals = s.name, s.totals
	}
	for q := range b.state.Queues() {
		s := &queues[b.queueSums.of(q.Name)]
		s.present(q, now)
		if figures := b.queues[strings.ToLower(q.Name)]; figures != nil {
			for h, t := range figures.hours {
				if h.Day == b.day {
					s.InTime += t.AnsweredInTime
					s.Decided += t.decided()
				}
			}
		}
	}
	agents = make([]AgentSums, len(b.agentSums.all))
	for i, s := range b.agentSums.all {
		agents[i].Name, agents[i].Totals = s.name, s.totals
	}
	for _, p := range b.people {
		s := &agents[p.sum]
		b.spread(p.loggedIn, now, false, func(_ time.Time, n int64) { s.Totals.LoggedIn += n })
		b.spread(p.paused, now, false, func(_ time.Time, n int64) { s.Totals.Paused += n })
		if p.status != "" && (len(p.members) > 0 || len(p.on) > 0) {
			s.Statuses[statusIndex(p.status)]++
		}
	}
	return queues, agents
}

func (s *QueueSums) present(q *pbx.Queue, now time.Time) {
	s.There = true
	s.Waiting += len(q.Callers)
	for _, c := range q.Callers {
		s.LongestWait = max(s.LongestWait, now.Sub(c.Since))
	}
	for _, m := range q.Members {
		s.Members[statusIndex(StatusOf(m.Status, m.InCall, m.Paused))]++
	}
}

// sums are kept by names that come and go, of a bounded number of them.
type sums[T any] struct {
	most  int
	all   []sum[T]
	index map[string]int // in all, by the name in lower case
}

type sum[T any] struct {
	name   string
	totals T
}

func newSums[T any](most int) sums[T] { return sums[T]{most: most, index: map[string]int{}} }

// of is the index of a name, or of Rest where there are too many.
func (s *sums[T]) of(name string) int {
	name = legible(name)
	key := strings.ToLower(name)
	i, known := s.index[key]
	if !known && len(s.all) >= s.most {
		name, key = Rest, Rest
		i, known = s.index[key]
	}
	if !known {
		i = len(s.all)
		s.all = append(s.all, sum[T]{name: strings.Clone(name)})
		s.index[strings.Clone(key)] = i
	}
	return i
}

func (s *sums[T]) add(i int, columns []Column[T], n *T) { add(columns, &s.all[i].totals, n) }

// legible is a name in UTF-8: what is none is taken as Latin-1.
func legible(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	runes := make([]rune, len(name))
	for i := range runes {
		runes[i] = rune(name[i])
	}
	return string(runes)
}
