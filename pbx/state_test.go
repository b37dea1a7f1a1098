package pbx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// applied is a state after events, each written as lines.
func applied(t testing.TB, events ...string) *State {
	t.Helper()
	s := New()
	apply(t, s, events...)
	return s
}

func apply(t testing.TB, s *State, events ...string) {
	t.Helper()
	for _, e := range events {
		s.Apply(packet(t, strings.Split(e, "\n")...), start)
	}
	requireSound(t, s)
}

func newchannelEvent(id, name string) string {
	return "Event: Newchannel\nPrivilege: call,all\nChannel: " + name + "\nChannelState: 0\nUniqueid: " + id + "\nLinkedid: " + id
}

func TestChannelIsFoundAsAsteriskFindsIt(t *testing.T) {
	s := applied(t, newchannelEvent("Rig-1.1", "PJSIP/Alice-1"), newchannelEvent("1.2", "Local/1@x-1;2"), newchannelEvent("1.3", "Local/1@x-1;1"))
	for ref, id := range map[string]string{
		"PJSIP/Alice-1": "Rig-1.1", "pjsip/alice-1": "Rig-1.1", "Rig-1.1": "Rig-1.1", "rig-1.1": "Rig-1.1", "RIG-1.1": "Rig-1.1",
		"1.2": "1.2", "LOCAL/1@X-1;2": "1.2",
	} {
		require.NotNil(t, s.Channel(ref), ref)
		require.Equal(t, id, s.Channel(ref).Uniqueid)
	}
	for _, ref := range []string{"", "PJSIP/Alice", "PJSIP/Alice-1 ", "1", "none"} {
		require.Nil(t, s.Channel(ref), ref)
	}
	require.Equal(t, "PJSIP/Alice", s.Channel("Rig-1.1").Device())
	require.Same(t, s.Channel("1.3"), s.OtherHalf(s.Channel("1.2")))
	require.Same(t, s.Channel("1.2"), s.OtherHalf(s.Channel("1.3")))
	require.Nil(t, s.OtherHalf(s.Channel("Rig-1.1")))
}

// TestRenamedChannelsExchangeTheirNames is an old masquerade, step by step.
func TestRenamedChannelsExchangeTheirNames(t *testing.T) {
	rename := func(id, name string) string {
		return "Event: Rename\nPrivilege: call,all\nChannel: x\nNewname: " + name + "\nUniqueid: " + id
	}
	s := applied(t, newchannelEvent("1", "SIP/a-1"), newchannelEvent("2", "SIP/b-1"),
		rename("1", "SIP/a-1<MASQ>"), rename("2", "SIP/a-1"), rename("1", "SIP/b-1"))
	require.Equal(t, "2", s.Channel("sip/A-1").Uniqueid)
	require.Equal(t, "1", s.Channel("sip/B-1").Uniqueid)
	require.Nil(t, s.Channel("SIP/a-1<MASQ>"))
}

// TestWhatIsNoEventChangesNothing holds a UserEvent that looks like others, list items
// and responses.
func TestWhatIsNoEventChangesNothing(t *testing.T) {
	s := applied(t, newchannelEvent("1", "SIP/a-1"))
	before := s.Clone()
	for _, p := range []string{
		"Event: UserEvent\nPrivilege: user,all\nUserEvent: Hangup\nEvent: Hangup\nChannel: SIP/a-1\nUniqueid: 1",
		"Event: Hangup\nChannel: SIP/a-1\nUniqueid: 1",
		"Event: Hangup\nPrivilege: call,all\nActionID: x\nUniqueid: 1",
		"Event: CoreShowChannel\nPrivilege: call,all\nChannel: SIP/a-2\nUniqueid: 2",
		"Event: ParkedCall\nParkeeChannel: SIP/a-1\nParkeeUniqueid: 1\nParkinglot: default\nParkingSpace: 701\nActionID: x",
		"Response: Success\nPrivilege: call,all\nUniqueid: 1",
		"Action: Hangup\nPrivilege: call,all\nUniqueid: 1",
		"Event: NoSuchEvent\nPrivilege: call,all\nUniqueid: 1",
		"Event: Newchannel\nPrivilege: call,all\nChannel: SIP/a-3",
		"Event: Newstate\nPrivilege: call,all\nChannel: SIP/a-9\nUniqueid: 9",
	} {
		apply(t, s, p)
		require.Empty(t, s.Differences(before), p)
	}
}

