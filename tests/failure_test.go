package tests

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// What ampd answers in Asterisk's place.
const (
	connectionLost = "Upstream connection lost; the action may or may not have been executed"
	unconnected    = "Upstream not connected"
)

// endings are the ways in which an Asterisk goes away. Each returns when it is gone;
// again brings it back where it does not come by itself.
var endings = []struct {
	name  string
	ready func(t *testing.T, s *asterisk.Server, askers []*asker) // waits for the right moment
	end   func(s *asterisk.Server)
	again func(s *asterisk.Server)
}{
	{"kill -9", stopInList, (*asterisk.Server).Kill, (*asterisk.Server).Run},
	{"core restart now", nil, func(s *asterisk.Server) { s.CLI("core restart now") }, nil},
	{"core stop now", nil, func(s *asterisk.Server) { s.CLI("core stop now"); <-s.Exited() }, (*asterisk.Server).Run},
}

// crews are what the clients of the test of losses do.
var crews = []struct {
	name string
	some int // actions answered before the end comes, and again when Asterisk is back
	next func(n int, dialplan string) lines
}{
	{"lists", 4, func(n int, _ string) lines {
		return []lines{{"Action: CoreShowChannels"}, {"Action: QueueStatus"}, {"Action: Status"}, {"Action: ExtensionStateList"}}[n%4]
	}},
	{"long lists", 1, func(n int, dialplan string) lines {
		return lines{"Action: ShowDialPlan", "Context: " + dialplan, fmt.Sprintf("Number: %d", n)} // so no two are one upstream
	}},
	{"sync originates", 0, func(n int, _ string) lines {
		answered := "RINGFOR=0"
		if n < 2 { // ring until the end comes
			answered = "RINGFOR=100"
		}
		return lines{
			"Action: Originate", "Channel: Local/slow@callers/n", "Context: callers", "Exten: hangup", "Priority: 1",
			"Timeout: 100000", "Variable: " + answered, "Variable: PATIENCE=1",
		}
	}},
	{"async originates", 4, func(int, string) lines {
		return lines{
			"Action: Originate", "Channel: Local/c1@callers/n", "Context: misc", "Exten: moh", "Priority: 1",
			"Variable: PATIENCE=2", "Async: true",
		}
	}},
	{"single actions", 6, func(n int, _ string) lines {
		return []lines{
			{"Action: Getvar", "Variable: TALK_MAX"},
			{"Action: DBPut", "Family: f", "Key: k", "Val: v"},
			{"Action: Ping"},
			{"Action: Command", "Command: core show help"},
			{"Action: UserEvent", "UserEvent: Single"},
			{"Action: CoreStatus"},
		}[n%6]
	}},
}

func TestLossOfAsterisk(t *testing.T) {
	oneVersionAtATime(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, longDialplan())
		for _, e := range endings {
			t.Run(e.name, func(t *testing.T) {
				// The race detector makes ampd so slow that Asterisk is hardly ever
				// in a list.
				d := daemon.Start(t, s.Addr, daemon.Config{Plain: e.ready != nil})
				d.WaitReady(t)
				count := testLoss(t, s, d, e.ready, e.end, e.again)
				if e.ready != nil {
					require.Positive(t, count["Cancelled: "+connectionLost])
				}
			})
		}
	})
}

// longDialplan gives the context long, whose list takes some time.
func longDialplan() asterisk.Option {
	text := "[long]\n"
	for n := range 2000 {
		text += fmt.Sprintf("exten => long%d,1,NoOp()\n", n)
	}
	return asterisk.Conf("extensions.conf", text)
}

