package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"ampd/stats"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func calendar() stats.Calendar {
	c := stats.DefaultConfig()
	c.Timezone = "UTC"
	return stats.NewCalendar(c)
}

// A desk is a History without a goroutine: the test says when it writes, and what time it is.
type desk struct {
	*History
	path string
	now  time.Time
	logs *observer.ObservedLogs
}

// newDesk is one that has opened its file, and what it has read.
func newDesk(t testing.TB, path string, now time.Time) (*desk, *stats.Past) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	cfg := DefaultConfig()
	cfg.File = path
	h := newHistory(cfg, calendar(), now, zap.New(core), NewMetrics(prometheus.NewRegistry()))
	h.patience = 10 * time.Millisecond
	d := &desk{h, path, now, logs}
	past := h.restore(now)
	t.Cleanup(d.leave)
	return d, past
}

// leave closes the file, as a restart does.
func (d *desk) leave() {
	if d.file != nil {
		d.file.close()
		d.file = nil
	}
}

// write lets a second pass and hands over a batch.
func (d *desk) write(b *stats.Batch) {
	d.now = d.now.Add(time.Second)
	d.put(b, d.now, d.now)
	d.step(d.now)
}

// later lets time pass.
func (d *desk) later(after time.Duration) {
	d.now = d.now.Add(after)
	d.write(&stats.Batch{})
}

// said are the lines of the log since it was asked last: what, and why.
func (d *desk) said() (lines []string) {
	for _, e := range d.logs.TakeAll() {
		line := e.Message
		for _, f := range e.Context {
			switch f.Key {
			case "cause":
				line += ": " + f.Interface.(error).Error()
			case "lost":
				line += fmt.Sprintf(" (lost %d)", f.Integer)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// query is the answer of the file, a line for each row, as anybody else would read it.
func query(t *testing.T, path, query string) string {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "ro", time.Second))
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var lines []string
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		var texts []string
		for _, v := range values {
			switch v := v.(type) {
			case nil:
				texts = append(texts, "")
			case float64:
				texts = append(texts, strconv.FormatFloat(v, 'f', -1, 64))
			default:
				texts = append(texts, fmt.Sprint(v))
			}
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	require.NoError(t, rows.Err())
	return strings.Join(lines, "\n")
}

func call(uniqueid string, joined time.Time, outcome stats.Outcome) stats.Call {
	return stats.Call{Queue: "sales", Uniqueid: uniqueid, Linkedid: uniqueid, Number: "+49 30 1234567", Name: "Eve", Joined: joined, Position: 1, Outcome: outcome, Wait: 3}
}

func queueRow(hour int, offered int64) stats.QueueRow {
	return stats.QueueRow{Hour: stats.Hour{Day: "2026-03-02", Of: hour}, Queue: "sales", Totals: stats.QueueTotals{Offered: offered, LongestHold: offered}}
}

func fileOf(t *testing.T) string { return filepath.Join(t.TempDir(), "history.sqlite") }

func TestCallIsOneRowWhateverBecomesOfIt(t *testing.T) {
	d, _ := newDesk(t, fileOf(t), start)
	c := call("1.1", start, stats.None)
	d.write(&stats.Batch{Calls: []stats.Call{c}})
	c.Outcome, c.Answered, c.Agent, c.Interface, c.Channel, c.Ring = stats.Answered, start.Add(3*time.Second), "Ann", "PJSIP/ann", "1.2", 2
	d.write(&stats.Batch{Calls: []stats.Call{c}})
	c.Talk, c.EndedBy = 60, "agent"
	d.write(&stats.Batch{Calls: []stats.Call{c}})
	require.Equal(t, "2026-03-02|9|sales|1.1|1.1|+49 30 1234567|301234567|Eve|1772442000|1|answered|3|1772442003|Ann|PJSIP/ann|1.2|2|60|agent|",
		query(t, d.path, "SELECT * FROM calls"))
	info, err := os.Stat(d.path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(d.path + "-wal")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestMissedCallersAreReached(t *testing.T) {
	abandoned := call("1.1", start, stats.Abandoned)
	tests := map[string]struct {
		then stats.Batch
		want string
	}{
		"called back":         {stats.Batch{Reached: []stats.Reached{{Digits: "301234567", Time: start.Add(time.Minute)}}}, "1772442060"},
		"another was called":  {stats.Batch{Reached: []stats.Reached{{Digits: "301234568", Time: start.Add(time.Minute)}}}, ""},
		"was called before":   {stats.Batch{Reached: []stats.Reached{{Digits: "301234567", Time: start.Add(-time.Minute)}}}, ""},
		"calls again, answer": {stats.Batch{Calls: []stats.Call{{Queue: "support", Uniqueid: "2.1", Number: "0301234567", Joined: start.Add(time.Minute), Outcome: stats.Answered, Answered: start.Add(2 * time.Minute)}}}, "1772442120"},
		"calls again, none":   {stats.Batch{Calls: []stats.Call{{Queue: "support", Uniqueid: "2.1", Number: "0301234567", Joined: start.Add(time.Minute), Outcome: stats.TimedOut}}}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d, _ := newDesk(t, fileOf(t), start)
			d.write(&stats.Batch{Calls: []stats.Call{abandoned}})
			d.write(&tc.then)
			d.write(&stats.Batch{Calls: []stats.Call{abandoned}}) // once more
			require.Equal(t, tc.want, query(t, d.path, "SELECT reached FROM calls WHERE uniqueid = '1.1'"))
		})
	}
}

func TestHoursMakeDays(t *testing.T) {
	d, _ := newDesk(t, fileOf(t), start)
	agent := func(hour int, queue string, t stats.AgentTotals) stats.AgentRow {
		return stats.AgentRow{Hour: stats.Hour{Day: "2026-03-02", Of: hour}, Agent: "Ann", Queue: queue, Totals: t}
	}
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(9, 5), queueRow(10, 7)}, Agents: []stats.AgentRow{
		agent(9, "", stats.AgentTotals{LoggedIn: 3600, Paused: 70, PausedFor: map[string]int64{"lunch": 60, "": 10}}),
		agent(9, "sales", stats.AgentTotals{Answered: 2, TalkTime: 100, LongestTalk: 80}),
		agent(10, "Sales", stats.AgentTotals{Answered: 1, TalkTime: 90, LongestTalk: 90}),
	}})
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(10, 8)}})
	require.Equal(t, "2026-03-02|sales|13|8", query(t, d.path, "SELECT day, queue, offered, longest_hold_seconds FROM queue_days"))
	require.Equal(t, "2026-03-02|Ann|3600|70|3|190|90", query(t, d.path, "SELECT day, agent, logged_in_seconds, paused_seconds, answered, talk_seconds, longest_talk_seconds FROM agent_days"))
	require.Equal(t, "|10\nlunch|60", query(t, d.path, "SELECT reason, seconds FROM agent_pauses ORDER BY reason"))
}

