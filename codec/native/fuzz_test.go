package native_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// seed adds every n-th packet of recorded traffic with the one behind it.
func seed(f *testing.F, name string, side native.Side, n int, add func(wire []byte)) {
	f.Helper()
	packets := decodeAll(bytes.NewReader(readCorpus(f, name)), side).Packets
	for i := 0; i+1 < len(packets); i += n {
		add([]byte(packets[i].Raw + packets[i+1].Raw))
	}
}

func FuzzDecodeFromAsterisk(f *testing.F) {
	add := func(wire []byte) { f.Add(wire) }
	seed(f, "22-tour.s2c", native.FromAsterisk, 50, add)
	seed(f, "16-tour.s2c", native.FromAsterisk, 50, add)
	seed(f, "22-queue-hour.s2c", native.FromAsterisk, 500, add)
	for _, wire := range []string{
		"\r\n\nEvent: X\r\nA: 1\n2\n\r\n\n\r\nB:\x00c\r\n\r\n\r\n",
		"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\na\n\n\r\n\r\nb: c\n--END COMMAND--\r\n\r\n",
		"Response: Follows\n\r\n--END COMMAND--\r\n\r\nEvent: X\r\n\r\n",
		"support has 0 calls\r\n   No Callers\r\n\r\n\r\n",
		": a\r\n:\r\n\r\r\n\r\n\r",
	} {
		add([]byte(wire))
	}
	f.Fuzz(requireLawsFromAsterisk)
}

func FuzzDecodeFromClient(f *testing.F) {
	add := func(wire []byte) { f.Add(wire) }
	seed(f, "22-tour.c2s", native.FromClient, 10, add)
	for _, wire := range []string{
		"\xff\xfd\x03Action:\t Ping\nActionID: a\x00b\r\n\x00x\r\n\r\n\n: a\r\nb\r\n\r\n",
		"Action: Ping\r\n" + line(1025, "\r\n") + "ActionID: 1\r\n\r\n",
		"Action: Ping\r\n" + line(3000, "\n") + "ActionID: 1\r\n\r\nAction: Ping\r\n\r\n",
		strings.Repeat("K: v\n", 130) + "\n" + strings.Repeat("K: v\n", 128) + "\n",
		strings.Repeat("K: v\n", 130) + line(1026, "\n") + "\nAction: x\n\n",
	} {
		add([]byte(wire))
	}
	f.Fuzz(requireLawsFromClient)
}

// TestLawsOnMadePackets puts streams together from the pieces that matter, which
// chance alone seldom does.
func TestLawsOnMadePackets(t *testing.T) {
	pieces := []string{
		"\r\n", "\r\n", "\r\n", "\r\n\r\n", "\r\n\r\n", "\n", "\n", "\n\n", "\r", "\x00", ":", " ", "A", "A: b", "Event: X\r\n",
		"ActionID: 1\r\n", "actionid:2", "Response: Follows", "--END COMMAND--", "--END COMMAND--\r\n\r\n",
		"\xff", "\xff\xfd", "\xff\xfd\x03", "\xff\xf1", "\xff\xff",
		strings.Repeat("x", 1020), strings.Repeat("x", 1023), strings.Repeat("x", 2046), strings.Repeat("K: v\n", 126), strings.Repeat("K: v\r\n", 128),
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var wire []byte
		for range 1 + random.IntN(24) {
			wire = append(wire, pieces[random.IntN(len(pieces))]...)
		}
		requireLawsFromAsterisk(t, wire)
		requireLawsFromClient(t, wire)
	}
}

func requireLawsFromAsterisk(t *testing.T, wire []byte) {
	got := decodeAll(bytes.NewReader(wire), native.FromAsterisk)
	requireLaws(t, wire, got, native.FromAsterisk)

	// What was repaired needs no repair, and means the same.
	var out bytes.Buffer
	for _, p := range got.Packets {
		out.WriteString(p.Raw)
	}
	again := decodeAll(&out, native.FromAsterisk)
	require.Equal(t, decoded{Packets: got.Packets, End: io.EOF}, again)
}

