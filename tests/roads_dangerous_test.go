package tests

import (
	"fmt"
	"strings"

	"ampd/codec"
)

// A dangerous action is one that must be refused, taken apart so that each road can put it
// together in its own way.
type dangerous struct {
	id      string
	classes string
	text    string // as it stands in the list of attacks
	action  string
	headers []codec.Header // without Action
	decides string         // the header that it is refused for, "" for the action itself
	rule    string         // what refuses it begins so
	calls   bool           // what is left of it, where that is harmless, makes a call: not tried
}

// takenApart is an attack's packet as a dangerous action.
func takenApart(a *attack) dangerous {
	d := dangerous{id: a.ID, classes: a.Classes, text: a.fill(a.Packet, "Local/wait@misc-00000001;1"), rule: a.Rule}
	for line := range strings.SplitSeq(d.text, "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimLeft(value, " \t")
		switch {
		case !strings.EqualFold(name, "Action"):
			d.headers = append(d.headers, named(name, value))
		case d.action == "":
			d.action = value
		}
	}
	if words, _, found := strings.Cut(a.Rule, ": "); found {
		d.decides, d.rule = strings.Fields(words)[1], words+": "
	}
	return d
}

// What would do harm wherever Asterisk takes it: known from its sources, beside what was
// seen to.
var (
	dangerousNames = []string{
		"AST_CONFIG(manager.conf,ampd,secret)", "SHELL(id)", "FILE(/etc/passwd)", "ENV(PATH)", "VM_INFO(1001@default,password)", "DB(a/b)", "CURL(http://127.0.0.1:9)",
		"ODBC_X(1)", "GLOBAL(X)", "IMPORT(Local/wait@misc-00000001;1,X)", "SHARED(X)", "REALTIME(a,b)", "EVAL(x)", "SIP_HEADER(X)(Y)", "A${SHELL(id)}", "A$[1]",
		"MONITOR_EXEC", "MONITOR_EXEC_ARGS", "MONITOR_OPTIONS", "MIXMONITOR_FILENAME", "MONITOR_FILENAME", "AUTO_MONITOR", "TOUCH_MONITOR", "TRANSFER_CONTEXT",
		"FORWARD_CONTEXT", "GOTO_ON_BLINDXFR", "BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER_EXTEN", "EXITCONTEXT", "BRIDGE_FEATURES", "BRIDGE_PLAY_SOUND",
		"DYNAMIC_FEATURES", "LIMIT_WARNING_FILE", "MACRO_CONTEXT", "GOSUB_RESULT", "OUTBOUND_GROUP", "OUTBOUND_GROUP_ONCE", "PARKINGEXTEN", "QUEUE_MACRO",
		"QUEUE_GOSUB", "QUEUE_PRIO", "QUEUE_MAX_PENALTY", "__MONITOR_EXEC", "monitor_exec",
	}
	dangerousApplications = []string{
		"System", "TrySystem", "Exec", "TryExec", "ExecIf", "Set", "MSet", "AGI", "EAGI", "DeadAGI", "MixMonitor", "Monitor", "ChanSpy", "ExtenSpy", "Dial", "Page",
		"Gosub", "Goto", "GotoIf", "Macro", "Originate", "Record", "UserEvent", "QueueLog", "AddQueueMember", "ExternalIVR", "ReadFile", "DBdel", "DBdeltree", "Stasis",
		"Reload", "SendText", "MessageSend", "VoiceMailMain", "Directory", "Pickup", "Bridge", "BridgeAdd", "ChannelRedirect", "WaitForCondition", "While", "Log",
	}
	dangerousCommands = []string{
		"core stop now", "core restart now", "!id", "dialplan show globals", "dialplan add extension 1,1,System(id) into misc", "database show", "manager show user ampd",
		"pjsip show auth 101", "module load app_system.so", "core show channels; core stop now", "core reload", "channel originate Local/1@misc application Echo",
		"rtp set debug on", "logger rotate", "core show channel Local/1", "agi exec x y", "features reload", "config reload pjsip.conf",
	}
)

// crossed are the dangerous things on all the headers that take them.
func crossed() (all []dangerous) {
	add := func(id, decides, action string, headers ...codec.Header) {
		text := nativeText(append([]codec.Header{named("Action", action)}, headers...)...)
		all = append(all, dangerous{
			id: fmt.Sprintf("%s-%s-%d", action, id, len(all)), classes: "all", action: action, headers: headers, decides: decides,
			text: strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n"), rule: action + " " + decides + ": ",
			calls: action == "Originate",
		})
	}
	dial, wait, async := named("Channel", "Local/wait@misc/n"), named("Application", "Wait"), named("Async", "true")
	channel := named("Channel", "Local/wait@misc-00000001;1")
	for _, name := range dangerousNames {
		add("name", "Variable", "Getvar", channel, named("Variable", name))
		add("name", "Variable", "Setvar", channel, named("Variable", name), named("Value", "1"))
		add("name", "Variables", "Status", named("Variables", name))
		add("name", "Variable", "Originate", dial, wait, async, named("Variable", name+"=1"))
	}
	for _, value := range []string{"${SHELL(id)}", "a$[1]", "${ENV(PATH)}"} {
		add("value", "Value", "Setvar", channel, named("Variable", "A"), named("Value", value))
		all[len(all)-1].rule = "Setvar Variable: " // which looks at its Value
		add("value", "Variable", "Originate", dial, wait, async, named("Variable", "A="+value))
		add("value", "Data", "Originate", dial, wait, async, named("Data", value))
		all[len(all)-1].rule = "Originate Application: " // which looks at its Data
	}
	for _, name := range dangerousApplications {
		add("application", "Application", "Originate", dial, async, named("Application", name), named("Data", "x"))
	}
	for _, line := range dangerousCommands {
		add("command", "Command", "Command", named("Command", line))
	}
	return all
}
