package tests

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/config"
	"ampd/pbx"
	"ampd/tests/asterisk"
	"ampd/upstream"
)

// upstreamWait bounds every wait for something that a working upstream does at once.
const upstreamWait = 20 * time.Second

// A recorder is an upstream.Handler that keeps what it is told.
type recorder struct {
	t *testing.T

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	infos   []*upstream.Info
	lost    []error
	events  []*codec.Packet
	started map[*upstream.Call]bool
	answers map[*upstream.Call][]*codec.Packet
	done    map[*upstream.Call]bool
}

func newRecorder(t *testing.T) *recorder {
	return &recorder{
		t: t, changed: make(chan struct{}), started: map[*upstream.Call]bool{},
		answers: map[*upstream.Call][]*codec.Packet{}, done: map[*upstream.Call]bool{},
	}
}

func (r *recorder) note(what func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	what()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) Ready(i *upstream.Info)   { r.note(func() { r.infos = append(r.infos, i) }) }
func (r *recorder) Changed(i *upstream.Info) { r.note(func() { r.infos = append(r.infos, i) }) }
func (r *recorder) Lost(err error)           { r.note(func() { r.lost = append(r.lost, err) }) }

func (r *recorder) Events(batch []*codec.Packet) {
	r.note(func() {
		for _, p := range batch {
			r.events = append(r.events, p.Clone())
		}
	})
}

func (r *recorder) Lists(*upstream.Info) []pbx.Question  { return nil }
func (r *recorder) Listed(pbx.Question, []*codec.Packet) {}

func (r *recorder) Rest() {}

func (r *recorder) Started(call *upstream.Call) {
	r.note(func() {
		if r.started[call] || len(r.answers[call]) > 0 {
			r.t.Errorf("Started twice, or after an Answer: %q", call.Action.Raw)
		}
		r.started[call] = true
	})
}

func (r *recorder) Answer(call *upstream.Call, p *codec.Packet, last bool) {
	r.note(func() {
		if r.done[call] {
			r.t.Errorf("an Answer after the last one: %q", p.Raw)
		}
		kept := p.Clone()
		kept.Raw = bytes.Clone(p.Raw)
		r.answers[call] = append(r.answers[call], kept)
		r.done[call] = last
	})
}

// until waits until the condition, asked with the lock held, holds.
func (r *recorder) until(what string, holds func() bool) {
	r.t.Helper()
	timeout := time.After(upstreamWait)
	for {
		r.mu.Lock()
		ok, changed := holds(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(r.t, "not within "+upstreamWait.String(), what)
		}
	}
}

// answer waits for the whole answer.
func (r *recorder) answer(call *upstream.Call) []*codec.Packet {
	r.t.Helper()
	var answer []*codec.Packet
	r.until("answer to "+string(call.Action.Raw), func() bool {
		answer = r.answers[call]
		return r.done[call]
	})
	return answer
}

// event waits for an event whose Raw has all the texts.
func (r *recorder) event(texts ...string) *codec.Packet {
	r.t.Helper()
	var found *codec.Packet
	r.until("event with "+strings.Join(texts, ", "), func() bool {
		for _, p := range r.events {
			if hasAll(string(p.Raw), texts) {
				found = p
				return true
			}
		}
		return false
	})
	return found
}

func hasAll(s string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// action makes a call of lines.
func action(t *testing.T, owner uint64, lines ...string) *upstream.Call {
	var p codec.Packet
	wire := strings.Join(lines, "\r\n") + "\r\n\r\n"
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), native.FromClient).Decode(&p))
	return &upstream.Call{Owner: owner, Action: &p}
}

// upstreamOf runs a client of the server until the test ends.
func upstreamOf(t *testing.T, server *asterisk.Server, change func(*upstream.Config)) (*upstream.Client, *recorder) {
	return upstreamLogging(t, server, change, zaptest.NewLogger(t))
}

