package tests

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// The matrix has two of everything: one inside the scopes, whose name begins with "inner",
// and one outside, "outer". 7001 is an agent inside, 7002 one outside; 7003 has a device, a
// call and a membership on either side.
const (
	matrixDialplan = `
[inner]
exten => up,1,Answer()
 same => n,Wait(3600)
exten => innerup,1,Answer()
 same => n,ConfBridge(innerup)
exten => innerboth,1,Answer()
 same => n,ConfBridge(innerboth)
exten => innerwait,1,Answer()
 same => n,Queue(inner)
exten => innerpark,1,Answer()
 same => n,Park()
exten => innerpool,1,Answer()
 same => n,Wait(3600)
exten => pool,1,AgentLogin(7001,s)
exten => desk,hint,Local/innerup@inner
[outer]
exten => up,1,Answer()
 same => n,Wait(3600)
exten => outerup,1,Answer()
 same => n,ConfBridge(outerup)
exten => outerboth,1,Answer()
 same => n,ConfBridge(outerboth)
exten => outerwait,1,Answer()
 same => n,Queue(outer)
exten => outerpark,1,Answer()
 same => n,Park()
exten => outerpool,1,Answer()
 same => n,Wait(3600)
exten => pool,1,AgentLogin(7002,s)
exten => desk,hint,Local/outerup@outer
`
	matrixQueues = `
[inner](rigq)
[outer](rigq)
`
	matrixPhones = `
[inner](phone)
aors = inner
[inner](phone-aor)
contact = sip:inner@127.0.0.1:9
[outer](phone)
aors = outer
[outer](phone-aor)
contact = sip:outer@127.0.0.1:9
`
	matrixScopes = `
queues = ["inner"]
contexts = ["inner"]
channels = ["Local/inner", "PJSIP/inner"]
`
	matrixAgents = `
[[agent]]
id = "7001"
name = "inner seven"
devices = ["Local/innerup@inner", "PJSIP/inner"]
queues = ["inner"]
[[agent]]
id = "7002"
name = "outer seven"
devices = ["Local/outerup@outer", "PJSIP/outer"]
queues = ["outer"]
[[agent]]
id = "7003"
name = "both seven"
devices = ["Local/innerboth@inner", "Local/outerboth@outer"]
queues = ["inner", "outer"]
`
)

// things are one object of each kind, by the name that stands in braces.
type things map[string]string

// thingsOf are those that do not come to be with a call. who is "up" or "both".
func thingsOf(side, who, agent string) things {
	return things{
		"queue": side, "context": side, "peer": side, "agent": agent, "room": side + who,
		"dial": "Local/" + side + who + "@" + side, "device": "Local/" + side + who + "@" + side, "member": "Local/" + side + who + "desk@" + side + "/n",
	}
}

// missing are objects that there are not.
var missing = things{
	"queue": "nosuch", "context": "nosuch", "peer": "nosuch", "agent": "7999", "room": "nosuch", "dial": "Local/nosuch@nosuch", "device": "Local/nosuch@nosuch",
	"member": "Local/nosuch@nosuch/n", "channel": "Local/nosuch@nosuch-00000001;1", "half": "Local/nosuch@nosuch-00000001;2", "bridge": "nosuch",
	"caller": "Local/nosuch@nosuch-00000001;2",
}

