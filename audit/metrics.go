package audit

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts the lines of a [Log].
type Metrics struct {
	written, lost prometheus.Counter
}

// NewMetrics registers the metrics with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	lines := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ampd_audit_lines_total",
		Help: "Lines of the audit log by result: written, or lost because the disk did not take them in time.",
	}, []string{"result"})
	r.MustRegister(lines)
	return &Metrics{written: lines.WithLabelValues("written"), lost: lines.WithLabelValues("lost")}
}
