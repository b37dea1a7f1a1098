package rights

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// everything is the table of an Asterisk that asks what actions.tsv says and has all
// that is judged here.
var everything = Table{
	"agentcallbacklogin": codec.Agent,
	"profiledelete":      codec.System, "profileget": codec.System, "profilelist": codec.System, "profileupdate": codec.System,
	"getvar": codec.Call | codec.Reporting, "setvar": codec.Call, "status": codec.Call | codec.System,
	"originate": codec.Originate, "pjsipnotify": codec.System, "sipnotify": codec.System, "messagesend": codec.Message,
	"command": codec.Command, "mixmonitor": codec.System, "monitor": codec.Call, "changemonitor": codec.Call,
	"confbridgestartrecord": codec.System, "playdtmf": codec.Call, "playmf": codec.Call, "pjsipunregister": codec.System,
	"getconfig": codec.Config, "getconfigjson": codec.Config, "listcategories": codec.Config, "updateconfig": codec.Config,
	"createconfig": codec.Config, "dialplanextensionadd": codec.System, "dialplanextensionremove": codec.System,
	"pridebugfileset": codec.System, "moduleload": codec.System, "reload": codec.System, "agi": codec.AGI,
	"loggerrotate": codec.Reporting, "dataget": 0, "redirect": codec.Call, "queuepause": codec.Agent, "queuereset": 0, "queuereload": 0, "queuechangeprioritycaller": 0,
	"queuewithdrawcaller": 0, "bridgedestroy": 0, "bridgekick": 0, "bridgetechnologysuspend": 0, "bridgetechnologylist": 0,
	"dahdihangup": 0, "dahdishowchannels": 0, "pridebugset": 0, "prishowspans": 0, "queueadd": codec.Agent,
	"blindtransfer": codec.Call, "atxfer": codec.Call, "park": codec.Call, "coreshowchannelmap": codec.System,
	"ping": 0, "filter": codec.System, "queuestatus": 0, "hangup": codec.Call, "ourown": codec.User, "unreadable": Unreadable,
}

// A ruleCase is one action under one grant.
type ruleCase struct {
	grant Grant
	lines string // of the packet, "|" between them
	rule  string // "" for allowed
}

var (
	admin      = Grant{Type: Administrator, Write: codec.All}
	dangerous  = Grant{Type: Administrator, Write: codec.All &^ codec.System, Dangerous: true}
	monitor    = Grant{Type: Monitor, Write: codec.All}
	protective = Grant{Type: Administrator, Write: codec.All, ProtectedVariables: []string{"TRUNK_*"}}
	userOnly   = Grant{Type: Administrator, Write: codec.User}
)

