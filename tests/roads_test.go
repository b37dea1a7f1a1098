package tests

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
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

// A way is one to say an action. write returns bytes for the wire, "" where there is
// no such way to say this one. The words are what is answered, where that is not
// "Permission denied" because of the action's rule.
type way struct {
	name  string
	write func(d *dangerous) string
	xml   bool
	ampd  bool   // in the ampd dialect alone
	words string // of the refusal, "|" between several; {decides} is the deciding header
	why   string // not "": nothing is refused, since it is harmless: what of it arrives at Asterisk is nothing of the kind
}

// harmless are values of deciding headers that are refused to nobody.
var harmless = map[string]string{
	"Application": "Echo", "CallerID": "1", "Command": "core show version", "Conference": "room1", "Duration": "100", "Exten": "1", "File": "x.wav",
	"MemberName": "x", "Options": "b", "RecordFile": "x.wav", "Registration": "x", "Variables": "TALK_MAX", "Data": "1", "Value": "1", "Channel": "Local/1@misc/n",
}

func harmlessValue(d *dangerous) string {
	if d.decides == "Variable" && d.action == "Originate" {
		return "A=1"
	}
	if value := harmless[d.decides]; value != "" {
		return value
	}
	return "TALK_MAX"
}

const (
	wordsOnce      = "Action and CAction must be given once"
	wordsNoCAction = "Missing required parameter: CAction"
	wordsEmpty    = "Permission denied|Missing required parameter: {decides}" // the ampd dialect asks for it first
	theFirst       = "of several Actions the first counts, and no other is sent"
	notItsHeader   = "Asterisk does not know a header with a blank before its colon or its name: observed with Asterisk 16 and 22"
)

// named is a header for the wire.
func named(name, value string) codec.Header { return codec.Header{Name: name, Value: value} }

