package tests

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/profiles"
	"ampd/tests/daemon"
)

// commandLimit is how long one of ampd's commands may take on a busy machine.
const commandLimit = time.Minute

// ampd runs a command of ampd's to its end.
func ampd(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), daemon.Binary(t), args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err, code = nil, exit.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), errs.String(), code
}

// configured writes both files into a folder and returns the path of ampd.toml.
func configured(t *testing.T, ampdTOML, profilesTOML string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ampd.toml")
	require.NoError(t, os.WriteFile(path, []byte(ampdTOML), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "profiles.toml"), []byte(profilesTOML), 0o600))
	return path
}

const (
	someConfig   = "[upstream]\naddress = '127.0.0.1:1'\nusername = 'ampd'\nsecret = 's'\n[[listen]]\naddress = '127.0.0.1:0'\n"
	someProfiles = "[[profile]]\nname = 'a'\nsecret = 'hunter2'\n"
)

func TestCheckNamesEveryMistake(t *testing.T) {
	good := configured(t, someConfig, someProfiles)
	stdout, stderr, code := ampd(t, "", "check", "-config", good)
	require.Equal(t, "ok\n", stdout)
	require.Empty(t, stderr)
	require.Zero(t, code)

	bad := configured(t, "[upstream]\naddress = 'x'\nusername = 'ampd'\nsecret = 's'\nping_interval = 5\nnosuch = 1\n[[listen]]\naddress = '127.0.0.1:0'\n",
		"[[profile]]\nname = 'a'\n")
	stdout, stderr, code = ampd(t, "", "check", "-config", bad)
	require.Empty(t, stdout)
	require.Equal(t, 1, code)
	for _, part := range []string{"ampd.toml:2: upstream.address: ", "ampd.toml:5: upstream.ping_interval: ", "ampd.toml:6: upstream.nosuch: ", "profiles.toml:1: profile[0]", "ampd: 4 mistakes\n"} {
		require.Contains(t, stderr, part)
	}
	_, stderr, code = ampd(t, "", "run", "-config", bad)
	require.Equal(t, 1, code, "what check refuses does not run")
	require.Contains(t, stderr, "ampd.toml:2: upstream.address: ")
}

func TestHashSecretMakesWhatSecretHashTakes(t *testing.T) {
	stdout, _, code := ampd(t, "hunter2\n", "hash-secret")
	require.Zero(t, code)
	store, problems := profiles.Parse("test", "[[profile]]\nname = 'a'\nsecret_hash = '"+strings.TrimSpace(stdout)+"'\n", nil)
	require.NoError(t, problems.Err())
	_, err := store.Verify(t.Context(), "a", "hunter2", netip.Addr{})
	require.NoError(t, err)
	_, err = store.Verify(t.Context(), "a", "hunter3", netip.Addr{})
	require.Error(t, err)

	_, stderr, code := ampd(t, "\n", "hash-secret")
	require.Equal(t, 1, code)
	require.Equal(t, "ampd: no secret on standard input\n", stderr)
}

func TestCommandsAreNamed(t *testing.T) {
	stdout, _, code := ampd(t, "", "version")
	require.Zero(t, code)
	require.Regexp(t, `^ampd \d+\.\d+\.\d+ \(go`, stdout)
	for _, args := range [][]string{{"nosuch"}, {"check", "-nosuch"}, {"version", "more"}} {
		_, stderr, code := ampd(t, "", args...)
		require.Equal(t, 2, code, args)
		require.NotEmpty(t, stderr, args)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	first := daemon.Start(t, "127.0.0.1:1", daemon.Config{})
	_, stderr, code := ampd(t, "", "run", "-config", configured(t, strings.ReplaceAll(someConfig, "127.0.0.1:0", first.Addr), someProfiles))
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "ampd: listener 1: listen tcp "+first.Addr+": bind: address already in use")
}

func TestNoCoreDumps(t *testing.T) {
	var mine syscall.Rlimit // of the tests, which ampd inherits
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_CORE, &mine))
	defer func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_CORE, &mine)) }()
	if mine.Max == 0 {
		t.Log("core dumps are forbidden to these tests too, so this shows nothing")
	}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: mine.Max, Max: mine.Max}))
	d := daemon.Start(t, "127.0.0.1:1", daemon.Config{})
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", d.PID()))
	require.NoError(t, err)
	require.Regexp(t, `Max core file size +0 +0 `, string(limits))
}

// TestDemo starts the demo and runs the commands that it prints, as they stand.
func TestDemo(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), daemon.Binary(t), "demo", "-listen", "127.0.0.1:0", "-calls", "120")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	var said strings.Builder
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C stops the demo") {
		said.WriteString(lines.Text() + "\n")
	}
	commands := regexp.MustCompile(`(?m)^     .*printf.*$`).FindAllString(said.String(), -1)
	require.Len(t, commands, 4, said.String())

	follow := shell(t, commands[1], "Event: QueueCallerJoin\r\n")
	require.Contains(t, follow, "Message: Authentication accepted\r\n")
	var status string // it may be asked before the demo's Asterisk has told its state
	require.Eventually(t, func() bool {
		status = shell(t, commands[0], "Message: Thanks for all the fish.\r\n")
		return !strings.Contains(status, "Message: Upstream not connected\r\n")
	}, commandLimit, 50*time.Millisecond)
	require.Contains(t, status, "Event: QueueParams\r\n")
	require.Contains(t, status, "EventList: Complete\r\n")
	originate := shell(t, commands[2], "Message: Thanks for all the fish.\r\n")
	require.Contains(t, originate, "Message: Originate successfully queued\r\n")
	inXML := shell(t, commands[3], `Message="Thanks for all the fish." />`)
	require.Contains(t, inXML, `<event event="QueueParams" Queue="sales"`)
	require.Contains(t, inXML, `<event event="QueueStatusComplete" EventList="Complete"`)

	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Wait())
}

// shell runs a command line until its output contains what is awaited, and ends it.
func shell(t *testing.T, line, awaited string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	_, err := cmd.StdinPipe() // open, as a terminal's
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	group := -cmd.Process.Pid
	timeout := time.AfterFunc(commandLimit, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
	defer timeout.Stop()
	var seen strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(seen.String(), awaited) {
		n, err := out.Read(buf)
		seen.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.Contains(t, seen.String(), awaited, line)
	_ = syscall.Kill(group, syscall.SIGKILL) // it may have ended by itself
	_ = cmd.Wait()
	return seen.String()
}