// testLoss has Asterisk go away and come back under clients that are in the middle of
// all kinds of things. It returns what their answers were.
func testLoss(t *testing.T, s *asterisk.Server, d *daemon.Daemon,
	ready func(*testing.T, *asterisk.Server, []*asker), end, again func(*asterisk.Server),
) map[string]int {
	const clients = 20
	dialplan, listPace := "queue-entry", 100*time.Millisecond
	if ready != nil { // Asterisk has to be in lists for much of its time
		dialplan, listPace = "long", time.Millisecond
	}
	var askers []*asker
	for i := range clients {
		crew := crews[i%len(crews)]
		w := openWire(t, fmt.Sprintf("client %d, %s", i, crew.name), d.Addr, asterisk.Ampd)
		pace := 100 * time.Millisecond
		if crew.name == "long lists" {
			pace = listPace
		}
		askers = append(askers, askFrom(w, 2, pace, func(n int) lines { return crew.next(n, dialplan) }))
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := make(chan struct{})
	go func() { // ends with Asterisk, or the test
		defer close(calls)
		_, _ = s.Calls(ctx, 1000, 5) // the loss is an error to it
	}()
	defer func() {
		cancel()
		<-calls
	}()
	for i, a := range askers {
		a.until(t, "actions under way", func() bool { return a.sent >= 2 && len(a.answered) >= crews[i%len(crews)].some })
	}

	if ready != nil {
		ready(t, s, askers)
	}
	connects := strings.Count(d.Log(), `"msg":"connected to Asterisk"`)
	sent := map[*asker]int{} // before the end
	for _, a := range askers {
		a.mu.Lock()
		sent[a] = a.sent
		a.mu.Unlock()
	}
	gone := time.Now()
	end(s)
	lost := nthLine(t, d, "lost Asterisk", connects)
	for _, a := range askers {
		a.until(t, "the answers to what was sent before the end", func() bool { return len(a.answered) >= sent[a] })
	}
	answered := time.Now()
	if again != nil {
		again(s)
	}
	s.WaitBooted()
	booted := time.Now()
	for _, a := range askers {
		a.until(t, "success after the loss", func() bool {
			last := len(a.answered) - 1
			return last >= 0 && a.answered[last].ended.After(gone) && a.answered[last].succeeded() && len(a.booted) == 2
		})
	}
	back := time.Now()
	connected := nthLine(t, d, "connected to Asterisk", connects+1)
	for i, a := range askers {
		at := a.answers()
		a.until(t, "some answers more", func() bool { return len(a.answered) >= at+crews[i%len(crews)].some })
	}
	for _, a := range askers {
		close(a.stop)
	}
	for _, a := range askers {
		a.until(t, "all answers", func() bool { return len(a.open) == 0 })
		require.Len(t, a.booted, 2, "%s: FullyBooted at the login and behind the loss", a.wire.name)
	}
	count := outcomes(askers)
	t.Logf("%s: the loss was noticed %v after its beginning, all %d clients were answered after %v; %v behind FullyBooted ampd was connected, after %v each client had been served. Answers: %s",
		s.Version, round(lost.Sub(gone)), clients, round(answered.Sub(gone)), round(connected.Sub(booted)), round(back.Sub(booted)), inWords(count))
	// When the clients are served is logged: it depends on what else they want of
	// this machine. Each was, within wireLimit.
	require.Less(t, connected.Sub(booted), 3*time.Second)
	for what, n := range count {
		switch what {
		case "Success", unconnected, connectionLost, "Cancelled: " + connectionLost:
			require.Positive(t, n)
		case "Originate failed", "Asterisk is shutting down": // are Asterisk's own words when it stops
		default:
			require.Fail(t, "unexpected answer", what)
		}
	}
	return count
}

// stopInList stops the process (SIGSTOP) at a moment at which it has sent a part of a
// list: until it is so, it is stopped and let go on.
func stopInList(t *testing.T, s *asterisk.Server, askers []*asker) {
	for range 200 {
		s.Stop()
		for quiet := false; !quiet; {
			before := received(askers)
			<-time.After(100 * time.Millisecond) // in which all that was sent arrives
			quiet = received(askers) == before
		}
		for _, a := range askers {
			if a.inList() {
				return
			}
		}
		s.Cont()
		for _, a := range askers[1:2] {
			at := a.answers()
			a.until(t, "an answer more", func() bool { return len(a.answered) > at })
		}
	}
	require.FailNow(t, "no list was under way at any stop")
}

// received is how many packets the askers have got so far.
func received(askers []*asker) (packets int) {
	for _, a := range askers {
		a.mu.Lock()
		packets += a.packets
		a.mu.Unlock()
	}
	return packets
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// nthLine waits for the nth line of ampd's log that says so and returns its time.
func nthLine(t *testing.T, d *daemon.Daemon, message string, n int) time.Time {
	t.Helper()
	seen := 0
	line := d.Wait(t, fmt.Sprintf("%q %d times", message, n), func(l daemon.Line) bool {
		if l["msg"] == message {
			seen++
		}
		return seen == n
	})
	when, err := time.Parse(time.RFC3339Nano, fmt.Sprint(line["time"]))
	require.NoError(t, err)
	return when
}

func TestStoppedAsteriskIsNoticed(t *testing.T) {
	const interval, timeout = time.Second, time.Second
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{Upstream: pings(interval, timeout)})
		d.WaitReady(t)
		var askers []*asker
		for i := range 5 {
			w := openWire(t, fmt.Sprintf("client %d", i), d.Addr, asterisk.Ampd)
			askers = append(askers, askFrom(w, 2, 20*time.Millisecond, func(n int) lines { return crews[4].next(n, "") }))
		}
		for _, a := range askers {
			a.until(t, "some answers", func() bool { return len(a.answered) >= 12 })
		}
		stopped := time.Now()
		s.Stop()
		noticed := nthLine(t, d, "lost Asterisk", 1).Sub(stopped)
		for _, a := range askers {
			a.until(t, "an error", func() bool {
				last := len(a.answered) - 1
				return a.answered[last].ended.After(stopped) && a.answered[last].message == unconnected
			})
		}
		s.Cont()
		goesOn := time.Now()
		for _, a := range askers {
			a.until(t, "Asterisk's own answers", func() bool {
				last := len(a.answered) - 1
				return a.answered[last].succeeded() && header(a.answered[last].response, "Ping") == "" && len(a.booted) == 2
			})
			close(a.stop)
		}
		back := time.Since(goesOn)
		for _, a := range askers {
			a.until(t, "all answers", func() bool { return len(a.open) == 0 })
		}
		count := outcomes(askers)
		t.Logf("%s: stopped (SIGSTOP), ping_interval %v, ping_timeout %v: noticed after %v; back %v behind SIGCONT. Answers: %s",
			s.Version, interval, timeout, round(noticed), round(back), inWords(count))
		require.Less(t, noticed, interval+timeout+time.Second)
		require.Less(t, back, 3*time.Second)
		require.Positive(t, count[connectionLost])
		require.Positive(t, count[unconnected])
	})
}

