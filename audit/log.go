package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// mostQueued is what may wait to be written, in bytes: thousands of lines.
const mostQueued = 1 << 20

// calm is how long no line must have been lost before it is said that this is over.
const calm = 10 * time.Second

// closeWait is how long Close waits for the disk.
const closeWait = time.Second

// Why lines are lost, besides errors of the file.
var (
	errQueueFull = errors.New("the disk does not take them fast enough")
	errClosed    = errors.New("ampd is stopping")
)

// A Log writes lines to one file. A nil Log writes nothing, nor does one without a file.
type Log struct {
	log     *zap.Logger
	metrics *Metrics
	now     atomic.Pointer[settings] // what is in force; replaced as a whole

	wake chan struct{} // has room for one: there is something for run to do
	done chan struct{} // closed when run has ended

	mu      sync.Mutex
	queue   []byte // whole lines
	reopen  bool
	change  *Change // to be made by run, nil for none
	closing bool
	lost    uint64    // lines, since it was last said that this is over
	lostAt  time.Time // the last of them

	// Owned by run.
	path  string   // "" for nowhere
	file  *os.File // nil while it could not be opened
	torn  bool     // the file ends inside a line
	spare []byte   // the next queue
}

// settings say what is written, and where.
type settings struct {
	Config
	protected []string // names of variables in lower case; one "*" may stand for anything
}

// Open opens the file, or creates it readable by its owner only. protected are the names
// of variables whose values are masked; one "*" may stand for anything. A file that can't
// be opened is an error, but for a full disk: that loses lines, as it does later. The
// caller closes the Log.
func Open(cfg Config, protected []string, log *zap.Logger, metrics *Metrics) (*Log, error) {
	l := &Log{
		log:     log,
		metrics: metrics,
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	first, err := l.Prepare(cfg, protected)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	l.now.Store(first.settings)
	l.take(first)
	go l.run() // ends with Close
	return l, nil
}

// A Change is what a Log is to be from some moment on. It is given to [Log.Apply] or dropped.
type Change struct {
	settings *settings
	moves    bool     // to another file, or none
	file     *os.File // that one, nil where there is none or the disk is full
	from     int      // where the lines for it begin in Log.queue
}

// Prepare opens the file that cfg names where that is another one than now; the error is
// that of [Open]. Nothing changes before [Log.Apply].
func (l *Log) Prepare(cfg Config, protected []string) (*Change, error) {
	c := &Change{settings: &settings{Config: cfg}}
	for _, name := range protected {
		c.settings.protected = append(c.settings.protected, strings.ToLower(name))
	}
	before := l.now.Load()
	if c.moves = before == nil || before.File != cfg.File; !c.moves || cfg.File == "" {
		return c, nil
	}
	var err error
	if c.file, err = openFile(cfg.File); err != nil && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return nil, err
	}
	return c, nil
}

// Drop gives the change up.
func (c *Change) Drop() {
	if c.file != nil {
		c.file.Close()
	}
}

// Apply puts the change in force, which was prepared last: lines that are written after it go to
// its file.
func (l *Log) Apply(c *Change) {
	l.now.Store(c.settings)
	if !c.moves {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.change != nil { // the disk is slow
		l.change.Drop()
	}
	l.change, c.from = c, len(l.queue)
	l.poke()
}

// On tells whether lines are written.
func (l *Log) On() bool { return l != nil && l.now.Load().File != "" }

// Wants tells whether an action gets a line that changes something, or that was refused.
// Logins always get theirs.
func (l *Log) Wants(changes, refused bool) bool {
	if !l.On() {
		return false
	}
	switch l.now.Load().Actions {
	case "all":
		return true
	case "refused":
		return refused
	}
	return changes || refused
}

// Write queues the line, of which it keeps nothing. It never waits for the disk: a line
// that finds no room is lost.
func (l *Log) Write(line Line) {
	if !l.On() {
		return
	}
	if err := l.enqueue(&line); err != nil {
		l.lose(1, err)
	}
}

func (l *Log) enqueue(line *Line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return errClosed
	}
	n := len(l.queue)
	if l.queue = line.append(l.queue); len(l.queue) > mostQueued {
		l.queue = l.queue[:n]
		return errQueueFull
	}
	l.poke()
	return nil
}

// poke tells run that there is something to do.
func (l *Log) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Reopen has the lines from about now on written to a file that is opened anew, after
// the old one was renamed. It does not wait for that; where it fails the old file is kept.
func (l *Log) Reopen() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reopen = true
	l.poke()
}

