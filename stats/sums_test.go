package stats

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/pbx"
)

func (f *floor) queueSum(name string) (sums QueueSums) {
	f.t.Helper()
	queues, _ := f.book.Sums(f.now)
	i := slices.IndexFunc(queues, func(s QueueSums) bool { return s.Name == name })
	require.GreaterOrEqual(f.t, i, 0, name)
	return queues[i]
}

func (f *floor) agentSum(name string) (sums AgentSums) {
	f.t.Helper()
	_, agents := f.book.Sums(f.now)
	i := slices.IndexFunc(agents, func(s AgentSums) bool { return s.Name == name })
	require.GreaterOrEqual(f.t, i, 0, name)
	return agents[i]
}

// Sums go on where the figures of a day begin anew, are forgotten, or were restored.
func TestSumsAreCountedSinceTheStart(t *testing.T) {
	f := newFloor(t)
	call := func(id string) {
		f.play(channel(id), join(id, "sales"), "+3", called(id, "sales", ann), leave(id, "sales"), connect(id, "sales", ann, 3), "+7", complete(id, "sales", ann, 7, "agent"), hangup(id))
	}
	f.play(added("sales", ann))
	call("c")
	const queue, agent = "Offered 1, Answered 1, AnsweredInTime 1, CompletedByAgent 1, HoldTime 3, LongestHold 3, TalkTime 7, LongestTalk 7",
		"LoggedIn 10, Offered 1, Answered 1, TalkTime 7, LongestTalk 7"
	require.Equal(t, queue, figures(QueueColumns, f.queueSum("sales").Totals))
	require.Equal(t, agent, figures(AgentColumns, f.agentSum("Ann").Totals))
	require.Empty(t, figures(QueueColumns, f.queueSum("support").Totals), "a queue is there from the start")

	past := &Past{Since: start, Until: f.now}
	f.book.Agents(f.now)(func(Agent) bool { return true }) // counts up to now
	b := f.book.Take()
	past.Queues, past.Agents = b.Queues, b.Agents

	f.play("+86400", "+86400", "+86400")
	require.Empty(t, f.queue("sales"))
	call("d")
	require.Equal(t, "Offered 2, Answered 2, AnsweredInTime 2, CompletedByAgent 2, HoldTime 6, LongestHold 3, TalkTime 14, LongestTalk 7",
		figures(QueueColumns, f.queueSum("sales").Totals))

	f.now, f.book = past.Until, NewBook(utc(), f.state, past.Until)
	f.book.Restore(past)
	f.book.Loaded(f.now)
	require.Equal(t, queue, f.queue("sales"))
	require.Equal(t, agent, f.agent("Ann"))
	require.Empty(t, figures(QueueColumns, f.queueSum("sales").Totals))
	require.Empty(t, figures(AgentColumns, f.agentSum("Ann").Totals))
	sales := f.queueSum("sales")
	require.Equal(t, [...]int64{1, 1}, [...]int64{sales.InTime, sales.Decided}, "today's service level goes on")
}

func TestSumsLeaveOutTimesBeforeTheStart(t *testing.T) {
	f := &floor{t: t, state: pbx.New(), now: start}
	f.book = NewBook(utc(), f.state, start)
	f.now = start.Add(2500 * time.Millisecond) // Asterisk was not there at once
	f.lists("Event: QueueParams|Queue: sales|ServiceLevel: 20", fmt.Sprintf(
		"Event: QueueMember|Queue: sales|Name: Ann|Location: PJSIP/ann|StateInterface: x|LoginTime: %d|InCall: 0|Status: 1|Paused: 1|LastPause: %d", start.Add(-time.Hour).Unix(), start.Add(-time.Minute).Unix()))
	f.book.Loaded(f.now)
	f.play("+10")
	require.Equal(t, "LoggedIn 3612, Paused 72", f.agent("Ann"))
	require.Equal(t, "LoggedIn 12, Paused 12", figures(AgentColumns, f.agentSum("Ann").Totals))
}

// Whenever one looks, and whenever the Book counts what has passed, a sum does not go back.
func TestSumsNeverFall(t *testing.T) {
	for seed := range uint64(30) {
		sumsNeverFall(t, rand.New(rand.NewPCG(seed, 2)))
	}
}

