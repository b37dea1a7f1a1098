package upstream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
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
	every  int           // of so many places one is tried, in a long text of three times as many
}{
	{
		name: "cut", do: (*faultproxy.Link).Cut, lasts: 5 * time.Second,
		may: []string{textLost, textUnconnected}, every: 1,
	},
	{
		name: "half-open", do: (*faultproxy.Link).Hush, lasts: 200 * time.Second,
		may: []string{textLost, textUnconnected, textTimeout, textBusy}, every: 25,
	},
	{
		name: "nothing reaches Asterisk", do: func(l *faultproxy.Link) { l.Set(faultproxy.Client, faultproxy.Line{Still: true}) },
		lasts: 200 * time.Second,
		may:   []string{textLost, textUnconnected, textTimeout, textBusy}, every: 25,
	},
	{
		name: "nothing reaches ampd", do: func(l *faultproxy.Link) { l.Set(faultproxy.Server, faultproxy.Line{Still: true}) },
		lasts: 200 * time.Second,
		may:   []string{textLost, textUnconnected, textTimeout, textBusy}, every: 25,
	},
	{name: "silence that passes", do: hushFor(4 * time.Second), lasts: 5 * time.Second, every: 25},
	{
		name: "silence beyond the deadline", do: hushFor(25 * time.Second), lasts: 100 * time.Second,
		change: func(cfg *Config) {
			cfg.ActionTimeout, cfg.PingInterval, cfg.ConnectTimeout = seconds(8), seconds(60), seconds(30)
		},
		may: []string{textLost, textUnconnected, textTimeout, textBusy}, every: 25,
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

// With -short a few places are tried, another few each time.
func TestFaultsAtEachByte(t *testing.T) {
	findCalm(t)
	for _, f := range faults {
		for connections, links := range calm.said {
			for number, said := range links {
				for _, from := range []faultproxy.Side{faultproxy.Client, faultproxy.Server} {
					every := f.every
					if said[from] > 8000 { // most of it events, all alike
						every *= 3
					}
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

// What has not come to its end when ampd stops gets a moment for that, and an answer.
func TestStopAtEachByte(t *testing.T) {
	findCalm(t)
	for _, hush := range []bool{false, true} {
		for connections, links := range calm.said {
			for number, said := range links {
				for _, from := range []faultproxy.Side{faultproxy.Client, faultproxy.Server} {
					every := 10
					if testing.Short() {
						every = said[from]/4 + 1
					}
					name := fmt.Sprintf("silent: %t, %d action connections, link %d, from %v", hush, connections, number, from)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						for place := rand.IntN(every); place <= said[from] && !t.Failed(); place += every {
							var now <-chan struct{}
							trap := faultproxy.Trap{Link: number, From: from, Bytes: place, Do: func(l *faultproxy.Link) {
								if hush {
									l.Hush()
								}
							}}
							inTrouble(t, with(connections), func(p *faultproxy.Proxy) { now = p.Trap(trap) }, func(x *trouble) {
								defer func() {
									if x.t.Failed() {
										x.t.Logf("place %d: %v", place, x.logs.All())
									}
								}()
								x.stopAt(now)
							})
						}
					})
				}
			}
		}
	}
}

// stopAt stops the client at the time, or behind a round of errands.
func (x *trouble) stopAt(now <-chan struct{}) {
	for {
		if x.isReady() && x.rounds == 0 {
			x.send()
		}
		select {
		case <-now:
		case <-time.After(10 * time.Millisecond):
			if x.rounds == 0 || len(x.answerTo(callName(0, "call"))) == 0 {
				x.gather()
				continue
			}
		}
		break
	}
	began := time.Now()
	x.stopped = true
	x.stop()
	require.LessOrEqual(x.t, time.Since(began), x.c.cfg.Load().ShutdownGrace.Std()+logoffWait)
}

// Without an action connection an action gets its error when it is clear that there is
// none to be had.
func TestNoActionConnectionToBeHad(t *testing.T) {
	findCalm(t)
	for name, do := range map[string]func(*faultproxy.Link){"cut": (*faultproxy.Link).Cut, "silent": (*faultproxy.Link).Hush} {
		t.Run(name, func(t *testing.T) {
			inTrouble(t, nil, nil, func(x *trouble) {
				x.untilReady()
				x.sleep(time.Second) // it may be that with the first of its action connections
				x.atRest()
				var down atomic.Bool
				down.Store(true)
				for n := range 200 {
					x.network.Trap(faultproxy.Trap{Link: 4 + n, From: faultproxy.Server, Bytes: 10, Do: func(l *faultproxy.Link) {
						if down.Load() {
							do(l)
						}
					}})
				}
				for _, link := range x.network.Links()[1:] {
					link.Cut()
				}
				x.sleep(time.Second)
				for range 3 {
					x.round()
					x.sleep(time.Minute)
				}
				x.gather()
				for n := range 3 {
					for _, e := range errands {
						require.Equal(x.t, textUnconnected, x.outcome(n, e.name), e.name)
					}
				}
				require.LessOrEqual(x.t, x.logs.FilterLevelExact(zapcore.WarnLevel).Len(), 3, "one for each")
				down.Store(false)
				x.sleep(time.Minute)
				x.atRest()
				x.round()
				for _, e := range errands {
					require.Empty(x.t, x.outcome(3, e.name), e.name)
				}
				for _, line := range x.told {
					require.NotContains(x.t, line, "lost:")
				}
			})
		})
	}
}

// More comes than the line takes, so that Asterisk cuts it.
func TestLineThatIsTooNarrow(t *testing.T) {
	findCalm(t)
	inTrouble(t, nil, func(p *faultproxy.Proxy) { p.Set(faultproxy.Server, faultproxy.Line{Rate: 20_000}) }, func(x *trouble) {
		x.untilReady()
		for n := range 3000 {
			x.event(fmt.Sprintf("flood %d\r\nPad: %s", n, strings.Repeat("x", 900)))
			x.sleep(time.Millisecond)
		}
		x.sleep(5 * time.Minute)
		require.NotZero(x.t, x.logs.FilterMessage("lost Asterisk").Len())
		x.round()
		x.sleep(time.Minute)
		x.atRest()
		for _, e := range errands {
			require.Empty(x.t, x.outcome(0, e.name), e.name)
		}
	})
}

// Nothing is lost where all comes, however slowly.
func TestPoorLines(t *testing.T) {
	findCalm(t)
	for name, line := range map[string]faultproxy.Line{
		"byte by byte":    {Chunk: 1},
		"200 ms each way": {Delay: 200 * time.Millisecond},
		"1 kB/s":          {Rate: 1000},
		"all of it":       {Chunk: 7, Delay: 100 * time.Millisecond, Rate: 3000},
	} {
		for _, connections := range []int{0, 1, 3} {
			t.Run(fmt.Sprintf("%s, %d action connections", name, connections), func(t *testing.T) {
				t.Parallel()
				inTrouble(t, with(connections), func(p *faultproxy.Proxy) {
					p.Set(faultproxy.Client, line)
					p.Set(faultproxy.Server, line)
				}, func(x *trouble) {
					for n := range 3 {
						x.untilReady()
						x.round()
						x.sleep(20 * time.Second)
						x.atRest()
						for _, e := range errands {
							require.Empty(x.t, x.outcome(n, e.name), e.name)
						}
					}
					require.Zero(x.t, x.logs.FilterLevelExact(zapcore.WarnLevel).Len())
					require.Len(x.t, x.network.Links(), 1+connections)
				})
			})
		}
	}
}

// One client's life in which one fault follows another.
func TestFaultsWithoutEnd(t *testing.T) {
	findCalm(t)
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	places := []string{"Event: ", "Response: ", "ActionID: ", "\r\n\r\n", "EventList: ", "Action: ", "UserEvent: "}
	inTrouble(t, nil, nil, func(x *trouble) {
		var armed atomic.Bool
		for range rounds {
			for range 1 + chance.IntN(2) {
				do := faults[chance.IntN(4)].do
				x.network.Trap(faultproxy.Trap{
					Link: -1, From: faultproxy.Side(chance.IntN(2)),
					After: places[chance.IntN(len(places))], Bytes: chance.IntN(100),
					Do: func(l *faultproxy.Link) {
						if armed.Load() {
							do(l)
						}
					},
				})
			}
			x.untilReady()
			armed.Store(true)
			x.round()
			armed.Store(false)
			x.sleep(200 * time.Second)
			x.untilReady()
			x.sleep(5 * time.Second) // the lesser connections
			x.atRest()
		}
		x.sleep(idLinger)
		x.round()
		x.atRest()
		for _, e := range errands {
			require.Empty(x.t, x.outcome(rounds, e.name), e.name)
		}
		x.c.ids.mu.Lock()
		defer x.c.ids.mu.Unlock()
		require.Empty(x.t, x.c.ids.byID, "ActionIDs remembered")
	})
}
