package downstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/config"
)

// all reads a feed from a place to its end.
func all(p place) string {
	var got bytes.Buffer
	for {
		b := p.bytes(open)
		if b == nil {
			return got.String()
		}
		got.Write(b)
		p.pos += uint64(len(b))
	}
}

func TestEveryPlaceOfAFeedSeesWhatFollows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	feed := NewFanout(NewLimits(DefaultConfig())).NewFeed(Voice{})
	now := time.Now()
	var places []place
	var wants []string
	for i := range 400 {
		packet := fmt.Sprintf("%d:%s\r\n\r\n", i, strings.Repeat("x", random.IntN(1<<random.IntN(18))))
		if i%40 == 0 {
			places = append(places, feed.here())
			wants = append(wants, "")
		}
		for j := range wants {
			wants[j] += packet
		}
		feed.Append(now, []byte(packet))
		now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
	}
	for i := range places {
		require.Equal(t, sha256.Sum256([]byte(wants[i])), sha256.Sum256([]byte(all(places[i]))), "place %d", i)
		half := places[i].pos + uint64(len(wants[i])/2)
		p := places[i]
		n := 0
		for b := p.bytes(half); b != nil; b = p.bytes(half) {
			n += len(b)
			p.pos += uint64(len(b))
		}
		require.Equal(t, len(wants[i])/2, n, "not beyond its end")
	}
}

func TestChunksFollowTheRate(t *testing.T) {
	feed := NewFanout(NewLimits(DefaultConfig())).NewFeed(Voice{})
	now := time.Now()
	fill := func(bytes int, every time.Duration) int {
		for range bytes / 512 {
			feed.Append(now, make([]byte, 512))
			now = now.Add(every)
		}
		return len(feed.tail.data)
	}
	require.Equal(t, smallChunk, fill(smallChunk, 0))
	require.Equal(t, largeChunk, fill(4*largeChunk, time.Microsecond), "many events")
	require.Equal(t, smallChunk, fill(4*largeChunk, time.Second), "few events")
}

func TestTheAgeOfAByteIsKnown(t *testing.T) {
	feed := NewFanout(NewLimits(DefaultConfig())).NewFeed(Voice{})
	began := time.Now()
	for i := range 1000 { // one byte every 100 ms: byte i came then
		feed.Append(began.Add(time.Duration(i)*100*time.Millisecond), []byte("x"))
	}
	now := began.Add(999 * 100 * time.Millisecond)
	for i := range 1000 {
		came := began.Add(time.Duration(i) * 100 * time.Millisecond)
		since := feed.since(uint64(i))
		if now.Sub(came) < 20*time.Second {
			require.False(t, since.After(came), "byte %d", i)
			require.Less(t, came.Sub(since), 20*time.Second/timesShare+100*time.Millisecond, "byte %d", i)
		} else {
			require.GreaterOrEqual(t, now.Sub(since), 20*time.Second, "byte %d is too old", i)
		}
	}
}

// following runs a session that follows a feed, and returns the client's end behind the
// login.
func following(t *testing.T, edit func(*Config)) (feed *Feed, session *Session, client net.Conn) {
	t.Helper()
	return followingOf(1, t, edit)
}

// followingOf is following with that many senders; the session belongs to the second,
// where there is one.
func followingOf(senders int, t *testing.T, edit func(*Config)) (feed *Feed, session *Session, client net.Conn) {
	t.Helper()
	server := newTestServerOf(senders, t, &echo{}, edit)
	runSenders(t, server.fanout)
	session, client = joined(t, server)
	feed = server.fanout.NewFeed(Voice{})
	session.Follow(feed)
	return feed, session, client
}

// joined runs a session of a server whose handler is an echo, and returns the client's end
// behind the login.
func joined(t *testing.T, server *Server) (*Session, net.Conn) {
	t.Helper()
	client := connect(t.Context(), t, server)
	read(t, client, len(greeting))
	_, err := io.WriteString(client, login)
	require.NoError(t, err)
	read(t, client, len(accepted))
	synctest.Wait()
	return server.handler.(*echo).session, client
}

// runSenders has the fanout's senders run until the test ends.
func runSenders(t *testing.T, f *Fanout) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { f.run(done) })
	t.Cleanup(func() {
		close(done)
		running.Wait()
	})
}

// bySenders runs a test with one sender and with several.
func bySenders(t *testing.T, test func(t *testing.T, senders int)) {
	for _, senders := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d senders", senders), func(t *testing.T) { test(t, senders) })
	}
}

func TestWhatIsSentStandsWhereItWasSent(t *testing.T) {
	bySenders(t, func(t *testing.T, senders int) { synctest.Test(t, func(t *testing.T) { whatIsSent(t, senders) }) })
}

