package tests

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// TestHangupReadsTheProfiles has a hand-edited profiles.toml come into force by SIGHUP, and a
// broken one change nothing.
func TestHangupReadsTheProfiles(t *testing.T) {
	t.Parallel()
	s := asterisk.Start(t, asterisk.Versions()[0])
	d := daemon.Start(t, s.Addr, daemon.Config{})
	d.WaitReady(t)
	file := filepath.Join(d.Dir, "profiles.toml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	hangUp := func() { require.NoError(t, syscall.Kill(d.PID(), syscall.SIGHUP)) }
	wall, limited := asterisk.Account{Name: "wall", Secret: "wallsecret"}, asterisk.Account{Name: "limited", Secret: "limitedsecret"}
	gone, stays := openWire(t, "wall", d.Addr, wall, "Events: off"), openWire(t, "limited", d.Addr, limited, "Events: off")
	_, answer, err := stays.ask("Action: QueueAdd", "Queue: sales", "Interface: Local/7@agents/n")
	require.NoError(t, err)
	require.Contains(t, answer, "Permission denied")

	write(daemon.Profiles + "[[profile]]\nname = 'broken'\n")
	hangUp()
	line := d.Wait(t, "the mistake", func(l daemon.Line) bool {
		text, _ := l["msg"].(string)
		return strings.Contains(text, "profiles stay as they were")
	})
	require.Contains(t, line["msg"], "profiles.toml")
	require.Contains(t, line["msg"], "secret")
	openWire(t, "wall again", d.Addr, wall, "Events: off").Close()

	less := strings.Replace(daemon.Profiles, "write = [\"call\"]", "write = [\"call\", \"agent\"]", 1)
	write(less[:strings.Index(less, "[[profile]]\nname = \"wall\"")])
	hangUp()
	require.NoError(t, gone.SetDeadline(time.Now().Add(wireLimit)))
	_, err = gone.read()
	require.ErrorIs(t, err, io.EOF)
	_, answer, err = stays.ask("Action: QueueAdd", "Queue: sales", "Interface: Local/7@agents/n")
	require.NoError(t, err)
	require.Contains(t, answer, "Added interface to queue")
	w, err := dialWire("wall", d.Addr)
	require.NoError(t, err)
	defer w.Close()
	require.ErrorContains(t, w.logIn(wall), "Authentication failed")
}
