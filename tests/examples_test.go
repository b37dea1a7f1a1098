package tests

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// interpreters run the files of the folder examples, by how their names end.
var interpreters = map[string]string{".py": "/usr/bin/python3", ".js": "node", ".sh": "bash"}

const exampleProfiles = `
[[profile]]
name = "wall"
secret = '''<&"'=é>'''
types = ["monitor"]
read = "all"
write = "all"

[[profile]]
name = "boss"
secret = "bosssecret"
types = ["administrator"]
read = "all"
write = "all"
`

// TestExamples runs each of the small clients for what it says that it does.
func TestExamples(t *testing.T) {
	t.Parallel()
	needClients(t)
	paths, err := filepath.Glob("../examples/calls-*")
	require.NoError(t, err)
	require.Len(t, paths, 6)
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{Profiles: exampleProfiles})
		d.WaitReady(t)
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) {
				run := func(args ...string) *example { return runExample(t, path, d.Addr, args...) }

				e := run("monitor", "wall", "wrong")
				require.Equal(t, "Authentication failed\n", e.rest(t, 1))

				e = run("monitor", "wall", wallSecret, "QueueInfo", "Queue=empty")
				text := e.rest(t, 0)
				require.Regexp(t, `^Authentication accepted\n`, text)
				require.Regexp(t, `QueueParams\b(?s:.*)QueueStatusComplete\b(?s:.*)ListItems(: |=")1\b`, text)

				e = run("administrator", "boss", "bosssecret", "Command", "Command=queue show empty")
				text = e.rest(t, 0)
				require.Regexp(t, `Output(: |="|">)   No Members\b`, text)
				require.Regexp(t, `Output(: |="|">)   No Callers\b`, text)

				e = run("administrator", "boss", "bosssecret", "UserEvent", "UserEvent=a<b> & \"c\"=d: e")
				require.Regexp(t, `Message(: |=")Event Sent`, e.rest(t, 0))

				e = run("monitor", "wall", wallSecret, "Fly")
				require.Contains(t, e.rest(t, 0), "Invalid/unknown command: Fly.")

				e = run("monitor", "wall", wallSecret)
				require.Equal(t, "Authentication accepted", e.line(t))
				w := openWire(t, "caller", s.Addr, asterisk.Ampd, "Events: off")
				_, answer, err := w.ask("Action: Originate", "Channel: Local/c1@callers/n", "Application: Wait", "Data: 0.1", "Async: true", "Variable: PATIENCE=0")
				require.NoError(t, err)
				require.Contains(t, answer, "Success")
				require.Regexp(t, `^Newchannel Local/c1@callers-[0-9a-f]{8};1\nNewchannel Local/c1@callers-[0-9a-f]{8};2\n`+
					`Hangup Local/c1@callers-[0-9a-f]{8};[12]\n$`, e.rest(t, 0))
			})
		}
	})
}

const wallSecret = `<&"'=é>`

// An example is a run of one.
type example struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

func runExample(t *testing.T, path, addr string, args ...string) *example {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*wireLimit)
	t.Cleanup(cancel)
	e := &example{cmd: exec.CommandContext(ctx, interpreters[filepath.Ext(path)], append([]string{path, host, port}, args...)...)}
	e.cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	e.cmd.Stderr = &e.stderr
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	e.cmd.WaitDelay = time.Second
	out, err := e.cmd.StdoutPipe()
	require.NoError(t, err)
	e.out = bufio.NewReader(out)
	require.NoError(t, e.cmd.Start())
	return e
}

// line is the next that it prints.
func (e *example) line(t *testing.T) string {
	t.Helper()
	line, err := e.out.ReadString('\n')
	require.NoError(t, err, &e.stderr)
	return strings.TrimSuffix(line, "\n")
}

// rest is all that it prints until it ends, which it has to do with that code.
func (e *example) rest(t *testing.T, code int) string {
	t.Helper()
	var text bytes.Buffer
	_, err := text.ReadFrom(e.out)
	require.NoError(t, err)
	_ = e.cmd.Wait() // the code says it
	require.Equal(t, code, e.cmd.ProcessState.ExitCode(), "%s%s", &text, &e.stderr)
	require.Empty(t, e.stderr.String())
	return text.String()
}
