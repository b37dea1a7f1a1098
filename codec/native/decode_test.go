package native_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// ways returns readers of wire that give it in different pieces.
func ways(wire string) map[string]io.Reader {
	return map[string]io.Reader{
		"at once":           strings.NewReader(wire),
		"byte by byte":      iotest.OneByteReader(strings.NewReader(wire)),
		"in halves":         iotest.HalfReader(strings.NewReader(wire)),
		"the end with data": iotest.DataErrReader(strings.NewReader(wire)),
		"with nothing read": &idle{r: strings.NewReader(wire)},
	}
}

// An idle reader returns nothing every other time.
type idle struct {
	r    io.Reader
	turn bool
}

func (i *idle) Read(b []byte) (int, error) {
	if i.turn = !i.turn; i.turn {
		return 0, nil
	}
	return i.r.Read(b[:min(len(b), 3)])
}

func TestLimitErrorMatchesErrTooLong(t *testing.T) {
	var err error = &native.LimitError{Limit: native.LineTooLong}
	require.ErrorIs(t, err, codec.ErrTooLong)
	require.NotErrorIs(t, err, io.EOF)
}

func TestDecodeReturnsTheReadersError(t *testing.T) {
	broken := errors.New("broken")
	for _, side := range []native.Side{native.FromAsterisk, native.FromClient} {
		d := native.NewDecoder(io.MultiReader(strings.NewReader("A: b\r\n\r\nC"), iotest.ErrReader(broken)), side)
		var p codec.Packet
		require.NoError(t, d.Decode(&p))
		require.Equal(t, broken, d.Decode(&p))

		d = native.NewDecoder(&last{"A: b\r\n\r\n", broken}, side)
		require.NoError(t, d.Decode(&p))
		require.Equal(t, broken, d.Decode(&p))
	}
}

// A last reader gives its error once, with its last bytes.
type last struct {
	wire string
	err  error
}

func (l *last) Read(b []byte) (int, error) {
	n, err := copy(b, l.wire), l.err
	l.wire, l.err = "", io.EOF
	return n, err
}

// A stuttering reader gives a byte, then a timeout, in turn.
type stuttering struct {
	r    io.Reader
	turn bool
}

func (s *stuttering) Read(b []byte) (int, error) {
	if s.turn = !s.turn; s.turn {
		return 0, os.ErrDeadlineExceeded
	}
	return s.r.Read(b[:1])
}

// decodePatiently decodes all of wire through a stuttering reader and calls again
// after each timeout.
func decodePatiently(t *testing.T, wire string, side native.Side) decoded {
	t.Helper()
	d := native.NewDecoder(&stuttering{r: strings.NewReader(wire)}, side)
	var all decoded
	var p codec.Packet
	for {
		err := d.Decode(&p)
		var over *native.LimitError
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.As(err, &over):
			all.Packets = append(all.Packets, packet{Over: over.Limit, ID: over.ActionID})
		case err != nil:
			all.End, all.Repairs = err, d.Repairs()
			return all
		default:
			all.Packets = append(all.Packets, packet{Raw: string(p.Raw), Headers: p.Clone().Headers})
		}
	}
}

func TestDecodeGoesOnAfterTimeout(t *testing.T) {
	wire := "Action: Ping\r\nActionID: 1\r\n\r\n\xff\xfd\x03Action: a\n\n" +
		"ActionID: 2\r\n" + strings.Repeat("x", 1500) + "\r\nAction: b\r\n\r\n" +
		"Action: Ping\r\nActionID: 3\r\n" + strings.Repeat("K: v\r\n", 130) + "\r\nAction: c\r\n\r\n"
	require.Equal(t, decodeAll(strings.NewReader(wire), native.FromClient), decodePatiently(t, wire, native.FromClient))

	wire = "\r\nResponse: Success\r\nMessage: a\n\r\n\r\nResponse: Follows\r\nPrivilege: Command\r\nx\n\n--END COMMAND--\r\n\r\n"
	require.Equal(t, decodeAll(strings.NewReader(wire), native.FromAsterisk), decodePatiently(t, wire, native.FromAsterisk))
}

func TestWhole(t *testing.T) {
	for wire, whole := range map[string]bool{
		"":                                     false,
		"\r\n":                                 false,
		"\r\n\r\n":                             false,
		"\r\n\r\n\r":                           false,
		"Response: Success\r\n":                false,
		"\r\nResponse: Success\r\n\r":          false,
		"Response: Success\r\n\r\n":            true,
		"\r\nResponse: Success\r\n\r\n":        true,
		"\r\n\r\nResponse: Success\r\n\r\nEve": true,
		"Message: Park successful\n\r\n":       false,
	} {
		d := native.NewDecoder(strings.NewReader("Event: First\r\n\r\n"+wire), native.FromAsterisk)
		require.False(t, d.Whole()) // nothing was read yet
		require.NoError(t, d.Decode(new(codec.Packet)))
		require.Equal(t, whole, d.Whole(), "%q", wire)
	}
}

