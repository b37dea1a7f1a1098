package tests

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

// A tourStep is one recorded write of a client: an action, or several at once.
type tourStep struct {
	name    string   // "CoreStatus", "Command core show uptime"
	part    string   // the call it is about, by the ActionID of its Originate; "" before the first
	session string   // "main", "limited", ...
	actions []string // the packets as recorded, without the empty line
}

func (s tourStep) String() string {
	words := []string{s.session, s.part, s.name}
	if s.session == "main" {
		words = words[1:]
	}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), ", ")
}

// packetName is what the table of the normaliser calls a packet of the answer.
func (s tourStep) packetName(p wirePacket) string {
	if event, found := strings.CutPrefix(p.lines[0], "Event: "); found {
		return event
	}
	name := s.name
	if len(s.actions) > 1 { // the ActionID tells whose it is
		for _, action := range s.actions {
			if strings.Contains(action, "ActionID: "+p.get("ActionID")) {
				name = wirePacket{lines: strings.Split(action, "\r\n")}.get("Action")
			}
		}
	}
	if s.session == "limited" {
		name += " by limited"
	}
	return "Response to " + name
}

// numbered is an ActionID that counts a session's actions; the others name parts of
// the tour.
var numbered = regexp.MustCompile(`^(main|limited)-\d+-`)

// told is the header by which a step's name tells an action from others of its name.
var told = map[string]string{"Command": "Command", "UserEvent": "UserEvent", "Login": "AuthType", "Originate": "Application", "Setvar": "Variable"}

// readTour reads the steps of a recorded session.
func readTour(t *testing.T, session, file string) []tourStep {
	t.Helper()
	recorded, err := os.ReadFile(file)
	require.NoError(t, err)
	var steps []tourStep
	part := ""
	for action := range strings.SplitSeq(strings.TrimSuffix(string(recorded), "\r\n\r\n"), "\r\n\r\n") {
		p := wirePacket{lines: strings.Split(action, "\r\n")}
		id := p.get("ActionID")
		if strings.HasPrefix(id, "pipe-") {
			// Recorded as one write.
			if last := &steps[len(steps)-1]; last.part == "pipe" {
				last.name += " " + p.get("Action")
				last.actions = append(last.actions, action)
				continue
			}
			id = "pipe"
		}
		if id != "" && !numbered.MatchString(id) {
			part = id
		}
		name := p.get("Action")
		name = strings.TrimSpace(name + " " + p.get(told[name]))
		steps = append(steps, tourStep{name, part, session, []string{action}})
	}
	return steps
}

// recordedCalls are the channels of the recorded calls by the ActionID of their
// Originate.
func recordedCalls(t *testing.T, file string) map[string]string {
	t.Helper()
	recorded, err := os.ReadFile(file)
	require.NoError(t, err)
	calls := map[string]string{}
	for text := range strings.SplitSeq(string(recorded), "\r\n\r\n") {
		p := wirePacket{lines: strings.Split(text, "\r\n")}
		if p.lines[0] == "Event: OriginateResponse" && strings.HasSuffix(p.get("Channel"), ";1") {
			calls[p.get("ActionID")] = p.get("Channel")
		}
	}
	require.NotEmpty(t, calls)
	return calls
}

