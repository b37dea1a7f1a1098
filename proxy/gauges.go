package proxy

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ampd/stats"
)

// gauges are the numbers of what is tracked, counted when they are asked for, and the sums of
// the statistics.
type gauges struct{ hub *Hub }

// described are those that newDesc made.
var described []*prometheus.Desc

func newDesc(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc(name, help, labels, nil)
	described = append(described, d)
	return d
}

var (
	gaugeChannels = newDesc("ampd_channels", "Channels of Asterisk's.")
	gaugeCalls    = newDesc("ampd_calls", "Calls: groups of channels with one Linkedid.")
	gaugeBridges  = newDesc("ampd_bridges", "Bridges of Asterisk's.")
	gaugePeers    = newDesc("ampd_peers", "Peers and endpoints by technology and status.", "technology", "status")
	gaugeParked   = newDesc("ampd_parked_calls", "Calls that are parked.")
	gaugePool     = newDesc("ampd_pool_agents", "Agents of the pool (agents.conf) by status.", "status")

	gaugeCallers      = newDesc("ampd_queue_callers", "Callers that wait in a queue.", "queue")
	gaugeLongestWait  = newDesc("ampd_queue_longest_wait_seconds", "How long the one has waited who has waited longest, 0 where nobody waits.", "queue")
	gaugeMembers      = newDesc("ampd_queue_members", "Members of a queue by status: talking, ringing, idle, paused or unavailable.", "queue", "status")
	gaugeServiceLevel = newDesc("ampd_queue_service_level_ratio", "Today's service level of a queue, 0 to 1; none while nobody is to be counted.", "queue")
	gaugeAgents       = newDesc("ampd_agents", "Agents that are members of queues or logged in to the pool, by the busiest status of each.", "status")
	gaugeAgentStatus  = newDesc("ampd_agent_status", "1 for the status that an agent has.", "agent", "status")
)

// A counter shows one of the figures of stats: the labels' values behind the name.
type counter[T any] struct {
	desc   *prometheus.Desc
	of     func(*T) int64
	values []string
}

func newCounter[T any](desc *prometheus.Desc, of func(*T) int64, values ...string) counter[T] {
	return counter[T]{desc, of, values}
}

var (
	queueCalls     = newDesc("ampd_queue_calls_total", "Callers who waited in a queue, by what became of them.", "queue", "outcome")
	queueRefused   = newDesc("ampd_queue_refused_total", "Callers who could not join a queue.", "queue", "reason")
	queueCompleted = newDesc("ampd_queue_completed_total", "Answered calls that have ended, by who ended them.", "queue", "by")
	agentCalls     = newDesc("ampd_agent_calls_total", "Calls that an agent answered, or that rang in vain.", "agent", "outcome")
)

var queueCounters = []counter[stats.QueueTotals]{
	newCounter(newDesc("ampd_queue_offered_total", "Callers who joined a queue.", "queue"),
		func(t *stats.QueueTotals) int64 { return t.Offered }),
	newCounter(queueCalls, func(t *stats.QueueTotals) int64 { return t.Answered }, "answered"),
	newCounter(queueCalls, func(t *stats.QueueTotals) int64 { return t.Abandoned }, "abandoned"),
	newCounter(queueCalls, func(t *stats.QueueTotals) int64 { return t.TimedOut }, "timed_out"),
	newCounter(queueCalls, func(t *stats.QueueTotals) int64 { return t.ExitedKey }, "exited_key"),
	newCounter(queueCalls, func(t *stats.QueueTotals) int64 { return t.LeftEmpty }, "left_empty"),
	newCounter(queueCalls, func(t *stats.QueueTotals) int64 { return t.Withdrawn }, "withdrawn"),
	newCounter(queueCalls, func(t *stats.QueueTotals) int64 { return t.Unknown }, "unknown"),
	newCounter(newDesc("ampd_queue_answered_in_time_total", "Callers who were answered within the queue's service level.", "queue"),
		func(t *stats.QueueTotals) int64 { return t.AnsweredInTime }),
	newCounter(newDesc("ampd_queue_short_abandoned_total", "Callers who hung up before short_abandon.", "queue"),
		func(t *stats.QueueTotals) int64 { return t.ShortAbandoned }),
	newCounter(queueRefused, func(t *stats.QueueTotals) int64 { return t.RefusedFull }, "full"),
	newCounter(queueRefused, func(t *stats.QueueTotals) int64 { return t.RefusedEmpty }, "empty"),
	newCounter(queueCompleted, func(t *stats.QueueTotals) int64 { return t.CompletedByAgent }, "agent"),
	newCounter(queueCompleted, func(t *stats.QueueTotals) int64 { return t.CompletedByCaller }, "caller"),
	newCounter(queueCompleted, func(t *stats.QueueTotals) int64 { return t.Transferred }, "transfer"),
	newCounter(newDesc("ampd_queue_hold_seconds_total", "How long the answered have waited.", "queue"),
		func(t *stats.QueueTotals) int64 { return t.HoldTime }),
	newCounter(newDesc("ampd_queue_abandon_seconds_total", "How long the abandoned have waited.", "queue"),
		func(t *stats.QueueTotals) int64 { return t.AbandonTime }),
	newCounter(newDesc("ampd_queue_talk_seconds_total", "How long the answered have talked, counted when they end.", "queue"),
		func(t *stats.QueueTotals) int64 { return t.TalkTime }),
}