func upstreamLogging(t *testing.T, server *asterisk.Server, change func(*upstream.Config), log *zap.Logger) (*upstream.Client, *recorder) {
	cfg := upstream.DefaultConfig()
	cfg.Address = server.Addr
	cfg.Username, cfg.Secret = asterisk.Ampd.Name, config.Secret(asterisk.Ampd.Secret)
	if change != nil {
		change(&cfg)
	}
	r := newRecorder(t)
	client := upstream.New(cfg, r, log, upstream.NewMetrics(prometheus.NewRegistry()))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(upstreamWait):
			t.Error("Run does not return")
		}
	})
	return client, r
}

func (r *recorder) ready() *upstream.Info {
	r.t.Helper()
	r.until("Ready", func() bool { return len(r.infos) > 0 })
	return r.last()
}

// last is what Ready or Changed said last.
func (r *recorder) last() *upstream.Info {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.infos[len(r.infos)-1]
}

// heard are the events so far.
func (r *recorder) heard() []*codec.Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// hasStarted tells whether Started came for the call.
func (r *recorder) hasStarted(call *upstream.Call) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started[call]
}

// hasAnswer tells whether the call's whole answer has come.
func (r *recorder) hasAnswer(call *upstream.Call) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[call]
}

// run submits an action and returns its whole answer as text.
func (r *recorder) run(client *upstream.Client, lines ...string) string {
	r.t.Helper()
	call := action(r.t, 1, lines...)
	client.Submit(call)
	var text strings.Builder
	for _, p := range r.answer(call) {
		text.Write(p.Raw)
	}
	return text.String()
}

// everyVersion runs a test against each Asterisk.
func everyVersion(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

func TestUpstreamRunsActionsOfARealAsterisk(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version)
		client, r := upstreamOf(t, server, nil)
		info := r.ready()
		require.Regexp(t, `^\d+\.\d+\.\d+$`, info.Version)
		require.Equal(t, "rig"+version, info.Settings.Get("SystemName"))
		require.NotNil(t, info.FullyBooted)
		require.WithinRange(t, info.Booted, time.Now().Add(-time.Minute), time.Now())
		originate, ok := info.Command("ORIGINATE")
		require.True(t, ok)
		require.Equal(t, codec.Originate, originate.Classes)
		status, _ := info.Command("Status")
		require.Equal(t, codec.System|codec.Call|codec.Reporting, status.Classes)
		queues, ok := info.Command("QueueStatus")
		require.True(t, ok)
		require.Zero(t, queues.Classes)

		require.Regexp(t, `^Response: Success\r\nActionID: 1\r\nEventList: start\r\nMessage: Queue status will follow\r\n\r\n`+
			`(?s:.*)Event: QueueStatusComplete\r\nActionID: 1\r\nEventList: Complete\r\nListItems: \d+\r\n\r\n$`,
			r.run(client, "Action: QueueStatus", "ActionID: 1"))
		require.Regexp(t, `^Response: Success\r\nActionID: c\r\nMessage: Command output follows\r\nOutput: Asterisk `,
			r.run(client, "Action: Command", "ActionID: c", "Command: core show version"))
		require.Equal(t, "\r\n", r.run(client, "Action: IAXnetstats", "ActionID: n"))
		require.Regexp(t, `^Response: Success\r\nActionID: p\r\n(?s:.*)EventList: Complete\r\nListItems: \d\r\n\r\n$`,
			r.run(client, "Action: IAXpeers", "ActionID: p"))
		require.Equal(t, "Response: Error\r\nActionID: x\r\nMessage: Invalid/unknown command: NoSuch. Use Action: ListCommands to show available commands.\r\n\r\n",
			r.run(client, "Action: NoSuch", "ActionID: x"))
		require.Equal(t, "Response: Success\r\nMessage: Event Sent\r\n\r\n",
			r.run(client, "Action: UserEvent", "UserEvent: plain", "Key: 1"))
		require.NotContains(t, string(r.event("UserEvent: plain").Raw), "ActionID")
		r.run(client, "Action: UserEvent", "ActionID: mine/7", "UserEvent: named")
		require.Equal(t, "mine/7", r.event("UserEvent: named").Get("ActionID"))
		for _, p := range r.heard() {
			require.NotEqual(t, "FullyBooted", p.Name())
		}
	})
}

