package downstream

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/config"
)

// numbered is the event with that number as a session gets it.
func numbered(seq int) string {
	return fmt.Sprintf("Event: E\r\nPad: %s\r\nAmpdSeq: %d\r\n\r\n", strings.Repeat("x", seq%100), seq)
}

func appendNumbered(feed *Feed, seq int) {
	feed.AppendNumbered(time.Now(), []byte(fmt.Sprintf("Event: E\r\nPad: %s\r\n\r\n", strings.Repeat("x", seq%100))), uint64(seq))
}

// rest reads a backlog.
func rest(b *Backlog) string {
	var got strings.Builder
	for _, s := range b.events {
		for data := s.at.bytes(s.to); data != nil; data = s.at.bytes(s.to) {
			got.Write(data)
			s.at.pos += uint64(len(data))
		}
	}
	return got.String()
}

// TestBacklogHasWhatFollows cuts a session at every byte that its client has read and
// resumes it behind each event.
func TestBacklogHasWhatFollows(t *testing.T) {
	whole := ""
	for seq := 1; seq <= 6; seq++ {
		whole += numbered(seq)
	}
	for cut := range len(whole) {
		synctest.Test(t, func(t *testing.T) {
			feed, s, client := following(t, nil)
			s.Remember()
			for seq := 1; seq <= 3; seq++ {
				appendNumbered(feed, seq)
			}
			other := feed.fanout.NewFeed(Voice{}) // a new mask
			s.Follow(other)
			s.Send(time.Now(), []byte("Response: Success\r\n\r\n"))
			s.Hold()
			for seq := 4; seq <= 5; seq++ {
				appendNumbered(other, seq)
			}
			s.Flush()
			read(t, client, min(cut, len(numbered(1)+numbered(2)+numbered(3))))
			client.Close()
			synctest.Wait()
			require.True(t, s.Parked())
			appendNumbered(other, 6)
			b := s.Detach()
			require.NotNil(t, b)
			require.Nil(t, s.Detach(), "once")
			seen := cut % 7
			want := ""
			for seq := seen + 1; seq <= 6; seq++ {
				want += numbered(seq)
			}
			require.True(t, b.After(uint64(seen)))
			require.Equal(t, want, rest(b), "cut behind %d bytes, seen %d", cut, seen)
			appendNumbered(other, 7)
			require.Equal(t, want+numbered(7), rest(b), "it goes on")
		})
	}
}

// TestBacklogIsBounded lets a session remember more than it may.
func TestBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, client := following(t, func(c *Config) { c.BacklogBytes = 512 << 10 })
		s.Remember()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		const last = 10_000
		for seq := 1; seq <= last; seq++ {
			appendNumbered(feed, seq)
			feed.fanout.Send()
			synctest.Wait()
		}
		client.Close()
		synctest.Wait()
		require.LessOrEqual(t, s.out.kept, 512<<10/writtenShare)
		require.Greater(t, s.out.kept, 512<<10/writtenShare*3/4)
		b := s.Detach()
		require.Positive(t, b.trimmed)
		require.False(t, (&Backlog{events: b.events, trimmed: b.trimmed}).After(b.trimmed-1), "what is missing is known")
		first := int(b.trimmed) + 1
		require.True(t, b.After(b.trimmed))
		require.True(t, strings.HasPrefix(rest(b), numbered(first)))
		require.True(t, strings.HasSuffix(rest(b), numbered(last)))
	})
}

func TestParkedSessionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, client := following(t, func(c *Config) { c.BacklogBytes = config.Size(len(numbered(50)) * 10) })
		s.Remember()
		client.Close()
		synctest.Wait()
		require.True(t, s.Parked())
		for range 10 {
			appendNumbered(feed, 50)
			feed.fanout.Send()
		}
		require.NotEmpty(t, feed.parts[s.sender.index].followers)
		appendNumbered(feed, 50)
		feed.fanout.Send()
		require.Nil(t, s.Detach(), "it was given up")
		require.Empty(t, feed.parts[s.sender.index].followers)
	})
}

// pinned is how many bytes of feeds a session keeps in memory, whole chunks counted.
func pinned(s *Session) int {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	total := 0
	known := map[*chunk]bool{}
	for _, list := range [][]segment{s.out.written, s.out.ready, s.out.held} {
		for i := range list {
			for c := list[i].at.chunk; c != nil && !known[c]; c = c.next.Load() {
				known[c] = true
				total += len(c.data)
			}
		}
	}
	return total
}