func pings(interval, timeout time.Duration) string {
	return fmt.Sprintf("ping_interval = %q\nping_timeout = %q", interval, timeout)
}

func TestShortStopOfAsteriskLosesNothing(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{Upstream: pings(2*time.Second, 5*time.Second)})
		d.WaitReady(t)
		var wires []*wire
		for i := range 5 {
			wires = append(wires, openWire(t, fmt.Sprintf("client %d", i), d.Addr, asterisk.Ampd, "Events: user"))
		}
		var askers []*asker
		for i, w := range wires {
			askers = append(askers, askFrom(w, 3, 5*time.Millisecond, func(n int) lines {
				return lines{"Action: UserEvent", fmt.Sprintf("UserEvent: %d-%d", i, n)}
			}))
		}
		for _, a := range askers {
			a.until(t, "some events", func() bool { return len(a.userEvts) >= 100 })
		}
		// In the middle of actions and events all is silent for some time, twice;
		// in the second time ampd pings, and waits.
		for _, silence := range []time.Duration{time.Second, 4 * time.Second} {
			s.Stop()
			for _, a := range askers {
				a.until(t, "actions that get no answer", func() bool { return len(a.open) == 3 })
			}
			<-time.After(silence)
			s.Cont()
			for _, a := range askers {
				at := a.answers()
				a.until(t, "more answers", func() bool { return len(a.answered) >= at+100 })
			}
		}
		for _, a := range askers {
			close(a.stop)
		}
		sent := 0
		for _, a := range askers {
			a.until(t, "all answers", func() bool { return len(a.open) == 0 })
			sent += a.answers()
		}
		require.Equal(t, map[string]int{"Success": sent}, outcomes(askers))
		for _, a := range askers {
			a.until(t, "all events", func() bool { return len(a.userEvts) >= sent })
			require.Equal(t, askers[0].userEvts, a.userEvts)
		}
		next := map[string]int{}
		for _, name := range askers[0].userEvts {
			client, n, _ := strings.Cut(name, "-")
			require.Equal(t, fmt.Sprint(next[client]), n)
			next[client]++
		}
		require.NotContains(t, d.Log(), "lost")
		t.Logf("%s: %d actions and as many events for each of %d clients, all in order, over two stops", s.Version, sent, len(askers))
	})
}

