package history

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"ampd/stats"
)

// reading is what reads: a transaction, or the database.
type reading interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each runs a query and has take read each of its rows.
func each(ctx context.Context, from reading, query string, take func(scan func(...any) error) error, args ...any) error {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// meta is what the file says of itself: since when and up to when it knows; zero for an empty one.
func meta(ctx context.Context, from reading) (since, until time.Time, err error) {
	var s, u float64
	err = from.QueryRowContext(ctx, "SELECT coalesce((SELECT value FROM meta WHERE name = 'since'), 0), coalesce((SELECT value FROM meta WHERE name = 'until'), 0)").Scan(&s, &u)
	return moment(s), moment(u), err
}

// readRows reads the figures of a day and those after it.
func readRows(ctx context.Context, from reading, day string) (queues []stats.QueueRow, agents []stats.AgentRow, err error) {
	err = each(ctx, from, "SELECT day, hour, queue, "+strings.Join(words(stats.QueueColumns), ", ")+" FROM queue_hours WHERE day >= ?", func(scan func(...any) error) error {
		var r stats.QueueRow
		err := scan(append([]any{&r.Day, &r.Of, &r.Queue}, fields(stats.QueueColumns, &r.Totals)...)...)
		queues = append(queues, r)
		return err
	}, day)
	if err != nil {
		return nil, nil, err
	}
	at := map[agentKey]int{}
	err = each(ctx, from, "SELECT day, hour, agent, queue, coalesce(counted_until, 0), "+strings.Join(words(stats.AgentColumns), ", ")+" FROM agent_hours WHERE day >= ?", func(scan func(...any) error) error {
		var r stats.AgentRow
		var until float64
		err := scan(append([]any{&r.Day, &r.Of, &r.Agent, &r.Queue, &until}, fields(stats.AgentColumns, &r.Totals)...)...)
		r.Until = moment(until)
		at[keyOfAgent(&r)] = len(agents)
		agents = append(agents, r)
		return err
	}, day)
	if err != nil {
		return nil, nil, err
	}
	err = each(ctx, from, "SELECT day, hour, agent, reason, seconds FROM agent_pauses WHERE day >= ?", func(scan func(...any) error) error {
		var r stats.AgentRow
		var why string
		var n int64
		if err := scan(&r.Day, &r.Of, &r.Agent, &why, &n); err != nil {
			return err
		}
		if i, ok := at[keyOfAgent(&r)]; ok {
			t := &agents[i].Totals
			if t.PausedFor == nil {
				t.PausedFor = map[string]int64{}
			}
			t.PausedFor[why] = n
		}
		return nil
	}, day)
	return queues, agents, err
}

// readPast reads what a Book is to go on with: of the day that begins at begin, and those after it.
func readPast(ctx context.Context, from reading, day string, begin time.Time) (*stats.Past, error) {
	past := &stats.Past{}
	var err error
	if past.Since, past.Until, err = meta(ctx, from); err != nil {
		return nil, err
	}
	if past.Queues, past.Agents, err = readRows(ctx, from, day); err != nil {
		return nil, err
	}
	err = each(ctx, from, "SELECT "+entryColumns+" FROM activity WHERE time >= ? ORDER BY time, rowid", func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		past.Entries = append(past.Entries, e)
		return err
	}, seconds(begin))
	if err != nil {
		return nil, err
	}
	if past.Calls, err = readCalls(ctx, from, isOpen+" AND joined >= ? ORDER BY joined, uniqueid", seconds(begin)); err != nil {
		return nil, err
	}
	past.Gaps, err = readGaps(ctx, from, begin, time.Time{})
	return past, err
}

const entryColumns = "time, agent, what, interface, name, queue, reason, uniqueid, seconds"

func scanEntry(scan func(...any) error) (e stats.Entry, err error) {
	var at float64
	err = scan(&at, &e.Agent, &e.What, &e.Interface, &e.Name, &e.Queue, &e.Reason, &e.Uniqueid, &e.Seconds)
	e.Time = moment(at)
	return e, err
}

// readCalls reads the calls that are as where says.
func readCalls(ctx context.Context, from reading, where string, args ...any) (calls []stats.Call, err error) {
	err = each(ctx, from, `SELECT queue, uniqueid, linkedid, number, name, joined, position, outcome, wait,
		coalesce(answered, 0), agent, interface, channel, ring, talk, ended_by FROM calls WHERE `+where, func(scan func(...any) error) error {
		var c stats.Call
		var joined, answered float64
		err := scan(&c.Queue, &c.Uniqueid, &c.Linkedid, &c.Number, &c.Name, &joined, &c.Position, &c.Outcome, &c.Wait,
			&answered, &c.Agent, &c.Interface, &c.Channel, &c.Ring, &c.Talk, &c.EndedBy)
		c.Joined, c.Answered = moment(joined), moment(answered)
		calls = append(calls, c)
		return err
	}, args...)
	return calls, err
}

// readGaps reads those that end after from and, where to is not zero, begin before it.
func readGaps(ctx context.Context, db reading, from, to time.Time) (gaps []stats.Gap, err error) {
	query, args := "SELECT begin, end, reason FROM gaps WHERE end > ?", []any{seconds(from)}
	if !to.IsZero() {
		query, args = query+" AND begin < ?", append(args, seconds(to))
	}
	err = each(ctx, db, query+" ORDER BY begin", func(scan func(...any) error) error {
		var g stats.Gap
		var begin, end float64
		err := scan(&begin, &end, &g.Reason)
		g.Begin, g.End = moment(begin), moment(end)
		gaps = append(gaps, g)
		return err
	}, args...)
	return gaps, err
}
