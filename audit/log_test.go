package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// A trail is a log under test, and what it says of itself.
type trail struct {
	*Log
	t    *testing.T
	said *observer.ObservedLogs
}

func openTrail(t *testing.T, file string) *trail {
	t.Helper()
	core, said := observer.New(zapcore.DebugLevel)
	l, err := Open(Config{File: file}, nil, zap.New(core), NewMetrics(prometheus.NewRegistry()))
	require.NoError(t, err)
	return &trail{l, t, said}
}

// does writes lines of logins with these names.
func (tr *trail) does(names ...string) {
	for _, name := range names {
		tr.Write(Line{Time: noon, Profile: name, Event: "login", Result: "allowed"})
	}
}

// settles waits until there is nothing to be done.
func (tr *trail) settles() { synctest.Wait() }

// says returns what it has said since the last time.
func (tr *trail) says() (said []string) {
	for _, e := range tr.said.TakeAll() {
		text := e.Message
		for _, key := range []string{"cause", "error", "lost"} {
			if v, ok := e.ContextMap()[key]; ok {
				text += fmt.Sprintf("; %s: %v", key, v)
			}
		}
		said = append(said, text)
	}
	return said
}

func (tr *trail) written() int { return int(testutil.ToFloat64(tr.metrics.written)) }
func (tr *trail) lostAll() int { return int(testutil.ToFloat64(tr.metrics.lost)) }

// profiles are the names in the lines of the file, those that are no JSON as they are.
func profiles(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var names []string
	for line := range strings.Lines(string(text)) {
		names = append(names, profile(line))
	}
	return names
}

func profile(line string) string {
	var read struct{ Profile string }
	if json.Unmarshal([]byte(line), &read) != nil || !strings.HasSuffix(line, "\n") {
		return line
	}
	return read.Profile
}

func TestLinesAreWrittenInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "audit.log")
		tr := openTrail(t, file)
		tr.does("a", "b")
		tr.settles()
		require.Equal(t, []string{"a", "b"}, profiles(t, file))
		tr.does("c")
		tr.Close()
		require.Equal(t, []string{"a", "b", "c"}, profiles(t, file))
		require.Equal(t, 3, tr.written())

		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode())

		tr.does("d")
		require.Equal(t, 1, tr.lostAll())
		require.Equal(t, []string{"lines of the audit log are lost; cause: ampd is stopping"}, tr.says())

		tr = openTrail(t, file)
		tr.does("e")
		tr.Close()
		require.Equal(t, []string{"a", "b", "c", "e"}, profiles(t, file))
		require.Empty(t, tr.says())
	})
}

func TestWithoutAFileNothingIsWritten(t *testing.T) {
	l, err := Open(DefaultConfig(), nil, zap.NewNop(), NewMetrics(prometheus.NewRegistry()))
	require.NoError(t, err)
	for _, l := range []*Log{l, nil} {
		require.False(t, l.On())
		require.False(t, l.Wants(true, true))
		l.Write(Line{})
		l.Reopen()
		l.Close()
	}
	require.Nil(t, (*Log)(nil).Params(action("Action: Hangup", "Channel: A")))
}

// logOf is a log with these settings that writes nothing.
func logOf(s *settings) *Log {
	l := &Log{}
	l.now.Store(s)
	return l
}

func TestWants(t *testing.T) {
	for actions, want := range map[string][4]bool{ // changes and refused, changes, refused, neither
		"changes": {true, true, true, false},
		"refused": {true, false, true, false},
		"all":     {true, true, true, true},
	} {
		l := logOf(&settings{Config: Config{File: "audit.log", Actions: actions}})
		require.Equal(t, want, [4]bool{l.Wants(true, true), l.Wants(true, false), l.Wants(false, true), l.Wants(false, false)}, actions)
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{
		filepath.Join(dir, "no", "audit.log"): "audit log: open " + dir + "/no/audit.log: no such file or directory",
		dir:                                   "audit log: open " + dir + ": is a directory",
	} {
		_, err := Open(Config{File: file}, nil, zap.NewNop(), NewMetrics(prometheus.NewRegistry()))
		require.EqualError(t, err, want)
	}
}

func TestReopen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		file, old := filepath.Join(dir, "audit.log"), filepath.Join(dir, "audit.log.1")
		tr := openTrail(t, file)
		defer tr.Close()
		tr.does("a")
		tr.settles()
		require.NoError(t, os.Rename(file, old))
		tr.does("b")
		tr.Reopen()
		tr.settles()
		require.Equal(t, []string{"the audit log was opened again"}, tr.says())
		tr.does("c")
		tr.settles()
		require.Equal(t, []string{"a", "b"}, profiles(t, old))
		require.Equal(t, []string{"c"}, profiles(t, file))
	})
}

// change has the log be as cfg says from now on.
func (tr *trail) change(cfg Config, protected ...string) {
	tr.t.Helper()
	c, err := tr.Prepare(cfg, protected)
	require.NoError(tr.t, err)
	tr.Apply(c)
}

func TestConfigIsChangedWhileLinesAreWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first, second := filepath.Join(dir, "1.log"), filepath.Join(dir, "2.log")
		tr := openTrail(t, "")
		defer tr.Close()
		tr.does("nowhere")
		tr.change(Config{File: first})
		tr.does("a")
		tr.settles()
		require.Equal(t, []string{"the audit log goes to another file"}, tr.says())
		require.Equal(t, []string{"a"}, profiles(t, first))

		tr.does("b")
		tr.change(Config{File: second}) // each line goes to the file of its time
		tr.does("c")
		tr.change(Config{File: second, Actions: "refused"}, "CRM_*")
		tr.settles()
		require.Equal(t, []string{"the audit log goes to another file"}, tr.says(), "but once")
		require.False(t, tr.Wants(true, false))
		require.Equal(t, "CRM_X=********", tr.Params(action("Action: Setvar", "Variable: CRM_X=1"))[0].Value)

		_, err := tr.Prepare(Config{File: dir}, nil)
		require.EqualError(t, err, "open "+dir+": is a directory")
		given, err := tr.Prepare(Config{File: first, Actions: "all"}, nil)
		require.NoError(t, err)
		given.Drop()
		tr.does("d")
		require.False(t, tr.Wants(true, false), "nothing has changed")

		tr.change(Config{})
		tr.settles()
		require.Equal(t, []string{"the audit log was closed"}, tr.says())
		require.False(t, tr.On())
		tr.does("nowhere")
		tr.Reopen()
		tr.settles()
		require.Empty(t, tr.says())
		require.Equal(t, []string{"a", "b"}, profiles(t, first))
		require.Equal(t, []string{"c", "d"}, profiles(t, second))
		require.Zero(t, tr.lostAll())
	})
}

// TestChangesOfASlowDisk has a change come before the one before it was made.
func TestChangesOfASlowDisk(t *testing.T) {
	dir := t.TempDir()
	l := logOf(&settings{})
	l.wake = make(chan struct{}, 1) // and nobody runs it
	for _, name := range []string{"1.log", "2.log", "2.log"} {
		c, err := l.Prepare(Config{File: filepath.Join(dir, name)}, nil)
		require.NoError(t, err)
		before := l.change
		l.Apply(c)
		if c.moves && before != nil {
			require.ErrorIs(t, before.file.Close(), os.ErrClosed)
		}
	}
	require.Equal(t, filepath.Join(dir, "2.log"), l.change.file.Name())
	l.change.Drop()
}

func TestOldFileIsKeptWhereItCannotBeReopened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		file, old := filepath.Join(dir, "audit.log"), filepath.Join(dir, "audit.log.1")
		tr := openTrail(t, file)
		defer tr.Close()
		require.NoError(t, os.Rename(file, old))
		require.NoError(t, os.Mkdir(file, 0o700))
		tr.Reopen()
		tr.does("a")
		tr.settles()
		require.Equal(t, []string{"the audit log can't be opened again; error: open " + file + ": is a directory"}, tr.says())
		tr.does("b")
		tr.settles()
		require.Equal(t, []string{"a", "b"}, profiles(t, old))
		require.Zero(t, tr.lostAll())
	})
}

func TestRemovedFileIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "audit.log")
		tr := openTrail(t, file)
		defer tr.Close()
		tr.does("a")
		tr.settles()
		require.NoError(t, os.Remove(file))
		tr.does("b")
		tr.settles()
		require.Equal(t, []string{"b"}, profiles(t, file))
		require.Empty(t, tr.says())
	})
}

func TestRemovedDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "ampd")
		file := filepath.Join(dir, "audit.log")
		require.NoError(t, os.Mkdir(dir, 0o700))
		tr := openTrail(t, file)
		require.NoError(t, os.RemoveAll(dir))
		tr.does("a")
		tr.settles()
		require.Equal(t, []string{"lines of the audit log are lost; cause: open " + file + ": no such file or directory"}, tr.says())
		tr.does("b", "c")
		tr.settles()
		require.Empty(t, tr.says(), "it was said")
		require.Equal(t, 3, tr.lostAll())

		require.NoError(t, os.Mkdir(dir, 0o700))
		tr.does("d")
		tr.settles()
		require.Equal(t, []string{"d"}, profiles(t, file))
		require.Empty(t, tr.says(), "it may begin again at once")
		time.Sleep(calm)
		tr.does("e")
		tr.settles()
		require.Equal(t, []string{"the audit log is written again; lost: 3"}, tr.says())
		tr.does("f")
		tr.settles()
		require.Empty(t, tr.says())

		require.NoError(t, os.RemoveAll(dir))
		tr.does("g")
		tr.Close()
		require.Equal(t, []string{
			"lines of the audit log are lost; cause: open " + file + ": no such file or directory",
			"lines of the audit log were lost; lost: 1",
		}, tr.says())
		require.Equal(t, 3, tr.written())
		require.Equal(t, 4, tr.lostAll())
	})
}

