package stats

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A floor is an Asterisk of one's own: a state and the book beside it.
type floor struct {
	t     *testing.T
	state *pbx.State
	book  *Book
	now   time.Time
}

func utc() Config {
	c := DefaultConfig()
	c.Timezone = "UTC"
	return c
}

func newFloor(t *testing.T) *floor {
	f := &floor{t: t, state: pbx.New(), now: start}
	f.book = NewBook(utc(), f.state, start)
	f.lists("Event: QueueParams|Queue: sales|ServiceLevel: 20", "Event: QueueParams|Queue: support|ServiceLevel: 10")
	f.book.Loaded(start)
	f.book.Take()
	return f
}

func packet(t *testing.T, lines string) *codec.Packet {
	t.Helper()
	p := new(codec.Packet)
	wire := strings.ReplaceAll(lines, "|", "\r\n") + "\r\n\r\n"
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), native.FromAsterisk).Decode(p))
	return p
}

func event(t *testing.T, lines string) *codec.Packet {
	name, rest, _ := strings.Cut(lines, "|")
	return packet(t, "Event: "+name+"|Privilege: agent,all|"+rest)
}

// lists loads a QueueStatus of these items.
func (f *floor) lists(items ...string) {
	f.t.Helper()
	all := []*codec.Packet{packet(f.t, "Response: Success|EventList: start")}
	for _, item := range items {
		all = append(all, packet(f.t, item))
	}
	all = append(all, packet(f.t, "Event: QueueStatusComplete|EventList: Complete"))
	for _, q := range pbx.Questions(func(action string) bool { return action == "QueueStatus" }) {
		require.NoError(f.t, f.state.Load(q, all, f.now))
	}
}

// play has events happen. "+5" lets seconds pass; "caller" and "agent" are channels.
func (f *floor) play(lines ...string) {
	f.t.Helper()
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "+"); ok {
			var n float64
			_, err := fmt.Sscan(rest, &n)
			require.NoError(f.t, err)
			f.now = f.now.Add(time.Duration(n * float64(time.Second)))
			f.book.Tick(f.now)
			continue
		}
		p := event(f.t, line)
		f.state.Apply(p, f.now)
		f.book.Observe(p, f.now)
	}
}

func channel(uniqueid string) string {
	return "Newchannel|Channel: Local/" + uniqueid + "@x-1;1|Uniqueid: " + uniqueid + "|Linkedid: " + uniqueid + "|CallerIDNum: 0301234567|CallerIDName: <unknown>"
}

func queueApp(uniqueid, queue string) string {
	return "Newexten|Channel: Local/" + uniqueid + "@x-1;1|Uniqueid: " + uniqueid + "|Application: Queue|AppData: " + queue + ",tT,,,30"
}

func elsewhere(uniqueid string) string {
	return "Newexten|Channel: Local/" + uniqueid + "@x-1;1|Uniqueid: " + uniqueid + "|Application: NoOp|AppData: "
}

func status(uniqueid, word string) string {
	return "VarSet|Channel: Local/" + uniqueid + "@x-1;1|Uniqueid: " + uniqueid + "|Variable: QUEUESTATUS|Value: " + word
}

func hangup(uniqueid string) string {
	return "Hangup|Channel: Local/" + uniqueid + "@x-1;1|Uniqueid: " + uniqueid + "|Cause: 16"
}

func join(uniqueid, queue string) string {
	return "QueueCallerJoin|Channel: Local/" + uniqueid + "@x-1;1|Uniqueid: " + uniqueid + "|Linkedid: " + uniqueid + "|CallerIDNum: 0301234567|Queue: " + queue + "|Position: 1|Count: 1"
}

func leave(uniqueid, queue string) string {
	return "QueueCallerLeave|Channel: Local/" + uniqueid + "@x-1;1|Uniqueid: " + uniqueid + "|Queue: " + queue + "|Position: 1|Count: 0"
}

