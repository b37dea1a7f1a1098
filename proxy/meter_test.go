package proxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMeter(t *testing.T) {
	now := time.Unix(1, 0)
	spend := func(m meter, every, spent time.Duration, times int) (ok bool) {
		for range times {
			now = now.Add(every)
			if !m.add(now, spent) {
				return false
			}
		}
		return true
	}
	require.True(t, spend(newMeter(shareOfOne), time.Millisecond, 90*time.Microsecond, 100_000), "nine per cent for ever")
	require.False(t, spend(newMeter(shareOfOne), time.Millisecond, 200*time.Microsecond, 10_000), "twenty per cent")
	require.True(t, spend(newMeter(shareOfOne), time.Minute, meterMost, 1000), "now and then")
	require.False(t, spend(newMeter(shareOfOne), 10*time.Second, 10*time.Second, 1), "so long that nothing else has its turn")
}

func TestProcessorTimeIsNotThatOfTheClock(t *testing.T) {
	work := func(d time.Duration) {
		for began := threadTime(); threadTime() < began+d; {
		}
	}
	require.GreaterOrEqual(t, processorTime(func() { work(20 * time.Millisecond) }), 20*time.Millisecond)
	require.Less(t, processorTime(func() { <-time.After(200 * time.Millisecond) }), 100*time.Millisecond)
}
