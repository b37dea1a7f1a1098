package tests

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// wrongValues are values that no parameter, or few, can have, by what the files call them.
var wrongValues = []struct{ name, value string }{
	{"text", "nosuch"},
	{"maybe", "maybe"},
	{"negative", "-1"},
	{"fraction", "1.5"},
	{"huge", "1000000000000"},
	{"NaN", "NaN"},
	{"empty", ""},
	{"blanks", "   "},
	{"NUL", "\x00"},
	{"NUL and text", "\x00nosuch"},
	{"text, NUL, text", "no\x00such"},
	{"control", "no\x01such\x7f"},
	{"up", "../../nosuch"},
	{"root", "/etc/nosuch"},
	{"shell", "$(id)"},
	{"variable", "${nosuch}"},
	{"long", strings.Repeat("nosuch", 1667)},
}

// rightValues are what a command is given beside the wrong value, where that is not in
// values.
var rightValues = map[string]map[string]string{
	"AgentActivity":   {"Agent": "2002"},
	"AgentLogoff":     {"Agent": "2001"},
	"DBDel":           {"Family": "wrong", "Key": "a"},
	"DBDelTree":       {"Family": "wrong", "Key": "a"},
	"DBGet":           {"Family": "wrong", "Key": "a"},
	"DBPut":           {"Family": "wrong", "Key": "a", "Val": "1"},
	"Monitor":         {"File": "wrong"},
	"ProfileDelete":   {"Profile": "none"},
	"MailboxCount":    {"Context": "default", "Mailbox": "1001"},
	"MailboxStatus":   {"Context": "default", "Mailbox": "1001"},
	"Originate":       {"Channel": "Local/short@classic/n", "Application": "Wait", "Data": "1"},
	"Redirect":        {"Context": "classic", "Exten": "tone", "Priority": "1"},
	"Setvar":          {"Variable": "WRONG", "Value": "1"},
	"Getvar":          {"Variable": "WRONG"},
	"AbsoluteTimeout": {"Timeout": "60"},
}

// TestWrongValues gives each parameter of each command, in both formats, what it can't be.
// What is answered is in testdata/wrong-values-*.txt (-golden writes them): of each parameter the
// values, then the answer and, behind <-, what Asterisk was sent: the actions, with the headers that the client
// had not sent so, and without which of those that it had. VALUE is the wrong one.
func TestWrongValues(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, asterisk.LogActions(),
			asterisk.Conf("extensions.conf", "[classic]\nexten => tone,1,Answer()\n same => n,Wait(600)\nexten => short,1,Answer()\n same => n,Wait(1)\n"))
		d := daemon.Start(t, s.Addr, daemon.Config{
			Profiles: classicProfiles, Head: fmt.Sprintf("state_dir = %q\n", t.TempDir()), Listen: "[state]\nresync = \"24h\"\n",
		})
		d.WaitReady(t)
		w := &wrong{}
		native, xml := newSpeaker(t, d.Addr, false, boss, "Administrator"), newSpeaker(t, d.Addr, true, boss, "Administrator")
		for i := range actions.Commands {
			for _, speaker := range []*speaker{native, xml} {
				w.classic = &classic{speaker: speaker, s: s, version: version, seen: map[string]bool{}}
				w.tries(&actions.Commands[i])
			}
		}
		text := w.told()
		file := "testdata/wrong-values-" + version + ".txt"
		if *golden {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), text)
	})
}

// wrong is a session that gives wrong values.
type wrong struct {
	*classic
	channel string // of a call, "" for none
	member  bool   // there is one for QueuePause and QueueRemove
	marked  int    // the case that Asterisk was told of last, 0 for none
	cases   []*wrongCase
}

// A wrongCase is one value of one parameter.
type wrongCase struct {
	command, param string
	xml            bool
	name, value    string
	answer         string
	said           []string // lines that the client has sent
	sent           []string // what Asterisk was sent
}