func TestUpstreamMakesSynchronousOriginatesAsync(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version)
		client, r := upstreamOf(t, server, func(cfg *upstream.Config) { cfg.ActionConnections = 1 })
		r.ready()
		ring := action(t, 1, "Action: Originate", "ActionID: ring", "Channel: Local/noanswer@callers/n",
			"Application: Wait", "Data: 1", "Timeout: 2000")
		began := time.Now()
		client.Submit(ring)
		require.Contains(t, r.run(client, "Action: CoreStatus", "ActionID: now"), "Response: Success\r\nActionID: now\r\n")
		require.Less(t, time.Since(began), 1900*time.Millisecond, "it waits behind the Originate that rings")
		r.event("Event: Newchannel", "Local/noanswer@callers")
		require.False(t, r.hasAnswer(ring))

		const answered, failed = "Response: Success\r\nActionID: a\r\nMessage: Originate successfully queued\r\n\r\n",
			"Response: Error\r\nActionID: f\r\nMessage: Originate failed\r\n\r\n"
		require.Equal(t, answered, r.run(client, "Action: Originate", "ActionID: a", "Channel: Local/c1@callers/n", "Application: Wait", "Data: 1"))
		require.Equal(t, failed, r.run(client, "Action: Originate", "ActionID: f", "Channel: Local/busy@callers/n", "Context: misc", "Exten: wait", "Priority: 1"))
		require.Equal(t, "Response: Error\r\nMessage: Invalid channel\r\n\r\n", r.run(client, "Action: Originate", "Channel: x", "Application: Wait"))
		require.Equal(t, "Response: Error\r\nActionID: ring\r\nMessage: Originate failed\r\n\r\n", string(r.answer(ring)[0].Raw))
		require.GreaterOrEqual(t, time.Since(began), 2*time.Second)
		require.False(t, r.hasStarted(ring))

		// What Asterisk itself says without ampd.
		direct, err := asterisk.Dial(server.Addr)
		require.NoError(t, err)
		defer direct.Close()
		require.NoError(t, direct.Login(asterisk.Ampd, "Events: off"))
		for _, lines := range [][]string{
			{"Action: Originate", "ActionID: a", "Channel: Local/c1@callers/n", "Application: Wait", "Data: 1"},
			{"Action: Originate", "ActionID: f", "Channel: Local/busy@callers/n", "Context: misc", "Exten: wait", "Priority: 1"},
		} {
			require.NoError(t, direct.Send(lines...))
			p, err := direct.Read()
			require.NoError(t, err)
			require.Equal(t, strings.Join(p, "\r\n")+"\r\n\r\n", r.run(client, lines...))
		}

		r.run(client, "Action: Originate", "ActionID: async", "Channel: Local/busy@callers/n", "Application: Wait", "Async: true")
		require.Equal(t, "async", r.event("Event: OriginateResponse", "Response: Failure").Get("ActionID"))
		for _, p := range r.heard() {
			require.NotContains(t, string(p.Raw), "ampd-")
			if p.Name() == "OriginateResponse" {
				require.Equal(t, "async", p.Get("ActionID"))
			}
		}
	})
}

// manyExtensions is a dialplan whose ShowDialPlan takes Asterisk some time.
func manyExtensions() string {
	var b strings.Builder
	b.WriteString("[many]\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "exten => 9%05d,1,NoOp(%d)\n", i, i)
	}
	return b.String()
}

