package pbx

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCallsLeaveNothingBehind holds law 3, the worst way: every call ends with nothing
// but its Hangups.
func TestCallsLeaveNothingBehind(t *testing.T) {
	calls := 100_000
	if testing.Short() {
		calls = 10_000
	}
	s := New()
	events := decode(t, []byte(oneCall()))
	for n := range calls {
		id := strconv.Itoa(n)
		for _, p := range events {
			for i := range p.Headers {
				switch h := &p.Headers[i]; {
				case strings.HasSuffix(h.Name, "Channel"):
					h.Value = "SIP/a-" + id + h.Value[strings.IndexByte(h.Value, ';'):]
				case strings.HasSuffix(h.Name, "Uniqueid") && h.Name != "BridgeUniqueid":
					h.Value = "Pbx-" + id + h.Value[strings.IndexByte(h.Value, '.'):]
				}
			}
			s.Apply(p, start)
		}
	}
	require.Empty(t, s.channels)
	require.Empty(t, s.folded)
	require.Empty(t, s.names)
	require.Empty(t, s.parked)
	require.Len(t, s.queues, 1)
	require.Empty(t, s.queues["sales"].Callers)
	require.Len(t, s.queues["sales"].Members, 1)
	require.Len(t, s.agents, 1)
	require.Empty(t, s.agents["1"].Channel)
	require.Len(t, s.bridges, 1)
	require.Empty(t, s.bridges["b"].Members)
}

// oneCall is a call that waits in a queue, is dialled on to an agent's channel, bridged
// and parked.
func oneCall() string {
	var wire strings.Builder
	block := func(prefix, half string) string {
		return prefix + "Channel: SIP/a-0;" + half + "\r\n" + prefix + "ChannelState: 6\r\n" +
			prefix + "Uniqueid: Pbx-0." + half + "\r\n" + prefix + "Linkedid: 1\r\n"
	}
	event := func(name string, parts ...string) {
		wire.WriteString("Event: " + name + "\r\nPrivilege: call,all\r\n" + strings.Join(parts, "") + "\r\n")
	}
	event("Newchannel", block("", "1"))
	event("QueueCallerJoin", block("", "1"), "Queue: sales\r\nPosition: 1\r\n")
	event("QueueMemberStatus", "Queue: sales\r\nInterface: SIP/a\r\n")
	event("Newchannel", block("", "2"))
	event("AgentLogin", block("", "2"), "Agent: 1\r\n")
	event("DialBegin", block("", "1"), block("Dest", "2"), "DialString: a\r\n")
	event("BridgeEnter", "BridgeUniqueid: b\r\n", block("", "1"))
	event("BridgeEnter", "BridgeUniqueid: b\r\n", block("", "2"))
	event("ParkedCall", block(parkee, "1"), "Parkinglot: default\r\nParkingSpace: 701\r\n")
	event("Hangup", block("", "2"))
	event("Hangup", block("", "1"))
	return wire.String()
}
