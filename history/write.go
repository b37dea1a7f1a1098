package history

import (
	"context"
	"database/sql"
	"time"

	"ampd/stats"
)

// writer writes within one transaction.
type writer struct {
	ctx      context.Context
	tx       *sql.Tx
	calendar stats.Calendar
	stmts    map[string]*sql.Stmt
	err      error // the first one; nothing is written after it
}

// do runs a statement.
func (w *writer) do(query string, values ...any) {
	if w.err != nil {
		return
	}
	s := w.stmts[query]
	if s == nil {
		if s, w.err = w.tx.PrepareContext(w.ctx, query); w.err != nil { // closed with the transaction
			return
		}
		w.stmts[query] = s
	}
	_, w.err = s.ExecContext(w.ctx, values...)
}

// all writes what is pending; since is the first moment that the file knows of.
func (w *writer) all(p *pending, since time.Time) error {
	for _, c := range p.calls {
		w.call(&c)
	}
	for _, c := range p.calls {
		if digits := stats.Digits(c.Number); c.Outcome == stats.Answered && digits != "" {
			w.do(putReach, seconds(c.Answered), digits)
		}
	}
	for i := range p.entries {
		w.entry(&p.entries[i])
	}
	for _, r := range p.queues {
		w.queue(&r)
	}
	for _, r := range p.agents {
		w.agent(&r)
	}
	for _, g := range p.gaps {
		w.do(putGap, seconds(g.Begin), seconds(g.End), g.Reason)
	}
	for _, r := range p.reached {
		if r.Digits != "" {
			w.do(putReach, seconds(r.Time), r.Digits)
		}
	}
	if !p.known.IsZero() {
		w.do(putSince, seconds(since))
		w.do(putUntil, "until", seconds(p.known))
	}
	return w.err
}

func (w *writer) call(c *stats.Call) {
	h := w.calendar.Hour(c.Joined)
	w.do(putCall, seconds(c.Joined), c.Uniqueid, c.Queue,
		h.Day, h.Of, c.Linkedid, c.Number, stats.Digits(c.Number), c.Name, c.Position, string(c.Outcome), c.Wait,
		seconds(c.Answered), c.Agent, c.Interface, c.Channel, c.Ring, c.Talk, c.EndedBy)
}

func (w *writer) entry(e *stats.Entry) {
	w.do(putEntry, seconds(e.Time), w.calendar.Hour(e.Time).Day, e.Agent, e.What, e.Interface, e.Name, e.Queue, e.Reason, e.Uniqueid, e.Seconds)
}

func (w *writer) queue(r *stats.QueueRow) {
	w.do(putQueue, append([]any{r.Day, r.Of, r.Queue}, figures(stats.QueueColumns, &r.Totals)...)...)
}

func (w *writer) agent(r *stats.AgentRow) {
	w.do(putAgent, append([]any{r.Day, r.Of, r.Agent, r.Queue, seconds(r.Until)}, figures(stats.AgentColumns, &r.Totals)...)...)
	for why, n := range r.Totals.PausedFor {
		w.do(putPause, r.Day, r.Of, r.Agent, why, n)
	}
}

// The statements that end calls of which nobody will tell the end.
const (
	countUnknown = `UPDATE queue_hours SET unknown = unknown + (SELECT count(*) FROM calls AS c WHERE c.joined < ?1 AND c.ended_by = '' AND c.outcome = ''
		AND c.day = queue_hours.day AND c.hour = queue_hours.hour AND c.queue = queue_hours.queue)
		WHERE (day, hour, queue) IN (SELECT day, hour, queue FROM calls WHERE joined < ?1 AND ` + isOpen + `)`
	endWaiting = "UPDATE calls SET outcome = 'unknown' WHERE joined < ?1 AND " + isOpen + " AND outcome = ''"
	endTalking = "UPDATE calls SET ended_by = 'unknown' WHERE joined < ?1 AND " + isOpen + " AND outcome = 'answered'"
)

// endOpen ends the calls that were under way and had joined before a moment.
func (w *writer) endOpen(before time.Time) error {
	for _, query := range []string{countUnknown, endWaiting, endTalking} {
		w.do(query, seconds(before))
	}
	return w.err
}

// sweepAtOnce is how many old rows of each table are deleted with one transaction.
const sweepAtOnce = 5_000

// sweep deletes calls, and what agents did, from before a moment; done where nothing of it is left.
func (w *writer) sweep(before time.Time) (done bool, err error) {
	done = true
	for _, query := range []string{
		"DELETE FROM calls WHERE rowid IN (SELECT rowid FROM calls WHERE joined < ? LIMIT ?)",
		"DELETE FROM activity WHERE rowid IN (SELECT rowid FROM activity WHERE time < ? LIMIT ?)",
	} {
		result, err := w.tx.ExecContext(w.ctx, query, seconds(before), sweepAtOnce)
		if err != nil {
			return false, err
		}
		if n, err := result.RowsAffected(); err != nil || n == sweepAtOnce {
			done = false
		}
	}
	return done, nil
}
