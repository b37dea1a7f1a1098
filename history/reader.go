package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
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
