package stats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// recorded are the events of a recording.
func recorded(tb testing.TB, name string) (packets []*codec.Packet) {
	tb.Helper()
	wire, err := os.ReadFile("../tests/corpus/" + name)
	require.NoError(tb, err)
	d := native.NewDecoder(bytes.NewReader(wire), native.FromAsterisk)
	for {
		p := new(codec.Packet)
		if err := d.Decode(p); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return packets
		} else if err != nil {
			require.NoError(tb, err)
		}
		if p.Kind() == codec.Event {
			packets = append(packets, p)
		}
	}
}

// BenchmarkObserve is what counting costs beside the tracked state, by an hour of queue
// traffic. One turn is all of it; the state is applied outside the time.
func BenchmarkObserve(b *testing.B) {
	for _, name := range []string{"22-queue-hour.s2c", "16-queue-hour.s2c"} {
		b.Run(name, func(b *testing.B) {
			packets := recorded(b, name)
			state := pbx.New()
			for _, p := range packets { // the state of the end is as good as any for the cost
				state.Apply(p, start)
			}
			b.ReportAllocs()
			for b.Loop() {
				book := NewBook(utc(), state, start)
				book.Loaded(start)
				book.Take()
				for _, p := range packets {
					book.Observe(p, start)
				}
				book.Take()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/event")
		})
	}
}

// BenchmarkTick is what a second costs where so many agents are logged in.
func BenchmarkTick(b *testing.B) {
	for _, agents := range []int{100, 2_000} {
		b.Run(fmt.Sprint(agents), func(b *testing.B) {
			state := pbx.New()
			book := NewBook(utc(), state, start)
			book.Loaded(start)
			now := start
			for i := range agents {
				d := native.NewDecoder(bytes.NewReader(fmt.Appendf(nil, "Event: QueueMemberAdded\r\nPrivilege: agent,all\r\nQueue: sales\r\nMemberName: Agent %d\r\nInterface: PJSIP/%d\r\nStatus: 1\r\nPaused: 0\r\n\r\n", i, i)), native.FromAsterisk)
				p := new(codec.Packet)
				require.NoError(b, d.Decode(p))
				state.Apply(p, now)
				book.Observe(p, now)
			}
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Second)
				book.Tick(now)
			}
		})
	}
}
