package rights

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
)

// channelLines is a channel's block.
func channelLines(prefix, name, id string) string {
	return prefix + "Channel: " + name + "|" + prefix + "ChannelState: 6|" + prefix + "ChannelStateDesc: Up|" + prefix + "CallerIDNum: 1|" +
		prefix + "CallerIDName: A|" + prefix + "ConnectedLineNum: 2|" + prefix + "ConnectedLineName: B|" + prefix + "Language: en|" + prefix +
		"AccountCode: |" + prefix + "Context: from-pstn|" + prefix + "Exten: s|" + prefix + "Priority: 1|" + prefix + "Uniqueid: " + id + "|" + prefix + "Linkedid: " + id
}

func bridgeLines(id, technology string) string {
	return "BridgeUniqueid: " + id + "|BridgeType: basic|BridgeTechnology: " + technology + "|BridgeCreator: x|BridgeName: x|BridgeNumChannels: 2|BridgeVideoSourceMode: none"
}

func memberLines(queue, name, iface, state string) string {
	return "Queue: " + queue + "|MemberName: " + name + "|Interface: " + iface + "|StateInterface: " + state + "|Membership: dynamic|Penalty: 0|CallsTaken: 0|" +
		"LastCall: 0|LastPause: 0|LoginTime: 1|InCall: 0|Status: 1|Paused: 0|PausedReason: |Ringinuse: 0|Wrapuptime: 0"
}

func callEvent(name, lines string) string { return "Event: " + name + "|Privilege: call,all|" + lines }

func agentEvent(name, lines string) string {
	return "Event: " + name + "|Privilege: agent,all|" + lines
}

func newchannelOf(name, id string) string {
	return callEvent("Newchannel", channelLines("", name, id))
}

func enterOf(bridge, technology, name, id string) string {
	return callEvent("BridgeEnter", bridgeLines(bridge, technology)+"|"+channelLines("", name, id))
}

func leaveOf(bridge, name, id string) string {
	return callEvent("BridgeLeave", bridgeLines(bridge, "simple_bridge")+"|"+channelLines("", name, id))
}

// What there is: Alice (agent 1001) talks to a caller of queue support's through a Local
// channel; Bob talks to another; Alice2 has a call, too; agents 1001 and 1002 of
// app_agent_pool's wait in their holding bridge; two callers wait.
var worldEvents = []string{
	newchannelOf("PJSIP/trunk-00000001", "1.1"),
	newchannelOf("Local/1001@agents-00000001;1", "1.2"),
	newchannelOf("Local/1001@agents-00000001;2", "1.3"),
	newchannelOf("PJSIP/alice-00000002", "1.4"),
	newchannelOf("PJSIP/bob-00000003", "1.5"),
	newchannelOf("PJSIP/trunk-00000004", "1.6"),
	newchannelOf("PJSIP/alice2-00000005", "1.7"),
	newchannelOf("PJSIP/desk-00000006", "1.8"),
	newchannelOf("PJSIP/desk2-00000007", "1.9"),
	newchannelOf("PJSIP/trunk-00000008", "2.1"),
	newchannelOf("PJSIP/trunk-00000009", "2.2"),
	enterOf("b1", "simple_bridge", "PJSIP/trunk-00000001", "1.1"),
	enterOf("b1", "simple_bridge", "Local/1001@agents-00000001;1", "1.2"),
	enterOf("b2", "simple_bridge", "Local/1001@agents-00000001;2", "1.3"),
	enterOf("b2", "simple_bridge", "PJSIP/alice-00000002", "1.4"),
	enterOf("b3", "simple_bridge", "PJSIP/bob-00000003", "1.5"),
	enterOf("b3", "simple_bridge", "PJSIP/trunk-00000004", "1.6"),
	enterOf("hold", "holding_bridge", "PJSIP/desk-00000006", "1.8"),
	enterOf("hold", "holding_bridge", "PJSIP/desk2-00000007", "1.9"),
	agentEvent("QueueMemberAdded", memberLines("support", "Alice", "Local/1001@agents/n", "PJSIP/alice")),
	agentEvent("QueueMemberAdded", memberLines("support", "Bob", "PJSIP/bob", "PJSIP/bob")),
	agentEvent("QueueMemberAdded", memberLines("support2", "Bob", "PJSIP/bob", "PJSIP/bob")),
	agentEvent("QueueCallerJoin", channelLines("", "PJSIP/trunk-00000008", "2.1")+"|Queue: support|Position: 1|Count: 1"),
	agentEvent("QueueCallerJoin", channelLines("", "PJSIP/trunk-00000009", "2.2")+"|Queue: support2|Position: 1|Count: 1"),
	agentEvent("AgentLogin", channelLines("", "PJSIP/desk-00000006", "1.8")+"|Agent: 1001"),
	agentEvent("AgentLogin", channelLines("", "PJSIP/desk2-00000007", "1.9")+"|Agent: 1002"),
}

func world(t testing.TB) *pbx.State {
	t.Helper()
	s := pbx.New()
	for _, lines := range worldEvents {
		s.Apply(answer(t, lines), time.Unix(1, 0))
	}
	require.NotNil(t, s.Bridge("b2"))
	require.Len(t, s.Bridge("b2").Members, 2)
	require.NotNil(t, s.Queue("support2"))
	return s
}

var (
	alice = pbx.Person{ID: "1001", Name: "Alice", Devices: []string{"PJSIP/alice"}}

	anAlice = Grant{Type: Agent, Read: codec.All, Write: codec.All, Agent: alice}
	caller  = Grant{Type: Agent, Read: codec.All, Write: codec.All, Agent: alice, Contexts: []string{"internal"}, Queues: []string{"support"}}
	scoped  = Grant{Type: Administrator, Read: codec.All, Write: codec.All, Channels: []string{"PJSIP/al", "Local/1001@ag"}, Queues: []string{"supp"}, Contexts: []string{"int"}}
	desks   = Grant{Type: Administrator, Read: codec.All, Write: codec.All, Channels: []string{"PJSIP/desk2"}, Contexts: []string{"int"}}
	queues  = Grant{Type: Administrator, Read: codec.All, Write: codec.All, Queues: []string{"support"}}
)

func limited(t testing.TB, g Grant, state *pbx.State) *Subject {
	t.Helper()
	s, err := New(g, state)
	require.NoError(t, err)
	return s
}

// shown is a packet as text, "|" between its lines.
func shown(p *codec.Packet) string {
	return strings.TrimSuffix(strings.ReplaceAll(string(p.Raw), "\r\n", "|"), "||")
}
