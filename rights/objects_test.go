package rights

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
)

// limitedCases are judged in the world of world_test.go.
func limitedCases() []ruleCase {
	own, talk := "PJSIP/alice-00000002", "PJSIP/trunk-00000001"
	var cases []ruleCase
	add := func(g Grant, lines, rule string) { cases = append(cases, ruleCase{g, lines, rule}) }

	// Each action on a channel: one inside, by name or Uniqueid, in any case; one outside,
	// none at all, a regular expression, no header, an empty one, two.
	for action, more := range map[string]string{
		"AbsoluteTimeout": "|Timeout: 1", "CancelAtxfer": "", "ChangeMonitor": "|File: x", "ControlPlayback": "|Control: stop", "CoreShowChannelMap": "",
		"Getvar": "|Variable: X", "Hangup": "", "LocalOptimizeAway": "", "MixMonitor": "|File: a", "MixMonitorMute": "", "Monitor": "|File: a", "MuteAudio": "",
		"Park": "", "PauseMonitor": "", "PJSIPHangup": "", "PlayDTMF": "|Digit: 1", "PlayMF": "|Digit: 1", "SendFlash": "", "SendText": "", "Setvar": "|Variable: X",
		"StopMixMonitor": "", "StopMonitor": "", "UnpauseMonitor": "", "Redirect": "|Context: internal|Exten: 1|Priority: 1",
		"Atxfer": "|Context: internal|Exten: 1", "BlindTransfer": "|Context: internal|Exten: 1",
	} {
		a := "Action: " + action + more
		add(scoped, a+"|Channel: "+own, "")
		add(scoped, a+"|cHANNEL: pjsip/ALICE-00000002", "")
		add(scoped, a+"|Channel: 1.4", "")
		add(scoped, a+"|Channel: "+talk, action+" Channel: outside")
		add(scoped, a+"|Channel: 1.5", action+" Channel: outside")
		add(scoped, a+"|Channel: PJSIP/alice", action+" Channel: unknown")
		add(scoped, a+"|Channel:  "+own+" ", action+" Channel: unknown") // a blank behind is part of it
		add(scoped, a+"|Channel: /^PJSIP/", action+" Channel: regular expression")
		add(scoped, a+"|Channel: ", action+" Channel: empty")
		add(scoped, a+"|Channel: "+own+"|channel: "+talk, action+" Channel: given twice")
		add(scoped, a+"|Channel: |Channel: "+talk, action+" Channel: given twice")
		add(scoped, a, action+" Channel: not given")
	}
	// Other headers that name channels.
	for _, h := range []string{"TimeoutChannel", "Channel2", "AnnounceChannel"} {
		add(scoped, "Action: Park|Channel: "+own+"|"+h+": "+own, "")
		add(scoped, "Action: Park|Channel: "+own+"|"+h+": "+talk, "Park "+h+": outside")
		add(caller, "Action: Park|Channel: "+own+"|"+h+": 1.4", "")
		add(caller, "Action: Park|Channel: "+talk+"|"+h+": "+talk, "Park "+h+": not the agent's")
		add(caller, "Action: Park|Channel: "+talk+"|"+h+": PJSIP/bob", "Park "+h+": unknown")
	}
	redirect := "Action: Redirect|Channel: " + own + "|Context: internal|Exten: 1|Priority: 1"
	add(scoped, redirect+"|ExtraChannel: PJSIP/alice2-00000005", "")
	add(scoped, redirect+"|ExtraChannel: "+talk, "Redirect ExtraChannel: outside")
	add(scoped, redirect+"|ExtraChannel: "+own+"|ExtraContext: other", "Redirect ExtraContext: outside")
	add(scoped, redirect+"|ExtraChannel: "+own+"|ExtraExten: 1@other", "Redirect ExtraExten: outside")
	add(scoped, "Action: Redirect|Channel: "+own+"|Context: Internal|Exten: 1|Priority: 1", "Redirect Context: outside") // Asterisk minds the case
	add(scoped, "Action: Redirect|Channel: "+own+"|Context: internal|Exten: 1/n@x|Priority: 1", "Redirect Exten: outside")
	for _, a := range []string{"Atxfer", "BlindTransfer"} {
		add(scoped, "Action: "+a+"|Channel: "+own+"|Exten: 1", a+" Context: not given")
		add(scoped, "Action: "+a+"|Channel: "+own+"|Context: other|Exten: 1", a+" Context: outside")
		add(scoped, "Action: "+a+"|Channel: "+own+"|Context: internal|Exten: 100@other/n", a+" Exten: outside")
	}
	for _, a := range []string{"QueueChangePriorityCaller", "QueueWithdrawCaller"} {
		add(queues, "Action: "+a+"|Queue: support|Caller: 2.1|Priority: 1", "")
		add(scoped, "Action: "+a+"|Queue: support|Caller: 2.1|Priority: 1", a+" Caller: outside")
		add(queues, "Action: "+a+"|Queue: sales|Caller: 2.1|Priority: 1", a+" Queue: outside")
	}
	add(scoped, "Action: BridgeInfo|BridgeUniqueid: b2", "")
	add(scoped, "Action: BridgeInfo|BridgeUniqueid: b3", "BridgeInfo BridgeUniqueid: outside")
	add(scoped, "Action: Status|Channel: "+own, "")
	add(scoped, "Action: Status", "")
	add(scoped, "Action: Status|Channel: "+talk, "Status Channel: outside")

	// What is dialled.
	dial := func(channel string) string {
		return "Action: Originate|Channel: " + channel + "|Context: internal|Exten: 1|Priority: 1"
	}
	add(scoped, dial("PJSIP/alice"), "")
	add(scoped, dial("pjsip/ALICE"), "")
	add(scoped, dial("Local/1001@agents"), "Originate Channel: outside") // no context inside
	add(Grant{Type: Administrator, Write: codec.All, Contexts: []string{"internal"}}, dial("Local/1@internal/n"), "")
	add(Grant{Type: Administrator, Write: codec.All, Contexts: []string{"internal"}}, dial("Local/1@other/x@internal"), "Originate Channel: outside")
	add(Grant{Type: Administrator, Write: codec.All, Contexts: []string{"internal"}}, dial("Local/1"), "Originate Channel: outside")
	add(scoped, dial("PJSIP/alice@trunk"), "Originate Channel: outside")
	add(scoped, dial("PJSIP/alice/sip:x"), "Originate Channel: outside")
	add(scoped, dial("PJSIP/bob"), "Originate Channel: outside")
	add(scoped, "Action: Originate|Channel: PJSIP/alice|Context: other|Exten: 1|Priority: 1", "Originate Context: outside")
	add(scoped, "Action: Originate|Channel: PJSIP/alice|Context: internal|Exten: 1@other|Priority: 1", "Originate Exten: outside")
	add(scoped, "Action: Originate|Channel: PJSIP/alice|Exten: 1|Priority: 1", "Originate Context: not given")
	add(scoped, dial("PJSIP/alice")+"|Application: Queue", "Originate Application: not for limited sessions")
	add(scoped, dial("PJSIP/alice")+"|Application: |Application: Echo", "Originate Application: not for limited sessions")
	add(scoped, dial("PJSIP/alice")+"|Application: ", "")
	add(scoped, dial("PJSIP/alice")+"|Data: sales", "Originate Data: not for limited sessions")
	add(scoped, dial("PJSIP/alice")+"|PreDialGoSub: other,s,1", "Originate PreDialGoSub: not for limited sessions")
	add(scoped, dial("PJSIP/alice")+"|ChannelId: b3", "Originate ChannelId: not for limited sessions")
	add(scoped, dial("PJSIP/alice")+"|OtherChannelId: x", "Originate OtherChannelId: not for limited sessions")

	// Queues.
	for action, more := range map[string]string{
		"QueueMemberRingInUse": "|Interface: PJSIP/bob|RingInUse: yes", "QueuePause": "|Interface: PJSIP/bob|Paused: true",
		"QueuePenalty": "|Interface: PJSIP/bob|Penalty: 1", "QueueReload": "", "QueueRemove": "|Interface: PJSIP/bob", "QueueReset": "",
	} {
		a := "Action: " + action + more
		add(queues, a+"|Queue: support", "")
		add(queues, a+"|QUEUE: SUPPORT", "")
		add(queues, a+"|Queue: support2", "") // a prefix
		add(queues, a+"|Queue: suppor", action+" Queue: outside")
		add(queues, a+"|Queue: sales", action+" Queue: outside")
		add(queues, a+"|Queue: support|Queue: sales", action+" Queue: given twice")
		add(queues, a, action+" Queue: not given")
	}
	add(queues, "Action: QueueAdd|Queue: support|Interface: PJSIP/x", "")
	add(queues, "Action: QueueAdd|Queue: sales|Interface: PJSIP/x", "QueueAdd Queue: outside")
	add(scoped, "Action: QueueAdd|Queue: support|Interface: PJSIP/bob", "QueueAdd Interface: outside")
	add(scoped, "Action: QueueAdd|Queue: support|Interface: Local/1@other", "QueueAdd Interface: outside")
	add(scoped, "Action: QueueAdd|Queue: support|Interface: PJSIP/al|StateInterface: PJSIP/bob", "QueueAdd StateInterface: outside")
	for _, list := range []string{
		"BridgeList", "CoreSettings", "CoreShowChannels", "CoreStatus", "DeviceStateList", "ParkedCalls", "QueueStatus", "QueueSummary", "Agents",
		"PeerInfo", "ServerVersion", "StatisticInfo", "AgentInfo", "ChannelInfo", "ParkedCallInfo", "QueueInfo",
		"ExtensionStateList", "ShowDialPlan",
	} {
		add(scoped, "Action: "+list, "")
	}
	add(scoped, "Action: ExtensionState|Exten: 1|Context: internal", "")
	add(scoped, "Action: ExtensionState|Exten: 1|Context: other", "ExtensionState Context: outside")
	add(scoped, "Action: ExtensionState|Exten: 1", "ExtensionState Context: not given")
	// Members by their devices, rules of all queues, lots of others.
	for action, more := range map[string]string{"QueuePause": "|Paused: 1", "QueueRemove": "", "QueuePenalty": "|Penalty: 1", "QueueMemberRingInUse": "|RingInUse: yes"} {
		g := Grant{Type: Administrator, Write: codec.All, Channels: []string{"PJSIP/al"}}
		add(g, "Action: "+action+more+"|Queue: support|Interface: PJSIP/alice", "")
		add(g, "Action: "+action+more+"|Queue: support|Interface: PJSIP/bob", action+" Interface: outside")
	}
	add(queues, "Action: QueueReload|Queue: support|Members: yes|Rules: yes", "QueueReload Rules: not for limited sessions")
	add(scoped, "Action: Park|Channel: "+own+"|Parkinglot: other", "Park Parkinglot: not for limited sessions")
	add(caller, "Action: Park|Channel: "+own+"|Parkinglot: other", "Park Parkinglot: not for limited sessions")
	// Recordings in others' mailboxes, variables of the channel that is recorded.
	for _, option := range []string{"m(bob@default)", "bi(ACCESS_GRANTED)"} {
		add(scoped, "Action: MixMonitor|Channel: "+own+"|File: a.wav|Options: "+option, "MixMonitor Options: options for others")
		add(anAlice, "Action: MixMonitor|Channel: "+talk+"|File: a.wav|Options: "+option, "MixMonitor Options: options for others")
	}
	add(anAlice, "Action: MixMonitor|Channel: "+talk+"|File: a.wav|Options: bW(2)", "")
	// Whether there is what is outside.
	add(scoped, "Action: ShowDialPlan|Context: internal", "")
	add(scoped, "Action: ShowDialPlan|Context: other", "ShowDialPlan Context: outside")
	add(scoped, "Action: ShowDialPlan|Context: ", "ShowDialPlan Context: empty")
	add(scoped, "Action: ShowDialPlan|Context: internal|Extension: 1", "ShowDialPlan Extension: not for limited sessions")
	add(queues, "Action: ShowDialPlan|Extension: 5551234", "ShowDialPlan Extension: not for limited sessions")
	add(scoped, "Action: ParkedCalls|ParkingLot: other", "ParkedCalls ParkingLot: not for limited sessions")
	add(anAlice, "Action: QueueRemove|Queue: support2|Interface: PJSIP/alice", "QueueRemove Queue: not the agent's")
	add(anAlice, "Action: QueueRemove|Queue: nosuch|Interface: PJSIP/alice", "QueueRemove Queue: not the agent's")
	for _, unknown := range []string{"Bridge", "UserEvent", "DBGet", "VoicemailUsersList", "Parkinglots", "QueueLog", "PJSIPShowEndpoints", "QueueRule", "AOCMessage", "Command"} {
		add(scoped, "Action: "+unknown+"|Command: core show version", "scope")
	}
	add(scoped, "Action: Ping", "")
	// Functions that reach beyond the channel.
	for _, f := range []string{"QUEUE_MEMBER(sales,count)", "DEVICE_STATE(PJSIP/bob)", "EXTENSION_STATE(1@other)", "PRESENCE_STATE(x,value)"} {
		add(scoped, "Action: Getvar|Channel: "+own+"|Variable: "+f, "Getvar Variable: function")
		add(scoped, "Action: Status|Variables: X,"+f, "Status Variables: function")
	}
	add(scoped, "Action: Getvar|Channel: "+own+"|Variable: CALLERID(num)", "")

	// Digits as if the channel had sent them are feature codes.
	add(scoped, "Action: PlayDTMF|Channel: "+own+"|Digit: 1|Receive: true", "PlayDTMF Receive: not for limited sessions")
	add(scoped, "Action: SendFlash|Channel: "+own+"|Receive: true", "SendFlash Receive: not for limited sessions")
	add(admin, "Action: PlayDTMF|Channel: "+own+"|Digit: 1|Receive: true", "")
	// Who is limited to queues may call what he likes.
	add(queues, "Action: Originate|Channel: PJSIP/1@trunk|Context: x|Exten: 1|Priority: 1", "")

	// Variables of a channel that is only talked to.
	add(scoped, "Action: Status|Variables: X|AllVariables: true", "")
	add(anAlice, "Action: Status|Variables: X", "Status Variables: not for agents")
	add(anAlice, "Action: Status|Channel: "+talk+"|AllVariables: true", "Status AllVariables: not for agents")
	// Who an agent is is not its to set.
	add(anAlice, "Action: Setvar|Channel: "+own+"|Variable: CALLERID(num)|Value: 1", "Setvar Variable: function")
	add(anAlice, "Action: Setvar|Channel: "+own+"|Variable: TIMEOUT(absolute)|Value: 1", "")
	add(anAlice, "Action: Getvar|Channel: "+own+"|Variable: CALLERID(num)", "")
	add(caller, dial("PJSIP/alice")+"|Variable: a=1,CALLERID(num)=2", "Originate Variable: function")
	add(scoped, "Action: Setvar|Channel: "+own+"|Variable: CALLERID(num)|Value: 1", "")

	// Monitors without a scope: their channels are found.
	add(monitor, "Action: Getvar|Variable: X|Channel: 1.5", "")
	add(monitor, "Action: Getvar|Variable: X|Channel: SIP/1", "Getvar Channel: unknown")
	add(monitor, "Action: Getvar|Variable: X|Channel: ", "Getvar Channel: empty")
	add(monitor, "Action: Status|CHANNEL: /./", "Status Channel: regular expression")
	add(monitor, "Action: CoreShowChannelMap|Channel: 1.5|Channel: 1.6", "CoreShowChannelMap Channel: given twice")

	// Agents: what is theirs.
	for _, a := range []string{"Hangup", "PJSIPHangup", "ChangeMonitor|File: x", "MixMonitor|File: x", "MixMonitorMute", "Monitor|File: x", "PauseMonitor", "UnpauseMonitor", "StopMonitor", "StopMixMonitor", "Status"} {
		name, _, _ := strings.Cut(a, "|")
		for _, c := range []string{own, talk, "1.2", "local/1001@AGENTS-00000001;2", "PJSIP/desk-00000006"} {
			add(anAlice, "Action: "+a+"|Channel: "+c, "")
		}
		for _, c := range []string{"PJSIP/bob-00000003", "1.6", "PJSIP/alice2-00000005", "2.1", "PJSIP/desk2-00000007"} {
			add(anAlice, "Action: "+a+"|Channel: "+c, name+" Channel: not the agent's")
		}
		add(anAlice, "Action: "+a+"|Channel: /.*/", name+" Channel: regular expression")
	}
	for _, a := range []string{"Getvar|Variable: X", "Setvar|Variable: X|Value: 1", "CancelAtxfer"} {
		name, _, _ := strings.Cut(a, "|")
		add(anAlice, "Action: "+a+"|Channel: "+own, "")
		add(anAlice, "Action: "+a+"|Channel: "+talk, name+" Channel: not the agent's")
		add(anAlice, "Action: "+a, name+" Channel: not given")
	}
	add(anAlice, redirect, "no contexts")
	add(caller, redirect, "")
	add(caller, "Action: Redirect|Channel: "+talk+"|Context: internal|Exten: 1|Priority: 1|ExtraChannel: "+own, "")
	add(caller, redirect+"|ExtraChannel: PJSIP/bob-00000003", "Redirect ExtraChannel: not the agent's")
	add(caller, "Action: Redirect|Channel: "+own+"|Context: from-pstn|Exten: 1|Priority: 1", "Redirect Context: outside")
	add(anAlice, "Action: Park|Channel: "+talk, "no contexts")
	add(caller, "Action: Park|Channel: "+talk, "")
	add(anAlice, dial("PJSIP/alice"), "no contexts")
	add(caller, dial("pjsip/alice"), "")
	add(caller, dial("Local/1001@agents/n"), "Originate Channel: outside") // that context is not the profile's
	add(caller, dial("PJSIP/alice2"), "Originate Channel: not the agent's")
	add(caller, dial("PJSIP/bob"), "Originate Channel: not the agent's")
	add(caller, dial("Agent:1001"), "Originate Channel: outside")
	add(caller, "Action: Originate|Channel: PJSIP/alice|Context: internal|Exten: 1@evil/n|Priority: 1", "Originate Exten: outside")
	add(caller, "Action: Originate|Channel: PJSIP/alice|Application: Echo", "Originate Context: not given")
	add(caller, dial("PJSIP/alice")+"|Application: Echo", "Originate Application: not for limited sessions")
	add(caller, dial("PJSIP/alice")+"|CallerID: Boss <1>|Account: x|ChannelId: 1.5|OtherChannelId: y|PreDialGoSub: a,s,1", "")
	for _, a := range []string{"Atxfer", "BlindTransfer"} {
		add(anAlice, "Action: "+a+"|Channel: "+own+"|Context: internal|Exten: 1", "no contexts")
		add(caller, "Action: "+a+"|Channel: "+own+"|Context: internal|Exten: 1", "")
		add(caller, "Action: "+a+"|Channel: "+own+"|Context: internal|Exten: 1@evil/n", a+" Exten: outside")
		add(caller, "Action: "+a+"|Channel: "+talk+"|Context: internal|Exten: 1", a+" Channel: not the agent's")
	}
	add(anAlice, "Action: QueuePause|Interface: local/1001@AGENTS/n|Paused: true", "")
	add(anAlice, "Action: QueuePause|Interface: PJSIP/bob|Paused: true", "QueuePause Interface: not the agent's")
	add(anAlice, "Action: QueuePause|Interface: PJSIP/alice|Interface: PJSIP/bob|Paused: true", "QueuePause Interface: given twice")
	add(anAlice, "Action: QueuePause|Queue: support|Interface: Local/1001@agents/n|Paused: true", "")
	add(caller, "Action: QueuePause|Queue: sales|Interface: Local/1001@agents/n|Paused: true", "QueuePause Queue: outside")
	add(anAlice, "Action: QueueRemove|Queue: support|Interface: PJSIP/bob", "QueueRemove Interface: not the agent's")
	add(anAlice, "Action: QueueRemove|Queue: support|Interface: PJSIP/alice", "")
	add(anAlice, "Action: QueueAdd|Queue: support|Interface: PJSIP/alice", "QueueAdd Queue: not the agent's")
	add(caller, "Action: QueueAdd|Queue: support|Interface: PJSIP/alice|MemberName: Bob, Local/1@evil", "")
	add(caller, "Action: QueueAdd|Queue: sales|Interface: PJSIP/alice", "QueueAdd Queue: outside")
	add(caller, "Action: QueueAdd|Queue: support|Interface: PJSIP/bob", "QueueAdd Interface: not the agent's")
	add(caller, "Action: QueueAdd|Queue: support|Interface: PJSIP/alice|StateInterface: PJSIP/bob", "QueueAdd StateInterface: not the agent's")
	// What would become another member when Asterisk starts again.
	for _, reason := range []string{"x¦PJSIP/bob;0;0;Alice", "x,PJSIP/bob;0;0;Alice", "x, PJSIP/bob", "a;b"} {
		add(anAlice, "Action: QueuePause|Interface: PJSIP/alice|Paused: true|Reason: "+reason, "QueuePause Reason: another member")
		add(caller, "Action: QueueAdd|Queue: support|Interface: PJSIP/alice|Paused: true|Reason: "+reason, "QueueAdd Reason: another member")
		add(scoped, "Action: QueueAdd|Queue: support|Interface: PJSIP/al1|MemberName: "+reason, "QueueAdd MemberName: another member")
	}
	add(anAlice, "Action: QueuePause|Interface: PJSIP/alice|Paused: true|Reason: Lunch at \"the Ox\"", "")
	for _, a := range []string{"Action: AgentLogoff", "Action: AgentActivity", "Action: AgentCallbackLogin|Context: internal|Exten: 1"} {
		name, _, _ := strings.Cut(strings.TrimPrefix(a, "Action: "), "|")
		add(scoped, a+"|Agent: 1003", "")                     // has not logged in
		add(scoped, a+"|Agent: 1002", name+" Agent: outside") // on PJSIP/desk2
		add(scoped, a+"|Agent: 1001", name+" Agent: outside") // on PJSIP/desk
		add(queues, a+"|Agent: 1002", "")                     // no scope for channels
		add(desks, a+"|Agent: 1002", "")
	}
	add(anAlice, "Action: AgentLogoff|Agent: 1001", "")
	add(anAlice, "Action: AgentLogoff|Agent: 1002", "AgentLogoff Agent: not the agent's")
	add(anAlice, "Action: AgentActivity|Agent: 1001", "")
	add(anAlice, "Action: AgentActivity|Agent: 1002", "AgentActivity Agent: not the agent's")
	add(anAlice, "Action: AgentCallbackLogin|Agent: 1001|Exten: 1|Context: internal", "no contexts")
	add(caller, "Action: AgentCallbackLogin|Agent: 1001|Exten: 1|Context: internal", "")
	add(caller, "Action: AgentCallbackLogin|Agent: 1002|Exten: 1|Context: internal", "AgentCallbackLogin Agent: not the agent's")
	add(caller, "Action: AgentCallbackLogin|Agent: 1001|Exten: 1|Context: from-pstn", "AgentCallbackLogin Context: outside")
	add(caller, "Action: AgentCallbackLogin|Agent: 1001|Exten: 1@evil/n|Context: internal", "AgentCallbackLogin Exten: outside")
	add(anAlice, "Action: BridgeInfo|BridgeUniqueid: b1", "")
	add(anAlice, "Action: BridgeInfo|BridgeUniqueid: b3", "BridgeInfo BridgeUniqueid: not the agent's")
	add(anAlice, "Action: BridgeInfo|BridgeUniqueid: hold", "BridgeInfo BridgeUniqueid: not the agent's")
	for _, list := range []string{
		"Agents", "BridgeList", "CoreShowChannels", "DeviceStateList", "ParkedCalls", "QueueStatus", "QueueSummary", "Status", "Ping",
		"PeerInfo", "ServerVersion", "StatisticInfo", "AgentInfo", "ChannelInfo", "ParkedCallInfo", "QueueInfo",
	} {
		add(anAlice, "Action: "+list, "")
	}
	for _, a := range []string{
		"UserEvent", "QueueLog", "AGI", "Bridge", "Command", "AOCMessage", "MessageSend", "VoicemailUsersList", "DBGet", "ConfbridgeKick", "CoreStatus", "ExtensionState",
		"ShowDialPlan", "QueuePenalty", "MuteAudio", "PlayDTMF", "Reload", "GetConfig", "PJSIPShowEndpoints", "QueueReset", "BridgeKick",
	} {
		add(anAlice, "Action: "+a+"|Channel: "+own, "type agent")
		lifted := anAlice
		lifted.Allow = []string{"*"}
		add(lifted, "Action: "+a, "type agent")
	}
	lifted := anAlice
	lifted.Allow = []string{"UserEvent", "QueueStatus"}
	add(lifted, "Action: UserEvent|UserEvent: x", "")
	add(lifted, "Action: Hangup|Channel: "+own, "allow")
	lifted.Queues = []string{"support"}
	add(lifted, "Action: UserEvent|UserEvent: x", "scope")
	return cases
}

