package native_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// headers makes headers of names and values in turn.
func headers(pairs ...string) []codec.Header {
	var hs []codec.Header
	for i := 0; i < len(pairs); i += 2 {
		hs = append(hs, codec.Header{Name: pairs[i], Value: pairs[i+1]})
	}
	return hs
}

// A decoded is all that a decoder made of a stream.
type decoded struct {
	Packets []packet
	Repairs native.Repairs
	End     error // the first error that is no LimitError
}

// A packet is what one Decode returned.
type packet struct {
	Raw     string
	Headers []codec.Header
	Over    native.Limit // of a LimitError, and its ActionID
	ID      string
}

// decodeAll decodes r up to its end.
func decodeAll(r io.Reader, side native.Side) decoded {
	d := native.NewDecoder(r, side)
	var all decoded
	var p codec.Packet
	for {
		err := d.Decode(&p)
		var over *native.LimitError
		switch {
		case errors.As(err, &over):
			all.Packets = append(all.Packets, packet{Over: over.Limit, ID: over.ActionID})
		case err != nil:
			all.End = err
			all.Repairs = d.Repairs()
			return all
		default:
			all.Packets = append(all.Packets, packet{Raw: string(p.Raw), Headers: p.Clone().Headers})
		}
	}
}

// readCorpus returns a file of recorded traffic without Asterisk's greeting.
func readCorpus(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "tests", "corpus", name))
	require.NoError(t, err)
	if bytes.HasPrefix(b, []byte("Asterisk Call Manager/")) {
		_, b, _ = bytes.Cut(b, []byte("\r\n"))
	}
	return b
}

// requireLines checks that the i-th line of Raw is where the i-th header is from.
func requireLines(t testing.TB, p packet) {
	t.Helper()
	count := 0
	for i, line := range (&codec.Packet{Raw: []byte(p.Raw), Headers: p.Headers}).Lines() {
		h := p.Headers[i]
		text, _, _ := strings.Cut(string(line), "\x00")
		from := text == h.Value
		if h.Name != "" {
			from = strings.HasPrefix(text, h.Name+":") && strings.HasSuffix(text, h.Value)
		}
		if !from {
			require.Failf(t, "not its line", "%q: %q", text, h)
		}
		count++
	}
	require.Len(t, p.Headers, count)
}
