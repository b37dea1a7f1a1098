package xml_test

import (
	"bytes"
	stdxml "encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/codec/xml"
)

// headers makes headers of names and values in turn.
func headers(pairs ...string) []codec.Header {
	var hs []codec.Header
	for i := 0; i < len(pairs); i += 2 {
		hs = append(hs, codec.Header{Name: pairs[i], Value: pairs[i+1]})
	}
	return hs
}

// A message is what was made of one message: its headers, or the reason why it is none.
type message struct {
	Headers []codec.Header
	Reason  string
	ID      string // of the SyntaxError
}

// A client is what reads a connection: it passes over what stands between messages, and in
// front of the next "<".
type client struct {
	splitter xml.Splitter
	buf      []byte
	messages []message
	skipped  int // bytes that Next called ErrSkipped

	// The same bytes, but those that Next has looked at are NULs: whoever looked at them again
	// would find another end. With it Next runs in time linear in the number of bytes.
	blind  xml.Splitter
	masked []byte
	looked int
}

// read takes what has come.
func (c *client) read(t testing.TB, piece []byte) {
	t.Helper()
	c.buf = append(c.buf, piece...)
	c.masked = append(c.masked, piece...)
	for {
		if !c.splitter.Skipping() {
			between, _, _ := bytes.Cut(c.buf, []byte("<"))
			c.drop(len(between))
		}
		n, err := c.splitter.Next(c.buf)
		if n2, err2 := c.blind.Next(c.masked); n2 != n || reason(err2) != reason(err) {
			require.Failf(t, "Next looked at bytes again", "%d %v, %d %v", n, err, n2, err2)
		}
		var syntax *xml.SyntaxError
		switch {
		case n == 0:
			require.NoError(t, err)
			clear(c.masked[c.looked:])
			c.looked = len(c.masked)
			return
		case errors.Is(err, xml.ErrSkipped):
			c.skipped += n
		case err != nil:
			require.ErrorAs(t, err, &syntax)
			c.messages = append(c.messages, message{Reason: syntax.Reason, ID: syntax.ActionID})
		default:
			c.messages = append(c.messages, parse(t, c.buf[:n]))
		}
		c.drop(n)
	}
}

func (c *client) drop(n int) {
	if n == 0 {
		return
	}
	c.buf, c.masked = c.buf[n:], c.masked[n:]
	copy(c.masked, c.buf[:c.looked-min(c.looked, n)]) // the next message is looked at anew
	c.looked = 0
}

func reason(err error) string {
	var syntax *xml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return syntax.Reason
	case err != nil:
		return err.Error()
	}
	return ""
}

func parse(t testing.TB, wire []byte) message {
	t.Helper()
	hs, err := xml.Parse(wire)
	if err == nil {
		return message{Headers: hs}
	}
	var syntax *xml.SyntaxError
	require.ErrorAs(t, err, &syntax)
	require.Nil(t, hs)
	return message{Reason: syntax.Reason, ID: syntax.ActionID}
}

// readAll reads pieces of a stream.
func readAll(t testing.TB, pieces ...[]byte) *client {
	t.Helper()
	c := &client{}
	for _, piece := range pieces {
		c.read(t, piece)
	}
	return c
}

func byteByByte(wire []byte) [][]byte { return slices.Collect(slices.Chunk(wire, 1)) }

// requireSame checks that two clients have read the same.
func requireSame(t testing.TB, want, got *client) {
	t.Helper()
	same := slices.EqualFunc(want.messages, got.messages, func(a, b message) bool {
		return a.Reason == b.Reason && a.ID == b.ID && slices.Equal(a.Headers, b.Headers)
	})
	if !same {
		require.Equal(t, want.messages, got.messages)
	}
	require.Equal(t, want.skipped, got.skipped)
	require.Equal(t, want.splitter.Skipping(), got.splitter.Skipping())
	require.Equal(t, string(want.buf), string(got.buf))
}

// readElement reads an element as a strict parser does, attributes in order, then children,
// and gives its name and headers.
func readElement(t testing.TB, wire []byte) (element string, hs []codec.Header) {
	t.Helper()
	d := stdxml.NewDecoder(bytes.NewReader(wire))
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			require.Equal(t, 0, depth)
			return element, hs
		}
		if err != nil {
			require.NoError(t, err, "%q", wire)
		}
		switch token := token.(type) {
		case stdxml.StartElement:
			depth++
			if depth == 1 {
				require.Empty(t, element, "a second element")
				element = token.Name.Local
				names := map[string]bool{} // encoding/xml does not look for that
				for _, a := range token.Attr {
					if names[a.Name.Local] || a.Name.Space != "" {
						require.Failf(t, "not well-formed", "attribute %v of %q", a.Name, wire)
					}
					names[a.Name.Local] = true
					hs = append(hs, codec.Header{Name: a.Name.Local, Value: a.Value})
				}
				continue
			}
			if depth != 2 || token.Name.Local != "header" || len(token.Attr) != 1 || token.Attr[0].Name.Local != "name" {
				require.Failf(t, "no header", "%q", wire)
			}
			hs = append(hs, codec.Header{Name: token.Attr[0].Value})
		case stdxml.CharData:
			if depth != 2 {
				require.Failf(t, "text in no header", "%q", wire)
			}
			hs[len(hs)-1].Value += string(token)
		case stdxml.EndElement:
			depth--
		default:
			require.Failf(t, "no element, no text", "%T", token)
		}
	}
}

// written is what a strict parser must give back of headers, written anew as
// plainly as can be.
func written(element string, hs []codec.Header) []codec.Header {
	seen := map[string]bool{}
	var attributes, children []codec.Header
	for i, h := range hs {
		folded := strings.ToLower(h.Name)
		if seen[folded] || !isASCIINCName(h.Name) || folded == "xmlns" {
			children = append(children, codec.Header{Name: carried(h.Name), Value: carried(h.Value)})
			continue
		}
		seen[folded] = true
		name := h.Name
		if i == 0 || i == 1 && element == "command" && folded == "response" {
			name = folded
		}
		attributes = append(attributes, codec.Header{Name: name, Value: carried(h.Value)})
	}
	return append(attributes, children...)
}

func isASCIINCName(name string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	return name != "" && strings.Trim(name[:1], letters) == "" && strings.Trim(name, letters+"0123456789-.") == ""
}

// carried is what XML can carry of s.
func carried(s string) string {
	if strings.ToValidUTF8(s, "") != s {
		var latin1 strings.Builder
		for i := range len(s) {
			latin1.WriteRune(rune(s[i]))
		}
		s = latin1.String()
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return 0xFFFD
		}
		return r
	}, s)
}

// corpus names the files of recorded traffic of both versions.
func corpus(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "tests", "corpus", "*.[cs]2[cs]"))
	require.NoError(t, err)
	require.Greater(t, len(paths), 10)
	return paths
}

// readPackets decodes a file of recorded traffic.
func readPackets(t testing.TB, path string) []*codec.Packet {
	t.Helper()
	wire, err := os.ReadFile(path)
	require.NoError(t, err)
	if bytes.HasPrefix(wire, []byte("Asterisk Call Manager/")) {
		_, wire, _ = bytes.Cut(wire, []byte("\r\n"))
	}
	side := native.FromAsterisk
	if strings.HasSuffix(path, ".c2s") {
		side = native.FromClient
	}
	d := native.NewDecoder(bytes.NewReader(wire), side)
	var packets []*codec.Packet
	for {
		p := &codec.Packet{}
		err := d.Decode(p)
		if errors.Is(err, codec.ErrTooLong) {
			continue
		}
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return packets
		}
		packets = append(packets, p)
	}
}