func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "audit.log")
		require.NoError(t, os.Symlink("/dev/full", file))
		tr := openTrail(t, file)
		defer tr.Close()
		tr.does("a", "b")
		tr.settles()
		tr.does("c")
		tr.settles()
		require.Equal(t, []string{"lines of the audit log are lost; cause: write " + file + ": no space left on device"}, tr.says())
		require.Equal(t, 3, tr.lostAll())

		require.NoError(t, os.Remove(file))
		tr.Reopen()
		time.Sleep(calm)
		tr.does("d")
		tr.settles()
		require.Equal(t, []string{"the audit log was opened again", "the audit log is written again; lost: 3"}, tr.says())
		require.Equal(t, []string{"d"}, profiles(t, file))
	})
}

// TestHalfWrittenLine fills a disk up to the middle of a line.
func TestHalfWrittenLine(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=700"); errors.Is(err, syscall.EPERM) {
		t.Skip("only root may mount a disk")
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	synctest.Test(t, func(t *testing.T) {
		file, ballast := filepath.Join(dir, "audit.log"), filepath.Join(dir, "ballast")
		tr := openTrail(t, file)
		tr.does("first")
		tr.settles()
		require.ErrorIs(t, os.WriteFile(ballast, make([]byte, 64<<10), 0o600), syscall.ENOSPC)

		var names []string
		for i := range 100 {
			names = append(names, fmt.Sprintf("profile %d", i))
		}
		tr.does(names...)
		tr.settles()
		tr.does("late")
		tr.settles()
		require.Len(t, tr.says(), 1)
		require.Equal(t, 102, tr.written()+tr.lostAll())
		full := profiles(t, file)
		whole := tr.written()
		require.Greater(t, whole, 1)
		require.Equal(t, append([]string{"first"}, names[:whole-1]...), full[:whole])
		require.Len(t, full, whole+1)
		require.Regexp(t, `^\{"time".*[^\n]$`, full[whole], "a line cut short")

		require.NoError(t, os.Remove(ballast))
		tr.does("after")
		tr.Close()
		again := profiles(t, file)
		require.Equal(t, append(full[:whole:whole], full[whole]+"\n", "after"), again)
	})
}

func TestLineCutShortByACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "audit.log")
		require.NoError(t, os.WriteFile(file, []byte("{}\n{\"time"), 0o600))
		tr := openTrail(t, file)
		tr.does("a", "b")
		tr.Close()
		require.Equal(t, []string{"", "{\"time\n", "a", "b"}, profiles(t, file))
	})
}

// TestNobodyWaitsForTheDisk writes to a FIFO that nobody reads.
func TestNobodyWaitsForTheDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	require.NoError(t, syscall.Mkfifo(file, 0o600))
	tr := openTrail(t, file)
	name := strings.Repeat("x", mostName)
	const lines = 4 * mostQueued / mostName
	for range lines {
		tr.does(name) // else this would never end
	}
	lost := tr.lostAll()
	require.Greater(t, lost, lines/2)
	require.Equal(t, []string{"lines of the audit log are lost; cause: the disk does not take them fast enough"}, tr.says())

	began := time.Now()
	tr.Close()
	require.Less(t, time.Since(began), 10*closeWait)
	require.Equal(t, []string{"the audit log is left without its last lines: the disk does not answer"}, tr.says())

	reader, err := os.OpenFile(file, os.O_RDWR, 0)
	require.NoError(t, err)
	defer reader.Close()
	in := bufio.NewReader(reader)
	for range lines - lost {
		line, err := in.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, name, profile(line))
	}
	<-tr.done
	require.Equal(t, lines-lost, tr.written())
	require.Equal(t, []string{fmt.Sprintf("lines of the audit log were lost; lost: %d", lost)}, tr.says())
}

// TestManyWriters has lines written while the file is renamed and opened again.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "audit.log")
	tr := openTrail(t, file)
	const writers, lines, renames = 8, 500, 20
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range lines {
				tr.does(fmt.Sprintf("%d %d", w, i))
			}
		})
	}
	for i := range renames {
		if err := os.Rename(file, fmt.Sprintf("%s.%d", file, i)); !errors.Is(err, fs.ErrNotExist) { // not opened again yet
			require.NoError(t, err)
		}
		tr.Reopen()
	}
	all.Wait()
	tr.Close()
	require.Equal(t, writers*lines, tr.written()+tr.lostAll())

	files, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	next := map[string]int{}
	seen := 0
	for i := range renames + 1 {
		name := fmt.Sprintf("%s.%d", file, i)
		if i == renames {
			name = file
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		require.NoError(t, err)
		for line := range bytes.Lines(text) {
			writer, n, ok := strings.Cut(profile(string(line)), " ")
			require.True(t, ok, "%q", line)
			var number int
			_, err := fmt.Sscan(n, &number)
			require.NoError(t, err)
			require.GreaterOrEqual(t, number, next[writer], "out of order")
			next[writer] = number + 1
			seen++
		}
	}
	require.Equal(t, tr.written(), seen, "in %s", files)
}
