package main

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The limits are ratios, to the relay but for the last. They are wide enough for a machine
// that is busy with other things, and narrow enough that ampd can't become half as fast
// unnoticed. docs/performance.md has what is measured at leisure.
const (
	mostCPU200    = 2.3  // CPU a delivery, 100 clients × 200 events/s
	mostCPU1000   = 2.0  // CPU a delivery, 100 clients × 1,000 events/s
	leastSaturate = 0.35 // deliveries/s flat out, 1,000 clients
	mostPing      = 3.8  // CPU a Ping, 20 clients
	mostXML       = 1.9  // CPU a delivery, 100 clients × 1,000 events/s, to that in AMI's format
)

// tries is how often a limit may be missed before that is held against ampd.
const tries = 3

func TestNotMuchSlowerThanTheRelay(t *testing.T) {
	if underRace {
		t.Skip("the race detector would be measured")
	}
	if _, err := exec.LookPath("cc"); err != nil && os.Getenv("CI") == "" {
		t.Skip("no C compiler for the relay")
	}
	b, err := newBench(io.Discard, "", true, regexp.MustCompile(""), 5, 400*time.Millisecond)
	require.NoError(t, err)
	defer b.close()
	r, err := newRecording(nil)
	require.NoError(t, err)
	lanes := newLanes(r, mixed())

	duel := func(t *testing.T, lanes []*lane, clients int) *duel {
		d, err := b.newDuel(r, lanes, clients)
		require.NoError(t, err)
		t.Cleanup(d.close)
		return d
	}
	atMost := func(t *testing.T, limit float64, measure func() (*figures, error)) {
		var ratio spread
		for range tries {
			f, err := measure()
			require.NoError(t, err)
			ratio = ratios(f.ampd.cpu, f.other.cpu)
			t.Logf("ratio %v, at most %v", ratio, limit)
			if ratio.median() <= limit {
				return
			}
		}
		t.Errorf("ratio %v, at most %v", ratio, limit)
	}
	t.Run("fan-out", func(t *testing.T) {
		d := duel(t, lanes, 100)
		atMost(t, mostCPU200, func() (*figures, error) { return d.paced(b.rounds, 200, b.lasting) })
		atMost(t, mostCPU1000, func() (*figures, error) { return d.paced(b.rounds, 1000, b.lasting) })
	})
	t.Run("XML", func(t *testing.T) {
		d, err := b.newXMLDuel(r, 100)
		require.NoError(t, err)
		t.Cleanup(d.close)
		atMost(t, mostXML, func() (*figures, error) { return d.paced(3, 1000, 300*time.Millisecond) })
	})
	t.Run("Ping", func(t *testing.T) {
		d := duel(t, newLanes(r, []subscription{nothing()}), 20)
		atMost(t, mostPing, func() (*figures, error) { return b.ask(d, askPing) })
	})
	t.Run("saturated", func(t *testing.T) {
		everything := newLanes(r, everything())
		var ratio spread
		for range tries {
			f, err := b.saturate(r, everything, 1000)
			require.NoError(t, err)
			ratio = ratios(f.ampd.perSecond, f.other.perSecond)
			t.Logf("ratio %v, at least %v", ratio, leastSaturate)
			if ratio.median() >= leastSaturate {
				return
			}
		}
		t.Errorf("ratio %v, at least %v", ratio, leastSaturate)
	})
}
