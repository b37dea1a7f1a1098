package queuelog

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	lines, err := Parse(strings.NewReader("1795309650|Floor1-1.1|desk1|Alice 1|ATTENDEDTRANSFER|BRIDGE|0731|4|7|1\n1795309651|NONE|NONE|NONE|QUEUESTART|\n"))
	require.NoError(t, err)
	require.Len(t, lines, 2)
	l := lines[0]
	require.Equal(t, Line{time.Unix(1795309650, 0), "Floor1-1.1", "desk1", "Alice 1", "ATTENDEDTRANSFER", []string{"BRIDGE", "0731", "4", "7", "1"}}, l)
	require.Equal(t, 4, l.Seconds(l.Hold()))
	require.Equal(t, 7, l.Seconds(l.Talk()))
	require.Negative(t, lines[1].Hold())
	require.Zero(t, lines[1].Seconds(lines[1].Talk()))

	_, err = Parse(strings.NewReader("soon|a|b|c|d\n"))
	require.ErrorContains(t, err, "line 1: time")
	_, err = Parse(strings.NewReader("\n"))
	require.ErrorContains(t, err, "less than five fields")
}

// day computes the figures of lines whose times are seconds since the begin of the day,
// which is an hour long.
func day(t *testing.T, log string, change func(*Rules)) Day {
	t.Helper()
	lines, err := Parse(strings.NewReader(strings.ReplaceAll(strings.TrimSpace(log), "\t", "")))
	require.NoError(t, err)
	rules := Rules{From: time.Unix(0, 0), Until: time.Unix(3600, 0), ShortAbandon: 5, ServiceLevel: map[string]int{"q": 10}}
	if change != nil {
		change(&rules)
	}
	return Compute(lines, rules)
}

func TestQueues(t *testing.T) {
	tests := map[string]struct {
		log  string
		want Queue
	}{
		"answered in time, agent ends it": {
			"10|1|q|NONE|ENTERQUEUE||5|1\n20|1|q|Ann|CONNECT|10|x|2\n50|1|q|Ann|COMPLETEAGENT|10|30|1",
			Queue{Offered: 1, Answered: 1, HoldTime: 10, LongestHold: 10, AnsweredInTime: 1, TalkTime: 30, LongestTalk: 30, CompletedByAgent: 1},
		},
		"answered late, caller ends it": {
			"10|1|q|NONE|ENTERQUEUE||5|1\n21|1|q|Ann|CONNECT|11|x|2\n50|1|q|Ann|COMPLETECALLER|11|29|1",
			Queue{Offered: 1, Answered: 1, HoldTime: 11, LongestHold: 11, TalkTime: 29, LongestTalk: 29, CompletedByCaller: 1},
		},
		"transferred both ways": {
			"1|1|q|NONE|ENTERQUEUE||5|1\n2|1|q|Ann|CONNECT|1|x|1\n9|1|q|Ann|BLINDTRANSFER|700|in|1|7|1\n" +
				"1|2|q|NONE|ENTERQUEUE||5|1\n2|2|q|Bob|CONNECT|1|x|1\n5|2|q|Bob|ATTENDEDTRANSFER|BRIDGE|b|1|3|1",
			Queue{Offered: 2, Answered: 2, HoldTime: 2, LongestHold: 1, AnsweredInTime: 2, Transferred: 2, TalkTime: 10, LongestTalk: 7},
		},
		"abandoned": {
			"1|1|q|NONE|ENTERQUEUE||5|1\n6|1|q|NONE|ABANDON|1|1|5\n1|2|q|NONE|ENTERQUEUE||5|1\n5|2|q|NONE|ABANDON|1|1|4",
			Queue{Offered: 2, Abandoned: 2, ShortAbandoned: 1, AbandonTime: 9, LongestAbandon: 5},
		},
		"left otherwise": {
			"1|1|q|NONE|ENTERQUEUE||5|1\n2|1|q|NONE|EXITWITHTIMEOUT|1|1|1\n1|2|q|NONE|ENTERQUEUE||5|1\n2|2|q|NONE|EXITWITHKEY|5|1|1|1\n" +
				"1|3|q|NONE|ENTERQUEUE||5|1\n2|3|q|NONE|EXITEMPTY|1|1|1\n1|4|q|NONE|ENTERQUEUE||5|1\n2|4|q|NONE|WITHDRAW|1|1|1|why",
			Queue{Offered: 4, TimedOut: 1, ExitedKey: 1, LeftEmpty: 1, Withdrawn: 1},
		},
		"refused":       {"1|1|q|NONE|REFUSEDFULL|\n2|1|q|NONE|REFUSEDEMPTY|", Queue{RefusedFull: 1, RefusedEmpty: 1}},
		"queued again":  {"1|1|q|NONE|ENTERQUEUE||5|1\n3|1|q|NONE|EXITWITHTIMEOUT|1|1|2\n3|1|q|NONE|ENTERQUEUE||5|1\n9|1|q|NONE|ABANDON|1|1|6", Queue{Offered: 2, TimedOut: 1, Abandoned: 1, AbandonTime: 6, LongestAbandon: 6}},
		"over midnight": {"3590|1|q|NONE|ENTERQUEUE||5|1\n3620|1|q|Ann|CONNECT|30|x|1\n3640|1|q|Ann|COMPLETEAGENT|30|20|1", Queue{Offered: 1, Answered: 1, HoldTime: 30, LongestHold: 30, CompletedByAgent: 1, TalkTime: 20, LongestTalk: 20}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := day(t, tc.log, nil)
			require.Equal(t, map[string]*Queue{"q": &tc.want}, got.Queues)
		})
	}
}