func sumsNeverFall(t *testing.T, chance *rand.Rand) {
	t.Helper()
	f := newFloor(t)
	f.play("+0.7", added("sales", ann))
	var before AgentTotals
	for i := range 500 {
		f.now = f.now.Add(time.Duration(chance.Int64N(int64(3 * time.Second))))
		if i%40 == 0 { // seconds are rounded where an hour ends
			f.now = f.book.calendar.next(f.now).Add(-time.Duration(chance.Int64N(int64(5 * time.Second))))
		}
		switch i % 10 {
		case 2:
			f.play(f.pause("sales", ann, "tea"))
		case 5:
			f.play(unpause("sales"))
		case 7:
			f.book.Tick(f.now)
		case 8:
			f.agent("Ann") // counts up to now
		case 9:
			f.book.Lost(f.now)
			f.book.Loaded(f.now)
		}
		totals := f.agentSum("Ann").Totals
		for _, c := range AgentColumns {
			if *c.Of(&totals) < *c.Of(&before) {
				require.Failf(t, c.Name, "%d after %d", *c.Of(&totals), *c.Of(&before))
			}
		}
		before = totals
	}
	require.NotZero(t, before.Paused)
	require.Equal(t, f.agent("Ann"), figures(AgentColumns, f.agentSum("Ann").Totals))
}

func TestSumsTellWhatIsThere(t *testing.T) {
	f := newFloor(t)
	const bob = "|Interface: PJSIP/bob|MemberName: Bob"
	f.play(added("sales", ann), added("support", ann), added("sales", bob), f.pause("sales", bob, "tea"),
		channel("c"), join("c", "sales"), "+7", channel("d"), join("d", "sales"), "+2")
	sales := f.queueSum("sales")
	require.True(t, sales.There)
	require.Equal(t, 2, sales.Waiting)
	require.Equal(t, 9*time.Second, sales.LongestWait)
	require.Equal(t, [...]int{0, 0, 1, 1, 0}, sales.Members)
	require.Equal(t, [...]int{0, 0, 1, 0, 0}, f.agentSum("Ann").Statuses)
	require.Equal(t, [...]int{0, 0, 0, 1, 0}, f.agentSum("Bob").Statuses)
	f.play(removed("sales", ann), removed("support", ann), removed("sales", bob))
	require.Zero(t, f.agentSum("Ann").Statuses)
	f.lists("Event: QueueParams|Queue: support|ServiceLevel: 10")
	require.False(t, f.queueSum("sales").There)
}

// However many names come and go, there are no more of them, each once, and nothing is missing.
func TestSumsAreOfABoundedNumberOfNames(t *testing.T) {
	tests := map[string]func(n int) string{
		"all different":          func(n int) string { return fmt.Sprintf("queue %d", n) },
		"one called as the rest": func(n int) string { return []string{Rest, fmt.Sprint(n)}[min(n, 1)] },
		"no UTF-8":               func(n int) string { return fmt.Sprintf("%d caf\xe9", n) },
	}
	for name, called := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t)
			const n = QueuesMost + 20
			for day := range 2 {
				for i := range n {
					id := fmt.Sprintf("%d.%d", day, i)
					queue := called(i)
					f.play(channel(id), join(id, queue), abandon(id, 0), hangup(id), added(queue, "|Interface: PJSIP/"+queue), removed(queue, "|Interface: PJSIP/"+queue))
				}
				f.play("+86400")
			}
			queues, agents := f.book.Sums(f.now)
			require.LessOrEqual(t, len(queues), QueuesMost+1)
			require.Len(t, agents, n)
			names, offered := map[string]int{}, int64(0)
			for _, q := range queues {
				names[q.Name]++
				offered += q.Totals.Offered
			}
			require.Len(t, names, len(queues))
			require.Contains(t, names, Rest)
			require.Equal(t, int64(2*n), offered)
			require.Positive(t, f.queueSum(Rest).Totals.Offered)
		})
	}
}

func TestNamesOfSumsAreUTF8AndOnce(t *testing.T) {
	s := newSums[QueueTotals](10)
	of := map[string]int{}
	for _, name := range []string{"Café", "caf\xe9", "CAFÉ", "other", Rest, "sales", "SALES", ""} {
		of[name] = s.of(name)
	}
	require.Equal(t, map[string]int{"Café": 0, "caf\xe9": 0, "CAFÉ": 0, "other": 1, Rest: 2, "sales": 3, "SALES": 3, "": 4}, of)
	require.Equal(t, []int{0, 1, 2, 3, 4}, slices.Sorted(maps.Values(s.index)))
}
