package upstream

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// partialFake begins answers and does not end them.
func partialFake(parts map[string][]string) *fakeAsterisk {
	fake := newFake()
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		for _, part := range parts[action.Get("Action")] {
			if lines := strings.Split(part, "|"); strings.Contains(lines[0], ":") {
				k.reply(action, lines...)
			} else {
				k.send(strings.Join(lines, "\r\n") + "\r\n\r\n")
			}
		}
		if parts[action.Get("Action")] != nil {
			k.deaf = true // its thread is busy
		}
		return true
	}
	return fake
}

// begun are answers that were begun and, "%" being the Message, how the call's answer
// ends.
var begun = map[string]struct {
	action string
	parts  []string
	want   []string
}{
	"not begun": {
		action: "Getvar",
		want:   []string{"Response: Error|ActionID: 1|Message: % ."},
	},
	"a list": {
		action: "QueueStatus",
		parts:  []string{"Response: Success|EventList: start", "Event: QueueParams|Queue: a", "Event: QueueMember|Queue: a"},
		want: []string{
			"Response: Success|ActionID: 1|EventList: start", "Event: QueueParams|ActionID: 1|Queue: a", "Event: QueueMember|ActionID: 1|Queue: a",
			"Event: QueueStatusComplete|ActionID: 1|EventList: Cancelled|ListItems: 2|Message: % .",
		},
	},
	"a list whose end is named otherwise": {
		action: "SIPpeers",
		parts:  []string{"Response: Success|EventList: start"},
		want:   []string{"Response: Success|ActionID: 1|EventList: start", "Event: PeerlistComplete|ActionID: 1|EventList: Cancelled|ListItems: 0|Message: % ."},
	},
	"a list that the table does not know": {
		action: "SCCPShowLines",
		parts:  []string{"Response: Success|EventList: start", "Event: Line"},
		want: []string{
			"Response: Success|ActionID: 1|EventList: start", "Event: Line|ActionID: 1",
			"Event: SCCPShowLinesComplete|ActionID: 1|EventList: Cancelled|ListItems: 1|Message: % .",
		},
	},
	"a list without EventList": {
		action: "DBGet",
		parts:  []string{"Response: Success|Message: Result will follow", "Event: DBGetResponse"},
		want: []string{
			"Response: Success|ActionID: 1|Message: Result will follow", "Event: DBGetResponse|ActionID: 1",
			"Event: DBGetComplete|ActionID: 1|EventList: Cancelled|ListItems: 1|Message: % .",
		},
	},
	"one event is missing": {
		action: "FAXStats",
		parts:  []string{"Response: Success|Message: FAXStats event will follow"},
		want:   []string{"Response: Error|ActionID: 1|Message: % ."},
	},
	"free text": {
		action: "Queues",
		parts:  []string{"support has 0 calls|   No Members", "sales has 0 calls"},
		want:   []string{"support has 0 calls|   No Members", "sales has 0 calls", "Response: Error|ActionID: 1|Message: % ."},
	},
	"only the fence is missing": {
		action: "SCCPHangup",
		parts:  []string{"Response: Success|Message: Done"},
		want:   []string{"Response: Success|ActionID: 1|Message: Done ."},
	},
}

func TestLossAnswersWhatWasWritten(t *testing.T) {
	for name, tc := range begun {
		for _, connections := range []int{0, 2} {
			t.Run(name, func(t *testing.T) {
				fake := partialFake(map[string][]string{tc.action: append([]string{}, tc.parts...)})
				onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = connections }, func(t *testing.T, b *bench) {
					b.start()
					b.submit("a", 1, "Action: "+tc.action, "ActionID: 1")
					b.sleep(time.Second)
					fake.cut()
					want := []string{"a started"}
					for _, line := range tc.want {
						want = append(want, "a "+strings.ReplaceAll(line, "%", textLost))
					}
					require.Equal(t, append(want, "lost: read: EOF"), b.take())
				})
			})
		}
	}
}

