package tests

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/config"
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
	r.note(func() { r.events = append(r.events, batch...) })
}

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
		r.answers[call] = append(r.answers[call], p)
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
	r.until("answer to "+string(call.Action.Raw), func() bool { return r.done[call] })
	return r.answers[call]
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
	cfg := upstream.DefaultConfig()
	cfg.Address = server.Addr
	cfg.Username, cfg.Secret = asterisk.Ampd.Name, config.Secret(asterisk.Ampd.Secret)
	if change != nil {
		change(&cfg)
	}
	r := newRecorder(t)
	client := upstream.New(cfg, r, zaptest.NewLogger(t), upstream.NewMetrics(prometheus.NewRegistry()))
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
	return r.infos[0]
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
		t.Run(version, func(t *testing.T) { test(t, version) })
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
		for _, p := range r.events {
			require.NotEqual(t, "FullyBooted", p.Name())
		}
	})
}
