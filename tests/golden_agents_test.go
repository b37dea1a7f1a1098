package tests

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// -golden writes the files of TestAgentsGolden, TestClassicRights and TestRightsMatrix anew.
var golden = flag.Bool("golden", false, "write testdata/agents-*.txt, classic-rights-*.txt and matrix-*.txt")

// The phones of the golden scenes: each is a PJSIP endpoint whose calls come back to this
// Asterisk over SIP, where an extension of from-trunk is the phone itself.
const (
	goldenPhones = `
[customer](phone)
from_user = trunk
[alice](phone)
from_user = trunk
[bob](phone)
from_user = trunk
`
	goldenDialplan = `
[desk]
exten => 4001,1,Dial(PJSIP/alice/sip:alice@${PHONES},600,tT)
 same => n,Hangup()
exten => 4002,1,Dial(PJSIP/bob/sip:bob@${PHONES},600,tT)
 same => n,Hangup()
exten => help,1,Queue(help,tT)
 same => n,Hangup()
exten => pick,1,PickupChan(${TARGET})
 same => n,Hangup()
[from-trunk](+)
exten => customer,1,Goto(up,1)
exten => _[ab].,1,Ringing()
 same => n,Wait(600)
exten => up,1,Answer()
 same => n,MusicOnHold(default,600)
exten => hold,1,BridgeWait(golden-${EPOCH},participant,e(h)S(600))
`
	goldenQueues = `
[help](rigq)
strategy = rrmemory
timeout = 600
ringinuse = yes
member => Local/4001@desk/n,0,Alice
member => Local/4002@desk/n,1,Bob
`
	goldenProfiles = `
[[profile]]
name = "other queue"
secret = "s"
read = "system,call,agent"
write = "all"
queues = ["sales"]
[[profile]]
name = "wall"
secret = "s"
read = "system,call,agent,user"
write = "all"
[[profile]]
name = "alice"
secret = "s"
types = ["agent"]
agent = "Alice"
devices = ["PJSIP/alice"]
read = "system,call,agent"
write = "call,agent,originate,reporting"
contexts = ["desk"]
[[profile]]
name = "bob"
secret = "s"
types = ["agent"]
agent = "Bob"
devices = ["PJSIP/bob"]
read = "system,call,agent"
write = "call,agent,originate,reporting"
contexts = ["desk"]
[[profile]]
name = "carol"
secret = "s"
types = ["agent"]
agent = "1101"
devices = ["Local/1101@agent-phone"]
read = "system,call,agent"
write = "call,agent"
[[profile]]
name = "dave"
secret = "s"
types = ["agent"]
agent = "1102"
devices = ["Local/1102@agent-phone"]
read = "system,call,agent"
write = "call,agent"
`
)

// member is each one's interface in the queue.
var member = map[string]string{"alice": "Local/4001@desk/n", "bob": "Local/4002@desk/n", "customer": "PJSIP/customer"}