// What Restore gets is what the Book had.
func TestPastIsWhatWasWritten(t *testing.T) {
	path := fileOf(t)
	d, past := newDesk(t, path, start)
	require.Zero(t, past.Until)
	yesterday := start.AddDate(0, 0, -1)
	open, answered, ended := call("1.1", start, stats.None), call("1.2", start, stats.Answered), call("1.3", start, stats.Answered)
	answered.Answered, answered.Agent, answered.Channel = start.Add(3*time.Second), "Ann", "1.9"
	ended.EndedBy = "caller"
	old := queueRow(9, 4)
	old.Day = "2026-02-28"
	before := queueRow(22, 3)
	before.Day = "2026-03-01"
	b := &stats.Batch{
		Calls:   []stats.Call{open, answered, ended},
		Entries: []stats.Entry{{Time: start, Agent: "Ann", What: "Pause", Interface: "PJSIP/ann", Name: "Ann", Queue: "sales", Reason: "lunch"}, {Time: yesterday.AddDate(0, 0, -1), Agent: "Ann", What: "Login"}},
		Queues:  []stats.QueueRow{old, before, queueRow(9, 3)},
		Agents:  []stats.AgentRow{{Hour: stats.Hour{Day: "2026-03-02", Of: 9}, Agent: "Ann", Totals: stats.AgentTotals{LoggedIn: 50, Paused: 9, PausedFor: map[string]int64{"lunch": 9}}, Until: start.Add(time.Minute)}},
		Gaps:    []stats.Gap{{Begin: start.Add(-time.Hour), End: start, Reason: "Asterisk was lost"}, {Begin: yesterday.AddDate(0, 0, -2), End: yesterday.AddDate(0, 0, -2), Reason: "old"}},
	}
	d.write(b)
	d.later(20 * time.Second)
	d.leave()

	_, past = newDesk(t, path, d.now.Add(time.Minute))
	for i := range past.Calls { // of the machine's zone
		past.Calls[i].Joined = past.Calls[i].Joined.UTC()
		if !past.Calls[i].Answered.IsZero() {
			past.Calls[i].Answered = past.Calls[i].Answered.UTC()
		}
	}
	require.Equal(t, []stats.Call{open, answered}, past.Calls)
	require.Equal(t, start.Add(time.Second), past.Since.UTC())
	require.Equal(t, d.now, past.Until.UTC())
	require.Equal(t, []stats.QueueRow{before, queueRow(9, 3)}, past.Queues)
	past.Agents[0].Until = past.Agents[0].Until.UTC()
	require.Equal(t, b.Agents, past.Agents)
	require.Len(t, past.Entries, 1)
	past.Entries[0].Time = past.Entries[0].Time.UTC()
	require.Equal(t, b.Entries[:1], past.Entries)
	require.Len(t, past.Gaps, 1)
	require.Equal(t, b.Gaps[0].Begin, past.Gaps[0].Begin.UTC())
}

