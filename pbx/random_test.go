package pbx

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// A maker makes up events of a small world, in which the same names come again.
type maker struct{ *rand.Rand }

func (m maker) of(words ...string) string { return words[m.IntN(len(words))] }

func (m maker) number(n int) string { return fmt.Sprint(m.IntN(n)) }

func (m maker) uniqueid() string { return "Rig-" + m.number(6) }

// block is a channel's block.
func (m maker) block(prefix string) string {
	id := m.uniqueid()
	state := m.IntN(3)
	lines := []string{
		"Channel: " + m.of("PJSIP/a-1", "PJSIP/a-2", "Local/1@x-1;1", "Local/1@x-1;2", "SIP/b-3", "pjsip/A-1"),
		"ChannelState: " + fmt.Sprint(state),
		"ChannelStateDesc: " + []string{"Down", "Ring", "Up"}[state],
		"CallerIDNum: " + m.number(3), "CallerIDName: " + m.of("A", "<unknown>"),
		"ConnectedLineNum: " + m.number(3), "ConnectedLineName: " + m.of("A", "<unknown>"),
		"Language: " + m.of("en", "de"), "AccountCode: " + m.of("", "acc"),
		"Context: " + m.of("x", "y"), "Exten: " + m.number(3), "Priority: " + m.number(3),
		"Uniqueid: " + id, "Linkedid: " + m.uniqueid(),
	}
	for range m.IntN(3) {
		lines = append(lines, "ChanVariable: V="+m.number(3))
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(prefix + l + "\r\n")
	}
	return b.String()
}

func (m maker) bridge() string {
	return "BridgeUniqueid: b" + m.number(3) + "\r\nBridgeType: " + m.of("basic", "base") +
		"\r\nBridgeTechnology: " + m.of("simple_bridge", "softmix") + "\r\nBridgeCreator: \r\nBridgeName: " + m.of("", "n") +
		"\r\nBridgeNumChannels: 1\r\nBridgeVideoSourceMode: " + m.of("none", "talker") + "\r\n"
}

func (m maker) member() string {
	return "Queue: " + m.of("sales", "Sales", "support") + "\r\nMemberName: " + m.of("Ann", "Bob") +
		"\r\nInterface: " + m.of("PJSIP/a", "pjsip/A", "Local/1@x/n") + "\r\nStateInterface: " + m.of("PJSIP/a", "Agent:1") +
		"\r\nMembership: static\r\nPenalty: " + m.number(2) + "\r\nCallsTaken: " + m.number(2) +
		"\r\nLastCall: 0\r\nLastPause: 0\r\nLoginTime: 1\r\nInCall: 0\r\nStatus: " + m.number(3) + "\r\nPaused: " + m.number(2) +
		"\r\nPausedReason: " + m.of("", "lunch") + "\r\nRinginuse: " + m.number(2) + "\r\nWrapuptime: 0\r\n"
}

func (m maker) parking() string {
	return m.block(parkee) + "ParkerDialString: x\r\nParkinglot: default\r\nParkingSpace: 70" + m.number(3) +
		"\r\nParkingTimeout: 1" + m.of("0", "5") + "\r\nParkingDuration: " + m.of("0", "5") + "\r\n"
}