func TestACallOfYesterdayCountsYesterday(t *testing.T) {
	got := day(t, "-10|1|q|NONE|ENTERQUEUE||5|1\n5|1|q|Ann|CONNECT|15|x|1\n25|1|q|Ann|COMPLETEAGENT|15|20|1", nil)
	require.Empty(t, got.Queues)
	require.Equal(t, 1, got.Agents["ann"].Answered, "the agent took it today")
	require.Equal(t, 20, got.Agents["ann"].TalkTime)
}

func TestDecidedLeavesShortAbandonsOut(t *testing.T) {
	q := Queue{Answered: 10, Abandoned: 4, ShortAbandoned: 3, TimedOut: 1, ExitedKey: 1, LeftEmpty: 1, Withdrawn: 1, RefusedFull: 7}
	require.Equal(t, 15, q.Decided())
}

func TestAgents(t *testing.T) {
	tests := map[string]struct {
		log  string
		who  string
		want Agent
	}{
		"rings": {
			"1|1|q|Ann|RINGNOANSWER|3000\n2|2|q|ANN|RINGCANCELED|10\n3|3|q|Ann|CONNECT|1|x|1\n8|3|q|Ann|COMPLETEAGENT|1|5|1",
			"ann",
			Agent{Answered: 1, NotAnswered: 1, Cancelled: 1, TalkTime: 5, LongestTalk: 5, PausedBy: map[string]int{}},
		},
		"in one of two queues is in": {
			"100|MANAGER|q|Ann|ADDMEMBER|\n150|MANAGER|r|Ann|ADDMEMBER|\n200|MANAGER|q|Ann|REMOVEMEMBER|\n250|MANAGER|r|Ann|REMOVEMEMBER|\n300|MANAGER|q|Ann|ADDMEMBER|",
			"ann",
			Agent{LoggedIn: 150 + 3300, Logins: 2, PausedBy: map[string]int{}},
		},
		"paused in one of two queues is not paused": {
			"0|MANAGER|q|Ann|ADDMEMBER|\n0|MANAGER|r|Ann|ADDMEMBER|\n10|NONE|q|Ann|PAUSE|lunch\n30|NONE|r|Ann|PAUSE|lunch\n60|NONE|q|Ann|UNPAUSE|\n100|MANAGER|q|Ann|REMOVEMEMBER|\n110|MANAGER|r|Ann|REMOVEMEMBER|",
			"ann",
			Agent{LoggedIn: 110, Logins: 1, Paused: 30 + 10, PausedBy: map[string]int{"lunch": 40}, Pauses: 2},
		},
		"the latest reason": {
			"0|MANAGER|q|Ann|ADDMEMBER|\n10|NONE|NONE|Ann|PAUSEALL|lunch\n10|NONE|q|Ann|PAUSE|lunch\n30|NONE|q|Ann|PAUSE|break\n35|NONE|q|Ann|UNPAUSE|\n40|MANAGER|q|Ann|REMOVEMEMBER|",
			"ann",
			Agent{LoggedIn: 40, Logins: 1, Paused: 25, PausedBy: map[string]int{"lunch": 20, "break": 5}, Pauses: 2},
		},
		"added paused, removed paused": {
			"0|MANAGER|q|Ann|ADDMEMBER|PAUSED\n40|MANAGER|q|Ann|REMOVEMEMBER|\n50|NONE|q|Ann|UNPAUSE|",
			"ann",
			Agent{LoggedIn: 40, Logins: 1, Paused: 40, PausedBy: map[string]int{"": 40}, Pauses: 1},
		},
		"a member of queues.conf": {
			"2|NONE|NONE|NONE|QUEUESTART|\n10|NONE|s|Sue|PAUSE|\n", "sue",
			Agent{LoggedIn: 3598, Logins: 1, Paused: 3590, PausedBy: map[string]int{"": 3590}, Pauses: 1},
		},
		"of app_agent_pool": {
			"-9|NONE|NONE|NONE|QUEUESTART|\n5|x|NONE|911|AGENTLOGIN|SIP/1\n10|NONE|p|Pool|PAUSE|tea\n25|x|NONE|911|AGENTLOGOFF|SIP/1|20\n",
			"pool",
			Agent{LoggedIn: 20, Logins: 1, Paused: 15, PausedBy: map[string]int{"tea": 15}, Pauses: 1},
		},
		"talk and pause over midnight": {
			"-50|MANAGER|q|Ann|ADDMEMBER|\n-40|NONE|q|Ann|PAUSE|tea\n-30|1|q|Ann|CONNECT|1|x|1\n20|1|q|Ann|COMPLETECALLER|1|50|1\n30|NONE|q|Ann|UNPAUSE|\n60|MANAGER|q|Ann|REMOVEMEMBER|",
			"ann",
			Agent{TalkTime: 20, LoggedIn: 60, Logins: 1, Paused: 30, PausedBy: map[string]int{"tea": 30}, Pauses: 1},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := day(t, tc.log, func(r *Rules) {
				r.Static = map[string][]string{"Sue": {"s"}, "Pool": {"p"}}
				r.PoolNames = map[string]string{"911": "Pool"}
			})
			require.Equal(t, &tc.want, got.Agents[tc.who])
		})
	}
}