func TestCallsThatNobodyEndedBecomeUnknown(t *testing.T) {
	path := fileOf(t)
	d, _ := newDesk(t, path, start)
	talking := call("1.2", start, stats.Answered)
	d.write(&stats.Batch{Calls: []stats.Call{call("1.1", start, stats.None), talking}, Queues: []stats.QueueRow{queueRow(9, 2)}})
	d.leave()
	_, past := newDesk(t, path, start.AddDate(0, 0, 3))
	require.Empty(t, past.Calls)
	require.Equal(t, "1.1|unknown|\n1.2|answered|unknown", query(t, path, "SELECT uniqueid, outcome, ended_by FROM calls ORDER BY uniqueid"))
	require.Equal(t, "2|1", query(t, path, "SELECT offered, unknown FROM queue_hours"))
}

func TestRetentionTakesCallsAndLeavesTotals(t *testing.T) {
	d, _ := newDesk(t, fileOf(t), start)
	d.cfg.Retention = 24 * 3600e9 * 2
	b := &stats.Batch{Queues: []stats.QueueRow{queueRow(9, 1)}}
	for day := range 4 {
		at := start.AddDate(0, 0, -day)
		b.Calls = append(b.Calls, call("1.1", at, stats.Abandoned))
		b.Entries = append(b.Entries, stats.Entry{Time: at, Agent: "Ann", What: "Login"})
	}
	d.write(b)
	require.Equal(t, "2026-02-28|2026-03-02", query(t, d.path, "SELECT min(day), max(day) FROM calls"))
	require.Equal(t, "2026-02-28|2026-03-02", query(t, d.path, "SELECT min(day), max(day) FROM activity"))
	require.Equal(t, "1", query(t, d.path, "SELECT count(*) FROM queue_hours"))
	d.later(24 * time.Hour)
	require.Equal(t, "2026-03-01|2026-03-02", query(t, d.path, "SELECT min(day), max(day) FROM calls"))
}

// lock has another connection lock the file, as another process does, until the test ends or
// unlock is called.
func lock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "rw", time.Second))
	require.NoError(t, err)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE")
	require.NoError(t, err)
	unlock = func() {
		_, err := conn.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK")
		require.NoError(t, err)
		conn.Close()
		db.Close()
	}
	return unlock
}