func whatIsSent(t *testing.T, senders int) {
	feed, s, client := followingOf(senders, t, nil)
	event := func(name string) { feed.Append(time.Now(), []byte(name+" ")) }
	send := func(text string) { s.Send(time.Now(), []byte(text+" ")) }
	flushed := func(want string) {
		t.Helper()
		feed.fanout.Send()
		s.Flush()
		require.Equal(t, want, read(t, client, len(want)))
	}
	event("a")
	send("answer")
	event("b")
	flushed("a answer b ")

	s.Hold()
	event("c")
	send("begin")
	event("d")
	send("end")
	s.Release(time.Now())
	event("e")
	flushed("begin end c d e ")

	s.Hold()
	event("f")
	s.Cut()
	event("own")
	s.Cut()
	event("g")
	require.True(t, s.ReleaseToCut(time.Now()))
	flushed("f ")
	send("late")
	event("h")
	s.Release(time.Now())
	flushed("late own g h ")

	s.Hold()
	require.False(t, s.ReleaseToCut(time.Now()), "nothing was cut")
	event("i")
	flushed("i ")

	s.Hold()
	event("j")
	send("begin")
	s.Release(time.Now())
	send("end")
	flushed("begin j end ")

	event("k")
	other := feed.fanout.NewFeed(Voice{})
	other.Append(time.Now(), []byte("before "))
	s.Follow(other)
	event("no more")
	other.Append(time.Now(), []byte("l "))
	send("behind")
	flushed("k l behind ")

	s.Hold()
	other.Append(time.Now(), []byte("never "))
	send("last")
	s.Finish(ErrLogoff)
	s.Send(time.Now(), []byte("too late"))
	other.Append(time.Now(), []byte("too late"))
	s.Flush()
	got, err := io.ReadAll(client)
	require.NoError(t, err)
	require.Equal(t, "last ", string(got))
}

func TestSlowReaderOfAFeedIsClosed(t *testing.T) {
	event := []byte(strings.Repeat("x", 1000))
	t.Run("over its bytes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			feed, s, _ := following(t, func(c *Config) { c.BacklogBytes = config.Size(100 * len(event)) })
			for range 101 {
				require.False(t, isClosed(s))
				feed.Append(time.Now(), event)
				feed.fanout.Send()
			}
			require.True(t, isClosed(s))
			require.Empty(t, feed.parts[s.sender.index].followers, "and nobody looks at it any more")
		})
	})
	t.Run("over its time, while it reads", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			feed, s, client := following(t, nil)
			var reading sync.WaitGroup
			defer reading.Wait()
			reading.Go(func() { // 100 bytes of each 1,000
				for {
					if _, err := client.Read(make([]byte, 100)); err != nil {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			})
			began := time.Now()
			for !isClosed(s) {
				feed.Append(time.Now(), event)
				feed.fanout.Send()
				time.Sleep(100 * time.Millisecond)
			}
			// After a time t it has read what came in the first tenth of it.
			require.InDelta(t, 20/0.9, time.Since(began).Seconds(), 2)
		})
	})
}

func isClosed(s *Session) bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// TestManyAppendAndFlush has a session written to from everywhere at the same time.
func TestManyAppendAndFlush(t *testing.T) { bySenders(t, manyAppendAndFlush) }

func manyAppendAndFlush(t *testing.T, senders int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	e := &echo{}
	server := newTestServerOf(senders, t, e, nil)
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { server.Run(ctx, only(&Port{Listener: l})) })
	defer serving.Wait()
	defer l.Close()
	defer stop()
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	_, err = io.WriteString(client, login)
	require.NoError(t, err)
	got := make([]byte, len("\r\n")+len(accepted))
	_, err = io.ReadFull(client, got)
	require.NoError(t, err)

	const events, writers = 20_000, 4
	feed := server.fanout.NewFeed(Voice{})
	var order sync.Mutex // as the handler's
	e.mu.Lock()
	session := e.session
	e.mu.Unlock()
	session.Follow(feed)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for j := range events / writers {
				order.Lock()
				if j%10 == 0 {
					session.Send(time.Now(), []byte("a"))
				} else {
					feed.Append(time.Now(), []byte("e"))
				}
				order.Unlock()
				if i%2 == 0 {
					feed.fanout.Send()
				} else {
					session.Flush()
				}
			}
		})
	}
	text := make([]byte, events)
	_, err = io.ReadFull(client, text)
	require.NoError(t, err)
	all.Wait()
	require.Equal(t, events/10, bytes.Count(text, []byte("a")))
	require.Equal(t, events-events/10, bytes.Count(text, []byte("e")))
}

func TestCoalescedEventsGoInOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, _, client := following(t, func(c *Config) { c.Coalesce = config.Duration(2 * time.Millisecond) })
		began := time.Now()
		feed.Append(began, []byte("a"))
		go feed.fanout.Send()
		time.Sleep(time.Millisecond)
		feed.Append(time.Now(), []byte("b"))
		buf := make([]byte, 10)
		n, err := client.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "ab", string(buf[:n]))
		require.Equal(t, 2*time.Millisecond, time.Since(began))
	})
}
