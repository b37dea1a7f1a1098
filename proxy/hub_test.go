package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/config"
	"ampd/downstream"
	"ampd/profiles"
	"ampd/upstream"
)

const testProfiles = `
[[profile]]
name = "admin"
secret = "s"
types = ["administrator"]
read = ["all"]
write = ["all"]

[[profile]]
name = "wall"
secret = "s"
types = ["monitor"]
read = ["call"]

[[profile]]
name = "single"
secret = "s"
types = ["monitor"]
read = ["call"]
max_sessions = 1

[[profile]]
name = "fickle"
secret = "s"
types = ["monitor"]
read = ["all"]
on_upstream_loss = "disconnect"

[[profile]]
name = "desk"
secret = "s"
types = ["agent", "monitor"]
read = ["call", "agent", "system"]
write = ["call", "agent", "originate"]
contexts = ["internal"]

[[profile]]
name = "team"
secret = "s"
types = ["monitor"]
read = ["call", "agent"]
queues = ["support"]

[[profile]]
name = "paced"
secret = "s"
types = ["administrator"]
read = ["all"]
write = ["all"]
actions_per_second = 2

[[profile]]
name = "support"
secret = "s"
types = ["administrator"]
read = ["all"]
write = ["all"]
queues = ["support"]
channels = ["PJSIP/bob", "Local/"]

[[agent]]
id = "1001"
devices = ["PJSIP/alice"]
queues = ["sales", "support"]

[[agent]]
id = "1002"
devices = ["PJSIP/bob"]
`

// A bench is a hub with sessions on pipes and an upstream that the test plays. It
// lives in a synctest bubble: settle waits until nothing moves any more.
type bench struct {
	t     *testing.T
	hub   *Hub
	conns chan net.Conn
	calls []*upstream.Call // submitted and not yet answered, in their order
	stop  context.CancelFunc
}

func (b *bench) Submit(call *upstream.Call) { b.calls = append(b.calls, call) }

func newBench(t *testing.T, edit func(*Config)) *bench {
	t.Helper()
	store, problems := profiles.Parse("test", testProfiles, nil)
	require.NoError(t, problems.Err())
	cfg := DefaultConfig()
	if edit != nil {
		edit(cfg)
	}
	subjects, err := cfg.Rights.subjects(store)
	require.NoError(t, err)
	b := &bench{t: t, conns: make(chan net.Conn)}
	limits := downstream.NewLimits(cfg.Sessions)
	fanout := downstream.NewFanout(limits)
	b.hub = newHub(limits, subjects, fanout, zap.NewNop(), newHubMetrics(prometheus.NewRegistry()))
	b.hub.upstream, b.hub.profiles, b.hub.rights, b.hub.every = b, store, cfg.Rights, cfg.State.Resync.Std()
	store.OnChange(b.hub.changed)
	server := downstream.NewServer(limits, store, b.hub, fanout, zap.NewNop(), downstream.NewMetrics(prometheus.NewRegistry()), nil)
	ctx, stop := context.WithCancel(t.Context())
	b.stop = stop
	var running sync.WaitGroup
	running.Go(func() { server.Run(ctx, only(b)) })
	t.Cleanup(func() {
		stop()
		close(b.conns)
		running.Wait()
	})
	return b
}

// only is the channel of a server that gets this listener's port and no other.
func only(l net.Listener) <-chan *downstream.Port {
	ports := make(chan *downstream.Port, 1)
	ports <- &downstream.Port{Listener: l}
	close(ports)
	return ports
}

