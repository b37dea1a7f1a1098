package proxy

import "time"

// How many lines of the log a session's refused actions may take: a client that goes on
// asking would fill the disk.
const (
	refusalsMost  = 100
	refusalsEvery = time.Minute
)

// A refusals counts those lines. Guarded by Hub.mu.
type refusals struct {
	began    time.Time // of the present minute
	logged   int       // in it
	unlogged int       // since the last line
}

// next tells whether one more refusal is logged, and how many before it were not.
func (r *refusals) next(now time.Time) (unlogged int, ok bool) {
	if now.Sub(r.began) >= refusalsEvery {
		r.began, r.logged = now, 0
	}
	if r.logged == refusalsMost {
		r.unlogged++
		return 0, false
	}
	r.logged++
	unlogged, r.unlogged = r.unlogged, 0
	return unlogged, true
}
