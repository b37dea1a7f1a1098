package pbx

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsAPersons(t *testing.T) {
	added := func(queue, name, iface, state string) string {
		return "Event: QueueMemberAdded\nPrivilege: agent,all\nQueue: " + queue + "\nMemberName: " + name + "\nInterface: " + iface + "\nStateInterface: " + state
	}
	s := applied(t,
		added("sales", "Alice One", "Local/1001@agents/n", "PJSIP/alice-desk"),
		added("support", "other", "PJSIP/alice", "PJSIP/alice"),
		added("pool", "x", "Local/7@agents/n", "Agent:7"),
		added("sales", "Bob", "Local/1002@agents/n", "Local/1002@agents/n"))
	o := s.NewOwner(Person{ID: "7", Name: "alice one", Devices: []string{"PJSIP/alice"}})
	interfaces := o.Interfaces()
	slices.Sort(interfaces)
	require.Equal(t, []string{"agent:7", "local/1001@agents/n", "local/7@agents/n", "pjsip/alice", "pjsip/alice-desk"}, interfaces)

	for name, own := range map[string]bool{
		"PJSIP/alice-00000001": true, "pjsip/Alice-00000001": true, "PJSIP/alice-desk-00000001": true,
		"Local/1001@agents-00000001;1": true, "Local/1001@agents-00000001;2": true, "Local/7@agents-00000002;1": true,
		"PJSIP/alice2-00000001": false, "PJSIP/alic-00000001": false, "Local/1001@agents2-00000001;1": false, "Local/1002@agents-00000001;1": false,
		"SIP/alice-00000001": false,
	} {
		require.Equal(t, own, o.Owns(&Channel{Name: name}), name)
	}

	bridge := func(event, id string) string {
		return "Event: " + event + "\nPrivilege: call,all\nBridgeUniqueid: b\nChannel: x\nUniqueid: " + id
	}
	apply(t, s, newchannelEvent("1", "PJSIP/alice-1"), newchannelEvent("2", "SIP/caller-1"), newchannelEvent("3", "SIP/phone-1"))
	require.False(t, o.Concerns(s.Channel("2")))
	apply(t, s, "Event: BridgeEnter\nPrivilege: call,all\nBridgeUniqueid: b\nChannel: PJSIP/alice-1\nUniqueid: 1",
		"Event: BridgeEnter\nPrivilege: call,all\nBridgeUniqueid: b\nChannel: SIP/caller-1\nUniqueid: 2")
	require.True(t, o.Concerns(s.Channel("2")))
	require.False(t, o.Owns(s.Channel("2")))
	apply(t, s, bridge("BridgeLeave", "1"))
	require.False(t, o.Concerns(s.Channel("2")))

	require.False(t, o.Owns(s.Channel("3")))
	apply(t, s, "Event: AgentLogin\nPrivilege: agent,all\nChannel: SIP/phone-1\nUniqueid: 3\nAgent: 7")
	require.True(t, o.Owns(s.Channel("3")))

	apply(t, s, "Event: QueueMemberRemoved\nPrivilege: agent,all\nQueue: sales\nInterface: Local/1001@agents/n")
	require.False(t, o.Owns(&Channel{Name: "Local/1001@agents-00000001;1"}), "it follows the state")
	s.Become(New())
	require.False(t, o.Owns(&Channel{Name: "Local/7@agents-00000001;1"}))
	require.True(t, o.Owns(&Channel{Name: "PJSIP/alice-00000001"}))
}