// Accept, Close and Addr make b the listener that its sessions come from.
func (b *bench) Accept() (net.Conn, error) {
	conn, ok := <-b.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (b *bench) Close() error   { return nil }
func (b *bench) Addr() net.Addr { return &net.UnixAddr{Name: "bench"} }

// A testClient reads all that comes.
type testClient struct {
	b    *bench
	conn net.Conn
	mu   sync.Mutex
	got  strings.Builder
	eof  bool
}

// login connects and logs in as the profile; more are further lines of the login.
func (b *bench) login(profile string, more ...string) *testClient {
	b.t.Helper()
	c, conn := net.Pipe()
	b.conns <- conn
	client := b.reads(c)
	client.send("Action: Login\nUsername: " + profile + "\nSecret: s\n" + strings.Join(more, ""))
	b.settle()
	require.Contains(b.t, client.got.String(), "Authentication accepted")
	client.got.Reset()
	return client
}

// reads reads all that comes.
func (b *bench) reads(c net.Conn) *testClient {
	client := &testClient{b: b, conn: c}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			client.mu.Lock()
			client.got.Write(buf[:n])
			client.eof = errors.Is(err, io.EOF)
			client.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	b.t.Cleanup(func() { c.Close() })
	return client
}

func (b *bench) settle() { synctest.Wait() }

// send sends actions, whose packets are separated by "|".
func (c *testClient) send(actions string) {
	c.b.t.Helper()
	_, err := io.WriteString(c.conn, strings.ReplaceAll(strings.TrimSuffix(actions, "\n"), "|", "\n\n")+"\n\n")
	require.NoError(c.b.t, err)
}

// sees says what has come since the last time: the packets' first values joined by
// blanks, with the ActionID where there is one, and EOF.
func (c *testClient) sees() string {
	c.b.t.Helper()
	c.b.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	var words []string
	d := native.NewDecoder(strings.NewReader(c.got.String()), native.FromAsterisk)
	var p codec.Packet
	for d.Decode(&p) == nil {
		word := p.Headers[0].Value
		if id := p.Get("ActionID"); id != "" {
			word += "(" + id + ")"
		}
		words = append(words, word)
	}
	c.got.Reset()
	if c.eof {
		words = append(words, "EOF")
	}
	return strings.Join(words, " ")
}

func (c *testClient) text() string {
	c.b.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.String()
}

func packet(lines string) *codec.Packet {
	wire := strings.ReplaceAll(strings.ReplaceAll(lines, "|", "\n"), "\n", "\r\n") + "\r\n\r\n"
	var p codec.Packet
	if err := native.NewDecoder(strings.NewReader(wire), native.FromAsterisk).Decode(&p); err != nil {
		panic(err)
	}
	return &p
}

// event has the upstream send one of class call.
func (b *bench) event(name string, more ...string) {
	b.hub.Events([]*codec.Packet{packet("Event: " + name + "|Privilege: call,all" + strings.Join(more, ""))})
}

func (b *bench) ready() {
	now := time.Now()
	b.hub.Ready(&upstream.Info{
		Version:     "11.0.0",
		Commands:    []upstream.Command{{Name: "QueueStatus", Text: "Show. (Priv: <none>)"}, {Name: "DBPut", Text: "Put. (Priv: system,all)", Classes: codec.System}, {Name: "Getvar", Classes: codec.Call}, {Name: "Command", Classes: codec.Command}, {Name: "Odd", Unknown: "newclass"}},
		FullyBooted: packet("Event: FullyBooted|Privilege: system,all|Status: Fully Booted"),
		Booted:      now.Add(-time.Hour), Reloaded: now.Add(-time.Minute),
	})
	b.settle()
}

// answer gives the oldest call a packet of its answer.
func (b *bench) answer(lines string, last bool) {
	b.t.Helper()
	b.settle()
	require.NotEmpty(b.t, b.calls, "no action reached the upstream")
	call := b.calls[0]
	if last {
		b.calls = b.calls[1:]
	}
	if id := call.Action.Get("ActionID"); id != "" {
		lines += "|ActionID: " + id
	}
	b.hub.Answer(call, packet(lines), last)
	b.hub.Rest()
}

func (b *bench) started() {
	b.t.Helper()
	b.settle()
	require.NotEmpty(b.t, b.calls, "no action reached the upstream")
	b.hub.Started(b.calls[0])
	b.settle()
}

func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func TestFullyBootedStandsBehindTheLogin(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		early := b.login("admin")
		require.Empty(t, early.sees(), "Asterisk is not there")
		b.ready()
		require.Equal(t, "FullyBooted", early.sees(), "Asterisk is there now")

		c, conn := net.Pipe()
		b.conns <- conn
		defer c.Close()
		go func() { _, _ = io.WriteString(c, "Action: Login\nUsername: admin\nSecret: s\n\n") }()
		want := "Asterisk Call Manager/11.0.0\r\n" +
			"Response: Success\r\nMessage: Authentication accepted\r\n\r\n" +
			"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 3600\r\nLastReload: 60\r\nStatus: Fully Booted\r\n\r\n"
		got := make([]byte, len(want))
		_, err := io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, want, string(got))

		for name, client := range map[string]*testClient{
			"events off":   b.login("admin", "Events: off\n"),
			"another mask": b.login("admin", "Events: call\n"),
			"no rights":    b.login("wall"),
		} {
			require.Empty(t, client.sees(), name)
		}
	})
}

func TestFullyBootedBehindBootTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		c := b.login("admin")
		b.hub.Ready(&upstream.Info{Version: "11.0.0"})
		require.Empty(t, c.sees())
		booted := &upstream.Info{Version: "11.0.0", FullyBooted: packet("Event: FullyBooted|Privilege: system,all")}
		b.hub.Changed(booted)
		b.hub.Changed(booted)
		require.Equal(t, "FullyBooted", c.sees(), "once")
	})
}

func TestResponseComesBeforeItsEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, other := b.login("admin", "Events: call\n"), b.login("wall")
		c.send("Action: DBPut\nActionID: 1")
		b.event("BeforeItIsWritten")
		require.Equal(t, "BeforeItIsWritten", c.sees())
		b.started()
		b.event("Caused")
		require.Empty(t, c.sees())
		require.Equal(t, "BeforeItIsWritten Caused", other.sees(), "nobody else's events wait")
		b.answer("Response: Success", true)
		b.event("Later")
		require.Equal(t, "Success(1) Caused Later", c.sees())
	})
}

func TestNoEventInsideAList(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Events: call\n")
		c.send("Action: QueueStatus\nActionID: 1")
		b.started()
		b.answer("Response: Success|EventList: start", false)
		b.event("A")
		b.answer("Event: QueueParams", false)
		time.Sleep(time.Minute) // longer than order_hold: the answer has begun
		b.event("B")
		require.Equal(t, "Success(1) QueueParams(1)", c.sees())
		b.answer("Event: QueueStatusComplete|EventList: Complete", true)
		require.Equal(t, "QueueStatusComplete(1) A B", c.sees())
	})
}

func TestEventsGoOnAfterOrderHold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Events: call\n")
		c.send("Action: DBPut\nActionID: 1")
		b.started()
		b.event("A")
		b.event("Own", "|ActionID: 1")
		b.event("Behind")
		time.Sleep(1999 * time.Millisecond)
		require.Empty(t, c.sees())
		time.Sleep(2 * time.Millisecond)
		require.Equal(t, "A", c.sees(), "up to the first that bears the action's id")
		b.event("C")
		require.Empty(t, c.sees())
		b.answer("Response: Success", true)
		require.Equal(t, "Success(1) Own(1) Behind C", c.sees())
		require.Equal(t, 1, int(testutil.ToFloat64(b.hub.metrics.overdue)))

		c.send("Action: DBPut\nActionID: 2")
		b.started()
		time.Sleep(3 * time.Second)
		b.event("D")
		require.Equal(t, "D", c.sees(), "nothing waited, the next one goes at once")
		b.event("Own", "|ActionID: 2")
		require.Empty(t, c.sees())
		b.answer("Response: Success", true)
		require.Equal(t, "Success(2) Own(2)", c.sees())
	})
}

func TestActionsAreAnsweredInTheirOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Events: call\n")
		c.send("Action: DBPut\nActionID: 1|Action: Ping\nActionID: 2|Action: NoSuch\nActionID: 3|X: y\nActionID: 4|Action: QueueStatus\nActionID: 5|Action: Ping\nActionID: 6")
		b.settle()
		require.Len(t, b.calls, 1)
		require.Empty(t, c.sees())
		b.started()
		b.event("Held")
		b.answer("Response: Success", true)
		require.Equal(t, "Success(1) Held Success(2) Error(3) Error(4)", c.sees())
		b.answer("Response: Success", true)
		require.Equal(t, "Success(5) Success(6)", c.sees())
	})
}

func TestEventsDoNotWaitForAnOriginateThatRings(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Events: call\n")
		c.send("Action: DBPut\nActionID: 1|Action: Ping\nActionID: 2")
		b.settle()
		b.event("Newchannel") // no Started came
		require.Equal(t, "Newchannel", c.sees())
		b.answer("Response: Error", true)
		require.Equal(t, "Error(1) Success(2)", c.sees())
	})
}

func TestWaitEvent(t *testing.T) {
	tests := map[string]struct {
		action string
		then   func(b *bench, c *testClient)
		wants  string
	}{
		"an event":            {"Action: WaitEvent", func(b *bench, _ *testClient) { b.event("A"); b.event("B") }, "Success(w) A WaitEventComplete(w) B"},
		"its timeout":         {"Action: WaitEvent\nTimeout: 3", func(*bench, *testClient) { time.Sleep(3 * time.Second) }, "Success(w) WaitEventComplete(w)"},
		"not before":          {"Action: WaitEvent\nTimeout: 3", func(*bench, *testClient) { time.Sleep(2999 * time.Millisecond) }, ""},
		"no time at all":      {"Action: WaitEvent\nTimeout: 0", func(*bench, *testClient) {}, "Success(w) WaitEventComplete(w)"},
		"for ever":            {"Action: WaitEvent", func(*bench, *testClient) { time.Sleep(time.Hour) }, ""},
		"another action":      {"Action: WaitEvent", func(_ *bench, c *testClient) { c.send("Action: Ping\nActionID: p") }, "Success(w) WaitEventComplete(w) Success(p)"},
		"half a line":         {"Action: WaitEvent", func(_ *bench, c *testClient) { _, _ = io.WriteString(c.conn, "Act") }, "Success(w) WaitEventComplete(w)"},
		"one it may not see":  {"Action: WaitEvent", func(b *bench, _ *testClient) { b.hub.Events([]*codec.Packet{packet("Event: X|Privilege: system,all")}) }, ""},
		"not a number":        {"Action: WaitEvent\nTimeout: soon", func(*bench, *testClient) { time.Sleep(time.Hour) }, ""},
		"an action behind it": {"Action: WaitEvent\nActionID: w|Action: Ping", func(*bench, *testClient) {}, "Success(w) WaitEventComplete(w) Success"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.ready()
				c := b.login("admin", "Events: call\n")
				action := tc.action
				if !strings.Contains(action, "ActionID") {
					action += "\nActionID: w"
				}
				c.send(action)
				b.settle()
				tc.then(b, c)
				require.Equal(t, tc.wants, c.sees())
			})
		})
	}
}

func TestWaitEventWhereLittleMayWait(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(cfg *Config) { cfg.Sessions.MaxQueued = 1 })
		b.ready()
		c := b.login("fickle")
		c.sees()
		c.send("Action: WaitEvent\nActionID: 1|Action: Ping")
		require.Equal(t, "Success(1) WaitEventComplete(1) Success", c.sees())
		c.send("Action: WaitEvent\nActionID: 2")
		require.Empty(t, c.sees())
		b.hub.Lost(io.EOF)
		require.Equal(t, "EOF", c.sees())
		require.Equal(t, 0, int(testutil.ToFloat64(b.hub.metrics.sessions)))
	})
}

func TestLogoffEndsTheSession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, other := b.login("admin", "Events: call\n"), b.login("wall")
		c.send("Action: Logoff\nActionID: 1|Action: DBPut\nActionID: 2|Action: Ping")
		require.Equal(t, "Goodbye(1) EOF", c.sees())
		require.Empty(t, b.calls)
		b.event("A")
		require.Equal(t, "A", other.sees())
	})
}

