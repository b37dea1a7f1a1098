package downstream

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A Feed is what the sessions of one subscription are sent: whole packets in their
// order, copied once into a log that all of them read, each at its own place. What
// all have read the collector frees; what a slow session still has to read stays.
//
// Append, and whatever takes the feed's end for a place of a session's, is called
// under the caller's lock, the same for all feeds of a [Fanout]. Reading needs none.
type Feed struct {
	fanout *Fanout
	end    atomic.Uint64 // bytes appended so far
	parked atomic.Int64  // parked sessions that keep this log and nothing else
	parts  []part        // of the sender of the same index

	voice    Voice
	eventEnd []byte // what ends an event, and stands nowhere inside one

	// The appender's.
	tail  *chunk
	began time.Time // when tail was made

	numbered []byte // room for the event being numbered

	mu    sync.Mutex
	times [feedTimes]mark // a ring: times[first] is the oldest, zero where unused
	first int
	last  mark
}

// A part is the sessions that follow a feed and belong to one sender.
type part struct {
	grown     atomic.Bool // the sender was told, or is about to be
	followers []*Session  // owned by the sender
}

// A mark says that what stands from that position on came at that time or later.
type mark struct {
	pos  uint64
	time time.Time
}

// How old a byte is is known to a timesShare-th of backlog_time; a byte older than
// that stands before all marks.
const (
	timesShare = 16
	feedTimes  = timesShare + 2
)

// Sizes of chunks in bytes. A feed begins with small ones and takes larger ones while
// it fills them fast.
const (
	smallChunk = 4 << 10
	largeChunk = 128 << 10

	fastChunk = 100 * time.Millisecond // filled faster, the next one is twice as large
	slowChunk = 2 * time.Second        // filled slower, the next one is half as large
)

// A chunk is a piece of a feed. Bytes below size are never written again.
type chunk struct {
	base uint64 // the position in the feed of its first byte
	data []byte
	size atomic.Int64
	next atomic.Pointer[chunk] // set when nothing is added to this one any more
}

// upTo returns a copy of the chunk that is followed by copies of those behind it up to
// that position, and by nothing else. The bytes are shared; copies has those made before.
func (c *chunk) upTo(pos uint64, copies map[*chunk]*chunk) *chunk {
	if c == nil || copies[c] != nil {
		return copies[c]
	}
	same := &chunk{base: c.base, data: c.data}
	same.size.Store(c.size.Load())
	copies[c] = same
	if next := c.next.Load(); next != nil && next.base < pos {
		same.next.Store(next.upTo(pos, copies))
	}
	return same
}

// Append adds a whole packet, which it copies, at that moment.
func (f *Feed) Append(now time.Time, packet []byte) {
	size := int(f.tail.size.Load())
	if len(f.tail.data)-size < len(packet) {
		f.grow(now, len(packet))
		size = 0
	}
	copy(f.tail.data[size:], packet)
	if now.Sub(f.last.time) >= f.fanout.limits.Get().BacklogTime.Std()/timesShare {
		f.mark(now) // before anybody can read it
	}
	f.tail.size.Store(int64(size + len(packet)))
	f.end.Add(uint64(len(packet)))
	for i := range f.parts {
		if p := &f.parts[i]; !p.grown.Load() {
			p.grown.Store(true)
			f.fanout.senders[i].grew(f)
		}
	}
}

// grow begins a chunk that has room for n bytes.
func (f *Feed) grow(now time.Time, n int) {
	size := len(f.tail.data)
	switch lasted := now.Sub(f.began); {
	case lasted < fastChunk:
		size *= 2
	case lasted > slowChunk:
		size /= 2
	}
	c := &chunk{base: f.end.Load(), data: make([]byte, max(n, min(max(size, smallChunk), largeChunk)))}
	f.tail.next.Store(c)
	f.tail, f.began = c, now
}

func (f *Feed) mark(now time.Time) {
	f.last = mark{f.end.Load(), now}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times[f.first] = f.last
	f.first = (f.first + 1) % feedTimes
}

// since tells when at the earliest the byte at that position came, or some time longer
// ago than backlog_time.
func (f *Feed) since(pos uint64) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	since := f.times[f.first].time
	for i := range feedTimes {
		m := f.times[(f.first+i)%feedTimes]
		if m.pos > pos {
			break
		}
		since = m.time
	}
	return since
}

// here is the place behind all that was appended.
func (f *Feed) here() place { return place{f, f.tail, f.end.Load()} }

// A place is where a session stands in a feed.
type place struct {
	feed  *Feed
	chunk *chunk
	pos   uint64
}

// open is the position that a feed never reaches.
const open = math.MaxUint64

// bytes returns some of what stands from the place up to position to, none if there is
// nothing yet.
func (p *place) bytes(to uint64) []byte {
	for {
		next := p.chunk.next.Load() // before size: what has a next one grows no more
		from, size := p.pos-p.chunk.base, uint64(p.chunk.size.Load())
		if from < size && p.pos < to {
			return p.chunk.data[from:min(size, to-p.chunk.base)]
		}
		if next == nil || from < size {
			return nil
		}
		p.chunk = next
	}
}