func (o things) fill(text string) string {
	for name, value := range o {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// A column is a session of the matrix and what it fills: one column, or one inside and one outside.
type column struct {
	title, profile, kind string
	in, out              things // out is nil where the session has no outside
	asterisk, ampd       *wire
}

// matrixProfiles has one for each column, in pairs.
func matrixProfiles() string {
	var b strings.Builder
	b.WriteString(matrixAgents)
	for _, p := range []struct{ name, more string }{
		{"all", "types = [\"administrator\"]\ndangerous = true\nadmin = true"},
		{"wide monitor", "types = [\"monitor\"]"},
		{"wide administrator", "types = [\"administrator\"]"},
		{"narrow monitor", "types = [\"monitor\"]" + matrixScopes},
		{"narrow administrator", "types = [\"administrator\"]" + matrixScopes},
		{"agent", "types = [\"agent\"]\nagent = \"7001\"\ncontexts = [\"inner\"]"},
		{"narrow agent", "types = [\"agent\"]\nagent = \"7003\"" + matrixScopes},
	} {
		fmt.Fprintf(&b, "[[profile]]\nname = %q\nsecret = \"s\"\nread = \"all\"\nwrite = \"all\"\n%s\n", p.name, p.more)
	}
	return b.String()
}

// A matrixWorld is what there is while the matrix is filled.
type matrixWorld struct {
	t     *testing.T
	s     *asterisk.Server
	gate  *gate
	d     *daemon.Daemon
	admin *wire // on Asterisk itself
	views []*column
	all   *column           // may do everything
	words map[string]string // of Asterisk's for what there is not, by the action's text
}

// newMatrixWorld makes all the calls and members, and then starts ampd in front.
func newMatrixWorld(t *testing.T, version string) *matrixWorld {
	t.Helper()
	s := asterisk.Start(t, version, asterisk.LogActions(), asterisk.Conf("extensions.conf", matrixDialplan), asterisk.Conf("queues.conf", matrixQueues),
		asterisk.Conf("pjsip.conf", matrixPhones), asterisk.Conf("agents.conf", "[7001](agent)\nfullname = Seven One\n[7002](agent)\nfullname = Seven Two\n"),
		asterisk.Conf("res_parking.conf", "[default](+)\nparkingtime => 3600"))
	w := &matrixWorld{t: t, s: s, admin: openWire(t, "admin", s.Addr, asterisk.Ampd, "Events: off"), words: map[string]string{}}
	up, both := [2]things{thingsOf("inner", "up", "7001"), thingsOf("outer", "up", "7002")}, [2]things{thingsOf("inner", "both", "7003"), thingsOf("outer", "both", "7002")}
	for _, side := range []string{"inner", "outer"} {
		for _, who := range []string{"up", "both", "wait", "park"} {
			exten := side + who
			w.do("Action: Originate", "Channel: Local/"+exten+"@"+side+"/n", "Application: Wait", "Data: 3600", "Async: true", "Variable: MATRIX=1")
		}
		w.do("Action: Originate", "Channel: Local/"+side+"pool@"+side+"/n", "Context: "+side, "Exten: pool", "Priority: 1", "Async: true")
	}
	w.do("Action: DBPut", "Family: matrix", "Key: a", "Val: 1")
	w.do("Action: Setvar", "Variable: MATRIX", "Value: 1")
	for i, side := range []string{"inner", "outer"} {
		w.find(side+"up", up[i])
		w.find(side+"both", both[i])
		waiting := things{}
		w.find(side+"wait", waiting)
		up[i]["caller"], both[i]["caller"] = waiting["half"], waiting["half"]
	}
	require.Eventually(t, func() bool {
		return strings.Contains(exchange(t, w.admin, "Action: ParkedCalls"), "\r\nTotal: 2\r\n") &&
			strings.Count(exchange(t, w.admin, "Action: QueueStatus"), "Event: QueueEntry\r\n") == 2 &&
			strings.Count(exchange(t, w.admin, "Action: Agents"), "Status: AGENT_IDLE\r\n") == 2 &&
			len(agentsIdle.FindAllString(exchange(t, w.admin, "Action: DeviceStateList"), -1)) == 2
	}, wireLimit, 10*time.Millisecond, "who waits, is parked, has logged in")

	w.gate = openGate(t, s.Addr)
	w.d = daemon.Start(t, w.gate.addr, daemon.Config{Profiles: matrixProfiles(), Head: fmt.Sprintf("state_dir = %q\n", t.TempDir()), Sessions: "\n[state]\nresync = \"24h\""})
	w.d.WaitReady(t)
	for i, side := range []string{"inner", "outer"} { // now, so that ampd sees it
		for _, o := range []things{up[i], both[i]} {
			name := side + " seven"
			if o["room"] == side+"both" {
				name = "both seven"
			}
			w.do("Action: QueueAdd", "Queue: "+side, "Interface: "+o["member"], "MemberName: "+name, "Paused: true")
		}
	}
	w.views = []*column{
		{title: "M", profile: "wide monitor", kind: "monitor", in: up[0]},
		{title: "M-in", profile: "narrow monitor", kind: "monitor", in: up[0], out: up[1]},
		{title: "A", profile: "wide administrator", kind: "administrator", in: up[0]},
		{title: "A-in", profile: "narrow administrator", kind: "administrator", in: up[0], out: up[1]},
		{title: "own", profile: "agent", kind: "agent", in: up[0], out: up[1]},
		{title: "own-in", profile: "narrow agent", kind: "agent", in: both[0], out: both[1]},
	}
	w.all = &column{profile: "all", kind: "administrator"}
	for _, v := range append(slices.Clone(w.views), w.all) {
		account := asterisk.Account{Name: v.profile, Secret: "s"}
		v.asterisk = openWire(t, v.profile, w.d.Addr, account, "Events: off")
		v.ampd = newSpeaker(t, w.d.Addr, false, account, v.kind).wire
	}
	require.Eventually(t, func() bool {
		did := exchange(t, w.all.ampd, "Action: AgentActivity\nAgent: 7003")
		return strings.Contains(did, "\r\nQueue: inner\r\n") && strings.Contains(did, "\r\nQueue: outer\r\n")
	}, wireLimit, 10*time.Millisecond, "what agents did")
	for _, o := range append(up[:], both[:]...) { // for ChangeMonitor and StopMonitor
		require.Contains(t, exchange(t, w.all.ampd, "Action: Monitor\nChannel: "+o["half"]), "Response: Success")
	}
	return w
}

func (w *matrixWorld) do(lines ...string) {
	w.t.Helper()
	answer := exchange(w.t, w.admin, strings.Join(lines, "\n"))
	require.Contains(w.t, answer, "Response: Success\r\n", "%s", lines)
}

// find waits for a call and learns its channels and bridge.
func (w *matrixWorld) find(exten string, o things) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		for item := range strings.SplitSeq(exchange(w.t, w.admin, "Action: CoreShowChannels"), "\r\n\r\n") {
			name := header(item, "Channel")
			if !strings.HasPrefix(name, "Local/"+exten+"@") {
				continue
			}
			if strings.HasSuffix(name, ";1") {
				o["channel"] = name
			} else {
				o["half"], o["bridge"] = name, header(item, "BridgeId")
			}
		}
		room := strings.HasSuffix(exten, "up") || strings.HasSuffix(exten, "both")
		return o["channel"] != "" && o["half"] != "" && (!room || o["bridge"] != "")
	}, wireLimit, 10*time.Millisecond, exten)
}