func requireLawsFromClient(t *testing.T, wire []byte) {
	got := decodeAll(bytes.NewReader(wire), native.FromClient)
	requireLaws(t, wire, got, native.FromClient)
	if got.Repairs.Telnet > 0 {
		return
	}
	model := asteriskReads(wire)
	require.Len(t, got.Packets, len(model))
	for i, p := range got.Packets {
		require.Equal(t, packet{Headers: p.Headers, Over: p.Over, ID: p.ID}, model[i])
	}
}

// requireLaws checks what holds for packets from either side.
func requireLaws(t *testing.T, wire []byte, got decoded, side native.Side) {
	t.Helper()
	require.Equal(t, got, decodeAll(iotest.OneByteReader(bytes.NewReader(wire)), side))
	require.Equal(t, got, decodeAll(iotest.HalfReader(bytes.NewReader(wire)), side))

	var out strings.Builder
	whole := got.Repairs == native.Repairs{}
	for _, p := range got.Packets {
		if p.Over != 0 {
			whole = false
			continue
		}
		out.WriteString(p.Raw)
		requireLines(t, p)
		for _, h := range p.Headers {
			require.NotContains(t, h.Name, ":")
			require.False(t, strings.ContainsAny(h.Name+h.Value, "\n\x00"))
		}
		alone := decodeAll(strings.NewReader(p.Raw), side)
		require.Equal(t, decoded{Packets: []packet{p}, End: io.EOF}, alone)
	}
	if whole {
		require.True(t, strings.HasPrefix(string(wire), out.String()))
		require.Equal(t, errors.Is(got.End, io.EOF), out.Len() == len(wire))
	}
}

// asteriskReads is what get_input, do_message and astman_get_header of Asterisk make
// of a client's bytes, buffer and all, written anew as plainly as can be.
func asteriskReads(wire []byte) []packet {
	var (
		inbuf   []byte // at most 1,024 bytes
		lines   []string
		loss    bool // more than 128 lines
		tooLong bool
		packets []packet
	)
	for {
		for len(inbuf) < 1024 && len(wire) > 0 {
			inbuf, wire = append(inbuf, wire[0]), wire[1:]
		}
		text, rest, found := strings.Cut(string(inbuf), "\n")
		if !found {
			if len(inbuf) < 1024 {
				return packets
			}
			inbuf, tooLong = inbuf[1023:], true
			continue
		}
		inbuf = []byte(rest)
		text, _, _ = strings.Cut(strings.TrimSuffix(text, "\r"), "\x00")
		switch {
		case text != "" && len(lines) < 128:
			lines = append(lines, text)
		case text != "":
			loss = true
		default:
			p := packet{}
			for _, l := range lines {
				h := codec.Header{Value: l}
				if name, value, found := strings.Cut(l, ":"); found && name != "" {
					h = codec.Header{Name: name, Value: trimBlanks(value)}
				}
				p.Headers = append(p.Headers, h)
			}
			if loss || tooLong {
				for _, h := range p.Headers {
					if strings.EqualFold(h.Name, "ActionID") {
						p.ID = h.Value
						break
					}
				}
				p.Headers = nil
			}
			switch {
			case loss:
				p.Over = native.TooManyLines
			case tooLong:
				p.Over = native.LineTooLong
				tooLong = false
			}
			packets = append(packets, p)
			lines, loss = nil, false
		}
	}
}

// trimBlanks is ast_skip_blanks.
func trimBlanks(value string) string {
	for value != "" && value[0] < 33 {
		value = value[1:]
	}
	return value
}

// clean is what a line can carry of s.
func clean(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
}

