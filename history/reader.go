package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"ampd/stats"
)

// A Reader reads a history's file, also while ampd writes it, and changes nothing in it.
type Reader struct {
	path string
	db   *sql.DB
}

// OpenReader opens the file. The error says in one sentence what is the matter with it. The
// caller closes the Reader.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path, "ro", patience)+"&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("history %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	r := &Reader{path, db}
	if err := r.check(ctx); err != nil {
		db.Close()
		return nil, r.wrong(err)
	}
	return r, nil
}

func (r *Reader) check(ctx context.Context) error {
	var id, version, tables int
	if err := r.db.QueryRowContext(ctx, "SELECT (SELECT * FROM pragma_application_id), (SELECT * FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)").
		Scan(&id, &version, &tables); err != nil {
		return err
	}
	if tables == 0 {
		return errors.New("nothing was written to it yet")
	}
	return known(id, version, tables)
}

// wrong says what is the matter.
func (r *Reader) wrong(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("history %s: %w", r.path, reason(r.path, err))
}

// Close closes the file.
func (r *Reader) Close() { r.db.Close() }

// entriesMost is how many entries [History.Activity] returns.
const entriesMost = 1_000

// answerWithin is how long a client's question may take.
const answerWithin = 10 * time.Second

// Activity is what those did whose interface and name match, from since up to before until, in the
// order of time, the last 1,000; from is since when the file knows. It reads the file and takes its
// time: not to be called where nobody may wait.
func (h *History) Activity(since, until time.Time, match func(iface, name string) bool) (entries []stats.Entry, from time.Time, err error) {
	h.reading.Lock()
	defer h.reading.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	r, err := OpenReader(ctx, h.cfg.File)
	if err != nil {
		return nil, from, err
	}
	defer r.Close()
	if from, _, err = meta(ctx, r.db); err != nil {
		return nil, from, r.wrong(err)
	}
	if days := h.cfg.days(); days > 0 {
		today, _ := h.calendar.Begin(h.calendar.Hour(time.Now()).Day)
		from = latest(from, today.AddDate(0, 0, -days))
	}
	from = latest(from, since)
	full := errors.New("enough")
	err = each(ctx, r.db, "SELECT "+entryColumns+" FROM activity WHERE time >= ? AND time < ? ORDER BY time DESC, rowid DESC", func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		if err != nil || !match(e.Interface, e.Name) {
			return err
		}
		if entries = append(entries, e); len(entries) == entriesMost {
			return full
		}
		return nil
	}, seconds(from), seconds(until))
	if err != nil && !errors.Is(err, full) {
		return nil, from, r.wrong(err)
	}
	slices.Reverse(entries)
	return entries, from, nil
}

