package proxy

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// What filters may take of a processor, in per cent: those of a session, and all. Beyond
// that they may take meterMost.
const (
	shareOfOne = 10
	shareOfAll = 50

	meterMost = 200 * time.Millisecond

	// inheritedMost is what filters begin with at most for others before them.
	inheritedMost = meterMost * 9 / 10
)

// A meter tells whether something takes too much of the hub's time.
type meter struct {
	share time.Duration // per cent
	debt  time.Duration // what was taken beyond the share
	last  time.Time
}

func newMeter(share int) meter { return meter{share: time.Duration(share)} }

// add counts what was spent at a moment, and reports false when it is too much.
func (m *meter) add(now time.Time, spent time.Duration) bool {
	m.debt = max(0, m.debt-now.Sub(m.last)*m.share/100)
	m.debt += spent
	m.last = now
	return m.debt <= meterMost
}

// inherit has the meter begin with what another one has counted.
func (m *meter) inherit(now time.Time, from meter) {
	from.add(now, 0)
	if debt := min(from.debt, inheritedMost); debt > m.debt {
		m.debt, m.last = debt, now
	}
}

// processorTime is what f takes of a processor. Unlike the clock it does not count the time
// in which a busy machine ran something else, or the process was stopped.
func processorTime(f func()) time.Duration {
	runtime.LockOSThread() // both times are this thread's
	defer runtime.UnlockOSThread()
	began := threadTime()
	f()
	return threadTime() - began
}

// threadTime is the processor time that this thread has had so far.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