func TestDeadlineAnswersInAsterisksPlace(t *testing.T) {
	for name, tc := range begun {
		for _, connections := range []int{0, 2} {
			t.Run(name, func(t *testing.T) {
				fake := partialFake(map[string][]string{tc.action: append([]string{}, tc.parts...)})
				onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = connections }, func(t *testing.T, b *bench) {
					b.start()
					b.submit("a", 1, "Action: "+tc.action, "ActionID: 1")
					b.sleep(29 * time.Second)
					heard := b.take()
					for _, line := range heard {
						require.NotRegexp(t, ` \.$`, line)
					}
					b.sleep(time.Second)
					want := []string{"a started"}
					for _, line := range tc.want {
						want = append(want, "a "+strings.ReplaceAll(line, "%", textTimeout))
					}
					require.Equal(t, want, append(heard, b.take()...))
				})
			})
		}
	}
}

func TestLossRefusesWhatWaits(t *testing.T) {
	h := holdingFake()
	onBench(t, h.fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Getvar", "ActionID: 1")
		b.submit("b", 1, "Action: Getvar", "ActionID: 2")
		b.submit("c", 2, "Action: QueueStatus", "ActionID: 3")
		b.submit("d", 3, "Action: QueueStatus")
		require.Equal(t, []string{"a started"}, b.take())
		h.fake.set(func() { h.fake.down = true })
		h.fake.cut()
		heard := b.take()
		require.ElementsMatch(t, []string{
			"a Response: Error|ActionID: 1|Message: " + textLost + " .",
			"b Response: Error|ActionID: 2|Message: Upstream not connected .",
			"c Response: Error|ActionID: 3|Message: Upstream not connected .",
			"d Response: Error|Message: Upstream not connected .",
			"lost: read: EOF",
		}, heard)
		b.submit("e", 1, "Action: Getvar", "ActionID: 5")
		require.Equal(t, []string{"e Response: Error|ActionID: 5|Message: Upstream not connected ."}, b.take())
		require.Len(t, h.keys, 1)
		require.InDelta(t, 0, testutil.ToFloat64(b.c.metrics.Connected), 0)

		b.sleep(10 * time.Second)
		require.Empty(t, b.take(), "lost once")
		h.fake.set(func() { h.fake.down = false })
		b.sleep(2 * time.Second)
		require.Equal(t, []string{"ready"}, b.take(), "Asterisk is back for at most two seconds")
		b.submit("f", 1, "Action: Getvar", "ActionID: 6")
		require.Equal(t, []string{"f started"}, b.take())
		h.fake.set(func() { h.held = h.held[1:] })
		h.answer()
		require.Equal(t, []string{"f Response: Success|ActionID: 6 ."}, b.take())
		require.InDelta(t, 1, testutil.ToFloat64(b.c.metrics.Connected), 0)
	})
}

func TestLosingAnActionConnectionCostsItsActionOnly(t *testing.T) {
	h := holdingFake()
	onBench(t, h.fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Getvar", "ActionID: 1")
		b.take()
		b.submit("b", 2, "Action: QueueAdd", "ActionID: 2")
		b.take()
		for _, k := range h.fake.actionConns() {
			if len(k.actions) > 0 && k.actions[0].Get("Action") == "Getvar" {
				_ = k.Close()
			}
		}
		require.Equal(t, []string{"a Response: Error|ActionID: 1|Message: " + textLost + " ."}, b.take())
		b.sleep(time.Second)
		require.Len(t, h.fake.actionConns(), 3, "replaced")
		h.fake.set(func() { h.held = h.held[1:] })
		h.answer()
		require.Equal(t, []string{"b Response: Success|ActionID: 2 ."}, b.take())
	})
}

