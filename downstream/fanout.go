package downstream

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Fanout brings what is appended to feeds to the sessions that follow them. The
// sessions are divided among a few senders. A sender writes to the connections of its
// sessions, one after the other and without ever waiting for a client; the first does so
// on the goroutine that has brought the events, each other one has its own.
type Fanout struct {
	limits  *Limits
	senders []*sender

	parked atomic.Int64 // how many logs parked sessions keep: see pin
}

// NewFanout returns a fanout that sends nothing yet. It has a sender for every second
// processor.
func NewFanout(limits *Limits) *Fanout { return newFanout(limits, max(1, runtime.GOMAXPROCS(0)/2)) }

func newFanout(limits *Limits, senders int) *Fanout {
	f := &Fanout{limits: limits}
	for i := range senders {
		s := &sender{index: i, wake: make(chan struct{}, 1)}
		s.took.L = &s.mu
		f.senders = append(f.senders, s)
	}
	return f
}

// NewFeed returns an empty feed, whose events are to be appended in that voice.
func (f *Fanout) NewFeed(voice Voice) *Feed {
	end := "\r\n\r\n"
	if voice.XML {
		end = ">"
	}
	return &Feed{fanout: f, voice: voice, eventEnd: voice.end([]byte(end)), tail: &chunk{}, parts: make([]part, len(f.senders))}
}

// Send has all sessions sent what was appended to their feeds. Whoever appends calls it,
// without the lock; it may be called by several at a time.
//
// It takes the time that the writing takes: so events are read as fast as they can be
// sent, and what comes meanwhile goes out together.
func (f *Fanout) Send() {
	if wait := f.limits.Get().Coalesce.Std(); wait > 0 {
		time.Sleep(wait)
	}
	for _, s := range f.senders[1:] {
		s.signal()
	}
	f.senders[0].send()
	for _, s := range f.senders[1:] {
		s.taken()
	}
}

// run sends until done is closed.
func (f *Fanout) run(done <-chan struct{}) {
	var senders sync.WaitGroup
	for _, s := range f.senders[1:] {
		senders.Go(func() {
			for {
				select {
				case <-s.wake:
					s.send()
				case <-done:
					s.stop()
					return
				}
			}
		})
	}
	senders.Wait()
}

// A sender writes to the connections of some sessions.
type sender struct {
	index int
	wake  chan struct{} // has room for one: there may be something to send

	mu      sync.Mutex
	took    sync.Cond // rounds or stopped has changed
	rounds  int       // how often grown was taken up
	stopped bool
	sending bool
	grown   []*Feed
	moves   []move
	spare   []*Feed // room for grown
}

// A move is that of a session from one feed to another; nil is none.
type move struct {
	session  *Session
	from, to *Feed
}

func (s *sender) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// grew notes that a feed has grown.
func (s *sender) grew(f *Feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grown = append(s.grown, f)
}

// moved notes that a session follows another feed. It sees of that one what comes after.
func (s *sender) moved(m move) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sending {
		s.moves = append(s.moves, m)
		return
	}
	s.move(m)
}

// taken waits until the sender has taken up what has grown by now: so it is at most one
// round behind. What grows meanwhile whoever appends it waits for.
func (s *sender) taken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for before := s.rounds; len(s.grown) > 0 && s.rounds == before && !s.stopped; {
		s.signal() // it may have rested again before this grew
		s.took.Wait()
	}
}

func (s *sender) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.took.Broadcast()
}

// send writes until there is nothing left. Of several calls at the same time one does so.
func (s *sender) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sending {
		return
	}
	s.sending = true
	for len(s.grown) > 0 || len(s.moves) > 0 {
		grown, moves := s.grown, s.moves
		s.grown, s.moves = s.spare[:0], nil
		s.rounds++
		for i := range moves {
			s.move(moves[i])
		}
		s.took.Broadcast()
		s.mu.Unlock()
		for i := range moves { // its new feed may have been taken up before it followed
			moves[i].session.Flush()
		}
		for i, f := range grown {
			p := &f.parts[s.index]
			p.grown.Store(false) // before anything is read: what is appended now is told anew
			for _, session := range p.followers {
				session.Flush()
			}
			grown[i] = nil
		}
		s.mu.Lock()
		s.spare = grown
	}
	s.sending = false
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
