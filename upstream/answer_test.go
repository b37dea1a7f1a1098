package upstream

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// TestWhereAnAnswerEnds gives the packets that Asterisk sends for an action, "ID" for
// its ActionID and "FENCE" for the Pong of a Ping behind it, and what the call hears.
func TestWhereAnAnswerEnds(t *testing.T) {
	tests := map[string]struct {
		action  string
		answer  []string
		want    []string
		dropped float64
	}{
		"one response": {
			action: "Getvar",
			answer: []string{"Response: Success|ID|Variable: a|Value: b"},
			want:   []string{"Response: Success|ActionID: 1|Variable: a|Value: b ."},
		},
		"a list": {
			action: "QueueStatus",
			answer: []string{
				"Response: Success|ID|EventList: start|Message: Queue status will follow",
				"Event: QueueParams|Queue: a|ID",
				"Event: QueueStatusComplete|ID|EventList: Complete|ListItems: 1",
			},
			want: []string{
				"Response: Success|ActionID: 1|EventList: start|Message: Queue status will follow",
				"Event: QueueParams|Queue: a|ActionID: 1",
				"Event: QueueStatusComplete|ActionID: 1|EventList: Complete|ListItems: 1 .",
			},
		},
		"a list in other letters, cancelled by Asterisk": {
			action: "FAXSessions",
			answer: []string{"Response: Success|ID|EventList: Start", "Event: FAXSessionsComplete|ID|EventList: cancelled"},
			want:   []string{"Response: Success|ActionID: 1|EventList: Start", "Event: FAXSessionsComplete|ActionID: 1|EventList: cancelled ."},
		},
		"items with a Privilege of their own": {
			action: "Status",
			answer: []string{
				"Response: Success|ID|EventList: start",
				"Event: Status|Privilege: Call|Channel: x|EventListe: Complete|ID",
				"Event: StatusComplete|ID|EventList: Complete",
			},
			want: []string{
				"Response: Success|ActionID: 1|EventList: start",
				"Event: Status|Privilege: Call|Channel: x|EventListe: Complete|ActionID: 1",
				"Event: StatusComplete|ActionID: 1|EventList: Complete .",
			},
		},
		"a list's error": {
			action: "ParkedCalls",
			answer: []string{"Response: Error|ID|Message: Requested parking lot could not be found."},
			want:   []string{"Response: Error|ActionID: 1|Message: Requested parking lot could not be found. ."},
		},
		"a list in answer to what the table has as none": {
			action: "Getvar",
			answer: []string{"Response: Success|ID|EventList: start", "Event: X|ID", "Event: Y|ID|EventList: Complete"},
			want:   []string{"Response: Success|ActionID: 1|EventList: start", "Event: X|ActionID: 1", "Event: Y|ActionID: 1|EventList: Complete ."},
		},
		"Hangup of one channel is no list": {
			action: "Hangup",
			answer: []string{"Response: Success|ID|Message: Channel Hungup"},
			want:   []string{"Response: Success|ActionID: 1|Message: Channel Hungup ."},
		},
		"one event follows": {
			action: "FAXStats",
			answer: []string{"Response: Success|ID|Message: FAXStats event will follow", "Event: FAXStats|ID|Sessions: 0"},
			want:   []string{"Response: Success|ActionID: 1|Message: FAXStats event will follow", "Event: FAXStats|ActionID: 1|Sessions: 0 ."},
		},
		"one event that does not follow": {
			action: "FAXSession",
			answer: []string{"Response: Error|ID|Message: Not found"},
			want:   []string{"Response: Error|ActionID: 1|Message: Not found ."},
		},
		"a list of an old version, without EventList": {
			action: "DBGet",
			answer: []string{"Response: Success|ID|Message: Result will follow", "Event: DBGetResponse|ID|Val: 1", "FENCE"},
			want:   []string{"Response: Success|ActionID: 1|Message: Result will follow", "Event: DBGetResponse|ActionID: 1|Val: 1 ."},
		},
		"no list after all": {
			action: "VoicemailUserStatus",
			answer: []string{"Response: Success|ID|Message: There is no voicemail user of the given info.", "FENCE"},
			want:   []string{"Response: Success|ActionID: 1|Message: There is no voicemail user of the given info. ."},
		},
		"items without ActionID": {
			action: "IAXpeers",
			answer: []string{
				"Response: Success|ID|EventList: start", "Event: PeerEntry|Channeltype: IAX", "Event: PeerEntry|Channeltype: IAX",
				"Event: PeerlistComplete|ID|EventList: Complete|ListItems: 2", "FENCE",
			},
			want: []string{
				"Response: Success|ActionID: 1|EventList: start", "Event: PeerEntry|Channeltype: IAX", "Event: PeerEntry|Channeltype: IAX",
				"Event: PeerlistComplete|ActionID: 1|EventList: Complete|ListItems: 2 .",
			},
		},
		"answered before it is done": {
			action: "UserEvent",
			answer: []string{"Response: Success|ID|Message: Event Sent", "FENCE"},
			want:   []string{"Response: Success|ActionID: 1|Message: Event Sent ."},
		},
		"nothing but an empty line": {
			action: "IAXnetstats",
			answer: []string{"", "FENCE"},
			want:   []string{" ."},
		},
		"free text": {
			action: "Queues",
			answer: []string{"support has 0 calls|   No Members", "sales has 0 calls", "FENCE"},
			want:   []string{"support has 0 calls|   No Members", "sales has 0 calls ."},
		},
		"an action that the table does not know": {
			action: "SCCPShowLine",
			answer: []string{"Response: Success|ID|Message: x", "Event: SCCPLine|ID", "FENCE"},
			want:   []string{"Response: Success|ActionID: 1|Message: x", "Event: SCCPLine|ActionID: 1 ."},
		},
		"Command of an old version": {
			action: "Command",
			answer: []string{"Response: Follows|Privilege: Command|ID|a\n\nb\n--END COMMAND--"},
			want:   []string{"Response: Follows|Privilege: Command|ActionID: 1|a\n\nb\n--END COMMAND-- ."},
		},
		"what belongs to nobody": {
			action: "Getvar",
			answer: []string{"Response: Success|ActionID: ampd-0-9", "Event: QueueParams|ActionID: 7", "Response: Success|ID", "Response: Success"},
			want:   []string{"Response: Success|ActionID: 1 ."},

			dropped: 3,
		},
		"an event of no class": {
			action: "QueueStatus",
			answer: []string{"Response: Success|ID|EventList: start", "Event: X|Privilege: <none>", "Event: QueueStatusComplete|ID|EventList: Complete"},
			want:   []string{"Response: Success|ActionID: 1|EventList: start", "Event: QueueStatusComplete|ActionID: 1|EventList: Complete ."},
		},
	}
	for name, tc := range tests {
		for _, shared := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				fake := newFake()
				fake.answer = func(k *fakeConn, action *codec.Packet) bool {
					for _, p := range tc.answer {
						if p == "FENCE" {
							continue // the fake answers Pings
						}
						p = strings.ReplaceAll(p, "|ID", "|ActionID: "+action.Get("ActionID"))
						k.send(strings.ReplaceAll(p, "|", "\r\n") + "\r\n")
						if p != "" {
							k.send("\r\n")
						}
					}
					return true
				}
				onBench(t, fake, func(cfg *Config) {
					if shared {
						cfg.ActionConnections = 0
					}
				}, func(t *testing.T, b *bench) {
					b.start()
					pings := pingsOf(fake)
					b.submit("a", 1, "Action: "+tc.action, "ActionID: 1")
					want := []string{"a started"}
					for _, line := range tc.want {
						want = append(want, "a "+line)
					}
					got := b.take()
					if shared && name == "an event of no class" {
						require.Contains(t, got, "event Event: X|Privilege: <none>")
						return
					}
					require.Equal(t, want, got)
					require.Equal(t, tc.answer[len(tc.answer)-1] == "FENCE", pingsOf(fake) > pings, "fence")
					require.InDelta(t, tc.dropped, testutil.ToFloat64(b.c.metrics.Dropped.WithLabelValues("ownerless")), 0)
					b.submit("b", 1, "Action: "+tc.action) // without ActionID
					for _, line := range b.take() {
						require.NotContains(t, line, "ActionID")
					}
				})
			})
		}
	}
}

