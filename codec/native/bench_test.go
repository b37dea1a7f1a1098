package native_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

func BenchmarkDecodeFromAsterisk(b *testing.B) {
	for _, name := range []string{"22-queue-hour.s2c", "16-queue-hour.s2c", "22-tour.s2c"} {
		b.Run(name, func(b *testing.B) { benchmarkDecode(b, readCorpus(b, name), native.FromAsterisk) })
	}
}

func BenchmarkDecodeFromClient(b *testing.B) {
	for _, name := range []string{"22-tour.c2s", "16-tour.c2s"} {
		wire := bytes.Repeat(readCorpus(b, name), 40)
		b.Run(name, func(b *testing.B) { benchmarkDecode(b, wire, native.FromClient) })
	}
}

// benchmarkDecode decodes all of wire in each turn, without a connection's cost.
func benchmarkDecode(b *testing.B, wire []byte, side native.Side) {
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	var p codec.Packet
	packets := 0
	for b.Loop() {
		d := native.NewDecoder(bytes.NewReader(wire), side)
		var err error
		for err == nil {
			if err = d.Decode(&p); err == nil {
				packets++
			}
		}
		require.ErrorIs(b, err, io.EOF)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
}

// BenchmarkEncode builds the answer to a Ping.
func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	var wire []byte
	for b.Loop() {
		wire = native.AppendHeader(wire[:0], "Response", "Success")
		wire = native.AppendHeader(wire, "ActionID", "main-1-Ping")
		wire = native.AppendHeader(wire, "Ping", "Pong")
		wire = native.AppendHeader(wire, "Timestamp", "1795255561.088690")
		wire = native.AppendEnd(wire)
	}
	b.SetBytes(int64(len(wire)))
}

// BenchmarkWithActionID gives recorded answers and list items a client's ActionID.
func BenchmarkWithActionID(b *testing.B) {
	var packets []*codec.Packet
	size := 0
	d := native.NewDecoder(bytes.NewReader(readCorpus(b, "22-tour.s2c")), native.FromAsterisk)
	for {
		p := &codec.Packet{}
		if d.Decode(p) != nil {
			break
		}
		if p.Index("ActionID") >= 0 {
			packets = append(packets, p)
			size += len(p.Raw)
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range packets {
			native.WithActionID(p, "main-1-Ping")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
}
