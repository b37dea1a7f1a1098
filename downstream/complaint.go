package downstream

import (
	"sync"
	"time"
)

// complaintEvery is how long the log is spared the next line of a complaint.
const complaintEvery = time.Minute

// A complaint is a line of the log about what strangers can make happen thousands of times
// a second.
type complaint struct {
	mu     sync.Mutex
	logged time.Time // zero for never
	times  int       // since then
}

// due counts what has happened and tells whether to log it now, and how often it has
// happened since that was last done.
func (c *complaint) due(now time.Time) (times int, due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.times++
	if !c.logged.IsZero() && now.Sub(c.logged) < complaintEvery {
		return 0, false
	}
	times = c.times
	c.logged, c.times = now, 0
	return times, true
}