func TestAnswersOfThoseWhoLeftAreDropped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, other := b.login("admin", "Events: call\n"), b.login("admin", "Events: call\n")
		c.send("Action: DBPut\nActionID: 1")
		b.started()
		c.conn.Close()
		b.settle()
		other.send("Action: DBPut\nActionID: 1")
		b.answer("Response: Success|For: c", true)
		require.Empty(t, other.sees())
		b.answer("Response: Error|For: other", true)
		require.Equal(t, "Error(1)", other.sees())
		require.Empty(t, b.hub.calls)
	})
}

func TestRefusedActionsDoNotReachTheUpstream(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		wall, admin := b.login("wall"), b.login("admin", "Events: off\n")
		wall.send("Action: DBPut\nActionID: 1")
		require.Contains(t, wall.text(), "Message: Permission denied\r\n")
		admin.send("Action: Getvar\nVariable: AST_CONFIG(manager.conf,ampd,secret)")
		require.Contains(t, admin.text(), "Message: Permission denied\r\n")
		admin.send("Action: NoSuchAction")
		require.Contains(t, admin.text(), "Message: Invalid/unknown command: NoSuchAction. Use Action: ListCommands to show available commands.\r\n")
		admin.got.Reset()
		admin.send("Action: Odd")
		require.Contains(t, admin.text(), "Message: Permission denied\r\n", "it asks a class that is none")
		require.Empty(t, b.calls)
	})
}

func TestListCommandsShowsWhatTheProfileMayDo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		wall, admin := b.login("wall"), b.login("admin", "Events: off\n")
		wall.send("Action: ListCommands")
		require.Equal(t, "Response: Success\r\nQueueStatus: Show. (Priv: <none>)\r\n\r\n", wall.text())
		admin.send("Action: ListCommands\nActionID: 1")
		require.Contains(t, admin.text(), "ActionID: 1\r\nQueueStatus: Show. (Priv: <none>)\r\nDBPut: Put. (Priv: system,all)\r\n")
	})
}

func TestEventsActionTakesEffectBetweenTwoEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Events: off\n")
		b.event("A")
		c.send("Action: Events\nEventMask: call")
		require.Equal(t, "Success", c.sees())
		b.event("B")
		c.send("Action: Filter\nOperation: Add\nFilter: !Event: C")
		require.Equal(t, "B Success", c.sees())
		b.event("C")
		b.event("D")
		require.Equal(t, "D", c.sees())
	})
}

func TestFiltersThatTakeTooLongEndTheSession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, other := b.login("admin", "Events: call\n"), b.login("wall")
		c.send("Action: Filter\nOperation: Add\nFilter: !Event: B[0-9]")
		require.Equal(t, "Success", c.sees())
		b.event("A")
		require.Equal(t, "A", c.sees())
		for _, each := range b.hub.fanned { // no time passes in a bubble
			each.filtering.debt, each.filtering.last = meterMost+1, time.Now()
		}
		b.event("C")
		require.Contains(t, c.sees(), "EOF")
		require.Equal(t, "A C", other.sees(), "who has no filters takes no time")
	})
}

func TestFiltersThatLookForTextOnlyAreMeteredToo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Events: call\n")
		c.send("Action: Filter\nOperation: Add\nFilter: !Event: B")
		require.Equal(t, "Success", c.sees())
		b.hub.fanned[0].filtering.debt, b.hub.fanned[0].filtering.last = meterMost, time.Now()
		for range samples {
			b.event("A")
		}
		require.Contains(t, c.sees(), "EOF")
	})
}

