package pbx

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"ampd/codec"
	"ampd/codec/native"
)

// FuzzApplyAndLoad takes bytes as an Asterisk's: each packet as an event, then all of
// them as a list. Whatever they are, nothing panics, states are sound, and law 1
// holds.
func FuzzApplyAndLoad(f *testing.F) {
	m := maker{rand.New(rand.NewPCG(1, 1))}
	for range 40 {
		wire := ""
		for range 10 {
			wire += m.event() + "\r\n"
		}
		f.Add([]byte(wire))
	}
	for _, name := range []string{"22-tour.s2c", "16-tour.s2c"} {
		wire := readCorpus(f, name)
		for from := 0; from+20000 < len(wire); from += 60000 {
			f.Add(wire[from : from+20000])
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		d := native.NewDecoder(bytes.NewReader(wire), native.FromAsterisk)
		s := world(t)
		first := s.Clone()
		var packets []*codec.Packet
		for {
			var p codec.Packet
			if d.Decode(&p) != nil {
				break
			}
			if bytes.ContainsRune(bytes.ReplaceAll(p.Raw, []byte("\r\n"), nil), '\r') {
				continue // no line that is written can hold it
			}
			p.Headers = append([]codec.Header(nil), p.Headers...)
			packets = append(packets, &p)
			s.Apply(&p, start)
		}
		requireSound(t, s)
		requireMissed(t, first, s, start)
		list := s.Clone()
		if err := list.Load(SnapshotOf(AllObjects), answered(t, packets), start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		requireSound(t, list)
		requireMissed(t, s, list, start.Add(time.Second))
		for range list.Snapshot(AllObjects, "id", start) {
		}
	})
}
