package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
	"ampd/tests/queuelog"
)

// callback has the agent of the scene "callback-agent" beside the accounts.
var callback = fmt.Sprintf(daemon.Profiles+`
[[agent]]
id = "2001"
name = "Vera"
queues = ["help%d"]
`, firstFloor)

// shortAbandon is how long callers who did not want to wait waited at most, in seconds.
const shortAbandon = 2

// TestStatisticsAreWhatQueueLogSays has calls of every kind go through queues, asks ampd for
// the day's figures, and compares each with what queuelog computes from the file that
// Asterisk wrote itself.
func TestStatisticsAreWhatQueueLogSays(t *testing.T) {
	t.Parallel()
	calls, floors := 500, 10
	if testing.Short() {
		calls, floors = 1, 12 // each scene once
	}
	everyVersion(t, func(t *testing.T, version string) {
		began, classic := time.Now(), filepath.Join(t.TempDir(), "classic.sock")
		s := asterisk.Start(t, version, append(onFloors(t, floors), asterisk.Conf("queues.conf", "[general](+)\nlog_membername_as_agent = yes"))...)
		d := daemon.Start(t, s.Addr, daemon.Config{
			Profiles: callback,
			Listen:   fmt.Sprintf("[[listen]]\naddress = \"unix:%s\"\nresponse_first = true", classic),
			Sessions: fmt.Sprintf("\n[statistics]\nshort_abandon = \"%ds\"\ntimezone = %q", shortAbandon, noon(began)),
		})
		d.WaitReady(t)
		e := &shift{t: t, s: s, d: d, version: version, classic: "unix:" + classic, audience: watch(t, s), floors: floors}
		e.play(calls)
		e.compare(began)
	})
}

// noon is a time zone in which the day does not change for some hours: where it is noon.
func noon(now time.Time) string {
	return fmt.Sprintf("Etc/GMT%+d", now.UTC().Hour()-12) // its signs are the other way round
}

// A shift is many scenes, played on several floors at once, and what is said of them.
type shift struct {
	t        *testing.T
	s        *asterisk.Server
	d        *daemon.Daemon
	classic  string // the address where ampd speaks the classic protocol
	version  string
	audience *audience
	floors   int

	serial atomic.Int64
	calls  atomic.Int64 // to queues
	mu     sync.Mutex
	deck   []queueScene
	played int
}

