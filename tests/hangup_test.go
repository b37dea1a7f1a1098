package tests

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/simulator"
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
	h := hangups{Daemon: d}
	wall, limited := asterisk.Account{Name: "wall", Secret: "wallsecret"}, asterisk.Account{Name: "limited", Secret: "limitedsecret"}
	gone, stays := openWire(t, "wall", d.Addr, wall, "Events: off"), openWire(t, "limited", d.Addr, limited, "Events: off")
	_, answer, err := stays.ask("Action: QueueAdd", "Queue: sales", "Interface: Local/7@agents/n")
	require.NoError(t, err)
	require.Contains(t, answer, "Permission denied")

	write(daemon.Profiles + "[[profile]]\nname = 'broken'\n")
	said := h.hangUp(t)
	require.Contains(t, said[0], "profiles.toml")
	require.Contains(t, said[0], "secret")
	require.Equal(t, allStays, said[len(said)-1])
	openWire(t, "wall again", d.Addr, wall, "Events: off").Close()

	less := strings.Replace(daemon.Profiles, "write = [\"call\"]", "write = [\"call\", \"agent\"]", 1)
	write(less[:strings.Index(less, "[[profile]]\nname = \"wall\"")])
	require.Equal(t, []string{readAgain}, h.hangUp(t))
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

// hangups are those of one ampd.
type hangups struct {
	*daemon.Daemon
	sent int
}

// The last thing that is said about a SIGHUP.
const (
	readAgain = "ampd.toml and the profiles were read again"
	allStays  = "all stays as it was"
)

// hangUp sends a SIGHUP and returns all that is said about it.
func (h *hangups) hangUp(t *testing.T) (said []string) {
	t.Helper()
	require.NoError(t, syscall.Kill(h.PID(), syscall.SIGHUP))
	h.sent++
	ended := 0
	h.Wait(t, "the end of a SIGHUP", func(l daemon.Line) bool {
		text, ok := strings.CutPrefix(fmt.Sprint(l["msg"]), "SIGHUP: ")
		if !ok || ended == h.sent {
			return ended == h.sent
		}
		said = append(said, text)
		if text == readAgain || text == allStays {
			if ended++; ended < h.sent {
				said = nil
			}
		}
		return ended == h.sent
	})
	return said
}

// edit writes ampd.toml anew with what is replaced, as strings.NewReplacer has it.
func (h *hangups) edit(t *testing.T, text string, replaced ...string) string {
	t.Helper()
	text = strings.NewReplacer(replaced...).Replace(text)
	require.NoError(t, os.WriteFile(filepath.Join(h.Dir, "ampd.toml"), []byte(text), 0o600))
	return text
}