func TestReadLine(t *testing.T) {
	d := native.NewDecoder(strings.NewReader("Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n\r\nlast"), native.FromAsterisk)
	banner, err := d.ReadLine()
	require.NoError(t, err)
	require.Equal(t, "Asterisk Call Manager/11.0.0", banner)
	require.Equal(t, len("Response: Success\r\n\r\nlast"), d.Buffered())

	var p codec.Packet
	require.NoError(t, d.Decode(&p))
	require.Equal(t, headers("Response", "Success"), p.Headers)
	require.Equal(t, len("last"), d.Buffered())

	_, err = d.ReadLine()
	require.Equal(t, io.ErrUnexpectedEOF, err)
}

func TestReadLineErrors(t *testing.T) {
	_, err := native.NewDecoder(strings.NewReader(""), native.FromAsterisk).ReadLine()
	require.Equal(t, io.EOF, err)

	_, err = native.NewDecoder(strings.NewReader(strings.Repeat("x", 1023)+"\n"), native.FromAsterisk).ReadLine()
	require.NoError(t, err)
	_, err = native.NewDecoder(strings.NewReader(strings.Repeat("x", 1024)+"\n"), native.FromAsterisk).ReadLine()
	require.ErrorIs(t, err, codec.ErrTooLong)
	_, err = native.NewDecoder(&endless{left: 1 << 20}, native.FromAsterisk).ReadLine()
	require.ErrorIs(t, err, codec.ErrTooLong)
}

// TestPacketsAreNeverWrittenAgain keeps every packet of a stream and looks at them
// when all has been read, through many chunks.
func TestPacketsAreNeverWrittenAgain(t *testing.T) {
	for side, name := range map[native.Side]string{native.FromAsterisk: "22-queue-hour.s2c", native.FromClient: "22-tour.c2s"} {
		wire := readCorpus(t, name)
		want := decodeAll(bytes.NewReader(wire), side).Packets

		d := native.NewDecoder(iotest.HalfReader(bytes.NewReader(wire)), side)
		var kept []*codec.Packet
		var p codec.Packet
		for d.Decode(&p) == nil {
			kept = append(kept, p.Clone())
		}
		require.Len(t, kept, len(want))
		for i, k := range kept {
			require.Equal(t, want[i].Raw, string(k.Raw))
			require.Equal(t, want[i].Headers, k.Headers)
			require.Equal(t, len(k.Raw), cap(k.Raw), "append would write the next packet")
		}
	}
}

// TestChunks says how much room a decoder offers its reader for what was sent.
func TestChunks(t *testing.T) {
	ping := "Action: Ping\r\n\r\n"
	long := "Event: X\r\nLong: " + strings.Repeat("x", 300<<10) + "\r\n\r\n"
	tests := map[string]struct {
		side  native.Side
		wire  string
		piece int // most bytes a Read gives
		last  int // room offered to the last Read, no more than
		most  int // the most room ever offered, at least
	}{
		"a client that is silent costs little":        {native.FromClient, "", 1, 1 << 10, 1 << 10},
		"so does one that sends little at a time":     {native.FromClient, strings.Repeat(ping, 1000), len(ping), 1 << 10, 1 << 10},
		"a busy one gets larger chunks":               {native.FromClient, strings.Repeat(ping, 10000), 1 << 20, 16 << 10, 16 << 10},
		"Asterisk gets large ones":                    {native.FromAsterisk, strings.Repeat(ping, 10000), 1 << 20, 64 << 10, 64 << 10},
		"one made for a long packet is soon left":     {native.FromAsterisk, long + strings.Repeat(ping, 10), len(ping), 64 << 10, 200 << 10},
		"one made for a client's long packet is, too": {native.FromClient, strings.Repeat("K: "+strings.Repeat("v", 1000)+"\n", 128) + "\n" + ping, len(ping), 16 << 10, 64 << 10},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			offered := &offer{r: strings.NewReader(tc.wire), piece: tc.piece}
			d := native.NewDecoder(offered, tc.side)
			var p codec.Packet
			var err error
			for err == nil {
				err = d.Decode(&p)
			}
			require.Equal(t, io.EOF, err)
			require.LessOrEqual(t, offered.last, tc.last)
			require.GreaterOrEqual(t, offered.most, tc.most)
		})
	}
}

// An offer notes how much room it was offered for reading.
type offer struct {
	r          io.Reader
	piece      int
	last, most int
}

func (o *offer) Read(b []byte) (int, error) {
	o.last = len(b)
	o.most = max(o.most, len(b))
	return o.r.Read(b[:min(len(b), o.piece)])
}

// A loop reader gives the same bytes for ever.
type loop struct {
	wire []byte
	at   int
}

func (l *loop) Read(b []byte) (int, error) {
	n := copy(b, l.wire[l.at:])
	l.at = (l.at + n) % len(l.wire)
	return n, nil
}

func TestDecodeAllocatesChunksOnly(t *testing.T) {
	for side, name := range map[native.Side]string{native.FromAsterisk: "22-tour.s2c", native.FromClient: "22-tour.c2s"} {
		d := native.NewDecoder(&loop{wire: readCorpus(t, name)}, side)
		var p codec.Packet
		perPacket := testing.AllocsPerRun(5000, func() {
			if err := d.Decode(&p); err != nil {
				panic(err)
			}
		})
		require.Zero(t, perPacket) // AllocsPerRun rounds down: a chunk lasts for tens of packets or more
	}
}