// tmpfs is a small disk at the folder.
func tmpfs(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=700"); errors.Is(err, syscall.EPERM) {
		t.Skip("may not mount")
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// Whatever happens to the file while ampd runs, what was handed over is in it in the end, and
// the log says so once.
func TestTroubleWithTheFile(t *testing.T) {
	tests := map[string]struct {
		dir     func(t *testing.T) string
		trouble func(t *testing.T, d *desk) (mend func())
		said    string // as it begins
	}{
		"full disk": {
			func(t *testing.T) string { return tmpfs(t, "512k") },
			func(t *testing.T, d *desk) func() {
				ballast := filepath.Join(filepath.Dir(d.path), "ballast")
				f, err := os.Create(ballast)
				require.NoError(t, err)
				for err == nil {
					_, err = f.Write(make([]byte, 4096))
				}
				require.ErrorIs(t, err, syscall.ENOSPC)
				f.Close()
				return func() { require.NoError(t, os.Remove(ballast)) }
			},
			"the history is not written, what happens waits in memory: the disk is full (",
		},
		"read-only disk": {
			func(t *testing.T) string { return tmpfs(t, "1m") },
			func(t *testing.T, d *desk) func() {
				dir := filepath.Dir(d.path)
				d.leave() // else the disk is busy; it was lost and is opened anew
				require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
				return func() { require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, "")) }
			},
			"the history is not written, what happens waits in memory: open ",
		},
		"locked": {
			func(t *testing.T) string { return t.TempDir() },
			func(t *testing.T, d *desk) func() { return lock(t, d.path) },
			"the history is not written, what happens waits in memory: another process has locked it (",
		},
		"folder missing": {
			func(t *testing.T) string { return filepath.Join(t.TempDir(), "folder") },
			func(t *testing.T, d *desk) func() {
				require.NoError(t, os.RemoveAll(filepath.Dir(d.path)))
				return func() { require.NoError(t, os.Mkdir(filepath.Dir(d.path), 0o700)) }
			},
			"the history's file was deleted or replaced: it is opened anew",
		},
		"no database": {
			func(t *testing.T) string { return t.TempDir() },
			func(t *testing.T, d *desk) func() {
				d.leave()
				require.NoError(t, os.WriteFile(d.path, []byte("[upstream]\naddress = 'x'\n"+strings.Repeat("# more\n", 100)), 0o600))
				return func() { require.NoError(t, os.Remove(d.path)) }
			},
			"the history is not written, what happens waits in memory: it is no SQLite database (",
		},
		"another program's database": {
			func(t *testing.T) string { return t.TempDir() },
			func(t *testing.T, d *desk) func() {
				d.leave()
				require.NoError(t, os.Remove(d.path))
				db, err := sql.Open("sqlite", dsn(d.path, "rwc", time.Second))
				require.NoError(t, err)
				defer db.Close()
				_, err = db.ExecContext(t.Context(), "CREATE TABLE theirs (x)")
				require.NoError(t, err)
				return func() { require.NoError(t, os.Remove(d.path)) }
			},
			"the history is not written, what happens waits in memory: it is another program's database",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := tc.dir(t)
			require.NoError(t, os.MkdirAll(dir, 0o700))
			d, _ := newDesk(t, filepath.Join(dir, "history.sqlite"), start)
			d.write(&stats.Batch{Calls: []stats.Call{call("1.0", start, stats.None)}, Queues: []stats.QueueRow{queueRow(9, 1)}})
			require.Empty(t, d.said())
			mend := tc.trouble(t, d)
			for i := range 20 {
				d.write(&stats.Batch{
					Calls: []stats.Call{call(fmt.Sprint("2.", i), d.now, stats.Abandoned)}, Queues: []stats.QueueRow{queueRow(9, int64(i)+2)},
					Entries: []stats.Entry{{Time: d.now, Agent: "Ann", What: "Login"}},
				})
			}
			require.GreaterOrEqual(t, testutil.ToFloat64(d.metrics.errors), 2.0)
			require.GreaterOrEqual(t, testutil.ToFloat64(d.metrics.behind), 19.0)
			said := d.said()
			require.True(t, strings.HasPrefix(said[0], tc.said), "%q", said)
			failures := 0
			for _, line := range said {
				if strings.HasPrefix(line, "the history is not written") {
					failures++
				}
			}
			require.Equal(t, 1, failures, "%q", said)
			mend()
			d.later(retryAfter)
			require.Equal(t, []string{"the history is written again (lost 0)"}, d.said())
			require.Zero(t, testutil.ToFloat64(d.metrics.behind))
			require.Equal(t, "20|20", query(t, d.path, "SELECT (SELECT count(*) FROM calls WHERE uniqueid LIKE '2.%'), (SELECT count(*) FROM activity)"))
			require.Equal(t, "21", query(t, d.path, "SELECT offered FROM queue_hours"))
			require.Equal(t, "1.0|", query(t, d.path, "SELECT uniqueid, outcome FROM calls WHERE uniqueid = '1.0'"), "one that has not ended is also in a new file")
			require.Equal(t, "ok", query(t, d.path, "PRAGMA integrity_check"))
		})
	}
}

func TestDeletedFileIsMadeAnew(t *testing.T) {
	d, _ := newDesk(t, fileOf(t), start)
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(9, 5)}})
	require.NoError(t, os.Remove(d.path))
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(10, 1)}})
	require.Equal(t, []string{"the history's file was deleted or replaced: it is opened anew"}, d.said())
	require.Equal(t, "9|5\n10|1", query(t, d.path, "SELECT hour, offered FROM queue_hours"), "the figures of today were told before")
}