func pingsOf(fake *fakeAsterisk) (n int) {
	for _, k := range fake.logins() {
		n += k.pings
	}
	return n
}

func TestNothingIsHeldBackByWhatComesWithIt(t *testing.T) {
	fake := newFake()
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		// QueueRule ends with one CR LF too many.
		k.send("Response: Success\r\n" + idLine(action) + "RuleList: rule1\r\nRule: 5,3,1\r\n\r\n\r\n")
		return true
	}
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: QueueRule", "ActionID: 1")
		require.Equal(t, []string{"a started", "a Response: Success|ActionID: 1|RuleList: rule1|Rule: 5,3,1 ."}, b.take())
		fake.events(t).send("Event: A\r\nPrivilege: call,all\r\n\r\nEvent: B\r\nPrivi")
		require.Equal(t, []string{"event Event: A|Privilege: call,all"}, b.take())
		fake.events(t).send("lege: call,all\r\n\r\n")
		require.Equal(t, []string{"event Event: B|Privilege: call,all"}, b.take())
	})
}

func TestEventsPassAroundAnAnswerInOrder(t *testing.T) {
	fake := newFake()
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		k.send("Event: A\r\nPrivilege: call,all\r\n\r\n")
		k.reply(action, "Response: Success", "Message: Originate successfully queued")
		k.send("Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x\r\n" + idLine(action) + "EventList: Complete\r\n\r\n")
		return true
	}
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 0 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Originate", "ActionID: 1", "Channel: x", "Application: Echo", "Async: true")
		require.Equal(t, []string{
			"a started",
			"event Event: A|Privilege: call,all",
			"a Response: Success|ActionID: 1|Message: Originate successfully queued .",
			"event Event: UserEvent|Privilege: user,all|UserEvent: x|ActionID: 1|EventList: Complete",
		}, b.take())
	})
}

func TestEventsAreNotSwallowedByAListThatDoesNotEnd(t *testing.T) {
	fake := newFake()
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		k.reply(action, "Response: Success", "EventList: start")
		return true
	}
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 0 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: QueueStatus")
		b.take()
		for range 30 {
			fake.events(t).send("Event: A\r\nPrivilege: call,all\r\n\r\n")
			b.sleep(time.Second)
		}
		heard := b.take()
		require.Contains(t, heard, "event Event: A|Privilege: call,all")
		require.Contains(t, heard, "a Event: QueueStatusComplete|EventList: Cancelled|ListItems: 0|Message: Timeout waiting for Asterisk .")
	})
}
