package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// The agents and profiles of the classic protocol's tests.
const classicProfiles = `
[[profile]]
name = "boss"
secret = "bosssecret"
types = ["administrator", "monitor", "agent"]
agent = "2001"
read = "all"
write = "all"
admin = true

[[profile]]
name = "wall"
secret = "s"
types = ["monitor"]
read = "all"
write = "all"

[[profile]]
name = "desk"
secret = "s"
types = ["agent"]
agent = "2001"
read = "all"
write = "all"
contexts = ["agents"]

[[agent]]
id = "2002"
name = "Walt Ten"
queues = ["classic"]

[[agent]]
id = "2001"
name = "Vera Nine"
queues = ["sales", "support"]
penalty = 3
`

var boss = asterisk.Account{Name: "boss", Secret: "bosssecret"}

// A speaker says commands of the classic protocol in one of its formats.
type speaker struct {
	*wire
	t     *testing.T
	xml   bool
	count int
}

// A reply is an answer in either format: its headers, and the items of a list.
type reply struct {
	headers string // "Name: value" lines, in their order; in XML its attributes
	items   []string
	raw     string
}

func (r *reply) get(name string) string { return header("\r\n"+r.headers, name) }

// newSpeaker logs in.
func newSpeaker(t *testing.T, addr string, xml bool, account asterisk.Account, kind string) *speaker {
	t.Helper()
	w, err := dialWire(account.Name, addr)
	require.NoError(t, err)
	t.Cleanup(func() { w.Close() })
	s := &speaker{wire: w, t: t, xml: xml}
	format := "Asterisk"
	if xml {
		format = "XML"
	}
	r := s.say("Login", "Username", account.Name, "Secret", account.Secret, "Type", kind, "Format", format, "Events", "off")
	require.Equal(t, "Authentication accepted", r.get("Message"), r.raw)
	return s
}

// say runs a command with pairs of names and values, and returns its answer.
func (s *speaker) say(command string, pairs ...string) *reply {
	s.t.Helper()
	s.count++
	id := fmt.Sprintf("say-%d", s.count)
	pairs = append(pairs, "ActionID", id)
	var text strings.Builder
	if s.xml {
		fmt.Fprintf(&text, "<command action=%q", command)
		for i := 0; i < len(pairs); i += 2 {
			fmt.Fprintf(&text, " %s=\"%s\"", pairs[i], strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\x00", "&#0;", "\x01", "&#1;").Replace(pairs[i+1]))
		}
		text.WriteString(" />\n")
	} else {
		fmt.Fprintf(&text, "Action: %s\r\n", command)
		for i := 0; i < len(pairs); i += 2 {
			fmt.Fprintf(&text, "%s: %s\r\n", pairs[i], pairs[i+1])
		}
		text.WriteString("\r\n")
	}
	require.NoError(s.t, s.SetDeadline(time.Now().Add(wireLimit)))
	_, err := s.Write([]byte(text.String()))
	require.NoError(s.t, err)
	r := &reply{}
	for {
		packet := s.packet()
		r.raw += packet
		if !strings.Contains(packet, id) && !strings.Contains(packet, "Failed to parse message") {
			continue // an event
		}
		lines := packet
		if s.xml {
			lines = attributes(packet)
		}
		switch {
		case r.headers == "":
			r.headers = lines
			if header("\r\n"+lines, "EventList") != "start" {
				return r
			}
		case strings.EqualFold(header("\r\n"+lines, "EventList"), "Complete"):
			return r
		default:
			r.items = append(r.items, lines)
		}
	}
}

// packet reads one packet.
func (s *speaker) packet() string {
	s.t.Helper()
	if s.xml {
		line, err := s.reader.ReadString('\n')
		require.NoError(s.t, err)
		return line
	}
	p, err := s.read()
	require.NoError(s.t, err)
	if strings.Contains(p, "Response: Follows\r\n") {
		for !strings.HasSuffix(p, "--END COMMAND--\r\n\r\n") {
			more, err := s.reader.ReadString('\n')
			require.NoError(s.t, err)
			p += more
		}
	}
	return p
}

var attribute = regexp.MustCompile(`([A-Za-z0-9_.-]+)="([^"]*)"|<header name="([^"]*)">([^<]*)</header>`)

// attributes are those of an element, as lines.
func attributes(element string) string {
	var lines strings.Builder
	names := map[string]string{"action": "Action", "response": "Response", "event": "Event"}
	unescape := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#34;", `"`, "&amp;", "&")
	for _, m := range attribute.FindAllStringSubmatch(element, -1) {
		name, value := m[1]+m[3], m[2]+m[4]
		if n := names[name]; n != "" {
			name = n
		}
		lines.WriteString(name + ": " + unescape.Replace(value) + "\r\n")
	}
	return lines.String()
}

// TestClassicCommands runs each of the 39 commands on each Asterisk in both formats.
func TestClassicCommands(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version,
			asterisk.Conf("extensions.conf", "[classic]\nexten => tone,1,Answer()\n same => n,Milliwatt()\nexten => desk,1,Answer()\n same => n,Wait(600)\nexten => queue,1,Queue(classic)\n"),
			asterisk.Conf("queues.conf", "[classic](rigq)\njoinempty = yes\nleavewhenempty = no\n"))
		d := daemon.Start(t, s.Addr, daemon.Config{Profiles: classicProfiles, Head: fmt.Sprintf("state_dir = %q\n", t.TempDir())})
		d.WaitReady(t)
		for _, format := range []string{"native", "XML"} {
			t.Run(format, func(t *testing.T) {
				c := &classic{speaker: newSpeaker(t, d.Addr, format == "XML", boss, "Administrator"), s: s, version: version, seen: map[string]bool{"Login": true}}
				c.run()
				for i := range actions.Commands {
					require.True(t, c.seen[actions.Commands[i].Name], actions.Commands[i].Name)
				}
			})
		}
	})
}