func abandon(uniqueid string, hold int) string {
	return fmt.Sprintf("QueueCallerAbandon|Channel: Local/%s@x-1;1|Uniqueid: %s|Queue: sales|Position: 1|OriginalPosition: 1|HoldTime: %d", uniqueid, uniqueid, hold)
}

const ann = "|Interface: PJSIP/ann|MemberName: Ann"

func called(uniqueid, queue, member string) string {
	return "AgentCalled|Uniqueid: " + uniqueid + "|DestUniqueid: a." + uniqueid + "|Queue: " + queue + member
}

func connect(uniqueid, queue, member string, hold int) string {
	return fmt.Sprintf("AgentConnect|Uniqueid: %s|DestUniqueid: a.%s|Queue: %s%s|HoldTime: %d|RingTime: 1", uniqueid, uniqueid, queue, member, hold)
}

func complete(uniqueid, queue, member string, talk int, reason string) string {
	return fmt.Sprintf("AgentComplete|Uniqueid: %s|DestUniqueid: a.%s|Queue: %s%s|HoldTime: 3|TalkTime: %d|Reason: %s", uniqueid, uniqueid, queue, member, talk, reason)
}

func member(event, queue, member string, more string) string {
	return event + "|Queue: " + queue + member + "|StateInterface: PJSIP/x|Membership: dynamic|CallsTaken: 0|LastCall: 0|Status: 1" + more
}

func added(queue, who string) string {
	return member("QueueMemberAdded", queue, who, "|InCall: 0|Paused: 0|PausedReason: |Wrapuptime: 10")
}

func removed(queue, who string) string { return member("QueueMemberRemoved", queue, who, "") }

func (f *floor) pause(queue, who, reason string) string {
	return member("QueueMemberPause", queue, who, fmt.Sprintf("|InCall: 0|Paused: 1|PausedReason: %s|LastPause: %d|Wrapuptime: 10", reason, f.now.Unix()))
}

func unpause(queue string) string {
	return member("QueueMemberPause", queue, ann, "|InCall: 0|Paused: 0|PausedReason: |Wrapuptime: 10")
}

// figures are those that are not 0.
func figures[T any](columns []Column[T], t T) string {
	var all []string
	for _, c := range columns {
		if n := *c.Of(&t); n != 0 {
			all = append(all, fmt.Sprintf("%s %d", c.Name, n))
		}
	}
	return strings.Join(all, ", ")
}

func (f *floor) queue(name string) string { return figures(QueueColumns, f.book.Queue(name)) }

func (f *floor) agentTotals(name string) (totals AgentTotals) {
	for a := range f.book.Agents(f.now) {
		if a.Name == name {
			return a.Totals(func(string) bool { return true })
		}
	}
	require.Fail(f.t, "no agent "+name)
	return totals
}

func (f *floor) agent(name string) string { return figures(AgentColumns, f.agentTotals(name)) }

