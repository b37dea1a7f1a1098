package main

import (
	"bytes"
	"encoding/json"
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

// reportNow is in the night, which belongs to the day before.
var reportNow = time.Date(2026, 3, 3, 4, 0, 0, 0, time.UTC)

// historian writes ampd.toml and a history of a call each day.
func historian(t *testing.T) (toml string, h *history.History) {
	t.Helper()
	dir := t.TempDir()
	toml = filepath.Join(dir, "ampd.toml")
	file := filepath.Join(dir, "a b?c#d%.sqlite")
	require.NoError(t, os.WriteFile(toml, []byte("[upstream]\naddress = '127.0.0.1:5038'\nusername = 'ampd'\nsecret = 's'\n[[listen]]\naddress = '127.0.0.1:0'\n"+
		"[statistics]\ntimezone = 'UTC'\nreset_hour = 6\n[history]\nfile = '"+file+"'\n"), 0o600))
	calendar := stats.NewCalendar(stats.Config{Timezone: "UTC", ResetHour: 6})
	h, _ = history.Open(history.Config{File: file}, calendar, reportNow, zap.NewNop(), history.NewMetrics(prometheus.NewRegistry()))
	b := &stats.Batch{}
	for offered, day := range []string{"2026-02-28", "2026-03-01", "2026-03-02"} {
		b.Queues = append(b.Queues, stats.QueueRow{Hour: stats.Hour{Day: day, Of: 9}, Queue: "sales", Totals: stats.QueueTotals{Offered: int64(offered) + 1}})
	}
	h.Put(b, reportNow)
	return toml, h
}

// Whatever is asked for, of the days that are asked for.
func TestReportsOfDays(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string // from, to, offered
	}{
		"today":             {nil, "2026-03-02 2026-03-02 3"},
		"yesterday":         {[]string{"--from", "yesterday"}, "2026-03-01 2026-03-01 2"},
		"yesterday on":      {[]string{"--from", "yesterday", "--to", "today"}, "2026-03-01 2026-03-02 5"},
		"from":              {[]string{"-from", "2026-03-01"}, "2026-03-01 2026-03-02 5"},
		"to":                {[]string{"-to", "2026-02-28"}, "2026-02-28 2026-02-28 1"},
		"both":              {[]string{"queues", "-from", "2026-02-28", "-to", "2026-03-01"}, "2026-02-28 2026-03-01 3"},
		"subject in front":  {[]string{"queues", "-queue", "SALES"}, "2026-03-02 2026-03-02 3"},
		"subject behind":    {[]string{"-queue", "none", "queues"}, "2026-03-02 2026-03-02 0"},
		"agents":            {[]string{"agents", "-agent", "Ann", "-by", "day"}, "2026-03-02 2026-03-02 0"},
		"a day that is odd": {[]string{"-to", "2026-02-28", "-by", "hour"}, "2026-02-28 2026-02-28 1"},
	}
	toml, h := historian(t)
	defer h.Close() // ampd runs meanwhile
	require.Eventually(t, func() bool {
		var b bytes.Buffer
		return printReport(t.Context(), &b, []string{"-config", toml, "-format", "csv"}, reportNow) == nil && strings.Contains(b.String(), "sales")
	}, time.Minute, 10*time.Millisecond)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, printReport(t.Context(), &b, append([]string{"-config", toml, "-format", "json"}, tc.args...), reportNow))
			var got struct {
				From, To string
				Rows     []struct{ Offered json.Number }
			}
			require.NoError(t, json.Unmarshal(b.Bytes(), &got))
			offered := "0"
			for _, r := range got.Rows {
				offered = r.Offered.String()
			}
			require.Equal(t, tc.want, got.From+" "+got.To+" "+offered)
		})
	}
}

func TestReportIsReadWhereAmpdDoesNotRun(t *testing.T) {
	toml, h := historian(t)
	h.Close()
	var b bytes.Buffer
	require.NoError(t, printReport(t.Context(), &b, []string{"-config", toml}, reportNow))
	require.Contains(t, b.String(), "Queues, 2026-03-02\n")
	require.Contains(t, b.String(), "\nsales        3  0:00:00  0:00:00\n")
}

func TestReportIsMisused(t *testing.T) {
	toml, h := historian(t)
	defer h.Close()
	for _, args := range []string{
		"trunks", "-by month", "-format xml", "-from 2026-13-01", "-to tomorrow", "-from 2026-03-02 -to 2026-03-01", "-from today -to yesterday",
		"-agent Ann", "abandoned -by day", "-nonsense", "queues agents now",
	} {
		t.Run(args, func(t *testing.T) {
			var b bytes.Buffer
			err := printReport(t.Context(), &b, append([]string{"-config", toml}, strings.Fields(args)...), reportNow)
			require.ErrorIs(t, err, errUsage)
			require.Empty(t, b.String())
		})
	}
}

func TestReportWithoutHistory(t *testing.T) {
	const head = "[upstream]\naddress = '127.0.0.1:5038'\nusername = 'ampd'\nsecret = 's'\n[[listen]]\naddress = '127.0.0.1:0'\n"
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o600))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	toml := filepath.Join(dir, "ampd.toml")
	tests := map[string]struct{ config, want string }{
		"none":    {head, "no history is kept: [history] file of " + toml + " is not set"},
		"missing": {head + "[history]\nfile = '/nowhere/history.sqlite'\n", "history: stat /nowhere/history.sqlite: no such file or directory"},
		"garbage": {head + "[history]\nfile = '" + garbage + "'\n", "history " + garbage + ": it is no SQLite database (file is not a database (26))"},
		"empty":   {head + "[history]\nfile = '" + empty + "'\n", "history " + empty + ": nothing was written to it yet"},
		"mistake": {head + "[history]\nfile = 'relative'\n", toml + ":8: history.file: must begin with /"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(toml, []byte(tc.config), 0o600))
			var b bytes.Buffer
			require.EqualError(t, printReport(t.Context(), &b, []string{"-config", toml}, reportNow), tc.want)
			require.Empty(t, b.String())
		})
	}
}
