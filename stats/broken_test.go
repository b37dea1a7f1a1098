package stats

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A member that gets another name (a queue's reload) is another person from then on.
func TestARenamedMemberGoesOnAsAnother(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), "+10", member("QueueMemberStatus", "sales", strings.Replace(ann, "Ann", "Anna", 1), "|InCall: 0|Paused: 0|PausedReason: "), "+100")
	require.Equal(t, "LoggedIn 10", f.agent("Ann"))
	require.Equal(t, "LoggedIn 100", f.agent("Anna"))
	require.Equal(t, "Unavailable", f.status("Ann"))
	require.Equal(t, "Idle", f.status("Anna"))
}

func (f *floor) status(name string) string {
	for a := range f.book.Agents(f.now) {
		if a.Name == name {
			return a.Status
		}
	}
	return "unknown"
}

func poolMember(event, iface, name, states string) string {
	return strings.Replace(member(event, "sales", "|Interface: "+iface+"|MemberName: "+name, "|InCall: 0|Paused: 0|PausedReason: "), "PJSIP/x", states, 1)
}

// An agent of app_agent_pool is one person at a time.
func TestAnAgentOfThePoolChangesHands(t *testing.T) {
	f := newFloor(t)
	login := "AgentLogin|Agent: 1101|Channel: Local/p@x-1;1|Uniqueid: p"
	f.play(channel("p"), login, "+10", poolMember("QueueMemberAdded", "Local/1101@agents/n", "Pool 1101", "Agent:1101"), "+100")
	require.Equal(t, "LoggedIn 10", f.agent("Agent:1101"))
	require.Equal(t, "LoggedIn 100", f.agent("Pool 1101"))

	// Twice is no more than once.
	f.play(login, "AgentLogoff|Agent: 1101|Channel: Local/p@x-1;1|Uniqueid: p", "+100")
	require.Equal(t, "LoggedIn 100", f.agent("Pool 1101"))

	// The member becomes an ordinary one: it is logged in by being a member.
	f.play(poolMember("QueueMemberStatus", "Local/1101@agents/n", "Pool 1101", "PJSIP/desk"), "+5")
	require.Equal(t, "LoggedIn 105", f.agent("Pool 1101"))
}

// Of two agents of the pool that are one person each logs in and off for itself.
func TestOnePersonTwoAgentsOfThePool(t *testing.T) {
	f := newFloor(t)
	f.play(poolMember("QueueMemberAdded", "Local/1@agents", "Ann", "Agent:1"), poolMember("QueueMemberAdded", "Local/2@agents", "Ann", "Agent:2"),
		"AgentLogin|Agent: 1", "+10", poolMember("QueueMemberStatus", "Local/2@agents", "Bob", "Agent:2"), "+10")
	require.Equal(t, "LoggedIn 20", f.agent("Ann"))
	require.Empty(t, f.agent("Bob"), "its agent of the pool has not logged in")
}

// An event that comes twice, or a call whose end was missed, keeps nobody talking.
func TestNobodyTalksForEver(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), channel("a.c"), join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 0), connect("c", "sales", ann, 0),
		"+5", complete("c", "sales", ann, 5, "agent"), hangup("a.c"), "+60")
	require.Equal(t, "Offered 1, Answered 1, AnsweredInTime 1, CompletedByAgent 1, TalkTime 5, LongestTalk 5", f.queue("sales"))
	require.Equal(t, "Idle", f.status("Ann"))

	// Without its Uniqueid the agent's channel is known by the caller's, who may come again.
	nameless := strings.NewReplacer("|DestUniqueid: a.c", "")
	for range 2 {
		f.play(join("c", "sales"), leave("c", "sales"), nameless.Replace(connect("c", "sales", ann, 0)), "+20")
	}
	f.play(hangup("c"), "+20", "+20")
	require.Equal(t, "Idle", f.status("Ann"))
	require.Empty(t, f.book.talking)
}

