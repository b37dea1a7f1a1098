package proxy

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

func channel(name, id string) string {
	return "|Channel: " + name + "|ChannelState: 6|ChannelStateDesc: Up|CallerIDNum: 1|CallerIDName: A|ConnectedLineNum: 2|ConnectedLineName: B|Language: en|" +
		"AccountCode: |Context: c|Exten: s|Priority: 1|Uniqueid: " + id + "|Linkedid: " + id
}

func bridge(id string) string {
	return "|BridgeUniqueid: " + id + "|BridgeType: basic|BridgeTechnology: simple_bridge|BridgeCreator: x|BridgeName: x|BridgeNumChannels: 1|BridgeVideoSourceMode: none"
}

// twoCalls has two calls: Alice talks to the trunk's first channel, Bob to its second.
func (b *bench) twoCalls() {
	for i, name := range []string{"PJSIP/trunk-1", "PJSIP/alice-2", "PJSIP/bob-3", "PJSIP/trunk-4"} {
		b.event("Newchannel", channel(name, fmt.Sprint(i+1)))
	}
	for i, name := range []string{"PJSIP/trunk-1", "PJSIP/alice-2", "PJSIP/bob-3", "PJSIP/trunk-4"} {
		b.event("BridgeEnter", bridge([]string{"x", "x", "y", "y"}[i]), channel(name, fmt.Sprint(i+1)))
	}
}

// named are the events of what a client has got, with their channels.
func (c *testClient) named() string {
	var words []string
	for _, p := range c.told() {
		words = append(words, p.Name()+" "+p.Get("Channel"))
	}
	return strings.Join(words, ", ")
}

func TestAgentsSeeTheirOwn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		alice := b.login("desk", "AgentID: 1001\nEvents: call\n")
		bob := b.login("desk", "Type: Agent\nAgentID: 1002\nEvents: call\n")
		all := b.login("desk", "Type: monitor\nEvents: call\n")
		b.twoCalls()
		require.Equal(t, "Newchannel PJSIP/alice-2, Newchannel PJSIP/trunk-1, Newstate PJSIP/trunk-1, BridgeEnter PJSIP/trunk-1, BridgeEnter PJSIP/alice-2", alice.named())
		require.Equal(t, "Newchannel PJSIP/bob-3, BridgeEnter PJSIP/bob-3, Newchannel PJSIP/trunk-4, Newstate PJSIP/trunk-4, BridgeEnter PJSIP/trunk-4", bob.named())
		require.Len(t, all.told(), 8, "is limited to contexts, which these events do not name")

		alice.send("Action: Getvar\nActionID: 1\nChannel: pjsip/ALICE-2\nVariable: X")
		b.settle()
		require.Equal(t, "PJSIP/alice-2", b.calls[0].Action.Get("Channel"))
		b.answer("Response: Success|Variable: X|Value: 1", true)
		require.Equal(t, "Success(1)", alice.sees())
		alice.send("Action: Getvar\nActionID: 2\nChannel: PJSIP/bob-3\nVariable: X")
		b.settle()
		require.Empty(t, b.calls)
		require.Contains(t, alice.said(), "Message: No such channel")

		b.event("Hangup", channel("PJSIP/trunk-4", "4"))
		require.Empty(t, alice.named())
		require.Equal(t, "Hangup PJSIP/trunk-4", bob.named())
	})
}

func TestAgentsOfOneKindShareASubscription(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		one, two := b.login("desk", "AgentID: 1001\n"), b.login("desk", "AgentID: 1001\n")
		b.login("desk", "AgentID: 1002\n")
		b.hub.do(func() {
			require.Len(t, b.hub.fanned, 2)
			require.Equal(t, 2, b.hub.limited)
		})
		one.conn.Close()
		two.conn.Close()
		b.settle()
		b.hub.do(func() { require.Equal(t, 1, b.hub.limited) })
	})
}

// FullyBooted is about nobody.
func TestLimitedSessionsSeeThatAsteriskIsThere(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		c := b.login("desk", "AgentID: 1001\n")
		b.ready()
		require.Equal(t, "FullyBooted", c.sees())
		near, conn := net.Pipe()
		b.conns <- conn
		late := b.reads(near)
		late.send("Action: Login\nUsername: desk\nSecret: s\nAgentID: 1001")
		require.Contains(t, late.said(), "FullyBooted")
	})
}

func TestListsOfLimitedSessionsAreCut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("team", "Events: off\n")
		c.send("Action: QueueStatus\nActionID: 1")
		b.started()
		b.answer("Response: Success|EventList: start", false)
		b.answer("Event: QueueParams|Queue: sales", false)
		b.answer("Event: QueueParams|Queue: Support", false)
		b.answer("Event: QueueStatusComplete|EventList: Complete|ListItems: 2", true)
		packets := c.told()
		require.Len(t, packets, 3)
		require.Equal(t, "Support", packets[1].Get("Queue"))
		require.Equal(t, "1", packets[2].Get("ListItems"))
	})
}

// A token gives no agent another one's session.
func TestResumeIsForTheSameAgent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		alice := b.login("desk", "AgentID: 1001\nResume: yes\n")
		var token string
		b.hub.do(func() {
			for token = range b.hub.tokens {
			}
		})
		alice.conn.Close()
		b.twoCalls()
		b.settle()
		near, conn := net.Pipe()
		b.conns <- conn
		bob := b.reads(near)
		bob.send("Action: Login\nUsername: desk\nSecret: s\nAgentID: 1002\nAmpdSeq: 1\nResume: " + token)
		b.settle()
		text := bob.said()
		require.Contains(t, text, "AmpdResume: gap")
		require.NotContains(t, text, "alice")
	})
}

// Each introduction has a number of its own, below that of its event: a client that lost
// its connection between them gets the rest.
func TestIntroductionsAreNumbered(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, all := b.login("desk", "AgentID: 1001\nResume: yes\nEvents: call\n"), b.login("admin", "Resume: yes\nEvents: call\n")
		b.twoCalls()
		seqs := func(packets []*codec.Packet) (seqs []string) {
			for _, p := range packets {
				seqs = append(seqs, p.Get("AmpdSeq"))
			}
			return seqs
		}
		require.Equal(t, []string{"3", "7", "8", "9", "10"}, seqs(c.told()))
		require.Equal(t, []string{"2", "3", "4", "5", "6", "10", "11", "12"}, seqs(all.told()))
	})
}
