package tests

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/simulator"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
	"ampd/tests/faultproxy"
)

// A hardship is a running ampd with a bad network between it and its Asterisk, and clients
// of all kinds. Faults at each byte of what is said are the subject of package upstream's
// own tests; here it is the whole ampd, over sockets.
type hardship struct {
	*daemon.Daemon
	network  *faultproxy.Proxy
	events   *asker // sends numbered ones, at Asterisk itself
	watchers []*watcher
	askers   []*asker
	idle     footprint
}

// A watcher reads all events of a session.
type watcher struct {
	wire *wire

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	numbers []int         // of the numbered events
	booted  int           // FullyBooted events
	failed  error
}

// chores are what the askers do, over and over.
var chores = []func(n int) lines{
	func(n int) lines { return []lines{{"Action: QueueStatus"}, {"Action: CoreShowChannels"}}[n%2] },
	func(n int) lines { return lines{"Action: QueueStatus", fmt.Sprintf("Number: %d", n)} }, // no two are one
	func(n int) lines {
		return []lines{
			{"Action: Getvar", "Variable: TALK_MAX"},
			{"Action: Ping"},
			{"Action: DBPut", "Family: f", "Key: k", "Val: v"},
			{"Action: CoreStatus"},
		}[n%4]
	},
	func(int) lines { return lines{"Action: UserEvent", "UserEvent: Fenced"} },
	func(int) lines { return lines{"Action: Command", "Command: core show version"} },
	func(int) lines {
		return lines{"Action: Originate", "Channel: Local/busy@callers/n", "Application: Wait", "Data: 1", "Timeout: 5000"}
	},
}

// behind puts ampd behind a bad network. pbx is the Asterisk's address, or that of its
// TLS port, plain that of its plain one.
func behind(t *testing.T, pbx, plain string, config daemon.Config) *hardship {
	t.Helper()
	h := &hardship{network: faultproxy.Listen(t, pbx)}
	h.Daemon = daemon.Start(t, h.network.Addr, config)
	h.WaitReady(t)
	for i := range 3 {
		w := &watcher{wire: openWire(t, fmt.Sprintf("watcher %d", i), h.Addr, asterisk.Ampd), changed: make(chan struct{})}
		h.watchers = append(h.watchers, w)
		go w.watch() // ends with the connection
	}
	var wires []*wire
	for i := range 2 * len(chores) {
		wires = append(wires, openWire(t, fmt.Sprintf("asker %d", i), h.Addr, asterisk.Ampd))
	}
	h.idle = h.atRest(t, footprint{})
	h.events = askFrom(openWire(t, "sender", plain, asterisk.Ampd, "Events: off"), 1, 10*time.Millisecond, func(n int) lines {
		return lines{"Action: UserEvent", "UserEvent: Numbered", fmt.Sprintf("Number: %d", n)}
	})
	for i, w := range wires {
		h.askers = append(h.askers, askFrom(w, 2, 20*time.Millisecond, chores[i%len(chores)]))
	}
	h.carryOn(t, time.Now())
	return h
}

func (w *watcher) watch() {
	for {
		packet, err := w.wire.read()
		w.mu.Lock()
		switch {
		case err != nil:
			w.failed = err
		case !isEvent(packet) || header(packet, "Event") == "":
			w.failed = fmt.Errorf("%s: not an event: %q", w.wire.name, packet)
		case header(packet, "Event") == "FullyBooted":
			w.booted++
		case header(packet, "UserEvent") == "Numbered":
			n, err := strconv.Atoi(header(packet, "Number"))
			if last := len(w.numbers) - 1; err != nil || last >= 0 && n <= w.numbers[last] {
				w.failed = fmt.Errorf("%s: out of order: %q", w.wire.name, packet)
			}
			w.numbers = append(w.numbers, n)
		}
		failed := w.failed
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
		if failed != nil {
			return
		}
	}
}

// until waits until the condition, asked with the watcher's lock held, holds.
func (w *watcher) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(wireLimit)
	for {
		w.mu.Lock()
		ok, failed, changed := holds(), w.failed, w.changed
		w.mu.Unlock()
		if ok {
			return
		}
		require.NoError(t, failed)
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(t, "not within "+wireLimit.String(), "%s: %s", w.wire.name, what)
		}
	}
}