func TestUpstreamSurvivesKillInMidList(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version, asterisk.Conf("extensions.conf", manyExtensions()))
		client, r := upstreamOf(t, server, nil)
		r.ready()
		list := action(t, 1, "Action: ShowDialPlan", "ActionID: list", "Context: many")
		client.Submit(list)
		r.until("list begun", func() bool { return len(r.answers[list]) > 1 })
		server.Kill()
		answer := r.answer(list)
		end := answer[len(answer)-1]
		require.Equal(t, fmt.Sprintf("Event: ShowDialPlanComplete\r\nActionID: list\r\nEventList: Cancelled\r\nListItems: %d\r\nMessage: %s\r\n\r\n",
			len(answer)-2, "Upstream connection lost; the action may or may not have been executed"), string(end.Raw))
		r.until("Lost", func() bool { return len(r.lost) == 1 })
		require.Equal(t, "Response: Error\r\nActionID: 2\r\nMessage: Upstream not connected\r\n\r\n", r.run(client, "Action: CoreStatus", "ActionID: 2"))

		server.Run()
		server.WaitBooted()
		booted := time.Now()
		r.until("Ready", func() bool { return len(r.infos) == 2 })
		require.Less(t, time.Since(booted), 3*time.Second)
		require.Contains(t, r.run(client, "Action: CoreStatus", "ActionID: 3"), "Response: Success\r\nActionID: 3\r\n")
		r.until("Lost once", func() bool { return len(r.lost) == 1 })
	})
}

func TestUpstreamNoticesAnAsteriskThatHangs(t *testing.T) {
	server := asterisk.Start(t, asterisk.Versions()[0])
	client, r := upstreamOf(t, server, func(cfg *upstream.Config) {
		cfg.PingInterval, cfg.PingTimeout = config.Duration(time.Second), config.Duration(500*time.Millisecond)
	})
	r.ready()
	server.Stop()
	call := action(t, 1, "Action: CoreStatus", "ActionID: 1")
	client.Submit(call)
	require.Equal(t, "Response: Error\r\nActionID: 1\r\nMessage: Upstream connection lost; the action may or may not have been executed\r\n\r\n",
		string(r.answer(call)[0].Raw))
	r.until("Lost", func() bool { return len(r.lost) == 1 })
	server.Cont()
	r.until("Ready", func() bool { return len(r.infos) == 2 })
}

func TestUpstreamOverTLS(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version)
		client, r := upstreamOf(t, server, func(cfg *upstream.Config) {
			cfg.Address, cfg.TLS, cfg.CAFile, cfg.ServerName = server.TLSAddr, true, server.CAFile, "localhost"
		})
		r.ready()
		var calls []*upstream.Call
		for i := range 200 {
			calls = append(calls, action(t, uint64(i), "Action: QueueSummary", fmt.Sprintf("ActionID: %d", i), fmt.Sprintf("Queue: %d", i)))
		}
		for _, call := range calls {
			client.Submit(call)
		}
		for i, call := range calls {
			answer := r.answer(call)
			require.Equal(t, fmt.Sprint(i), answer[len(answer)-1].Get("ActionID"))
		}
	})
	t.Run("with a certificate that is not trusted", func(t *testing.T) {
		server := asterisk.Start(t, asterisk.Versions()[0])
		logs := observedUpstream(t, server, func(cfg *upstream.Config) { cfg.Address, cfg.TLS = server.TLSAddr, true })
		logs.until(t, "certificate signed by unknown authority")
	})
	t.Run("for a name that is not in the certificate", func(t *testing.T) {
		server := asterisk.Start(t, asterisk.Versions()[0])
		logs := observedUpstream(t, server, func(cfg *upstream.Config) {
			cfg.Address, cfg.TLS, cfg.CAFile, cfg.ServerName = server.TLSAddr, true, server.CAFile, "pbx.example"
		})
		logs.until(t, "not pbx.example")
	})
}

// observed are the lines that a client logged.
type observed struct{ *observer.ObservedLogs }