// Each way out of a queue, in the order of events that Asterisk 16 and 22 were observed to send.
func TestOutcomes(t *testing.T) {
	tests := map[string]struct {
		events []string
		want   string
	}{
		"answered, the agent hangs up": {
			[]string{join("c", "sales"), "+3", called("c", "sales", ann), leave("c", "sales"), connect("c", "sales", ann, 3), "+7", complete("c", "sales", ann, 7, "agent"), hangup("a.c"), hangup("c")},
			"Offered 1, Answered 1, AnsweredInTime 1, CompletedByAgent 1, HoldTime 3, LongestHold 3, TalkTime 7, LongestTalk 7",
		},
		"answered too late, the caller hangs up": {
			[]string{join("c", "support"), "+11", leave("c", "support"), connect("c", "support", ann, 11), "+1", hangup("c"), complete("c", "support", ann, 1, "caller")},
			"Offered 1, Answered 1, CompletedByCaller 1, HoldTime 11, LongestHold 11, TalkTime 1, LongestTalk 1",
		},
		"transferred": {
			[]string{join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 0), "+1", elsewhere("c"), complete("c", "sales", ann, 1, "transfer"), "+9", hangup("c")},
			"Offered 1, Answered 1, AnsweredInTime 1, Transferred 1, TalkTime 1, LongestTalk 1",
		},
		"abandoned": {
			[]string{join("c", "sales"), "+6", abandon("c", 6), leave("c", "sales"), hangup("c")},
			"Offered 1, Abandoned 1, AbandonTime 6, LongestAbandon 6",
		},
		"abandoned soon": {
			[]string{join("c", "sales"), "+4", abandon("c", 4), leave("c", "sales"), hangup("c")},
			"Offered 1, Abandoned 1, ShortAbandoned 1, AbandonTime 4, LongestAbandon 4",
		},
		"redirected while waiting": {
			[]string{join("c", "sales"), "+6", abandon("c", 6), leave("c", "sales"), elsewhere("c")},
			"Offered 1, Abandoned 1, AbandonTime 6, LongestAbandon 6",
		},
		"redirected, and no event of the queue's": {
			[]string{join("c", "sales"), "+6", elsewhere("c")},
			"Offered 1, Abandoned 1, AbandonTime 6, LongestAbandon 6",
		},
		"timed out": {
			[]string{join("c", "sales"), "+6", abandon("c", 6), leave("c", "sales"), status("c", "TIMEOUT"), elsewhere("c"), hangup("c")},
			"Offered 1, TimedOut 1",
		},
		"left empty": {
			[]string{join("c", "sales"), "+6", abandon("c", 6), leave("c", "sales"), status("c", "LEAVEEMPTY"), elsewhere("c"), hangup("c")},
			"Offered 1, LeftEmpty 1",
		},
		"withdrawn": {
			[]string{join("c", "sales"), "+6", abandon("c", 6), leave("c", "sales"), status("c", "WITHDRAW"), elsewhere("c"), hangup("c")},
			"Offered 1, Withdrawn 1",
		},
		"exited by a key": {
			[]string{queueApp("c", "sales"), join("c", "sales"), "+2", queueApp("c", "sales"), leave("c", "sales"), elsewhere("c"), hangup("c")},
			"Offered 1, ExitedKey 1",
		},
		"full": {
			[]string{queueApp("c", "SALES"), status("c", "FULL"), elsewhere("c"), hangup("c")},
			"RefusedFull 1",
		},
		"joined empty": {
			[]string{queueApp("c", "sales"), status("c", "JOINUNAVAIL"), elsewhere("c"), queueApp("c", "sales"), status("c", "JOINEMPTY"), hangup("c")},
			"RefusedEmpty 2",
		},
		"QUEUESTATUS of a dialplan's own": {
			[]string{elsewhere("c"), status("c", "FULL"), queueApp("c", "nosuch"), status("c", "FULL")},
			"",
		},
		"in two queues, one after the other": {
			[]string{join("c", "sales"), "+6", abandon("c", 6), leave("c", "sales"), status("c", "TIMEOUT"), elsewhere("c"), join("c", "sales"), "+1", leave("c", "sales"), connect("c", "sales", ann, 1), status("c", "CONTINUE"), complete("c", "sales", ann, 0, "agent")},
			"Offered 2, Answered 1, AnsweredInTime 1, TimedOut 1, CompletedByAgent 1, HoldTime 1, LongestHold 1",
		},
		"waits": {[]string{join("c", "sales"), "+6"}, "Offered 1"},
		"an event that was made up says that it left": {
			[]string{join("c", "sales"), "+6", leave("c", "sales") + "|AmpdSynthetic: 1", hangup("c")},
			"Offered 1, Unknown 1",
		},
		"the end lacks its channels": {
			[]string{join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 0), "+8", "AgentComplete|Queue: sales" + ann + "|HoldTime: 0|TalkTime: 8|Reason: caller"},
			"Offered 1, Answered 1, AnsweredInTime 1, CompletedByCaller 1, TalkTime 8, LongestTalk 8",
		},
		"the end is never told": {
			[]string{join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 0), "+8", hangup("c"), "+1", "+11"},
			"Offered 1, Answered 1, AnsweredInTime 1",
		},
		"began before anybody watched": {
			[]string{complete("x", "sales", ann, 4, "agent"), "AgentComplete|Queue: sales" + ann + "|HoldTime: 3|TalkTime: 6|Reason: agent", "AgentComplete|Queue: sales" + ann + "|HoldTime: 3|TalkTime: 5|Reason: agent"},
			"Offered 3, Answered 3, AnsweredInTime 3, CompletedByAgent 3, HoldTime 9, LongestHold 3, TalkTime 15, LongestTalk 6",
		},
		"two calls of one agent": {
			[]string{
				join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 0), "+5", channel("d"), join("d", "sales"), leave("d", "sales"), connect("d", "sales", ann, 0),
				"+5", "AgentComplete|Queue: sales" + ann + "|HoldTime: 0|TalkTime: 5|Reason: caller", complete("c", "sales", ann, 10, "agent"),
			},
			"Offered 2, Answered 2, AnsweredInTime 2, CompletedByAgent 1, CompletedByCaller 1, TalkTime 15, LongestTalk 10",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t)
			f.play(channel("c"), added("support", "|Interface: PJSIP/ann|MemberName: Ann"), added("sales", ann))
			f.play(tc.events...)
			queue := "sales"
			if strings.Contains(strings.Join(tc.events, ""), "support") {
				queue = "support"
			}
			require.Equal(t, tc.want, f.queue(queue))
		})
	}
}