// fault sets a trap and waits until it has sprung; provoke may help.
func (h *hardship) fault(t *testing.T, trap faultproxy.Trap, provoke func()) {
	t.Helper()
	sprung := h.network.Trap(trap)
	if provoke != nil {
		provoke()
	}
	select {
	case <-sprung:
	case <-time.After(wireLimit):
		require.FailNow(t, "the place did not come", "%q and %d bytes", trap.After, trap.Bytes)
	}
}

// carryOn waits until Asterisk has answered each asker, and each watcher has had an event,
// later than that.
func (h *hardship) carryOn(t *testing.T, since time.Time) {
	t.Helper()
	for _, a := range h.askers {
		a.until(t, "an answer of Asterisk's", func() bool {
			for i := len(a.answered) - 1; i >= 0 && a.answered[i].sent.After(since); i-- {
				if q := a.answered[i]; q.succeeded() && header(q.response, "Ping") == "" || q.message == "Originate failed" {
					return true
				}
			}
			return false
		})
	}
	next := h.events.answers()
	for _, w := range h.watchers {
		w.until(t, fmt.Sprintf("event %d", next), func() bool { return len(w.numbers) > 0 && w.numbers[len(w.numbers)-1] >= next })
	}
}

// end has the clients come to an end. Each action has had its answer, whatever it was of
// these; each watcher has seen the same; nothing is left of all the losses.
func (h *hardship) end(t *testing.T, may ...string) {
	t.Helper()
	all := append(h.askers, h.events)
	for _, a := range all {
		close(a.stop)
	}
	for _, a := range all {
		a.until(t, "all answers", func() bool { return len(a.open) == 0 })
	}
	events := h.events.answers()
	require.Equal(t, map[string]int{"Success": events}, outcomes(all[len(all)-1:]))
	count := outcomes(h.askers)
	for what := range count {
		require.Contains(t, append(may, "Success", "Originate failed"), strings.TrimPrefix(what, "Cancelled: "))
	}
	for _, w := range h.watchers {
		w.until(t, "the last event", func() bool { return w.numbers[len(w.numbers)-1] == events-1 })
	}
	gaps, lost := 0, 0
	for i, n := range h.watchers[0].numbers {
		if i > 0 && n != h.watchers[0].numbers[i-1]+1 {
			gaps++
			lost += n - h.watchers[0].numbers[i-1] - 1
		}
	}
	for _, w := range h.watchers {
		require.Equal(t, h.watchers[0].numbers, w.numbers)
		require.Equal(t, strings.Count(h.Log(), `"msg":"connected to Asterisk"`), w.booted, "FullyBooted at the login and behind each loss")
	}
	require.LessOrEqual(t, gaps, h.logged("warn"), "gaps in the events without a loss")
	rest := h.atRest(t, h.idle)
	log := h.Log()
	for _, secret := range []string{asterisk.Ampd.Secret, "Key: "} {
		require.NotContains(t, log, secret)
	}
	t.Logf("answers: %s; of %d events %d came while ampd was not connected, at %d times; idle before: %v, behind: %v",
		inWords(count), events, lost, gaps, h.idle, rest)
}

// A footprint is what ampd holds.
type footprint struct{ goroutines, descriptors int }