// What was given to a connection that dies before it is written goes to another.
func TestActionGivenToAConnectionThatDies(t *testing.T) {
	onBench(t, newFake(), func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		answers := make(map[string]int)
		for range 200 {
			k := b.fake.actionConns()[0]
			_ = k.Close()
			b.submit("a", 1, "Action: Getvar", "ActionID: 1")
			b.sleep(time.Second)
			heard := b.take()
			require.Len(t, heard, 2)
			require.Equal(t, "a started", heard[0])
			answers[heard[1]]++
		}
		require.Len(t, answers, 2)
		require.Positive(t, answers["a Response: Success|ActionID: 1 ."])
		require.Positive(t, answers["a Response: Error|ActionID: 1|Message: "+textLost+" ."])
		require.Zero(t, b.c.unanswered)
		require.Zero(t, b.c.sched.waiting)
	})
}

func TestRetiredConnections(t *testing.T) {
	h := holdingFake()
	onBench(t, h.fake, func(cfg *Config) { cfg.ActionConnections = 2 }, func(t *testing.T, b *bench) {
		b.start()
		retired := b.c.metrics.Connections.WithLabelValues("retired")
		taking := b.c.metrics.Connections.WithLabelValues("action")
		b.submit("a", 1, "Action: QueueStatus", "ActionID: 1")
		b.take()
		b.sleep(30 * time.Second)
		require.Equal(t, []string{"a Response: Error|ActionID: 1|Message: Timeout waiting for Asterisk ."}, b.take())
		require.InDelta(t, 1, testutil.ToFloat64(retired), 0)
		require.InDelta(t, 2, testutil.ToFloat64(taking), 0, "a new one has taken its place")
		h.answer()
		require.Empty(t, b.take(), "nobody hears the late answer")
		require.InDelta(t, 0, testutil.ToFloat64(retired), 0, "closed when its answer had come")

		b.submit("b", 1, "Action: QueueAdd", "ActionID: 2")
		b.submit("c", 2, "Action: QueueAdd", "ActionID: 3")
		b.take()
		b.sleep(30 * time.Second)
		require.Len(t, b.take(), 2)
		require.InDelta(t, 2, testutil.ToFloat64(retired), 0)
		require.InDelta(t, 2, testutil.ToFloat64(taking), 0)
		b.submit("d", 1, "Action: Command", "ActionID: 4")
		b.submit("e", 1, "Action: Originate", "ActionID: 5", "Async: true")
		b.submit("f", 1, "Action: QueueAdd", "ActionID: 6")
		require.ElementsMatch(t, []string{
			"d Response: Error|ActionID: 4|Message: Upstream busy .",
			"e started",
			"f started",
		}, b.take(), "slow ones are refused while two are retired")
		b.sleep(30 * time.Second)
		require.Len(t, b.take(), 2)
		require.InDelta(t, 2, testutil.ToFloat64(retired), 0, "no third one is retired")
		b.submit("g", 1, "Action: QueueAdd", "ActionID: 7")
		require.Empty(t, b.take(), "waits for a connection")
		b.sleep(29 * time.Second)
		require.Empty(t, b.take())
		b.sleep(32 * time.Second)
		require.Contains(t, b.take(), "g started", "closed after 60 s")
		require.InDelta(t, 2, testutil.ToFloat64(taking), 0)
	})
}

func TestSlowOnesThatWaitAreRefusedWhenTheLastIsRetired(t *testing.T) {
	h := holdingFake()
	onBench(t, h.fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Command", "ActionID: 1")
		b.submit("b", 2, "Action: Command", "ActionID: 2")
		b.submit("c", 3, "Action: QueueAdd", "ActionID: 3")
		b.take()
		b.sleep(30 * time.Second)
		require.ElementsMatch(t, []string{
			"a Response: Error|ActionID: 1|Message: Timeout waiting for Asterisk .",
			"b Response: Error|ActionID: 2|Message: Upstream busy .",
			"c started",
		}, b.take())
	})
}