// play plays scenes on all floors, each of them once and until there were so many calls.
func (e *shift) play(calls int) {
	e.t.Helper()
	seed := rand.Uint64()
	e.t.Logf("%s: the seed is %d", e.s.Version, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var done sync.WaitGroup
	var all []*floor
	for n := range e.floors {
		f := &floor{
			version: e.version, number: firstFloor + n, audience: e.audience, serial: &e.serial, calls: &e.calls,
			rand:  rand.New(rand.NewPCG(seed, uint64(n+1))),
			desks: map[string]desk{},
		}
		f.control = openWire(e.t, fmt.Sprintf("floor %d", f.number), e.s.Addr, asterisk.Ampd, "Events: off")
		if n == 0 {
			f.ampd = openWire(e.t, "a client", e.classic, asterisk.Ampd, "Type: Administrator", "Format: Asterisk", "Events: off")
		}
		all = append(all, f)
		done.Go(func() {
			for {
				scene, ok := e.next(n == 0, calls, random)
				if !ok {
					break
				}
				f.scene, f.from = scene.name, e.audience.len()
				scene.play(f)
				f.quiet()
			}
			f.scene, f.from = "the end", e.audience.len()
			for agent := range f.desks {
				f.logOff(agent)
			}
		})
	}
	done.Wait()
	for _, f := range all {
		require.NoError(e.t, f.failed)
	}
	_, _, err := all[0].control.ask("Action: UserEvent", "UserEvent: no more calls")
	require.NoError(e.t, err)
}

// next deals a scene to a floor. What only the first floor can play it plays first.
func (e *shift) next(first bool, calls int, random *rand.Rand) (queueScene, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	find := func(special bool) int {
		return slices.IndexFunc(e.deck, func(s queueScene) bool { return s.first == special })
	}
	if e.played == 0 || find(false) < 0 && int(e.calls.Load()) < calls {
		more := scenesFor(e.version)
		if find(true) >= 0 {
			more = slices.DeleteFunc(more, func(s queueScene) bool { return s.first })
		}
		random.Shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
		e.deck = append(e.deck, more...)
	}
	i := find(false)
	if special := find(true); first && special >= 0 {
		i = special
	}
	if i < 0 {
		return queueScene{}, false
	}
	scene := e.deck[i]
	e.deck = slices.Delete(e.deck, i, i+1)
	e.played++
	return scene, true
}

// settle waits until Asterisk has said, and ampd has heard, how all calls ended. It returns
// a client of ampd, and queue_log.
func (e *shift) settle() (*wire, []queuelog.Line) {
	e.t.Helper()
	e.ended(func(answered, ended int) bool { return ended >= answered })
	file, err := os.Open(filepath.Join(e.s.Dir, "log", "queue_log"))
	require.NoError(e.t, err)
	defer file.Close()
	lines, err := queuelog.Parse(file)
	require.NoError(e.t, err)
	logged := 0
	for _, l := range lines {
		if l.Talk() >= 0 {
			logged++
		}
	}
	e.ended(func(_, ended int) bool { return ended >= logged })

	client := openWire(e.t, "a client", e.d.Addr, asterisk.Ampd, "Events: user")
	control := openWire(e.t, "control", e.s.Addr, asterisk.Ampd, "Events: off")
	_, _, err = control.ask("Action: UserEvent", "UserEvent: all said")
	require.NoError(e.t, err)
	for event := ""; header(event, "UserEvent") != "all said"; {
		event, err = client.read()
		require.NoError(e.t, err)
	}
	return client, lines
}

// ended waits until there have been so many AgentConnect and AgentComplete events.
func (e *shift) ended(enough func(answered, ended int) bool) {
	e.t.Helper()
	answered, ended, over := 0, 0, false
	e.audience.await(e.t, 0, "the end of all calls", func(p asterisk.Packet) bool {
		switch p.Get("Event") {
		case "AgentConnect":
			answered++
		case "AgentComplete":
			ended++
		case "UserEvent":
			over = over || p.Get("UserEvent") == "no more calls"
		}
		return over && enough(answered, ended)
	})
}

// figures asks ampd for them: by queue, and by an agent's name in lower case.
func figures(t *testing.T, client *wire) (queues, agents map[string]asterisk.Packet) {
	t.Helper()
	_, answer, err := client.ask("Action: StatisticInfo", "ActionID: figures")
	require.NoError(t, err)
	require.Equal(t, "Success", header(answer, "Response"), "%q", answer)
	queues, agents = map[string]asterisk.Packet{}, map[string]asterisk.Packet{}
	for {
		text, err := client.read()
		require.NoError(t, err)
		item := asterisk.Packet(strings.Split(strings.TrimRight(text, "\r\n"), "\r\n"))
		switch item.Get("Event") {
		case "QueueStatistic":
			queues[item.Get("Queue")] = item
		case "AgentStatistic":
			name := strings.ToLower(item.Get("Name"))
			require.Nil(t, agents[name], "the agent %s twice", name)
			agents[name] = item
		case "StatisticInfoComplete":
			return queues, agents
		}
	}
}

// rules are what queue_log does not say of the configuration.
func (e *shift) rules(began, until time.Time) queuelog.Rules {
	rules := queuelog.Rules{
		From: began, Until: until, ShortAbandon: shortAbandon,
		ServiceLevel: map[string]int{}, Static: map[string][]string{}, PoolNames: map[string]string{},
	}
	for n := firstFloor; n < firstFloor+e.floors; n++ {
		for queue, seconds := range map[string]int{"desk": 2, "help": 1, "both": 3, "pool": 2, "crowd": 2} {
			rules.ServiceLevel[fmt.Sprintf("%s%d", queue, n)] = seconds
		}
		for member, queue := range map[string]string{"Alice": "desk", "Bob": "desk", "Ben": "both"} {
			rules.Static[fmt.Sprintf("%s %d", member, n)] = []string{fmt.Sprintf("%s%d", queue, n)}
		}
		for i := 1; i <= 2; i++ {
			id := fmt.Sprintf("9%d%d", n, i)
			rules.PoolNames[id] = "Pool Agent " + id
			rules.Static["Pool Agent "+id] = []string{fmt.Sprintf("pool%d", n)}
		}
	}
	return rules
}

// compare compares ampd's figures with queue_log's.
func (e *shift) compare(began time.Time) {
	t := e.t
	t.Helper()
	client, lines := e.settle()
	queues, agents := figures(t, client)
	until := time.Now()

	rules := e.rules(began, until)
	events := e.audience.all()
	r := reckon(t, lines, events)
	logged, want := queuelog.Compute(lines, rules), queuelog.Compute(r.told, rules)
	offered := rings(events)

	table := newTable()
	for _, name := range names(want.Queues) {
		table.addQueue(name, logged.Queues[name], want.Queues[name], queues[name])
	}
	for name, got := range queues {
		if want.Queues[name] == nil {
			require.Equal(t, "0", got.Get("Offered"), "%s, of which queue_log says nothing", name)
		}
	}
	for _, name := range names(want.Agents) {
		table.addAgent(name, logged.Agents[name], want.Agents[name], offered[name], agents[name])
	}
	t.Logf("%s: %d calls in %d scenes\n%s", e.s.Version, e.calls.Load(), e.played, table)
	t.Logf("%s: Asterisk read its clock twice, in different seconds, for %d lines:\n%s", e.s.Version, len(r.straddles), strings.Join(r.straddles, "\n"))
	t.Logf("%s: Asterisk ended %d calls twice; the end that it told first counts, this was the second:\n%s", e.s.Version, len(r.twice), strings.Join(r.twice, "\n"))
	require.Empty(t, table.wrong, "%s", strings.Join(table.wrong, "\n"))
}