// A call that was answered while nobody watched is counted once.
func TestAnsweredWhileNobodyWatched(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), channel("d"), channel("e"), join("c", "sales"), join("d", "sales"), join("e", "sales"), "+10")
	f.book.Lost(f.now)
	f.now = f.now.Add(10 * time.Second)
	for _, id := range []string{"c", "d", "e"} {
		f.state.Apply(event(t, leave(id, "sales")), f.now)
	}
	f.book.Loaded(f.now)
	f.play("+20", complete("c", "sales", ann, 25, "caller"), hangup("c"), elsewhere("d"), "+1", hangup("e"), hangup("d"))
	require.Equal(t, "Offered 3, Answered 1, AnsweredInTime 1, Unknown 2, CompletedByCaller 1, HoldTime 3, LongestHold 3, TalkTime 25, LongestTalk 25", f.queue("sales"))
	require.Equal(t, "LoggedIn 31, Answered 1, TalkTime 25, LongestTalk 25", f.agent("Ann"))
}

// Who left and joined again while nobody watched is offered twice; who stayed is not.
func TestJoinedAgainWhileNobodyWatched(t *testing.T) {
	f := newFloor(t)
	f.play(channel("c"), channel("d"), join("c", "sales"), join("d", "sales"), "+30")
	f.book.Lost(f.now)
	f.now = f.now.Add(30 * time.Second)
	for _, e := range []string{leave("c", "sales"), join("c", "sales")} {
		f.state.Apply(event(t, e), f.now)
	}
	f.now = f.now.Add(5 * time.Second)
	f.book.Loaded(f.now)
	require.Equal(t, "Offered 3, Unknown 1", f.queue("sales"))
	f.play("+10", abandon("c", 15), hangup("c"), abandon("d", 75), hangup("d"))
	require.Equal(t, "Offered 3, Abandoned 2, Unknown 1, AbandonTime 90, LongestAbandon 75", f.queue("sales"))
}

// A call that its agent has parked goes on also if Asterisk is lost meanwhile.
func TestAParkedCallOutlivesALoss(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), channel("a.c"), join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 3), "+5", hangup("a.c"), "+5")
	f.book.Lost(f.now)
	f.now = f.now.Add(30 * time.Second)
	f.book.Loaded(f.now)
	f.play("+60", "AgentComplete|Uniqueid: c|Queue: sales"+ann+"|HoldTime: 3|TalkTime: 100|Reason: caller", hangup("c"))
	require.Equal(t, "Offered 1, Answered 1, AnsweredInTime 1, CompletedByCaller 1, HoldTime 3, LongestHold 3, TalkTime 100, LongestTalk 100", f.queue("sales"))
}

// What belongs to a day that is no longer held is not counted on another one.
func TestDaysThatAreNotHeld(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), channel("d"), channel("a.d"), join("c", "sales"), join("d", "sales"), leave("d", "sales"), connect("d", "sales", ann, 3), removed("sales", ann), removed("sales", "|Interface: PJSIP/nobody"))
	for range 3 * 24 {
		f.play("+3600")
	}
	f.play(complete("d", "sales", ann, 3*86400, "agent"), abandon("c", 3*86400), hangup("c"))
	require.Empty(t, f.queue("sales"))
	for _, q := range f.book.queues {
		require.Empty(t, q.hours)
	}

	f.play("+86400", "+86400")
	require.Equal(t, "unknown", f.status("Ann"))

	past := &Past{Since: start, Until: start.Add(time.Minute), Calls: []Call{
		{Queue: "sales", Uniqueid: "x", Joined: start}, {Queue: "sales", Uniqueid: "y", Joined: start, Outcome: Answered, Answered: start, Agent: "Ann", Channel: "a.y"},
	}}
	f.book = NewBook(utc(), f.state, f.now)
	f.book.Restore(past)
	f.book.Loaded(f.now)
	require.Empty(t, f.queue("sales"))
	require.Len(t, f.book.Take().Calls, 2, "it is known of the calls that they have ended")
}