// What ampd asks itself is asked again where the answer is lost.
func TestCommandsAreAskedAgainWhereTheirAnswerIsLost(t *testing.T) {
	for name, loss := range map[string]func(b *bench, k *fakeConn){
		"with the connection": func(_ *bench, k *fakeConn) { _ = k.Close() },
		"for too long":        func(b *bench, _ *fakeConn) { b.sleep(30 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, newFake(), func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
				b.start()
				k := b.fake.actionConns()[0]
				b.fake.set(func() {
					k.deaf = true
					b.fake.commands = "Pong: New.  (Priv: call,all)\r\n"
				})
				b.fake.events(t).send("Event: Load\r\nPrivilege: system,all\r\nModule: x.so\r\nStatus: Success\r\n\r\n")
				require.Len(t, b.take(), 1)
				loss(b, k)
				b.sleep(time.Second)
				require.Equal(t, []string{"changed"}, b.take())
				require.Equal(t, "Pong", b.infos[1].Commands[0].Name)
			})
		})
	}
}

// A connection on which nothing is answered once it has logged in is given up, and
// costs later ones nothing.
func TestConnectionThatDiesBeforeItIsReady(t *testing.T) {
	fake := newFake()
	fake.wrap = func(conn net.Conn) net.Conn { return &deafAfterLogin{Conn: conn} }
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.sleep(5 * time.Minute)
		for _, line := range b.take() {
			require.Equal(t, "lost: Command: Timeout waiting for Asterisk", line)
		}
		require.Empty(t, b.logs.FilterMessageSnippet("without write").All())
		fake.set(func() { fake.wrap = nil })
		b.sleep(time.Minute)
		require.Contains(t, b.take(), "ready")
		require.Zero(t, b.c.overdue)
	})
}

// A deafAfterLogin connection swallows what the client sends behind its login.
type deafAfterLogin struct {
	net.Conn
	seen []byte
	deaf bool
}

func (c *deafAfterLogin) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.deaf {
			c.seen = append(c.seen, b[:n]...)
			c.deaf = bytes.Contains(c.seen, []byte("Events: "))
			return n, err
		}
	}
}

// An event connection that runs actions can't be retired.
func TestSharedConnectionWaitsForTheOverdueAnswer(t *testing.T) {
	h := holdingFake()
	onBench(t, h.fake, func(cfg *Config) { cfg.ActionConnections = 0 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: QueueAdd", "ActionID: 1")
		b.submit("b", 2, "Action: QueueAdd", "ActionID: 2")
		b.take()
		b.sleep(30 * time.Second)
		require.Equal(t, []string{"a Response: Error|ActionID: 1|Message: Timeout waiting for Asterisk ."}, b.take())
		b.submit("c", 3, "Action: Command", "ActionID: 3")
		require.Equal(t, []string{"c Response: Error|ActionID: 3|Message: Upstream busy ."}, b.take())
		h.answer()
		require.Equal(t, []string{"b started"}, b.take())
		b.sleep(30 * time.Second)
		require.Len(t, b.take(), 1)
		b.sleep(60 * time.Second)
		require.Equal(t, []string{"lost: an answer is long overdue"}, b.take())
		b.sleep(time.Second)
		require.Equal(t, []string{"ready"}, b.take())
	})
}

func TestDeadlineRolls(t *testing.T) {
	fake := newFake()
	var ask *codec.Packet
	var on *fakeConn
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		on, ask = k, action
		k.reply(action, "Response: Success", "EventList: start")
		return true
	}
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: QueueStatus")
		for range 10 {
			b.sleep(29 * time.Second)
			on.reply(ask, "Event: QueueParams")
		}
		on.reply(ask, "Event: QueueStatusComplete", "EventList: Complete")
		heard := b.take()
		require.Len(t, heard, 13)
		require.Equal(t, "a Event: QueueStatusComplete|EventList: Complete .", heard[12])
	})
}
