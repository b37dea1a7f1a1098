package history

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/stats"
)

// busyDay are some calls that have ended, from a moment on, and what the agents did.
func busyDay(from time.Time, calls int, every time.Duration) *stats.Batch {
	b := &stats.Batch{}
	for i := range calls {
		joined := from.Add(time.Duration(i) * every)
		c := stats.Call{
			Queue: fmt.Sprint("queue-", i%10), Uniqueid: fmt.Sprintf("%d.%d", joined.Unix(), i), Linkedid: fmt.Sprintf("%d.%d", joined.Unix(), i),
			Number: fmt.Sprint("0301", 100_000+i*7919%100_000), Name: "A caller's name", Joined: joined, Position: 1, Outcome: stats.Abandoned, Wait: 20,
		}
		if i%10 != 0 {
			c.Outcome, c.Answered, c.Agent, c.Interface = stats.Answered, joined.Add(20*time.Second), fmt.Sprint("Agent ", i%50), fmt.Sprint("PJSIP/agent-", i%50)
			c.Channel, c.Ring, c.Talk, c.EndedBy = c.Uniqueid+"1", 5, 180, "caller"
			for _, what := range []string{"Answered", "Finished"} {
				b.Entries = append(b.Entries, stats.Entry{Time: c.Answered, Agent: c.Agent, What: what, Interface: c.Interface, Name: c.Agent, Queue: c.Queue, Uniqueid: c.Uniqueid, Seconds: 5})
			}
		}
		b.Calls = append(b.Calls, c)
		hour := calendar().Hour(joined)
		if i < 10 {
			for of := range 24 {
				hour.Of = of
				b.Queues = append(b.Queues, stats.QueueRow{Hour: hour, Queue: c.Queue, Totals: stats.QueueTotals{Offered: 5, Answered: 4}})
			}
		}
		if i < 50 {
			for of := range 10 {
				hour.Of = 8 + of
				b.Agents = append(b.Agents, stats.AgentRow{Hour: hour, Agent: fmt.Sprint("Agent ", i), Totals: stats.AgentTotals{LoggedIn: 3600}})
				b.Agents = append(b.Agents, stats.AgentRow{Hour: hour, Agent: fmt.Sprint("Agent ", i), Queue: c.Queue, Totals: stats.AgentTotals{Offered: 5}})
			}
		}
	}
	return b
}

// A second in which a thousand calls have ended.
func BenchmarkWrite(b *testing.B) {
	d, _ := newDesk(b, filepath.Join(b.TempDir(), "history.sqlite"), start)
	batch := busyDay(start, 1_000, time.Second)
	batch.Entries, batch.Agents, batch.Queues = nil, nil, nil
	for b.Loop() {
		for i := range batch.Calls {
			batch.Calls[i].Joined = batch.Calls[i].Joined.Add(time.Hour)
		}
		d.write(batch)
	}
	require.Empty(b, d.said())
}

// A year of calls: 10,000, or as many as AMPD_BENCH_CALLS says.
func BenchmarkReport(b *testing.B) {
	calls := 10_000
	if text := os.Getenv("AMPD_BENCH_CALLS"); text != "" {
		var err error
		calls, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	const days = 365
	path := filepath.Join(b.TempDir(), "history.sqlite")
	d, _ := newDesk(b, path, start.AddDate(-2, 0, 0))
	d.cfg.Retention = 0
	perDay := max(1, calls/days)
	for day := range days {
		if calls < 100_000 && (days-1-day)%30 != 0 {
			continue
		}
		d.write(busyDay(start.AddDate(0, 0, day-days), perDay, 20*time.Hour/time.Duration(perDay)))
	}
	require.Empty(b, d.said())
	d.leave()
	info, err := os.Stat(path)
	require.NoError(b, err)
	r, err := OpenReader(b.Context(), path)
	require.NoError(b, err)
	defer r.Close()
	year := Query{From: "2025-03-02", To: "2026-03-01"}
	last := Query{From: "2026-03-01", To: "2026-03-01", By: "hour"}
	month := Query{From: "2026-02-01", To: "2026-03-01", By: "day"}
	count := func(b *testing.B, rows int, err error) {
		require.NoError(b, err)
		require.Positive(b, rows)
	}
	for name, ask := range map[string]func() (int, error){
		"queues/day":     func() (int, error) { all, err := r.Queues(b.Context(), last, 0); return len(all), err },
		"queues/month":   func() (int, error) { all, err := r.Queues(b.Context(), month, 0); return len(all), err },
		"queues/year":    func() (int, error) { all, err := r.Queues(b.Context(), year, 0); return len(all), err },
		"agents/month":   func() (int, error) { all, err := r.Agents(b.Context(), month, 0); return len(all), err },
		"agents/year":    func() (int, error) { all, err := r.Agents(b.Context(), year, 0); return len(all), err },
		"abandoned/day":  func() (int, error) { all, err := r.Abandoned(b.Context(), last); return len(all), err },
		"abandoned/year": func() (int, error) { all, err := r.Abandoned(b.Context(), year); return len(all), err },
		"number": func() (int, error) {
			all, err := readCalls(b.Context(), r.db, "digits = '301100000'")
			return len(all), err
		},
		"activity/month": func() (int, error) {
			found, _, err := d.Activity(start.AddDate(0, -1, 0), start, func(iface, _ string) bool { return iface == "PJSIP/agent-1" })
			return len(found), err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rows, err := ask()
				count(b, rows, err)
			}
			b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
		})
	}
}