// TestStateKeepsCopiesOnly overwrites the memory of what was applied.
func TestStateKeepsCopiesOnly(t *testing.T) {
	packets := decode(t, readCorpus(t, "22-tour.s2c"))
	s, untouched := New(), New()
	for _, p := range packets {
		s.Apply(p, start)
		untouched.Apply(p, start)
		if _, _, ok := about(p); ok {
			answer, mine := answered(t, []*codec.Packet{p}), func(k key) bool { _, its, _ := about(p); return k == its }
			s.load(SnapshotOf(AllObjects), answer, start, mine)
			untouched.load(SnapshotOf(AllObjects), answer, start, mine)
		}
	}
	want := untouched.Clone()
	var texts []string
	for p := range untouched.Snapshot(AllObjects, "", start) {
		texts = append(texts, string(p.Raw))
	}
	for _, p := range packets {
		for i := range p.Raw {
			p.Raw[i] = '#'
		}
	}
	require.Empty(t, s.Differences(want))
	var after []string
	for p := range s.Snapshot(AllObjects, "", start) {
		after = append(after, string(p.Raw))
	}
	require.Equal(t, texts, after)
	require.False(t, slices.ContainsFunc(after, func(text string) bool { return strings.Contains(text, "##") }))
}

func TestEventsOfACall(t *testing.T) {
	block := "Channel: SIP/a-1\nChannelState: 6\nChannelStateDesc: Up\nUniqueid: 1\nLinkedid: 1\nChanVariable: A=1\nChanVariable: B="
	s := applied(t, newchannelEvent("1", "SIP/a-1"), newchannelEvent("2", "SIP/b-1"),
		"Event: Newexten\nPrivilege: dialplan,all\n"+block+"\nExtension: 1\nApplication: Dial\nAppData: SIP/b",
		"Event: DialBegin\nPrivilege: call,all\n"+block+"\nDestChannel: SIP/b-1\nDestUniqueid: 2\nDialString: b")
	a, b := s.Channel("1"), s.Channel("2")
	require.Equal(t, "Dial", a.Application)
	require.Equal(t, "SIP/b", a.AppData)
	require.Equal(t, "Up", a.StateDesc)
	require.Equal(t, []string{"A=1", "B="}, a.ChanVariables)
	require.Equal(t, "1", b.DialedBy)
	require.Equal(t, "b", b.DialString)

	apply(t, s, "Event: DialEnd\nPrivilege: call,all\nDestChannel: SIP/b-1\nDestUniqueid: 2\nDialStatus: ANSWER",
		"Event: VarSet\nPrivilege: dialplan,all\n"+block+"\nVariable: DIALSTATUS\nValue: ANSWER",
		"Event: VarSet\nPrivilege: dialplan,all\n"+block+"\nVariable: OTHER\nValue: x",
		"Event: Hold\nPrivilege: call,all\n"+block+"\nMusicClass: default",
		"Event: BridgeEnter\nPrivilege: call,all\nBridgeUniqueid: b1\nBridgeType: basic\n"+block,
		"Event: BridgeEnter\nPrivilege: call,all\nBridgeUniqueid: b1\nBridgeType: basic\nChannel: SIP/b-1\nUniqueid: 2")
	require.Empty(t, b.DialedBy+b.DialString)
	require.Equal(t, "ANSWER", a.Variable("DIALSTATUS"))
	require.Empty(t, a.Variable("OTHER"))
	require.True(t, a.Hold)
	require.Equal(t, "default", a.MusicClass)
	require.Equal(t, []string{"1", "2"}, s.Bridge("b1").Members)
	require.Equal(t, []*Channel{b}, slices.Collect(s.Bridged(a)))

	apply(t, s, "Event: Unhold\nPrivilege: call,all\n"+block, "Event: BridgeDestroy\nPrivilege: call,all\nBridgeUniqueid: b1")
	require.False(t, a.Hold)
	require.Empty(t, a.Bridge+b.Bridge)
	require.Nil(t, s.Bridge("b1"))
}