// atRest waits until ampd, which nobody asks anything, holds no more than that, and
// returns what it then holds; without a limit, until it holds the same for a while.
func (h *hardship) atRest(t *testing.T, limit footprint) (now footprint) {
	t.Helper()
	const same = 5
	timeout := time.After(wireLimit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := 0; n < same; n++ {
		last := now
		now = footprint{metric(t, h.Daemon, "go_goroutines"), metric(t, h.Daemon, "process_open_fds")}
		if now != last || limit != (footprint{}) && (now.goroutines > limit.goroutines+2 || now.descriptors > limit.descriptors+1) {
			n = 0
		}
		select {
		case <-tick.C:
		case <-timeout:
			require.FailNow(t, "ampd does not come to rest", "%v, at first %v", now, limit)
		}
	}
	return now
}

// logged counts the lines of a level that ampd has logged.
func (h *hardship) logged(level string) int {
	return strings.Count(h.Log(), `"level":"`+level+`"`)
}

func TestCutsWithoutEnd(t *testing.T) {
	cuts := 150
	if testing.Short() {
		cuts = 6
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	pbx := simulated(t, simulator.Config{})
	h := behind(t, pbx, pbx, daemon.Config{})
	for i := range cuts {
		trap := faultproxy.Trap{Link: -1, Bytes: chance.IntN(100), Do: (*faultproxy.Link).Cut}
		if chance.IntN(2) == 0 {
			trap.Do = (*faultproxy.Link).Reset
		}
		switch i % 4 {
		case 0, 2: // the event connection
			trap.From, trap.After = faultproxy.Server, "Event: UserEvent\r\nPrivilege: "
		case 1:
			trap.From, trap.After = faultproxy.Client, []string{"Action: ", "ActionID: ", "\r\n\r\n", "Queue", "Ping"}[chance.IntN(5)]
		case 3:
			trap.From, trap.After = faultproxy.Server, []string{"Response: ", "ActionID: ", "\r\n\r\n", "EventList: ", "Ping: "}[chance.IntN(5)]
		}
		h.fault(t, trap, nil)
		h.carryOn(t, time.Now())
	}
	h.end(t, connectionLost, unconnected)
	require.Zero(t, h.logged("error"))
	require.LessOrEqual(t, h.logged("warn"), cuts)
	require.GreaterOrEqual(t, h.losses(), cuts/2)
}

// losses counts how often ampd has said that it lost Asterisk.
func (h *hardship) losses() int { return strings.Count(h.Log(), `"msg":"lost Asterisk"`) }

// places are where the connections to a real Asterisk are cut.
var places = []struct {
	name  string
	login bool // is passed when ampd connects
	from  faultproxy.Side
	after string
	bytes int
}{
	{"in the greeting", true, faultproxy.Server, "Asterisk Call Man", 0},
	{"in the question for a challenge", true, faultproxy.Client, "Action: Challenge\r\nAuth", 0},
	{"in the challenge", true, faultproxy.Server, "Challenge: ", 3},
	{"in the login", true, faultproxy.Client, "Username: am", 0},
	{"in the login's key", true, faultproxy.Client, "Key: ", 16},
	{"before the login's answer", true, faultproxy.Client, "\r\nEvents: on\r\n\r\n", 0},
	{"in the login's answer", true, faultproxy.Server, "Authentication acc", 0},
	{"between the login and FullyBooted", true, faultproxy.Server, "Authentication accepted\r\n\r\n", 0},
	{"in FullyBooted", true, faultproxy.Server, "Event: FullyBooted\r\nPriv", 0},
	{"in the account's rights", true, faultproxy.Server, "read perm: sys", 0},
	{"in the list of actions", true, faultproxy.Server, "\r\nCoreShowChannels: ", 5},
	{"in the settings", true, faultproxy.Server, "AsteriskVersion: ", 2},
	{"in the login of an action connection", true, faultproxy.Client, "Events: of", 0},
	{"in an action", false, faultproxy.Client, "Action: QueueSt", 0},
	{"in an action's id", false, faultproxy.Client, "Action: CoreStatus\r\nActionID: ampd-", 7},
	{"in the beginning of an answer", false, faultproxy.Server, "Response: Success\r\nActionID: ", 0},
	{"between the answer and its list", false, faultproxy.Server, "Message: Queue status will follow\r\n\r\n", 0},
	{"in a list's item", false, faultproxy.Server, "Event: QueueMember\r\n", 7},
	{"in a list's end", false, faultproxy.Server, "EventList: Compl", 0},
	{"in the last empty line", false, faultproxy.Server, "EventList: Complete\r\nListItems: ", 5},
	{"in a command's output", false, faultproxy.Server, "Message: Command output follows\r\nOutp", 0},
	{"in an event", false, faultproxy.Server, "Event: UserEvent\r\n", 20},
	{"between CR and LF of an event", false, faultproxy.Server, "Event: UserEvent\r", 0},
	{"behind the first event", true, faultproxy.Server, "Status: Fully Booted\r\n\r\n", 0},
	{"in an OriginateResponse", false, faultproxy.Server, "Event: OriginateResponse\r\nPriv", 0},
	{"in a fence", false, faultproxy.Client, "UserEvent: Fenced\r\n\r\nAction: Pi", 0},
	{"in a fence's answer", false, faultproxy.Server, "Ping: Po", 0},
	{"behind the success of an Originate", false, faultproxy.Server, "Originate successfully queued\r\n\r\n", 0},
}

func TestCutsOfRealAsterisk(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		h := behind(t, s.Addr, s.Addr, daemon.Config{})
		for i, place := range places {
			if testing.Short() && i%4 != 2*slices.Index(asterisk.Versions(), version) {
				continue
			}
			began := time.Now()
			trap := faultproxy.Trap{Link: -1, From: place.from, After: place.after, Bytes: place.bytes, Do: (*faultproxy.Link).Cut}
			if i%4 < 2 {
				trap.Do = (*faultproxy.Link).Reset
			}
			var provoke func()
			if place.login {
				provoke = h.network.Cut
			}
			h.fault(t, trap, provoke)
			h.carryOn(t, time.Now())
			t.Logf("%s: %v until all went on", place.name, round(time.Since(began)))
		}
		h.end(t, connectionLost, unconnected)
		require.Zero(t, h.logged("error"))
		require.LessOrEqual(t, h.logged("warn"), 2*len(places))
	})
}

