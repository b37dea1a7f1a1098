package stats

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
)

var traffic = []string{"16-queue-hour.s2c", "22-queue-hour.s2c", "16-queue-hour-filtered.s2c", "22-queue-hour-filtered.s2c", "16-tour.s2c", "22-tour.s2c"}

// Whatever happens, and whatever is lost of it: what was offered is what became of it and what
// waits; what is answered is what ended and what goes on; nobody is paused longer than logged in; and what
// was taken, put together, are the figures.
func TestLaws(t *testing.T) {
	for _, name := range traffic {
		t.Run(name, func(t *testing.T) {
			packets := recorded(t, name)
			for seed := range uint64(30) {
				r := rand.New(rand.NewPCG(seed, 1))
				state, now := pbx.New(), start
				book := NewBook(utc(), state, now)
				book.Loaded(now)
				book.Take()
				written := map[string]QueueRow{}
				take := func() {
					for _, row := range book.Take().Queues {
						written[row.Queue+row.Day+string(rune(row.Of))] = row
					}
				}
				lost := 0
				for _, p := range packets {
					now = now.Add(time.Duration(r.IntN(3_000)) * time.Millisecond)
					state.Apply(p, now)
					if lost > 0 {
						if lost--; lost == 0 {
							book.Loaded(now)
						}
						continue
					}
					if seed > 0 && r.IntN(1_000) == 0 { // Asterisk is lost for a while
						book.Lost(now)
						lost = 1 + r.IntN(100)
						continue
					}
					if seed > 0 && r.IntN(20) == 0 { // an event is missed
						continue
					}
					book.Observe(p, now)
					if r.IntN(10) == 0 {
						book.Tick(now)
						take()
					}
				}
				take()
				holds(t, book, now)
				sums := map[string]*QueueTotals{}
				for _, row := range written {
					if row.Day == book.day {
						if sums[row.Queue] == nil {
							sums[row.Queue] = &QueueTotals{}
						}
						sums[row.Queue].Add(&row.Totals)
					}
				}
				for queue, sum := range sums {
					require.Equal(t, book.Queue(queue), *sum, queue)
				}
			}
		})
	}
}

func holds(t *testing.T, book *Book, now time.Time) {
	t.Helper()
	waiting, talking := map[string]int64{}, map[string]int64{}
	for _, c := range book.waiting {
		if c.hour.Day == book.day {
			waiting[strings.ToLower(c.Queue)]++
		}
	}
	for _, c := range book.talking {
		if c.hour.Day == book.day {
			talking[strings.ToLower(c.Queue)]++
		}
	}
	for _, queue := range book.Queues() {
		totals := book.Queue(queue)
		became := totals.Answered + totals.Abandoned + totals.TimedOut + totals.ExitedKey + totals.LeftEmpty + totals.Withdrawn + totals.Unknown
		require.Equal(t, totals.Offered, became+waiting[strings.ToLower(queue)], queue)
		ended := totals.CompletedByAgent + totals.CompletedByCaller + totals.Transferred
		require.GreaterOrEqual(t, totals.Answered, ended+talking[strings.ToLower(queue)], queue)
		require.GreaterOrEqual(t, totals.Abandoned, totals.ShortAbandoned)
		require.GreaterOrEqual(t, totals.Answered, totals.AnsweredInTime)
	}
	talks := map[*person]int{}
	for _, c := range book.talking {
		talks[c.person]++
	}
	for _, p := range book.people {
		require.Equal(t, talks[p], p.calls, p.name)
	}
	for a := range book.Agents(now) {
		totals := a.Totals(func(string) bool { return true })
		require.GreaterOrEqual(t, totals.LoggedIn+1, totals.Paused, a.Name)
		var paused int64
		for _, seconds := range totals.PausedFor {
			paused += seconds
		}
		require.Equal(t, totals.Paused, paused, a.Name)
		require.True(t, slices.Contains(Statuses[:], a.Status), a.Status)
	}
}

