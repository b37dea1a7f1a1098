package downstream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestComplaintIsMadeOnceAMinute(t *testing.T) {
	var c complaint
	start := time.Now()
	said := map[time.Duration]int{}
	for at := time.Duration(0); at < 2*time.Minute; at += time.Second {
		if n, due := c.due(start.Add(at)); due {
			said[at] = n
		}
	}
	require.Equal(t, map[time.Duration]int{0: 1, time.Minute: 60}, said)
}