func latest(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

// A Query says what a report is about.
type Query struct {
	From, To string // days, both included: "2026-03-02"
	Queue    string // in any case; "" for all
	Agent    string // in any case; "" for all
	By       string // "hour" or "day" for figures of each; "" for those of all days together
}

// QueueFigures are a queue's, of an hour, a day or all days.
type QueueFigures struct {
	stats.Hour // Day "" and Of -1 where they are of more than one
	Queue      string
	Totals     stats.QueueTotals
}

// AgentFigures are an agent's, of an hour, a day or all days.
type AgentFigures struct {
	stats.Hour // as in QueueFigures
	Agent      string
	Totals     stats.AgentTotals
}

// A Missed is a caller who was not served and not reached since.
type Missed struct {
	Number, Name, Queue string    // of the last call
	Time                time.Time // at which that caller joined
	Wait                int64     // how long, in seconds
	Tries               int       // how many calls were abandoned
}

// span is what rows are told apart by, beside a name: the expressions of day and hour, what to
// group by, and the order of hours in a day that begins at reset.
func (q *Query) span(reset int) (columns, group, order string) {
	switch q.By {
	case "hour":
		return "day, hour, ", "day, hour, ", fmt.Sprintf("day, (hour - %d + 24) %% 24, ", reset)
	case "day":
		return "day, -1, ", "day, ", "day, "
	}
	return "'', -1, ", "", ""
}

// Queues are the figures of queues, in the order of time, then name. reset is the hour at
// which a day begins.
func (r *Reader) Queues(ctx context.Context, q Query, reset int) (all []QueueFigures, err error) {
	columns, group, order := q.span(reset)
	err = each(ctx, r.db, "SELECT "+columns+"min(queue), "+strings.Join(sums(stats.QueueColumns), ", ")+
		" FROM queue_hours WHERE day BETWEEN ? AND ? AND (? = '' OR queue = ?) GROUP BY "+group+"queue ORDER BY "+order+"queue",
		func(scan func(...any) error) error {
			var f QueueFigures
			err := scan(append([]any{&f.Day, &f.Of, &f.Queue}, fields(stats.QueueColumns, &f.Totals)...)...)
			all = append(all, f)
			return err
		}, q.From, q.To, q.Queue, q.Queue)
	return all, r.wrong(err)
}

// Agents are the figures of agents, in the order of time, then name. Of one queue they are the
// calls of it, of those who had any; how long they were there and paused is the same for all queues.
func (r *Reader) Agents(ctx context.Context, q Query, reset int) (all []AgentFigures, err error) {
	columns, group, order := q.span(reset)
	at := map[agentKey]int{}
	key := func(f *AgentFigures) agentKey { return agentKey{f.Hour, strings.ToLower(f.Agent), ""} }
	err = each(ctx, r.db, "SELECT "+columns+"min(agent), "+strings.Join(sums(stats.AgentColumns), ", ")+
		" FROM agent_hours WHERE day BETWEEN ?1 AND ?2 AND (?3 = '' OR agent = ?3) AND (?4 = '' OR queue IN ('', ?4)"+
		" AND agent IN (SELECT agent FROM agent_hours WHERE day BETWEEN ?1 AND ?2 AND queue = ?4)) GROUP BY "+group+"agent ORDER BY "+order+"agent",
		func(scan func(...any) error) error {
			var f AgentFigures
			err := scan(append([]any{&f.Day, &f.Of, &f.Agent}, fields(stats.AgentColumns, &f.Totals)...)...)
			at[key(&f)] = len(all)
			all = append(all, f)
			return err
		}, q.From, q.To, q.Agent, q.Queue)
	if err != nil {
		return nil, r.wrong(err)
	}
	err = each(ctx, r.db, "SELECT "+columns+"min(agent), reason, sum(seconds) FROM agent_pauses WHERE day BETWEEN ? AND ? GROUP BY "+group+"agent, reason",
		func(scan func(...any) error) error {
			var f AgentFigures
			var why string
			var n int64
			if err := scan(&f.Day, &f.Of, &f.Agent, &why, &n); err != nil {
				return err
			}
			if i, ok := at[key(&f)]; ok {
				t := &all[i].Totals
				if t.PausedFor == nil {
					t.PausedFor = map[string]int64{}
				}
				t.PausedFor[why] = n
			}
			return nil
		}, q.From, q.To)
	return all, r.wrong(err)
}

// Abandoned are the callers who hung up while they waited and were not reached since, the
// last one first. Who sent no number is none of them: nobody can call back.
func (r *Reader) Abandoned(ctx context.Context, q Query) (all []Missed, err error) {
	err = each(ctx, r.db, "SELECT number, name, queue, max(joined) AS last, wait, count(*) FROM calls WHERE day BETWEEN ? AND ? AND "+isMissed+
		" AND digits != '' AND (? = '' OR queue = ?) GROUP BY digits ORDER BY last DESC",
		func(scan func(...any) error) error {
			var m Missed
			var joined float64
			err := scan(&m.Number, &m.Name, &m.Queue, &joined, &m.Wait, &m.Tries) // the row of max, says SQLite
			m.Time = moment(joined)
			all = append(all, m)
			return err
		}, q.From, q.To, q.Queue, q.Queue)
	return all, r.wrong(err)
}

// Gaps are the times between two moments in which nobody watched.
func (r *Reader) Gaps(ctx context.Context, from, to time.Time) ([]stats.Gap, error) {
	gaps, err := readGaps(ctx, r.db, from, to)
	return gaps, r.wrong(err)
}
