package native_test

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"ampd/codec/native"
)

// recorded is the traffic recorded from two real Asterisks, with what there is to
// repair: answers and TestEvents that end in CR LF CR LF CR LF, IAXnetstats' answer
// of an empty line, and messages such as "Park successful" that end in a bare LF.
var recorded = map[string]struct {
	packets int
	repairs native.Repairs
}{
	"16-tour.s2c":                {1802, native.Repairs{EmptyLines: 9, Values: 6}},
	"22-tour.s2c":                {1801, native.Repairs{EmptyLines: 9, Values: 7}},
	"16-limited.s2c":             {108, native.Repairs{}},
	"22-limited.s2c":             {108, native.Repairs{}},
	"16-queue-hour.s2c":          {6327, native.Repairs{EmptyLines: 2}},
	"22-queue-hour.s2c":          {6314, native.Repairs{EmptyLines: 5}},
	"16-queue-hour-filtered.s2c": {6140, native.Repairs{EmptyLines: 7}},
	"22-queue-hour-filtered.s2c": {5400, native.Repairs{EmptyLines: 8}},
}

// repair does to recorded traffic what the decoder should: here a bare LF stands
// only at the end of a packet's last value.
func repair(wire []byte) []byte {
	one, two := []byte("\r\n\r\n"), []byte("\r\n\r\n\r\n")
	for bytes.Contains(wire, two) {
		wire = bytes.ReplaceAll(wire, two, one)
	}
	return bytes.ReplaceAll(wire, append([]byte("\n"), one...), one)
}

func TestRecordedTrafficPassesThrough(t *testing.T) {
	for name, want := range recorded {
		t.Run(name, func(t *testing.T) {
			wire := readCorpus(t, name)
			got := decodeAll(bytes.NewReader(wire), native.FromAsterisk)
			require.Equal(t, io.EOF, got.End)
			require.Equal(t, want.repairs, got.Repairs)
			require.Len(t, got.Packets, want.packets)

			var out bytes.Buffer
			for _, p := range got.Packets {
				out.WriteString(p.Raw)
			}
			removed := int(2*want.repairs.EmptyLines + want.repairs.Values)
			require.Equal(t, len(wire)-removed, out.Len())
			require.True(t, bytes.Equal(repair(wire), out.Bytes()))

			if len(wire) < 1<<20 {
				require.Equal(t, got, decodeAll(iotest.HalfReader(bytes.NewReader(wire)), native.FromAsterisk))
				require.Equal(t, got, decodeAll(iotest.OneByteReader(bytes.NewReader(wire)), native.FromAsterisk))
			}
		})
	}
}

func TestRecordedActionsPassThrough(t *testing.T) {
	for name, packets := range map[string]int{
		"16-tour.c2s": 270, "22-tour.c2s": 262, "16-limited.c2s": 26, "22-limited.c2s": 26,
	} {
		t.Run(name, func(t *testing.T) {
			wire := readCorpus(t, name)
			got := decodeAll(bytes.NewReader(wire), native.FromClient)
			require.Equal(t, io.EOF, got.End)
			require.Zero(t, got.Repairs)
			require.Len(t, got.Packets, packets)

			var out bytes.Buffer
			for _, p := range got.Packets {
				require.Zero(t, p.Over)
				out.WriteString(p.Raw)
			}
			require.Equal(t, string(wire), out.String())

			require.Equal(t, got, decodeAll(iotest.OneByteReader(bytes.NewReader(wire)), native.FromClient))
		})
	}
}

// TestLinesBelongToHeaders holds what codec.Packet.Lines promises.
func TestLinesBelongToHeaders(t *testing.T) {
	for name := range recorded {
		for _, p := range decodeAll(bytes.NewReader(readCorpus(t, name)), native.FromAsterisk).Packets {
			requireLines(t, p)
		}
	}
}