// breakPages writes over the middle of a database.
func breakPages(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	for at := int64(4096); at < info.Size(); at += 4096 {
		_, err = f.WriteAt([]byte(strings.Repeat("broken! ", 512)), at)
		require.NoError(t, err)
	}
}

func TestBrokenFileIsSetAside(t *testing.T) {
	tests := map[string]func(t *testing.T, path string){
		"pages": breakPages,
		"head": func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			require.NoError(t, err)
			defer f.Close()
			_, err = f.WriteAt(make([]byte, 4096), 0)
			require.NoError(t, err)
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			path := fileOf(t)
			d, _ := newDesk(t, path, start)
			d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(9, 5)}, Calls: []stats.Call{call("1.1", start, stats.Abandoned)}})
			d.leave()
			damage(t, path)
			broken, err := os.ReadFile(path)
			require.NoError(t, err)
			d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(10, 1)}})
			require.Len(t, d.said(), 1)
			require.Equal(t, "9|5\n10|1", query(t, path, "SELECT hour, offered FROM queue_hours"))
			aside, err := os.ReadFile(path + ".broken-20260302-090002")
			require.NoError(t, err)
			require.Equal(t, broken, aside)

			d.leave()
			damage(t, path)
			d, past := newDesk(t, path, start.Add(time.Hour))
			require.Zero(t, past.Until)
			said := d.said()
			require.Len(t, said, 1)
			require.Contains(t, said[0], "the history is broken and was set aside, a new file is written: it is ")
		})
	}
}

// A history that could not be read when ampd started goes on when it can be written.
func TestFiguresAreAddedWhereThePastWasNotKnown(t *testing.T) {
	path := fileOf(t)
	d, _ := newDesk(t, path, start)
	row := func(queue string, t stats.AgentTotals) stats.AgentRow {
		return stats.AgentRow{Hour: stats.Hour{Day: "2026-03-02", Of: 9}, Agent: "Ann", Queue: queue, Totals: t}
	}
	d.write(&stats.Batch{
		Calls: []stats.Call{call("1.1", start, stats.None)}, Queues: []stats.QueueRow{queueRow(9, 5)},
		Agents: []stats.AgentRow{row("", stats.AgentTotals{LoggedIn: 100, Paused: 30, PausedFor: map[string]int64{"lunch": 30}}), row("sales", stats.AgentTotals{Answered: 2, LongestTalk: 9})},
	})
	d.leave()
	unlock := lock(t, path)
	d, past := newDesk(t, path, start.Add(time.Minute))
	require.Zero(t, past.Until)
	require.Len(t, d.said(), 1)
	now := []stats.AgentRow{row("", stats.AgentTotals{LoggedIn: 160, Paused: 10, PausedFor: map[string]int64{"lunch": 10}}), row("sales", stats.AgentTotals{Answered: 1, LongestTalk: 7})}
	d.later(retryAfter)
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(9, 1)}, Agents: now})
	unlock()
	d.later(retryAfter)
	require.Equal(t, []string{"the history is written again (lost 0)"}, d.said())
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(9, 2)}, Agents: now})
	require.Equal(t, "7|1|5", query(t, path, "SELECT offered, unknown, longest_hold_seconds FROM queue_hours"))
	require.Equal(t, "|160|30|0|0\nsales|0|0|3|9", query(t, path, "SELECT queue, logged_in_seconds, paused_seconds, answered, longest_talk_seconds FROM agent_hours"))
	require.Equal(t, "lunch|30", query(t, path, "SELECT reason, seconds FROM agent_pauses"))
}

func TestWhatFindsNoRoomIsCounted(t *testing.T) {
	d, _ := newDesk(t, filepath.Join(t.TempDir(), "missing", "history.sqlite"), start)
	require.Len(t, d.said(), 1)
	b := &stats.Batch{}
	for i := range mostCalls + 1_000 {
		b.Calls = append(b.Calls, call(fmt.Sprint(i), start, stats.None))
	}
	d.write(b)
	d.write(&stats.Batch{Calls: []stats.Call{call("3", start, stats.Abandoned), call("another", start, stats.None)}})
	require.InDelta(t, 1001, testutil.ToFloat64(d.metrics.lost.WithLabelValues("calls")), 0)
	require.Len(t, d.waiting.calls, mostCalls)
	three := call("3", start, stats.None)
	require.Equal(t, stats.Abandoned, d.waiting.calls[keyOfCall(&three)].Outcome, "what has its room already is taken")

	d.waiting.calls, d.recent.calls = nil, nil // takes a minute with the race detector
	d.waiting.calls = map[callKey]stats.Call{}
	require.NoError(t, os.Mkdir(filepath.Dir(d.path), 0o700))
	d.later(retryAfter)
	require.Equal(t, []string{"the history is written again (lost 1001)"}, d.said())
}