// event is one of those that say something, with what belongs to it.
func (m maker) event() string {
	names := eventNames
	name := names[m.IntN(len(names))]
	if m.IntN(4) == 0 {
		name = "Newchannel"
	}
	head := "Event: " + name + "\r\nPrivilege: call,all\r\n" + m.of("", "SystemName: rig\r\n", "Timestamp: 1.000000\r\nSystemName: rig\r\n")
	switch {
	case name == "Rename":
		return head + "Channel: x\r\nNewname: " + m.of("PJSIP/a-1", "SIP/c-1") + "\r\nUniqueid: " + m.uniqueid() + "\r\n"
	case strings.HasPrefix(name, "Dial"):
		return head + m.of("", m.block("")) + m.block("Dest") + "DialString: " + m.of("a", "b") + "\r\n"
	case name == "LocalBridge":
		return head + m.block("LocalOne") + m.block("LocalTwo")
	case strings.HasPrefix(name, "BridgeEnter"), strings.HasPrefix(name, "BridgeLeave"):
		return head + m.bridge() + m.block("")
	case strings.HasPrefix(name, "Bridge"):
		return head + m.bridge()
	case strings.HasPrefix(name, "QueueCaller"):
		return head + m.block("") + "Queue: " + m.of("sales", "Sales", "support") + "\r\nPosition: " + m.number(5) + "\r\n"
	case strings.HasPrefix(name, "QueueMember"):
		return head + m.member()
	case name == "AgentConnect", name == "AgentComplete":
		return head + m.block("") + m.block("Dest") + m.member()
	case strings.HasPrefix(name, "Agent"):
		return head + m.block("") + "Agent: " + m.number(3) + "\r\n"
	case strings.Contains(name, "Park"):
		return head + m.parking()
	case name == "PeerStatus":
		return head + "Peer: " + m.of("PJSIP/a", "SIP/s", "IAX2/i") + "\r\nPeerStatus: " +
			m.of("Reachable", "Unreachable", "Lagged", "Registered", "Unregistered", "Unknown", "") +
			"\r\nAddress: " + m.of("1.2.3.4:5060", "[::1]:5060", "") + "\r\nTime: " + m.number(9) + "\r\n"
	case name == "ContactStatus":
		return head + "URI: sip:" + m.number(3) + "\r\nContactStatus: " + m.of("Reachable", "Unreachable", "Removed") +
			"\r\nAOR: a\r\nEndpointName: a\r\nRoundtripUsec: " + m.number(9) + "\r\n"
	case name == "DeviceStateChange":
		return head + "Device: " + m.of("PJSIP/a", "pjsip/A", "Custom:x") + "\r\nState: " + m.of("INUSE", "NOT_INUSE", "RINGING", "odd") + "\r\n"
	}
	return head + m.block("") + "Application: " + m.of("Dial", "Queue") + "\r\nAppData: " + m.number(3) +
		"\r\nVariable: " + m.of(variableNames[:]...) + "\r\nValue: " + m.number(3) + "\r\nMusicClass: " + m.of("", "default") + "\r\n"
}

var eventNames = slices.Sorted(maps.Keys(events))

// world is a state with a peer of each kind.
func world(t testing.TB) *State {
	t.Helper()
	s := New()
	items := []*codec.Packet{
		packet(t, "Event: EndpointList", "ObjectName: a", "Contacts: a/sip:0,", "DeviceState: Not in use", "ActiveChannels: 0"),
		packet(t, "Event: PeerEntry", "Channeltype: SIP", "ObjectName: s", "IPaddress: -none-", "IPport: 0", "Status: UNKNOWN"),
		packet(t, "Event: PeerEntry", "Channeltype: IAX", "ObjectName: i", "IPaddress: (null)", "Port: (null)", "Status: UNKNOWN"),
	}
	require.NoError(t, s.Load(SnapshotOf(Peers), answered(t, items), start))
	return s
}

// run applies n events.
func (m maker) run(t testing.TB, s *State, n int) *State {
	t.Helper()
	var wire strings.Builder
	for range n {
		wire.WriteString(m.event() + "\r\n")
	}
	for _, p := range decode(t, []byte(wire.String())) {
		s.Apply(p, start)
	}
	return s
}

// TestMissedEventsOfRandomStatesGiveTheOtherState holds law 1 where Asterisk's order
// does not hold.
func TestMissedEventsOfRandomStatesGiveTheOtherState(t *testing.T) {
	seeds := uint64(600)
	if testing.Short() {
		seeds = 100
	}
	for seed := range seeds {
		m := maker{rand.New(rand.NewPCG(seed, 7))}
		a := m.run(t, world(t), 60)
		requireSound(t, a)
		b := m.run(t, []*State{a.Clone(), world(t)}[seed%2], 60)
		requireMissed(t, a, b, start)
		requireMissed(t, New(), b, start)
		requireMissed(t, b, New(), start)
	}
}

// TestCloneIsAnother shows that what happens to a state does not happen to its clone.
func TestCloneIsAnother(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(8, 8))}
	for range 50 {
		s := m.run(t, world(t), 80)
		c := s.Clone()
		before := c.Clone()
		m.run(t, s, 80)
		requireSound(t, c)
		require.Empty(t, c.Differences(before))
	}
}

func TestBecomeKeepsThePointer(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(9, 9))}
	s, to := m.run(t, world(t), 80), m.run(t, world(t), 80)
	want := to.Clone()
	s.Become(to)
	requireSound(t, s)
	require.Empty(t, s.Differences(want))
}
