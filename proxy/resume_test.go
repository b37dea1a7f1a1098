package proxy

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/downstream"
	"ampd/profiles"
	"ampd/upstream"
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

func TestNoIsNoWishToResume(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		for word, want := range map[string]string{
			"no": "", "No": "", "false": "", "0": "", "n": "", "f": "", "off": "",
			"yes": "new", "true": "new", "1": "new", "y": "new", "t": "new", "ON": "new",
			"nothing": "gap",
		} {
			c, result, token := b.resume("wall", word, 0)
			require.Equal(t, want, result, word)
			require.Equal(t, want != "", token != "", word)
			b.event("A")
			require.Equal(t, want != "", strings.Contains(c.text(), "AmpdSeq"), word)
		}
	})
}

// TestFullyBootedStandsBehindWhatWasMissed is about now, and what was missed is older.
func TestFullyBootedStandsBehindWhatWasMissed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, token := b.resume("admin", "yes", 0)
		require.Equal(t, "FullyBooted", c.sees())
		c.conn.Close()
		b.event("A")
		b.event("B")
		c, result, token := b.resume("admin", token, 1)
		require.Equal(t, "ok", result)
		b.event("C")
		require.Equal(t, "A B FullyBooted C", c.sees())

		old := c
		near, conn := net.Pipe() // another mask at the same time
		b.conns <- conn
		c = b.reads(near)
		c.send("Action: Login\nUsername: admin\nSecret: s\nEvents: call,system\nResume: " + token + "\nAmpdSeq: 3")
		b.settle()
		b.event("D")
		require.Equal(t, "EOF", old.sees())
		require.Regexp(t, " C FullyBooted D$", c.sees())
	})
}

// TestClosedSideGetsItsAnswers has a client ask, close its side and only then read: what
// it asked is answered whole, and the session waits for it to come back.
func TestClosedSideGetsItsAnswers(t *testing.T) {
	const asked = 10
	for _, resume := range []string{"no", "yes"} {
		t.Run("Resume: "+resume, func(t *testing.T) {
			b := newBench(t, nil)
			info := &upstream.Info{Version: "11.0.0"}
			for i := range 3000 { // together more than the kernel takes at once
				info.Commands = append(info.Commands, upstream.Command{Name: fmt.Sprintf("Odd%d", i), Text: strings.Repeat("x", 100), Classes: codec.System})
			}
			b.hub.Ready(info)
			l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
			require.NoError(t, err)
			defer l.Close()
			far, err := net.Dial("unix", l.Addr().String())
			require.NoError(t, err)
			defer far.Close()
			near, err := l.Accept()
			require.NoError(t, err)
			b.conns <- near
			_, err = io.WriteString(far, "Action: Login\r\nUsername: admin\r\nSecret: s\r\nEvents: call\r\nResume: "+resume+"\r\n\r\n"+
				strings.Repeat("Action: ListCommands\r\n\r\n", asked))
			require.NoError(t, err)
			require.NoError(t, far.(*net.UnixConn).CloseWrite())
			all, err := io.ReadAll(far)
			require.NoError(t, err)
			require.Equal(t, asked, strings.Count(string(all), "Odd2999"))
			left := func() (parked int) {
				b.hub.do(func() {
					parked = -1
					if len(b.hub.clients) == 0 {
						parked = len(b.hub.parked)
					}
				})
				return parked
			}
			want := map[string]int{"no": 0, "yes": 1}[resume]
			require.Eventually(t, func() bool { return left() == want }, 10*time.Second, time.Millisecond)
		})
	}
}

// TestSlowClientResumes has a client read nothing for longer than backlog_time.
func TestSlowClientResumes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		near, conn := net.Pipe()
		b.conns <- conn
		_, err := io.ReadFull(near, make([]byte, len("Asterisk Call Manager/11.0.0\r\n")))
		require.NoError(t, err)
		_, err = io.WriteString(near, "Action: Login\r\nUsername: wall\r\nSecret: s\r\nResume: yes\r\n\r\n")
		require.NoError(t, err)
		d := native.NewDecoder(near, native.FromAsterisk)
		var answer codec.Packet
		require.NoError(t, d.Decode(&answer))
		for range 25 {
			b.event("A")
			time.Sleep(time.Second)
		}
		b.settle()
		require.Equal(t, 1, int(testutil.ToFloat64(b.hub.metrics.parked)))
		c, result, _ := b.resume("wall", answer.Get("AmpdResumeToken"), 1)
		require.Equal(t, "ok", result)
		require.Equal(t, 25, strings.Count(c.text(), "Event: A"))
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

func TestFiltersOfAResumedSessionStayUnderAChangedProfile(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, token := b.resume("admin", "yes", 0)
		c.send("Action: Filter\nOperation: Add\nFilter: !Event: B")
		require.Contains(t, c.sees(), "Success")
		c.conn.Close()
		b.settle()
		c, result, _ := b.resume("admin", token, 1)
		require.Equal(t, "ok", result)
		b.regrant("admin", func(p *profiles.Profile) { p.Read = codec.Call })
		c.sees()
		b.event("B")
		b.event("C")
		require.Equal(t, "C", c.sees())
	})
}
