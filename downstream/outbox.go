package downstream

import (
	"slices"
	"sync"
	"time"
)

// An outbox is what a session is yet to be sent, in its order: a queue of segments,
// the last of which is its subscription's feed from some place on without end.
type outbox struct {
	mu     sync.Mutex
	limits *Limits // nil before the login

	ready []segment
	feed  *Feed // that of the endless segment; nil before the login and after finish

	// While an answer is under way, events wait behind it: held then has the
	// endless segment.
	holding bool
	held    []segment
	cut     int // how many segments of held come before the cut, -1 where there is none

	visits   int  // how many feeds were followed
	taken    int  // bytes taken over from another session and not written yet
	closed   int  // bytes of all segments but the endless one
	sending  bool // somebody writes to the connection, who alone takes from ready
	slowly   bool // that one waits for the client
	leaving  bool // what is ready is written yet, and nothing behind it
	finished bool // nothing is added any more
	dropped  bool // what waits is not written either
	ended    bool // the writing has come to its end

	// Where the session can be resumed: see Session.Remember.
	remembers bool
	parked    bool      // nothing is written, and yet it collects
	written   []segment // of feeds
	kept      int       // bytes of written
	trimmed   uint64    // the number of the last event dropped from written
	pin       pin
}

// A segment is packets for this session alone, or a part of a feed.
type segment struct {
	packets []byte
	since   time.Time // when the oldest of packets came, or the events were let go

	at    place // in the feed, where packets is nil
	to    uint64
	visit int // to the feed: places of one visit are places of one chain of chunks
}

// segmentMost is how many bytes of packets are gathered in one segment, segmentLeast how
// many it has room for.
const (
	segmentMost  = 64 << 10
	segmentLeast = 256
)

func (s *segment) len() int {
	if s.at.feed == nil {
		return len(s.packets)
	}
	return int(s.to - s.at.pos)
}

// last is the list that has the endless segment, if there is one.
func (o *outbox) last() *[]segment {
	if o.holding {
		return &o.held
	}
	return &o.ready
}

// end makes the endless segment an ordinary one and takes it away if it is empty.
func (o *outbox) end() {
	list := o.last()
	s := &(*list)[len(*list)-1]
	s.to = s.at.feed.end.Load()
	o.closed += s.len()
	if s.len() == 0 {
		*list = (*list)[:len(*list)-1]
	}
}

// follow puts what comes to the feed from now on behind all else.
func (o *outbox) follow(f *Feed) {
	if o.feed != nil {
		o.end()
		o.unlink()
	}
	o.feed = f
	o.visits++
	list := o.last()
	*list = append(*list, segment{at: f.here(), to: open, visit: o.visits})
	o.repin()
}

// unlink has no segment keep in memory what comes to the feed that the session leaves.
func (o *outbox) unlink() {
	end := o.feed.end.Load()
	copies := map[*chunk]*chunk{}
	for _, list := range [][]segment{o.written, o.ready, o.held} {
		for i := range list {
			if s := &list[i]; s.at.feed == o.feed {
				s.at.chunk = s.at.chunk.upTo(end, copies)
			}
		}
	}
}

// send puts packets, which it copies, behind all that is not held.
func (o *outbox) send(now time.Time, packets []byte) {
	if o.finished || o.parked || len(packets) == 0 {
		return
	}
	o.closed += len(packets)
	if o.holding || o.feed == nil {
		o.appendPackets(now, packets)
		return
	}
	f := o.feed
	o.end()
	o.appendPackets(now, packets)
	o.ready = append(o.ready, segment{at: f.here(), to: open, visit: o.visits})
}

// appendPackets adds packets to the last segment that is ready, where it is such, has
// room and is not being written, or as one of their own.
func (o *outbox) appendPackets(now time.Time, packets []byte) {
	list := o.ready
	if n := len(list) - 1; n >= 0 && (n > 0 || !o.sending) && list[n].at.feed == nil && len(list[n].packets)+len(packets) <= segmentMost {
		s := &list[n]
		if need := len(s.packets) + len(packets); need > cap(s.packets) { // a list, most likely
			s.packets = append(make([]byte, 0, max(need, min(8*cap(s.packets), segmentMost))), s.packets...)
		}
		s.packets = append(s.packets, packets...)
		return
	}
	room := make([]byte, 0, max(len(packets), segmentLeast))
	o.ready = append(list, segment{packets: append(room, packets...), since: now})
}

