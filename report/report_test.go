package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/history"
	"ampd/stats"
)

// -write writes the reports in testdata anew.
var write = flag.Bool("write", false, "write the reports in testdata")

// days begin at six: the hours 2 and 3 are the last ones of a day.
func calendar() stats.Calendar {
	return stats.NewCalendar(stats.Config{Timezone: "Europe/Berlin", ResetHour: 6})
}

const (
	monday  = "2026-03-02"
	tuesday = "2026-03-03"
)

func at(text string) time.Time {
	t, _ := time.ParseInLocation(time.DateTime, text, calendar().Location()) // is written below
	return t
}

// file is a history of two days.
func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.sqlite")
	cfg := history.Config{File: path}
	h, _ := history.Open(cfg, calendar(), at("2026-03-02 08:00:00"), zap.NewNop(), history.NewMetrics(prometheus.NewRegistry()))
	queue := func(day string, hour int, name string, t stats.QueueTotals) stats.QueueRow {
		return stats.QueueRow{Hour: stats.Hour{Day: day, Of: hour}, Queue: name, Totals: t}
	}
	agent := func(day string, hour int, name, queue string, t stats.AgentTotals) stats.AgentRow {
		return stats.AgentRow{Hour: stats.Hour{Day: day, Of: hour}, Agent: name, Queue: queue, Totals: t}
	}
	missed := func(number, name, queue, joined string, wait int64) stats.Call {
		return stats.Call{Queue: queue, Uniqueid: joined, Number: number, Name: name, Joined: at(joined), Outcome: stats.Abandoned, Wait: wait}
	}
	h.Put(&stats.Batch{
		Queues: []stats.QueueRow{
			queue(monday, 9, "sales", stats.QueueTotals{Offered: 10, Answered: 8, AnsweredInTime: 7, Abandoned: 2, ShortAbandoned: 1, CompletedByAgent: 5, CompletedByCaller: 3, HoldTime: 80, LongestHold: 31, AbandonTime: 50, LongestAbandon: 47, TalkTime: 4000, LongestTalk: 3700}),
			queue(monday, 2, "sales", stats.QueueTotals{Offered: 1, Answered: 1, HoldTime: 40, LongestHold: 40, TalkTime: 20, LongestTalk: 20, CompletedByCaller: 1}),
			queue(monday, 9, "Support, Österreich", stats.QueueTotals{Offered: 1, TimedOut: 1}),
			queue(tuesday, 10, "sales", stats.QueueTotals{Offered: 1, Answered: 1, AnsweredInTime: 1, HoldTime: 5, LongestHold: 5}),
		},
		Agents: []stats.AgentRow{
			agent(monday, 9, "Ann", "", stats.AgentTotals{LoggedIn: 3600, Paused: 600, PausedFor: map[string]int64{"lunch": 500, "": 100}}),
			agent(monday, 9, "Ann", "sales", stats.AgentTotals{Offered: 9, Answered: 8, NotAnswered: 1, TalkTime: 1400, LongestTalk: 300, WrapUp: 100}),
			agent(monday, 10, "Ann", "", stats.AgentTotals{LoggedIn: 1800, Paused: 60, PausedFor: map[string]int64{"lunch": 60}}),
			agent(monday, 10, "Ann", "support", stats.AgentTotals{Offered: 1, Answered: 1, TalkTime: 10, LongestTalk: 10}),
			agent(tuesday, 9, "Bob", "", stats.AgentTotals{LoggedIn: 7200}),
		},
		Calls: []stats.Call{
			missed("+49 30 1234567", "Eve \"E\" <x>", "sales", "2026-03-02 09:10:00", 12), missed("0301234567", "Eve\x1b[2J", "support", "2026-03-02 11:10:00", 65),
			missed("089 7654321", "", "sales", "2026-03-03 02:00:00", 3), missed("", "nobody", "sales", "2026-03-02 12:00:00", 5),
			missed("089 1111111", "", "sales", "2026-03-02 12:00:00", 5),
			missed("089 1111112", "", "sales", "2026-03-03 12:00:00", 5),
		},
		Reached: []stats.Reached{{Digits: stats.Digits("089 1111111"), Time: at("2026-03-02 12:30:00")}},
		Gaps:    []stats.Gap{{Begin: at("2026-03-02 10:00:00"), End: at("2026-03-02 10:12:30"), Reason: "ampd was not running"}},
	}, at("2026-03-03 13:00:00"))
	h.Close()
	return path
}

func TestReports(t *testing.T) {
	path := file(t)
	one := func(subject string) Request {
		return Request{Subject: subject, Query: history.Query{From: monday, To: monday}}
	}
	with := func(r Request, change func(*Request)) Request {
		change(&r)
		return r
	}
	tests := map[string]Request{
		"queues":          one("queues"),
		"queues-both":     with(one("queues"), func(r *Request) { r.To = tuesday }),
		"queues-by-hour":  with(one("queues"), func(r *Request) { r.To, r.By = tuesday, "hour" }),
		"queues-by-day":   with(one("queues"), func(r *Request) { r.To, r.By, r.Queue = tuesday, "day", "Sales" }),
		"agents":          one("agents"),
		"agents-both":     with(one("agents"), func(r *Request) { r.To = tuesday }),
		"agents-by-hour":  with(one("agents"), func(r *Request) { r.To, r.By = tuesday, "hour" }),
		"agents-of-queue": with(one("agents"), func(r *Request) { r.To, r.Queue = tuesday, "sales" }),
		"agents-bob":      with(one("agents"), func(r *Request) { r.To, r.Agent = tuesday, "BOB" }),
		"abandoned":       one("abandoned"),
		"nothing":         with(one("queues"), func(r *Request) { r.Queue = "none" }),
	}
	for name, request := range tests {
		for _, request.Format = range Formats {
			t.Run(name+"/"+request.Format, func(t *testing.T) {
				reader, err := history.OpenReader(t.Context(), path)
				require.NoError(t, err)
				defer reader.Close()
				var got bytes.Buffer
				require.NoError(t, Write(t.Context(), &got, reader, calendar(), request))
				golden := filepath.Join("testdata", name+"."+strings.Replace(request.Format, "table", "txt", 1))
				if *write {
					require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
				}
				want, err := os.ReadFile(golden)
				require.NoError(t, err)
				require.Equal(t, string(want), got.String(), "go test ./report -write, and read what has changed")
			})
		}
	}
}

// docs/statistics.md shows one of them.
func TestDocumentedReport(t *testing.T) {
	want, err := os.ReadFile("testdata/agents-both.txt")
	require.NoError(t, err)
	text, err := os.ReadFile("../docs/statistics.md")
	require.NoError(t, err)
	require.Contains(t, string(text), string(want))
}
