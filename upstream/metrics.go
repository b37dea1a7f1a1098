package upstream

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what happens upstream. One set serves one Client.
type Metrics struct {
	Connected    prometheus.Gauge       // 1 from Ready to Lost
	Connects     *prometheus.CounterVec // result: ready, refused, rights, failed
	Connections  *prometheus.GaugeVec   // role: event, action, retired
	Events       prometheus.Counter
	Actions      *prometheus.CounterVec // result: success, error, lost, timeout, busy, unconnected, invalid
	Latency      prometheus.Histogram   // seconds from the action's first byte to its answer's last
	Waiting      prometheus.Gauge       // actions that wait for a connection
	Coalesced    prometheus.Counter
	Retired      prometheus.Counter
	Dropped      *prometheus.CounterVec // reason: ownerless, late, oversize
	ForgottenIDs prometheus.Counter
	Repairs      prometheus.Counter
}

// NewMetrics registers the metrics of a Client.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		Connected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ampd_upstream_connected",
			Help: "Whether actions can be run on Asterisk.",
		}),
		Connects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_upstream_connects_total",
			Help: "Attempts to reach Asterisk, by what became of them.",
		}, []string{"result"}),
		Connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ampd_upstream_connections",
			Help: "Connections to Asterisk that are logged in.",
		}, []string{"role"}),
		Events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_upstream_events_total",
			Help: "Events that came from Asterisk.",
		}),
		Actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_upstream_actions_total",
			Help: "Actions of clients, by what became of them.",
		}, []string{"result"}),
		Latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "ampd_upstream_action_seconds",
			Help:    "Time from an action's first byte to the last packet of its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0002, 4, 10), // 0.2 ms to 52 s
		}),
		Waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ampd_upstream_actions_waiting",
			Help: "Actions that wait for a free connection.",
		}),
		Coalesced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_upstream_actions_coalesced_total",
			Help: "Lists that were answered together with an equal one.",
		}),
		Retired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_upstream_connections_retired_total",
			Help: "Connections given up because an action's answer was overdue.",
		}),
		Dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_upstream_packets_dropped_total",
			Help: "Packets from Asterisk that went to nobody.",
		}, []string{"reason"}),
		ForgottenIDs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_upstream_action_ids_forgotten_total",
			Help: "ActionIDs forgotten before their event came, because there were too many.",
		}),
		Repairs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_upstream_repairs_total",
			Help: "Mistakes of framing in what Asterisk sent, repaired.",
		}),
	}
	for _, result := range []string{"ready", "refused", "rights", "failed"} {
		m.Connects.WithLabelValues(result)
	}
	for _, role := range []string{"event", "action", "retired"} {
		m.Connections.WithLabelValues(role)
	}
	reg.MustRegister(m.Connected, m.Connects, m.Connections, m.Events, m.Actions, m.Latency, m.Waiting,
		m.Coalesced, m.Retired, m.Dropped, m.ForgottenIDs, m.Repairs)
	return m
}
