package proxy

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/downstream"
	"ampd/profiles"
)

// A running is what Run does, and its log.
type running struct {
	t       *testing.T
	addrs   []net.Addr
	hangups chan os.Signal
	lines   chan string
}

// Write takes a line of the log.
func (r *running) Write(line []byte) (int, error) {
	r.lines <- string(bytes.Clone(line))
	return len(line), nil
}

// run starts Run for the time of the test, with no Asterisk that it could reach, these
// listeners, and no files that could be read again.
func run(t *testing.T, cfg *Config, people string, listeners ...string) *running {
	t.Helper()
	cfg.Upstream.Address = "127.0.0.1:1"
	cfg.Log.Level = "debug"
	for _, address := range listeners {
		l := downstream.Listener{}
		l.Defaults()
		l.Address = address
		cfg.Listen = append(cfg.Listen, l)
	}
	store, problems := profiles.Parse(ProfilesFile, people, nil)
	require.NoError(t, problems.Err())
	return runFiles(t, Files{Config: cfg, Profiles: store})
}

// runFiles starts Run for the time of the test.
func runFiles(t *testing.T, files Files) *running {
	t.Helper()
	r := &running{t: t, hangups: make(chan os.Signal, 1), lines: make(chan string, waitingLines)}
	log, err := files.Config.Log.newLogger(r)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	started := make(chan []net.Addr, 1)
	ended := make(chan error, 1)
	var all sync.WaitGroup
	all.Go(func() {
		ended <- Run(ctx, "test", files, log, r.hangups, func(addrs []net.Addr) { started <- addrs })
	})
	t.Cleanup(func() {
		stop()
		all.Wait()
	})
	select {
	case r.addrs = <-started:
	case err := <-ended:
		require.NoError(t, err)
	}
	return r
}

// logs returns the lines of the log up to the next one with that text.
func (r *running) logs(text string) (lines []string) {
	r.t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case line := <-r.lines:
			lines = append(lines, line)
			if strings.Contains(line, text) {
				return lines
			}
		case <-timeout:
			require.FailNow(r.t, "not logged: "+text, "%q", lines)
		}
	}
}

func TestHangupReopensTheAuditLog(t *testing.T) {
	dir := t.TempDir()
	cfg := DefaultConfig()
	cfg.Audit.File = filepath.Join(dir, "audit.log")
	r := run(t, cfg, goodProfiles, "127.0.0.1:0")
	require.NoError(t, os.Rename(cfg.Audit.File, cfg.Audit.File+".1"))
	r.hangups <- syscall.SIGHUP
	r.logs("the audit log was opened again")
	require.FileExists(t, cfg.Audit.File)
}

func TestAuditLogThatCannotBeOpenedIsAnErrorOfStarting(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Audit.File = "/nowhere/audit.log"
	store, problems := profiles.Parse(ProfilesFile, goodProfiles, nil)
	require.NoError(t, problems.Err())
	log, err := cfg.Log.newLogger(&bytes.Buffer{})
	require.NoError(t, err)
	err = Run(t.Context(), "test", Files{Config: cfg, Profiles: store}, log, nil, nil)
	require.EqualError(t, err, "audit log: open /nowhere/audit.log: no such file or directory")
}

func TestHistoryThatCannotBeOpenedStopsNothing(t *testing.T) {
	cfg := DefaultConfig()
	cfg.History.File = filepath.Join(t.TempDir(), "folder", "history.sqlite")
	r := run(t, cfg, goodProfiles, "127.0.0.1:0")
	require.Contains(t, r.logs("the history is not written")[0], "no such file or directory")
	conn, err := net.Dial("tcp", r.addrs[0].String())
	require.NoError(t, err)
	conn.Close()
}
