package tests

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/queuelog"
)

// A reckoning is what Asterisk's events say beside its queue_log.
type reckoning struct {
	told      []queuelog.Line // with the seconds of the events
	straddles []string        // calls of which Asterisk read its clock twice, in different seconds
	twice     []string        // calls that Asterisk ended twice
}

// reckon finds the event of each line of a queue_log, and the other way round. Asterisk
// computes the seconds of the two apart, so that they differ by one where its clock went on
// between them. A caller who transfers may end a call twice, by the transfer and by hanging
// up: the end that is told first counts.
func reckon(t require.TestingT, lines []queuelog.Line, events []asterisk.Packet) *reckoning {
	r := &reckoning{}
	events = slices.DeleteFunc(slices.Clone(events), func(p asterisk.Packet) bool {
		return !slices.Contains([]string{"AgentConnect", "AgentComplete", "QueueCallerAbandon"}, p.Get("Event"))
	})
	agents := map[string]string{} // the channels of agents, by their callers'
	talking := map[string]bool{}
	type end struct{ line, event int }
	ends := map[string]end{}
	for _, l := range lines {
		l.Data = slices.Clone(l.Data)
		// find takes the first event about the line's call away from those that are left.
		find := func(name string, is func(asterisk.Packet) bool) (asterisk.Packet, int) {
			i := slices.IndexFunc(events, func(p asterisk.Packet) bool {
				return p.Get("Event") == name && p.Get("Queue") == l.Queue && is(p)
			})
			require.GreaterOrEqual(t, i, 0, "no %s for the line %v", name, l)
			p := events[i]
			events[i] = nil
			return p, i
		}
		var event asterisk.Packet
		ofCall := func(p asterisk.Packet) bool { return p.Get("Uniqueid") == l.Call }
		switch l.Event {
		case "CONNECT":
			event, _ = find("AgentConnect", ofCall)
			agents[l.Call], talking[l.Call] = event.Get("DestUniqueid"), true
		case "ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "WITHDRAW":
			event, _ = find("QueueCallerAbandon", ofCall)
		case "COMPLETEAGENT", "COMPLETECALLER", "BLINDTRANSFER", "ATTENDEDTRANSFER":
			var i int
			event, i = find("AgentComplete", func(p asterisk.Packet) bool {
				return p.Get("Reason") == reasons[l.Event] && ended(p, l, agents[l.Call])
			})
			if !talking[l.Call] {
				first := &r.told[ends[l.Call].line]
				if i < ends[l.Call].event { // told first, logged second
					*first, l = l, *first
				}
				r.twice = append(r.twice, fmt.Sprintf("%s %s %s", l.Call, l.Queue, l.Event))
				continue
			}
			delete(talking, l.Call)
			ends[l.Call] = end{len(r.told), i}
		}
		for field, seconds := range map[int]string{l.Hold(): event.Get("HoldTime"), l.Talk(): event.Get("TalkTime")} {
			if field < 0 || seconds == "" || l.Data[field] == seconds {
				continue
			}
			r.straddles = append(r.straddles, fmt.Sprintf("%s %s %s: %s seconds, the event says %s", l.Call, l.Queue, l.Event, l.Data[field], seconds))
			said := queuelog.Line{Data: []string{seconds}}
			require.InDelta(t, l.Seconds(field), said.Seconds(0), 1, "%v: %v", l, event)
			l.Data[field] = seconds
		}
		r.told = append(r.told, l)
	}
	require.Empty(t, talking, "calls that have no end")
	for _, p := range events {
		require.Nil(t, p, "queue_log has nothing of it")
	}
	return r
}

// reasons are those of AgentComplete.
var reasons = map[string]string{"COMPLETEAGENT": "agent", "COMPLETECALLER": "caller", "BLINDTRANSFER": "transfer", "ATTENDEDTRANSFER": "transfer"}

// ended tells whether an AgentComplete is about a line. It has the channels that are still
// there, which may be none.
func ended(p asterisk.Packet, l queuelog.Line, agent string) bool {
	switch {
	case p.Get("Uniqueid") != "":
		return p.Get("Uniqueid") == l.Call
	case p.Get("DestUniqueid") != "":
		return p.Get("DestUniqueid") == agent
	}
	return p.Get("MemberName") == l.Agent && p.Get("HoldTime") == l.Data[l.Hold()]
}