// ruleCases decide every line of rules: TestEachLineOfTheRulesDecidesACase.
func ruleCases() []ruleCase {
	cases := []ruleCase{
		// Variables and functions that are read.
		{admin, "Action: Getvar|Variable: CAMPAIGN", ""},
		{admin, "Action: Getvar|Channel: SIP/1-1|Variable: _x1", ""},
		{admin, "Action: Getvar", ""},
		{admin, "Action: Getvar|Variable: ", ""},
		{admin, "Action: Getvar|Variable: CALLERID(num)", ""},
		{admin, "Action: Getvar|Variable: CONNECTEDLINE(num)", ""},
		{admin, "Action: Getvar|Variable: CHANNEL(state)", ""},
		{admin, "Action: Getvar|Variable: CDR(billsec)", ""},
		{admin, "Action: Getvar|Variable: QUEUE_MEMBER(support,count)", ""},
		{admin, "Action: Getvar|Variable: DEVICE_STATE(SIP/1)", ""},
		{admin, "Action: Getvar|Variable: EXTENSION_STATE(1@hints)", ""},
		{admin, "Action: Getvar|Variable: PRESENCE_STATE(CustomPresence:a,value)", ""},
		{admin, "Action: Getvar|Variable: VERSION()", ""},
		{admin, "Action: Getvar|Variable: callerid(num)", ""},
		{admin, "Action: Getvar|Variable: AST_CONFIG(manager.conf,ampd,secret)", "Getvar Variable: function"},
		{admin, "Action: Getvar|Variable: CHANNELS()", "Getvar Variable: function"},
		{admin, "Action: Getvar|Variable: TIMEOUT(absolute)", "Getvar Variable: function"},
		{admin, "Action: Getvar|Variable: CALLERID(num", "Getvar Variable: function"},
		{admin, "Action: Getvar|Variable: CALLERID(num)x", "Getvar Variable: function"},
		{admin, "Action: Getvar|Variable: CALLERID(SHELL(id))", "Getvar Variable: function"},
		{admin, "Action: Getvar|Variable: ${CAMPAIGN}", "Getvar Variable: substitution"},
		{admin, "Action: Getvar|Variable: CALLERID(${X})", "Getvar Variable: substitution"},
		{admin, "Action: Getvar|Variable: CALLERID($[1])", "Getvar Variable: substitution"},
		{admin, "Action: Getvar|Variable: X:1", "Getvar Variable: variable name"},
		{admin, "Action: Getvar|Variable: X,Y", "Getvar Variable: variable name"},
		{admin, "Action: Getvar|Variable: X\xc3\xa9", "Getvar Variable: variable name"},
		{admin, "Action: Getvar|Variable: X|VARIABLE: ENV(PATH)", "Getvar Variable: function"},
		{admin, "aCTION:gETvAR|vARIABLE:ENV(PATH)", "Getvar Variable: function"},
		{admin, "Action: |Action: Getvar|Variable: ENV(PATH)", "Getvar Variable: function"},
		{admin, "Action: Getvar|Variable : ENV(PATH)", ""}, // which is no Variable to Asterisk either
		{admin, "Action: Status|Variables: CALLERID(num),X", ""},
		{admin, "Action: Status|Variables: X,AST_CONFIG(manager.conf,ampd,secret)", "Status Variables: function"},
		{admin, "Action: Status|Variables: X,A\"ST_\"CONF\\IG(a)", "Status Variables: function"},
		{admin, "Action: Status|Variables: X\\", "Status Variables: backslash"},

		{admin, "Action: Status|AllVariables: true", ""},
		{protective, "Action: Status|AllVariables: false", ""},
		{protective, "Action: Status|AllVariables: ", ""},
		{protective, "Action: Status|AllVariables: no|AllVariables: On", "Status AllVariables: protected_variables"},

		// Variables and functions that are written.
		{admin, "Action: Setvar|Variable: X|Value: y", ""},
		{admin, "Action: Setvar|Variable: __X|Value: y", ""},
		{admin, "Action: Setvar|Variable: CALLERID(name)|Value: Smith, John", ""},
		{admin, "Action: Setvar|Variable: CALLERID(num)|Value: +49 (30) 123", ""},
		{admin, "Action: Setvar|Variable: CALLERID(all)|Value: \"Smith, John\" <100>", ""},
		{admin, "Action: Setvar|Variable: CDR(userfield)|Value: y", ""},
		{admin, "Action: Setvar|Variable: TIMEOUT(absolute)|Value: 10", ""},
		{admin, "Action: Setvar|Variable: CDR(accountcode)|Value: y", "Setvar Variable: function"},
		{admin, "Action: Setvar|Variable: CHANNEL(hangup_handler_push)|Value: a,b,1", "Setvar Variable: function"},
		{admin, "Action: Setvar|Variable: QUEUE_MEMBER(a,paused,b)|Value: 1", "Setvar Variable: function"},
		{admin, "Action: Setvar|Variable: CALLERID(num)|Value: x,,id>f #", "Setvar Variable: caller's number"},
		{admin, "Action: Setvar|Variable: CALLERID(all)|Value: a <1> <x,,id>", "Setvar Variable: caller's number"},
		{admin, "Action: Setvar|Variable: CALLERID(all)|Value: a <1>,,id>", "Setvar Variable: caller's number"},
		{admin, "Action: Setvar|Variable: X|Value: ${SHELL(id)}", "Setvar Variable: substitution"},
		{admin, "Action: Setvar|Value: ${SHELL(id)}", "Setvar Value: substitution"},
		{admin, "Action: Setvar|Variable: \t__monitor_exec ", "Setvar Variable: variable MONITOR_EXEC"},
		{admin, "Action: Getvar|Variable: MONITOR_EXEC", "Getvar Variable: variable MONITOR_EXEC"},
		{protective, "Action: Setvar|Variable: trunk_1", "Setvar Variable: protected_variables"},

		// Variables of Originate and of messages.
		{admin, "Action: Originate|Variable: a=1,b=2, c=3,|Variable:__d=4", ""},
		{admin, "Action: Originate|Variable: a=\"1,MONITOR_EXEC=x\"", ""},
		{admin, "Action: Originate|Variable: a=1\\,MONITOR_EXEC=x", ""},
		{admin, "Action: Originate|Variable: a=(1,MONITOR_EXEC=x)", ""},
		{admin, "Action: Originate|Variable: CALLERID(num)=100,TIMEOUT(absolute)=10", ""},
		{admin, "Action: Originate|Variable: a=1,MONITOR_EXEC=x", "Originate Variable: variable MONITOR_EXEC"},
		{admin, "Action: Originate|Variable: a=1|VARIABLE: MONITOR_EXEC=x", "Originate Variable: variable MONITOR_EXEC"},
		{admin, "Action: Originate|Variable: M\"ONI\"TOR\\_EXEC=x", "Originate Variable: variable MONITOR_EXEC"},
		{admin, "Action: Originate|Variable: a=[1,2],MONITOR_EXEC=x", "Originate Variable: variable MONITOR_EXEC"},
		{admin, "Action: Originate|Variable: a=),MONITOR_EXEC=x", "Originate Variable: variable MONITOR_EXEC"},
		{admin, "Action: Originate|Variable: SHELL(id)=x", "Originate Variable: function"},
		{admin, "Action: Originate|Variable: CALLERID(num)=x`id`", "Originate Variable: caller's number"},
		{admin, "Action: Originate|Variable: a=${SHELL(id)}", "Originate Variable: substitution"},
		{admin, "Action: Originate|Variable: a=1\\", "Originate Variable: backslash"},
		{admin, "Action: Originate|Variable: " + strings.Repeat("a=1,", 63) + "a=1", "Originate Variable: too many variables"},
		{admin, "Action: PJSIPNotify|Endpoint: 1|Variable: Event=check,Content=x", ""},
		{admin, "Action: PJSIPNotify|Variable: Event=${SHELL(id)}", "PJSIPNotify Variable: substitution"},
		{admin, "Action: PJSIPNotify|Variable: Alert-Info=x", "PJSIPNotify Variable: variable name"},
		{admin, "Action: SIPnotify|Variable: Event=${SHELL(id)}", "SIPnotify Variable: substitution"},
		{admin, "Action: MessageSend|Variable: CALLERID(num)=1", "MessageSend Variable: variable name"},

		// Originate.
		{admin, "Action: Originate|Channel: Local/100@from-internal/n|Context: c|Exten: s|Priority: 1|CallerID: \"A, B\" <+49 30>", ""},
		{admin, "Action: Originate|Channel: PJSIP/trunk/sip:100@[::1]:5060;transport=tcp", ""},
		{admin, "Action: Originate|Channel: Local/a,,id@c", "Originate Channel: dial string"},
		{admin, "Action: Originate|ChannelId: a,,id", "Originate ChannelId: dial string"},
		{admin, "Action: Originate|OtherChannelId: a$(id)", "Originate OtherChannelId: dial string"},
		{admin, "Action: Originate|ChannelId: 4f2a-17.x|OtherChannelId: call-17", ""},
		{admin, "Action: Originate|ChannelId: 1795255739.4", "Originate ChannelId: Asterisk's own id"},
		{admin, "Action: Originate|ChannelId: my-pbx-1795255739.4", "Originate ChannelId: Asterisk's own id"},
		{admin, "Action: Originate|ChannelId: a|OtherChannelId: 1795255739.4", "Originate OtherChannelId: Asterisk's own id"},
		{admin, "Action: Originate|CallerID: A <1,,id>", "Originate CallerID: caller's number"},
		{admin, "Action: Originate|CallerID: A <1>,,id>", "Originate CallerID: caller's number"},
		{admin, "Action: Originate|CallerID: A <1>>", "Originate CallerID: caller's number"},
		{admin, "Action: Originate|CallerID: <1,,id> <2>", "Originate CallerID: caller's number"},
		{admin, "Action: Originate|Exten: 1,,id #", "Originate Exten: dial string"},
		{admin, "Action: Redirect|Channel: SIP/1-1|Context: c|Exten: *72+1#_x.|ExtraExten: 1|Priority: 1", ""},
		{admin, "Action: Redirect|Exten: 1,,id #", "Redirect Exten: dial string"},
		{admin, "Action: Redirect|Exten: 1|ExtraExten: $(id)", "Redirect ExtraExten: dial string"},
		{admin, "Action: Originate|PreDialGoSub: c,s,1(${SHELL(id)})", "Originate PreDialGoSub: substitution"},
		{admin, "Action: Originate|Application: |Context: c", ""},
		{admin, "Action: Originate|Application: System|Data: id", "Originate Application: application"},
		{admin, "Action: Originate|Application: Echo|application: System", "Originate Application: application"},
		{admin, "Action: Originate|Application: Echo |Data: ", "Originate Application: application"},
		{admin, "Action: Originate|Application: Set|Data: a=b", "Originate Application: application"},
		{admin, "Action: Originate|Data: ${SHELL(id)}", "Originate Data: substitution"},
		{admin, "Action: Originate|Data: $[1]", "Originate Data: substitution"},
		{Grant{Type: Administrator, Write: codec.All, Applications: []string{"Dial"}}, "Action: Originate|Application: dial|Data: SIP/1,30,U(x)", ""},
		{Grant{Type: Administrator, Write: codec.All, Applications: []string{"Dial"}}, "Action: Originate|Application: dial|Data: ${X}", "Originate Data: substitution"},
		{admin, "Action: QueueAdd|Queue: a|Interface: Local/1@agents/n", ""},
		{admin, "Action: QueueAdd|Queue: a|Interface: Local/1,,id@agents", "QueueAdd Interface: dial string"},
		{admin, "Action: QueueAdd|Queue: a|MemberName: O'Brien, Alice", ""},
		{admin, "Action: QueueAdd|Queue: a|MemberName: x,MONITOR_EXEC=id", "QueueAdd MemberName: assignment"},
		{admin, "Action: QueueAdd|Queue: a|MemberName: a,Local/$(id)@agents", "QueueAdd MemberName: another member"},
		{admin, "Action: QueueAdd|Queue: a|MemberName: a|StateInterface: Custom:a", ""},
		{admin, "Action: QueueAdd|Queue: a|StateInterface: a,Local/`id`@agents", "QueueAdd StateInterface: another member"},
		{admin, "Action: QueuePause|Interface: a|Paused: true|Reason: Lunch, at the \"Ox\"", "QueuePause Reason: another member"},
		{admin, "Action: QueuePause|Interface: a|Paused: true|Reason: $5 lunch, back at 2", ""},
		{admin, "Action: QueuePause|Interface: a|Paused: true|Reason: x¦PJSIP/b;0;0;Alice", "QueuePause Reason: another member"},
		{admin, "Action: QueuePause|Interface: a|Paused: true|Reason: x,PJSIP/b;0;0;Alice", "QueuePause Reason: another member"},
		{admin, "Action: QueueAdd|Queue: a|Paused: 1|Reason: lunch, 30 min", ""},
		{admin, "Action: QueueAdd|Queue: a|Paused: 1|Reason: x¦Local/1@b", "QueueAdd Reason: another member"},
		{admin, "Action: QueueAdd|Queue: a|Paused: 1|Reason: x,Local/`id`@b", "QueueAdd Reason: another member"},
		{admin, "Action: QueueAdd|Queue: a|MemberName: x¦Local/1@b;0;0;y", "QueueAdd MemberName: another member"},
		{admin, "Action: QueueAdd|Queue: a|StateInterface: x¦Local/1@b;0;0;y", "QueueAdd StateInterface: another member"},
		{admin, "Action: QueueWithdrawCaller|Queue: a|Caller: 1.1|WithdrawInfo: called back", ""},
		{admin, "Action: QueueWithdrawCaller|Queue: a|Caller: 1.1|WithdrawInfo: ${SHELL(id)}", "QueueWithdrawCaller WithdrawInfo: substitution"},
		{admin, "Action: BlindTransfer|Exten: 1,,id", "BlindTransfer Exten: dial string"},
		{admin, "Action: BlindTransfer|Context: a,,id", "BlindTransfer Context: dial string"},
		{admin, "Action: ProfileDelete|Profile: x", "not an admin"},
		{admin, "Action: ProfileGet|Profile: x", "not an admin"},
		{admin, "Action: ProfileList", "not an admin"},
		{admin, "Action: ProfileUpdate|Profile: x|read: all", "not an admin"},
		{Grant{Type: Administrator, Write: codec.All, Admin: true}, "Action: ProfileUpdate|Profile: x|read: all", ""},
		{Grant{Type: Administrator, Write: codec.Call, Admin: true}, "Action: ProfileList", "class system"},
		{Grant{Type: Monitor, Write: codec.All, Admin: true}, "Action: ProfileList", "type monitor"},
		{Grant{Type: Administrator, Write: codec.All, Dangerous: true}, "Action: ProfileList", "not an admin"},
		{admin, "Action: AgentCallbackLogin|Agent: 1|Exten: 1,,id|Context: a", "AgentCallbackLogin Exten: dial string"},
		{admin, "Action: AgentCallbackLogin|Agent: 1|Exten: 1|Context: a,,id", "AgentCallbackLogin Context: dial string"},
		{admin, "Action: AgentCallbackLogin|Agent: 1|Exten: 1;0;0;Bob|Context: a", "AgentCallbackLogin Exten: another member"},
		{admin, "Action: AgentCallbackLogin|Agent: 1|Exten: 1|Context: a;0;0;Bob", "AgentCallbackLogin Context: another member"},
		{admin, "Action: QueueAdd|Queue: q|Interface: Local/1;0;0;Bob@a", "QueueAdd Interface: another member"},
		{admin, "Action: Atxfer|Exten: 1,,id", "Atxfer Exten: dial string"},
		{admin, "Action: Atxfer|Context: a,,id", "Atxfer Context: dial string"},
		{admin, "Action: Park|TimeoutChannel: SIP/1-00000001|Channel2: Local/1@a-00000001;1", ""},
		{admin, "Action: Park|TimeoutChannel: Local/1@a,5,U(b)", "Park TimeoutChannel: dial string"},
		{admin, "Action: Park|Channel2: Local/1@a,5,U(b)", "Park Channel2: dial string"},

		// Commands.
		{admin, "Action: Command|Command: ", ""},
		{admin, "Action: Command", ""},
		{admin, "Action: Command|Command: Core  SHOW\tchannels concise", ""},
		{admin, "Action: Command|Command: core show channel SIP/1", "Command Command: command"},
		{admin, "Action: Command|Command: core show", "Command Command: command"},
		{admin, "Action: Command|Command: core sho channels", "Command Command: command"},
		{admin, "Action: Command|Command: \"core\" show channels", "Command Command: command"},
		{admin, "Action: Command|Command: core\\ show channels", "Command Command: command"},
		{admin, "Action: Command|Command: core show channels\"x", "Command Command: command"},
		{admin, "Action: Command|Command: core show version|Command: core stop now", "Command Command: command"},
		{admin, "Action: Command|Command: pjsip show auths", "Command Command: command"},
		{admin, "Action: Command|Command: database show", "Command Command: command"},
		{admin, "Action: Command|Command: dialplan show", "Command Command: command"},
		{admin, "Action: Command|Command: sip show users", "Command Command: command"},
		{Grant{Type: Administrator, Write: codec.All, Commands: []string{"dialplan  show", ""}}, "Action: Command|Command: dialplan show x", ""},
		{Grant{Type: Administrator, Write: codec.All, Commands: []string{"dialplan show", ""}}, "Action: Command|Command: dialplan add", "Command Command: command"},

		// Files.
		{admin, "Action: MixMonitor|Channel: SIP/1|File: a/b-_.@;1.wav|Options: abW(2)r(in.wav)t(out.wav)i(MYID)", ""},
		{admin, "Action: MixMonitor|File: /a", "MixMonitor File: file name"},
		{admin, "Action: MixMonitor|File: a/../../b", "MixMonitor File: file name"},
		{admin, "Action: MixMonitor|File: a,,id", "MixMonitor File: file name"},
		{admin, "Action: MixMonitor|File: x$(id>f)", "MixMonitor File: file name"},
		{admin, "Action: MixMonitor|File: a|file: /b", "MixMonitor File: file name"},
		{admin, "Action: MixMonitor|Options: b,id #", "MixMonitor Options: options"},
		{admin, "Action: MixMonitor|Options: r(/a)", "MixMonitor Options: file name"},
		{admin, "Action: MixMonitor|Options: r(a)t(../b)", "MixMonitor Options: file name"},
		{admin, "Action: MixMonitor|Options: \xf2(/a)", "MixMonitor Options: options"},
		{admin, "Action: MixMonitor|Options: r(a", "MixMonitor Options: options"},
		{admin, "Action: MixMonitor|Options: b(\"x)", "MixMonitor Options: options"},
		{admin, "Action: MixMonitor|Options: r(a(b))", "MixMonitor Options: options"},
		{admin, "Action: MixMonitor|Options: m(1001,1002)", "MixMonitor Options: options"},
		{admin, "Action: MixMonitor|Options: Z", "MixMonitor Options: options"},
		{admin, "Action: MixMonitor|Options: i(MONITOR_EXEC)", "MixMonitor Options: variable MONITOR_EXEC"},
		{admin, "Action: MixMonitor|Command: ", ""},
		{admin, "Action: MixMonitor|Command: |COMMAND: id", "MixMonitor Command: shell command"},
		{admin, "Action: Monitor|Channel: SIP/1-00000001|Format: wav49|Mix: true", ""},
		{admin, "Action: Monitor|Channel: 1795255739.4|File: a", ""},
		{admin, "Action: Monitor|Channel: 1795255739.4", "Monitor Channel: file name"},
		{admin, "Action: Monitor|Channel: Local/$(id)@a-00000001;1", "Monitor Channel: file name"},
		{admin, "Action: Monitor|Channel: Local/$(id)@a-00000001;1|File: a", ""},
		{admin, "Action: Monitor|Channel: Local/$(id)@a-00000001;1|File: |File: a", "Monitor Channel: file name"},
		{admin, "Action: Monitor|File: a`id`", "Monitor File: file name"},
		{admin, "Action: Monitor|File: a|Format: wav$(id)", "Monitor Format: word"},
		{admin, "Action: ChangeMonitor|File: \"", "ChangeMonitor File: file name"},
		{admin, "Action: ConfbridgeStartRecord|Conference: 1|RecordFile: a.wav", ""},
		{admin, "Action: ConfbridgeStartRecord|Conference: 1|RecordFile: a.wav,,id", "ConfbridgeStartRecord RecordFile: file name"},
		{admin, "Action: ConfbridgeStartRecord|Conference: 1", ""},
		{admin, "Action: ConfbridgeStartRecord|Conference: 1,,id", "ConfbridgeStartRecord Conference: file name"},

		// Durations, registrations, filters of configuration files.
		{admin, "Action: PlayDTMF|Digit: 1|Duration: 10000", ""},
		{admin, "Action: PlayDTMF|Duration: 10001", "PlayDTMF Duration: duration"},
		{admin, "Action: PlayDTMF|Duration: 00000000000000000000000010001x", "PlayDTMF Duration: duration"},
		{admin, "Action: PlayDTMF|Duration: 99999999999999999999999999999999", "PlayDTMF Duration: duration"},
		{admin, "Action: PlayDTMF|Duration: -1", "PlayDTMF Duration: duration"},
		{admin, "Action: PlayDTMF|Duration: +99999", "PlayDTMF Duration: duration"},
		{admin, "Action: PlayDTMF|Duration: 1|Duration: 99999", "PlayDTMF Duration: duration"},
		{admin, "Action: PlayDTMF|Duration: -0", ""},
		{admin, "Action: PlayDTMF|Duration: soon", ""},
		{admin, "Action: PlayDTMF|Duration: --1", ""},
		{admin, "Action: PlayMF|Duration: 10001", "PlayMF Duration: duration"},
		{admin, "Action: PJSIPUnregister|Registration: trunk", ""},
		{admin, "Action: PJSIPUnregister|Registration: *all", "PJSIPUnregister Registration: all registrations"},
		{admin, "Action: GetConfig|Filename: a.conf|Filter: TEMPLATES=include", ""},
		{admin, "Action: GetConfig|Filename: /etc/asterisk/sub/a.conf", ""},
		{admin, "Action: GetConfig|Filename: /etc/mke2fs.conf", "GetConfig Filename: file name"},
		{admin, "Action: GetConfigJSON|Filename: a/../../b", "GetConfigJSON Filename: file name"},
		{admin, "Action: ListCategories|Filename: /etc/asterisk/../b", "ListCategories Filename: file name"},
		{admin, "Action: GetConfig|Filter: secret=^a", "GetConfig Filter: filter"},
		{admin, "Action: GetConfig|Filter: TEMPLATES=restrict, s.cret=^a", "GetConfig Filter: filter"},
		{admin, "Action: GetConfigJSON|Filter: secret=^a", "GetConfigJSON Filter: filter"},
		{admin, "Action: ListCategories|Match: secret=^a", "ListCategories Match: filter"},

		// Actions that are refused.
		{admin, "Action: UpdateConfig", "refused updateconfig"},
		{admin, "Action: CreateConfig", "refused createconfig"},
		{admin, "Action: DialplanExtensionAdd", "refused dialplanextensionadd"},
		{admin, "Action: DialplanExtensionRemove", "refused dialplanextensionremove"},
		{admin, "Action: PRIDebugFileSet", "refused pridebugfileset"},
		{admin, "Action: ModuleLoad", "refused moduleload"},
		{admin, "Action: Reload", "refused reload"},
		{admin, "Action: AGI", "refused agi"},
		{admin, "Action: LoggerRotate", "refused loggerrotate"},
		{admin, "Action: DataGet", "refused dataget"},

		// Classes on top of Asterisk's.
		{userOnly, "Action: QueueStatus", ""},
		{userOnly, "Action: QueueReset", "class agent of QueueReset"},
		{userOnly, "Action: QueueReload", "class agent of QueueReload"},
		{userOnly, "Action: QueueChangePriorityCaller", "class agent of QueueChangePriorityCaller"},
		{userOnly, "Action: QueueWithdrawCaller", "class agent of QueueWithdrawCaller"},
		{userOnly, "Action: BridgeDestroy", "class system of BridgeDestroy"},
		{userOnly, "Action: BridgeKick", "class system of BridgeKick"},
		{userOnly, "Action: BridgeTechnologySuspend", "class system of BridgeTechnology*"},
		{userOnly, "Action: DAHDIHangup", "class system of DAHDI*"},
		{userOnly, "Action: PRIDebugSet", "class system of PRI*"},
		{userOnly, "Action: BridgeTechnologyList", ""},
		{userOnly, "Action: DAHDIShowChannels", ""},
		{userOnly, "Action: PRIShowSpans", ""},
		{Grant{Type: Administrator, Write: codec.Agent}, "Action: QueueReset", ""},
		{Grant{Type: Administrator, Write: codec.System}, "Action: BridgeKick", ""},

		// What dangerous lifts, and what stays.
		{dangerous, "Action: Getvar|Variable: AST_CONFIG(a,b,c)", ""},
		{dangerous, "Action: Command|Command: core stop now", ""},
		{dangerous, "Action: UpdateConfig", ""},
		{dangerous, "Action: Originate|Application: Set|Data: ${X}", ""},
		{Grant{Type: Administrator, Write: codec.All, Dangerous: true}, "Action: Originate|Application: System|Data: x=${SHELL(id)}", ""},
		{dangerous, "Action: Getvar|Variable: SHELL(id)", "class system for SHELL"},
		{dangerous, "Action: Getvar|Variable: EVAL(x)", "class system for EVAL"},
		{dangerous, "Action: Status|Variables: SHELL(id)", "class system for SHELL"},
		{dangerous, "Action: Status|Variables: EVAL(x)", "class system for EVAL"},

		// Monitors.
		{monitor, "Action: QueueStatus", ""},
		{monitor, "Action: Getvar|Variable: X", ""},
		{monitor, "Action: QueueStatus|Channel: SIP/1", ""}, // which means nothing to it
		{monitor, "Action: Hangup|Channel: SIP/1", "type monitor"},
		{monitor, "Action: QueueReset", "type monitor"},
		{Grant{Type: Monitor, Write: codec.All, Dangerous: true}, "Action: Getvar|Variable: ENV(PATH)", "Getvar Variable: function"},
		{monitor, "Action: OurOwn", "not in the table"},
		{Grant{Type: Monitor, Write: codec.All, Allow: []string{"*", "ourown"}}, "Action: OurOwn", ""},
		{Grant{Type: Monitor, Write: codec.All, Allow: []string{"*", "ourown"}}, "Action: OurOwn|Channel: SIP/1", "channel of an action in no table"},
	}
	for _, app := range []string{"AGI", "DBdeltree", "tryEXEC", "ExternalIVR", "MixMonitor", "Originate", "Reload", "System"} {
		word := strings.TrimPrefix(strings.ToLower(app), "try")
		cases = append(cases, ruleCase{dangerous, "Action: Originate|Application: " + app, "class system for " + word})
	}
	for _, word := range []string{"CURL", "DB", "EVAL", "FILE", "REALTIME", "SHELL"} {
		cases = append(cases, ruleCase{dangerous, "Action: Originate|Application: Set|Data: x=${" + word + "(a)}", "class system for " + word})
	}
	for _, name := range []string{
		"MONITOR_EXEC", "MONITOR_EXEC_ARGS", "MONITOR_OPTIONS", "MIXMONITOR_*:MIXMONITOR_FILENAME", "MONITOR_FILENAME", "AUTO_MONITOR",
		"TOUCH_*:TOUCH_MIXMONITOR", "MEETME_*:MEETME_AGI_BACKGROUND", "AGIEXECFULL", "MVM_*:MVM_FILENAME",
		"TRANSFER_CONTEXT", "TRANSFER_EXTEN", "FORWARD_CONTEXT", "GOTO_ON_BLINDXFR", "BLINDTRANSFER", "ATTENDEDTRANSFER", "EXITCONTEXT",
		"BRIDGE_FEATURES", "DYNAMIC_FEATURES", "MACRO_*:MACRO_RESULT", "GOSUB_RESULT", "GOSUB_RETVAL", "PARKINGEXTEN",
		"PARKINGDYN*:PARKINGDYNCONTEXT", "QUEUE_MACRO", "QUEUE_GOSUB", "CONNECTED_LINE_*:CONNECTED_LINE_SEND_SUB",
		"REDIRECTING_*:REDIRECTING_SEND_SUB", "DUNDIDIALARGS", "SPY_EXIT_CONTEXT", "WHILE_*:WHILE_0", "END_WHILE_*:END_WHILE_0",
		"END_IF_*:END_IF_0", "QUEUE_PRIO", "QUEUE_*_PENALTY:QUEUE_MAX_PENALTY", "OUTBOUND_GROUP*:OUTBOUND_GROUP_ONCE",
		"LIMIT_*:LIMIT_WARNING_FILE", "BRIDGE_PLAY_SOUND", "ATTENDED_TRANSFER_COMPLETE_SOUND",
	} {
		line, variable, ok := strings.Cut(name, ":")
		if !ok {
			variable = line
		}
		cases = append(cases,
			ruleCase{admin, "Action: Setvar|Variable: " + variable, "Setvar Variable: variable " + line},
			ruleCase{admin, "Action: Originate|Variable: a=b,__" + strings.ToLower(variable) + "=c", "Originate Variable: variable " + line})
	}
	for _, run := range []string{
		"Echo", "Wait|Data: 10", "WAIT|Data: 0.5", "Answer", "Answer|Data: 500,i", "Playback|Data: tt-weasels&digits/1,noanswer",
		"BackGround|Data: a&b,sn,en", "MusicOnHold|Data: default,60", "Milliwatt|Data: m", "SayDigits|Data: 12*#",
		"ConfBridge|Data: 100,bridge,user", "Park|Data: lot2,rst(10)m(default)", "VoiceMail|Data: 1001@default&1002,sug(-2)",
		"Queue|Data: support,tTkKxXm(default),,beep,30,,,,", "Queue|Data: support",
	} {
		cases = append(cases, ruleCase{admin, "Action: Originate|Application: " + run, ""})
	}
	for _, run := range []string{
		"Echo|Data: x", "Wait|Data: 1h", "Answer|Data: 1,x", "Playback|Data: /etc/passwd", "Playback|Data: ../a", "Playback|Data: http://a/b.wav",
		"Playback|Data: a,say", "Playback|Data: a&/b", "BackGround|Data: a,,,ivr", "BackGround|Data: a,m", "MusicOnHold|Data: a b",
		"Milliwatt|Data: x", "SayDigits|Data: a", "ConfBridge|Data: 1,,,menu", "ConfBridge|Data: a/../b", "ConfBridge|Data: 1\\,2",
		"Park|Data: ,c(a^b^1)", "VoiceMail|Data: 1001,d(ivr)", "VoiceMail|Data: 1001/..", "Queue|Data: a,,,,30,agi", "Queue|Data: a,,,,30,,macro",
		"Queue|Data: a,,,,30,,,gosub", "Queue|Data: a,b(c^s^1)", "Queue|Data: a,B(c^s^1)", "Queue|Data: a,F(c^s^1)", "Queue|Data: a,,,/x",
		"Queue|Data: \"a,,,,30,agi\"", "Queue|Data: a[,,,,30,agi", "Queue|Data: a|DATA: a,,,,30,agi",
	} {
		app, _, _ := strings.Cut(run, "|")
		cases = append(cases, ruleCase{admin, "Action: Originate|Application: " + run, "Originate Application: application " + app})
	}
	for _, command := range []string{
		"agent show all", "agent show online", "bridge show all", "confbridge list", "core show calls", "core show channels",
		"core show channeltypes", "core show codecs", "core show hints", "core show sysinfo", "core show uptime seconds",
		"core show version", "devstate list", "iax2 show channels", "iax2 show netstats", "iax2 show peers", "iax2 show registry",
		"local show channels", "module show like sip", "moh show classes", "parking show", "pjsip show aors", "pjsip show channels",
		"pjsip show channelstats", "pjsip show contacts", "pjsip show endpoints like a", "pjsip show registrations",
		"pjsip show transports", "presencestate list", "queue show support", "sip show channels", "sip show inuse", "sip show peers",
		"sip show registry",
	} {
		cases = append(cases, ruleCase{admin, "Action: Command|Command: " + command, ""})
	}
	return cases
}

