package history

import (
	"math"
	"strings"
	"time"

	"ampd/stats"
)

// Times are kept as Unix seconds with milliseconds: SQLite's own functions and Grafana take them as
// they are.

// seconds is a moment as it is kept, nil for none.
func seconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return float64(t.UnixMilli()) / 1000
}

// moment is the reverse; 0 is none.
func moment(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000)))
}

// figures are the values of totals, in the order of the columns.
func figures[T any](columns []stats.Column[T], t *T) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		all[i] = *c.Of(t)
	}
	return all
}

// fields are where to put the values of totals, in the order of the columns.
func fields[T any](columns []stats.Column[T], t *T) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		all[i] = c.Of(t)
	}
	return all
}

// upsert writes a row over the one with the same key.
func upsert(table string, key, columns []string) string {
	all := append(append([]string{}, key...), columns...)
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = excluded." + c
	}
	return "INSERT INTO " + table + " (" + strings.Join(all, ", ") + ") VALUES (" + strings.TrimSuffix(strings.Repeat("?, ", len(all)), ", ") + ")" +
		" ON CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// The statements of a write.
var (
	putCall = upsert("calls", []string{"joined", "uniqueid", "queue"}, []string{
		"day", "hour", "linkedid", "number", "digits", "name", "position", "outcome", "wait",
		"answered", "agent", "interface", "channel", "ring", "talk", "ended_by",
	})
	putEntry = "INSERT INTO activity (time, day, agent, what, interface, name, queue, reason, uniqueid, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	putQueue = upsert("queue_hours", []string{"day", "hour", "queue"}, words(stats.QueueColumns))
	putAgent = upsert("agent_hours", []string{"day", "hour", "agent", "queue"}, append([]string{"counted_until"}, words(stats.AgentColumns)...))
	putPause = upsert("agent_pauses", []string{"day", "hour", "agent", "reason"}, []string{"seconds"})
	putGap   = upsert("gaps", []string{"begin"}, []string{"end", "reason"})
	putUntil = upsert("meta", []string{"name"}, []string{"value"})
	putSince = "INSERT INTO meta (name, value) VALUES ('since', ?) ON CONFLICT DO NOTHING"
	putReach = "UPDATE calls SET reached = ?1 WHERE digits = ?2 AND joined < ?1 AND " + isMissed
)
