package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A Daemon is a running ampd.
type Daemon struct {
	Addr string // of its native listener
	Unix string // the path of its unix socket
	HTTP string // address of /metrics
	Dir  string // holds ampd.toml and profiles.toml

	cmd     *exec.Cmd
	process *os.Process
	exited  chan struct{}
	log     *logBuffer
}

// Config is what a test wants otherwise.
type Config struct {
	Username, Secret string // of the account at the upstream; ampd, ampdsecret
	Head             string // lines before all tables
	Upstream         string // more lines of [upstream]
	Sessions         string // more lines of [sessions]
	Listen           string // more [[listen]] tables
	Profiles         string // profiles.toml; Profiles if empty
	Plain            bool   // never with the race detector, which makes it 20 to 100 times slower
}

// Profiles has the accounts of the tests' Asterisks as profiles: the same names,
// secrets and classes, and nothing held back ("dangerous"); guarded is
// as ampd without being dangerous, wall only looks.
const Profiles = `
[[profile]]
name = "ampd"
secret = "ampdsecret"
types = ["administrator"]
read = ["all"]
write = ["all"]
dangerous = true

[[profile]]
name = "guarded"
secret = "guardedsecret"
types = ["administrator"]
read = ["all"]
write = ["all"]

[[profile]]
name = "limited"
secret = "limitedsecret"
types = ["administrator"]
read = ["call", "agent"]
write = ["call"]

[[profile]]
name = "filtered"
secret = "filteredsecret"
types = ["administrator"]
read = ["all"]
write = ["all"]
filters = ["!Event: VarSet", "!Event: Newexten"]
dangerous = true

[[profile]]
name = "elsewhere"
secret = "elsewheresecret"
types = ["administrator"]
permit = ["127.9.9.9/32"]

[[profile]]
name = "wall"
secret = "wallsecret"
types = ["monitor"]
read = ["all"]
write = ["all"]
`

// built is the folder of the binaries, "" before they are needed.
var (
	buildMu sync.Mutex
	built   string
)

// build returns the binary, built once for each set of flags.
func build(flags []string) (string, error) {
	buildMu.Lock()
	defer buildMu.Unlock()
	if built == "" {
		dir, err := os.MkdirTemp("", "ampd-test-")
		if err != nil {
			return "", err
		}
		built = dir
	}
	binary := filepath.Join(built, "ampd"+strings.Join(flags, ""))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	out, err := exec.Command("go", append(append([]string{"build"}, flags...), "-o", binary, "ampd/cmd/ampd")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build ampd: %w\n%s", err, out)
	}
	return binary, nil
}

// Main runs a package's tests and takes away what they built: for TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// Binary is the path of the built ampd.
func Binary(t testing.TB) string {
	t.Helper()
	binary, err := build(buildFlags)
	require.NoError(t, err)
	return binary
}

// Start runs ampd in front of the AMI server at upstream, and waits until it
// listens.
func Start(t testing.TB, upstream string, cfg Config) *Daemon {
	t.Helper()
	flags := buildFlags
	if cfg.Plain {
		flags = nil
	}
	binary, err := build(flags)
	require.NoError(t, err)
	if cfg.Username == "" {
		cfg.Username, cfg.Secret = "ampd", "ampdsecret"
	}
	if cfg.Profiles == "" {
		cfg.Profiles = Profiles
	}
	dir := t.TempDir()
	d := &Daemon{Dir: dir, Unix: filepath.Join(dir, "ampd.sock"), exited: make(chan struct{}), log: &logBuffer{}}
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("ampd.toml", fmt.Sprintf(`
%s
[upstream]
address = %q
username = %q
secret = %q
%s
[[listen]]
address = "127.0.0.1:0"
[[listen]]
address = "unix:%s"
%s
[sessions]
%s
[http]
address = "127.0.0.1:0"
[log]
level = "debug"
`, cfg.Head, upstream, cfg.Username, cfg.Secret, cfg.Upstream, d.Unix, cfg.Listen, cfg.Sessions))
	write("profiles.toml", cfg.Profiles)

	cmd := exec.Command(binary, "run", "-config", filepath.Join(dir, "ampd.toml"))
	cmd.Stderr = d.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())
	d.cmd, d.process = cmd, cmd.Process
	go func() { // ends with the process
		defer close(d.exited)
		_ = cmd.Wait() // the tests ask for the log
	}()
	t.Cleanup(func() { d.end(t) })

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d.HTTP = d.wait(ctx, t, "serving metrics", func(l Line) bool { return l["msg"] == "serving metrics" })["address"].(string)
	d.Addr = d.wait(ctx, t, "listening", func(l Line) bool { return l["msg"] == "listening" })["address"].(string)
	return d
}