// TestAgentsGolden has a call reach an agent through a queue and a Local channel, be held,
// transferred with a consultation, parked and fetched, and another be picked up, in front of a real
// Asterisk; and holds at each step what sessions see and may do.
//
// A section "yes: WORDS" is what arrived at Asterisk, "no: WORDS" what did not.
func TestAgentsGolden(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, asterisk.LogActions(), asterisk.Conf("pjsip.conf", goldenPhones),
			asterisk.Conf("extensions.conf", goldenDialplan), asterisk.Conf("queues.conf", goldenQueues),
			asterisk.Conf("features.conf", "[general](+)\natxfernoanswertimeout = 600"))
		path := "testdata/agents-" + version + ".txt"
		st := &stage{t: t, s: s, want: map[string]string{}, met: map[string]string{}}
		st.read(path)
		st.control = openWire(t, "control", s.Addr, asterisk.Ampd, "Events: off")
		d := daemon.Start(t, s.Addr, daemon.Config{Profiles: goldenProfiles, Sessions: "\n[state]\nresync = \"24h\""})
		d.WaitReady(t)
		st.wall = newSeer(t, d.Addr, "wall")
		alice, bob := newSeer(t, d.Addr, "alice"), newSeer(t, d.Addr, "bob")
		st.sessions = []*seer{newSeer(t, d.Addr, "carol"), newSeer(t, d.Addr, "dave"), alice, bob, newSeer(t, d.Addr, "other queue"), st.wall}
		st.do("Action: Setvar", "Variable: PHONES", "Value: "+s.PJSIP)
		for _, name := range []string{"alice", "bob"} {
			st.do("Action: QueuePause", "Queue: help", "Interface: "+member[name], "Paused: true")
		}
		for _, agent := range []string{"1101", "1102"} {
			st.do("Action: Originate", "Channel: Local/"+agent+"@agent-phone/n", "Context: agent-login", "Exten: "+agent, "Priority: 1", "Async: true")
			st.wall.find(t, agent+" logs in", func(p string) bool { return header(p, "Event") == "AgentLogin" && header(p, "Agent") == agent })
		}
		st.events("0 all agents are idle")
		idle := st.sessions[:2] // agents of app_agent_pool
		st.sessions = st.sessions[2:]

		step := func(what string) { st.events(what); st.may(what); st.events(what + ", after that") }
		st.dial("customer", "help", "desk")
		step("1 a customer waits")
		alice.ask(t, "Action: QueuePause", "Queue: help", "Interface: "+member["alice"], "Paused: false")
		step("2 alice's phone rings")
		st.phone("alice", "up")
		step("3 alice talks to the customer")
		st.phone("alice", "hold")
		step("4 alice holds the customer")
		st.phone("alice", "up")
		st.events("5 alice goes on")
		half, _ := st.channel("Local/4001@desk")
		require.NotEmpty(t, half)
		require.Contains(t, alice.ask(t, "Action: Atxfer", "Channel: "+half, "Context: desk", "Exten: 4002")[0], "Success")
		step("6 bob's phone rings for alice")
		st.phone("bob", "up")
		step("7 alice asks bob, the customer is held")
		st.attack("7 in the midst of it", alice, "PJSIP/alice", "PJSIP/customer")
		st.attack("7 in the midst of it", bob, "PJSIP/bob", "PJSIP/customer")
		own, _ := st.channel("PJSIP/alice")
		require.Contains(t, alice.ask(t, "Action: Hangup", "Channel: "+own)[0], "Success")
		step("8 bob has the customer")
		customer, _ := st.channel("PJSIP/customer")
		own, _ = st.channel("PJSIP/bob")
		require.Contains(t, bob.ask(t, "Action: Park", "Channel: "+customer, "TimeoutChannel: "+own, "Timeout: 600000")[0], "Success")
		step("9 bob has parked the customer")
		st.dial("alice", "701", "parkedcalls")
		st.phone("alice", "up")
		step("A alice has fetched the customer")
		own, _ = st.channel("PJSIP/alice")
		st.do("Action: Hangup", "Channel: "+own)
		st.events("B the customer has gone")
		st.dial("customer", "help", "desk")
		alice.ask(t, "Action: QueuePause", "Queue: help", "Interface: "+member["alice"], "Paused: false")
		st.events("C alice's phone rings for another one")
		own, _ = st.channel("PJSIP/alice")
		st.dial("bob", "pick", "desk", "Variable: TARGET="+own)
		st.phone("bob", "up")
		step("D bob has picked it up")
		for _, v := range append(idle, st.sessions...) {
			require.NoError(t, v.failed)
		}
		st.outcomes()
		s.Kill()
		d.Wait(t, "the loss", func(l daemon.Line) bool { return l["msg"] == "lost Asterisk" })
		s.Run()
		s.WaitBooted()
		st.control = openWire(t, "control", s.Addr, asterisk.Ampd, "Events: off")
		st.wall.find(t, "FullyBooted", func(p string) bool { return header(p, "Event") == "FullyBooted" })
		st.sessions = append(idle, st.sessions...)
		st.events("E Asterisk was killed")
		st.consistent(alice, "PJSIP/alice", "Local/4001@desk", member["alice"])
		st.consistent(bob, "PJSIP/bob", "Local/4002@desk", member["bob"])
		st.consistent(idle[0], "Local/1101@agent-phone", "Local/1101@agents/n", "Agent:1101", "Local/1101@agents")
		st.consistent(idle[1], "Local/1102@agent-phone", "Local/1102@agents/n", "Agent:1102", "Local/1102@agents")
		st.end(path)
	})
}
