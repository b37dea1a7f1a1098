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
	require.True(t, spend(newMeter(shareOfOne), time.Second, time.Minute, 1000), "a process that was stopped once a second")
	require.False(t, spend(newMeter(shareOfOne), 21*time.Millisecond, time.Second, 20))
}