func TestNewerFileIsRefused(t *testing.T) {
	path := fileOf(t)
	d, _ := newDesk(t, path, start)
	_, err := d.file.db.ExecContext(t.Context(), "PRAGMA user_version = 7")
	require.NoError(t, err)
	d.leave()
	d, _ = newDesk(t, path, start)
	require.Equal(t, []string{"the history is not written, what happens waits in memory: a newer ampd has written it: it has version 7, this ampd knows 1"}, d.said())
	_, err = OpenReader(t.Context(), path)
	require.EqualError(t, err, "history "+path+": a newer ampd has written it: it has version 7, this ampd knows 1")
}

// testdata/version1.sqlite was written by the first ampd that had a history: what it holds is
// found again, whatever this ampd's version is.
func TestVersion1IsRead(t *testing.T) {
	path := fileOf(t)
	version1, err := os.ReadFile("testdata/version1.sqlite")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, version1, 0o600))
	d, past := newDesk(t, path, start.Add(time.Hour))
	require.Empty(t, d.said())
	require.Equal(t, start.Add(time.Second), past.Since.UTC())
	require.Len(t, past.Calls, 1)
	require.Equal(t, []stats.QueueRow{queueRow(9, 3)}, past.Queues)
	require.Equal(t, int64(600), past.Agents[0].Totals.PausedFor["lunch"])
	require.Len(t, past.Entries, 1)
	require.Len(t, past.Gaps, 1)
	require.Equal(t, fmt.Sprint(schemaVersion), query(t, path, "PRAGMA user_version"))

	// It then is as one that was made now.
	made, _ := newDesk(t, fileOf(t), start)
	const schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
	require.Equal(t, query(t, made.path, schema), query(t, path, schema))
}

// Figures that stats has since the file was made get their columns.
func TestNewFiguresGetColumns(t *testing.T) {
	path := fileOf(t)
	d, _ := newDesk(t, path, start)
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(9, 3)}})
	_, err := d.file.db.ExecContext(t.Context(), "DROP VIEW queue_days; ALTER TABLE queue_hours DROP COLUMN withdrawn")
	require.NoError(t, err)
	d.leave()
	d, _ = newDesk(t, path, start)
	d.write(&stats.Batch{Queues: []stats.QueueRow{queueRow(10, 4)}})
	require.Empty(t, d.said())
	require.Equal(t, "7|0", query(t, path, "SELECT offered, withdrawn FROM queue_days"))
}

func TestActivityIsFound(t *testing.T) {
	d, _ := newDesk(t, fileOf(t), time.Now().Add(-48*time.Hour))
	began := d.now
	b := &stats.Batch{}
	for i := range 1_250 {
		name := "Ann"
		if i < 40 {
			name = "Bob"
		}
		b.Entries = append(b.Entries, stats.Entry{Time: began.Add(time.Duration(i) * time.Minute), Agent: name, What: "Login", Interface: "PJSIP/" + name, Name: name, Queue: "sales"})
	}
	d.write(b)
	ann := func(iface, _ string) bool { return iface == "PJSIP/Ann" }
	found, from, err := d.Activity(began.Add(-time.Hour), began.Add(1_200*time.Minute), ann)
	require.NoError(t, err)
	require.WithinDuration(t, began.Add(time.Second), from, time.Second, "nobody watched before")
	require.Len(t, found, 1_000)
	require.WithinDuration(t, began.Add(200*time.Minute), found[0].Time, time.Second)
	require.WithinDuration(t, began.Add(1_199*time.Minute), found[999].Time, time.Second)

	asked := began.Add(1_199 * time.Minute)
	found, from, err = d.Activity(asked, began.Add(1_200*time.Minute), ann)
	require.NoError(t, err)
	require.Equal(t, asked, from)
	require.Len(t, found, 1)
	require.Equal(t, "Ann", found[0].Agent)
}