// native puts a packet together.
func nativeText(headers ...codec.Header) string {
	var b strings.Builder
	for _, h := range headers {
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	return b.String() + "\r\n"
}

// said is the action with its headers.
func (d *dangerous) said(action string, change func(h codec.Header) []codec.Header) []codec.Header {
	all := []codec.Header{named("Action", action)}
	for _, h := range d.headers {
		all = append(all, change(h)...)
	}
	return all
}

func same(h codec.Header) []codec.Header { return []codec.Header{h} }

// deciding changes the deciding headers only.
func (d *dangerous) deciding(change func(h codec.Header) []codec.Header) func(h codec.Header) []codec.Header {
	return func(h codec.Header) []codec.Header {
		if strings.EqualFold(h.Name, d.decides) {
			return change(h)
		}
		return same(h)
	}
}

// oddCase turns the case of every second letter.
func oddCase(text string) string {
	turn := false
	return strings.Map(func(r rune) rune {
		if turn = !turn; turn {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, text)
}

// isCustom are the names under which one action runs another.
var customs = []string{"Custom", "CustomFreeForm"}

// nativeRoads are those of both dialects.
func nativeRoads() []way {
	plain := func(change func(d *dangerous, h codec.Header) []codec.Header) func(d *dangerous) string {
		return func(d *dangerous) string {
			if d.decides == "" {
				return ""
			}
			return nativeText(d.said(d.action, d.deciding(func(h codec.Header) []codec.Header { return change(d, h) }))...)
		}
	}
	lines := func(format string, end string) func(d *dangerous) string {
		return func(d *dangerous) string {
			var b strings.Builder
			for _, h := range d.said(d.action, same) {
				b.WriteString(fmt.Sprintf(format, h.Name, h.Value) + end)
			}
			return b.String() + end
		}
	}
	others := func(format string) func(d *dangerous) string {
		return func(d *dangerous) string {
			b := "Action: " + d.action + "\r\n"
			for _, h := range d.headers {
				if strings.EqualFold(h.Name, d.decides) {
					b += fmt.Sprintf(format, h.Name, h.Value) + "\r\n"
				} else {
					b += h.Name + ": " + h.Value + "\r\n"
				}
			}
			return b + "\r\n"
		}
	}
	onlyDeciding := func(write func(d *dangerous) string) func(d *dangerous) string {
		return func(d *dangerous) string {
			if d.decides == "" {
				return ""
			}
			return write(d)
		}
	}
	return []way{
		{name: "as it is", write: func(d *dangerous) string { return strings.ReplaceAll(d.text, "\n", "\r\n") + "\r\n\r\n" }},
		{name: "odd case of names", write: func(d *dangerous) string {
			all := d.said(oddCase(d.action), func(h codec.Header) []codec.Header { return same(named(oddCase(h.Name), h.Value)) })
			all[0].Name = "aCtIoN"
			return nativeText(all...)
		}},
		{name: "odd case of values", write: plain(func(_ *dangerous, h codec.Header) []codec.Header { return same(named(h.Name, oddCase(h.Value))) })},
		{name: "upper case of values", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return same(named(h.Name, strings.ToUpper(h.Value)))
		})},
		{name: "no blank behind the colon", write: lines("%s:%s", "\r\n")},
		{name: "blanks behind the colon", write: lines("%s: \t  %s", "\r\n")},
		{name: "line feeds alone", write: lines("%s: %s", "\n")},
		{name: "a blank before the colon", write: onlyDeciding(others("%s : %s")), why: notItsHeader},
		{name: "a tab before the colon", write: onlyDeciding(others("%s\t: %s")), why: notItsHeader},
		{name: "a blank before the name", write: onlyDeciding(others(" %s: %s")), why: notItsHeader},
		{name: "a blank before the colon of Action", write: func(d *dangerous) string {
			return "Action : " + d.action + "\r\n" + nativeText(d.headers...)
		}, words: missingAction},
		{name: "repeated, harmless first", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{named(h.Name, harmlessValue(d)), h}
		})},
		{name: "repeated, harmless last", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{h, named(h.Name, harmlessValue(d))}
		})},
		{name: "repeated in another case", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{named(strings.ToUpper(h.Name), harmlessValue(d)), named(strings.ToLower(h.Name), h.Value)}
		})},
		{name: "empty first", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{named(h.Name, ""), h}
		}), words: wordsEmpty},
		{name: "empty last", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{h, named(h.Name, "")}
		})},
		{name: "behind a NUL", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return same(named(h.Name, "\x00"+h.Value))
		}), why: "a value ends at a NUL, as Asterisk reads it, and is sent without what stands behind"},
		{name: "before a NUL", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return same(named(h.Name, h.Value+"\x00"+harmlessValue(d)))
		})},
		{name: "the deciding header first", write: func(d *dangerous) string {
			all := d.said(d.action, same)
			slices.Reverse(all)
			return nativeText(all...)
		}},
		{name: "an empty Action first", write: func(d *dangerous) string {
			return nativeText(append([]codec.Header{named("Action", "")}, d.said(d.action, same)...)...)
		}},
		{name: "Action twice, harmless first", write: func(d *dangerous) string {
			return nativeText(append([]codec.Header{named("Action", "Ping")}, d.said(d.action, same)...)...)
		}, why: theFirst},
		{name: "Action twice, harmless last", write: func(d *dangerous) string {
			return nativeText(append(d.said(d.action, same), named("Action", "Ping"))...)
		}},
	}
}