// A Line is one line of ampd's log.
type Line map[string]any

// WaitReady waits until clients' actions reach the upstream.
func (d *Daemon) WaitReady(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	d.wait(ctx, t, "the upstream is ready", func(l Line) bool { return l["msg"] == "connected to Asterisk" })
}

// Wait waits for a line of the log that is as said, at most 30 s.
func (d *Daemon) Wait(t testing.TB, what string, is func(Line) bool) Line {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return d.wait(ctx, t, what, is)
}

func (d *Daemon) wait(ctx context.Context, t testing.TB, what string, is func(Line) bool) Line {
	t.Helper()
	for from := 0; ; {
		lines, more := d.log.since(from)
		for _, l := range lines {
			if is(l) {
				return l
			}
		}
		from += len(lines)
		select {
		case <-more:
		case <-d.exited:
			require.FailNow(t, "ampd ended before: "+what, "%s", d.Log())
		case <-ctx.Done():
			require.FailNow(t, "not seen in ampd's log: "+what, "%s", d.Log())
		}
	}
}

// Log is all that ampd has logged so far.
func (d *Daemon) Log() string { return d.log.text() }

// PID is that of the process.
func (d *Daemon) PID() int { return d.process.Pid }

// Terminate sends SIGTERM, waits until ampd has ended and returns its exit code.
func (d *Daemon) Terminate(t testing.TB) int {
	t.Helper()
	require.NoError(t, d.process.Signal(syscall.SIGTERM))
	select {
	case <-d.exited:
	case <-time.After(20 * time.Second):
		require.FailNow(t, "ampd does not end after SIGTERM", "%s", d.Log())
	}
	return d.cmd.ProcessState.ExitCode()
}

func (d *Daemon) end(t testing.TB) {
	select {
	case <-d.exited:
	default:
		_ = d.process.Signal(syscall.SIGTERM) // it may have ended just now
		select {
		case <-d.exited:
		case <-time.After(20 * time.Second):
			_ = d.process.Kill() // it may have ended just now
			<-d.exited
			t.Errorf("ampd did not end after SIGTERM")
		}
	}
	if log := d.Log(); strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic:") {
		t.Errorf("ampd's log has a race or a panic:\n%s", log)
	}
}

// Dial connects to ampd.
func (d *Daemon) Dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// logBuffer takes the log and tells those who wait for lines.
type logBuffer struct {
	mu    sync.Mutex
	all   bytes.Buffer
	lines []Line
	tail  []byte
	more  chan struct{}
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all.Write(p)
	b.tail = append(b.tail, p...)
	for {
		line, rest, whole := bytes.Cut(b.tail, []byte{'\n'})
		if !whole {
			break
		}
		var l Line
		if json.Unmarshal(line, &l) != nil {
			l = Line{"msg": string(line)}
		}
		b.lines = append(b.lines, l)
		b.tail = rest
	}
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
	return len(p), nil
}

// since returns the lines from the n-th on, and a channel closed when more come.
func (b *logBuffer) since(n int) ([]Line, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more == nil {
		b.more = make(chan struct{})
	}
	return b.lines[n:], b.more
}

func (b *logBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}
