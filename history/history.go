package history

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"go.uber.org/zap"

	"ampd/stats"
)

const (
	// heartbeat is how often the file is told that ampd runs, when nothing else happens.
	heartbeat = 10 * time.Second

	// retryAfter is when a write that has failed is tried again.
	retryAfter = 5 * time.Second

	// patience is how long another process's lock is waited for.
	patience = 2 * time.Second

	// closeWait is how long Close waits for the disk.
	closeWait = 5 * time.Second
)

// A History writes what happens to its file. A nil History writes nothing.
type History struct {
	cfg      Config
	calendar stats.Calendar
	log      *zap.Logger
	metrics  *Metrics
	began    time.Time // when ampd started
	patience time.Duration

	wake    chan struct{} // has room for one: there is something for run to do
	done    chan struct{} // closed when run has ended
	reading sync.Mutex    // held while a client's question is answered: one at a time

	mu      sync.Mutex
	waiting *pending
	lost    int // things, since it was last said that the file is written again
	closing bool

	// Owned by run.
	file     *file     // nil while it is not open
	restored bool      // the Book goes on with what the file had, or base has it
	since    time.Time // the first moment that the file knows of, zero where it does not say
	broken   time.Time // since when the file is not written, zero while it is
	retry    time.Time // not to be tried before
	wrote    time.Time // when it was written last
	swept    string    // the day for which old rows were deleted
	recent   recent
	base     recent // what is to be added to rows, because the Book does not know of it
}

// recent is what was handed over, or read, of today and the day before.
type recent struct {
	queues map[queueKey]stats.QueueRow
	agents map[agentKey]stats.AgentRow
	calls  map[callKey]stats.Call // that have not ended
}

func newRecent() recent {
	return recent{map[queueKey]stats.QueueRow{}, map[agentKey]stats.AgentRow{}, map[callKey]stats.Call{}}
}

// Open opens the history that cfg says, nil where it says none, and returns what a Book is to go on
// with. It never fails: what is wrong with the file is said in the log, and tried again. The caller
// closes the History.
func Open(cfg Config, calendar stats.Calendar, now time.Time, log *zap.Logger, metrics *Metrics) (*History, *stats.Past) {
	if cfg.File == "" {
		return nil, &stats.Past{}
	}
	h := newHistory(cfg, calendar, now, log, metrics)
	past := h.restore(now)
	go h.run() // ends with Close
	return h, past
}

func newHistory(cfg Config, calendar stats.Calendar, now time.Time, log *zap.Logger, metrics *Metrics) *History {
	return &History{
		cfg: cfg, calendar: calendar, log: log, metrics: metrics, began: now, patience: patience,
		wake: make(chan struct{}, 1), done: make(chan struct{}), waiting: newPending(), recent: newRecent(), base: newRecent(),
	}
}

// Put hands over what happened since the last time; known is up to when that is known, zero for
// never. It never waits for the disk. The batch is the History's from then on.
func (h *History) Put(b *stats.Batch, known time.Time) {
	h.put(b, known, time.Now())
	h.poke()
}

func (h *History) put(b *stats.Batch, known, now time.Time) {
	h.mu.Lock()
	lost := h.waiting.add(b, known, now)
	h.mu.Unlock()
	h.lose(lost)
}

// lose counts what found no room.
func (h *History) lose(n losses) {
	if n == (losses{}) {
		return
	}
	for kind, n := range map[string]int{"calls": n.calls, "activity": n.activity, "figures": n.figures, "others": n.others} {
		h.metrics.lost.WithLabelValues(kind).Add(float64(n))
	}
	h.mu.Lock()
	h.lost += n.calls + n.activity + n.figures + n.others
	h.mu.Unlock()
}

// poke tells run that there is something to do.
func (h *History) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Close writes what waits and closes the file. It waits for the disk, but not longer than
// [closeWait].
func (h *History) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.poke()
	select {
	case <-h.done:
	case <-time.After(closeWait):
		h.log.Error("the history is left without its last second: the disk does not answer", zap.String("file", h.cfg.File))
	}
}

// run does all that touches the file.
func (h *History) run() {
	defer close(h.done)
	for range h.wake {
		h.mu.Lock()
		closing := h.closing
		h.mu.Unlock()
		if closing {
			h.retry = time.Time{}
		}
		h.step(time.Now())
		if closing {
			h.end()
			return
		}
	}
}