func TestServiceLevelLeavesShortAbandonsOut(t *testing.T) {
	totals := QueueTotals{AnsweredInTime: 6, Answered: 7, Abandoned: 4, ShortAbandoned: 2, TimedOut: 1}
	percent, ok := totals.ServiceLevel()
	require.True(t, ok)
	require.InDelta(t, 60, percent, 1e-9)
	totals = QueueTotals{Offered: 3, Abandoned: 1, ShortAbandoned: 1, Unknown: 2}
	_, ok = totals.ServiceLevel()
	require.False(t, ok)
}

func TestAgents(t *testing.T) {
	f := newFloor(t)
	f.play(
		added("sales", ann), "+10", added("support", ann), "+10", // 20 logged in, in two queues: one person
		f.pause("sales", ann, "lunch"), "+5", // still there for support
	)
	require.Equal(t, "LoggedIn 25", f.agent("Ann"))
	f.play(f.pause("support", ann, "lunch"), "+30", f.pause("support", ann, "coffee"), "+7", unpause("sales"), "+3", unpause("support"))
	require.Equal(t, "LoggedIn 65, Paused 37", f.agent("Ann"))
	require.Equal(t, map[string]int64{"lunch": 30, "coffee": 7}, f.agentTotals("Ann").PausedFor)

	f.play(channel("c"), channel("a.c"), join("c", "sales"), called("c", "sales", ann), "+4",
		"AgentRingNoAnswer|Uniqueid: c|DestUniqueid: a.c|Queue: sales"+ann+"|RingTime: 4000",
		called("c", "sales", ann), "+1", leave("c", "sales"), connect("c", "sales", ann, 5), "+20", complete("c", "sales", ann, 20, "caller"),
		"+4", called("d", "support", ann), // ends the time after the call
		"+6", removed("sales", ann), removed("support", ann), "+100")
	require.Equal(t, "LoggedIn 100, Paused 37, Offered 3, Answered 1, NotAnswered 1, TalkTime 20, LongestTalk 20, WrapUp 4", f.agent("Ann"))
	totals := f.agentTotals("Ann")
	percent, ok := totals.Occupancy()
	require.True(t, ok)
	require.InDelta(t, 100*24.0/63, percent, 1e-9)

	var did []string
	for _, e := range f.book.Activity(func(_, name string) bool { return name == "Ann" }, func(*Entry) bool { return true }) {
		did = append(did, strings.TrimSpace(fmt.Sprintf("%s %s %s %d", e.What, e.Queue, e.Reason, e.Seconds)))
	}
	require.Equal(t, []string{
		"Login sales  0", "Login support  0", "Pause sales lunch 0", "Pause support lunch 0", "Pause support coffee 0", "Unpause sales  0", "Unpause support  0",
		"Missed sales  4", "Answered sales  1", "Finished sales  20", "Logoff sales  0", "Logoff support  0",
	}, did)
}

