package downstream

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// seqHeader is the number of an event of a numbered feed: its last header, in XML its
// second.
const seqHeader = "AmpdSeq"

// AppendNumbered is [Feed.Append] for a native event whose last header is to be its
// number.
func (f *Feed) AppendNumbered(now time.Time, event []byte, seq uint64) {
	f.numbered = withNumber(f.numbered[:0], event, seq)
	f.Append(now, f.numbered)
}

func withNumber(b, event []byte, seq uint64) []byte {
	b = append(b, bytes.TrimSuffix(event, []byte("\r\n"))...)
	b = strconv.AppendUint(append(b, seqHeader+": "...), seq, 10)
	return append(b, "\r\n\r\n"...)
}

// Remember has the session, whose feeds are numbered from now on, keep the last events
// that it has written: its client may not have got them. When its connection is lost it
// is parked: no more written to it goes on collecting, within its bound, until Detach or
// Forget.
func (s *Session) Remember() {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.remembers = true
}

// Parked tells whether the session has lost its connection and goes on collecting.
func (s *Session) Parked() bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.parked
}

// Forget ends what Remember began.
func (s *Session) Forget() {
	o := &s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.parked {
		s.detach()
	}
	o.remembers, o.written, o.kept = false, nil, 0
}

// A Backlog is the events that a session has written or was yet to write.
type Backlog struct {
	feed    *Feed
	events  []segment
	trimmed uint64 // the number of the last event that is missing at the beginning
}

// Detach takes its events from a session that remembers them, so that another may have
// them; the session gets nothing more. It returns nil where they were given up already.
func (s *Session) Detach() *Backlog {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.detach()
}

// detach is Detach for who holds out.mu.
func (s *Session) detach() *Backlog {
	o := &s.out
	if !o.remembers || o.feed == nil {
		return nil
	}
	s.sender.moved(move{s, o.feed, nil})
	b := &Backlog{feed: o.feed, trimmed: o.trimmed}
	for _, list := range [][]segment{o.written, o.ready, o.held} {
		for _, s := range list {
			if s.at.feed == nil {
				continue
			}
			if n := len(b.events) - 1; n >= 0 && b.events[n].visit == s.visit && b.events[n].to == s.at.pos {
				b.events[n].to = s.to // the place to which was written may be inside of an event
				continue
			}
			b.events = append(b.events, s)
		}
	}
	o.written, o.kept, o.remembers = nil, 0, false
	o.finish(true)
	return b
}

// After drops the events up to that number, and tells whether all later ones are there.
func (b *Backlog) After(seq uint64) bool {
	if seq < b.trimmed {
		return false
	}
	b.trimmed = seq
	for len(b.events) > 0 {
		s := &b.events[0]
		for {
			data := s.at.bytes(s.to)
			if data == nil {
				break
			}
			for len(data) > 0 {
				n := bytes.Index(data, b.feed.eventEnd) + len(b.feed.eventEnd)
				if b.feed.lastSeq(data[:n]) > seq {
					return true
				}
				data = data[n:]
				s.at.pos += uint64(n)
			}
		}
		if s.to == open {
			return true
		}
		b.events = b.events[1:]
	}
	return true
}

// lastSeq reads the number of the last of whole events.
func (f *Feed) lastSeq(events []byte) uint64 {
	last := bytes.TrimSuffix(events, f.eventEnd)
	if i := bytes.LastIndex(last, f.eventEnd); i >= 0 {
		last = last[i+len(f.eventEnd):]
	}
	number := last[bytes.LastIndexByte(last, '\n')+1:]
	mark := []byte(seqHeader + ": ")
	if f.voice.XML { // its first occurrence: no value has an unescaped quote
		_, number, _ = bytes.Cut(last, []byte(" "+seqHeader+`="`))
		number, _, _ = bytes.Cut(number, []byte(`"`))
		mark = nil
	}
	seq, _ := strconv.ParseUint(string(bytes.TrimPrefix(number, mark)), 10, 64)
	return seq
}

// Attach gives the session, which follows no feed yet, the events of the backlog and
// what follows them.
func (s *Session) Attach(b *Backlog) {
	o := &s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return
	}
	now := time.Now()
	for i := range b.events {
		b.events[i].since = now
		o.visits = max(o.visits, b.events[i].visit)
		if b.events[i].to != open {
			o.closed += b.events[i].len()
		}
	}
	o.ready = append(o.ready, b.events...)
	o.feed = b.feed
	o.trimmed = b.trimmed
	o.taken = o.waiting()
	o.repin()
	s.sender.moved(move{s, nil, b.feed})
}

