package downstream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLongBacklogIsSoonWritten has a backlog of events and answers by turns, as a client
// makes it that asks and does not read. If to take out one of them cost what there are
// others this would take minutes.
func TestLongBacklogIsSoonWritten(t *testing.T) {
	const turns = 100_000
	feed := NewFanout(NewLimits(DefaultConfig())).NewFeed(Voice{})
	o := &outbox{}
	o.follow(feed)
	event, answer := []byte("Event: E\r\n\r\n"), []byte("Response: R\r\n\r\n")
	began := time.Now()
	for range turns {
		feed.Append(began, event)
		o.send(began, answer)
	}
	for i := range 2 * turns {
		data, _ := o.next()
		require.Equal(t, [][]byte{event, answer}[i%2], data)
		o.wrote(len(data))
	}
	data, _ := o.next()
	require.Nil(t, data)
	require.Zero(t, o.waiting())
	require.Less(t, cap(o.ready), 4*fewSegments)
	require.Less(t, time.Since(began), 30*time.Second)
}