// classic is a session that runs all commands.
type classic struct {
	*speaker
	s       *asterisk.Server
	version string // 16 or 22
	seen    map[string]bool
}

// ok runs a command that succeeds.
func (c *classic) ok(command string, pairs ...string) *reply {
	c.t.Helper()
	r := c.say(command, pairs...)
	name := command
	if c.xml {
		name = strings.ToLower(command)
	}
	require.Equal(c.t, name, r.get("Action"), r.raw)
	require.Contains(c.t, []string{"Success", "Follows"}, r.get("Response"), r.raw)
	c.seen[command] = true
	return r
}

// refuses runs one that does not.
func (c *classic) refuses(message, command string, pairs ...string) {
	c.t.Helper()
	r := c.say(command, pairs...)
	require.Equal(c.t, "Error", r.get("Response"), r.raw)
	require.Equal(c.t, message, r.get("Message"), r.raw)
}

// call makes a call that lasts, and returns its channel.
func (c *classic) call() string {
	c.t.Helper()
	c.ok("Originate", "Channel", "Local/tone@classic/n", "Application", "Echo", "Variable", "A=1|B=2")
	var channel string
	require.Eventually(c.t, func() bool {
		for _, item := range c.ok("ChannelInfo").items {
			if name := header("\r\n"+item, "Channel"); strings.HasPrefix(name, "Local/tone@classic-") && strings.HasSuffix(name, ";1") {
				channel = name
			}
		}
		return channel != ""
	}, wireLimit, 20*time.Millisecond)
	return channel
}