// remember keeps the n bytes of a feed from that place on, which were written.
func (o *outbox) remember(at place, n, visit int) {
	if last := len(o.written) - 1; last >= 0 && o.written[last].visit == visit && o.written[last].to == at.pos {
		o.written[last].to += uint64(n)
	} else {
		o.written = append(o.written, segment{at: at, to: at.pos + uint64(n), visit: visit})
	}
	o.kept += n
	o.trim()
}

// Of the bytes that a session may keep, what it has written takes a writtenShare-th at
// most. All parked sessions together keep as much as parkedBacklogs may.
const (
	writtenShare   = 4
	parkedBacklogs = 16
)

// most is backlog_bytes, or what a client may take that has not logged in.
func (o *outbox) most() int {
	if o.limits == nil {
		return strangerBacklog
	}
	return int(o.limits.Get().BacklogBytes)
}

// bound is how many bytes the session may keep, written and waiting ones together. What
// it has taken over was kept already: until that is written as much again may wait behind
// it, else a client that resumes in time would be too slow from the beginning. Parked
// sessions share.
func (o *outbox) bound() int {
	switch {
	case !o.parked:
		return o.most() + o.taken
	case o.feed == nil:
		return o.most()
	}
	return int(int64(o.most()) * parkedBacklogs / max(parkedBacklogs, o.feed.fanout.parked.Load()))
}

// tooMuch tells whether the session keeps more than it may, though it has dropped of what
// was written as much as it can.
func (o *outbox) tooMuch() bool {
	o.trim()
	return o.kept+o.waiting() > o.bound()
}

// trim drops the oldest events of those written where the session keeps too much, and
// some more, so that it is not soon called for again.
func (o *outbox) trim() {
	over := max(o.kept-o.most()/writtenShare, o.kept+o.waiting()-o.bound())
	if over <= 0 {
		return
	}
	for over += o.most() / (8 * writtenShare); over > 0 && o.kept > 0; {
		first := &o.written[0]
		data := first.at.bytes(first.to)
		n := first.at.feed.wholeEvents(data, over)
		if n == 0 {
			return // a part of an event, the rest of which is yet to be written
		}
		o.trimmed = first.at.feed.lastSeq(data[:n])
		o.kept -= n
		over -= n
		if first.at.pos += uint64(n); first.at.pos == first.to {
			o.written[0] = segment{}
			o.written = o.written[1:]
		}
	}
}

// wholeEvents returns how long the events are that have the first n bytes of data, as
// far as they are whole.
func (f *Feed) wholeEvents(data []byte, n int) int {
	from := max(0, min(n, len(data))-len(f.eventEnd))
	i := bytes.Index(data[from:], f.eventEnd)
	if i < 0 {
		from, i = 0, bytes.LastIndex(data, f.eventEnd)
	}
	if i < 0 {
		return 0
	}
	return from + i + len(f.eventEnd)
}

// park ends the writing. Events are collected, other packets forgotten.
func (o *outbox) park() {
	o.release(time.Now(), true)
	o.ready = slices.DeleteFunc(o.ready, func(s segment) bool {
		if s.at.feed == nil {
			o.closed -= len(s.packets)
		}
		return s.at.feed == nil
	})
	o.parked = true
	o.repin()
}

// A pin counts the logs that parked sessions keep in memory: those that follow one feed
// keep the same bytes, unless one has events of other feeds besides.
type pin struct {
	feed  *Feed // nil for none
	alone bool
}

// repin counts what the session keeps as it is now.
func (o *outbox) repin() {
	var now pin
	if o.parked {
		now.feed = o.feed
		for _, list := range [][]segment{o.written, o.ready, o.held} {
			now.alone = now.alone || slices.ContainsFunc(list, func(s segment) bool { return s.at.feed != o.feed })
		}
	}
	if now != o.pin {
		o.pin.count(-1)
		now.count(1)
		o.pin = now
	}
}

func (p pin) count(n int64) {
	if p.feed == nil || !p.alone && p.feed.parked.Add(n) != max(0, n) {
		return // others keep it too
	}
	p.feed.fanout.parked.Add(n)
}