func TestCallersStandInTheirOrder(t *testing.T) {
	join := func(id, position string) string {
		return "Event: QueueCallerJoin\nPrivilege: agent,all\nChannel: SIP/" + id + "-1\nUniqueid: " + id + "\nQueue: sales\nPosition: " + position
	}
	leave := func(id string) string {
		return "Event: QueueCallerLeave\nPrivilege: agent,all\nChannel: SIP/" + id + "-1\nUniqueid: " + id + "\nQueue: Sales\nPosition: 1"
	}
	ids := func(s *State) (ids string) {
		for _, c := range s.Queue("SALES").Callers {
			ids += c.Uniqueid
		}
		return ids
	}
	s := applied(t, newchannelEvent("1", "SIP/1-1"), newchannelEvent("2", "SIP/2-1"), newchannelEvent("3", "SIP/3-1"),
		join("1", "1"), join("2", "2"), join("3", "1"))
	require.Equal(t, "312", ids(s))
	apply(t, s, join("2", "1"))
	require.Equal(t, "312", ids(s), "it is there already")
	apply(t, s, leave("1"))
	require.Equal(t, "32", ids(s))
	require.Empty(t, s.Channel("1").Queue)
	apply(t, s, leave("1"), join("1", "9"), "Event: Hangup\nPrivilege: call,all\nChannel: SIP/3-1\nUniqueid: 3")
	require.Equal(t, "21", ids(s))
}

func TestAgentOfThePool(t *testing.T) {
	block := "Channel: SIP/a-1\nUniqueid: 1\nLinkedid: 1"
	s := applied(t, newchannelEvent("1", "SIP/a-1"), "Event: AgentLogin\nPrivilege: agent,all\n"+block+"\nAgent: 1101")
	a := s.Agent("1101")
	status := func() string { status, to := s.AgentStatus(a); return status + " " + to }
	require.Equal(t, "AGENT_IDLE ", status())
	require.Equal(t, unix(start), a.LoggedInTime)
	apply(t, s, "Event: VarSet\nPrivilege: dialplan,all\n"+block+"\nVariable: BRIDGEPEER\nValue: SIP/b-1")
	require.Equal(t, "AGENT_ONCALL SIP/b-1", status())
	require.Equal(t, unix(start), a.CallStarted)
	apply(t, s, "Event: VarSet\nPrivilege: dialplan,all\n"+block+"\nVariable: BRIDGEPEER\nValue: ")
	require.Equal(t, "AGENT_IDLE ", status())
	apply(t, s, "Event: AgentLogoff\nPrivilege: agent,all\n"+block+"\nAgent: 1101\nLogintime: 1")
	require.Equal(t, "AGENT_LOGGEDOFF ", status())
	require.Empty(t, a.LoggedInTime)
}

// With ringinuse a member may talk in several calls.
func TestMemberCountsTheCallThatItHasTakenLast(t *testing.T) {
	agent := func(event string, call ...string) string {
		return "Event: " + event + "\nPrivilege: agent,all\n" + strings.Join(append(call, "Queue: sales", "Interface: SIP/ann"), "\n")
	}
	const a, aDest, b, bDest = "Uniqueid: a", "DestUniqueid: a2", "Uniqueid: b", "DestUniqueid: b2"
	for name, tc := range map[string]struct {
		events []string
		taken  string
	}{
		"the earlier one ends":    {[]string{agent("AgentComplete", a, aDest)}, "0"},
		"the later one ends":      {[]string{agent("AgentComplete", b, bDest)}, "1"},
		"both end":                {[]string{agent("AgentComplete", a, aDest), agent("AgentComplete", b, bDest)}, "1"},
		"its own channel is gone": {[]string{agent("AgentComplete", a), agent("AgentComplete", b)}, "1"},
		"the caller's is gone":    {[]string{agent("AgentComplete", aDest), agent("AgentComplete", bDest)}, "1"},
		"all are gone":            {[]string{agent("AgentComplete", "TalkTime: 7"), agent("AgentComplete", "TalkTime: 1")}, "1"},
		"all of the earlier are":  {[]string{agent("AgentComplete", "TalkTime: 7")}, "0"},
		"of the same second":      {[]string{agent("AgentComplete", a, aDest, "TalkTime: 0"), agent("AgentComplete", b, bDest, "TalkTime: 0")}, "1"},
		"of another second":       {[]string{agent("AgentComplete", a, aDest, "TalkTime: 1")}, "0"},
		"another one in between":  {[]string{agent("AgentConnect", "Uniqueid: c"), agent("AgentComplete", b), agent("AgentComplete", "Uniqueid: c")}, "1"},
		"Asterisk has counted both": {[]string{
			"Event: QueueMemberStatus\nPrivilege: agent,all\nQueue: sales\nInterface: SIP/ann\nCallsTaken: 2\nInCall: 1", agent("AgentComplete", a),
		}, "3"}, // so that the call is one that is not known
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			s.Apply(member(t, "Event: QueueMemberAdded", "SIP/ann", "0"), start)
			apply(t, s, agent("AgentConnect", a, aDest), agent("AgentConnect", b, bDest))
			apply(t, s, tc.events...)
			require.Equal(t, tc.taken, s.Queue("sales").Member("SIP/ann").CallsTaken)
		})
	}
}

