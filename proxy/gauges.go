package proxy

import "github.com/prometheus/client_golang/prometheus"

// gauges are the numbers of what is tracked, counted when they are asked for.
type gauges struct{ hub *Hub }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	gaugeChannels = gauge("ampd_channels", "Channels of Asterisk's.")
	gaugeCalls    = gauge("ampd_calls", "Calls: groups of channels with one Linkedid.")
	gaugeBridges  = gauge("ampd_bridges", "Bridges of Asterisk's.")
	gaugeCallers  = gauge("ampd_queue_callers", "Callers that wait in queues.")
	gaugeMembers  = gauge("ampd_queue_members", "Members of queues by the state of their device; who is in two queues counts twice.", "status")
	gaugePaused   = gauge("ampd_queue_members_paused", "Members of queues that are paused.")
	gaugeAgents   = gauge("ampd_agents", "Agents of the pool (agents.conf) by status.", "status")
	gaugePeers    = gauge("ampd_peers", "Peers and endpoints by technology and status.", "technology", "status")
	gaugeParked   = gauge("ampd_parked_calls", "Calls that are parked.")
)

// Describe says that there are gauges.
func (g gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		gaugeChannels, gaugeCalls, gaugeBridges, gaugeCallers, gaugeMembers, gaugePaused, gaugeAgents, gaugePeers, gaugeParked,
	} {
		to <- d
	}
}

// Collect counts.
func (g gauges) Collect(to chan<- prometheus.Metric) {
	g.hub.mu.Lock()
	n := g.hub.state.Counts()
	g.hub.mu.Unlock()
	add := func(d *prometheus.Desc, value int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
	}
	add(gaugeChannels, n.Channels)
	add(gaugeCalls, n.Calls)
	add(gaugeBridges, n.Bridges)
	add(gaugeCallers, n.Callers)
	add(gaugePaused, n.Paused)
	add(gaugeParked, n.Parked)
	for status, members := range n.Members {
		add(gaugeMembers, members, status)
	}
	for status, agents := range n.Agents {
		add(gaugeAgents, agents, status)
	}
	for of, peers := range n.Peers {
		add(gaugePeers, peers, of.Technology, of.Status)
	}
}
