package main

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wire is what a client of the lane gets when events from first to end are sent, each of
// them written or rendered with its number.
func wire(r *recording, l *lane, first, end int) []byte {
	var b []byte
	for n := first; n < end; n++ {
		event := bytes.Clone(r.events[n%len(r.events)])
		putHex(event[len(event)-seqTail:], uint64(n))
		if l.before(n+1) == l.before(n) {
			continue
		}
		if l.xml {
			event = inXML(event)
		}
		b = append(b, event...)
	}
	return b
}

func TestEachByteOfAStreamIsAccountedFor(t *testing.T) {
	r, err := newRecording(nil)
	require.NoError(t, err)
	const first, end = 5000, 25_000 // over the recording's end, twice
	for _, l := range newLanes(r, slices.Concat(mixed(), classic(everything(), true))) {
		b := wire(r, l, first, end)
		require.Equal(t, l.bytesBefore(end)-l.bytesBefore(first), int64(len(b)))
		c := client{lane: l}
		c.join(first)
		times := new(latencies)
		// In pieces of any size.
		for rest := []byte(nil); len(b) > 0; {
			n := min(len(b), 1+rand.IntN(3000))
			rest = append(rest, b[:n]...)
			b = b[n:]
			more, err := c.take(rest, 0, times)
			require.NoError(t, err)
			rest = bytes.Clone(more)
			require.True(t, len(b) > 0 || len(rest) == 0)
		}
		require.Equal(t, l.before(end)-l.before(first), times.total)
	}
}

func TestLostAndDoubledEventsAreFound(t *testing.T) {
	r, err := newRecording(nil)
	require.NoError(t, err)
	for _, xml := range []bool{false, true} {
		l := newLanes(r, classic(mixed(), xml))[1]
		b := wire(r, l, 0, 100)
		size := l.wire[l.seen[0]].size
		for name, damaged := range map[string][]byte{
			"lost":    b[size:],
			"doubled": append(bytes.Clone(b[:size]), b...),
			"foreign": append([]byte("Event: Other\r\nPrivilege: call,all\r\n\r\n"), b...),
		} {
			c := client{lane: l}
			c.join(0)
			_, err := c.take(damaged, 0, new(latencies))
			require.ErrorIs(t, err, errStream, name)
		}
	}
}

func TestSentForIsTheFirstEventThatIsLacking(t *testing.T) {
	r, err := newRecording(nil)
	require.NoError(t, err)
	for _, l := range newLanes(r, mixed()) {
		for range 1000 {
			n := rand.IntN(30_000)
			lacking := l.sentFor(l.bytesBefore(n))
			require.GreaterOrEqual(t, lacking, n)
			require.Equal(t, l.before(n), l.before(lacking))
			require.Equal(t, l.before(n)+1, l.before(lacking+1))
		}
	}
}

func TestDigits(t *testing.T) {
	var b [digits]byte
	for range 10_000 {
		v := rand.Uint64()
		putHex(b[:], v)
		require.Equal(t, v, hex(b[:]))
	}
}

func TestQuantilesAreTheStepsEnds(t *testing.T) {
	l := new(latencies)
	for ms := range 1000 {
		l.add(int64(ms+1) * 1e6)
	}
	require.InEpsilon(t, 500*time.Millisecond, l.quantile(0.5), 0.04)
	require.InEpsilon(t, 990*time.Millisecond, l.quantile(0.99), 0.04)
	require.Equal(t, time.Second, l.quantile(1))
}
