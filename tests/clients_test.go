package tests

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// The steps whose answers must be the same on all roads, with what each answer must
// show, so that no road can be right by being silent.
var clientSteps = []struct {
	name   string
	action map[string]string
	until  string // the event that ends the answer, if one does
	header string // of the response
	value  string
	events int
}{
	{
		name:   "a list of queues",
		action: map[string]string{"Action": "QueueStatus", "Queue": "support"}, until: "QueueStatusComplete",
		header: "message", value: "Queue status will follow", events: 8,
	},
	{
		name:   "a list of channels",
		action: map[string]string{"Action": "CoreShowChannels"}, until: "CoreShowChannelsComplete",
		header: "message", value: "Channels will follow", events: 5,
	},
	{
		name:   "an empty list",
		action: map[string]string{"Action": "ParkedCalls"}, until: "ParkedCallsComplete",
		header: "message", value: "Parked calls will follow", events: 1,
	},
	{
		name:   "a command",
		action: map[string]string{"Action": "Command", "Command": "queue show empty"},
		header: "message", value: "Command output follows",
	},
	{
		name:   "a variable",
		action: map[string]string{"Action": "Getvar", "Variable": "TALK_MAX"},
		header: "value", value: "8",
	},
	{
		name:   "an unknown action",
		action: map[string]string{"Action": "NoSuchAction"},
		header: "message", value: "Invalid/unknown command: NoSuchAction. Use Action: ListCommands to show available commands.",
	},
	{
		name:   "an asynchronous Originate that is answered",
		action: originate("c1", "true"), until: "OriginateResponse",
		header: "message", value: "Originate successfully queued", events: 1,
	},
	{
		name:   "an asynchronous Originate that fails",
		action: originate("hangup", "true"), until: "OriginateResponse",
		header: "message", value: "Originate successfully queued", events: 1,
	},
	{
		name:   "a synchronous Originate that is answered",
		action: originate("c1", "false"),
		header: "message", value: "Originate successfully queued",
	},
	{
		name:   "a synchronous Originate that fails",
		action: originate("hangup", "false"),
		header: "message", value: "Originate failed",
	},
	{
		name:   "a UserEvent",
		action: map[string]string{"Action": "UserEvent", "UserEvent": "Hello", "Key": "a: b"},
		header: "message", value: "Event Sent",
	},
}

func originate(exten, async string) map[string]string {
	return map[string]string{
		"Action": "Originate", "Channel": "Local/" + exten + "@callers/n",
		"Context": "misc", "Exten": "wait", "Priority": "1", "Timeout": "5000", "Async": async,
	}
}

// The libraries that take "Command output follows" for the beginning of a list and
// wait for its end, which never comes, from Asterisk neither.
var waitForCommands = []string{"nami", "ami-io"}

func TestClientsOfOtherPeople(t *testing.T) {
	needClients(t)
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := asterisk.Start(t, version)
			d := daemon.Start(t, s.Addr, daemon.Config{})
			d.WaitReady(t)
			roads := map[string]string{"direct": s.Addr, "ampd": d.Addr}

			t.Run("wrong secret", func(t *testing.T) {
				_, logins := startCrowd(t, roads, asterisk.Account{Name: "ampd", Secret: "wrong"})
				for name, answers := range logins {
					require.NotEmpty(t, answers["direct"].Error, name)
					require.NotEmpty(t, answers["ampd"].Error, name)
				}
			})
			t.Run("refused action", func(t *testing.T) {
				c, logins := startCrowd(t, roads, asterisk.Limited)
				requireLoggedIn(t, logins)
				answers := c.do(t, clientStep{Do: "run", Action: map[string]string{"Action": "Command", "Command": "core show uptime"}})
				requireSame(t, answers, "message", "Permission denied", 0)
			})
			t.Run("all else", func(t *testing.T) { testClients(t, s, d, roads) })
		})
	}
}

func testClients(t *testing.T, s *asterisk.Server, d *daemon.Daemon, roads map[string]string) {
	t.Helper()
	control, events := controlSession(t, s)
	// Two calls that last, so that there are channels to list.
	for range 2 {
		require.NoError(t, control.Send("Action: Originate", "Channel: Local/c9@callers/n", "Context: misc", "Exten: echo",
			"Priority: 1", "Async: true", "Variable: PATIENCE=600"))
		events.until(t, func(p asterisk.Packet) bool { return p.Get("Event") == "OriginateResponse" })
	}

	c, logins := startCrowd(t, roads, asterisk.Ampd)
	requireLoggedIn(t, logins)
	for _, tc := range clientSteps {
		t.Run(tc.name, func(t *testing.T) {
			isCommand := tc.action["Action"] == "Command"
			step := clientStep{Do: "run", Action: tc.action, Until: tc.until, Seconds: 60}
			if isCommand {
				step.Seconds = 10
			}
			answers := c.do(t, step)
			if isCommand {
				for _, library := range waitForCommands {
					require.Equal(t, map[string]clientAnswer{"direct": {Error: "no answer"}, "ampd": {Error: "no answer"}}, answers[library+" plain"])
					delete(answers, library+" plain")
				}
			}
			requireSame(t, answers, tc.header, tc.value, tc.events)
		})
	}

	t.Run("all events of a traffic run", func(t *testing.T) {
		calls := 20
		if testing.Short() {
			calls = 10
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		want := between(t, control, events, "calls", func() {
			_, err := s.Calls(ctx, calls, 10)
			require.NoError(t, err)
		})
		require.Greater(t, len(want), 20*calls)
		requireEvents(t, c, "calls", want)
	})

	t.Run("a restart of Asterisk", func(t *testing.T) {
		s.Kill()
		waitReadyz(t, d, http.StatusServiceUnavailable)
		s.Run()
		s.WaitBooted()
		waitReadyz(t, d, http.StatusOK)
		for name, answers := range c.do(t, clientStep{Do: "again"}) {
			require.Equal(t, clientAnswer{Lost: true}, answers["direct"], name)
			require.Equal(t, clientAnswer{}, answers["ampd"], name)
		}
		requireSame(t, c.do(t, clientStep{Do: "run", Action: map[string]string{"Action": "QueueStatus", "Queue": "support"}, Until: "QueueStatusComplete"}),
			"message", "Queue status will follow", 8)
		control, events := controlSession(t, s)
		want := between(t, control, events, "again", func() {
			require.NoError(t, control.Send("Action: UserEvent", "UserEvent: Once more"))
			require.NoError(t, control.Send(packetOf(originate("c1", "false"))...))
		})
		requireEvents(t, c, "again", want)
	})
}

// waitReadyz waits until ampd's /readyz answers with a status.
func waitReadyz(t *testing.T, d *daemon.Daemon, status int) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(60 * time.Second)
	for {
		answer, err := http.Get("http://" + d.HTTP + "/readyz")
		require.NoError(t, err)
		answer.Body.Close()
		if answer.StatusCode == status {
			return
		}
		select {
		case <-again.C:
		case <-timeout:
			require.FailNow(t, "/readyz", "%d instead of %d", answer.StatusCode, status)
		}
	}
}

func packetOf(action map[string]string) []string {
	lines := []string{"Action: " + action["Action"]}
	for _, name := range slices.Sorted(maps.Keys(action)) {
		if name != "Action" {
			lines = append(lines, name+": "+action[name])
		}
	}
	return lines
}