// end is the last thing that run does.
func (h *History) end() {
	if h.file != nil {
		h.file.close()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.lost + len(h.waiting.calls); !h.broken.IsZero() && n > 0 {
		h.log.Warn("what was not written to the history is lost", zap.String("file", h.cfg.File), zap.Int("lost", n))
	}
}

// step writes what waits, unless that has just failed.
func (h *History) step(now time.Time) {
	h.mu.Lock()
	p := h.waiting
	if now.Before(h.retry) || p.empty() && now.Sub(h.wrote) < heartbeat {
		h.mu.Unlock()
		h.metrics.late(p.since, now)
		return
	}
	h.waiting = newPending()
	h.mu.Unlock()

	h.forget(now)
	h.recent.take(p)
	err := h.try(p, now)
	if err != nil && isBroken(err) && h.replace(err, now) {
		err = h.try(p, now)
	}
	if err != nil {
		h.mu.Lock()
		lost := p.follow(h.waiting)
		h.waiting = p
		h.mu.Unlock()
		h.lose(lost)
		h.failed(err, now)
		h.metrics.late(p.since, now)
		return
	}
	h.wrote = now
	h.metrics.writes.Inc()
	h.metrics.late(time.Time{}, now)
	h.written(now)
	h.sweep(now)
}

// failed says so where it is the first time.
func (h *History) failed(err error, now time.Time) {
	h.metrics.errors.Inc()
	h.retry = now.Add(retryAfter)
	if h.file != nil && !isLock(err) {
		h.file.close()
		h.file = nil
	}
	if h.broken.IsZero() {
		h.broken = now
		h.log.Error("the history is not written, what happens waits in memory", zap.String("file", h.cfg.File), zap.NamedError("cause", reason(h.cfg.File, err)))
	}
}

// written says so where it was not before.
func (h *History) written(now time.Time) {
	if h.broken.IsZero() {
		return
	}
	h.mu.Lock()
	lost := h.lost
	h.lost = 0
	h.mu.Unlock()
	h.log.Warn("the history is written again", zap.String("file", h.cfg.File), zap.Duration("after", now.Sub(h.broken)), zap.Int("lost", lost))
	h.broken = time.Time{}
}

// replace sets a broken file aside, so that a new one is made.
func (h *History) replace(err error, now time.Time) bool {
	if h.file != nil {
		h.file.close()
		h.file = nil
	}
	name, failed := setAside(h.cfg.File, now)
	if failed != nil {
		return false
	}
	h.log.Error("the history is broken and was set aside, a new file is written", zap.String("file", h.cfg.File), zap.String("set_aside", name), zap.NamedError("cause", reason(h.cfg.File, err)))
	return true
}

// restore opens the file and reads what a Book is to go on with.
func (h *History) restore(now time.Time) *stats.Past {
	past, err := h.readPast(now)
	if err != nil && isBroken(err) && h.replace(err, now) {
		past, err = h.readPast(now)
	}
	if err != nil {
		h.failed(err, now)
		return &stats.Past{}
	}
	h.restored, h.file.met, h.since, h.wrote = true, true, past.Since, past.Until
	return past
}

func (h *History) readPast(now time.Time) (past *stats.Past, err error) {
	ctx := context.Background()
	if h.file == nil {
		if h.file, err = openFile(ctx, h.cfg.File, h.patience); err != nil {
			return nil, err
		}
	}
	day, begin := h.yesterday(now)
	err = h.file.transaction(ctx, func(tx *sql.Tx) error {
		if err := h.writer(ctx, tx).endOpen(begin); err != nil {
			return err
		}
		past, err = readPast(ctx, tx, day, begin)
		return err
	})
	return past, err
}

// yesterday is the day before that of a moment, and when it begins.
func (h *History) yesterday(now time.Time) (day string, begin time.Time) {
	today, _ := h.calendar.Begin(h.calendar.Hour(now).Day)
	day = h.calendar.Hour(today.Add(-time.Minute)).Day
	begin, _ = h.calendar.Begin(day)
	return day, begin
}

func (h *History) writer(ctx context.Context, tx *sql.Tx) *writer {
	return &writer{ctx: ctx, tx: tx, calendar: h.calendar, stmts: map[string]*sql.Stmt{}}
}

// try writes what is pending, to a file that it opens where there is none.
func (h *History) try(p *pending, now time.Time) (err error) {
	ctx := context.Background()
	if h.file != nil && !h.file.isThere(h.cfg.File) {
		h.log.Warn("the history's file was deleted or replaced: it is opened anew", zap.String("file", h.cfg.File))
		h.file.close()
		h.file = nil
	}
	if h.file == nil {
		if h.file, err = openFile(ctx, h.cfg.File, h.patience); err != nil {
			return err
		}
	}
	if h.since.IsZero() {
		h.since = p.known
	}
	err = h.file.transaction(ctx, func(tx *sql.Tx) (err error) {
		w, all := h.writer(ctx, tx), p
		if !h.file.met {
			if all, err = h.meet(w, p, now); err != nil {
				return err
			}
		}
		return w.all(h.base.addTo(all), h.since)
	})
	if err == nil {
		h.file.met, h.restored = true, true
	}
	return err
}

// meet takes up a file that was opened just now, and returns what is to be written to it: all that is
// known, for it may be a new one.
func (h *History) meet(w *writer, p *pending, now time.Time) (*pending, error) {
	day, begin := h.yesterday(now)
	if !h.restored {
		if err := w.endOpen(h.began); err != nil {
			return nil, err
		}
		queues, agents, err := readRows(w.ctx, w.tx, day)
		if err != nil {
			return nil, err
		}
		since, _, err := meta(w.ctx, w.tx)
		if err != nil {
			return nil, err
		}
		if !since.IsZero() {
			h.since = since
		}
		h.base.set(queues, agents)
	}
	if h.since.Before(begin) {
		h.since = begin
	}
	return h.recent.with(p), nil
}

// forget drops what is older than the day before.
func (h *History) forget(now time.Time) {
	day, _ := h.yesterday(now)
	h.recent.forget(day)
	h.base.forget(day)
}

// sweep deletes what is older than the retention, once a day.
func (h *History) sweep(now time.Time) {
	today := h.calendar.Hour(now).Day
	if h.cfg.days() == 0 || h.swept == today {
		return
	}
	begin, _ := h.calendar.Begin(today)
	ctx, done := context.Background(), false
	err := h.file.transaction(ctx, func(tx *sql.Tx) (err error) {
		done, err = h.writer(ctx, tx).sweep(begin.AddDate(0, 0, -h.cfg.days()))
		return err
	})
	switch {
	case isBroken(err):
		h.replace(err, now)
	case err != nil:
		h.metrics.errors.Inc() // tried again with the next write, which says what is wrong
	case done:
		h.swept = today
	}
}