func FuzzEncode(f *testing.F) {
	f.Add("Response", "Success", "ActionID", "1")
	f.Add("ChanVariable(Local/x@y-00000001;1)", "CAMPAIGN=", "", "text")
	f.Add("Message", "a\r\nEvent: b", "Output", "  x ")
	f.Add("", "", "A\r\n", "\x00")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		sent := headers("Event", "X", name1, value1, name2, value2)
		want := headers("Event", "X")
		var wire []byte
		for i, h := range sent {
			wire = native.AppendHeader(wire, h.Name, h.Value)
			if strings.Contains(h.Name, ":") || h.Name == "" && strings.Index(h.Value, ":") > 0 {
				t.Skip("reads as another name")
			}
			if i > 0 && h.Name+h.Value != "" {
				want = append(want, codec.Header{Name: clean(h.Name), Value: clean(h.Value)})
			}
		}
		wire = native.AppendEnd(wire)

		got := decodeAll(bytes.NewReader(wire), native.FromAsterisk)
		require.Equal(t, decoded{Packets: []packet{{Raw: string(wire), Headers: want}}, End: io.EOF}, got)

		for i, h := range want {
			if len(h.Name)+len(h.Value)+len(": \r\n") > native.MaxLine || strings.HasPrefix(h.Name+h.Value, "\xff") {
				t.Skip("not for a client to send")
			}
			if h.Name != "" {
				want[i].Value = trimBlanks(h.Value)
			}
		}
		got = decodeAll(bytes.NewReader(wire), native.FromClient)
		require.Equal(t, decoded{Packets: []packet{{Raw: string(wire), Headers: want}}, End: io.EOF}, got)
	})
}

func FuzzWithActionID(f *testing.F) {
	add := func(wire []byte) { f.Add(wire, "id") }
	seed(f, "22-tour.s2c", native.FromAsterisk, 100, add)
	seed(f, "22-tour.c2s", native.FromClient, 50, add)
	add([]byte("Event: UserEvent\r\nUserEvent: X\r\nActionID: a\r\nActionID: b\r\n\r\n"))
	add([]byte("Response: Follows\r\nActionID: 7\r\na\n\r\n--END COMMAND--\r\n\r\n"))
	add([]byte("\n\nActionID\x00: a\n\n"))
	f.Fuzz(func(t *testing.T, wire []byte, id string) {
		if len(id) > 900 {
			t.Skip("too long for a line")
		}
		for _, side := range []native.Side{native.FromAsterisk, native.FromClient} {
			var p codec.Packet
			if err := native.NewDecoder(bytes.NewReader(wire), side).Decode(&p); err != nil {
				continue
			}
			before := string(p.Raw)
			q := native.WithActionID(&p, id)
			require.Equal(t, before, string(p.Raw))
			again := codec.Packet{Raw: []byte("what was there"), Headers: make([]codec.Header, 1)}
			native.SetActionID(&again, &p, id)
			require.Equal(t, before, string(p.Raw))
			require.Equal(t, string(q.Raw), string(again.Raw))
			require.Len(t, again.Headers, len(q.Headers))
			for i := range q.Headers {
				require.Equal(t, q.Headers[i], again.Headers[i])
			}

			at := p.Index("ActionID")
			switch {
			case len(p.Headers) == 0:
				require.Empty(t, q.Headers)
				continue
			case id == "" && at >= 0:
				require.Len(t, q.Headers, len(p.Headers)-1)
			case id == "":
				require.Equal(t, p.Headers, q.Headers)
				require.Equal(t, before, string(q.Raw))
			default:
				require.Equal(t, clean(id), q.Get("ActionID"))
				require.Len(t, q.Headers, len(p.Headers)+min(1, max(0, -at)))
				if old := p.Get("ActionID"); at < 0 || old != "" && old == clean(old) {
					require.Equal(t, p.Headers, native.WithActionID(q, old).Headers)
				}
			}
			requireLines(t, packet{Raw: string(q.Raw), Headers: q.Headers})
			if len(q.Headers) == 0 || len(q.Headers) > native.MaxLines {
				continue // what was left is no packet, or one too many for a client
			}
			want := q.Clone()
			if side == native.FromClient {
				if at := q.Index("ActionID"); at >= 0 && id != "" {
					want.Headers[at].Value = trimBlanks(clean(id))
				}
			}
			got := decodeAll(bytes.NewReader(q.Raw), side)
			require.Equal(t, []packet{{Raw: string(q.Raw), Headers: want.Headers}}, got.Packets)
		}
	})
}