// The recorded pauses, as what was to come to pass meanwhile: after a step, these
// events must have come since the step began or, those of its {call}, since the part
// did. A step is "its part, its action"; {call} is the part's channel without its ;1.
// With = in front the event is compared too, with "witness" it is waited for at a
// session that sees all user events. "idle" stands for the Hangup of every
// channel there was.
var tourSigns = map[string][]string{
	"Login MD5":                                  {"=FullyBooted"},
	"SIPqualifypeer":                             {"=SIPQualifyPeerDone"},
	"Setvar DEVICE_STATE(Custom:a1001)":          {"=DeviceStateChange Device=Custom:a1001", "=ExtensionStatus Exten=1001"},
	"Setvar PRESENCE_STATE(CustomPresence:p101)": {"=PresenceStateChange", "=PresenceStatus"},
	"UserEvent Unseen":                           {"witness UserEvent UserEvent=Unseen"},
	"UserEvent":                                  {"=UserEvent"},
	"UserEvent Tour":                             {"=UserEvent"},
	"UserEvent Tour: With Colon":                 {"=UserEvent"},
	"UserEvent Queued":                           {"=UserEvent"},
	"Originate System":                           {`Hangup Channel=Local/cA@callers-\w+;1`, `Hangup Channel=Local/cA@callers-\w+;2`},

	"orig-async-ok, Originate":  {"=OriginateResponse", "Newexten Channel={call};1 Application=Wait", "Newexten Channel={call};2 Application=Wait"},
	"orig-async-ok, MixMonitor": {"MixMonitorStart Channel={call};1"},
	"orig-async-ok, Redirect":   {"MusicOnHoldStart Channel={call};1"},
	"orig-async-ok, Park":       {"ParkedCall", "MusicOnHoldStart Channel={call};1"},
	"orig-async-ok, Hangup":     {"Hangup Channel={call};1", "idle"},

	"orig-async-noanswer, Originate":   {"=OriginateResponse"},
	"orig-async-congestion, Originate": {"=OriginateResponse"},
	"orig-async-nowhere, Originate":    {"=OriginateResponse"},
	"orig-async-nochan, Originate":     {"=OriginateResponse", "idle"},
	"orig-pjsip, Originate":            {"=OriginateResponse", "Newexten Uniqueid=tour.pj.1 Application=Wait", "Newexten Application=Echo"},
	"orig-pjsip, Hangup":               {"Hangup Uniqueid=tour.pj.1", "idle"},
	"orig-pjsip-hold, Originate":       {"=OriginateResponse", "Hold", "Unhold", "BridgeDestroy", "Newexten Context=misc Extension=hold Application=Wait Priority=4"},
	"orig-pjsip-hold, Hangup":          {"Hangup", "idle"},
	"orig-sip, Originate":              {"=OriginateResponse", "Newexten Application=Wait", "Newexten Application=Echo"},
	"orig-sip, Hangup":                 {"Hangup", "idle"},

	"orig-bridge, Originate": {
		"=OriginateResponse", "Newexten Channel={call};2 Application=Wait", "BridgeEnter Channel={call};1",
		`BridgeEnter Channel=Local/1001@agents-\w+;1`, `Newexten Channel=Local/1001@agents-\w+;2 Application=Wait Priority=5`,
	},
	"orig-bridge, BlindTransfer": {"Hangup Channel={call};1", "Hangup Channel={call};2"},
	"orig-bridge, Hangup":        {"idle"},

	"orig-conf, Originate":      {"=OriginateResponse", "Newexten Channel={call};2 Application=Wait", "ConfbridgeJoin Channel={call};1"},
	"orig-conf, ConfbridgeKick": {"Hangup Channel={call};1", "idle"},
	"orig-ivr, Originate":       {"=OriginateResponse", "Newexten Channel={call};1 Application=WaitExten"},
	"orig-ivr, Hangup":          {"Hangup Channel={call};1", "idle"},
	"orig-userevent, Originate": {"=OriginateResponse", "=UserEvent UserEvent=Dialplan", "Hangup Channel={call};1", "idle"},

	"orig-empty, Originate":           {"=OriginateResponse", "QueueCallerJoin Channel={call};1"},
	"orig-empty, QueueWithdrawCaller": {"Hangup Channel={call};1", "idle"},
	"orig-empty, Hangup":              {"idle"},
	"orig-support, Originate":         {"=OriginateResponse", "AgentConnect Channel={call};1", "BridgeEnter Channel={call};1"},
	"orig-support, Hangup":            {"Hangup Channel={call};1", "idle", "QueueMemberStatus Queue=support Status=1"},
	"orig-agent, Originate":           {"=OriginateResponse", "AgentLogin Channel={call};1", "MusicOnHoldStart Channel={call};1"},
	"orig-agent, AgentLogoff":         {"AgentLogoff Channel={call};1", "Hangup Channel={call};1", "idle"},
	"orig-vm, Originate":              {"=OriginateResponse", "Newexten Channel={call};1 Application=VoiceMail"},
	"orig-vm, Hangup":                 {"Hangup Channel={call};1", "idle"},
	"orig-vm, Reload":                 {"=Reload"},

	"orig-for-limited, Originate":  {"=OriginateResponse", "QueueMemberStatus Interface=Local/1002@agents/n Status=2", "BridgeEnter Channel={call};1"},
	"orig-for-limited, QueuePause": {"=QueueMemberPause"},
	"orig-for-limited, Hangup":     {"Hangup Channel={call};1", "idle", "QueueMemberStatus Queue=support Status=1"},
}

// tourTalk makes agents answer every call and talk for the same time.
func tourTalk() asterisk.Option {
	return asterisk.Conf("extensions.conf", "[globals](+)\nRNA = 0\nTALK_MIN = 6\nTALK_MAX = 6")
}
