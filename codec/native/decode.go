package native

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"ampd/codec"
)

// Side says who wrote what a Decoder reads.
type Side uint8

// The sides.
const (
	FromAsterisk Side = iota
	FromClient
)

// MaxLine is the longest line taken from a client, in bytes, its line end included
// (inbuf in Asterisk's include/asterisk/manager.h).
const MaxLine = 1024

// MaxLines is the number of lines that a client's packet may have (headers in
// struct message, AST_MAX_MANHEADERS).
const MaxLines = 128

// MaxPacket bounds a packet from Asterisk, in bytes. Asterisk itself knows no
// bound: this one only keeps a broken upstream from taking all memory. The headers
// of such a packet may take some ten times as much.
const MaxPacket = 16 << 20

// Repairs counts what a Decoder changed in what it read.
type Repairs struct {
	EmptyLines uint64 // stray empty lines from Asterisk, left out
	Values     uint64 // lines from Asterisk with a bare LF: removed at the end, a blank inside
	Telnet     uint64 // telnet commands from a client, left out
}

// A Decoder reads packets from one connection. It is used by one goroutine.
type Decoder struct {
	chunk
	side    Side
	repairs Repairs

	// From Asterisk.
	skipUntil []byte // what ends the packet that is being skipped, or nil
	looked    *byte  // the first byte of the buf that was looked through for ends of packets
	read      int    // up to this length
	whole     int    // where in buf the last of them is

	// From a client.
	tooLong bool // a line over MaxLine was met and not yet reported
	skipped skipped
}

// NewDecoder returns a decoder of what side writes to r. It allocates its first
// buffer when it first reads: 1 KiB for a client, 64 KiB for Asterisk.
func NewDecoder(r io.Reader, side Side) *Decoder {
	d := &Decoder{side: side}
	d.r = r
	d.small, d.large = asteriskChunk, asteriskChunk
	if side == FromClient {
		d.small, d.large = clientChunk, clientChunkMost
	}
	return d
}

// Repairs returns what was repaired since the decoder was made.
func (d *Decoder) Repairs() Repairs { return d.repairs }

// Buffered returns how many bytes were read from the connection and not yet
// decoded.
func (d *Decoder) Buffered() int { return len(d.rest()) }

// Peek returns the bytes that were read from the connection and not yet decoded.
func (d *Decoder) Peek() []byte { return d.rest() }

// Discard skips n of the bytes that Peek has returned.
func (d *Decoder) Discard(n int) { d.take(n) }

// ReadMore reads at least one byte more, or returns the reader's error.
func (d *Decoder) ReadMore() error { return d.fill() }

// Whole tells whether a packet from Asterisk was read to its end and not yet
// decoded. Decode may wait where it was not, whatever Buffered says: for the rest of a packet, or
// behind a stray empty line.
func (d *Decoder) Whole() bool {
	rest := bytes.TrimLeft(d.rest(), "\r\n")
	if len(rest) == 0 {
		return false
	}
	if bytes.HasPrefix(rest, follows) {
		return bytes.Contains(rest, endCommand)
	}
	if at := &d.buf[0]; at != d.looked || len(d.buf) != d.read {
		d.looked, d.read = at, len(d.buf)
		d.whole = bytes.LastIndex(d.buf, packetEnd)
	}
	return d.whole > len(d.buf)-len(rest)
}

// ReadLine reads one line, such as Asterisk's greeting, and returns it without its
// line end. Its errors are those of [Decoder.Decode]; the line may have MaxLine
// bytes.
func (d *Decoder) ReadLine() (string, error) {
	for {
		rest := d.rest()
		if i := bytes.IndexByte(rest[:min(len(rest), MaxLine)], '\n'); i >= 0 {
			d.take(i + 1)
			return string(trimCR(rest[:i])), nil
		}
		if len(rest) >= MaxLine {
			return "", &LimitError{Limit: LineTooLong}
		}
		if err := d.fill(); err != nil {
			return "", inside(err, len(rest) > 0)
		}
	}
}

// Decode reads the next packet into p, whose slice of headers it uses again. It
// returns io.EOF between packets, io.ErrUnexpectedEOF inside one and a
// [*LimitError] for a packet over the limits, which it has then skipped; after
// that, and after a timeout of the reader, it may be called again.
//
// p.Raw holds the packet's bytes as they came (repairs aside). It is immutable and
// the caller's to keep, as are the strings in p.Headers; either keeps up to 64 KiB
// of neighbours in memory, so copy what is kept for long. The slice p.Headers is
// valid until the next Decode into p.
//
// A header's name is all that stands before the first colon. Its value ends at a
// NUL, and what stands in front of it is left out: from Asterisk the one blank
// behind the colon, from a client all bytes up to the blank (ast_skip_blanks). So
// a value holds neither LF nor NUL, and a CR only where no LF follows. A line
// without a colon, or with nothing before it, has no Name and is all Value.
//
// An empty line from a client is a packet without headers. An answer to Command in
// the framing of Asterisk 13 and older ("Response: Follows") is one packet up to
// "--END COMMAND--", as it came; the lines of its output, and that last one, have
// no Name.
func (d *Decoder) Decode(p *codec.Packet) error {
	p.Raw, p.Headers = nil, p.Headers[:0]
	if d.side == FromClient {
		return d.decodeClient(p)
	}
	return d.decodeAsterisk(p)
}

// inside turns io.EOF in the middle of something into io.ErrUnexpectedEOF.
func inside(err error, middle bool) error {
	if errors.Is(err, io.EOF) && middle {
		return io.ErrUnexpectedEOF
	}
	return err
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// cutNUL cuts a line where C's strings end.
func cutNUL(line []byte) []byte {
	before, _, _ := bytes.Cut(line, []byte{0})
	return before
}

func isName(h codec.Header, name string) bool {
	return len(h.Name) == len(name) && strings.EqualFold(h.Name, name)
}