// On a busy machine events come late: of a single call its time does not count.
func TestMemberCountsASingleCallWhateverItsTime(t *testing.T) {
	agent := func(event, call string) string {
		return "Event: " + event + "\nPrivilege: agent,all\nQueue: sales\nInterface: SIP/ann\n" + call
	}
	s := New()
	s.Apply(member(t, "Event: QueueMemberAdded", "SIP/ann", "0"), start)
	m := s.Queue("sales").Member("sip/ann")
	for taken := range 3 {
		apply(t, s, agent("AgentConnect", fmt.Sprintf("Uniqueid: %d", taken)), agent("AgentComplete", "TalkTime: 9"))
		require.Equal(t, "0", m.InCall)
		require.Equal(t, strconv.Itoa(taken+1), m.CallsTaken)
	}
}

func TestMemberCountsItsCalls(t *testing.T) {
	agent := func(event string) string {
		return "Event: " + event + "\nPrivilege: agent,all\nQueue: sales\nInterface: SIP/ann"
	}
	s := New()
	s.Apply(member(t, "Event: QueueMemberAdded", "SIP/ann", "0"), start)
	m := s.Queue("sales").Member("sip/ann")
	apply(t, s, agent("AgentConnect"))
	require.Equal(t, "1", m.InCall)
	apply(t, s, agent("AgentComplete"), agent("AgentComplete"))
	require.Equal(t, "0", m.InCall)
	require.Equal(t, "1", m.CallsTaken)
	require.Equal(t, unix(start), m.LastCall)
}

func TestPeers(t *testing.T) {
	peer := func(name, status, more string) string {
		return "Event: PeerStatus\nPrivilege: system,all\nChannelType: x\nPeer: " + name + "\nPeerStatus: " + status + more
	}
	s := world(t)
	apply(t, s, peer("SIP/s", "Registered", "\nAddress: 10.0.0.1:5062"), peer("SIP/s", "Reachable", "\nTime: 12"),
		peer("IAX2/i", "Registered", "\nAddress: 10.0.0.2:4569"), peer("IAX2/i", "Lagged", "\nTime: 900"),
		peer("SIP/none", "Registered", "\nAddress: 10.0.0.1:5062"),
		"Event: DeviceStateChange\nPrivilege: call,all\nDevice: PJSIP/a\nState: RINGING",
		"Event: ContactStatus\nPrivilege: system,all\nURI: sip:1\nContactStatus: Reachable\nAOR: a\nEndpointName: a\nRoundtripUsec: 1500",
		peer("PJSIP/a", "Reachable", ""))
	require.Equal(t, "OK (12 ms)", s.Peer("sip/S").Status())
	require.Equal(t, "10.0.0.1", s.Peer("SIP/s").Get("IPaddress"))
	require.Equal(t, "5062", s.Peer("SIP/s").Get("IPport"))
	require.Equal(t, "LAGGED (900 ms)", s.Peer("IAX2/i").Status())
	require.Equal(t, "4569", s.Peer("IAX2/i").Get("Port"))
	require.Nil(t, s.Peer("SIP/none"))
	a := s.Peer("PJSIP/a")
	require.Equal(t, "Ringing", a.Status())
	require.Equal(t, "Reachable", a.Reachable)
	require.Equal(t, "a/sip:0,a/sip:1,", a.contactsHeader())
	require.Equal(t, "1500", a.Contacts[1].RoundtripUsec)
	apply(t, s, "Event: ContactStatus\nPrivilege: system,all\nURI: sip:0\nContactStatus: Removed\nAOR: a\nEndpointName: a",
		peer("SIP/s", "Unregistered", ""), peer("SIP/s", "Unreachable", ""))
	require.Equal(t, "a/sip:1,", a.contactsHeader())
	require.Equal(t, "UNREACHABLE", s.Peer("SIP/s").Status())
	require.Equal(t, "-none-", s.Peer("SIP/s").Get("IPaddress"))
}