// A caller who transfers may end a call twice. The second end lacks what it says of channels
// that are gone, and is not another call's.
func TestACallEndsOnce(t *testing.T) {
	for name, second := range map[string]string{
		"with both channels":      "|Uniqueid: c|DestUniqueid: a.c",
		"with the agent's alone":  "|DestUniqueid: a.c",
		"with the caller's alone": "|Uniqueid: c",
		"with none":               "",
	} {
		for first, then := range map[string]string{"transfer": "caller", "caller": "transfer"} {
			f := newFloor(t)
			f.play(channel("c"), join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 3), "+8", complete("c", "sales", ann, 8, first), "+0.02",
				channel("d"), join("d", "sales"), leave("d", "sales"), connect("d", "sales", ann, 3), "+1",
				"AgentComplete"+second+"|Queue: sales"+ann+"|HoldTime: 3|TalkTime: 8|Reason: "+then)
			ended := map[string]string{"transfer": "Transferred 1", "caller": "CompletedByCaller 1"}[first]
			require.Equal(t, "Offered 2, Answered 2, AnsweredInTime 2, "+ended+", HoldTime 6, LongestHold 3, TalkTime 8, LongestTalk 8", f.queue("sales"), name)
			f.play("+4", "AgentComplete|Queue: sales"+ann+"|HoldTime: 3|TalkTime: 5|Reason: agent")
			require.Equal(t, "Offered 2, Answered 2, AnsweredInTime 2, CompletedByAgent 1, "+ended+", HoldTime 6, LongestHold 3, TalkTime 13, LongestTalk 8", f.queue("sales"), name)
			f.play("+11")
			require.Empty(t, f.book.ended, name)
		}
	}
}

// Of two calls at once that end within a second the one that goes on is not taken for the other.
func TestTwoCallsAtOnceToOneAgent(t *testing.T) {
	f := newFloor(t)
	f.play(channel("c"), join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 3), "+0.5",
		channel("d"), join("d", "sales"), leave("d", "sales"), connect("d", "sales", ann, 3), "+3", complete("c", "sales", ann, 3, "agent"), "+0.4",
		"AgentComplete|Queue: sales"+ann+"|HoldTime: 3|TalkTime: 4|Reason: agent", "+60")
	require.Equal(t, "Offered 2, Answered 2, AnsweredInTime 2, CompletedByAgent 2, HoldTime 6, LongestHold 3, TalkTime 7, LongestTalk 4", f.queue("sales"))
}

// Pauses do not cut off or round up the seconds of a login that goes on.
func TestPausesLeaveTheLoginAsItIs(t *testing.T) {
	f := newFloor(t)
	f.play(added("support", ann))
	for range 10 {
		f.play("+0.6", f.pause("support", ann, "lunch"), "+0.6", unpause("support"))
	}
	require.Equal(t, "LoggedIn 12, Paused 10", f.agent("Ann"), "each pause rounded, the login not")
}

func TestWhoLeftWithoutACallIsShown(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), "+20", removed("sales", ann))
	var queues []string
	for a := range f.book.Agents(f.now) {
		for _, m := range a.Members {
			queues = append(queues, m.Queue)
		}
	}
	require.Equal(t, []string{"sales"}, queues)
	require.Equal(t, "LoggedIn 20", f.agent("Ann"))
}

func TestWrapUpEndsByItself(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), join("c", "sales"), leave("c", "sales"), connect("c", "sales", ann, 0), "+5", complete("c", "sales", ann, 5, "agent"), "+60")
	require.Equal(t, "LoggedIn 65, Answered 1, TalkTime 5, LongestTalk 5, WrapUp 10", f.agent("Ann"))
}

