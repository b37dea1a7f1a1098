package tests

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/simulator"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// A hostility is what hostile clients do, and what ampd promises then, beside what it
// promises always: the well-behaved clients lose nothing, and when the others have gone
// nothing of them is left.
type hostility struct {
	name      string
	promise   string
	config    daemon.Config
	secured   bool // with a listener that speaks TLS
	simulated simulator.Config
	attack    func(t *testing.T, s *siege)
}

// A siege is an ampd in front of a simulated Asterisk, with well-behaved clients and
// attackers.
type siege struct {
	*daemon.Daemon
	events    *numberedEvents
	good      *goodClients
	attackers []net.Conn
}

const goodOnes = 50

const actionConnections = `ampd_upstream_connections{role="action"}`

// longer is a number for make test, or a greater one for the long tests.
func longer(short, long int) int {
	if testing.Short() {
		return short
	}
	return long
}

// besiege starts an ampd with so many well-behaved clients, whose events are sent at the
// Asterisk at pbx. ampd may have another address for it.
func besiege(t *testing.T, config daemon.Config, upstream, pbx string, good int) *siege {
	t.Helper()
	s := &siege{Daemon: daemon.Start(t, upstream, config)}
	s.WaitReady(t)
	s.newcomer(t) // so the first of these is there
	s.awaitMetric(t, actionConnections, func(n int) bool { return n >= 3 })
	s.events = startEvents(t, pbx)
	s.good = startGood(t, good, s.Addr, s.events)
	return s
}

// dial connects an attacker, from 127.0.0.1.
func (s *siege) dial(t *testing.T) net.Conn {
	t.Helper()
	conn := s.Dial(t)
	s.attackers = append(s.attackers, conn)
	patient(t, conn)
	return conn
}

// patient sets the time that all on a connection may take from now on, until it is asked
// for an answer.
func patient(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(2*goodLimit)))
}

// intruder is an attacker that has a profile and is logged in.
func (s *siege) intruder(t *testing.T, headers ...string) *wire {
	t.Helper()
	w, err := newWire("intruder", s.dial(t))
	require.NoError(t, err)
	require.NoError(t, w.logIn(intruding, headers...))
	patient(t, w)
	return w
}

var intruding = asterisk.Account{Name: "guarded", Secret: "guardedsecret"}

// stranger has been greeted.
func (s *siege) stranger(t *testing.T) *wire {
	t.Helper()
	w, err := newWire("stranger", s.dial(t))
	require.NoError(t, err)
	patient(t, w)
	return w
}

// newcomer is a well-behaved client that comes in the middle of it all, from another
// address than the attackers, and leaves when it was served.
func (s *siege) newcomer(t *testing.T) {
	t.Helper()
	from := net.Dialer{Timeout: goodLimit, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := from.Dial("tcp", s.Addr)
	require.NoError(t, err)
	defer conn.Close()
	w, err := newWire("newcomer", conn)
	require.NoError(t, err)
	require.NoError(t, w.logIn(asterisk.Ampd, "Events: off"))
	_, answer, err := w.ask("Action: Getvar", "Variable: X")
	require.NoError(t, err)
	require.Equal(t, "Response: Success\r\nVariable: X\r\nValue: \r\n\r\n", answer)
}

// awaitMetric waits until a metric is as asked.
func (s *siege) awaitMetric(t *testing.T, name string, is func(n int) bool) {
	t.Helper()
	n := 0
	if !eventually(func() bool { n = metric(t, s.Daemon, name); return is(n) }, 2*goodLimit) {
		require.FailNow(t, "the metric does not come to be as awaited", "%s %d", name, n)
	}
}

func (s *siege) awaitMetricOf(t *testing.T, name string, want int) {
	t.Helper()
	s.awaitMetric(t, name, func(n int) bool { return n == want })
}

// gone is the metric of clients that have left for that cause.
func gone(cause string) string {
	return fmt.Sprintf("ampd_downstream_disconnects_total{cause=%q}", cause)
}

// sentences is how many lines of the log have that sentence so far.
func (s *siege) sentences(sentence string) int {
	return strings.Count(s.Log(), fmt.Sprintf(`"msg":%q`, sentence))
}

// complained waits until the log has a line that ampd writes once a minute, and holds that
// it has not more of them than minutes have begun since then.
func (s *siege) complained(t *testing.T, sentence string, since time.Time) {
	t.Helper()
	s.Wait(t, sentence, func(l daemon.Line) bool { return l["msg"] == sentence })
	require.LessOrEqual(t, s.sentences(sentence), 1+int(time.Since(since).Minutes()))
}

// left waits until the log has so many lines about sessions that have ended for a cause that
// begins so.
func (s *siege) left(t *testing.T, cause string, want int) {
	t.Helper()
	n := 0
	s.Wait(t, cause, func(l daemon.Line) bool {
		if l["msg"] == "client left" && strings.HasPrefix(fmt.Sprint(l["cause"]), cause) {
			n++
		}
		return n == want
	})
}

// What ampd holds for its clients.
var holdings = []string{"ampd_downstream_connections", "ampd_downstream_unauthenticated_connections", "ampd_sessions", "process_open_fds", "go_goroutines"}

// lift ends the siege: the attackers go, and nothing of them is left.
func (s *siege) lift(t *testing.T, before map[string]int) {
	t.Helper()
	for _, conn := range s.attackers {
		conn.Close()
	}
	for _, name := range holdings {
		s.awaitMetric(t, name, func(n int) bool { return n <= before[name] })
	}
	s.good.carryOn(t, 2)
	s.good.end(t)
}

// holds is what ampd holds now.
func (s *siege) holds(t *testing.T) map[string]int {
	t.Helper()
	held := map[string]int{}
	metric(t, s.Daemon, holdings[0]) // has its own connection stay open
	for _, name := range holdings {
		held[name] = metric(t, s.Daemon, name)
	}
	return held
}

func TestHostileClients(t *testing.T) {
	for _, some := range [][]hostility{garbage, wrongProtocols, dawdlers, leavers, logins, readers} {
		for _, h := range some {
			t.Run(h.name, func(t *testing.T) {
				t.Parallel()
				t.Log("promised: " + h.promise)
				if h.secured {
					h.config.Listen = securedListener(t)
				}
				for range longer(1, 3) {
					pbx := simulated(t, h.simulated)
					s := besiege(t, h.config, pbx, pbx, goodOnes)
					before := s.holds(t)
					s.good.carryOn(t, 1)
					h.attack(t, s)
					s.lift(t, before)
				}
			})
		}
	}
}