// TLS shows nothing of what is said: it is cut at so many bytes of each connection.
func TestCutsOfRealAsteriskOverTLS(t *testing.T) {
	t.Parallel()
	s := asterisk.Start(t, asterisk.Versions()[0])
	h := behind(t, s.TLSAddr, s.Addr, daemon.Config{
		Upstream: fmt.Sprintf("tls = true\ntls_ca_file = %q\ntls_server_name = \"localhost\"\nconnect_timeout = \"5s\"", s.CAFile),
	})
	cuts := map[faultproxy.Side][]int{faultproxy.Client: {3, 300}, faultproxy.Server: {3, 1500, 2500, 20_000}}
	if testing.Short() {
		cuts = map[faultproxy.Side][]int{faultproxy.Server: {20_000}}
	}
	for from, places := range cuts {
		for _, bytes := range places {
			h.fault(t, faultproxy.Trap{Link: -1, From: from, Bytes: bytes, Do: (*faultproxy.Link).Cut}, h.network.Cut)
			h.carryOn(t, time.Now())
		}
	}
	h.end(t, connectionLost, unconnected)
	require.Zero(t, h.logged("error"))
}

// ways are the directions in which nothing passes.
var ways = []struct {
	name  string
	sides []faultproxy.Side
	may   []string
}{
	{"both", []faultproxy.Side{faultproxy.Client, faultproxy.Server}, []string{connectionLost, unconnected}},
	{"from Asterisk", []faultproxy.Side{faultproxy.Server}, []string{connectionLost, unconnected}},
	// Events go on coming, so that the event connection is not taken for lost.
	{"to Asterisk", []faultproxy.Side{faultproxy.Client}, []string{connectionLost, unconnected, overdue, "Upstream busy"}},
}

const overdue = "Timeout waiting for Asterisk"

func TestSilentNetwork(t *testing.T) {
	t.Parallel()
	for i, way := range ways {
		if testing.Short() && i == 1 {
			continue
		}
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			pbx := simulated(t, simulator.Config{})
			h := behind(t, pbx, pbx, daemon.Config{
				Upstream: pings(time.Second, time.Second) + "\naction_timeout = \"3s\"\nconnect_timeout = \"2s\"",
			})
			began := time.Now()
			for _, side := range way.sides {
				h.network.Set(side, faultproxy.Line{Still: true})
			}
			for _, a := range h.askers {
				a.until(t, "an error", func() bool {
					last := len(a.answered) - 1
					return last >= 0 && a.answered[last].ended.After(began) && !a.answered[last].succeeded() && a.answered[last].message != "Originate failed"
				})
			}
			answered := time.Since(began)
			for _, side := range way.sides {
				h.network.Set(side, faultproxy.Line{})
			}
			again := time.Now()
			h.carryOn(t, again)
			t.Logf("each client had an error after %v at most, all went on %v behind the end of the silence", round(answered), round(time.Since(again)))
			h.end(t, way.may...)
		})
	}
}

