package simulator

import (
	"container/heap"
	"time"
)

// A task is something that happens later, unless it was stopped. Tasks of one
// instant happen in the order in which they were made.
type task struct {
	at   time.Time
	made uint64
	do   func() // nil: stopped or done
}

func (t *task) stop() {
	if t != nil {
		t.do = nil
	}
}

// schedule holds tasks, the next one first.
type schedule struct {
	tasks []*task
	made  uint64
}

func (s *schedule) add(at time.Time, do func()) *task {
	s.made++
	t := &task{at: at, made: s.made, do: do}
	heap.Push(s, t)
	return t
}

// next returns when the next task is due.
func (s *schedule) next() (at time.Time, ok bool) {
	for len(s.tasks) > 0 && s.tasks[0].do == nil {
		heap.Pop(s)
	}
	if len(s.tasks) == 0 {
		return time.Time{}, false
	}
	return s.tasks[0].at, true
}

// due takes out the next task if it is due at now, else returns nil.
func (s *schedule) due(now time.Time) *task {
	if at, ok := s.next(); !ok || at.After(now) {
		return nil
	}
	return heap.Pop(s).(*task)
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (s *schedule) Len() int { return len(s.tasks) }

func (s *schedule) Less(i, j int) bool {
	a, b := s.tasks[i], s.tasks[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.made < b.made
}

func (s *schedule) Swap(i, j int) { s.tasks[i], s.tasks[j] = s.tasks[j], s.tasks[i] }

func (s *schedule) Push(x any) { s.tasks = append(s.tasks, x.(*task)) }

func (s *schedule) Pop() any {
	last := len(s.tasks) - 1
	t := s.tasks[last]
	s.tasks[last] = nil
	s.tasks = s.tasks[:last]
	return t
}