// TestContactThatRegisters has what Asterisk 22 says of one.
func TestContactThatRegisters(t *testing.T) {
	const uri = "sip:101@127.0.0.1:46602"
	endpoint := packet(t, "Event: EndpointList", "ActionID: id", "ObjectType: endpoint", "ObjectName: 101", "Transport: transport-udp", "Aor: 101",
		"Auths: 101", "OutboundAuths: ", "Contacts: 101/"+uri+",", "DeviceState: Not in use", "ActiveChannels: 0")
	contact := packet(t, "Event: ContactList", "ActionID: id", "ObjectType: contact", "ObjectName: 101;@092247fff296471d3b0eeb814bc44f8a",
		"ViaAddr: 127.0.0.1", "QualifyTimeout: 3.000000", "Qualify2xxOnly: false", "CallId: x46602", "RegServer: rig22", "PruneOnBoot: no",
		"Path: ", "Endpoint: 101", "ViaPort: 46602", "AuthenticateQualify: no", "Uri: "+uri, "QualifyFrequency: 0", "UserAgent: ",
		"ExpirationTime: 1795289020", "OutboundProxy: ", "Status: NonQualified", "RoundtripUsec: N/A")
	s := New()
	require.NoError(t, s.Load(question(t, "PJSIPShowEndpoints"), answered(t, list(endpoint)), start))
	require.NoError(t, s.Load(question(t, "PJSIPShowContacts"), answered(t, list(contact)), start))
	shown := func() (raw string) {
		for p := range s.Snapshot(Peers, "id", start) {
			raw += string(p.Raw)
		}
		return raw
	}
	require.Equal(t, string(endpoint.Raw)+string(contact.Raw), shown())

	before := s.Clone()
	status := "Event: ContactStatus\nPrivilege: system,all\nURI: " + uri + "\nAOR: 101\nEndpointName: 101\nContactStatus: "
	apply(t, s, status+"NonQualified\nRoundtripUsec: 0")
	require.Empty(t, s.Differences(before), "the list has said it")
	apply(t, s, status+"Reachable\nRoundtripUsec: 1234")
	require.Contains(t, shown(), "Status: Reachable\r\nRoundtripUsec: 1234\r\n")
	apply(t, s, status+"Removed\nRoundtripUsec: 0")
	require.Contains(t, shown(), "Contacts: \r\n")
	require.NotContains(t, shown(), "ContactList")
}

func TestTenantOfAChannel(t *testing.T) {
	s := applied(t, newchannelEvent("1", "SIP/a-1"),
		"Event: Newstate\nPrivilege: call,all\nChannel: SIP/a-1\nUniqueid: 1\nLinkedid: 1\nTenantid: acme\nChanVariable: A=1")
	require.Equal(t, "acme", s.Channel("1").TenantID)
	require.Equal(t, []string{"A=1"}, s.Channel("1").ChanVariables)
}

func TestParkedCalls(t *testing.T) {
	parked := func(event, id string) string { return parkedEvent(event, id, "default") }
	for _, end := range []string{"ParkedCallGiveUp", "ParkedCallTimeOut", "UnParkedCall"} {
		s := applied(t, newchannelEvent("1", "SIP/1-1"), newchannelEvent("2", "SIP/2-1"), parked("ParkedCall", "1"))
		call := s.Parked("1")
		require.Equal(t, "701", call.Space)
		require.Equal(t, 5*time.Second, start.Sub(call.Since))
		require.Equal(t, 40*time.Second, call.Until.Sub(start))
		apply(t, s, parked("ParkedCallSwap", "2"))
		require.Nil(t, s.Parked("1"))
		require.NotNil(t, s.Parked("2"))
		apply(t, s, parked(end, "2"))
		require.Nil(t, s.Parked("2"))
	}
}