// TestSessionKeepsNoMoreThanItsBound follows a session through its life: it reads, it
// stops reading, it loses its connection.
func TestSessionKeepsNoMoreThanItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1 << 20
		feed, s, client := following(t, func(c *Config) { c.BacklogBytes = most })
		s.Remember()
		seq := 0
		come := func(bytes int) {
			for ; bytes > 0; bytes -= len(numbered(seq)) {
				seq++
				appendNumbered(feed, seq)
				feed.fanout.Send()
				synctest.Wait()
				require.LessOrEqual(t, s.out.kept+s.out.waiting(), most)
				require.LessOrEqual(t, pinned(s), most+4*largeChunk)
			}
		}
		reading := make(chan struct{})
		go func() {
			defer close(reading)
			_, _ = io.CopyN(io.Discard, client, most+12345) // up to the inside of an event
		}()
		come(most + 54321)
		<-reading
		require.Positive(t, s.out.kept)
		come(most / 2) // the first of which is being written all the time
		require.False(t, isClosed(s))
		client.Close()
		synctest.Wait()
		require.True(t, s.Parked())
		come(most / 3)
		require.True(t, s.out.remembers, "what was written made room")
		trimmed := int(s.out.trimmed)
		b := s.Detach()
		require.True(t, b.After(uint64(trimmed)))
		events := rest(b)
		require.True(t, strings.HasPrefix(events, numbered(trimmed+1)))
		require.True(t, strings.HasSuffix(events, numbered(seq)))
	})
}

// TestParkedSessionsShare has more sessions parked than backlogs are kept for, each with
// a feed of its own, or all with the same.
func TestParkedSessionsShare(t *testing.T) {
	const sessions, most = 4 * parkedBacklogs, 64 << 10
	event := []byte("Event: E\r\nPad: " + strings.Repeat("x", 1000) + "\r\n\r\n")
	for name, tc := range map[string]struct {
		feeds, before int // events that came before all followed the same
		kept          int
	}{
		"a feed each":                      {feeds: sessions, kept: most * parkedBacklogs / sessions},
		"one feed":                         {feeds: 1, kept: most},
		"one feed, each other ones before": {feeds: 1, before: 1, kept: most * parkedBacklogs / sessions},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fanout := newFanout(NewLimits(DefaultConfig()), 1)
				var feeds []*Feed
				for range tc.feeds {
					feeds = append(feeds, fanout.NewFeed(Voice{}))
				}
				var parked []*Session
				for i := range sessions {
					s := &Session{sender: fanout.senders[0]}
					s.out.limits, s.out.remembers = NewLimits(Config{BacklogBytes: most}), true
					if tc.before > 0 {
						other := fanout.NewFeed(Voice{})
						s.Follow(other)
						for seq := range tc.before {
							other.AppendNumbered(time.Now(), event, uint64(seq))
						}
					}
					s.Follow(feeds[i%tc.feeds])
					s.out.ended = true // there is no connection
					s.out.park()
					parked = append(parked, s)
				}
				require.EqualValues(t, most*parkedBacklogs/tc.kept, max(parkedBacklogs, fanout.parked.Load()))
				for seq := range tc.kept/len(event) - tc.before - 1 {
					for _, f := range feeds {
						f.AppendNumbered(time.Now(), event, uint64(seq))
					}
				}
				fanout.Send()
				for _, s := range parked {
					require.True(t, s.out.remembers)
				}
				for range 3 {
					for _, f := range feeds {
						f.AppendNumbered(time.Now(), event, 1000)
					}
				}
				fanout.Send()
				require.False(t, parked[0].out.remembers, "it keeps too much")
				for _, s := range parked {
					s.Forget()
				}
				require.Zero(t, fanout.parked.Load())
			})
		})
	}
}

// TestAttachedBacklogIsWritten has a session take over all that one may keep, and more
// come while it is written.
func TestAttachedBacklogIsWritten(t *testing.T) {
	const before, parked, later = 20, 80, 60
	bound := func(c *Config) { c.BacklogBytes = config.Size(len(numbered(50)) * (before + parked)) }
	event := func(feed *Feed) {
		appendNumbered(feed, 50)
		feed.fanout.Send()
	}
	synctest.Test(t, func(t *testing.T) {
		feed, s, client := following(t, bound)
		s.Remember()
		for range before { // these were written and yet not read by its client
			event(feed)
		}
		read(t, client, before*len(numbered(50)))
		client.Close()
		synctest.Wait()
		for range parked {
			event(feed)
		}
		b := s.Detach()
		require.NotNil(t, b)
		require.True(t, b.After(0))

		s, client = joined(t, s.server)
		s.Remember()
		s.Send(time.Now(), []byte("answer"))
		s.Attach(b)
		s.Flush()
		require.Equal(t, "answer", read(t, client, len("answer")))
		for range later {
			event(feed)
			synctest.Wait()
		}
		want := strings.Repeat(numbered(50), before+parked+later)
		require.Equal(t, want, read(t, client, len(want)))
		synctest.Wait() // that it was written is noted

		for range before + parked { // from now on it is a session as any other
			event(feed)
			require.False(t, isClosed(s))
		}
		event(feed)
		require.True(t, isClosed(s))
	})
}