func (c *classic) run() {
	t := c.t
	channel := c.call()
	require.Equal(t, "1", c.ok("Getvar", "Channel", channel, "Variable", "A").get("Value"))
	require.Equal(t, "2", c.ok("Getvar", "Channel", channel, "Variable", "B").get("Value"))
	c.ok("Setvar", "Channel", channel, "Variable", "A", "Value", "x y")
	require.Equal(t, "x y", c.ok("Getvar", "Channel", channel, "Variable", "A").get("Value"))
	c.ok("Setvar", "Channel", channel, "Variable", "A")
	require.Empty(t, c.ok("Getvar", "Channel", channel, "Variable", "A").get("Value"))
	c.ok("Setvar", "Variable", "CLASSIC", "Value", "global")
	require.Equal(t, "global", c.ok("Getvar", "Variable", "CLASSIC").get("Value"))

	for _, timeout := range []string{"500", fmt.Sprint(time.Now().Unix() + 900), "0"} {
		c.ok("AbsoluteTimeout", "Channel", channel, "Timeout", timeout)
	}
	c.refuses("Timeout has passed", "AbsoluteTimeout", "Channel", channel, "Timeout", "1000000001")
	c.refuses("Timeout must be a number of seconds", "AbsoluteTimeout", "Channel", channel, "Timeout", "soon")
	c.refuses("Missing required parameter: Timeout", "AbsoluteTimeout", "Channel", channel)

	c.records(channel)
	c.ok("Redirect", "Channel", channel, "Context", "misc", "Exten", "wait", "Priority", "1")
	c.ok("Hangup", "Channel", channel)

	require.Contains(t, c.ok("Command", "Command", "core show version").raw, "Asterisk "+c.version)
	if !c.xml {
		require.Contains(t, c.say("Command", "Command", "core show uptime").raw, "--END COMMAND--\r\n\r\n")
	}
	c.ok("Custom", "CAction", "CoreStatus")
	c.seen["Custom"] = true
	c.ok("CustomFreeForm", "CAction", "Command", "Command", "core show uptime")
	if !c.xml { // there is no attribute twice
		c.refuses("Action and CAction must be given once", "Custom", "CAction", "Ping", "CACTION", "Command")
	}

	c.ok("DBPut", "Family", "classic", "Key", "a", "Val", "1: 2")
	c.ok("DBPut", "Family", "classic", "Key", "b", "Val", "3")
	require.Equal(t, "1: 2", header("\r\n"+c.ok("DBGet", "Family", "classic", "Key", "a").items[0], "Val"))
	require.Len(t, c.ok("DBGet", "Family", "classic").items, 2)
	require.GreaterOrEqual(t, len(c.ok("DBShow").items), 2)
	c.ok("DBDel", "Family", "classic", "Key", "a")
	require.Len(t, c.ok("DBGet", "Family", "classic").items, 1)
	c.ok("DBDelTree", "Family", "classic")

	c.ok("ExtensionState", "Exten", "1001", "Context", "agents")
	c.ok("MailboxCount", "Mailbox", "1001", "Context", "default")
	c.ok("MailboxStatus", "Mailbox", "1001@default")
	c.refuses("Missing required parameter: Context", "MailboxStatus", "Mailbox", "1001")
	c.ok("ParkedCallInfo")

	c.ok("QueueAdd", "Queue", "sales", "Interface", "Local/7@agents/n")
	c.ok("QueuePause", "Queue", "sales", "Interface", "Local/7@agents/n")
	require.Contains(t, c.ok("QueueInfo", "Queue", "sales").raw, "Local/7@agents/n")
	c.ok("QueueRemove", "Queue", "sales", "Interface", "Local/7@agents/n")

	c.callbackCalls()
	require.NotEmpty(t, c.ok("AgentInfo").items)
	require.Len(t, c.ok("AgentInfo", "Agent", "1101").items, 1)
	c.callback()
	peers := c.ok("PeerInfo").items
	require.NotEmpty(t, peers)
	require.Contains(t, strings.Join(peers, ""), "ObjectName: trunk")
	require.Len(t, c.ok("PeerInfo", "Type", "PJSIP", "Peer", "trunk").items, 1)
	c.refuses("Type must be SIP, PJSIP or IAX2", "PeerInfo", "Type", "H323")
	if c.version == "16" {
		c.ok("SIPshowpeer", "Peer", "siptrunk")
	} else {
		require.Equal(t, "trunk", c.ok("SIPshowpeer", "Peer", "trunk").get("ObjectName"))
	}
	version := c.ok("ServerVersion")
	require.Contains(t, version.get("AsteriskVersion"), c.version)
	require.NotEmpty(t, version.get("AmpdVersion"))

	c.ok("ProfileUpdate", "Profile", "new", "secret", "newsecret", "read", "call", "types", "monitor")
	r := c.ok("ProfileGet", "Profile", "new")
	require.Equal(t, "call", r.get("read"), r.raw)
	require.NotContains(t, r.raw, "newsecret")
	require.Len(t, c.ok("ProfileList").items, 4)
	c.ok("ProfileDelete", "Profile", "new")
	require.Len(t, c.ok("ProfileList").items, 3)
}