// customRoads run the action through Custom and CustomFreeForm.
func customRoads() (roads []way) {
	for _, custom := range customs {
		wrapped := func(first ...codec.Header) func(d *dangerous) string {
			return func(d *dangerous) string {
				all := slices.Clone(first)
				for i := range all {
					all[i].Value = strings.ReplaceAll(all[i].Value, "{action}", d.action)
				}
				return nativeText(append(all, d.headers...)...)
			}
		}
		action, caction, ping := named("Action", custom), named("CAction", "{action}"), named("CAction", "Ping")
		for _, r := range []way{
			{name: "plain", write: wrapped(action, caction)},
			{name: "CAction first", write: wrapped(caction, action)},
			{name: "odd case", write: wrapped(named("ACTION", oddCase(custom)), named("cACTION", "{action}"))},
			{name: "a blank before the colon of CAction", write: wrapped(action, named("CAction ", "{action}")), words: wordsNoCAction},
			{name: "CAction twice, harmless first", write: wrapped(action, ping, caction), words: wordsOnce},
			{name: "CAction twice, harmless last", write: wrapped(action, caction, ping), words: wordsOnce},
			{name: "CAction twice, in another case", write: wrapped(action, named("caction", "Ping"), named("CACTION", "{action}")), words: wordsOnce},
			{name: "an empty CAction first", write: wrapped(action, named("CAction", ""), caction), words: wordsNoCAction},
			{name: "an Action inside", write: wrapped(action, ping, named("Action", "{action}")), words: wordsOnce},
			{name: "an Action inside, no CAction", write: wrapped(action, named("Action", "{action}")), words: wordsNoCAction},
			{name: "an Action inside that is empty", write: wrapped(action, caction, named("Action", "")), words: wordsOnce},
			{name: "an empty Action first", write: wrapped(named("Action", ""), action, caction), words: wordsOnce},
			{name: "Custom of Custom", write: wrapped(action, named("CAction", "Custom"), caction), words: wordsOnce},
			{name: "repeated, harmless first", write: func(d *dangerous) string {
				if d.decides == "" {
					return ""
				}
				return nativeText(append([]codec.Header{action, named("CAction", d.action), named(d.decides, harmlessValue(d))}, d.headers...)...)
			}},
		} {
			r.name = custom + ", " + r.name
			roads = append(roads, r)
		}
	}
	return roads
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#9;")

// references writes all of a text so.
func references(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// An element is a message in XML. Attributes stand there once, so headers that
// repeat become children.
func element(action string, attributes, children []codec.Header) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<command action="%s"`, action)
	for _, h := range attributes {
		fmt.Fprintf(&b, ` %s="%s"`, h.Name, xmlEscapes.Replace(h.Value))
	}
	if len(children) == 0 {
		return b.String() + "/>\n"
	}
	b.WriteByte('>')
	for _, h := range children {
		fmt.Fprintf(&b, `<header name="%s">%s</header>`, h.Name, xmlEscapes.Replace(h.Value))
	}
	return b.String() + "</command>\n"
}

// single are the headers that can be attributes: the first of each name.
func single(headers []codec.Header) (attributes, children []codec.Header) {
	for _, h := range headers {
		if slices.ContainsFunc(attributes, func(a codec.Header) bool { return strings.EqualFold(a.Name, h.Name) }) {
			children = append(children, h)
		} else {
			attributes = append(attributes, h)
		}
	}
	return attributes, children
}

func xmlRoads() []way {
	onlyDeciding := func(write func(d *dangerous) string) func(d *dangerous) string {
		return func(d *dangerous) string {
			if d.decides == "" {
				return ""
			}
			return write(d)
		}
	}
	all := func(write func(action string, headers []codec.Header) string) func(d *dangerous) string {
		return func(d *dangerous) string { return write(d.action, d.headers) }
	}
	attributes := func(action string, headers []codec.Header) string {
		a, c := single(headers)
		return element(action, a, c)
	}
	roads := []way{
		{name: "attributes", write: all(attributes)},
		{name: "odd case", write: all(func(action string, headers []codec.Header) string {
			a, c := single(headers)
			for i := range a {
				a[i].Name = oddCase(a[i].Name)
			}
			return strings.Replace(element(oddCase(action), a, c), " action=", " aCtIoN=", 1)
		})},
		{name: "cmd:", write: all(func(action string, headers []codec.Header) string { return "cmd:" + attributes(action, headers) })},
		{name: "children", write: all(func(action string, headers []codec.Header) string { return element(action, nil, headers) })},
		{name: "children with names of their own", write: all(func(action string, headers []codec.Header) string {
			if slices.ContainsFunc(headers, func(h codec.Header) bool { return strings.EqualFold(h.Name, "command") }) {
				return "" // <command> begins a message
			}
			text := fmt.Sprintf(`<command action="%s">`, action)
			for _, h := range headers {
				text += fmt.Sprintf("<%[1]s>%[2]s</%[1]s>", strings.ToLower(h.Name), xmlEscapes.Replace(h.Value))
			}
			return text + "</command>\n"
		})},
		{name: "CDATA", write: all(func(action string, headers []codec.Header) string {
			text := fmt.Sprintf(`<command action="%s">`, action)
			for _, h := range headers {
				text += fmt.Sprintf(`<header name="%s"><![CDATA[%s]]></header>`, h.Name, h.Value)
			}
			return text + "</command>\n"
		})},
		{name: "character references", write: all(func(action string, headers []codec.Header) string {
			text := fmt.Sprintf(`<command action="%s">`, references(action))
			for _, h := range headers {
				text += fmt.Sprintf(`<header name="%s">%s</header>`, references(h.Name), references(h.Value))
			}
			return text + "</command>\n"
		})},
		{name: "blanks in a child's name", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, nil, d.said("", d.deciding(func(h codec.Header) []codec.Header { return same(named(h.Name+" ", h.Value)) }))[1:])
		}), why: notItsHeader},
		{name: "a harmless attribute, then a child", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, []codec.Header{named(d.decides, harmlessValue(d))}, d.headers)
		})},
		{name: "an empty attribute, then a child", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, []codec.Header{named(d.decides, "")}, d.headers)
		}), words: wordsEmpty},
		{name: "a harmless child first", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, nil, append([]codec.Header{named(d.decides, harmlessValue(d))}, d.headers...))
		})},
		{name: "a harmless child last", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, nil, append(slices.Clone(d.headers), named(d.decides, harmlessValue(d))))
		})},
		{name: "bars between variables", write: func(d *dangerous) string {
			if d.decides != "Variable" || d.action != "Originate" {
				return ""
			}
			return element(d.action, nil, d.said("", d.deciding(func(h codec.Header) []codec.Header { return same(named(h.Name, "A=1|"+h.Value)) }))[1:])
		}},
		{name: "a child Action", write: func(d *dangerous) string {
			return element("Ping", nil, append([]codec.Header{named("Action", d.action)}, d.headers...))
		}, why: theFirst},
		{name: "a line break in an attribute", write: func(d *dangerous) string {
			return fmt.Sprintf("<command action=\"Ping\" x=\"%s\"/>\n", "1&#13;&#10;&#13;&#10;"+strings.ReplaceAll(xmlEscapes.Replace(d.text), "\n", "&#13;&#10;")+"&#13;&#10;&#13;&#10;")
		}, words: "Unknown"},
		{name: "a line break in a name", write: func(d *dangerous) string {
			return fmt.Sprintf("<command action=\"Ping\"><header name=\"x: 1&#10;&#10;Action: %s&#10;y\">1</header></command>\n", d.action)
		}, words: "Unknown"},
		{name: "attributes twice", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, append([]codec.Header{named(d.decides, harmlessValue(d))}, d.headers...), nil)
		}), words: "Unknown"},
	}
	for _, custom := range customs {
		wrapped := func(put func(d *dangerous) (attributes, children []codec.Header)) func(d *dangerous) string {
			return func(d *dangerous) string {
				a, c := put(d)
				more, rest := single(d.headers)
				return element(custom, append(a, more...), append(c, rest...))
			}
		}
		for _, r := range []way{
			{name: "plain", write: wrapped(func(d *dangerous) (a, c []codec.Header) { return []codec.Header{named("caction", d.action)}, nil })},
			{name: "CAction a child", write: wrapped(func(d *dangerous) (a, c []codec.Header) { return nil, []codec.Header{named("CAction", d.action)} })},
			{name: "CAction twice, harmless first", words: wordsOnce, write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return []codec.Header{named("caction", "Ping")}, []codec.Header{named("CAction", d.action)}
			})},
			{name: "CAction twice, harmless last", words: wordsOnce, write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return []codec.Header{named("caction", d.action)}, []codec.Header{named("CAction", "Ping")}
			})},
			{name: "an Action inside", words: "Unknown", write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return []codec.Header{named("caction", "Ping")}, []codec.Header{named("Action", d.action)}
			})},
			{name: "an Action inside, no CAction", words: "Unknown", write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return nil, []codec.Header{named("Action", d.action)}
			})},
		} {
			r.name = custom + ", " + r.name
			roads = append(roads, r)
		}
	}
	for i := range roads {
		roads[i].name, roads[i].xml, roads[i].ampd = "XML: "+roads[i].name, true, true
	}
	return roads
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

// TestRoadsToHarm tries what must be refused on every road that leads to it: what words
// can be said in another way, and what runs one action under the name of another. All of
// it is refused by the rule that refuses the plain one, or harmless for the reason that
// the road gives, and Asterisk's log has nothing of it.
func TestRoadsToHarm(t *testing.T) {
	t.Parallel()
	attacks := readAttacks(t)
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version, asterisk.LogActions())
		number, err := strconv.Atoi(version)
		require.NoError(t, err)
		var all []dangerous
		for i := range attacks {
			if attacks[i].Rule != "" && slices.Contains(attacks[i].Versions, number) {
				all = append(all, takenApart(&attacks[i]))
			}
		}
		all = append(all, crossed()...)
		w := newWayfarer(t, server, all)
		for i := range all {
			for _, dialect := range []string{"asterisk", "ampd"} {
				w.try(&all[i], dialect, slices.Concat(nativeRoads(), customRoads()))
			}
			w.try(&all[i], "XML", xmlRoads())
		}
		require.Empty(t, strings.Join(w.wrong[:min(len(w.wrong), 10)], "\n"))
		w.prove(server)
		t.Logf("%d dangerous actions, %d roads refused, %d harmless", len(all), w.refused, len(w.tries)-w.refused)
	})
}

// A wayfarer tries roads.
type wayfarer struct {
	t        *testing.T
	d        *daemon.Daemon
	audit    string // the path of the file
	sessions map[string]*wire
	tries    map[string]*aTry // by its mark
	refused  int
	wrong    []string // what was answered otherwise
}

type aTry struct {
	d    *dangerous
	road *way
	sent string
}

func newWayfarer(t *testing.T, server *asterisk.Server, all []dangerous) *wayfarer {
	t.Helper()
	w := &wayfarer{t: t, audit: filepath.Join(t.TempDir(), "audit.log"), sessions: map[string]*wire{}, tries: map[string]*aTry{}}
	var profiles strings.Builder
	var classes []string
	for _, d := range all {
		classes = append(classes, d.classes)
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	for _, c := range classes {
		account := attacker(c)
		fmt.Fprintf(&profiles, "[[profile]]\nname = %q\nsecret = %q\ntypes = [\"administrator\"]\nread = %q\nwrite = %[3]q\n", account.Name, account.Secret, c)
	}
	w.d = daemon.Start(t, server.Addr, daemon.Config{
		Profiles: profiles.String(), Listen: fmt.Sprintf("[audit]\nfile = %q\nactions = \"refused\"\n", w.audit),
	})
	w.d.WaitReady(t)
	for _, c := range classes {
		w.sessions["asterisk "+c] = openWire(t, c, w.d.Addr, attacker(c), "Events: off")
		w.sessions["ampd "+c] = newSpeaker(t, w.d.Addr, false, attacker(c), "administrator").wire
		w.sessions["XML "+c] = newSpeaker(t, w.d.Addr, true, attacker(c), "administrator").wire
	}
	return w
}

// marked adds a header by which the log tells whose an action is.
func marked(text, mark string, xml bool) string {
	switch {
	case xml && strings.HasPrefix(text, "cmd:"):
		return "cmd:" + marked(text[len("cmd:"):], mark, xml)
	case xml:
		return "<command x-road=\"" + mark + "\" actionid=\"" + mark + "\"" + strings.TrimPrefix(text, "<command")
	case strings.HasSuffix(text, "\r\n\r\n"):
		return strings.TrimSuffix(text, "\r\n") + "X-Road: " + mark + "\r\nActionID: " + mark + "\r\n\r\n"
	}
	return strings.TrimSuffix(text, "\n") + "X-Road: " + mark + "\nActionID: " + mark + "\n\n"
}

// try sends an action on all roads at once, and takes the answers.
func (w *wayfarer) try(d *dangerous, dialect string, roads []way) {
	w.t.Helper()
	conn := w.sessions[dialect+" "+d.classes]
	var all strings.Builder
	var order []string
	for i := range roads {
		text := roads[i].write(d)
		if text == "" || d.calls && roads[i].why != "" && roads[i].why != theFirst {
			continue
		}
		mark := fmt.Sprintf("road-%s-%d", dialect, len(w.tries))
		text = marked(text, mark, roads[i].xml)
		w.tries[mark] = &aTry{d, &roads[i], text}
		order = append(order, mark)
		all.WriteString(text)
	}
	fence := "behind-" + order[0]
	if dialect == "XML" {
		all.WriteString("<command action=\"ping\" actionid=\"" + fence + "\"/>\n")
	} else {
		all.WriteString("Action: Ping\r\nActionID: " + fence + "\r\n\r\n")
	}
	require.NoError(w.t, conn.SetDeadline(time.Now().Add(wireLimit)))
	_, err := conn.Write([]byte(all.String()))
	require.NoError(w.t, err)
	for answer := ""; ; {
		if dialect == "XML" {
			line, err := conn.reader.ReadString('\n')
			require.NoError(w.t, err)
			answer = attributes(line)
			if answer == "" || strings.Contains(line, "ction=\"Unknown\"") {
				answer += "Message: Unknown\r\n"
			}
			answer = "\r\n" + answer
		} else if answer, err = conn.read(); err != nil {
			require.NoError(w.t, err)
		}
		if strings.Contains(answer, fence) {
			require.Empty(w.t, order, "not answered")
			return
		}
		order = w.judge(order, answer)
	}
}

// judge looks at one packet; the first of order is whose answer is awaited.
func (w *wayfarer) judge(order []string, answer string) []string {
	w.t.Helper()
	mark := header(answer, "ActionID")
	if mark == "" && len(order) > 0 {
		mark = order[0]
	}
	try := w.tries[mark]
	require.NotNil(w.t, try, answer)
	if try.road.why == "" {
		words := try.road.words
		if words == "" {
			words = "Permission denied"
		}
		if got := header(answer, "Message"); !slices.Contains(strings.Split(strings.ReplaceAll(words, "{decides}", try.d.decides), "|"), got) {
			w.wrong = append(w.wrong, fmt.Sprintf("%s, %s: %q, not %q:\n%s%s", try.road.name, try.d.id, got, words, try.sent, answer))
		}
		w.refused++
	}
	if i := slices.Index(order, mark); i >= 0 {
		require.Zero(w.t, i, "answers out of order: %s", answer)
		return order[1:]
	}
	return order
}

// prove looks into the audit log for what refused, and into Asterisk's for what arrived.
func (w *wayfarer) prove(server *asterisk.Server) {
	w.t.Helper()
	arrived := 0
	for _, action := range server.Actions() {
		mark := action.Get("X-Road")
		if mark == "" {
			continue
		}
		try := w.tries[mark]
		require.NotNil(w.t, try, action)
		require.NotEmpty(w.t, try.road.why, "%s, %s: arrived at Asterisk:\n%s", try.d.id, try.road.name, action)
		require.False(w.t, slices.ContainsFunc(action, func(line string) bool {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimLeft(value, " ")
			return slices.ContainsFunc(try.d.headers, func(h codec.Header) bool {
				return strings.EqualFold(h.Name, try.d.decides) && strings.EqualFold(h.Name, name) && h.Value == value
			})
		}), "%s, %s: arrived at Asterisk:\n%s", try.d.id, try.road.name, action)
		arrived++
	}
	w.d.Terminate(w.t)
	file, err := os.Open(w.audit)
	require.NoError(w.t, err)
	defer file.Close()
	rules := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Event, Rule string
			Params      [][2]string
		}
		require.NoError(w.t, json.Unmarshal(lines.Bytes(), &line))
		for _, p := range line.Params {
			if strings.EqualFold(p[0], "X-Road") {
				rules[p[1]] = line.Rule
			}
		}
	}
	for mark, try := range w.tries {
		if try.road.why == "" && try.road.words == "" {
			require.True(w.t, strings.HasPrefix(rules[mark], try.d.rule), "%s, %s: refused by %q, not by %q", try.d.id, try.road.name, rules[mark], try.d.rule)
		}
	}
	w.t.Logf("%d harmless ones arrived", arrived)
}