func TestFiltersOfAllTogetherCostTheirHeaviestSession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		var clients []*testClient
		for i := range 5 {
			c := b.login("admin", "Events: call\n")
			c.send(fmt.Sprintf("Action: Filter\nOperation: Add\nFilter: !Event: Z%d[0-9]", i))
			require.Equal(t, "Success", c.sees())
			clients = append(clients, c)
		}
		b.hub.do(func() {
			b.hub.filtering.debt, b.hub.filtering.last = meterMost, time.Now()
			for _, s := range b.hub.fanned {
				s.filtering.debt, s.filtering.last = 0, time.Now()
				if strings.Contains(fmt.Sprint(s.key.view), "Z3") {
					s.filtering.debt = meterMost / 2
				}
			}
		})
		b.event("C")
		for i, c := range clients {
			if i == 3 {
				require.Contains(t, c.sees(), "EOF")
			} else {
				require.Equal(t, "C", c.sees())
			}
		}
	})
}

func TestFiltersOweWhatTheyCostBeforeAMaskOrALogin(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		const filter = "Action: Filter\nOperation: Add\nFilter: !Event: B[0-9]"
		owes := func() time.Duration {
			var most time.Duration
			b.hub.do(func() {
				for _, s := range b.hub.fanned {
					most = max(most, s.filtering.debt)
				}
			})
			return most
		}
		c := b.login("admin", "Events: call\n")
		c.send(filter)
		c.sees()
		b.hub.fanned[0].filtering.debt, b.hub.fanned[0].filtering.last = meterMost/2, time.Now()
		c.send("Action: Events\nEventMask: off|Action: Events\nEventMask: call")
		c.sees()
		require.Equal(t, meterMost/2, owes())
		c.conn.Close()
		b.settle()
		require.Empty(t, b.hub.fanned)
		again := b.login("admin", "Events: call\n")
		again.send(filter)
		again.sees()
		require.Equal(t, meterMost/2, owes())
		time.Sleep(time.Hour)
		again.send("Action: Events\nEventMask: off")
		again.sees()
		require.Zero(t, owes())
	})
}

func TestLostUpstreamEndsOnlyThoseWhoWantIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		stays, goes := b.login("admin"), b.login("fickle")
		stays.sees()
		goes.sees()
		b.hub.Lost(io.EOF)
		require.Empty(t, stays.sees())
		require.Equal(t, "EOF", goes.sees())
		b.ready()
		require.Equal(t, "FullyBooted", stays.sees())
	})
}

func TestDrainAnswersWhatIsInFlight(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		busy, idle, waits, quiet := b.login("admin"), b.login("admin"), b.login("admin"), b.login("wall")
		for _, c := range []*testClient{busy, idle, waits} {
			c.sees()
		}
		busy.send("Action: DBPut\nActionID: 1|Action: Ping\nActionID: 2")
		waits.send("Action: WaitEvent\nActionID: w")
		b.started()
		left := b.hub.drain()
		require.Equal(t, "Shutdown EOF", idle.sees())
		require.Equal(t, "Success(w) WaitEventComplete(w) Shutdown EOF", waits.sees())
		require.Equal(t, "EOF", quiet.sees(), "it may not see class system")
		busy.send("Action: Ping\nActionID: 3")
		require.Empty(t, busy.sees())
		select {
		case <-left:
			require.FailNow(t, "one has not left")
		default:
		}
		b.answer("Response: Success", true)
		require.Equal(t, "Success(1) Error(2) Error(3) Shutdown EOF", busy.sees())
		<-left
	})
}

func TestHeldEventsCountTowardsTheBacklog(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Sessions.BacklogBytes = config.Size(64 << 10) })
		b.ready()
		c, other := b.login("admin", "Events: call\n"), b.login("wall")
		c.send("Action: QueueStatus\nActionID: 1")
		b.started()
		b.answer("Response: Success|EventList: start", false)
		pad := "|Pad: " + strings.Repeat("x", 1000)
		for range 60 {
			b.event("A", pad)
		}
		require.Equal(t, "Success(1)", c.sees())
		for range 10 {
			b.event("A", pad)
		}
		require.Equal(t, "EOF", c.sees())
		require.NotContains(t, other.sees(), "EOF")
	})
}
