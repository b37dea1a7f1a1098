package rights

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// A watcher is a session that sees events.
type watcher struct {
	state *pbx.State
	view  View
}

func watch(t testing.TB, g Grant, state *pbx.State) *watcher {
	t.Helper()
	s := limited(t, g, state)
	w := &watcher{state: state, view: s.View(codec.All, s.Filters())}
	w.view.Begin()
	return w
}

// gets has Asterisk send an event, and returns what the session gets.
func (w *watcher) gets(p *codec.Packet) (got []*codec.Packet) {
	w.state.Apply(p, time.Unix(2, 0))
	e := NewEvent(p)
	if w.view.Limited() {
		for _, first := range w.view.First(&e) {
			if seen := w.view.See(&first); seen != nil {
				got = append(got, seen)
			}
		}
	}
	if seen := w.view.See(&e); seen != nil {
		got = append(got, seen)
	}
	return got
}

// names are the events that the session gets: "+" before those that ampd made, and whose
// they are.
func (w *watcher) names(t testing.TB, lines string) string {
	t.Helper()
	var names []string
	for _, p := range w.gets(answer(t, lines)) {
		name := p.Name()
		if p.Get("AmpdSynthetic") == "1" {
			name = "+" + name + " " + p.Get("Channel")
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// What is inside, outside, an agent's own and somebody else's, of each kind.
var samples = map[kind]struct{ inside, outside, own, mine, other string }{
	aChannel: {"PJSIP/alice-00000002", "PJSIP/bob-00000003", "PJSIP/alice-00000002", "PJSIP/trunk-00000001", "PJSIP/alice2-00000005"},
	aCalled:  {"PJSIP/alice", "PJSIP/bob", "PJSIP/alice", "PJSIP/alice", "PJSIP/alice2"},
	aBridge:  {"b2", "b3", "b2", "b1", "b3"},
	aCall:    {"b2", "", "b2", "b1", "b3"},
	aDevice:  {"PJSIP/alice", "PJSIP/bob", "PJSIP/alice", "Local/1001@agents/n", "PJSIP/alice2"},
	aHint:    {"PJSIP/alice&PJSIP/alice2", "PJSIP/alice&PJSIP/bob", "PJSIP/alice", "PJSIP/alice", "PJSIP/alice2"},
	aPeer:    {"alice", "bob", "alice", "alice", "alice2"},
	aQueue:   {"support", "sales", "support", "support", "support2"},
	aQueues:  {"support,support2", "support,sales", "support", "support", "support2"},
	aMember:  {"PJSIP/alice", "", "PJSIP/alice", "Local/1001@agents/n", "PJSIP/bob"},
	aContext: {"internal", "other", "internal", "internal", "other"},
	anAgent:  {"1001", "", "1001", "1001", "1002"},
}

// event makes an event whose objects are those that pick names.
func event(t *testing.T, name string, pick func(r *aboutRule) string) *codec.Packet {
	t.Helper()
	lines := "Event: " + name + "|Privilege: call,all"
	for _, r := range ruleIndex.about[name] {
		if r.header != "" {
			lines += "|" + r.header + ": " + pick(r)
		}
	}
	return answer(t, lines)
}

// Each line of the rules counts: what one header names outside hides the event from
// limited sessions, and what is an agent's shows it to that agent.
func TestEachHeaderOfAnEventCounts(t *testing.T) {
	state := world(t)
	s, a := limited(t, scoped, state).bounds, limited(t, anAlice, state).bounds
	for name, lines := range ruleIndex.about {
		for _, r := range lines {
			require.NotEmpty(t, r.source)
			if r.kind == noObject {
				require.True(t, s.sees(s.objects(event(t, name, nil)), nil), name)
				require.Equal(t, r.agent == free, a.sees(a.objects(event(t, name, nil)), nil), name)
				continue
			}
			t.Run(name+" "+r.header, func(t *testing.T) {
				with := func(common func(r *aboutRule) string, value string) *codec.Packet {
					return event(t, name, func(other *aboutRule) string {
						if other == r {
							return value
						}
						return common(other)
					})
				}
				inside := func(r *aboutRule) string { return samples[r.kind].inside }
				require.True(t, s.sees(s.objects(event(t, name, inside)), nil))
				if out := samples[r.kind].outside; out != "" {
					require.False(t, s.sees(s.objects(with(inside, out)), nil))
				}
				others := func(r *aboutRule) string { return samples[r.kind].other }
				require.False(t, a.sees(a.objects(event(t, name, others)), nil))
				require.Equal(t, r.agent == mine || r.agent == own, a.sees(a.objects(with(others, samples[r.kind].own)), nil))
				if r.agent == own {
					require.False(t, a.sees(a.objects(with(others, samples[r.kind].mine)), nil))
				} else if r.agent == mine && r.kind != aCalled {
					require.True(t, a.sees(a.objects(with(others, samples[r.kind].mine)), nil))
				}
			})
		}
	}
}

// What no rule knows a limited session does not see, nor what names nothing.
func TestLimitedSessionsSeeOnlyWhatIsKnown(t *testing.T) {
	tests := map[string]string{
		"unknown":         "Event: CEL|Privilege: call,all|Channel: PJSIP/alice-00000002",
		"no channel":      "Event: Newstate|Privilege: call,all|Uniqueid: 1.4",
		"a UserEvent":     "Event: UserEvent|Privilege: user,all|UserEvent: x|Channel: PJSIP/alice-00000002|Uniqueid: 1.4|Queue: support",
		"a disguise":      "Event: UserEvent|Privilege: user,all|UserEvent: x|Event: Hangup|Privilege: call,all|Channel: PJSIP/alice-00000002|Uniqueid: 1.4",
		"no class":        "Event: Newstate|Channel: PJSIP/alice-00000002|Uniqueid: 1.4",
		"a global":        "Event: VarSet|Privilege: dialplan,all|Channel: none|Uniqueid: none|Variable: x|Value: y",
		"another lot":     "Event: ConfbridgeStart|Privilege: call,all|Conference: 1|" + bridgeLines("b2", "softmix"),
		"an odd spelling": "Event: newstate|Privilege: call,all|Channel: PJSIP/alice-00000002|Uniqueid: 1.4",
	}
	for name, lines := range tests {
		t.Run(name, func(t *testing.T) {
			for _, g := range []Grant{scoped, anAlice} {
				require.Empty(t, watch(t, g, world(t)).names(t, lines))
			}
		})
	}
}

// An agent's contexts say where it may send calls; those hide nothing of it.
func TestContextsHideNothingOfAnAgentsCalls(t *testing.T) {
	lines := "Event: Newexten|Privilege: dialplan,all|" + channelLines("", "PJSIP/alice-00000002", "1.4") + "|Extension: s|Application: Dial|AppData: x"
	require.Equal(t, "Newexten", watch(t, caller, world(t)).names(t, lines))
	require.Empty(t, watch(t, scoped, world(t)).names(t, lines), "from-pstn is outside")
}

// Names that only look like the agent's.
func TestLookalikes(t *testing.T) {
	state := world(t)
	for _, lines := range []string{
		newchannelOf("PJSIP/alice2-00000010", "9.1"),
		newchannelOf("PJSIP/alice-x-00000011", "9.2"),
		newchannelOf("Local/1001@agents2-00000012;1", "9.3"),
		newchannelOf("Local/11001@agents-00000013;1", "9.4"),
		newchannelOf("SIP/alice-00000014", "9.5"),
		newchannelOf("PJSIP/alice", "9.6x"), // no call number: a name that Asterisk does not make, but its device
		agentEvent("QueueMemberPause", memberLines("support", "Alice2", "PJSIP/bob", "PJSIP/bob")),
		agentEvent("QueueMemberPause", memberLines("support", "1001x", "PJSIP/bob", "PJSIP/bob")),
		agentEvent("QueueMemberPause", memberLines("support", "Bob, Alice", "PJSIP/bob", "PJSIP/bob")),
		agentEvent("QueueMemberPause", memberLines("support", " Alice", "PJSIP/bob", "PJSIP/bob")),
		agentEvent("QueueCallerJoin", channelLines("", "PJSIP/trunk-00000009", "2.2")+"|Queue: support2|Position: 1|Count: 1"),
		agentEvent("AgentLogoff", channelLines("", "PJSIP/desk2-00000007", "1.9")+"|Agent: 10010"),
	} {
		want := ""
		if strings.Contains(lines, "9.6x") {
			want = "Newchannel"
		}
		require.Equal(t, want, watch(t, anAlice, state).names(t, lines), lines)
	}
}

// A member whose interface is another's does not become the agent's by a name that
// an agent could set: an agent's MemberName is its own.
func TestAgentsCannotNameThemselvesOthers(t *testing.T) {
	v := limited(t, caller, world(t)).Judge(nil, action(t, "Action: QueueAdd|Queue: support|Interface: PJSIP/alice|membername: 1002|MemberName: Bob"))
	require.True(t, v.Allowed, v.Rule)
	require.NotContains(t, shown(v.Packet), "1002")
	require.NotContains(t, shown(v.Packet), "Bob")
}

// A call's life as an agent sees it: who it is first, then what happens, and of whoever
// has left it nothing but its end.
func TestAgentSeesItsCalls(t *testing.T) {
	w := watch(t, anAlice, world(t))
	trunk, bob, phone := "PJSIP/trunk-00000020", "PJSIP/bob-00000021", "PJSIP/alice-00000022"
	steps := []struct{ event, want string }{
		{newchannelOf(trunk, "5.1"), ""},
		{agentEvent("QueueCallerJoin", channelLines("", trunk, "5.1")+"|Queue: support|Position: 1|Count: 1"), "QueueCallerJoin"},
		{newchannelOf(phone, "5.2"), "Newchannel"},
		{agentEvent("AgentCalled", channelLines("", trunk, "5.1")+"|"+channelLines("Dest", bob, "5.9")+"|Queue: support|Interface: PJSIP/bob|MemberName: Bob"), ""},
		{agentEvent("AgentCalled", channelLines("", trunk, "5.1")+"|"+channelLines("Dest", phone, "5.2")+"|Queue: support|Interface: Local/1001@agents/n|MemberName: Alice"), "AgentCalled"},
		{callEvent("DialBegin", channelLines("", trunk, "5.1")+"|"+channelLines("Dest", phone, "5.2")+"|DialString: alice"), "DialBegin"},
		{callEvent("Newstate", channelLines("", trunk, "5.1")), ""},
		{agentEvent("QueueCallerLeave", channelLines("", trunk, "5.1")+"|Queue: support|Position: 1|Count: 0"), "QueueCallerLeave"},
		{enterOf("c1", "simple_bridge", trunk, "5.1"), ""},
		{enterOf("c1", "simple_bridge", phone, "5.2"), "+Newchannel " + trunk + ", +Newstate " + trunk + ", +BridgeEnter " + trunk + ", BridgeEnter"},
		{callEvent("Hold", channelLines("", trunk, "5.1")), "Hold"},
		{"Event: VarSet|Privilege: dialplan,all|Channel: " + trunk + "|Uniqueid: 5.1|Variable: PIN|Value: 1", ""},
		{"Event: VarSet|Privilege: dialplan,all|Channel: " + phone + "|Uniqueid: 5.2|Variable: X|Value: 1", "VarSet"},
		{newchannelOf(bob, "5.3"), ""},
		{enterOf("c1", "simple_bridge", bob, "5.3"), "+Newchannel " + bob + ", +Newstate " + bob + ", BridgeEnter"},
		{leaveOf("c1", phone, "5.2"), "BridgeLeave"},
		{callEvent("Newstate", channelLines("", trunk, "5.1")), ""}, // talks to Bob now
		{enterOf("c1", "simple_bridge", phone, "5.2"), "+BridgeEnter " + trunk + ", +BridgeEnter " + bob + ", BridgeEnter"},
		{leaveOf("c1", bob, "5.3"), "BridgeLeave"},
		{callEvent("Hangup", channelLines("", bob, "5.3")+"|Cause: 16|Cause-txt: Normal Clearing"), "Hangup"},
		{leaveOf("c1", trunk, "5.1"), "BridgeLeave"},
		{enterOf("lot", "holding_bridge", trunk, "5.1"), ""},
		{callEvent("ParkedCall", channelLines("Parkee", trunk, "5.1")+"|ParkerDialString: PJSIP/alice|Parkinglot: default|ParkingSpace: 701|ParkingTimeout: 45|ParkingDuration: 0"), "ParkedCall"},
		{callEvent("ParkedCall", channelLines("Parkee", bob, "5.8")+"|ParkerDialString: PJSIP/alice2|Parkinglot: default|ParkingSpace: 702|ParkingTimeout: 45|ParkingDuration: 0"), ""},
		{callEvent("Hangup", channelLines("", phone, "5.2")+"|Cause: 16|Cause-txt: Normal Clearing"), "Hangup"},
		{callEvent("BridgeDestroy", bridgeLines("c1", "simple_bridge")), "BridgeDestroy"},
		{callEvent("BridgeDestroy", bridgeLines("c9", "simple_bridge")), ""},
		{callEvent("Hangup", channelLines("", trunk, "5.1")+"|Cause: 16|Cause-txt: Normal Clearing"), "Hangup"},
		{callEvent("Hangup", channelLines("", "PJSIP/x-1", "5.7")+"|Cause: 16|Cause-txt: Normal Clearing"), ""},
	}
	for i, s := range steps {
		require.Equal(t, s.want, w.names(t, s.event), "%d: %s", i, s.event)
	}
}

// The Hangup of one that has left the agent's call says only that it has ended.
func TestAgentIsNotToldWhatACallerDidLater(t *testing.T) {
	w := watch(t, anAlice, world(t))
	w.names(t, leaveOf("b1", "PJSIP/trunk-00000001", "1.1"))
	got := w.gets(answer(t, callEvent("Hangup", channelLines("", "PJSIP/trunk-00000001", "1.1")+"|Cause: 16|Cause-txt: Normal Clearing")))
	require.Len(t, got, 1)
	require.Equal(t, "Event: Hangup|Privilege: call,all|Channel: PJSIP/trunk-00000001|Uniqueid: 1.1|Cause: 16|Cause-txt: Normal Clearing", shown(got[0]))
	require.Empty(t, w.gets(answer(t, callEvent("Hangup", channelLines("", "PJSIP/trunk-00000001", "1.1")+"|Cause: 16|Cause-txt: Normal Clearing"))), "once")
}

// A channel that was renamed out of a scope ends by the name that was told.
func TestAHangupHasTheNameThatWasTold(t *testing.T) {
	w := watch(t, scoped, world(t))
	require.Equal(t, "Rename", w.names(t, callEvent("Rename", "Channel: PJSIP/alice-00000002|Newname: PJSIP/alice-00000099|Uniqueid: 1.4")))
	require.Empty(t, w.names(t, callEvent("Rename", "Channel: PJSIP/alice-00000099|Newname: PJSIP/secret-00000002|Uniqueid: 1.4")))
	got := w.gets(answer(t, callEvent("Hangup", channelLines("", "PJSIP/secret-00000002", "1.4")+"|Cause: 16|Cause-txt: x")))
	require.Len(t, got, 1)
	require.Equal(t, "Event: Hangup|Privilege: call,all|Channel: PJSIP/alice-00000099|Uniqueid: 1.4|Cause: 16|Cause-txt: x", shown(got[0]))
}

// A channel whose id is chosen to be a bridge's does not show that bridge.
func TestAChannelsIdIsNoBridges(t *testing.T) {
	w := watch(t, scoped, world(t))
	require.Equal(t, "Newchannel", w.names(t, newchannelOf("PJSIP/alice-00000050", "b3")))
	require.Empty(t, w.names(t, callEvent("BridgeVideoSourceUpdate", bridgeLines("b3", "softmix"))))
}

// What limited sessions see has no headers that name what is not theirs.
func TestEventsAreCut(t *testing.T) {
	response := "Response: Failure|Channel: PJSIP/alice|Context: |Exten: "
	tests := map[string]struct {
		event, more string // more is what is cut
	}{
		"what another called for": {callEvent("OriginateResponse", response), "|Application: ChanSpy|Data: PJSIP/bob,q"},
		"a video source":          {callEvent("BridgeCreate", bridgeLines("b2", "softmix")), "|BridgeVideoSource: 1.5"},
		"the one before":          {callEvent("BridgeVideoSourceUpdate", bridgeLines("b2", "softmix")), "|BridgePreviousVideoSource: PJSIP/bob-00000003"},
		"of a list":               {"Event: BridgeListItem|" + bridgeLines("b2", "softmix"), "|BridgeVideoSource: 1.5"},
		"of a list's end":         {"Event: BridgeInfoComplete|EventList: Complete|ListItems: 0|" + bridgeLines("b2", "softmix"), "|BridgeVideoSource: 1.5"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for _, g := range []Grant{scoped, anAlice, {Type: Administrator, Read: codec.All, Write: codec.All}} {
				want := tc.event
				if g.Type == Administrator && len(g.Channels) == 0 {
					want += tc.more
				}
				if strings.Contains(tc.event, "Privilege") {
					got := watch(t, g, world(t)).gets(answer(t, tc.event+tc.more))
					require.Len(t, got, 1)
					require.Equal(t, want, shown(got[0]))
					continue
				}
				a := limited(t, g, world(t)).Answer(action(t, "Action: BridgeInfo|BridgeUniqueid: b2"))
				require.Equal(t, want, shown(a.Take(answer(t, tc.event+tc.more))))
			}
		})
	}
	item := answer(t, "Event: BridgeListItem|"+bridgeLines("b2", "softmix")+"|BridgeVideoSource: 1.5")
	require.NotContains(t, shown(limited(t, scoped, world(t)).Item(item)), "VideoSource:")
}

// The events that introduce a channel are Asterisk's, with all their headers.
func TestIntroductions(t *testing.T) {
	w := watch(t, anAlice, world(t))
	p := answer(t, strings.Replace(enterOf("b3", "simple_bridge", "PJSIP/alice-00000002", "1.4"), "Privilege: call,all", "Privilege: call,all|Timestamp: 5.000001|SystemName: pbx", 1))
	got := w.gets(p)
	var names []string
	for _, p := range got {
		names = append(names, p.Name()+" "+p.Get("Channel"))
	}
	require.Equal(t, []string{
		"Newchannel PJSIP/bob-00000003", "Newstate PJSIP/bob-00000003", "BridgeEnter PJSIP/bob-00000003",
		"Newchannel PJSIP/trunk-00000004", "Newstate PJSIP/trunk-00000004", "BridgeEnter PJSIP/trunk-00000004",
		"BridgeEnter PJSIP/alice-00000002",
	}, names)
	require.Equal(t, "Event: Newchannel|Privilege: call,all|Timestamp: 5.000001|SystemName: pbx|"+channelLines("", "PJSIP/bob-00000003", "1.5")+"|AmpdSynthetic: 1", shown(got[0]))
	for _, p := range got {
		var again codec.Packet
		require.NoError(t, native.NewDecoder(bytes.NewReader(p.Raw), native.FromAsterisk).Decode(&again))
		require.Equal(t, again.Headers, p.Headers)
	}
}

// A mask without class call has no introductions either, and filters apply to them.
func TestIntroductionsAreSeenLikeEvents(t *testing.T) {
	state := world(t)
	s := limited(t, anAlice, state)
	exclude, err := ParseFilter("", "!Event: Newstate", true)
	require.NoError(t, err)
	w := &watcher{state: state, view: s.View(codec.All, s.Filters().With(exclude))}
	w.view.Begin()
	require.Equal(t, "+Newchannel PJSIP/bob-00000003, +BridgeEnter PJSIP/bob-00000003, +Newchannel PJSIP/trunk-00000004, +BridgeEnter PJSIP/trunk-00000004, BridgeEnter",
		w.names(t, enterOf("b3", "simple_bridge", "PJSIP/alice-00000002", "1.4")))
	agent := &watcher{state: world(t), view: s.View(codec.Agent, s.Filters())}
	agent.view.Begin()
	require.Empty(t, agent.names(t, enterOf("b3", "simple_bridge", "PJSIP/alice-00000002", "1.4")))
}

// Idle agents of app_agent_pool's share a bridge, and talk to nobody in it.
func TestHoldingBridgesAreNoCalls(t *testing.T) {
	w := watch(t, anAlice, world(t))
	require.Empty(t, w.names(t, callEvent("Newstate", channelLines("", "PJSIP/desk2-00000007", "1.9"))))
	require.Equal(t, "Newstate", w.names(t, callEvent("Newstate", channelLines("", "PJSIP/desk-00000006", "1.8"))))
	require.Empty(t, w.names(t, enterOf("hold", "holding_bridge", "PJSIP/bob-00000003", "1.5")))
}

// Nor is one of which it is not known that it is none.
func TestABridgeWithoutATechnologyIsNoCall(t *testing.T) {
	w := watch(t, anAlice, world(t))
	w.names(t, newchannelOf("PJSIP/alice-00000060", "7.1"))
	w.names(t, newchannelOf("PJSIP/bob-00000061", "7.2"))
	require.Empty(t, w.names(t, enterOf("lot", "", "PJSIP/bob-00000061", "7.2")))
	require.Equal(t, "BridgeEnter", w.names(t, enterOf("lot", "", "PJSIP/alice-00000060", "7.1")))
	require.Empty(t, w.names(t, callEvent("Hold", channelLines("", "PJSIP/bob-00000061", "7.2"))))
}

// Lists are cut to what the session may know of, and their ends count that.
func TestAnswers(t *testing.T) {
	queueStatus := []string{
		"Response: Success|EventList: start|Message: Queue status will follow",
		"Event: QueueParams|Queue: support|Max: 0", "Event: QueueMember|Queue: support|Name: Alice|Location: Local/1001@agents/n|StateInterface: PJSIP/alice",
		"Event: QueueMember|Queue: support|Name: Bob|Location: PJSIP/bob|StateInterface: PJSIP/bob",
		"Event: QueueEntry|Queue: support|Position: 1|Channel: PJSIP/trunk-00000008|Uniqueid: 2.1",
		"Event: QueueParams|Queue: support2|Max: 0", "Event: QueueMember|Queue: support2|Name: Bob|Location: PJSIP/bob|StateInterface: PJSIP/bob",
		"Event: QueueParams|Queue: sales|Max: 0", "Event: Surprise|Queue: support",
		"Event: QueueStatusComplete|EventList: Complete|ListItems: 8",
	}
	channels := []string{
		"Response: Success|EventList: start", "Event: CoreShowChannel|Channel: PJSIP/alice-00000002|Uniqueid: 1.4", "Event: CoreShowChannel|Channel: PJSIP/trunk-00000001|Uniqueid: 1.1",
		"Event: CoreShowChannel|Channel: PJSIP/bob-00000003|Uniqueid: 1.5", "Event: CoreShowChannelsComplete|EventList: Complete|ListItems: 3",
	}
	status := []string{
		"Response: Success|EventList: start", "Event: Status|Privilege: Call|Channel: PJSIP/bob-00000003|Uniqueid: 1.5",
		"Event: StatusComplete|EventList: Complete|ListItems: 1|Items: 1",
	}
	tests := map[string]struct {
		grant  Grant
		action string
		answer []string
		want   []int // of the items
		end    string
	}{
		"queue":              {queues, "QueueStatus", queueStatus, []int{0, 1, 2, 3, 4, 5, 6}, "Event: QueueStatusComplete|EventList: Complete|ListItems: 6"},
		"queue, channels":    {scoped, "QueueStatus", queueStatus, []int{0, 1, 2, 3, 5, 6}, "Event: QueueStatusComplete|EventList: Complete|ListItems: 5"},
		"agent's queues":     {anAlice, "QueueStatus", queueStatus, []int{0, 1, 2, 4}, "Event: QueueStatusComplete|EventList: Complete|ListItems: 3"},
		"channels":           {scoped, "CoreShowChannels", channels, []int{0, 1}, "Event: CoreShowChannelsComplete|EventList: Complete|ListItems: 1"},
		"agent's channels":   {anAlice, "CoreShowChannels", channels, []int{0, 1, 2}, "Event: CoreShowChannelsComplete|EventList: Complete|ListItems: 2"},
		"queues' channels":   {queues, "CoreShowChannels", channels, []int{0, 1, 2, 3}, "Event: CoreShowChannelsComplete|EventList: Complete|ListItems: 3"},
		"nothing":            {anAlice, "Status", status, []int{0}, "Event: StatusComplete|EventList: Complete|ListItems: 0|Items: 0"},
		"an administrator's": {admin, "QueueStatus", queueStatus, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, queueStatus[9]},
		"cancelled": {
			anAlice, "QueueStatus",
			[]string{queueStatus[0], queueStatus[3], "Event: QueueStatusComplete|EventList: Cancelled|ListItems: 1|Message: x"},
			[]int{0},
			"Event: QueueStatusComplete|EventList: Cancelled|ListItems: 0|Message: x",
		},
		"parked": {
			anAlice, "ParkedCalls", []string{
				"Response: Success|EventList: start", "Event: ParkedCall|ParkeeChannel: PJSIP/trunk-00000008|ParkeeUniqueid: 2.1|ParkerDialString: PJSIP/alice",
				"Event: ParkedCall|ParkeeChannel: PJSIP/trunk-00000009|ParkeeUniqueid: 2.2|ParkerDialString: PJSIP/bob", "Event: ParkedCallsComplete|EventList: Complete|ListItems: 2|Total: 2",
			}, []int{0, 1}, "Event: ParkedCallsComplete|EventList: Complete|ListItems: 1|Total: 1",
		},
		"dialplan": {
			scoped, "ShowDialPlan", []string{
				"Response: Success|EventList: start", "Event: ListDialplan|Context: internal|Extension: 1", "Event: ListDialplan|Context: internal|IncludeContext: other",
				"Event: ListDialplan|Context: other|Extension: 1", "Event: ShowDialPlanComplete|EventList: Complete|ListItems: 3|ListExtensions: 2|ListPriorities: 2|ListContexts: 2",
			}, []int{0, 1}, "Event: ShowDialPlanComplete|EventList: Complete|ListItems: 1",
		},
		"a hint": {
			scoped, "ExtensionState",
			[]string{"Response: Success|Message: Extension Status|Exten: 1|Context: internal|Hint: PJSIP/alice|Status: 1|StatusText: InUse"},
			nil,
			"Response: Success|Message: Extension Status|Exten: 1|Context: internal|Hint: PJSIP/alice|Status: 1|StatusText: InUse",
		},
		"another's hint": {
			scoped, "ExtensionState",
			[]string{"Response: Success|Message: Extension Status|Exten: 1|Context: internal|Hint: PJSIP/bob|Status: 1|StatusText: InUse"},
			nil,
			"Response: Success|Message: Extension Status|Exten: 1|Context: internal",
		},
		"another queue's hint": {
			queues, "ExtensionState",
			[]string{"Response: Success|Exten: 1|Context: x|Hint: PJSIP/bob&Queue:sales_avail|Status: 1|StatusText: InUse"},
			nil,
			"Response: Success|Exten: 1|Context: x",
		},
		"hints": {
			scoped, "ExtensionStateList", []string{
				"Response: Success|EventList: start", "Event: ExtensionStatus|Exten: 1|Context: internal|Hint: PJSIP/alice&PJSIP/alice2|Status: 1",
				"Event: ExtensionStatus|Exten: 2|Context: internal|Hint: PJSIP/bob|Status: 1", "Event: ExtensionStatus|Exten: 3|Context: internal|Hint: PJSIP/alice,CustomPresence:bob|Status: 1",
				"Event: ExtensionStatus|Exten: 4|Context: internal|Hint: |Status: 4", "Event: ExtensionStateListComplete|EventList: Complete|ListItems: 4",
			}, []int{0, 1, 4}, "Event: ExtensionStateListComplete|EventList: Complete|ListItems: 2",
		},
		"one packet": {anAlice, "Getvar", []string{"Response: Success|Variable: X|Value: 1"}, nil, "Response: Success|Variable: X|Value: 1"},
		"text":       {anAlice, "Status", []string{"PJSIP/bob-00000003 is up", "Event: StatusComplete|EventList: Complete|ListItems: 1"}, nil, "Event: StatusComplete|EventList: Complete|ListItems: 0"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := limited(t, tc.grant, world(t)).Answer(action(t, "Action: "+tc.action))
			var got, want []string
			for _, lines := range tc.answer {
				if p := a.Take(answer(t, lines)); p != nil {
					got = append(got, shown(p))
				}
			}
			for _, i := range tc.want {
				want = append(want, tc.answer[i])
			}
			require.Equal(t, append(want, tc.end), got)
		})
	}
}

// An item of a snapshot is judged like one of a list.
func TestItemsOfLimitedSessions(t *testing.T) {
	state := world(t)
	tests := map[string]struct {
		grant Grant
		want  string
	}{
		"agent": {anAlice, "CoreShowChannel PJSIP/trunk-00000001, CoreShowChannel Local/1001@agents-00000001;1, CoreShowChannel Local/1001@agents-00000001;2, " +
			"CoreShowChannel PJSIP/alice-00000002, CoreShowChannel PJSIP/desk-00000006, BridgeListItem b1, BridgeListItem b2, " +
			"QueueParams support, QueueMember support, QueueEntry support, Agents PJSIP/desk-00000006"},
		"scopes": {scoped, "CoreShowChannel Local/1001@agents-00000001;1, CoreShowChannel Local/1001@agents-00000001;2, CoreShowChannel PJSIP/alice-00000002, " +
			"CoreShowChannel PJSIP/alice2-00000005, BridgeListItem b1, BridgeListItem b2, QueueParams support, QueueMember support, QueueMember support, QueueParams support2, QueueMember support2"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := limited(t, tc.grant, state)
			var got []string
			for p := range state.Snapshot(pbx.AllObjects, "", time.Unix(3, 0)) {
				if p = s.Item(p); p != nil {
					got = append(got, p.Name()+" "+first(p, "Channel", "BridgeUniqueid", "Queue"))
				}
			}
			for i := range got {
				if strings.HasPrefix(got[i], "QueueEntry") {
					got[i] = "QueueEntry support"
				}
			}
			require.Equal(t, tc.want, strings.Join(got, ", "))
		})
	}
}