func TestPoorNetwork(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]faultproxy.Line{
		"200 ms each way": {Delay: 200 * time.Millisecond},
		"1 kB/s":          {Rate: 1000},
		"byte by byte":    {Chunk: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pbx := simulated(t, simulator.Config{Agents: []simulator.Agent{{Extension: "1001", Name: "Alice Archer", Queues: []string{"q"}}}})
			network := faultproxy.Listen(t, pbx)
			network.Set(faultproxy.Client, line)
			network.Set(faultproxy.Server, line)
			d := daemon.Start(t, network.Addr, daemon.Config{})
			began := time.Now()
			d.WaitReady(t)
			t.Logf("connected after %v", round(time.Since(began)))
			var askers []*asker
			for i, next := range chores[:5] { // an Originate makes more events than 1 kB/s lets through in time
				w := openWire(t, fmt.Sprintf("asker %d", i), d.Addr, asterisk.Ampd, "Events: off")
				askers = append(askers, askFrom(w, 2, time.Millisecond, next))
			}
			for _, a := range askers {
				a.until(t, "answers", func() bool { return len(a.answered) >= 2 })
				close(a.stop)
			}
			for _, a := range askers {
				a.until(t, "all answers", func() bool { return len(a.open) == 0 })
			}
			sent := 0
			for _, a := range askers {
				sent += a.answers()
			}
			require.Equal(t, map[string]int{"Success": sent}, outcomes(askers))
			require.NotContains(t, d.Log(), "lost")
		})
	}
}

// Whatever state the upstream is in, ampd stops when it is told to, and says so to all.
func TestStopInFrontOfASilentAsterisk(t *testing.T) {
	t.Parallel()
	for i, stop := range []struct {
		name  string
		place faultproxy.Trap
	}{
		{"in the greeting", faultproxy.Trap{From: faultproxy.Server, After: "Asterisk Call"}},
		{"in what is asked at first", faultproxy.Trap{From: faultproxy.Server, After: "\r\nCoreShowChannels: "}},
		{"in the login", faultproxy.Trap{From: faultproxy.Server, After: "Challenge: "}},
		{"with an action under way", faultproxy.Trap{From: faultproxy.Client, After: "Action: Getvar\r\n"}},
		{"before FullyBooted", faultproxy.Trap{From: faultproxy.Server, After: "Authentication accepted\r\n\r\n"}},
	} {
		if testing.Short() && i%2 == 0 {
			continue
		}
		t.Run(stop.name, func(t *testing.T) {
			t.Parallel()
			place := stop.place
			pbx := simulated(t, simulator.Config{})
			network := faultproxy.Listen(t, pbx)
			place.Link, place.Do = -1, func(*faultproxy.Link) {
				network.Set(faultproxy.Client, faultproxy.Line{Still: true})
				network.Set(faultproxy.Server, faultproxy.Line{Still: true})
			}
			silent := network.Trap(place)
			d := daemon.Start(t, network.Addr, daemon.Config{Upstream: "shutdown_grace = \"500ms\""})
			var w *wire
			var answers []string
			if place.From == faultproxy.Server {
				<-silent
				w = openWire(t, "client", d.Addr, asterisk.Ampd, "Events: system")
				_, answer, err := w.ask("Action: Getvar", "Variable: X", "ActionID: 1")
				require.NoError(t, err)
				require.Equal(t, "Response: Error\r\nActionID: 1\r\nMessage: "+unconnected+"\r\n\r\n", answer)
			} else {
				d.WaitReady(t)
				w = openWire(t, "client", d.Addr, asterisk.Ampd, "Events: system")
				require.NoError(t, w.send("Action: Getvar", "Variable: X", "ActionID: 1"))
				<-silent
			}
			require.NoError(t, w.SetDeadline(time.Now().Add(wireLimit)))
			require.Zero(t, d.Terminate(t))
			for {
				packet, err := w.read()
				if err != nil {
					require.ErrorIs(t, err, io.EOF)
					break
				}
				if !isEvent(packet) {
					answers = append(answers, packet)
				}
			}
			if place.From == faultproxy.Client {
				require.Equal(t, []string{"Response: Error\r\nActionID: 1\r\nMessage: " + connectionLost + "\r\n\r\n"}, answers)
			} else {
				require.Empty(t, answers)
			}
			require.Contains(t, d.Log(), `"msg":"stopped"`)
		})
	}
}
