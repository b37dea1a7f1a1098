package downstream

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what happens to clients.
type Metrics struct {
	connections     prometheus.Gauge
	unauthenticated prometheus.Gauge
	logins          *prometheus.CounterVec // result
	disconnects     *prometheus.CounterVec // cause
	written         prometheus.Counter
}

// NewMetrics registers the metrics with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ampd_downstream_connections",
			Help: "Connections of clients, logged in or not.",
		}),
		unauthenticated: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ampd_downstream_unauthenticated_connections",
			Help: "Connections of clients that have not logged in yet.",
		}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_downstream_logins_total",
			Help: "Logins of clients by result: accepted, refused, or busy where the profile had its max_sessions.",
		}, []string{"result"}),
		disconnects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_downstream_disconnects_total",
			Help: "Connections of clients that have ended, by cause.",
		}, []string{"cause"}),
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_downstream_written_bytes_total",
			Help: "Bytes written to clients.",
		}),
	}
	for _, result := range []string{"accepted", "refused", "busy"} {
		m.logins.WithLabelValues(result)
	}
	for _, c := range causes {
		m.disconnects.WithLabelValues(c.label)
	}
	m.disconnects.WithLabelValues("error")
	m.disconnects.WithLabelValues(tooMany)
	r.MustRegister(m.connections, m.unauthenticated, m.logins, m.disconnects, m.written)
	return m
}
