package native

import (
	"io"
	"unsafe"
)

// Sizes of chunks in bytes. A client's stay small while it sends little, so that
// an idle session costs little.
const (
	asteriskChunk   = 64 << 10
	clientChunk     = 1 << 10
	clientChunkMost = 16 << 10
)

// A chunk is what a Decoder reads into. Packets are views into it, so a byte that
// a packet was given is never written again: when little room is left a new one is
// made and the unread rest copied there, and the collector frees the old one with
// the last packet that it holds.
type chunk struct {
	r            io.Reader
	small, large int // the least and the usual most size of a chunk

	buf   []byte // up to its length what was read, up to its capacity room
	start int    // where the undecoded bytes begin
	more  bool   // the last Read filled all the room: the sender is busy
	err   error  // of the Read that brought the last bytes
}

// rest returns the bytes not yet decoded.
func (c *chunk) rest() []byte { return c.buf[c.start:] }

// take marks the next n bytes as decoded.
func (c *chunk) take(n int) { c.start += n }

// fill reads at least one byte more or returns the reader's error. It may move the
// rest to another chunk.
func (c *chunk) fill() error {
	if err := c.err; err != nil {
		c.err = nil
		return err
	}
	if cap(c.buf)-len(c.buf) <= c.small/16 || cap(c.buf) > c.large && len(c.rest()) < c.small {
		c.renew()
	}
	for range 100 {
		room := c.buf[len(c.buf):cap(c.buf)]
		n, err := c.r.Read(room)
		if n > 0 {
			c.buf = c.buf[:len(c.buf)+n]
			c.more = n == len(room)
			c.err = err
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// Feed adds a copy of data to what was read and not yet decoded, for a reader who has
// waited for it elsewhere. It takes no more memory than that.
func (c *chunk) Feed(data []byte) {
	c.buf, c.start = append(c.rest()[:len(c.rest()):len(c.rest())], data...), 0
}

// renew takes a new chunk. One that a long packet made larger than usual is left
// as soon as its rest is short.
func (c *chunk) renew() {
	size := c.small
	if c.more {
		size = min(2*cap(c.buf), c.large)
	}
	rest := c.rest()
	size = max(size, c.small, 2*len(rest))
	c.buf = append(make([]byte, 0, size), rest...)
	c.start = 0
}

// view returns b as a string without copying. It is the one use of unsafe, and
// safe because b is part of a chunk, or of a packet's Raw, whose bytes are not
// written again once they were given to a packet.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
