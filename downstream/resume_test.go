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

func (s *Session) remembers() bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.remembers
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
			other := feed.fanout.NewFeed() // a new mask
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
		require.LessOrEqual(t, s.out.kept, 512<<10)
		require.Greater(t, s.out.kept, 512<<10-largeChunk)
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
		other := feed.fanout.NewFeed()
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
		s.Follow(feed.fanout.NewFeed())
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