// What is no event of a queue's, or a forgery in a UserEvent, counts nothing.
func TestForgeriesCountNothing(t *testing.T) {
	f := newFloor(t)
	f.play(channel("c"))
	for _, lines := range []string{
		"Event: UserEvent|Privilege: user,all|UserEvent: x|Event: QueueCallerJoin|Queue: sales|Uniqueid: c",
		"Event: QueueCallerJoin|Privilege: agent,all|Queue: |Uniqueid: c",
		"Event: QueueCallerJoin|Privilege: agent,all|Queue: sales|Uniqueid: ",
		"Event: AgentConnect|Privilege: agent,all|Uniqueid: c",
		"Event: AgentComplete|Privilege: agent,all|Uniqueid: c|TalkTime: -5",
		"Event: AgentCalled|Privilege: agent,all|Interface: x",
		"Event: AgentRingNoAnswer|Privilege: agent,all|Interface: x",
		"Event: QueueMemberPause|Privilege: agent,all|Queue: nosuch|Interface: x|Paused: 1",
		"Event: AgentLogin|Privilege: agent,all|Agent: ",
		"Response: Success|Queue: sales|Uniqueid: c",
	} {
		p := packet(t, lines)
		require.NotEqual(t, codec.Action, p.Kind())
		f.book.Observe(p, f.now)
	}
	require.Empty(t, f.queue("sales"))
	require.Empty(t, f.book.waiting)
	require.Empty(t, f.book.talking)
	for a := range f.book.Agents(f.now) {
		require.Empty(t, figures(AgentColumns, a.Totals(func(string) bool { return true })), a.Name)
	}
}

// Members, agents of app_agent_pool and their names come and go at random, Asterisk is lost,
// the clock goes over midnights: nobody is logged in longer than it took, or paused longer than logged in, and
// what the book knows of a person is what the state says.
func TestLawsOfPeople(t *testing.T) {
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 2))
		f := newFloor(t)
		lost := false
		pick := func(of ...string) string { return of[r.IntN(len(of))] }
		for range 300 {
			before := f.now
			f.now = f.now.Add(time.Duration(r.IntN(600_000)) * time.Millisecond)
			if !lost && r.IntN(40) == 0 {
				f.book.Lost(before)
				lost = true
			}
			queue := pick("sales", "support")
			iface := "|Interface: PJSIP/" + pick("1", "2", "3")
			name := "|MemberName: " + pick("Ann", "Bob", "Pool 1")
			states := pick("PJSIP/x", "Agent:1", "Agent:2")
			more := fmt.Sprintf("|InCall: 0|Paused: %s|PausedReason: %s|LastPause: %d|LoginTime: %d", pick("0", "1"), pick("", "tea"), f.now.Unix(), f.now.Unix()-int64(r.IntN(2)))
			agent := pick("1", "2")
			login := "|Agent: " + agent + "|Channel: Local/p" + agent + "@x-1;1|Uniqueid: p" + agent
			line := pick(
				member("QueueMemberAdded", queue, iface+name, more), member("QueueMemberPause", queue, iface+name, more),
				member("QueueMemberStatus", queue, iface+name, more), member("QueueMemberRemoved", queue, iface+name, more),
				channel("p"+agent), "AgentLogin"+login, "AgentLogoff"+login,
			)
			if lost && r.IntN(8) == 0 {
				f.book.Loaded(f.now)
				lost = false
			}
			if strings.HasPrefix(line, "AgentLog") && f.state.Channel("p"+agent) == nil {
				continue
			}
			f.play(strings.Replace(line, "StateInterface: PJSIP/x", "StateInterface: "+states, 1))
			f.book.Tick(f.now)
			if lost {
				continue
			}
			f.peopleHold(seed)
		}
	}
}

func (f *floor) peopleHold(seed uint64) {
	t := f.t
	members, pools := map[string]int{}, map[string]bool{}
	for q := range f.state.Queues() {
		for _, m := range q.Members {
			require.Equal(t, m.Name, f.book.members[memberKey(q.Name, m.Interface)].person.name, seed)
			members[m.Name]++
		}
	}
	for a := range f.state.Agents() {
		pools[a.ID] = a.Channel != ""
	}
	for _, p := range f.book.people {
		require.Len(t, p.members, members[p.name], "%d %s", seed, p.name)
		loggedIn := len(p.members) > 0
		if len(p.pools) > 0 {
			loggedIn = slices.ContainsFunc(p.pools, func(id string) bool { return pools[id] })
		}
		for _, id := range p.pools {
			require.Equal(t, p, f.book.pools[id], "%d %s %s", seed, p.name, id)
		}
		require.Equal(t, loggedIn, !p.loggedIn.IsZero(), "%d %s", seed, p.name)
		require.True(t, p.paused.IsZero() || loggedIn, "%d %s", seed, p.name)
		hours := map[Hour]int64{}
		for of, totals := range p.totals {
			require.LessOrEqual(t, totals.Paused, totals.LoggedIn+60, "%d %s %v", seed, p.name, of)
			hours[of.Hour] += totals.LoggedIn
		}
		for h, n := range hours {
			require.LessOrEqual(t, n, int64(3600+30), "%d %s %v", seed, p.name, h)
		}
	}
}