// agentsIdle is the state of both agents' devices, which follows their logins.
var agentsIdle = regexp.MustCompile(`Device: Agent:700[12]\r\nState: NOT_INUSE\r\n`)

// useCount is what "module show" tells of a module's calls.
var useCount = regexp.MustCompile(` +\d+ +(?:Running|Not Running)`)

// picture is all that an action could have changed.
func (w *matrixWorld) picture() string {
	w.t.Helper()
	var all []string
	for _, action := range []string{"CoreShowChannels", "QueueStatus", "ParkedCalls", "BridgeList", "ConfbridgeListRooms", "DeviceStateList", "PresenceStateList", "VoicemailUsersList"} {
		var items []string
		for item := range strings.SplitSeq(exchange(w.t, w.admin, "Action: "+action), "\r\n\r\n") {
			var lines []string
			for line := range strings.SplitSeq(item, "\r\n") {
				name, _, _ := strings.Cut(line, ":")
				switch name {
				case "Duration", "Wait", "Timeout", "Holdtime", "LongestHoldTime", "ParkingTimeout", "ParkingDuration", "SequenceNumber", "LoginTime":
				default:
					lines = append(lines, line)
				}
			}
			items = append(items, strings.Join(lines, "\n"))
		}
		slices.Sort(items)
		all = append(all, items...)
	}
	for _, command := range []string{"database show", "dialplan show globals", "dialplan show inner", "dialplan show outer", "module show", "bridge technology show"} {
		all = append(all, useCount.ReplaceAllString(w.s.CLI(command), " "))
	}
	for _, o := range []things{w.views[1].in, w.views[1].out} {
		all = append(all, exchange(w.t, w.admin, "Action: Getvar\nVariable: MATRIX\nChannel: "+o["channel"]))
	}
	return strings.Join(all, "\n")
}

// asterisksWords are Asterisk's for an action whose object is not there.
func (w *matrixWorld) asterisksWords(text string) string {
	w.t.Helper()
	words, asked := w.words[text]
	if !asked {
		answer := exchange(w.t, w.admin, strings.ReplaceAll(text, "|", "\n"))
		words = cmp.Or(header("\r\n"+answer, "Message"), header("\r\n"+answer, "Response"))
		w.words[text] = words
	}
	return words
}