// until waits until a logged error has the text.
func (o observed) until(t *testing.T, text string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(upstreamWait)
	for {
		for _, entry := range o.All() {
			if err, _ := entry.ContextMap()["error"].(string); strings.Contains(err, text) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-timeout:
			require.FailNow(t, "never logged", "%s; but %v", text, o.All())
		}
	}
}

func observedUpstream(t *testing.T, server *asterisk.Server, change func(*upstream.Config)) observed {
	core, logs := observer.New(zap.DebugLevel)
	upstreamLogging(t, server, change, zap.New(core))
	return observed{logs}
}

func TestUpstreamNamesWhatTheAccountLacks(t *testing.T) {
	const users = "[reader]\nsecret = s\nread = system,call,agent\nwrite = all\n" +
		"[mute]\nsecret = s\nread = call,agent,dialplan\nwrite = call\n" +
		"[blind]\nsecret = s\nread = system,call,agent,dialplan\nwrite = call\n"
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version, asterisk.Conf("manager.conf", users))
		as := func(name, secret string) func(cfg *upstream.Config) {
			return func(cfg *upstream.Config) {
				cfg.Username, cfg.Secret = name, config.Secret(secret)
				cfg.BootTimeout = config.Duration(time.Second)
			}
		}
		t.Run("asked by Command", func(t *testing.T) {
			logs := observedUpstream(t, server, as("reader", "s"))
			logs.until(t, "the account in manager.conf does not read dialplan")
		})
		t.Run("told by FullyBooted that does not come", func(t *testing.T) {
			logs := observedUpstream(t, server, as("mute", "s"))
			logs.until(t, "the account in manager.conf does not read system")
		})
		t.Run("not to be known", func(t *testing.T) {
			_, r := upstreamOf(t, server, as("blind", "s"))
			info := r.ready()
			require.Nil(t, info.Settings)
			_, ok := info.Command("Command")
			require.False(t, ok)
		})
		t.Run("a wrong secret", func(t *testing.T) {
			logs := observedUpstream(t, server, as("reader", "hunter2"))
			logs.until(t, `log in as "reader": login refused`)
			for _, entry := range logs.All() {
				require.NotContains(t, fmt.Sprint(entry), "hunter2")
			}
		})
		t.Run("in plain", func(t *testing.T) {
			_, r := upstreamOf(t, server, func(cfg *upstream.Config) { cfg.Login = "plain" })
			r.ready()
		})
	})
}

func TestUpstreamWithOneLogin(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version, asterisk.Conf("manager.conf", "[general](+)\nallowmultiplelogin = no"))
		client, r := upstreamOf(t, server, nil)
		r.ready()
		require.Contains(t, r.run(client, "Action: UserEvent", "ActionID: 1", "UserEvent: one"), "Message: Event Sent")
		r.event("UserEvent: one", "ActionID: 1")
		require.Contains(t, r.run(client, "Action: IAXpeers", "ActionID: 2"), "EventList: Complete")
	})
}

func TestUpstreamKnowsOfReloads(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version)
		_, r := upstreamOf(t, server, nil)
		info := r.ready()
		_, ok := info.Command("QueueStatus")
		require.True(t, ok)
		server.CLI("module unload app_queue.so")
		r.until("Changed without QueueStatus", func() bool {
			_, ok := r.infos[len(r.infos)-1].Command("QueueStatus")
			return !ok
		})
		server.CLI("module load app_queue.so")
		r.until("Changed with QueueStatus", func() bool {
			_, ok := r.infos[len(r.infos)-1].Command("QueueStatus")
			return ok
		})
		before := r.last()
		server.CLI("module reload res_parking.so")
		var last *upstream.Info
		r.until("Changed", func() bool {
			last = r.infos[len(r.infos)-1]
			return last.Reloaded.After(before.Reloaded)
		})
		require.Equal(t, info.Booted, last.Booted)
		require.WithinDuration(t, time.Now(), last.Reloaded, 5*time.Second)

		// As Asterisk tells it to a new login.
		direct, err := asterisk.Dial(server.Addr)
		require.NoError(t, err)
		defer direct.Close()
		require.NoError(t, direct.Login(asterisk.Ampd))
		booted, err := direct.Read()
		require.NoError(t, err)
		for header, at := range map[string]time.Time{"Uptime": last.Booted, "LastReload": last.Reloaded} {
			seconds, err := strconv.Atoi(booted.Get(header))
			require.NoError(t, err)
			require.InDelta(t, seconds, time.Since(at).Seconds(), 1.5, header)
		}
	})
}

