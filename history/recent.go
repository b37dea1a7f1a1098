package history

import (
	"maps"

	"ampd/stats"
)

// take keeps what is pending.
func (r *recent) take(p *pending) {
	maps.Copy(r.queues, p.queues)
	maps.Copy(r.agents, p.agents)
	for key, c := range p.calls {
		if c.EndedBy == "" && (c.Outcome == stats.None || c.Outcome == stats.Answered) {
			r.calls[key] = c
		} else {
			delete(r.calls, key)
		}
	}
}

func (r *recent) set(queues []stats.QueueRow, agents []stats.AgentRow) {
	for i := range queues {
		r.queues[keyOfQueue(&queues[i])] = queues[i]
	}
	for i := range agents {
		r.agents[keyOfAgent(&agents[i])] = agents[i]
	}
}

// forget drops the figures of the days before one.
func (r *recent) forget(day string) {
	maps.DeleteFunc(r.queues, func(key queueKey, _ stats.QueueRow) bool { return key.Day < day })
	maps.DeleteFunc(r.agents, func(key agentKey, _ stats.AgentRow) bool { return key.Day < day })
}

// with is all that there is and what is pending, which is later.
func (r *recent) with(p *pending) *pending {
	all := *p
	all.queues, all.agents, all.calls = maps.Clone(r.queues), maps.Clone(r.agents), maps.Clone(r.calls)
	maps.Copy(all.queues, p.queues)
	maps.Copy(all.agents, p.agents)
	maps.Copy(all.calls, p.calls)
	return &all
}

// addTo adds the figures that the Book does not know to those that it has. Calls are added up. Of the
// times that an agent was there the longer ones count: the Book takes them from Asterisk, who
// remembers since when somebody is logged in.
func (r *recent) addTo(p *pending) *pending {
	if len(r.queues)+len(r.agents) == 0 {
		return p
	}
	all := *p
	all.queues, all.agents = maps.Clone(p.queues), maps.Clone(p.agents)
	for key, row := range all.queues {
		if before, ok := r.queues[key]; ok {
			row.Totals.Add(&before.Totals)
			all.queues[key] = row
		}
	}
	for key, row := range all.agents {
		before, ok := r.agents[key]
		switch {
		case !ok:
		case key.queue != "":
			row.Totals.Add(&before.Totals)
			all.agents[key] = row
		default:
			row.Totals.PausedFor = maps.Clone(row.Totals.PausedFor)
			longer(&row.Totals, &before.Totals)
			all.agents[key] = row
		}
	}
	return &all
}

// longer has each figure of t be at least that of before.
func longer(t, before *stats.AgentTotals) {
	for _, c := range stats.AgentColumns {
		*c.Of(t) = max(*c.Of(t), *c.Of(before))
	}
	for why, n := range before.PausedFor {
		if t.PausedFor == nil {
			t.PausedFor = map[string]int64{}
		}
		t.PausedFor[why] = max(t.PausedFor[why], n)
	}
}