func TestAgentsOfThePoolAreLoggedInByTheirLogin(t *testing.T) {
	f := newFloor(t)
	pool := "|Interface: Local/1101@agents/n|MemberName: Pool 1101"
	agent := func(event string) string { return event + "|Agent: 1101|Channel: Local/p@x-1;1|Uniqueid: p" }
	f.play(strings.Replace(added("sales", pool), "PJSIP/x", "Agent:1101", 1), "+10", channel("p"), agent("AgentLogin"), "+15", strings.Replace(f.pause("sales", pool, "x"), "PJSIP/x", "Agent:1101", 1), "+5", agent("AgentLogoff"), "+10")
	require.Equal(t, "LoggedIn 20", strings.Split(f.agent("Pool 1101"), ", ")[0])
	require.Equal(t, []string{"Pool 1101"}, f.names())

	f.play(channel("q"), "AgentLogin|Agent: 1102|Channel: Local/q@x-1;1|Uniqueid: q", "+3")
	require.Equal(t, "LoggedIn 3", f.agent("Agent:1102"))
	require.Equal(t, []string{"Agent:1102", "Pool 1101"}, f.names())
	f.play(strings.Replace(added("sales", "|Interface: Local/1102@agents/n|MemberName: Pool 1102"), "PJSIP/x", "Agent:1102", 1), "+2")
	require.Equal(t, "LoggedIn 2", f.agent("Pool 1102"), "goes on under the name that it has now")
}

func (f *floor) names() (names []string) {
	for a := range f.book.Agents(f.now) {
		names = append(names, a.Name)
	}
	return names
}

// A call counts on the day on which it began, times on the day on which they passed.
func TestMidnight(t *testing.T) {
	f := newFloor(t)
	f.now = time.Date(2026, 3, 2, 23, 59, 50, 0, time.UTC)
	f.play(added("sales", ann), channel("c"), join("c", "sales"), "+4", leave("c", "sales"), connect("c", "sales", ann, 4), "+26", complete("c", "sales", ann, 26, "agent"))
	require.Empty(t, f.queue("sales"))
	require.Equal(t, "LoggedIn 20", f.agent("Ann"))
	day, since := f.book.Day()
	require.Equal(t, "2026-03-03", day)
	require.Equal(t, time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), since)

	batch := f.book.Take()
	require.Len(t, batch.Queues, 1)
	require.Equal(t, Hour{"2026-03-02", 23}, batch.Queues[0].Hour)
	require.Equal(t, "Offered 1, Answered 1, AnsweredInTime 1, CompletedByAgent 1, HoldTime 4, LongestHold 4, TalkTime 26, LongestTalk 26", figures(QueueColumns, batch.Queues[0].Totals))
	times := map[Hour]int64{}
	for _, r := range batch.Agents {
		times[r.Hour] += r.Totals.LoggedIn
	}
	require.Equal(t, map[Hour]int64{{"2026-03-02", 23}: 10, {"2026-03-03", 0}: 20}, times)
}

func TestAClockThatIsPutBackBeginsNoDayAnew(t *testing.T) {
	f := newFloor(t)
	f.now = time.Date(2026, 3, 3, 0, 0, 5, 0, time.UTC)
	f.play("+1", channel("c"), join("c", "sales"))
	f.now = f.now.Add(-time.Hour)
	f.play("+1", abandon("c", 7), hangup("c"))
	require.Equal(t, "Offered 1, Abandoned 1, AbandonTime 7, LongestAbandon 7", f.queue("sales"))
}