var agentCounters = []counter[stats.AgentTotals]{
	newCounter(newDesc("ampd_agent_offered_total", "Calls that an agent was rung for.", "agent"),
		func(t *stats.AgentTotals) int64 { return t.Offered }),
	newCounter(agentCalls, func(t *stats.AgentTotals) int64 { return t.Answered }, "answered"),
	newCounter(agentCalls, func(t *stats.AgentTotals) int64 { return t.NotAnswered }, "not_answered"),
	newCounter(newDesc("ampd_agent_talk_seconds_total", "How long an agent has talked, counted when calls end.", "agent"),
		func(t *stats.AgentTotals) int64 { return t.TalkTime }),
	newCounter(newDesc("ampd_agent_wrap_up_seconds_total", "How long an agent was left alone after calls.", "agent"),
		func(t *stats.AgentTotals) int64 { return t.WrapUp }),
	newCounter(newDesc("ampd_agent_logged_in_seconds_total", "How long an agent was logged in.", "agent"),
		func(t *stats.AgentTotals) int64 { return t.LoggedIn }),
	newCounter(newDesc("ampd_agent_paused_seconds_total", "How long of it an agent was paused in all queues.", "agent"),
		func(t *stats.AgentTotals) int64 { return t.Paused }),
}

// Describe says that there are gauges.
func (g gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range described {
		to <- d
	}
}

// Collect counts. Under the hub's lock numbers are only gathered: 200 queues and 2,000 agents
// take it for one to two milliseconds (BenchmarkMetrics).
func (g gauges) Collect(to chan<- prometheus.Metric) {
	g.hub.mu.Lock()
	n := g.hub.state.Counts()
	queues, agents := g.hub.statistics.Sums(time.Now())
	g.hub.mu.Unlock()
	add := func(d *prometheus.Desc, value int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
	}
	add(gaugeChannels, n.Channels)
	add(gaugeCalls, n.Calls)
	add(gaugeBridges, n.Bridges)
	add(gaugeParked, n.Parked)
	for status, agents := range n.Agents {
		add(gaugePool, agents, status)
	}
	for of, peers := range n.Peers {
		add(gaugePeers, peers, of.Technology, of.Status)
	}
	for i := range queues {
		q := &queues[i]
		count(to, queueCounters, &q.Totals, q.Name)
		if !q.There {
			continue
		}
		add(gaugeCallers, q.Waiting, q.Name)
		to <- prometheus.MustNewConstMetric(gaugeLongestWait, prometheus.GaugeValue, q.LongestWait.Seconds(), q.Name)
		for i, members := range q.Members {
			add(gaugeMembers, members, q.Name, statusLabels[i])
		}
		if q.Decided > 0 {
			to <- prometheus.MustNewConstMetric(gaugeServiceLevel, prometheus.GaugeValue, float64(q.InTime)/float64(q.Decided), q.Name)
		}
	}
	var statuses [len(stats.Statuses)]int
	for i := range agents {
		a := &agents[i]
		count(to, agentCounters, &a.Totals, a.Name)
		for i, n := range a.Statuses {
			statuses[i] += n
			if n > 0 {
				add(gaugeAgentStatus, n, a.Name, statusLabels[i])
			}
		}
	}
	for i, agents := range statuses {
		add(gaugeAgents, agents, statusLabels[i])
	}
}

func count[T any](to chan<- prometheus.Metric, counters []counter[T], totals *T, name string) {
	for _, c := range counters {
		labels := append([]string{name}, c.values...)
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.of(totals)), labels...)
	}
}

// statusLabels are the values of the label status.
var statusLabels = func() (labels [len(stats.Statuses)]string) {
	for i, status := range stats.Statuses {
		labels[i] = strings.ToLower(status)
	}
	return labels
}()
