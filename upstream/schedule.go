package upstream

// unansweredMost bounds the calls that are not answered yet. Each session has one at most,
// but those that have left leave theirs: without a bound, logging in to leave one, again
// and again, would take all memory while Asterisk is slow.
const unansweredMost = 10_000

// A scheduler decides which action runs next on which connection. Owners are served
// round robin, slow actions leave one connection to the others. Client.mu guards it.
type scheduler struct {
	owners map[uint64]*owner

	// fast and slow hold the owners whose next run is of that kind, in the order
	// of their turns.
	fast, slow []*owner
	turns      uint64

	joinable map[string]*run // runs that wait and that an equal one may join, by their key
	waiting  int             // runs

	idle    []*conn // connections that wait for a run
	working int     // connections that take runs, idle or not
	slowNow int     // slow runs under way
}

// An owner is a session that has runs waiting.
type owner struct {
	key  uint64
	runs []*run
	turn uint64
}

func newScheduler() scheduler {
	return scheduler{owners: make(map[uint64]*owner), joinable: make(map[string]*run)}
}

// join has an equal run that waits answer the calls of r too.
func (s *scheduler) join(r *run) bool {
	first := s.joinable[r.key]
	if r.key == "" || first == nil {
		return false
	}
	first.calls = append(first.calls, r.calls...)
	return true
}

func (s *scheduler) add(key uint64, r *run) {
	s.waiting++
	if r.key != "" {
		s.joinable[r.key] = r
	}
	o := s.owners[key]
	if o == nil {
		o = &owner{key: key}
		s.owners[key] = o
	}
	o.runs = append(o.runs, r)
	if len(o.runs) == 1 {
		s.queue(o)
	}
}

// queue gives an owner that has runs its next turn.
func (s *scheduler) queue(o *owner) {
	s.turns++
	o.turn = s.turns
	if o.runs[0].slow {
		s.slow = append(s.slow, o)
	} else {
		s.fast = append(s.fast, o)
	}
}

// next takes out the run whose turn it is, nil if there is none that may run now.
func (s *scheduler) next() *run {
	from := &s.fast
	if len(s.slow) > 0 && s.slowNow < max(1, s.working-1) &&
		(len(s.fast) == 0 || s.slow[0].turn < s.fast[0].turn) {
		from = &s.slow
	}
	if len(*from) == 0 {
		return nil
	}
	o := (*from)[0]
	*from = (*from)[1:]
	r := o.runs[0]
	o.runs = o.runs[1:]
	if len(o.runs) > 0 {
		s.queue(o)
	} else {
		delete(s.owners, o.key)
	}
	s.takenOut(r)
	if r.slow {
		s.slowNow++
	}
	return r
}

func (s *scheduler) takenOut(r *run) {
	s.waiting--
	if s.joinable[r.key] == r {
		delete(s.joinable, r.key)
	}
}

// remove takes out the waiting runs that match.
func (s *scheduler) remove(match func(*run) bool) (removed []*run) {
	all := append(s.fast, s.slow...)
	s.fast, s.slow = nil, nil
	for _, o := range all {
		kept := o.runs[:0]
		for _, r := range o.runs {
			if match(r) {
				s.takenOut(r)
				removed = append(removed, r)
			} else {
				kept = append(kept, r)
			}
		}
		if o.runs = kept; len(kept) > 0 {
			s.queue(o)
		} else {
			delete(s.owners, o.key)
		}
	}
	return removed
}

// dispatch gives runs to idle connections.
func (s *scheduler) dispatch() {
	for len(s.idle) > 0 {
		r := s.next()
		if r == nil {
			return
		}
		k := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		k.work <- r // has room: an idle connection was given nothing
	}
}

// withdraw takes an idle connection out; false tells that it was given a run.
func (s *scheduler) withdraw(k *conn) bool {
	for i := range s.idle {
		if s.idle[i] == k {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			return true
		}
	}
	return false
}