// tries gives each parameter of a command each of the values.
func (w *wrong) tries(c *actions.Command) {
	if c.Name == "Login" {
		return // refused-logins.txt of TestTranscripts, and package downstream
	}
	for _, p := range c.Params {
		for _, v := range wrongValues {
			one := &wrongCase{command: c.Name, param: p.Name, xml: w.xml, name: v.name, value: v.value}
			w.cases = append(w.cases, one)
			w.prepare(c.Name)
			w.mark(len(w.cases))
			pairs := w.pairs(c, p.Name, v.value)
			for j := 0; j < len(pairs); j += 2 {
				one.said = append(one.said, pairs[j]+": "+strings.TrimLeft(pairs[j+1], " "))
			}
			r := w.say(c.Name, pairs...)
			one.answer = answerOf(r, v.value)
			w.tidy(c.Name, v.value, pairs, one.answer)
		}
	}
}

// atByte is where an XML message is wrong.
var atByte = regexp.MustCompile(` \(byte \d+\)$`)

// mark tells Asterisk, in its log, of which case what follows is.
func (w *wrong) mark(n int) {
	if n != w.marked {
		w.say("UserEvent", "UserEvent", fmt.Sprintf("wrong-%d", n))
		w.marked = n
	}
}

// answerOf is what an answer to a value says: its words, numbers, and whether a list has
// items.
func answerOf(r *reply, value string) string {
	words := []string{r.get("Response"), r.get("Message")}
	if strings.TrimSpace(value) != "" {
		words[1] = strings.ReplaceAll(words[1], value, "VALUE")
	}
	for _, name := range []string{"Value", "Status", "NewMessages"} {
		if value := r.get(name); value != "" {
			words = append(words, name+": "+value)
		}
	}
	if r.get("EventList") == "start" && r.items == nil {
		words = append(words, "(none)")
	}
	if _, text, found := strings.Cut(r.raw, `action="Unknown" Response="Error"`); found { // what could not be read
		_, text, _ = strings.Cut(text, ">")
		words[1] = atByte.ReplaceAllString(strings.TrimSuffix(text, "</command>\n"), "")
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// pairs are what the command is given: its required parameters and what rightValues say,
// but for the wrong one.
func (w *wrong) pairs(c *actions.Command, param, value string) (pairs []string) {
	right := rightValues[c.Name]
	for _, p := range c.Params {
		is, stands := right[p.Name]
		if !stands && p.Required {
			if is = values[p.Name]; is == "" {
				is = "x"
			}
			if p.Name == "Channel" {
				is = w.channel
			}
		}
		if p.Name == param {
			is = value
		} else if is == "" {
			continue
		}
		pairs = append(pairs, p.Name, is)
	}
	if c.Name == "Originate" && slices.Contains([]string{"Context", "Exten", "Priority"}, param) {
		pairs = append(without(pairs, "Application", "Data"), without([]string{"Context", "classic", "Exten", "short", "Priority", "1"}, param)...)
	}
	return pairs
}

// without is pairs but for those of that names.
func without(pairs []string, names ...string) (left []string) {
	for i := 0; i < len(pairs); i += 2 {
		if !slices.Contains(names, pairs[i]) {
			left = append(left, pairs[i], pairs[i+1])
		}
	}
	return left
}

// prepare makes what the command is about.
func (w *wrong) prepare(command string) {
	switch command {
	case "AbsoluteTimeout", "ChangeMonitor", "ChannelInfo", "Getvar", "Hangup", "Monitor", "Redirect", "Setvar", "StopMonitor":
		if w.channel == "" {
			w.mark(0)
			w.channel = w.call()
		}
	case "DBDel", "DBDelTree", "DBGet":
		w.mark(0)
		w.say("DBPut", "Family", "wrong", "Key", "a", "Val", "1")
	case "QueuePause", "QueueRemove":
		if !w.member {
			w.mark(0)
			w.say("QueueAdd", "Queue", "sales", "Interface", "Local/1009@agents/n")
			w.member = true
		}
	}
}

// tidy takes back what has been done.
func (w *wrong) tidy(command, value string, pairs []string, answer string) {
	if !strings.HasPrefix(answer, "Success") {
		return
	}
	w.mark(0)
	switch command {
	case "AbsoluteTimeout", "Hangup", "Redirect":
		w.say("Hangup", "Channel", w.channel)
		require.True(w.t, eventually(func() bool { return !strings.Contains(w.say("ChannelInfo").raw, w.channel) }, wireLimit))
		w.channel = ""
	case "DBPut":
		w.say("DBDel", pairs[:4]...)
	case "Setvar":
		w.say("Setvar", pairs[0], pairs[1], "Value", "")
	case "Monitor":
		w.say("StopMonitor", "Channel", w.channel)
	case "QueueAdd":
		w.say("QueueRemove", "Queue", "sales", "Interface", value)
		w.say("QueueRemove", "Queue", "sales", "Interface", "Local/1009@agents/n")
	case "QueueRemove":
		w.member = false
	case "AgentCallbackLogin":
		w.say("AgentLogoff", "Agent", "2001")
	case "ProfileUpdate":
		w.say("ProfileDelete", "Profile", value)
	}
}

// arrived keeps what Asterisk was sent: its name, and what the client has not said so.
func (c *wrongCase) arrived(action asterisk.Packet, said []string) {
	var others []string
	for _, line := range action {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimLeft(value, " ")
		if strings.EqualFold(name, "Action") || strings.EqualFold(name, "ActionID") || slices.Contains(said, name+": "+value) {
			continue
		}
		if strings.TrimSpace(c.value) != "" {
			value = strings.ReplaceAll(value, c.value, "VALUE")
		}
		others = append(others, " "+name+": "+givenAnew.ReplaceAllString(value, "$1#"))
	}
	for _, line := range said {
		name, value, _ := strings.Cut(line, ": ")
		if strings.EqualFold(action.Get("Action"), c.command) && value != "" && action.Get(name) == "" {
			others = append(others, " without "+name)
		}
	}
	c.sent = append(c.sent, action.Get("Action")+strings.Join(others, ","))
}

// givenAnew are a MixMonitorID and the end of a channel's name.
var givenAnew = regexp.MustCompile(`(0x|classic-)[0-9a-f]+`)

// told is the file: by command and parameter each answer, and of what values.
func (w *wrong) told() string {
	at := 0
	for _, action := range w.s.Actions() {
		if n := action.Get("UserEvent"); strings.HasPrefix(n, "wrong-") {
			_, err := fmt.Sscanf(n, "wrong-%d", &at)
			require.NoError(w.t, err)
		} else if at > 0 && action.Get("Action") != "Ping" { // of ampd's own, behind a UserEvent
			w.cases[at-1].arrived(action, w.cases[at-1].said)
		}
	}
	outcome := map[[3]string]map[bool]string{} // of command, parameter, value; by XML
	for _, c := range w.cases {
		key := [3]string{c.command, c.param, c.name}
		if outcome[key] == nil {
			outcome[key] = map[bool]string{}
		}
		outcome[key][c.xml] = c.answer
		if c.sent != nil {
			outcome[key][c.xml] += " <- " + strings.Join(c.sent, "; ")
		}
	}
	var text strings.Builder
	for i := range actions.Commands {
		for _, p := range actions.Commands[i].Params {
			var order []string
			of := map[string][]string{}
			add := func(what, value string) {
				if of[what] == nil {
					order = append(order, what)
				}
				of[what] = append(of[what], value)
			}
			for _, v := range wrongValues {
				switch both := outcome[[3]string{actions.Commands[i].Name, p.Name, v.name}]; {
				case both == nil:
				case both[false] == both[true]:
					add(both[true], v.name)
				default:
					add(both[false], v.name+" (native)")
					add(both[true], v.name+" (XML)")
				}
			}
			if order == nil {
				continue
			}
			fmt.Fprintf(&text, "%s %s\n", actions.Commands[i].Name, p.Name)
			for _, what := range order {
				fmt.Fprintf(&text, "\t%s\n\t\t%s\n", strings.Join(of[what], ", "), what)
			}
		}
	}
	return text.String()
}