func TestUpstreamFollowsARestart(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version)
		client, r := upstreamOf(t, server, nil)
		r.ready()
		call := action(t, 1, "Action: Originate", "ActionID: 1", "Channel: Local/noanswer@callers/n", "Application: Wait", "Data: 1")
		client.Submit(call)
		r.event("Event: Newchannel", "noanswer")
		restarted := time.Now()
		client.Submit(action(t, 2, "Action: Command", "Command: core restart now"))
		require.Equal(t, "Shutdown", r.event("Event: Shutdown", "Restart: True").Name())
		require.Regexp(t, `^Response: Error\r\nActionID: 1\r\nMessage: (Originate failed|Upstream connection lost;.*)\r\n\r\n$`, string(r.answer(call)[0].Raw))
		r.until("Ready", func() bool { return len(r.infos) == 2 && len(r.lost) == 1 })
		require.WithinRange(t, r.last().Booted, restarted.Add(-2*time.Second), time.Now(), "in whole seconds")
		require.Contains(t, r.run(client, "Action: CoreStatus", "ActionID: 3"), "Response: Success\r\nActionID: 3\r\n")
	})
}

// PreDialGoSub has Asterisk run dialplan while the connection waits.
func TestUpstreamRetiresAConnectionThatWaits(t *testing.T) {
	const dialplan = "[predial]\nexten => s,1,Wait(3)\n same => n,Return()\n"
	server := asterisk.Start(t, "22", asterisk.Conf("extensions.conf", dialplan))
	client, r := upstreamOf(t, server, func(cfg *upstream.Config) {
		cfg.ActionConnections, cfg.ActionTimeout = 1, config.Duration(time.Second)
	})
	r.ready()
	began := time.Now()
	originate := action(t, 1, "Action: Originate", "ActionID: 1", "Channel: Local/c1@callers/n",
		"Context: misc", "Exten: wait", "Priority: 1", "Timeout: 100", "PreDialGoSub: predial,s,1")
	client.Submit(originate)
	waits := action(t, 2, "Action: Command", "ActionID: 2", "Command: core show version")
	client.Submit(waits)
	require.Equal(t, "Response: Error\r\nActionID: 1\r\nMessage: Timeout waiting for Asterisk\r\n\r\n", string(r.answer(originate)[0].Raw))
	require.Less(t, time.Since(began), 2500*time.Millisecond)
	require.Equal(t, "Response: Error\r\nActionID: 2\r\nMessage: Upstream busy\r\n\r\n", string(r.answer(waits)[0].Raw))
	require.Contains(t, r.run(client, "Action: CoreStatus", "ActionID: 3"), "Response: Success\r\nActionID: 3\r\n")
	require.Less(t, time.Since(began), 2500*time.Millisecond, "on a connection of its own")
	require.Eventually(t, func() bool { // the late answer has come
		return strings.Contains(r.run(client, "Action: Command", "Command: core show version"), "Output: Asterisk ")
	}, upstreamWait, 50*time.Millisecond)
	require.GreaterOrEqual(t, time.Since(began), 3*time.Second)
	for _, p := range r.answer(originate)[1:] {
		require.Fail(t, "a late answer", "%q", p.Raw)
	}
}