// Nobody is logged in for more hours of a day than it has.
func TestALossOfDays(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), "+3600")
	f.book.Lost(f.now)
	for range 5 * 24 {
		f.now = f.now.Add(time.Hour)
		f.book.Tick(f.now)
	}
	f.state.Apply(event(t, member("QueueMemberStatus", "sales", ann, fmt.Sprintf("|InCall: 0|Paused: 0|PausedReason: |LoginTime: %d", start.Unix()))), f.now)
	f.book.Loaded(f.now)
	f.play("+1")
	require.Equal(t, "LoggedIn 36001", f.agent("Ann"))
}

// A clock that was years ahead does not keep the statistics waiting for years.
func TestAClockThatWasAhead(t *testing.T) {
	f := newFloor(t)
	f.book = NewBook(utc(), f.state, start.AddDate(5, 0, 0))
	f.book.Loaded(start.AddDate(5, 0, 0))
	f.play(added("sales", ann), "+5", channel("c"), join("c", "sales"), "+6", abandon("c", 6), hangup("c"))
	require.Equal(t, "Offered 1, Abandoned 1, AbandonTime 6, LongestAbandon 6", f.queue("sales"))
	require.Equal(t, "LoggedIn 11", f.agent("Ann"))
	day, since := f.book.Day()
	require.Equal(t, "2026-03-02", day)
	require.False(t, since.After(f.now), since)
}

// A day begins where the hours before it end, in all zones and at every hour.
func TestDaysFollowEachOther(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "America/Santiago", "Asia/Beirut", "Asia/Kathmandu", "Africa/Casablanca", "Atlantic/Azores", "America/Sao_Paulo"} {
		for _, reset := range []int{0, 1, 2, 3, 23} {
			c := NewCalendar(Config{Timezone: zone, ResetHour: reset})
			for d := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2019; d = d.AddDate(0, 0, 1) {
				day := d.Format(time.DateOnly)
				begin, err := c.Begin(day)
				require.NoError(t, err)
				if c.Hour(begin).Day != day || c.Hour(begin.Add(-1)).Day != c.Before(day) {
					t.Errorf("%s %d: %s begins at %s: %v after %v", zone, reset, day, begin, c.Hour(begin), c.Hour(begin.Add(-1)))
				}
				next, _ := c.Begin(d.AddDate(0, 0, 1).Format(time.DateOnly))
				require.True(t, next.Equal(c.End(begin)), "%s %d: %s ends at %s, want %s", zone, reset, day, c.End(begin), next)
			}
		}
	}
}

// put is a moment at which the clock was put by so much: what time.Now would return (time.Time
// has the seconds of the clock from its 31st bit on, and apart from them those that passed).
func put(t time.Time, by time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(by/time.Second) << 30
	return t
}

// Times are those that passed, in the hours that the clock shows, however it is put meanwhile.
func TestTheClockIsPut(t *testing.T) {
	real := time.Now()
	real = real.Add(-time.Duration(real.Nanosecond()))
	real = put(real, start.Sub(real))
	require.True(t, real.Equal(start))
	for by, want := range map[time.Duration]map[Hour]int64{
		-2 * time.Hour:   {{"2026-03-02", 7}: 1740, {"2026-03-02", 9}: 60},
		3 * time.Hour:    {{"2026-03-02", 12}: 1740, {"2026-03-02", 9}: 60},
		30 * time.Hour:   {{"2026-03-03", 15}: 1740, {"2026-03-02", 9}: 60},
		-100 * time.Hour: {{"2026-02-26", 5}: 1740},
	} {
		f := newFloor(t)
		f.now = real
		f.play(added("sales", ann), "+60")
		f.now = put(f.now, by)
		for range 29 {
			f.play("+60")
		}
		passed := map[Hour]int64{}
		for of, totals := range f.book.people["ann"].totals {
			passed[of.Hour] += totals.LoggedIn
		}
		require.Equal(t, want, passed, by)
	}
}

