package proxy

import "github.com/prometheus/client_golang/prometheus"

// hubMetrics counts what passes through the hub.
type hubMetrics struct {
	sessions   prometheus.Gauge
	events     prometheus.Counter
	deliveries prometheus.Counter
	actions    *prometheus.CounterVec // result
	overdue    prometheus.Counter
	parked     prometheus.Gauge
	resumes    *prometheus.CounterVec // result
	latency    prometheus.Histogram
	missed     *prometheus.CounterVec // why
}

func newHubMetrics(r prometheus.Registerer) *hubMetrics {
	m := &hubMetrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ampd_sessions",
			Help: "Clients that are logged in.",
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_events_total",
			Help: "Events received from Asterisk.",
		}),
		deliveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_event_deliveries_total",
			Help: "Events given to sessions, each session counted.",
		}),
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_actions_total",
			Help: "Actions of clients by result: answered by the upstream, by ampd itself (own), refused by rights, unknown or without a required parameter (invalid), unreadable (malformed), or come during shutdown.",
		}, []string{"result"}),
		overdue: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_order_hold_exceeded_total",
			Help: "Actions whose answer had not begun within order_hold, so that the session's events went on before it.",
		}),
		parked: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ampd_sessions_parked",
			Help: "Sessions that have lost their connection and wait for resume_window to be resumed.",
		}),
		resumes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_resumes_total",
			Help: "Logins with Resume by result: new, ok, or gap where events are missing.",
		}, []string{"result"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "ampd_action_duration_seconds",
			Help:    "Time from taking up a client's action to the last packet of Asterisk's answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}),
		missed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_events_missed_total",
			Help: "Events made up for what Asterisk's had not told: while it was lost (loss), or found when its lists were asked again (resync).",
		}, []string{"why"}),
	}
	for _, why := range []string{"loss", "resync"} {
		m.missed.WithLabelValues(why)
	}
	for _, result := range []string{"upstream", "own", "refused", "invalid", "malformed", "shutdown"} {
		m.actions.WithLabelValues(result)
	}
	for _, result := range []string{"new", "ok", "gap"} {
		m.resumes.WithLabelValues(result)
	}
	r.MustRegister(m.sessions, m.events, m.deliveries, m.actions, m.overdue, m.parked, m.resumes, m.latency, m.missed)
	return m
}