// rings counts how often each agent was called, by its name in lower case: where another
// agent answers first queue_log has nothing of it.
func rings(events []asterisk.Packet) map[string]int {
	offered := map[string]int{}
	for _, p := range events {
		if p.Get("Event") == "AgentCalled" {
			offered[strings.ToLower(p.Get("MemberName"))]++
		}
	}
	return offered
}

// TestReckoningExplainsEachDifference gives it what Asterisk was seen to say.
func TestReckoningExplainsEachDifference(t *testing.T) {
	lines, err := queuelog.Parse(strings.NewReader(strings.Join([]string{
		"10|1.1|q|NONE|ENTERQUEUE||5|1", "12|1.1|q|Ann|CONNECT|2|9.1|1", "20|1.1|q|Ann|COMPLETEAGENT|2|8|1", // a straddle
		"20|1.2|q|NONE|ENTERQUEUE||5|1", "25|1.2|q|NONE|ABANDON|1|1|5", // the same seconds
		"30|1.3|q|NONE|ENTERQUEUE||5|1", "31|1.3|q|Ann|CONNECT|1|9.3|1", "39|1.3|q|Ann|BLINDTRANSFER|7|in|1|8|1", "39|1.3|q|Ann|COMPLETECALLER|1|8|1", // twice
		"40|1.4|q|NONE|ENTERQUEUE||5|1", "41|1.4|q|Ann|CONNECT|1|9.4|1", "49|1.4|q|Ann|BLINDTRANSFER|7|in|1|8|1", "49|1.4|q|Ann|COMPLETECALLER|1|8|1", // told the other way round
	}, "\n")))
	require.NoError(t, err)
	event := func(text string) asterisk.Packet {
		return strings.Split("Event: "+strings.ReplaceAll(text, ", ", "\nQueue: q\n"), "\n")
	}
	events := []asterisk.Packet{
		event("AgentConnect, Uniqueid: 1.1\nDestUniqueid: 9.1\nHoldTime: 2"),
		event("AgentComplete, MemberName: Ann\nHoldTime: 2\nTalkTime: 9\nReason: agent"), // without a channel
		event("QueueCallerAbandon, Uniqueid: 1.2\nHoldTime: 5"),
		event("AgentConnect, Uniqueid: 1.3\nDestUniqueid: 9.3\nHoldTime: 1"),
		event("AgentComplete, Uniqueid: 1.3\nHoldTime: 1\nTalkTime: 8\nReason: transfer"),
		event("AgentComplete, DestUniqueid: 9.3\nHoldTime: 1\nTalkTime: 8\nReason: caller"),
		event("AgentConnect, Uniqueid: 1.4\nDestUniqueid: 9.4\nHoldTime: 1"),
		event("AgentComplete, Uniqueid: 1.4\nHoldTime: 1\nTalkTime: 8\nReason: caller"),
		event("AgentComplete, Uniqueid: 1.4\nHoldTime: 1\nTalkTime: 8\nReason: transfer"),
	}
	r := reckon(t, lines, events)
	require.Equal(t, []string{"1.1 q COMPLETEAGENT: 8 seconds, the event says 9"}, r.straddles)
	require.Equal(t, []string{"1.3 q COMPLETECALLER", "1.4 q BLINDTRANSFER"}, r.twice)
	require.Len(t, r.told, len(lines)-2)
	require.Equal(t, "COMPLETECALLER", r.told[len(r.told)-1].Event)
	require.Equal(t, 9, r.told[2].Seconds(r.told[2].Talk()))

	for name, wrong := range map[string]struct {
		events []asterisk.Packet
		says   string
	}{
		"an event missing":    {events[1:], "no AgentConnect for the line"},
		"an event too many":   {append(slices.Clone(events), event("AgentConnect, Uniqueid: 1.9\nHoldTime: 1")), "queue_log has nothing of it"},
		"two seconds between": {append([]asterisk.Packet{event("AgentConnect, Uniqueid: 1.1\nDestUniqueid: 9.1\nHoldTime: 4")}, events[1:]...), "Max difference"},
	} {
		judge := &floor{scene: name}
		var done sync.WaitGroup
		done.Go(func() { reckon(judge, lines, wrong.events) })
		done.Wait()
		require.ErrorContains(t, judge.failed, wrong.says, name)
	}
}