func TestParkedCallMayComeBeforeItsChannel(t *testing.T) {
	parked := parkedEvent("ParkedCall", "1", "default")
	full := applied(t, newchannelEvent("1", "SIP/1-1"), parked)

	early := applied(t, parked)
	require.NotNil(t, early.Parked("1"))
	requireSound(t, early)
	shown := New()
	require.NoError(t, shown.Load(SnapshotOf(AllObjects), snapshot(t, early, start), start))
	for name, s := range map[string]*State{"seen": early, "from a snapshot": shown, "copied": early.Clone()} {
		t.Run(name, func(t *testing.T) {
			apply(t, s, newchannelEvent("1", "SIP/1-1"))
			require.Empty(t, s.Differences(full))
			requireSound(t, s)
		})
	}

	// It may come when its channel is gone, too. Then its end follows.
	late := applied(t, newchannelEvent("1", "SIP/1-1"), "Event: Hangup\nPrivilege: call,all\nChannel: SIP/1-1\nUniqueid: 1", parked)
	missed := New().Missed(late, start)
	require.Len(t, missed, 1)
	require.Equal(t, "SIP/1-1", missed[0].Get("ParkeeChannel"))
	missed = late.Missed(New(), start)
	require.Len(t, missed, 1)
	require.Equal(t, "ParkedCallGiveUp SIP/1-1", missed[0].Name()+" "+missed[0].Get("ParkeeChannel"))
	apply(t, late, parkedEvent("ParkedCallGiveUp", "1", "default"))
	require.Empty(t, late.Differences(New()))
}

func TestMissedEndOfParking(t *testing.T) {
	const (
		bridged = "Event: BridgeEnter\nPrivilege: call,all\nBridgeUniqueid: b\nChannel: SIP/%[1]s-1\nUniqueid: %[1]s"
		unpark  = "Event: UnParkedCall\nPrivilege: call,all\nParkeeUniqueid: 1"
	)
	for name, tc := range map[string]struct {
		since []string // what became of it
		later time.Duration
		want  string
	}{
		"fetched":         {[]string{unpark, fmt.Sprintf(bridged, "1"), fmt.Sprintf(bridged, "2")}, time.Minute, "UnParkedCall SIP/2-1"},
		"its time over":   {[]string{unpark}, time.Minute, "ParkedCallTimeOut "},
		"left by itself":  {[]string{unpark}, time.Second, "ParkedCallGiveUp "},
		"hung up":         {[]string{"Event: Hangup\nPrivilege: call,all\nChannel: SIP/1-1\nUniqueid: 1"}, time.Second, "ParkedCallGiveUp "},
		"in another lot":  {[]string{unpark, parkedEvent("ParkedCall", "1", "night")}, time.Second, "ParkedCallGiveUp "},
		"is still parked": {nil, time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := applied(t, newchannelEvent("1", "SIP/1-1"), newchannelEvent("2", "SIP/2-1"), parkedEvent("ParkedCall", "1", "default"))
			to := s.Clone()
			apply(t, to, tc.since...)
			var ends []string
			for _, p := range s.Missed(to, start.Add(tc.later)) {
				if strings.Contains(p.Name(), "Parked") && p.Name() != "ParkedCall" {
					ends = append(ends, p.Name()+" "+p.Get("RetrieverChannel"))
					require.Equal(t, "SIP/1-1", p.Get("ParkeeChannel"))
				}
			}
			require.Equal(t, tc.want, strings.Join(ends, ", "))
		})
	}
}

func parkedEvent(event, id, lot string) string {
	return "Event: " + event + "\nPrivilege: call,all\nParkeeChannel: SIP/" + id + "-1\nParkeeUniqueid: " + id +
		"\nParkerDialString: SIP/b\nParkinglot: " + lot + "\nParkingSpace: 701\nParkingTimeout: 40\nParkingDuration: 5"
}

func TestCounts(t *testing.T) {
	s := applied(t, newchannelEvent("1", "SIP/1-1"), newchannelEvent("2", "SIP/2-1"),
		"Event: QueueCallerJoin\nPrivilege: agent,all\nChannel: SIP/1-1\nUniqueid: 1\nQueue: sales\nPosition: 1")
	s.Apply(member(t, "Event: QueueMemberAdded", "SIP/ann", "1"), start)
	for i, status := range []string{"OK (12 ms)", "UNREACHABLE", "odd " + t.Name(), ""} {
		name := strconv.Itoa(i)
		s.peers["sip/"+name] = &Peer{Technology: "SIP", Name: name, Entry: []codec.Header{{Name: "Status", Value: status}}}
	}
	s.peers["pjsip/1"] = &Peer{Technology: "PJSIP", Name: "1", Entry: []codec.Header{{Name: "DeviceState", Value: "Not in use"}}}
	require.Equal(t, Counts{
		Channels: 2, Calls: 2, Callers: 1, Paused: 1,
		Agents: map[string]int{},
		Peers:  map[PeerStatus]int{{"SIP", "ok"}: 1, {"SIP", "unreachable"}: 1, {"SIP", "other"}: 2, {"PJSIP", "not in use"}: 1},
	}, s.Counts())
}
