package history

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what a [History] does.
type Metrics struct {
	writes, errors prometheus.Counter
	lost           *prometheus.CounterVec
	behind         prometheus.Gauge
}

// NewMetrics registers the metrics with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		writes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_history_writes_total", Help: "Transactions that were written to the history.",
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ampd_history_errors_total", Help: "Transactions that the history's file did not take; they are tried again.",
		}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ampd_history_lost_total", Help: "What is not in the history because its file was not written for too long: calls, activity, figures (of an hour) and others.",
		}, []string{"kind"}),
		behind: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ampd_history_behind_seconds", Help: "Age of the oldest thing that is not in the history's file yet.",
		}),
	}
	for _, kind := range []string{"calls", "activity", "figures", "others"} {
		m.lost.WithLabelValues(kind)
	}
	r.MustRegister(m.writes, m.errors, m.lost, m.behind)
	return m
}

// late tells how long something has waited; since is zero where nothing waits.
func (m *Metrics) late(since, now time.Time) {
	if since.IsZero() {
		m.behind.Set(0)
		return
	}
	m.behind.Set(now.Sub(since).Seconds())
}
