package tests

import (
	"context"
	"fmt"
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
	next func(n int) lines
}{
	{"lists", func(n int) lines {
		return []lines{{"Action: CoreShowChannels"}, {"Action: QueueStatus"}, {"Action: Status"}, {"Action: ExtensionStateList"}}[n%4]
	}},
	{"long lists", func(n int) lines {
		return lines{"Action: ShowDialPlan", "Context: long", fmt.Sprintf("Number: %d", n)} // so no two are one upstream
	}},
	{"sync originates", func(n int) lines {
		answered := "RINGFOR=0"
		if n < 2 { // ring until the end comes
			answered = "RINGFOR=100"
		}
		return lines{
			"Action: Originate", "Channel: Local/slow@callers/n", "Context: callers", "Exten: hangup", "Priority: 1",
			"Timeout: 100000", "Variable: " + answered, "Variable: PATIENCE=1",
		}
	}},
	{"async originates", func(int) lines {
		return lines{
			"Action: Originate", "Channel: Local/c1@callers/n", "Context: misc", "Exten: moh", "Priority: 1",
			"Variable: PATIENCE=2", "Async: true",
		}
	}},
	{"single actions", func(n int) lines {
		return []lines{
			{"Action: Getvar", "Variable: TALK_MAX"}, {"Action: DBPut", "Family: f", "Key: k", "Val: v"}, {"Action: Ping"},
			{"Action: Command", "Command: core show help"}, {"Action: UserEvent", "UserEvent: Single"}, {"Action: CoreStatus"},
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
	var askers []*asker
	for i := range clients {
		crew := crews[i%len(crews)]
		w := openWire(t, fmt.Sprintf("client %d, %s", i, crew.name), d.Addr, asterisk.Ampd)
		askers = append(askers, askFrom(w, 2, 50*time.Millisecond, crew.next))
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
	for _, a := range askers {
		a.until(t, wireLimit, "actions under way", func() bool {
			return len(a.answered) >= 8 || a.sent >= 2 && strings.HasSuffix(a.wire.name, ", sync originates")
		})
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
		a.until(t, wireLimit, "the answers to what was sent before the end", func() bool { return len(a.answered) >= sent[a] })
	}
	answered := time.Now()
	if again != nil {
		again(s)
	}
	s.WaitBooted()
	booted := time.Now()
	for _, a := range askers {
		a.until(t, wireLimit, "success after the loss", func() bool {
			last := len(a.answered) - 1
			return last >= 0 && a.answered[last].ended.After(gone) && a.answered[last].succeeded() && len(a.booted) == 2
		})
	}
	back := time.Now()
	connected := nthLine(t, d, "connected to Asterisk", connects+1)
	for _, a := range askers {
		at := a.answers()
		a.until(t, wireLimit, "five answers more", func() bool { return len(a.answered) >= at+5 })
		close(a.stop)
	}
	for _, a := range askers {
		a.until(t, wireLimit, "all answers", func() bool { return len(a.open) == 0 })
		require.Len(t, a.booted, 2, "%s: FullyBooted at the login and behind the loss", a.wire.name)
	}
	count := outcomes(askers)
	t.Logf("%s: the loss was noticed %v after its beginning, all %d clients were answered after %v; %v behind FullyBooted ampd was connected, after %v each client had been served. Answers: %s",
		s.Version, round(lost.Sub(gone)), clients, round(answered.Sub(gone)), round(connected.Sub(booted)), round(back.Sub(booted)), inWords(count))
	require.Less(t, back.Sub(booted), 3*time.Second)
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
			a.until(t, wireLimit, "an answer more", func() bool { return len(a.answered) > at })
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