func TestAmpdStartsBeforeAsterisk(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		s.Kill()
		d := daemon.Start(t, s.Addr, daemon.Config{})
		w := openWire(t, "early client", d.Addr, asterisk.Ampd)
		require.Equal(t, "Asterisk Call Manager/11.0.0\r\n", w.banner)
		before, answer, err := w.ask("Action: Getvar", "Variable: TALK_MAX", "ActionID: 1")
		require.NoError(t, err)
		require.Empty(t, before)
		require.Equal(t, "Response: Error\r\nActionID: 1\r\nMessage: "+unconnected+"\r\n\r\n", answer)
		_, answer, err = w.ask("Action: Ping")
		require.NoError(t, err)
		require.Contains(t, answer, "Ping: Pong")
		waitReadyz(t, d, http.StatusServiceUnavailable)

		s.Run()
		s.WaitBooted()
		booted := time.Now()
		require.NoError(t, w.SetReadDeadline(booted.Add(wireLimit)))
		for packet := ""; header(packet, "Event") != "FullyBooted"; {
			packet, err = w.read()
			require.NoError(t, err)
		}
		took := time.Since(booted)
		_, answer, err = w.ask("Action: Getvar", "Variable: TALK_MAX", "ActionID: 2")
		require.NoError(t, err)
		require.Equal(t, "Response: Success\r\nActionID: 2\r\nVariable: TALK_MAX\r\nValue: 8\r\n\r\n", answer)
		waitReadyz(t, d, http.StatusOK)
		late := openWire(t, "late client", d.Addr, asterisk.Ampd)
		direct := openWire(t, "direct", s.Addr, asterisk.Ampd)
		require.Equal(t, direct.banner, late.banner)
		t.Logf("%s: the client that was there first had FullyBooted %v behind Asterisk's", s.Version, round(took))
		require.Less(t, took, 3*time.Second)
	})
}

func TestProfilesMayDisconnectWhenAsteriskIsLost(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{Profiles: daemon.Profiles + `
[[profile]]
name = "leaves"
secret = "leavessecret"
types = ["administrator"]
read = ["call", "system"]
write = ["all"]
on_upstream_loss = "disconnect"
`})
		d.WaitReady(t)
		stays := openWire(t, "stays", d.Addr, asterisk.Ampd)
		leaves := openWire(t, "leaves", d.Addr, asterisk.Account{Name: "leaves", Secret: "leavessecret"})
		busy := openWire(t, "busy", d.Addr, asterisk.Account{Name: "leaves", Secret: "leavessecret"})
		events := openWire(t, "events", d.Addr, asterisk.Ampd, "Events: call")
		require.NoError(t, busy.send("Action: Originate", "Channel: Local/slow@callers/n", "Context: misc", "Exten: wait",
			"Priority: 1", "Timeout: 60000", "Variable: RINGFOR=60", "ActionID: rings"))
		require.NoError(t, events.SetReadDeadline(time.Now().Add(wireLimit)))
		for packet := ""; header(packet, "Event") != "Newchannel"; {
			var err error
			packet, err = events.read()
			require.NoError(t, err)
		}
		s.Kill()
		for _, w := range []*wire{leaves, busy} {
			require.NoError(t, w.SetReadDeadline(time.Now().Add(wireLimit)))
			var got []string
			for {
				packet, err := w.read()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				if !isEvent(packet) {
					got = append(got, packet)
				}
			}
			if w == busy {
				require.Equal(t, []string{"Response: Error\r\nActionID: rings\r\nMessage: " + connectionLost + "\r\n\r\n"}, got)
			} else {
				require.Empty(t, got)
			}
		}
		_, answer, err := stays.ask("Action: CoreStatus")
		require.NoError(t, err)
		require.Equal(t, "Response: Error\r\nMessage: "+unconnected+"\r\n\r\n", answer)
		s.Run()
		s.WaitBooted()
		require.NoError(t, stays.SetReadDeadline(time.Now().Add(wireLimit)))
		for packet := ""; header(packet, "Event") != "FullyBooted"; {
			packet, err = stays.read()
			require.NoError(t, err)
		}
		again := openWire(t, "again", d.Addr, asterisk.Account{Name: "leaves", Secret: "leavessecret"})
		_, answer, err = again.ask("Action: CoreStatus")
		require.NoError(t, err)
		require.Equal(t, "Success", header(answer, "Response"), answer)
	})
}
