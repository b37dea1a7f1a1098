package tests

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/simulator"
	"ampd/tests/daemon"
	"ampd/tests/faultproxy"
)

// TestHostileFloodOfActions has one client send actions as fast as ampd takes them, those
// that go to Asterisk and those that ampd answers itself, and measures what an action of
// another's takes meanwhile. Promised: at most twice as long as without the flood. The way
// to Asterisk takes a tenth of a second, so that what is measured is who waits for whom, on a
// machine that has more to do as on one that has not.
func TestHostileFloodOfActions(t *testing.T) {
	const way = 100 * time.Millisecond
	rounds := longer(3, 15)
	pbx := simulated(t, simulator.Config{})
	far := faultproxy.Listen(t, pbx)
	far.Set(faultproxy.Client, faultproxy.Line{Delay: way})
	s := besiege(t, daemon.Config{Plain: true, Upstream: "action_connections = 8"}, far.Addr, pbx, goodOnes)
	s.awaitMetricOf(t, actionConnections, 8)
	before := s.holds(t)
	w := openWire(t, "other", s.Addr, intruding, "Events: off")
	median := func(action ...string) time.Duration {
		var took []time.Duration
		for range 5 {
			began := time.Now()
			_, answer, err := w.ask(action...)
			require.NoError(t, err)
			require.Equal(t, "Success", header(answer, "Response"))
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	for name, action := range map[string]string{
		"of Asterisk's": "Action: CoreStatus\r\n\r\n",
		"of ampd's own": "Action: Ping\r\n\r\n",
		"refused":       "Action: Command\r\nCommand: core stop now\r\n\r\n",
	} {
		text := strings.Repeat(action, 500)
		var ratios, pings []float64
		for range rounds {
			without, ping := median("Action: CoreStatus"), median("Action: Ping")

			flooder := s.intruder(t, "Events: off")
			go func() { // until it is closed
				for flooder.text(text) == nil {
				}
			}()
			answers := make(chan int64, 1)
			go func() { // likewise
				n, _ := io.Copy(io.Discard, flooder.reader)
				answers <- n
			}()
			with, pingWith := median("Action: CoreStatus"), median("Action: Ping")
			flooder.Close()
			require.Positive(t, <-answers)
			ratios = append(ratios, float64(with)/float64(without))
			pings = append(pings, float64(pingWith)/float64(ping))
		}
		slices.Sort(ratios)
		slices.Sort(pings)
		// What a Ping takes, less than a millisecond, is a matter of who gets the processor.
		t.Logf("a flood %s: an action of another's takes %.2f times as long, %.2f to %.2f; a Ping %.2f times",
			name, ratios[rounds/2], ratios[0], ratios[rounds-1], pings[rounds/2])
		require.LessOrEqual(t, ratios[rounds/2], 2.0)
	}
	refused := metric(t, s.Daemon, `ampd_actions_total{result="refused"}`)
	require.LessOrEqual(t, s.sentences("action refused"), 100*longer(3, 15), "of %d refusals of so many sessions", refused)
	w.Close()
	s.lift(t, before)
}