// hold has the events from now on wait for release.
func (o *outbox) hold() {
	if o.finished || o.holding || o.feed == nil {
		return
	}
	f := o.feed
	o.end()
	o.holding, o.cut = true, -1
	o.held = append(o.held, segment{at: f.here(), to: open, visit: o.visits})
}

// cutHere remembers the first place at which release stops.
func (o *outbox) cutHere() {
	if !o.holding || o.cut >= 0 {
		return
	}
	f := o.feed
	o.end()
	o.cut = len(o.held)
	o.held = append(o.held, segment{at: f.here(), to: open, visit: o.visits})
}

// release lets the events go that were held: all of them, or those before the cut, if
// there is one; then the others are held on.
func (o *outbox) release(now time.Time, all bool) {
	if !o.holding {
		return
	}
	n := len(o.held)
	if !all && o.cut >= 0 {
		n = o.cut
	}
	for _, s := range o.held[:n] {
		s.since = now
		o.ready = append(o.ready, s)
	}
	o.held = slices.Delete(o.held, 0, n)
	o.cut = -1
	o.holding = len(o.held) > 0
}

// finish lets nothing more in. What is held is forgotten, with drop all that waits.
func (o *outbox) finish(drop bool) {
	if !o.finished && o.feed != nil {
		o.end()
		for i := range o.held {
			o.closed -= o.held[i].len()
		}
		o.held, o.holding = nil, false
		if !drop {
			o.unlink()
		}
		o.feed = nil
		o.repin()
	}
	o.finished = true
	if drop {
		o.dropped, o.ready, o.closed = true, nil, 0
	}
}

// waiting is how many bytes wait, held or not.
func (o *outbox) waiting() int {
	if o.feed == nil {
		return o.closed
	}
	list := *o.last()
	return o.closed + int(o.feed.end.Load()-list[len(list)-1].at.pos)
}

// next returns some of what is to be written next, which stays where it is until
// wrote says that it was, and since when it waits. nil is nothing.
func (o *outbox) next() (_ []byte, since time.Time) {
	if o.parked {
		return nil, since
	}
	for len(o.ready) > 0 {
		s := &o.ready[0]
		if s.at.feed == nil {
			return s.packets, s.since
		}
		if b := s.at.bytes(s.to); b != nil {
			if o.slowly {
				since = s.at.feed.since(s.at.pos)
			}
			if since.Before(s.since) {
				since = s.since
			}
			return b, since
		}
		if s.to == open {
			break
		}
		o.pop()
	}
	return nil, since
}

// ending tells that the writing comes to its end, or has, when nothing is ready.
func (o *outbox) ending() bool { return o.finished || o.parked || o.leaving }

// atEnd tells, once, that all was written that ever will be.
func (o *outbox) atEnd() bool {
	if !o.ending() || o.ended {
		return false
	}
	o.ended = true
	return true
}

// wrote says that the first n bytes of what next returned were written.
func (o *outbox) wrote(n int) {
	if o.dropped || o.parked || n == 0 {
		return
	}
	s := &o.ready[0]
	o.taken = max(0, o.taken-n)
	if s.to != open {
		o.closed -= n
	}
	if s.at.feed == nil {
		s.packets = s.packets[n:]
	} else {
		at := s.at
		s.at.pos += uint64(n)
		if o.remembers {
			o.remember(at, n, s.visit)
		}
	}
	if s.len() == 0 {
		o.pop()
	}
}

// fewSegments are moved up when the first is taken out; of more the slice is cut, which
// costs the same however many there are.
const fewSegments = 16

func (o *outbox) pop() {
	switch n := len(o.ready); {
	case n <= fewSegments:
		o.ready = slices.Delete(o.ready, 0, 1)
	case n == fewSegments+1:
		o.ready = slices.Clone(o.ready[1:]) // the room of all that were cut off is let go
	default:
		o.ready[0] = segment{}
		o.ready = o.ready[1:]
	}
}
