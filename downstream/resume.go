package downstream

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// seqHeader ends each event of a numbered feed.
const seqHeader = "AmpdSeq: "

// AppendNumbered is [Feed.Append] for an event whose last header is to be its number.
func (f *Feed) AppendNumbered(now time.Time, event []byte, seq uint64) {
	b := append(f.numbered[:0], bytes.TrimSuffix(event, []byte("\r\n"))...)
	b = strconv.AppendUint(append(b, seqHeader...), seq, 10)
	f.numbered = append(b, "\r\n\r\n"...)
	f.Append(now, f.numbered)
}

// Remember has the session, whose feeds are numbered from now on, keep the events that
// it has written, as far back as its backlog's bound goes. When its connection is lost
// it is no more written to and goes on collecting, up to that bound, until Detach or
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
				n := bytes.Index(data, packetEnd) + len(packetEnd)
				if lastSeq(data[:n]) > seq {
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

var packetEnd = []byte("\r\n\r\n")

// lastSeq reads the number of the last event of data.
func lastSeq(data []byte) uint64 {
	line := bytes.TrimSuffix(data, packetEnd)
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	seq, _ := strconv.ParseUint(string(bytes.TrimPrefix(line, []byte(seqHeader))), 10, 64)
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
	s.sender.moved(move{s, nil, b.feed})
}

// remember keeps the n bytes of a feed from that place on, which were written, and drops
// the oldest where that is more than may be kept.
func (o *outbox) remember(at place, n, visit int) {
	if last := len(o.written) - 1; last >= 0 && o.written[last].visit == visit && o.written[last].to == at.pos {
		o.written[last].to += uint64(n)
	} else {
		o.written = append(o.written, segment{at: at, to: at.pos + uint64(n), visit: visit})
	}
	o.kept += n
	for o.kept > 0 && o.kept+o.waiting() > o.most {
		first := &o.written[0]
		data := first.at.bytes(first.to)
		if len(o.written) == 1 && first.at.pos+uint64(len(data)) == first.to {
			return // what is being written stays
		}
		o.trimmed = lastSeq(data)
		o.kept -= len(data)
		if first.at.pos += uint64(len(data)); first.at.pos == first.to {
			o.written = o.written[1:]
		}
	}
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
}
