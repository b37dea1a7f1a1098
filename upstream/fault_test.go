package upstream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"ampd/tests/faultproxy"
)

// faults are what happens to a link at each place of what is said on it.
var faults = []struct {
	name   string
	do     func(*faultproxy.Link)
	change func(*Config)
	lasts  time.Duration // until all is as it was
	may    []string      // what ampd may say in Asterisk's place
	every  int           // so many places make one test
}{
	{
		name: "cut", do: (*faultproxy.Link).Cut, lasts: 5 * time.Second,
		may: []string{textLost, textUnconnected}, every: 1,
	},
	{
		name: "half-open", do: (*faultproxy.Link).Hush, lasts: 200 * time.Second,
		may: []string{textLost, textUnconnected, textTimeout, textBusy}, every: 5,
	},
	{
		name: "nothing reaches Asterisk", do: func(l *faultproxy.Link) { l.Set(faultproxy.Client, faultproxy.Line{Still: true}) },
		lasts: 200 * time.Second,
		may:   []string{textLost, textUnconnected, textTimeout, textBusy}, every: 5,
	},
	{
		name: "nothing reaches ampd", do: func(l *faultproxy.Link) { l.Set(faultproxy.Server, faultproxy.Line{Still: true}) },
		lasts: 200 * time.Second,
		may:   []string{textLost, textUnconnected, textTimeout, textBusy}, every: 5,
	},
	{name: "silence that passes", do: hushFor(4 * time.Second), lasts: 5 * time.Second, every: 5},
	{
		name: "silence beyond the deadline", do: hushFor(25 * time.Second), lasts: 100 * time.Second,
		change: func(cfg *Config) {
			cfg.ActionTimeout, cfg.PingInterval, cfg.ConnectTimeout = seconds(8), seconds(60), seconds(30)
		},
		may: []string{textLost, textUnconnected, textTimeout, textBusy}, every: 5,
	},
}

// hushFor has a link say nothing for some time, and then go on.
func hushFor(d time.Duration) func(*faultproxy.Link) {
	return func(l *faultproxy.Link) {
		l.Hush()
		time.AfterFunc(d, func() {
			l.Set(faultproxy.Client, faultproxy.Line{})
			l.Set(faultproxy.Server, faultproxy.Line{})
		})
	}
}

// Of each fault each place makes a test, with -short but a few of them.
func TestFaultsAtEachByte(t *testing.T) {
	findCalm(t)
	for _, f := range faults {
		for connections, links := range calm.said {
			for number, said := range links {
				for _, from := range []faultproxy.Side{faultproxy.Client, faultproxy.Server} {
					every := f.every
					if testing.Short() {
						every = said[from]/4 + 1
					}
					name := fmt.Sprintf("%s, %d action connections, link %d, from %v", f.name, connections, number, from)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						count := map[string]int{}
						for place := rand.IntN(every); place <= said[from]; place += every {
							change := func(cfg *Config) {
								cfg.ActionConnections = connections
								if f.change != nil {
									f.change(cfg)
								}
							}
							trap := faultproxy.Trap{Link: number, From: from, Bytes: place, Do: f.do}
							var sprung <-chan struct{}
							inTrouble(t, change, func(p *faultproxy.Proxy) { sprung = p.Trap(trap) }, func(x *trouble) {
								defer func() {
									if x.t.Failed() {
										x.t.Logf("place %d: %v", place, x.logs.All())
									}
								}()
								x.faultBetweenRounds(f.lasts, f.may, count)
								select {
								case <-sprung:
									count["tests"]++
								default:
									count["tests in which the place did not come"]++
								}
							})
							if t.Failed() {
								break
							}
						}
						t.Log(count)
						require.Positive(t, count["tests"])
					})
				}
			}
		}
	}
}

// faultBetweenRounds has all errands done twice. In the first round, or in front of it, a
// fault occurs; after some time nothing is left of it.
func (x *trouble) faultBetweenRounds(lasts time.Duration, may []string, count map[string]int) {
	x.untilReady()
	x.round()
	x.sleep(lasts)
	x.untilReady()
	x.sleep(5 * time.Second) // the lesser connections
	x.atRest()
	x.round()
	x.atRest()
	for _, e := range errands {
		outcome := x.outcome(0, e.name)
		count[outcome]++
		require.True(x.t, outcome == "" || slices.Contains(may, outcome), "%s: %s", e.name, outcome)
		require.Empty(x.t, x.outcome(1, e.name), e.name)
	}
	require.LessOrEqual(x.t, x.logs.FilterLevelExact(zapcore.WarnLevel).Len(), 1)
}