// records shows that the files of a recording exist and hold both sides: each side plays a
// tone.
func (c *classic) records(channel string) {
	t := c.t
	name := func(n string) string { return n + map[bool]string{true: "-xml", false: "-native"}[c.xml] }
	one, two := name("one"), name("two")
	holds := func(file string) {
		t.Helper()
		path := filepath.Join(c.s.Dir, "spool/monitor", file)
		if !eventually(func() bool { return sounds(path) }, wireLimit) {
			all, _ := filepath.Glob(filepath.Dir(path) + "/*")
			for _, f := range all {
				info, _ := os.Stat(f)
				t.Log(f, info.Size(), sounds(f))
			}
			require.FailNow(t, "nothing is heard in "+path)
		}
	}
	old := c.version == "16" // has Monitor itself
	if old {
		c.ok("Monitor", "Channel", channel, "File", one)
	} else {
		c.ok("Monitor", "Channel", channel, "File", one, "Combine", "true")
	}
	holds(one + "-in.wav")
	holds(one + "-out.wav")
	c.ok("ChangeMonitor", "Channel", channel, "File", two)
	if !old {
		c.refuses("Could not start monitoring channel", "Monitor", "Channel", channel, "File", "three")
		holds(one + ".wav")
		holds(two + ".wav")
		holds(two + "-in.wav")
	}
	c.ok("StopMonitor", "Channel", channel)
	holds(two + "-in.wav")
	holds(two + "-out.wav")
	if !old { // named after the channel
		c.ok("Monitor", "Channel", channel, "Format", "wav49")
		c.ok("StopMonitor", "Channel", channel)
		c.refuses("Could not stop monitoring channel", "StopMonitor", "Channel", channel)
		require.Eventually(t, func() bool {
			files, err := filepath.Glob(filepath.Join(c.s.Dir, "spool/monitor", strings.ReplaceAll(channel, "/", "-")+"-in.*"))
			return err == nil && len(files) == 1
		}, wireLimit, 20*time.Millisecond)
	}
	c.refuses("Permission denied", "Monitor", "Channel", channel, "File", "../../evil")
	c.refuses("Permission denied", "ChangeMonitor", "Channel", channel, "File", "a;b,c|d$(id)")
}

// sounds tells whether a recording, whose head has 44 bytes, has half a second that is
// loud.
func sounds(path string) bool {
	data, err := os.ReadFile(path)
	if err != nil || len(data) < 44 {
		return false
	}
	loud := 0
	for i := 44; i+1 < len(data); i += 2 {
		if sample := int16(uint16(data[i]) | uint16(data[i+1])<<8); sample > 1000 || sample < -1000 {
			loud++
		}
	}
	return loud > 2000
}