func TestRules(t *testing.T) {
	for _, tc := range ruleCases() {
		t.Run(tc.lines, func(t *testing.T) {
			s := subject(t, tc.grant)
			p := action(t, tc.lines)
			v := s.Judge(everything, p)
			require.Equal(t, tc.rule, v.Rule)
			require.Equal(t, tc.rule == "", v.Allowed)
			if v.Allowed {
				require.Same(t, p, v.Packet)
				require.Empty(t, v.Message)
			} else {
				require.Nil(t, v.Packet)
				require.Equal(t, "Permission denied", v.Message)
			}
		})
	}
}

// Without any one line of the rules at least one of the cases is decided otherwise.
func TestEachLineOfTheRulesDecidesACase(t *testing.T) {
	ruleCases := ruleCases()
	cases := slices.Concat(ruleCases, limitedCases())
	state := world(t)
	packets := make([]*codec.Packet, len(cases))
	for i, tc := range cases {
		packets[i] = action(t, tc.lines)
	}
	decides := func(without ruleSet) bool {
		x := newIndex(&without)
		for i, tc := range cases {
			s, err := newSubject(tc.grant, state, &without, &x)
			require.NoError(t, err)
			asked := everything
			if i >= len(ruleCases) {
				asked = nil // what actions.tsv says
			}
			if s.Judge(asked, packets[i]).Allowed != (tc.rule == "") {
				return true
			}
		}
		return false
	}
	require.False(t, decides(rules))
	check := func(name string, lines int, remove func(r *ruleSet, i int)) {
		for i := range lines {
			less := rules
			remove(&less, i)
			require.True(t, decides(less), "no case needs line %d of %s", i, name)
		}
	}
	check("classes", len(rules.classes), func(r *ruleSet, i int) { r.classes = without(r.classes, i) })
	check("own", len(rules.own), func(r *ruleSet, i int) { r.own = without(r.own, i) })
	check("objects", len(rules.objects), func(r *ruleSet, i int) { r.objects = without(r.objects, i) })
	check("agents", len(rules.agents), func(r *ruleSet, i int) { r.agents = without(r.agents, i) })
	check("admin", len(rules.admin), func(r *ruleSet, i int) { r.admin = without(r.admin, i) })
	check("refused", len(rules.refused), func(r *ruleSet, i int) { r.refused = without(r.refused, i) })
	check("checks", len(rules.checks), func(r *ruleSet, i int) { r.checks = without(r.checks, i) })
	check("protected", len(rules.protected), func(r *ruleSet, i int) { r.protected = without(r.protected, i) })
	check("read", len(rules.read), func(r *ruleSet, i int) { r.read = without(r.read, i) })
	check("write", len(rules.write), func(r *ruleSet, i int) { r.write = without(r.write, i) })
	check("applications", len(rules.applications), func(r *ruleSet, i int) { r.applications = without(r.applications, i) })
	check("commands", len(rules.commands), func(r *ruleSet, i int) { r.commands = without(r.commands, i) })
}