// TestDeadConnectionIsParked has a connection that takes nothing and never ends.
func TestDeadConnectionIsParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, _ := following(t, nil)
		s.Remember()
		want := ""
		for seq := 1; !isClosed(s); seq++ { // an event a second
			require.Less(t, seq, 30)
			appendNumbered(feed, seq)
			want += numbered(seq)
			feed.fanout.Send()
			time.Sleep(time.Second)
			synctest.Wait()
		}
		require.True(t, s.Parked())
		appendNumbered(feed, 100)
		feed.fanout.Send()
		b := s.Detach()
		require.NotNil(t, b)
		require.True(t, b.After(0))
		require.Equal(t, want+numbered(100), rest(b))
	})
}

// TestFinishParksBehindWhatWaits has a client close its side and read what is left.
func TestFinishParksBehindWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, client := following(t, nil)
		s.Remember()
		appendNumbered(feed, 1)
		s.Send(time.Now(), []byte("answer"))
		s.Finish(ErrClientLeft)
		s.Flush()
		appendNumbered(feed, 2)
		feed.fanout.Send()
		require.False(t, s.Parked())
		require.Equal(t, numbered(1)+"answer", read(t, client, len(numbered(1)+"answer")))
		_, err := client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		synctest.Wait()
		require.True(t, s.Parked())
		appendNumbered(feed, 3)
		b := s.Detach()
		require.True(t, b.After(0))
		require.Equal(t, numbered(1)+numbered(2)+numbered(3), rest(b))
	})
}

// TestFinishedSessionKeepsNothingOfWhatFollows has a client that logs off and does not
// read.
func TestFinishedSessionKeepsNothingOfWhatFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, _ := following(t, nil)
		appendNumbered(feed, 1)
		s.Finish(ErrLogoff)
		s.Flush()
		synctest.Wait()
		for seq := 2; seq <= 10_000; seq++ {
			appendNumbered(feed, seq)
		}
		require.LessOrEqual(t, pinned(s), 2*largeChunk)
	})
}

func TestNobodyResumesWhatWasEnded(t *testing.T) {
	for _, cause := range ends {
		synctest.Test(t, func(t *testing.T) {
			_, s, _ := following(t, nil)
			s.Remember()
			s.Close(cause)
			require.False(t, s.Parked())
			require.Nil(t, s.Detach())
		})
	}
}

// TestLeftFeedIsLetGo has a session that remembers events of a feed that it has left.
func TestLeftFeedIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, client := following(t, nil)
		s.Remember()
		for seq := 1; seq <= 100; seq++ {
			appendNumbered(feed, seq)
		}
		s.Flush()
		read(t, client, 1000) // somewhere inside
		other := feed.fanout.NewFeed(Voice{})
		s.Follow(other)
		for seq := 101; seq <= 1000; seq++ {
			appendNumbered(feed, seq)
		}
		appendNumbered(other, 1001)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		s.Flush()
		synctest.Wait()
		for _, segment := range s.out.written[:len(s.out.written)-1] {
			last := segment.at.chunk
			for next := last.next.Load(); next != nil; next = next.next.Load() {
				last = next
			}
			require.Less(t, last.base, segment.to, "nothing behind what it was sent")
		}
		client.Close()
		synctest.Wait()
		b := s.Detach()
		require.True(t, b.After(99))
		require.Equal(t, numbered(100)+numbered(1001), rest(b))
	})
}

// TestBacklogOfAFeedFollowedTwice leaves a feed and comes back while nothing has come.
func TestBacklogOfAFeedFollowedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, client := following(t, nil)
		s.Remember()
		appendNumbered(feed, 1)
		s.Flush()
		read(t, client, len(numbered(1)))
		s.Follow(feed.fanout.NewFeed(Voice{}))
		s.Follow(feed)
		appendNumbered(feed, 2)
		s.Flush()
		read(t, client, len(numbered(2))/2)
		client.Close()
		synctest.Wait()
		appendNumbered(feed, 3)
		b := s.Detach()
		require.True(t, b.After(0))
		appendNumbered(feed, 4)
		require.Equal(t, numbered(1)+numbered(2)+numbered(3)+numbered(4), rest(b))
	})
}