// callback shows that the agent gets the queue's calls while it is logged in.
func (c *classic) callback() {
	t := c.t
	members := func() string { return c.ok("QueueInfo").raw }
	c.ok("AgentCallbackLogin", "Agent", "2001", "Exten", "1009", "Context", "agents")
	require.Eventually(t, func() bool { return strings.Count(members(), "Vera Nine") == 2 }, wireLimit, 20*time.Millisecond)
	c.ok("AgentCallbackLogin", "Agent", "2001", "Exten", "1009", "Context", "agents") // is there
	c.ok("QueuePause", "Queue", "sales", "Interface", "Local/1009@agents/n", "Reason", "Lunch")
	require.Eventually(t, func() bool {
		return strings.HasSuffix(c.did("2001"), "Login sales, Login support, Pause sales Lunch")
	}, wireLimit, 20*time.Millisecond)
	statistic := c.ok("StatisticInfo", "Type", "Agent", "Agent", "Vera Nine").items
	require.Len(t, statistic, 1)
	require.Contains(t, statistic[0], "Queues: sales,support\r\n")
	require.NotEmpty(t, header("\r\n"+statistic[0], "StatusSince"), statistic[0])
	statistic = c.ok("StatisticInfo", "Queue", "sales").items
	require.Len(t, statistic, 1)
	require.Equal(t, "1", header("\r\n"+statistic[0], "MembersPaused"), statistic[0])
	require.Eventually(t, func() bool {
		c.ok("AgentLogoff", "Agent", "2001", "SoftHangUp", "true")
		return !strings.Contains(members(), "Vera Nine")
	}, wireLimit, 20*time.Millisecond)
	require.True(t, eventually(func() bool {
		return strings.HasSuffix(c.did("2001"), "Logoff sales, Logoff support")
	}, 5*time.Second), c.did("2001"))
	c.refuses("Type must be Queue or Agent", "StatisticInfo", "Type", "Trunk")
	c.refuses("No such agent: there is no [[agent]] 77 with queues, and Asterisk has no AgentCallbackLogin any more", "AgentCallbackLogin", "Agent", "77", "Exten", "1", "Context", "x")
}

// callbackCalls shows that an agent gets its queue's calls where it has logged in, and none
// after it has logged off.
func (c *classic) callbackCalls() {
	t := c.t
	rings := func() bool { return strings.Contains(c.ok("ChannelInfo").raw, "Local/desk@classic-") }
	waiting := func() bool { return strings.Contains(c.ok("QueueInfo", "Queue", "classic").raw, "Local/tone@classic-") }
	call := func() {
		c.ok("Originate", "Channel", "Local/tone@classic/n", "Context", "classic", "Exten", "queue", "Priority", "1", "Async", "true")
	}
	c.ok("AgentCallbackLogin", "Agent", "2002", "Exten", "desk", "Context", "classic")
	call()
	require.True(t, eventually(rings, wireLimit), "the agent gets the call")
	require.True(t, eventually(func() bool { // which AgentLogoff knows from the events
		return strings.Contains(c.ok("AmpdSnapshot", "Objects", "channels").raw, "Local/desk@classic-")
	}, wireLimit), "ampd knows of it")
	c.ok("AgentLogoff", "Agent", "2002") // its call is hung up
	require.True(t, eventually(func() bool { return !rings() }, wireLimit), "the agent's call ends")
	call()
	require.True(t, eventually(waiting, wireLimit), "the next one waits")
	require.False(t, rings(), "the agent gets no more")
	for _, item := range c.ok("ChannelInfo").items {
		if name := header("\r\n"+item, "Channel"); strings.HasPrefix(name, "Local/tone@classic-") && strings.HasSuffix(name, ";1") {
			c.say("Hangup", "Channel", name)
		}
	}
	require.True(t, eventually(func() bool { return !strings.Contains(c.ok("ChannelInfo").raw, "Local/") }, wireLimit), "all calls end")
}

// did is what an agent did, as AgentActivity tells.
func (c *classic) did(agent string) string {
	c.t.Helper()
	var all []string
	for _, item := range c.ok("AgentActivity", "Agent", agent).items {
		words := []string{}
		for _, name := range []string{"Activity", "Queue", "Reason"} {
			if value := header("\r\n"+item, name); value != "" {
				words = append(words, value)
			}
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, ", ")
}
