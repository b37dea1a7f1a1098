package xml_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec/xml"
)

// BenchmarkAppendElement writes recorded traffic; the bytes are those of the native packets.
func BenchmarkAppendElement(b *testing.B) {
	for _, path := range corpus(b) {
		name := filepath.Base(path)
		if !strings.HasSuffix(name, "-queue-hour.s2c") && !strings.HasSuffix(name, "-tour.s2c") {
			continue
		}
		b.Run(name, func(b *testing.B) {
			packets := readPackets(b, path)
			size := 0
			for _, p := range packets {
				size += len(p.Raw)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			wire := make([]byte, 0, 1<<20)
			for b.Loop() {
				for _, p := range packets {
					wire = xml.AppendElement(wire[:0], elementOf(p), p.Headers)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
		})
	}
}

// BenchmarkSplitter finds a message and nothing else.
func BenchmarkSplitter(b *testing.B) {
	wire := []byte(long(xml.MaxMessage))
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	var s xml.Splitter
	for b.Loop() {
		n, err := s.Next(wire)
		require.NoError(b, err)
		require.Equal(b, len(wire), n)
	}
}

func BenchmarkParse(b *testing.B) {
	wire := []byte(`<command action="originate" ActionID="main-1" channel="PJSIP/100" exten="200" context="default" priority="1" callerid="&quot;A&quot; &lt;100&gt;" async="true"><variable>a=1</variable><variable>b=2</variable></command>`)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := xml.Parse(wire)
		require.NoError(b, err)
	}
}