// shown is the certificate that a listener shows.
func shown(t *testing.T, addr string) []byte {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the test compares it
	require.NoError(t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Raw
}

// TestHangupChangesListenersAndLimits under clients that go on.
func TestHangupChangesListenersAndLimits(t *testing.T) {
	t.Parallel()
	pbx := simulated(t, simulator.Config{})
	pair := filepath.Join(t.TempDir(), "pair.pem")
	first := certify(t, pair)
	const crowded = "[[profile]]\nname = 'crowded'\nsecret = 's'\ntypes = ['monitor']\nread = ['user']\nmax_sessions = 2\n"
	h := &hangups{Daemon: daemon.Start(t, pbx, daemon.Config{
		Listen:   fmt.Sprintf("[[listen]]\naddress = \"127.0.0.3:0\"\ntls_cert_file = %q\ntls_key_file = %q\n", pair, pair),
		Sessions: "max_unauthenticated_per_address = 40",
		Profiles: daemon.Profiles + crowded,
	})}
	h.WaitReady(t)
	secured := address(t, h.Daemon, func(addr string) bool { return strings.HasPrefix(addr, "127.0.0.3:") })
	sender := openWire(t, "sender", pbx, asterisk.Ampd, "Events: off")
	guest := asterisk.Account{Name: "crowded", Secret: "s"}
	clients := []*wire{openWire(t, "stays", h.Addr, guest), openWire(t, "goes", "unix:"+h.Unix, guest)}
	overTLS, err := tls.Dial("tcp", secured, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // what it shows is compared below
	require.NoError(t, err)
	w, err := newWire("secured", overTLS)
	require.NoError(t, err)
	defer w.Close()
	require.NoError(t, w.logIn(asterisk.Account{Name: "wall", Secret: "wallsecret"}, "Events: user"))
	clients = append(clients, w)
	require.Equal(t, first, shown(t, secured))
	goOn := func(number string) {
		t.Helper()
		_, answer, err := sender.ask("Action: UserEvent", "UserEvent: Numbered", "Number: "+number)
		require.NoError(t, err)
		require.Contains(t, answer, "Response: Success")
		for _, c := range clients {
			require.NoError(t, c.SetDeadline(time.Now().Add(wireLimit)))
			packet, err := c.read()
			require.NoError(t, err, c.name)
			require.Equal(t, number, header(packet, "Number"), c.name)
			before, answer, err := c.ask("Action: Ping")
			require.NoError(t, err, c.name)
			require.Empty(t, before)
			require.Contains(t, answer, "Ping: Pong", c.name)
		}
	}
	goOn("0")

	// Listeners come, go and stay; a certificate and limits change.
	second := certify(t, pair)
	comes := filepath.Join(h.Dir, "comes.sock")
	text, err := os.ReadFile(filepath.Join(h.Dir, "ampd.toml"))
	require.NoError(t, err)
	good := h.edit(t, string(text), h.Unix, comes, "max_unauthenticated_per_address = 40", "max_unauthenticated_per_address = 3")
	require.NoError(t, os.WriteFile(filepath.Join(h.Dir, "profiles.toml"), []byte(strings.Replace(daemon.Profiles+crowded, "max_sessions = 2", "max_sessions = 1", 1)), 0o600))
	require.Equal(t, []string{readAgain}, h.hangUp(t))
	goOn("1")
	_, err = net.Dial("unix", h.Unix)
	require.ErrorIs(t, err, syscall.ENOENT)
	clients = append(clients, openWire(t, "comes", "unix:"+comes, asterisk.Ampd, "Events: user"))
	require.Equal(t, second, shown(t, secured))
	fourth, err := dialWire("one more", h.Addr)
	require.NoError(t, err)
	require.ErrorContains(t, fourth.logIn(guest), "Login Already In Use")
	require.NoError(t, fourth.Close())
	nobody := func() bool { return metric(t, h.Daemon, "ampd_downstream_unauthenticated_connections") == 0 }
	require.True(t, eventually(nobody, wireLimit))
	var strangers []*wire
	for range 3 {
		stranger, err := dialWire("stranger", h.Addr)
		require.NoError(t, err)
		strangers = append(strangers, stranger)
	}
	_, err = dialWire("one stranger more", h.Addr)
	require.Error(t, err)
	for _, stranger := range strangers {
		require.NoError(t, stranger.Close())
	}
	require.True(t, eventually(nobody, wireLimit))
	goOn("2")

	// The file alone is another one.
	third := certify(t, pair)
	require.Equal(t, []string{readAgain}, h.hangUp(t))
	require.True(t, eventually(func() bool { return string(shown(t, secured)) == string(third) }, wireLimit))
	goOn("3")

	// Mistakes change nothing.
	file, at := filepath.Join(h.Dir, "ampd.toml"), func(text, what string) int {
		return 1 + strings.Count(text[:strings.Index(text, what)], "\n")
	}
	for what, replaced := range map[string][]string{
		"sessions.max_unauthenticated_per_address": {"per_address = 3", "per_address = 0"},
		"listen[1].address":                        {"unix:" + comes, h.Addr},
		"listen[2].tls_cert_file":                  {pair, pair + ".gone"},
		"http.adress":                              {"[http]\naddress", "[http]\nadress"},
	} {
		// Whatever else it says must not count: the listener at comes would go.
		bad := h.edit(t, good, append(replaced, comes, comes+".other")...)
		said := h.hangUp(t)
		require.Len(t, said, 2)
		key := what[strings.LastIndex(what, ".")+1:]
		line := at(bad, key+" = ")
		if strings.HasPrefix(what, "listen[") {
			line = at(bad, strings.NewReplacer(replaced...).Replace(replaced[0]))
		}
		require.True(t, strings.HasPrefix(said[0], fmt.Sprintf("%s:%d: %s: ", file, line, what)), said[0])
		require.Equal(t, allStays, said[1])
		openWire(t, "comes again", "unix:"+comes, asterisk.Ampd, "Events: off").Close()
		require.Equal(t, third, shown(t, secured))
	}
	goOn("4")
}

// TestHangupDisturbsNobody has a thousand clients get every event, once and in order, while
// all that can change under them changes ten times.
func TestHangupDisturbsNobody(t *testing.T) {
	const (
		clients = 1000
		rounds  = 10
		events  = 20 // in a round
	)
	pbx := simulated(t, simulator.Config{})
	h := &hangups{Daemon: daemon.Start(t, pbx, daemon.Config{})}
	h.WaitReady(t)
	sender := &numberedEvents{wire: openWire(t, "sender", pbx, asterisk.Ampd, "Events: off")}
	ended := make(chan error, clients)
	var wires []*wire
	for i := range clients {
		addr := h.Addr
		if i%2 == 1 {
			addr = "unix:" + h.Unix
		}
		w := openWire(t, fmt.Sprintf("client %d", i), addr, asterisk.Ampd, "Events: user")
		require.NoError(t, w.SetDeadline(time.Now().Add(5*time.Minute)))
		wires = append(wires, w)
		go func() { ended <- w.readNumbered(rounds * events) }() // ends with the last event, or the connection
	}
	text, err := os.ReadFile(filepath.Join(h.Dir, "ampd.toml"))
	require.NoError(t, err)
	for i := range rounds {
		people := daemon.Profiles
		if i%2 == 0 {
			h.edit(t, string(text),
				h.Unix, h.Unix+".other",
				"[sessions]\n", "[sessions]\nbacklog_bytes = \"4MiB\"\nbacklog_time = \"1m\"\norder_hold = \"1s\"\ncoalesce = \"1ms\"\nmax_queued = 10\n",
				"[log]\nlevel = \"debug\"", fmt.Sprintf("[log]\nlevel = \"info\"\n[rights]\nprotected_variables = [\"CRM_*\"]\n[audit]\nfile = %q\n[state]\nresync = \"10s\"", filepath.Join(h.Dir, "audit.log")))
			people = strings.ReplaceAll(people, "name = \"ampd\"", "name = \"ampd\"\nampd_events = true")
		} else {
			h.edit(t, string(text))
		}
		require.NoError(t, os.WriteFile(filepath.Join(h.Dir, "profiles.toml"), []byte(people), 0o600))
		sent := make(chan error, 1)
		go func() { sent <- sender.send(events, 0) }() // ends with these events
		require.Equal(t, []string{readAgain}, h.hangUp(t))
		require.NoError(t, <-sent)
	}
	var all []error
	for range clients {
		all = append(all, <-ended)
	}
	require.NoError(t, errors.Join(all...))
	for _, w := range wires {
		before, answer, err := w.ask("Action: Ping")
		require.NoError(t, err)
		require.Empty(t, before)
		require.Contains(t, answer, "Ping: Pong")
	}
	require.Equal(t, clients, metric(t, h.Daemon, "ampd_sessions"))
}

// readNumbered reads that many events, which are numbered from 0.
func (w *wire) readNumbered(n int) error {
	for next := range n {
		packet, err := w.read()
		if err != nil {
			return fmt.Errorf("event %d: %w", next, err)
		}
		if header(packet, "Number") != strconv.Itoa(next) {
			return fmt.Errorf("%s: not event %d: %q", w.name, next, packet)
		}
	}
	return nil
}
