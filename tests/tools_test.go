package tests

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
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

// front is ampd in front of a real Asterisk of the newest version.
func front(t *testing.T) *daemon.Daemon {
	t.Helper()
	s := asterisk.Start(t, asterisk.Versions()[0])
	d := daemon.Start(t, s.Addr, daemon.Config{})
	d.WaitReady(t)
	return d
}

// typed runs a program, types lines into it, each as the program's output shows what
// stands in front of it, and returns the output when the program has ended.
func typed(t *testing.T, command []string, dialogue ...string) string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	timeout := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer timeout.Stop() // where the test has failed
	var seen bytes.Buffer
	output := bufio.NewReader(io.TeeReader(out, &seen))
	for i := 0; i+1 < len(dialogue); i += 2 {
		for {
			line, err := output.ReadString('\n')
			require.NoError(t, err, "%v: waiting for %q, seen %q", command, dialogue[i], seen.String())
			if strings.Contains(line, dialogue[i]) {
				break
			}
		}
		_, err := io.WriteString(in, dialogue[i+1])
		require.NoError(t, err)
	}
	in.Close() // netcat waits for it
	_, err = io.Copy(io.Discard, output)
	require.NoError(t, err)
	require.True(t, timeout.Stop(), "%v does not end, seen %q", command, seen.String())
	_ = cmd.Wait() // telnet ends with 1 when the other side closes
	return seen.String()
}

func TestTelnetAndNetcatLogIn(t *testing.T) {
	needClients(t)
	d := front(t)
	host, port, err := net.SplitHostPort(d.Addr)
	require.NoError(t, err)
	for name, command := range map[string][]string{
		"telnet":                 {"telnet", host, port},
		"netcat":                 {"nc", host, port},
		"netcat, unix socket":    {"nc", "-U", d.Unix},
		"netcat, CR LF at lines": {"nc", "-C", host, port},
	} {
		t.Run(name, func(t *testing.T) {
			seen := typed(t, command,
				"Asterisk Call Manager/", "Action: Login\nUsername: limited\nSecret: limitedsecret\nEvents: off\n\n",
				"Message: Authentication accepted", "Action: QueueSummary\nQueue: empty\nActionID: 1\n\n",
				"Event: QueueSummaryComplete", "Action: Logoff\n\n",
				"Message: Thanks for all the fish.", "",
			)
			require.Contains(t, strings.ReplaceAll(seen, "\r", ""), "Response: Success\nActionID: 1\nEventList: start\n")
		})
	}
}

func TestPromtoolAcceptsTheMetrics(t *testing.T) {
	needClients(t)
	d := front(t)
	answer, err := http.Get("http://" + d.HTTP + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	metrics, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Contains(t, string(metrics), "\nampd_")
	cache, err := asterisk.Cache()
	require.NoError(t, err)
	check := exec.Command(filepath.Join(cache, "promtool"), "check", "metrics")
	check.Stdin = bytes.NewReader(metrics)
	complaints, err := check.CombinedOutput()
	require.NoError(t, err, "%s", complaints)
	require.Empty(t, string(complaints))
}
