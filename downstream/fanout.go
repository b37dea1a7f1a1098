package downstream

import (
	"runtime"
	"sync"
	"time"
)

// A Fanout brings what is appended to feeds to the sessions that follow them. The
// sessions are divided among a few senders, each a goroutine that writes to the
// connections of its sessions, one after the other and without ever waiting for a
// client.
type Fanout struct {
	senders    []*sender
	timesEvery time.Duration
	coalesce   time.Duration
}

// NewFanout returns a fanout that sends nothing yet.
func NewFanout(cfg Config) *Fanout {
	f := &Fanout{timesEvery: cfg.BacklogTime.Std() / timesShare, coalesce: cfg.Coalesce.Std()}
	for i := range max(1, runtime.GOMAXPROCS(0)/2) {
		s := &sender{index: i, coalesce: f.coalesce}
		s.changed.L = &s.mu
		f.senders = append(f.senders, s)
	}
	return f
}

// NewFeed returns an empty feed.
func (f *Fanout) NewFeed() *Feed {
	return &Feed{fanout: f, tail: &chunk{}, parts: make([]part, len(f.senders))}
}

// run sends until stop is called.
func (f *Fanout) run() {
	var senders sync.WaitGroup
	for _, s := range f.senders {
		senders.Go(s.run)
	}
	senders.Wait()
}

func (f *Fanout) stop() {
	for _, s := range f.senders {
		s.mu.Lock()
		s.stopped = true
		s.changed.Broadcast()
		s.mu.Unlock()
	}
}

// aheadMost is how many bytes from Asterisk may be appended before the senders take up
// what was there before, so that a machine that is too slow for its clients does not
// take that for clients that are too slow.
const aheadMost = 512 << 10

// Pace says that n bytes from Asterisk were appended. Where the senders can't follow it
// waits until they do: for the processor, never for a client.
func (f *Fanout) Pace(n int) {
	for _, s := range f.senders {
		s.pace(n)
	}
}

// A sender writes to the connections of some sessions.
type sender struct {
	index    int
	coalesce time.Duration

	mu      sync.Mutex
	changed sync.Cond // of what mu guards
	grown   []*Feed
	moves   []move
	ahead   int
	stopped bool
}

// A move is that of a session from one feed to another; nil is none.
type move struct {
	session  *Session
	from, to *Feed
}

// grew notes that a feed has grown.
func (s *sender) grew(f *Feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grown = append(s.grown, f)
	s.changed.Broadcast()
}

// moved notes that a session follows another feed. It sees of that one what comes after.
func (s *sender) moved(m move) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moves = append(s.moves, m)
	s.changed.Broadcast()
}

func (s *sender) pace(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.grown) == 0 {
		return
	}
	s.ahead += n
	for s.ahead > aheadMost && !s.stopped {
		s.changed.Wait()
	}
}

func (s *sender) run() {
	var grown []*Feed
	var moves []move
	for {
		s.mu.Lock()
		for len(s.grown) == 0 && len(s.moves) == 0 && !s.stopped {
			s.changed.Wait()
		}
		if s.stopped {
			s.mu.Unlock()
			return
		}
		if s.coalesce > 0 && len(s.grown) > 0 {
			s.mu.Unlock()
			time.Sleep(s.coalesce)
			s.mu.Lock()
		}
		grown, s.grown = s.grown, grown[:0]
		moves, s.moves = s.moves, moves[:0]
		s.ahead = 0
		s.changed.Broadcast()
		s.mu.Unlock()
		for i := range moves {
			s.move(moves[i])
			moves[i] = move{}
		}
		for i, f := range grown {
			p := &f.parts[s.index]
			p.grown.Store(false) // before anything is read: what is appended now is told anew
			for _, session := range p.followers {
				session.Flush()
			}
			grown[i] = nil
		}
	}
}

// move takes a session from the followers of one feed to those of another.
func (s *sender) move(m move) {
	if m.from != nil {
		followers := &m.from.parts[s.index].followers
		last := len(*followers) - 1
		(*followers)[m.session.place] = (*followers)[last]
		(*followers)[m.session.place].place = m.session.place
		(*followers)[last] = nil
		*followers = (*followers)[:last]
	}
	if m.to != nil {
		followers := &m.to.parts[s.index].followers
		m.session.place = len(*followers)
		*followers = append(*followers, m.session)
	}
}
