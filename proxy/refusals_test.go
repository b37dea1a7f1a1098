package proxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRefusalsAreLoggedHundredAMinute(t *testing.T) {
	var r refusals
	start := time.Now()
	count := func(at time.Duration, n int) (logged, unlogged int) {
		for range n {
			if before, ok := r.next(start.Add(at)); ok {
				logged++
				unlogged += before
			}
		}
		return logged, unlogged
	}
	for _, row := range []struct {
		at                  time.Duration
		n, logged, unlogged int
	}{
		{0, 60, 60, 0},
		{30 * time.Second, 60, 40, 0},
		{59 * time.Second, 60, 0, 0},
		{time.Minute, 1, 1, 80},
		{90 * time.Second, 1, 1, 0},
		{10 * time.Minute, 200, 100, 0},
		{20 * time.Minute, 2, 2, 100},
	} {
		logged, unlogged := count(row.at, row.n)
		require.Equal(t, row.logged, logged, row.at)
		require.Equal(t, row.unlogged, unlogged, row.at)
	}
}
