package main

import (
	"math/bits"
	"time"
)

// latencies counts times in steps of at most 3 %: 32 to each power of two.
type latencies struct {
	counts [64 * steps]int
	total  int
	max    int64
}

const (
	steps     = 1 << stepBits
	stepBits  = 5
	smallest  = stepBits // times below 2^smallest ns share the first steps
	stepsMask = steps - 1
)

func (l *latencies) add(ns int64) {
	ns = max(ns, 0)
	l.counts[step(ns)]++
	l.total++
	l.max = max(l.max, ns)
}

func step(ns int64) int {
	power := bits.Len64(uint64(ns))
	if power <= smallest {
		return int(ns)
	}
	return (power-smallest)*steps + int(ns>>(power-1-stepBits))&stepsMask
}

// quantile is the time that the q-th part of all did not exceed.
func (l *latencies) quantile(q float64) time.Duration {
	rank := int(q * float64(l.total))
	for i, n := range l.counts {
		if rank -= n; rank < 0 {
			return time.Duration(min(stepEnd(i), l.max))
		}
	}
	return time.Duration(l.max)
}

// stepEnd is the longest time that step gives i.
func stepEnd(i int) int64 {
	if i < steps {
		return int64(i)
	}
	power := i/steps + smallest
	return (int64(steps+i&stepsMask)+1)<<(power-1-stepBits) - 1
}