// A member of whom nobody knew has a status once it is called.
func TestWhoIsCalledHasAStatus(t *testing.T) {
	f := newFloor(t)
	f.play("AgentCalled|Queue: sales"+ann, "AgentRingNoAnswer|Queue: sales|Interface: PJSIP/bob|MemberName: Bob|RingTime: 0")
	require.Equal(t, "Unavailable", f.status("Ann"))
	require.Equal(t, "Unavailable", f.status("Bob"))
}

// The end of a call of which nobody knew is not that of another one of the agent's; but a Local channel that is
// optimized away leaves the agent another channel than the one that AgentConnect named (handle_local_optimization_end
// in apps/app_queue.c).
func TestTheEndOfAnUnknownCall(t *testing.T) {
	f := newFloor(t)
	f.play(channel("c"), join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 3), "+5",
		"AgentComplete|DestUniqueid: a.x|Queue: sales"+ann+"|HoldTime: 3|TalkTime: 600|Reason: caller", "+5", complete("c", "sales", ann, 10, "agent"))
	require.Equal(t, "Offered 2, Answered 2, AnsweredInTime 2, CompletedByAgent 1, CompletedByCaller 1, HoldTime 6, LongestHold 3, TalkTime 610, LongestTalk 600", f.queue("sales"))

	for _, caller := range []string{"", "|Uniqueid: d"} {
		f = newFloor(t)
		f.play(channel("d"), join("d", "sales"), leave("d", "sales"), connect("d", "sales", ann, 3), "+5",
			"AgentComplete"+caller+"|DestUniqueid: real|Queue: sales"+ann+"|HoldTime: 4|TalkTime: 5|Reason: caller")
		require.Equal(t, "Offered 1, Answered 1, AnsweredInTime 1, CompletedByCaller 1, HoldTime 3, LongestHold 3, TalkTime 5, LongestTalk 5", f.queue("sales"), caller)
	}
}

// What a history says twice, or of a time that is to come because the clock was put back, does no harm.
func TestAPastThatIsWrong(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), channel("a.c"), channel("d"))
	later := f.now.Add(time.Hour)
	call := Call{Queue: "sales", Uniqueid: "c", Joined: start, Outcome: Answered, Answered: start, Agent: "Ann", Channel: "a.c", Interface: "PJSIP/ann"}
	wait := Call{Queue: "sales", Uniqueid: "d", Joined: start}
	f.book = NewBook(utc(), f.state, f.now)
	f.book.Restore(&Past{Since: start, Until: later, Calls: []Call{call, call, wait, wait}, Agents: []AgentRow{{Hour: Hour{"2026-03-02", 9}, Agent: "Ann", Until: later}}})
	f.state.Apply(event(t, member("QueueMemberStatus", "sales", ann, fmt.Sprintf("|InCall: 0|Paused: 0|PausedReason: |LoginTime: %d", start.Unix()))), f.now)
	f.book.Loaded(f.now)
	require.Empty(t, f.book.Take().Gaps)
	f.play("+10", complete("c", "sales", ann, 10, "agent"), hangup("d"))
	require.Equal(t, "Idle", f.status("Ann"))
	require.Equal(t, "LoggedIn 10, TalkTime 10, LongestTalk 10", f.agent("Ann"))
	require.Empty(t, f.book.waiting)
	require.Empty(t, f.book.talking)
}

func TestStatusOf(t *testing.T) {
	for _, tc := range []struct{ device, inCall, paused, want string }{
		{"0", "0", "0", "Idle"},
		{"1", "0", "0", "Idle"},
		{"1", "0", "1", "Paused"},
		{"5", "0", "1", "Paused"},
		{"4", "0", "0", "Unavailable"},
		{"5", "", "", "Unavailable"},
		{"6", "0", "1", "Ringing"},
		{"7", "0", "0", "Talking"},
		{"2", "0", "1", "Talking"},
		{"1", "1", "0", "Talking"},
		{"", "", "", "Unavailable"},
	} {
		require.Equal(t, tc.want, StatusOf(tc.device, tc.inCall, tc.paused), tc)
	}
}