// Close writes what is queued and closes the file. It waits for the disk, but not longer
// than [closeWait]. Lines that are written after it are lost.
func (l *Log) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.closing = true
	l.poke()
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-time.After(closeWait):
		l.log.Error("the audit log is left without its last lines: the disk does not answer")
	}
}

// run does all that touches the file.
func (l *Log) run() {
	defer close(l.done)
	for range l.wake {
		l.mu.Lock()
		lines, reopen, change, closing := l.queue, l.reopen, l.change, l.closing
		l.queue, l.reopen, l.change = l.spare[:0], false, nil
		l.mu.Unlock()
		rest := lines
		if change != nil {
			if l.path != "" {
				l.write(lines[:change.from])
				rest = lines[change.from:]
			} // else all of them are for its file
			l.move(change)
		}
		l.write(rest)
		l.spare = lines
		if reopen && change == nil && l.path != "" {
			l.openAgain()
		}
		if closing {
			l.end()
			return
		}
	}
}

// write appends the lines to the file; those that it does not take are lost.
func (l *Log) write(lines []byte) {
	if len(lines) == 0 || l.path == "" {
		return
	}
	n, err := l.append(lines)
	l.metrics.written.Add(float64(bytes.Count(lines[:n], newline)))
	if err != nil {
		l.lose(bytes.Count(lines[n:], newline), err)
		return
	}
	l.isOver()
}

var newline = []byte{'\n'}

// append returns how many bytes were written. What was cut short before, by a full disk,
// gets its line end first.
func (l *Log) append(lines []byte) (n int, err error) {
	if l.file == nil || isRemoved(l.file) {
		if err := l.open(); err != nil {
			return 0, err
		}
	}
	if l.torn {
		if _, err := l.file.Write(newline); err != nil {
			return 0, err
		}
		l.torn = false
	}
	n, err = l.file.Write(lines)
	l.torn = n > 0 && lines[n-1] != '\n'
	return n, err
}

// open opens the file of that name in place of the one that is open.
func (l *Log) open() error {
	f, err := openFile(l.path)
	if err != nil {
		return err
	}
	l.use(f)
	return nil
}

func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
}

// use has lines written to f, nil for a file that is yet to be opened.
func (l *Log) use(f *os.File) {
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.torn = f, f != nil && isTorn(f)
}

// take makes a change of file.
func (l *Log) take(c *Change) {
	l.path = c.settings.File
	l.use(c.file)
}

// move is take, and says so.
func (l *Log) move(c *Change) {
	l.take(c)
	if l.path == "" {
		l.log.Info("the audit log was closed")
		return
	}
	l.log.Info("the audit log goes to another file", zap.String("file", l.path))
}

// isTorn tells whether the file ends inside a line: the machine or its disk may have
// stopped there.
func isTorn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// isRemoved tells whether the file has no name any more: it could be written to, and
// nobody would ever read that.
func isRemoved(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

func (l *Log) openAgain() {
	if err := l.open(); err != nil {
		l.log.Error("the audit log can't be opened again", zap.Error(err))
		return
	}
	l.log.Info("the audit log was opened again", zap.String("file", l.path))
}

// end is the last thing that run does.
func (l *Log) end() {
	l.mu.Lock()
	lost := l.lost
	l.mu.Unlock()
	if lost > 0 {
		l.log.Warn("lines of the audit log were lost", zap.Uint64("lost", lost))
	}
	if l.file == nil {
		return
	}
	if err := l.file.Close(); err != nil {
		l.log.Error("the audit log's last lines may be lost", zap.Error(err))
	}
}

// lose counts lost lines, and says so where they are the first.
func (l *Log) lose(lines int, cause error) {
	l.metrics.lost.Add(float64(lines))
	l.mu.Lock()
	first := l.lost == 0
	l.lost += uint64(lines)
	l.lostAt = time.Now()
	l.mu.Unlock()
	if first {
		l.log.Error("lines of the audit log are lost", zap.NamedError("cause", cause))
	}
}

// isOver says so after lines were written, where none was lost since calm.
func (l *Log) isOver() {
	l.mu.Lock()
	lost := l.lost
	if time.Since(l.lostAt) < calm {
		lost = 0
	}
	l.lost -= lost
	l.mu.Unlock()
	if lost > 0 {
		l.log.Warn("the audit log is written again", zap.Uint64("lost", lost))
	}
}
