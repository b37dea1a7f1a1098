package native_test

import (
	"bytes"
	"testing"

	"ampd/codec/native"
)

func TestX(t *testing.T) {
	for _, f := range []string{"16-tour.s2c", "22-tour.s2c", "16-limited.s2c", "22-limited.s2c", "16-queue-hour.s2c", "22-queue-hour.s2c", "16-queue-hour-filtered.s2c", "22-queue-hour-filtered.s2c"} {
		b := readCorpus(t, f)
		d := decodeAll(bytes.NewReader(b), native.FromAsterisk)
		n := 0
		for _, p := range d.Packets {
			n += len(p.Raw)
		}
		t.Log(f, len(b), len(b)-n, d.Repairs, len(d.Packets), d.End)
	}
	for _, f := range []string{"16-tour.c2s", "22-tour.c2s", "16-limited.c2s", "22-limited.c2s"} {
		b := readCorpus(t, f)
		d := decodeAll(bytes.NewReader(b), native.FromClient)
		n := 0
		for _, p := range d.Packets {
			n += len(p.Raw)
		}
		t.Log(f, len(b), len(b)-n, d.Repairs, len(d.Packets), d.End)
	}
}
