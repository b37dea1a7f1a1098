package upstream

import (
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// A holder keeps all answers back until told.
type holder struct {
	fake *fakeAsterisk
	held []func()
	keys []string // "Key" of the actions that came, in their order
}

func holdingFake() *holder {
	h := &holder{fake: newFake()}
	h.fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		h.keys = append(h.keys, action.Get("Key"))
		h.held = append(h.held, func() {
			if action.Get("Action") == "QueueStatus" {
				k.reply(action, "Response: Success", "EventList: start")
				k.reply(action, "Event: QueueParams")
				k.reply(action, "Event: QueueStatusComplete", "EventList: Complete")
				return
			}
			k.reply(action, "Response: Success")
		})
		return true
	}
	return h
}

// answer answers the oldest action.
func (h *holder) answer() {
	h.fake.set(func() {
		h.held[0]()
		h.held = h.held[1:]
	})
}

func (b *bench) key(owner uint64, action, key string) {
	b.submit(key, owner, "Action: "+action, "Key: "+key)
}

func TestSessionsAreServedRoundRobin(t *testing.T) {
	h := holdingFake()
	onBench(t, h.fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		for i := range 4 {
			b.key(1, "Getvar", "a"+strconv.Itoa(i))
		}
		b.key(2, "QueueAdd", "b0")
		b.key(2, "QueueAdd", "b1")
		b.key(3, "Command", "c0")
		b.key(3, "QueueAdd", "c1")
		for range 8 {
			b.take()
			h.answer()
		}
		b.take()
		require.Equal(t, "a0 a1 b0 c0 a2 b1 c1 a3", strings.Join(h.keys, " "))
	})
}

func TestOnlySoManyActionsWait(t *testing.T) {
	fake := newFake()
	fake.answer = func(*fakeConn, *codec.Packet) bool { return true } // never
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("running", 1, "Action: Getvar")
		require.Equal(t, []string{"running started"}, b.take())
		for i := range uint64(unansweredMost - 1) {
			b.submit("waiting", i, []string{"Action: Getvar", "Action: QueueStatus"}[i%2]) // lists are one
		}
		require.Empty(t, b.take())
		b.submit("one more", 1, "Action: Getvar", "ActionID: 1")
		require.Equal(t, []string{"one more Response: Error|ActionID: 1|Message: Upstream busy ."}, b.take())
	})
}

func TestSlowActionsLeaveAConnection(t *testing.T) {
	for connections, atOnce := range map[int]int{0: 1, 1: 1, 2: 1, 3: 2, 8: 7} {
		t.Run(strconv.Itoa(connections), func(t *testing.T) {
			h := holdingFake()
			onBench(t, h.fake, func(cfg *Config) { cfg.ActionConnections = connections }, func(t *testing.T, b *bench) {
				b.start()
				for i := range 12 {
					b.key(uint64(i), "GetConfig", "slow")
				}
				b.key(99, "QueueAdd", "fast")
				b.take()
				count := map[string]int{}
				for _, key := range h.keys {
					count[key]++
				}
				require.Equal(t, atOnce, count["slow"])
				require.Equal(t, connections > 1, count["fast"] == 1)
				for range 13 {
					h.answer()
					b.take()
				}
				require.Len(t, h.keys, 13)
				require.Equal(t, 0, b.c.sched.slowNow)
			})
		})
	}
}

func TestActionsThatTheTableDoesNotKnowAreSlow(t *testing.T) {
	fake := partialFake(map[string][]string{"SCCPx": {}})
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 2 }, func(t *testing.T, b *bench) {
		b.start()
		b.key(1, "SCCPx", "a")
		b.key(2, "SCCPx", "b")
		require.Equal(t, []string{"a started"}, b.take())
	})
}

func TestEqualListsThatWaitAreAskedOnce(t *testing.T) {
	h := holdingFake()
	onBench(t, h.fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("first", 1, "Action: QueueStatus", "ActionID: 1")
		b.take()
		b.submit("a", 2, "Action: QueueStatus", "ActionID: 2")
		b.submit("b", 3, "ActionID: 3", "action: queuestatus")
		b.submit("c", 4, "Action: QueueStatus")
		b.submit("other", 5, "Action: QueueStatus", "Queue: x")
		b.submit("x", 6, "Action: Getvar", "Variable: x")
		b.submit("y", 7, "Action: Getvar", "Variable: x")
		require.Empty(t, b.take(), "first is written already")
		h.answer()
		require.Equal(t, []string{
			"first Response: Success|ActionID: 1|EventList: start",
			"first Event: QueueParams|ActionID: 1",
			"first Event: QueueStatusComplete|ActionID: 1|EventList: Complete .",
			"a started", "b started", "c started",
		}, b.take())
		b.submit("d", 8, "Action: QueueStatus", "ActionID: 8")
		h.answer()
		require.Equal(t, []string{
			"a Response: Success|ActionID: 2|EventList: start",
			"b Response: Success|ActionID: 3|EventList: start",
			"c Response: Success|EventList: start",
			"a Event: QueueParams|ActionID: 2",
			"b Event: QueueParams|ActionID: 3",
			"c Event: QueueParams",
			"a Event: QueueStatusComplete|ActionID: 2|EventList: Complete .",
			"b Event: QueueStatusComplete|ActionID: 3|EventList: Complete .",
			"c Event: QueueStatusComplete|EventList: Complete .",
			"other started",
		}, b.take())
		for range 4 {
			h.answer()
			b.take()
		}
		require.Len(t, h.keys, 6)
		require.InDelta(t, 2, testutil.ToFloat64(b.c.metrics.Coalesced), 0)
		require.Zero(t, b.c.unanswered)
		require.Empty(t, b.c.sched.owners)
		require.Empty(t, b.c.sched.joinable)
	})
}