// What was under way when Asterisk was lost is known where it goes on, and unknown where not.
func TestLoss(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), channel("d"), channel("e"), channel("a.e"),
		join("c", "sales"), join("d", "sales"), join("e", "sales"), leave("e", "sales"), connect("e", "sales", ann, 0), "+10")
	f.book.Lost(f.now)
	f.now = f.now.Add(30 * time.Second)
	require.Equal(t, "LoggedIn 10, Answered 1", f.agent("Ann"))
	require.Equal(t, 30*time.Second, f.book.Gap(f.now))
	for _, gone := range []string{"d", "e", "a.e"} {
		f.state.Apply(event(t, hangup(gone)), f.now)
	}
	f.state.Apply(event(t, member("QueueMemberStatus", "sales", ann, fmt.Sprintf("|InCall: 0|Paused: 0|PausedReason: |LoginTime: %d", start.Unix()))), f.now)
	f.book.Loaded(f.now)
	f.play("+5", abandon("c", 45), leave("c", "sales"), hangup("c"))
	require.Equal(t, "Offered 3, Answered 1, AnsweredInTime 1, Abandoned 1, Unknown 1, AbandonTime 45, LongestAbandon 45", f.queue("sales"))
	require.Equal(t, "LoggedIn 45, Answered 1", f.agent("Ann"), "Asterisk's LoginTime tells that the agent never went")
	require.Equal(t, 30*time.Second, f.book.Gap(f.now))
}

// Who was logged in before ampd started is counted from the login, or from the beginning of
// the day.
func TestLoggedInBeforeTheStart(t *testing.T) {
	f := &floor{t: t, state: pbx.New(), now: start}
	f.book = NewBook(utc(), f.state, start)
	listed := func(name string, login, paused time.Time) string {
		s := fmt.Sprintf("Event: QueueMember|Queue: sales|Name: %s|Location: PJSIP/%s|StateInterface: x|Membership: static|LoginTime: %d|InCall: 0|Status: 1|Paused: 0|PausedReason: ", name, name, login.Unix())
		if !paused.IsZero() {
			s = strings.Replace(s, "Paused: 0|PausedReason: ", fmt.Sprintf("Paused: 1|PausedReason: tea|LastPause: %d", paused.Unix()), 1)
		}
		return s
	}
	f.lists("Event: QueueParams|Queue: sales|ServiceLevel: 20",
		listed("early", start.Add(-48*time.Hour), time.Time{}), listed("today", start.Add(-time.Hour), start.Add(-10*time.Minute)), listed("none", time.Unix(0, 0), time.Time{}))
	f.book.Loaded(f.now)
	f.play("+1")
	require.Equal(t, "LoggedIn 32401", f.agent("early"))
	require.Equal(t, "LoggedIn 3601, Paused 601", f.agent("today"))
	require.Equal(t, "LoggedIn 1", f.agent("none"))
}

// What is written down and read again is what went on.
func TestRestore(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), f.pause("sales", ann, "tea"), "+60", unpause("sales"), channel("c"), channel("d"), channel("a.d"),
		join("c", "sales"), join("d", "sales"), leave("d", "sales"), connect("d", "sales", ann, 0), "+10")
	past := &Past{Since: start, Until: f.now}
	for range f.book.Agents(f.now) { // counts up to now
	}
	b := f.book.Take()
	past.Queues, past.Agents, past.Entries, past.Calls = b.Queues, b.Agents, b.Entries, b.Calls

	f.now = f.now.Add(20 * time.Second)
	f.book = NewBook(utc(), f.state, f.now)
	f.book.Restore(past)
	f.state.Apply(event(t, member("QueueMemberStatus", "sales", ann, fmt.Sprintf("|InCall: 1|Paused: 0|PausedReason: |LoginTime: %d", start.Unix()))), f.now)
	f.book.Loaded(f.now)
	f.play("+10", complete("d", "sales", ann, 40, "caller"), abandon("c", 40), leave("c", "sales"), hangup("c"))
	require.Equal(t, "Offered 2, Answered 1, AnsweredInTime 1, Abandoned 1, CompletedByCaller 1, AbandonTime 40, LongestAbandon 40, TalkTime 40, LongestTalk 40", f.queue("sales"))
	require.Equal(t, "LoggedIn 100, Paused 60, Answered 1, TalkTime 40, LongestTalk 40", f.agent("Ann"))
	require.Equal(t, map[string]int64{"tea": 60}, f.agentTotals("Ann").PausedFor)
	require.Equal(t, 20*time.Second, f.book.Gap(f.now))
	require.Len(t, f.book.Activity(func(_, name string) bool { return name == "Ann" }, func(*Entry) bool { return true }), 5)
}

