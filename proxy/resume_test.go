package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/downstream"
)

// resume logs in with a token and returns the answer's result and the next token.
func (b *bench) resume(profile, token string, seq int) (c *testClient, result, next string) {
	b.t.Helper()
	near, conn := net.Pipe()
	b.conns <- conn
	c = b.reads(near)
	c.send(fmt.Sprintf("Action: Login\nUsername: %s\nSecret: s\nResume: %s\nAmpdSeq: %d", profile, token, seq))
	b.settle()
	var answer codec.Packet
	d := native.NewDecoder(strings.NewReader(c.got.String()), native.FromAsterisk)
	_, err := d.ReadLine()
	require.NoError(b.t, err)
	require.NoError(b.t, d.Decode(&answer))
	require.Equal(b.t, "Authentication accepted", answer.Get("Message"))
	rest := c.got.String()[strings.Index(c.got.String(), "\r\n\r\n")+4:]
	c.got.Reset()
	c.got.WriteString(rest)
	return c, answer.Get("AmpdResume"), answer.Get("AmpdResumeToken")
}

func TestResume(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready() // is number 1
		c, result, token := b.resume("wall", "yes", 0)
		require.Equal(t, "new", result)
		b.event("A")
		require.Contains(t, c.text(), "Event: A\r\nPrivilege: call,all\r\nAmpdSeq: 2\r\n\r\n")
		require.Equal(t, "A", c.sees())
		c.conn.Close()
		b.event("B")
		b.event("C")
		_, result, _ = b.resume("admin", token, 2)
		require.Equal(t, "gap", result, "another profile's")
		c, result, next := b.resume("wall", token, 2)
		require.Equal(t, "ok", result)
		require.Equal(t, "B C", c.sees())
		_, result, _ = b.resume("wall", token, 2)
		require.Equal(t, "gap", result, "used")

		other, result, _ := b.resume("wall", next, 3)
		require.Equal(t, "ok", result, "while the old connection lives")
		require.Equal(t, "EOF", c.sees())
		require.Equal(t, "C", other.sees())
		b.event("D")
		require.Equal(t, "D", other.sees())
	})
}

func TestResumeWindow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, token := b.resume("wall", "yes", 0)
		c.conn.Close()
		b.settle()
		require.Equal(t, 1, int(testutil.ToFloat64(b.hub.metrics.parked)))
		time.Sleep(time.Minute + time.Second)
		b.settle()
		require.Equal(t, 0, int(testutil.ToFloat64(b.hub.metrics.parked)))
		require.Empty(t, b.hub.fanned, "nothing is kept for it")
		_, result, _ := b.resume("wall", token, 0)
		require.Equal(t, "gap", result)
	})
}

func TestResumeGoesOnUnderMaskAndFilters(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, token := b.resume("admin", "yes", 0)
		c.send("Action: Filter\nOperation: Add\nFilter: !Event: B|Action: Events\nEventMask: call|Action: WaitEvent")
		b.settle()
		b.event("W") // is lost with the connection
		c.conn.Close()
		b.event("A")
		b.event("B")
		c, result, token := b.resume("admin", token, 0)
		require.Equal(t, "ok", result)
		require.Equal(t, "W A", c.sees())
		c.conn.Close()
		b.settle()
		b.hub.do(func() { // the answer comes after the cut, and what waited behind it is not run
			for _, parked := range b.hub.parked {
				require.Empty(t, parked.queue)
			}
		})
		c, result, _ = b.resume("admin", token, 1<<40)
		require.Equal(t, "gap", result, "from the future")
		b.event("B")
		require.Equal(t, "FullyBooted AmpdSnapshotComplete B", c.sees(), "a new session")
	})
}

func TestResumeIsNotOneSessionMore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, token := b.resume("single", "yes", 0)
		other, result, _ := b.resume("single", token, 0)
		require.Equal(t, "ok", result)
		require.Equal(t, "EOF", c.sees())
		b.event("A")
		require.Equal(t, "A", other.sees())
	})
}

func TestParkedSessionsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		mine, _, token := b.resume("wall", "yes", 0)
		mine.conn.Close()
		b.settle()
		for range parkedMost + 5 {
			c, _, _ := b.resume("admin", "yes", 0)
			c.conn.Close()
			b.settle()
		}
		require.Equal(t, parkedMost+1, int(testutil.ToFloat64(b.hub.metrics.parked)))
		_, result, _ := b.resume("wall", token, 1)
		require.Equal(t, "ok", result, "nobody else's session was given up")
	})
}

func TestFiltersOfParkedSessionsEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, _ := b.resume("admin", "yes", 0)
		c.send("Action: Filter\nOperation: Add\nFilter: !Event: B[0-9]")
		b.settle()
		c.conn.Close()
		b.settle()
		for _, each := range b.hub.fanned { // no time passes in a bubble
			each.filtering.debt, each.filtering.last = meterMost+1, time.Now()
		}
		b.event("A")
		b.settle()
		require.Empty(t, b.hub.fanned)
		require.Empty(t, b.hub.tokens)
	})
}

func TestDrainForgetsTokens(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, _ := b.resume("wall", "yes", 0)
		other := b.login("wall")
		require.Empty(t, other.sees())
		b.hub.Lost(io.EOF)
		require.Empty(t, c.sees())
		b.hub.drain()
		require.Equal(t, "EOF", c.sees())
		require.Empty(t, b.hub.tokens)
	})
}

// TestMaskChangedAtTheCut has what a client sent before the cut run behind it.
func TestMaskChangedAtTheCut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, token := b.resume("admin", "yes", 0)
		c.send("Action: DBPut\nActionID: 1|Action: Events\nEventMask: call")
		b.started()
		b.hub.do(func() {
			for s := range b.hub.clients {
				s.Close(downstream.ErrClientLeft)
			}
			b.hub.takeAnswer(b.calls[0], packet("Response: Success|ActionID: 1"), true)
		})
		b.settle()
		b.event("A")
		c, result, _ := b.resume("admin", token, 1)
		require.Equal(t, "ok", result)
		require.Equal(t, "A", c.sees())
		b.event("B")
		require.Equal(t, "B", c.sees())
	})
}
