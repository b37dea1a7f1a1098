package downstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/codec/xml"
)

// An input is the client's bytes as they come. Owned by the goroutine of Session.Run, but
// for watched.
type input struct {
	conn    net.Conn
	arrived func()

	// watched is set by the handler while a WaitEvent waits: arrived is called
	// when bytes come, and watched taken back.
	watched atomic.Bool
}

func (in *input) Read(buf []byte) (int, error) {
	n, err := in.conn.Read(buf)
	in.arrive(n)
	return n, err
}

func (in *input) arrive(n int) {
	if n > 0 && in.watched.Load() && in.watched.Swap(false) {
		in.arrived()
	}
}

// A reader takes packets out of what a client sends: the first byte of each that is no
// white space says whether it is XML. It belongs to the goroutine of Session.Run.
type reader struct {
	*native.Decoder
	messages xml.Splitter
	xml      bool // the last packet was XML: line ends behind it are no native packets
	nul      bool // a NUL stands behind each packet, native ones too
}

// policyRequest is what Flash sends before it lets a movie connect, up to a NUL.
const policyRequest = "<policy-file-request/>"

// errPolicy says that the client has asked for the policy file.
var errPolicy = errors.New("the client has asked for the policy file")

// read reads the next packet into p. Its errors are those of [native.Decoder.Decode] and
// [*xml.SyntaxError], after which the next packet may be read, and errPolicy.
func (r *reader) read(p *codec.Packet) error {
	for {
		skip, is := begins(r.Peek(), r.xml || r.nul)
		if r.messages.Skipping() {
			skip, is = 0, xmlMessage
		}
		switch is {
		case nativePacket:
			r.Discard(skip)
			r.xml = false
			return r.Decode(p)
		case xmlMessage:
			r.Discard(skip)
			skipped, err := r.readXML(p)
			if !skipped {
				return err
			}
		case onlyBlanks:
			r.Discard(skip)
			if err := r.ReadMore(); err != nil {
				return err
			}
		}
	}
}

// What begins there.
type beginning uint8

const (
	nativePacket beginning = iota
	xmlMessage
	onlyBlanks // nothing yet that tells
)

// begins tells what data begins with, and how much of it stands before that and is nothing.
// Line ends are empty native packets, but not where they are loose: behind XML or a NUL.
func begins(data []byte, loose bool) (skip int, is beginning) {
	rest := bytes.TrimLeft(data, "\x00\t\n\v\f\r ")
	blanks := len(data) - len(rest)
	switch {
	case len(rest) == 0 && loose:
		return blanks, onlyBlanks
	case len(rest) == 0 && len(data) >= native.MaxLine:
		return 0, nativePacket // too long a line
	case len(rest) == 0:
		if line := bytes.TrimPrefix(data, []byte("\r")); len(line) > 0 && line[0] == '\n' {
			return 0, nativePacket
		}
		return 0, onlyBlanks
	case rest[0] == '<':
		return blanks, xmlMessage
	}
	// A "cmd:" in front of the "<", as the document of the classic protocol writes it.
	const mark = "cmd:"
	if n := min(len(rest), len(mark)); bytes.EqualFold(rest[:n], []byte(mark[:n])) {
		behind := bytes.TrimLeft(rest[n:], "\t ")
		switch {
		case len(behind) == 0 && len(data) < native.MaxLine:
			return 0, onlyBlanks
		case len(behind) > 0 && behind[0] == '<':
			return len(data) - len(behind), xmlMessage
		}
	}
	if loose {
		return blanks, nativePacket
	}
	return 0, nativePacket
}

// readXML reads the message that is next. skipped tells that it was nothing but the rest of one
// that was too long.
func (r *reader) readXML(p *codec.Packet) (skipped bool, err error) {
	var n int
	for {
		if n, err = r.messages.Next(r.Peek()); n > 0 {
			break
		}
		if err := r.ReadMore(); errors.Is(err, io.EOF) {
			return false, io.ErrUnexpectedEOF
		} else if err != nil {
			return false, err
		}
	}
	message := r.Peek()[:n]
	r.Discard(n)
	r.xml = true
	switch {
	case errors.Is(err, xml.ErrSkipped):
		return true, nil
	case err != nil:
		return false, err
	case string(message) == policyRequest:
		return false, errPolicy
	}
	headers, err := xml.Parse(message)
	if err != nil {
		return false, err
	}
	var b []byte
	for _, h := range headers {
		b = native.AppendHeader(b, h.Name, h.Value)
	}
	// What is too long for a native packet is too long for XML.
	return false, native.NewDecoder(bytes.NewReader(native.AppendEnd(b)), native.FromClient).Decode(p)
}

// decode reads the next packet. Half a packet before the end is no packet.
func (s *Session) decode(p *codec.Packet) error {
	var err error
	if s.direct != nil && s.reader.Buffered() == 0 {
		err = s.direct.Await(s.feed) // most of its life a session stands here
	}
	if err == nil {
		err = s.reader.read(p)
	}
	if errors.Is(err, errPolicy) && (s.profile != nil || len(s.manner.policy) == 0) {
		_, err = xml.Parse([]byte(policyRequest)) // is no command
	}
	switch {
	case err == nil || isMalformed(err) || errors.Is(err, errPolicy):
		return err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF
	}
	return fmt.Errorf("read: %w", err)
}

// isMalformed tells whether the error is about one packet, behind which the next may be
// read.
func isMalformed(err error) bool {
	_, isXML := errors.AsType[*xml.SyntaxError](err)
	return isXML || errors.Is(err, codec.ErrTooLong)
}

// feed gives the decoder what has come.
func (s *Session) feed(data []byte) {
	s.in.arrive(len(data))
	s.reader.Feed(data)
}

// Malformed answers a packet that can't be read, as do_message in main/manager.c does
// where that knows it. err is such a one of a [Request].
func Malformed(err error) []byte {
	text, id := "Failed to parse message: line too long", ""
	if wrong, ok := errors.AsType[*xml.SyntaxError](err); ok {
		text, id = wrong.Error(), wrong.ActionID
	}
	if limit, ok := errors.AsType[*native.LimitError](err); ok {
		id = limit.ActionID
		if limit.Limit == native.TooManyLines {
			text = "Too many lines in message or allocation failure"
		}
	}
	b := native.AppendHeader(make([]byte, 0, 128), "Response", "Error")
	if id != "" {
		b = native.AppendHeader(b, "ActionID", id)
	}
	return native.AppendEnd(native.AppendHeader(b, "Message", text))
}