func TestTakeGivesEachThingOnce(t *testing.T) {
	f := newFloor(t)
	f.play(added("sales", ann), channel("c"), join("c", "sales"))
	b := f.book.Take()
	require.Len(t, b.Calls, 1)
	require.Equal(t, None, b.Calls[0].Outcome)
	require.Equal(t, "0301234567", b.Calls[0].Number)
	require.Len(t, b.Entries, 1)
	require.Equal(t, &Batch{}, f.book.Take())
	f.play("+5", abandon("c", 5), hangup("c"), "DialEnd|Channel: PJSIP/ann-1|Uniqueid: x|Exten: +49301234567|DestUniqueid: y|DialStatus: ANSWER")
	b = f.book.Take()
	require.Equal(t, Abandoned, b.Calls[0].Outcome)
	require.Equal(t, int64(5), b.Calls[0].Wait)
	require.Equal(t, []Reached{{"301234567", f.now}}, b.Reached)
	require.Empty(t, b.Entries)
}

// Thousands of calls, a day later, leave nothing but totals.
func TestNothingGrows(t *testing.T) {
	f := newFloor(t)
	const bob = "|Interface: PJSIP/bob|MemberName: Bob"
	f.play(added("sales", bob))
	for i := range 3_000 {
		id := fmt.Sprint(i)
		f.play(channel(id), queueApp(id, "sales"), join(id, "sales"))
		switch i % 3 {
		case 0:
			f.play(called(id, "sales", bob), leave(id, "sales"), connect(id, "sales", bob, 0), complete(id, "sales", bob, 1, "agent"))
		case 1:
			f.play(abandon(id, 0), leave(id, "sales"), status(id, "TIMEOUT"))
		}
		f.play(elsewhere(id), hangup(id))
	}
	require.Empty(t, f.book.waiting)
	require.Empty(t, f.book.talking)
	require.LessOrEqual(t, len(f.book.people["bob"].entries), 2*entriesMost)
	require.Len(t, f.book.Activity(func(string, string) bool { return true }, func(*Entry) bool { return true }), entriesMost)
	f.play("+86400", "+86400")
	require.Empty(t, slices.Collect(maps.Keys(f.book.queues["sales"].hours)))
	require.Empty(t, f.book.people["bob"].entries)
}

func TestReasonsOfPausesAreBounded(t *testing.T) {
	f := newFloor(t)
	f.play(added("support", ann))
	for i := range 3 * reasonsMost {
		f.play(f.pause("support", ann, fmt.Sprint("reason ", i)), "+1")
	}
	f.play(unpause("support"))
	totals := f.agentTotals("Ann")
	require.Equal(t, int64(3*reasonsMost), totals.Paused)
	require.Len(t, totals.PausedFor, reasonsMost+1)
	require.Equal(t, int64(2*reasonsMost), totals.PausedFor["other"])
}

// A history says until when it knows: what nobody saw is a gap also after a restart.
func TestKnown(t *testing.T) {
	later := start.Add(time.Hour)
	f := newFloor(t)
	require.Equal(t, later, f.book.Known(later))
	f.book.Lost(start.Add(time.Minute))
	require.Equal(t, start.Add(time.Minute), f.book.Known(later))
	f.book.Loaded(start.Add(2 * time.Minute))
	require.Equal(t, later, f.book.Known(later))

	fresh := NewBook(utc(), pbx.New(), start)
	require.Zero(t, fresh.Known(later), "nothing was known ever")
	fresh.Restore(&Past{Since: start.Add(-time.Hour), Until: start.Add(-time.Minute)})
	require.Equal(t, start.Add(-time.Minute), fresh.Known(later), "as before the restart, until Asterisk is there")
}