func TestObjects(t *testing.T) {
	state := world(t)
	for _, tc := range limitedCases() {
		t.Run(tc.lines, func(t *testing.T) {
			v := limited(t, tc.grant, state).Judge(nil, action(t, tc.lines))
			require.Equal(t, tc.rule, v.Rule)
			require.Equal(t, tc.rule == "", v.Allowed)
		})
	}
}

// What is sent is what was judged, and what is not there has Asterisk's words.
func TestObjectsAreWritten(t *testing.T) {
	state := world(t)
	tests := map[string]struct {
		grant   Grant
		lines   string
		sent    string
		message string
	}{
		"a Uniqueid":         {monitor, "Action: Status|ActionID: 1|channel: 1.5", "Action: Status|ActionID: 1|channel: PJSIP/bob-00000003", ""},
		"odd case":           {scoped, "Action: Hangup|Channel:pjsip/ALICE-00000002|Cause: 16", "Action: Hangup|Channel: PJSIP/alice-00000002|Cause: 16", ""},
		"two channels":       {caller, "Action: Redirect|Channel: 1.4|ExtraChannel: 1.1|Context: internal|Exten: 1|Priority: 1", "Action: Redirect|Channel: PJSIP/alice-00000002|ExtraChannel: PJSIP/trunk-00000001|Context: internal|Exten: 1|Priority: 1", ""},
		"an administrator's": {admin, "Action: Hangup|Channel: 1.5", "Action: Hangup|Channel: 1.5", ""},
		"not an agent's to set": {
			caller, "Action: Originate|CallerID: Boss <1>|ACCOUNT: x|Channel: PJSIP/alice|ChannelId: 1|OtherChannelId: 2|PreDialGoSub: a|Context: internal|Exten: 1|Priority: 1",
			"Action: Originate|Channel: PJSIP/alice|Context: internal|Exten: 1|Priority: 1", "",
		},
		"its name":             {caller, "Action: QueueAdd|Queue: support|MemberName: Bob|Interface: PJSIP/alice", "Action: QueueAdd|Queue: support|MemberName: Alice|Interface: PJSIP/alice", ""},
		"its lots":             {caller, "Action: ParkedCalls|ParkingLot: other", "Action: ParkedCalls", ""},
		"a queue not its":      {anAlice, "Action: QueueRemove|Queue: support2|Interface: PJSIP/alice", "", "Unable to remove interface from queue: No such queue"},
		"no queue":             {anAlice, "Action: QueueRemove|Queue: nosuch|Interface: PJSIP/alice", "", "Unable to remove interface from queue: No such queue"},
		"a dialplan outside":   {scoped, "Action: ShowDialPlan|Context: other", "", "Did not find context other"},
		"its space":            {caller, "Action: Park|Channel: 1.1|ParkingSpace: 701", "Action: Park|Channel: PJSIP/trunk-00000001", ""},
		"missing":              {scoped, "Action: Hangup|Channel: nobody", "", "No such channel"},
		"outside":              {scoped, "Action: Hangup|Channel: 1.5", "", "No such channel"},
		"outside, by name":     {scoped, "Action: Park|Channel: PJSIP/bob-00000003", "", "Channel does not exist: PJSIP/bob-00000003"},
		"not the agent's":      {caller, "Action: Redirect|Channel: 1.5|Context: internal|Exten: 1|Priority: 1", "", "Channel does not exist: 1.5"},
		"a queue outside":      {queues, "Action: QueueAdd|Queue: sales|Interface: PJSIP/x", "", "Unable to add interface to queue: No such queue"},
		"a context outside":    {scoped, "Action: Redirect|Channel: 1.4|Context: x|Exten: 1|Priority: 1", "", "Permission denied"},
		"a regular expression": {scoped, "Action: Hangup|Channel: /x/", "", "Permission denied"},
		"another member":       {anAlice, "Action: QueuePause|Interface: PJSIP/bob|Paused: 1", "", "Interface not found"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := limited(t, tc.grant, state).Judge(nil, action(t, tc.lines))
			require.Equal(t, tc.message, v.Message, v.Rule)
			if tc.message == "" {
				require.Equal(t, tc.sent, shown(v.Packet))
			}
		})
	}
}

// ListCommands of a limited session shows what it may run.
func TestListsOfLimitedSessions(t *testing.T) {
	state := world(t)
	require.True(t, limited(t, anAlice, state).Lists(nil, "Hangup"))
	require.False(t, limited(t, anAlice, state).Lists(nil, "Redirect"))
	require.True(t, limited(t, caller, state).Lists(nil, "Redirect"))
	require.False(t, limited(t, anAlice, state).Lists(nil, "Command"))
	require.False(t, limited(t, scoped, state).Lists(nil, "Bridge"))
	require.True(t, limited(t, scoped, state).Lists(nil, "Ping"))
}

// What is not an agent's to set is not sent, nor is another's name.
func TestEachLineOfWhatIsSetAside(t *testing.T) {
	s := limited(t, Grant{Type: Agent, Write: codec.All, Agent: pbx.Person{ID: "1001"}}, world(t))
	for _, r := range setRules {
		require.NotEmpty(t, r.source)
		p := action(t, "Action: "+r.action+"|"+strings.ToUpper(r.header)+": x|A: b|"+r.header+": y")
		require.Equal(t, "Action: "+r.action+"|A: b", shown(s.setAside(toLower(r.action), p)))
	}
}