func TestEachLineOfTheRulesHasASource(t *testing.T) {
	for _, l := range rules.classes {
		require.NotEmpty(t, l.source, l.action)
	}
	for _, l := range rules.own {
		require.NotEmpty(t, l.source, l.word)
	}
	for _, l := range rules.objects {
		require.NotEmpty(t, l.source, l.action)
	}
	for _, l := range rules.about {
		require.NotEmpty(t, l.source, l.events)
	}
	for _, l := range rules.agents {
		require.NotEmpty(t, l.source, l.action)
	}
	for _, l := range rules.set {
		require.NotEmpty(t, l.source, l.action)
	}
	for _, l := range rules.cuts {
		require.NotEmpty(t, l.source, l.header)
	}
	for _, l := range rules.refused {
		require.NotEmpty(t, l.source, l.action)
	}
	for _, l := range rules.checks {
		require.NotEmpty(t, l.source, l.action)
	}
	for _, l := range rules.protected {
		require.NotEmpty(t, l.source, l.name)
	}
	for _, l := range slices.Concat(rules.read, rules.write) {
		require.NotEmpty(t, l.source, l.name)
	}
	for _, l := range rules.applications {
		require.NotEmpty(t, l.source, l.name)
	}
	for _, l := range rules.commands {
		require.NotEmpty(t, l.source, l.words)
	}
	for _, l := range slices.Concat(rules.maskedHeaders, rules.maskedKeys, rules.maskedEntries) {
		require.NotEmpty(t, l.source, l.name)
	}
}

func without[T any](lines []T, i int) []T {
	return slices.Delete(slices.Clone(lines), i, i+1)
}

// action reads a client's packet whose lines have "|" between them, and "¦" for "|" in them.
func action(t testing.TB, lines string) *codec.Packet {
	t.Helper()
	return decode(t, native.FromClient, lines)
}

// answer reads a packet of Asterisk's.
func answer(t testing.TB, lines string) *codec.Packet {
	t.Helper()
	return decode(t, native.FromAsterisk, lines)
}

func decode(t testing.TB, side native.Side, lines string) *codec.Packet {
	t.Helper()
	var p codec.Packet
	wire := strings.NewReplacer("|", "\r\n", "¦", "|").Replace(lines) + "\r\n\r\n"
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), side).Decode(&p))
	return &p
}