// Laws over what was recorded: what a session with scopes gets names nothing outside; what
// an agent was told of ends for it, too, and each event of its calls is of a channel that it
// was told of.
func TestRecordedTraffic(t *testing.T) {
	for _, name := range []string{"22-queue-hour.s2c", "16-queue-hour.s2c"} {
		t.Run(name, func(t *testing.T) {
			wire, err := os.ReadFile(filepath.Join("..", "tests", "corpus", name))
			require.NoError(t, err)
			state := pbx.New()
			agent := watch(t, Grant{Type: Agent, Read: codec.All, Agent: pbx.Person{ID: "1101", Devices: []string{"Local/1101@agent-phone"}}}, state)
			tenant := watch(t, Grant{Type: Monitor, Read: codec.All, Channels: []string{"Local/1101@"}, Queues: []string{"sup"}}, state)
			open := map[string]bool{}
			d := native.NewDecoder(bytes.NewReader(wire), native.FromAsterisk)
			seen, introduced, owned := 0, 0, 0
			for {
				var p codec.Packet
				if err := d.Decode(&p); errors.Is(err, io.EOF) {
					break
				}
				if p.Kind() != codec.Event || p.Get("Privilege") == "" {
					continue
				}
				q := p.Clone()
				tenantGot := tenant.gets(q)
				for _, p := range tenantGot {
					seen++
					for _, h := range p.Headers {
						if strings.HasSuffix(h.Name, "Channel") && h.Value != "" {
							require.True(t, strings.HasPrefix(h.Value, "Local/1101@"), "%s", p.Raw)
						}
						if h.Name == "Queue" {
							require.True(t, strings.HasPrefix(h.Value, "sup"), "%s", p.Raw)
						}
					}
				}
				for _, p := range agent.gets(q) {
					id := p.Get("Uniqueid")
					switch p.Name() {
					case "Newchannel":
						require.False(t, open[id], "told twice: %s", p.Raw)
						open[id] = true
						if p.Get("AmpdSynthetic") != "" {
							introduced++
						}
						owned++
					case "Hangup":
						require.True(t, open[id], "%s", p.Raw)
						delete(open, id)
					case "Newstate", "BridgeEnter", "BridgeLeave", "Hold", "Unhold", "NewConnectedLine", "MusicOnHoldStart", "HangupRequest", "Newexten":
						require.True(t, open[id], "%s", p.Raw)
					}
				}
			}
			for id := range open {
				require.NotNil(t, state.Channel(id), "a ghost")
			}
			t.Logf("tenant %d events, agent %d channels, %d introduced", seen, owned, introduced)
			require.NotZero(t, seen)
			require.NotZero(t, introduced)
		})
	}
}

func BenchmarkLimited(b *testing.B) {
	state := world(b)
	for name, lines := range map[string]string{
		"own":     callEvent("Newstate", channelLines("", "PJSIP/alice-00000002", "1.4")),
		"another": callEvent("Newstate", channelLines("", "PJSIP/bob-00000003", "1.5")),
	} {
		p := answer(b, lines)
		s := limited(b, anAlice, state)
		view := s.View(codec.All, s.Filters())
		view.Begin()
		e := NewEvent(p)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				view.First(&e)
				view.See(&e)
			}
		})
	}
}
