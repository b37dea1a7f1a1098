package simulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/simulator"
)

// names lists the events about a call, its VarSets left out, with what matters.
func names(packets []*codec.Packet) []string {
	var got []string
	for _, p := range packets {
		if p.Kind() != codec.Event {
			continue
		}
		name := p.Name()
		for _, h := range []string{"Application", "DialStatus", "ChannelState", "Reason"} {
			if v := p.Get(h); v != "" && (name == "Newexten" && h == "Application" || name == "Newstate" && h == "ChannelState" ||
				h == "DialStatus" || h == "Reason") {
				name += " " + v
			}
		}
		switch p.Name() {
		case "VarSet", "ExtensionStatus", "DeviceStateChange":
		default:
			got = append(got, name)
		}
	}
	return got
}

// one is a call centre with one agent and one queue.
func one(seed uint64) simulator.Config {
	return simulator.Config{
		Seed: seed, CallsPerMinute: -1, Quiet: true,
		Agents: []simulator.Agent{{Extension: "1001", Name: "Alice", Queues: []string{"support"}}},
	}
}

// callIn has somebody outside call the queue and returns his channel and all events
// of his call until nobody is left.
func callIn(t *testing.T, cl *client) (caller string, events []*codec.Packet) {
	cl.take()
	cl.send("Action: Originate", "Channel: PJSIP/5551234@trunk", "Context: queue-entry", "Exten: 600", "Priority: 1", "Async: true", "CallerID: Zoë <77>")
	for range 600 {
		time.Sleep(time.Second)
		events = append(events, cl.take()...)
		if joined := named(events, "QueueCallerJoin"); len(joined) > 0 {
			caller = joined[0].Get("Channel")
		}
		if n := len(named(events, "Hangup")); n > 0 && n == len(named(events, "Newchannel")) {
			return caller, events
		}
	}
	require.Fail(t, "the call does not end")
	return "", nil
}

func TestAnsweredCall(t *testing.T) {
	answered := 0
	for seed := uint64(0); answered < 3; seed++ {
		inBubble(t, one(seed), func(t *testing.T, c *centre) {
			_, events := callIn(t, c.login())
			complete := named(events, "AgentComplete")
			if len(complete) == 0 || complete[0].Get("Reason") != "agent" || len(named(events, "AgentRingNoAnswer")) > 0 {
				return // another course
			}
			answered++
			require.Equal(t, strings.Fields(strings.NewReplacer(" ", "_", "\n", " ").Replace(strings.TrimSpace(`
Newchannel
Newexten AppDial2
NewCallerid
NewConnectedLine
DialBegin
Newstate 5
DialState RINGING
Newstate 6
DialEnd ANSWER
OriginateResponse 4
Newexten Set
Newexten Answer
Newexten Queue
QueueCallerJoin
MusicOnHoldStart
Newchannel
Newexten AppQueue
NewConnectedLine
Newexten AppQueue
AgentCalled
DialBegin
NewConnectedLine
Newstate 5
DialState RINGING
QueueMemberStatus
Newstate 6
DialEnd ANSWER
MusicOnHoldStop
QueueCallerLeave
AgentConnect
QueueMemberStatus
BridgeCreate
BridgeEnter
BridgeEnter
HangupRequest
BridgeLeave
BridgeLeave
AgentComplete agent
BridgeDestroy
Hangup
QueueMemberStatus
SoftHangupRequest
Hangup
Cdr`))), underscored(names(events)))
			require.Equal(t, "1", named(events, "QueueMemberStatus")[2].Get("CallsTaken"))
			require.Equal(t, "1", named(events, "QueueMemberStatus")[2].Get("Status"))
		})
	}
}

func underscored(list []string) []string {
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], " ", "_")
	}
	return list
}

func TestAbandonedCall(t *testing.T) {
	inBubble(t, one(1), func(t *testing.T, c *centre) {
		cl := c.login()
		cl.do("Action: QueuePause", "Interface: PJSIP/1001", "Paused: true")
		caller, events := callIn(t, cl)
		got := underscored(names(events))
		from := strings.Index(strings.Join(got, " "), "QueueCallerJoin")
		require.Equal(t, "QueueCallerJoin MusicOnHoldStart HangupRequest MusicOnHoldStop QueueCallerAbandon QueueCallerLeave SoftHangupRequest Hangup Cdr",
			strings.Join(got, " ")[from:])
		var abandoned []string
		for _, p := range named(events, "VarSet") {
			if p.Get("Variable") == "ABANDONED" {
				abandoned = append(abandoned, p.Get("Channel")+p.Get("Value"))
			}
		}
		require.Equal(t, []string{caller + "TRUE"}, abandoned)
		require.Equal(t, "1", cl.do("Action: QueueStatus")[1].Get("Abandoned"))
	})
}

func TestMissedRingGoesOn(t *testing.T) {
	rings := 0
	for seed := uint64(0); rings == 0; seed++ {
		inBubble(t, one(seed), func(t *testing.T, c *centre) {
			_, events := callIn(t, c.login())
			missed := named(events, "AgentRingNoAnswer")
			if len(missed) == 0 {
				return
			}
			rings++
			all := strings.Join(underscored(names(events)), " ")
			require.Contains(t, all, "AgentRingNoAnswer DialEnd_NOANSWER Hangup QueueMemberStatus")
			require.GreaterOrEqual(t, len(named(events, "AgentCalled")), len(missed)+len(named(events, "AgentConnect")))
			require.Len(t, named(events, "QueueCallerLeave"), 1)
		})
	}
}

func TestOriginate(t *testing.T) {
	originate := []string{"Action: Originate", "ActionID: 9", "Priority: 1"}
	tests := map[string]struct {
		lines  []string
		want   string // OriginateResponse's
		reason string
	}{
		"phone":      {[]string{"Channel: PJSIP/1009", "Context: internal", "Exten: 1010"}, "Success", "4"},
		"outside":    {[]string{"Channel: PJSIP/5551234@trunk", "Application: Wait", "Data: 1"}, "Success", "4"},
		"local":      {[]string{"Channel: Local/1009@internal/n", "Context: internal", "Exten: echo"}, "Success", "4"},
		"caller":     {[]string{"Channel: Local/caller@callers", "Context: queue-entry", "Exten: 600"}, "Success", "4"},
		"no answer":  {[]string{"Channel: Local/noanswer@internal", "Application: Echo", "Timeout: 2000"}, "Failure", "3"},
		"rings":      {[]string{"Channel: PJSIP/1009", "Application: Echo", "Timeout: 500"}, "Failure", "3"},
		"busy":       {[]string{"Channel: Local/busy@internal", "Application: Echo"}, "Failure", "5"},
		"congestion": {[]string{"Channel: Local/congestion@internal", "Application: Echo"}, "Failure", "8"},
		"nobody":     {[]string{"Channel: PJSIP/none", "Application: Echo"}, "Failure", "0"},
		"nowhere":    {[]string{"Channel: Local/none@internal", "Application: Echo"}, "Failure", "0"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, quiet, func(t *testing.T, c *centre) {
				cl, other := c.login("Events: call"), c.login("Events: call")
				lines := append(append([]string(nil), originate...), tc.lines...)

				// Async: queued at once, then what became of it, to all.
				cl.take()
				cl.send(append(lines, "Async: true")...)
				time.Sleep(20 * time.Second)
				got := cl.take()
				require.Equal(t, "Response: Success\r\nActionID: 9\r\nMessage: Originate successfully queued\r\n\r\n", string(got[0].Raw))
				for _, packets := range [][]*codec.Packet{got, other.take()} {
					result := named(packets, "OriginateResponse")
					require.Len(t, result, 1)
					require.Equal(t, tc.want, result[0].Get("Response"))
					require.Equal(t, tc.reason, result[0].Get("Reason"))
					require.Equal(t, "9", result[0].Get("ActionID"))
				}
				cl.send("Action: Hangup", "Channel: /./")
				time.Sleep(time.Second)
				cl.take()

				// Sync: one response when it is known, the events of meanwhile behind it.
				cl.send(lines...)
				cl.send("Action: Ping")
				time.Sleep(20 * time.Second)
				got = cl.take()
				want := map[string]string{
					"Success": "Response: Success\r\nActionID: 9\r\nMessage: Originate successfully queued\r\n\r\n",
					"Failure": "Response: Error\r\nActionID: 9\r\nMessage: Originate failed\r\n\r\n",
				}[tc.want]
				require.Equal(t, want, string(got[0].Raw))
				require.Empty(t, named(got, "OriginateResponse"))
				if tc.reason != "0" {
					require.Equal(t, "Newchannel", got[1].Name())
				}
				cl.send("Action: Hangup", "Channel: /./")
				time.Sleep(time.Second)
				list := cl.do("Action: CoreShowChannels")
				require.Equal(t, "0", list[len(list)-1].Get("ListItems"))
			})
		})
	}
}

func TestClickToDial(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		cl := c.login("Events: call")
		cl.send("Action: Originate", "Channel: PJSIP/1001", "Context: internal", "Exten: 5551234", "Priority: 1", "Async: true", `CallerID: "Desk" <1001>`)
		time.Sleep(15 * time.Second)
		enters := named(cl.take(), "BridgeEnter")
		require.Len(t, enters, 2)
		require.True(t, strings.HasPrefix(enters[0].Get("Channel"), "PJSIP/trunk-"))
		require.True(t, strings.HasPrefix(enters[1].Get("Channel"), "PJSIP/1001-"))
		got := cl.do("Action: Hangup", "Channel: "+strings.ToLower(enters[1].Get("Channel")), "ActionID: h")
		require.Equal(t, "Channel Hungup", got[0].Get("Message"))
		require.Len(t, named(got, "BridgeLeave"), 2)
		require.Len(t, named(got, "Hangup"), 2)
	})
}

func TestHangupTakesEffectOnWhatAChannelIsIn(t *testing.T) {
	inBubble(t, simulator.Config{Seed: 4, CallsPerMinute: 40}, func(t *testing.T, c *centre) {
		cl := c.login()
		time.Sleep(2 * time.Minute)
		list := cl.do("Action: CoreShowChannels", "ActionID: 1")
		require.Greater(t, len(named(list, "CoreShowChannel")), 10)
		got := cl.do("Action: Hangup", "Channel: /^PJSIP/", "ActionID: 2")
		n := len(named(got, "ChannelHungup"))
		require.Equal(t, len(named(list, "CoreShowChannel")), n)
		require.Equal(t, fmt.Sprint(n), named(got, "ChannelsHungupListComplete")[0].Get("ListItems"))
		require.Len(t, named(got, "Hangup"), n)
		require.NotEmpty(t, named(got, "AgentComplete"))
		require.NotEmpty(t, named(got, "QueueCallerAbandon"))
	})
}

func TestQueueMembersByAction(t *testing.T) {
	inBubble(t, one(1), func(t *testing.T, c *centre) {
		cl := c.login("Events: agent")
		steps := []struct {
			lines   []string
			message string
			event   string
		}{
			{[]string{"Action: QueuePause", "Interface: PJSIP/1001", "Paused: true", "Reason: Lunch"}, "Interface paused successfully", "QueueMemberPause"},
			{[]string{"Action: QueuePause", "Interface: PJSIP/1001", "Paused: false"}, "Interface unpaused successfully", "QueueMemberPause"},
			{[]string{"Action: QueuePenalty", "Interface: PJSIP/1001", "Penalty: 4"}, "Interface penalty set successfully", "QueueMemberPenalty"},
			{[]string{"Action: QueueRemove", "Queue: support", "Interface: PJSIP/1001"}, "Member not dynamic", ""},
			{[]string{"Action: QueueAdd", "Queue: support", "Interface: PJSIP/9", "MemberName: Nine", "Paused: true"}, "Added interface to queue", "QueueMemberAdded"},
			{[]string{"Action: QueueRemove", "Queue: support", "Interface: PJSIP/9"}, "Removed interface from queue", "QueueMemberRemoved"},
		}
		for _, step := range steps {
			got := cl.do(step.lines...)
			require.Equal(t, step.message, got[0].Get("Message"))
			if step.event == "" {
				require.Len(t, got, 1)
				continue
			}
			require.Len(t, got, 2, "%q", step.lines)
			require.Equal(t, step.event, got[1].Name())
		}
	})
}

// A paused agent is not called, an unpaused one at once.
func TestPauseKeepsCallsAway(t *testing.T) {
	inBubble(t, one(1), func(t *testing.T, c *centre) {
		cl := c.login("Events: agent")
		cl.do("Action: QueuePause", "Interface: PJSIP/1001", "Paused: true")
		cl.send("Action: Originate", "Channel: Local/echo@internal", "Application: Queue", "Data: support", "Async: true")
		time.Sleep(3 * time.Second)
		require.Empty(t, named(cl.take(), "AgentCalled"))
		cl.send("Action: QueuePause", "Interface: PJSIP/1001", "Paused: false")
		require.Len(t, named(cl.take(), "AgentCalled"), 1)
	})
}

func TestCommandOutput(t *testing.T) {
	inBubble(t, one(1), func(t *testing.T, c *centre) {
		cl := c.login("Events: off")
		time.Sleep(75 * time.Second)
		tests := map[string]string{
			"core show uptime": "Success Output: System uptime: 1 minute, 15 seconds Output: Last reload: 1 minute, 15 seconds",
			"CORE  show calls": "Success Output: 0 active calls Output: 0 calls processed",
			"queue show nope":  "Success Output: No such queue: nope.",
			"no such":          "Error Output: No such command 'no such' (type 'core show help no such' for other possible commands)",
			"queue show": "Success Output: support has 0 calls (max unlimited) in 'rrmemory' strategy (0s holdtime, 0s talktime), " +
				"W:0, C:0, A:0, SL:0.0%, SL2:0.0% within 20s Output:    Members:  " +
				"Output:       Alice (PJSIP/1001) (ringinuse disabled) (Not in use) has taken no calls yet (login was 75 secs ago) " +
				"Output:    No Callers Output: ",
		}
		tests[`manager show user "ampd"`] = "Success Output:  Output:           username: ampd Output:             secret: <Set> Output:                ACL: no " +
			"Output:          read perm: system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message,all " +
			"Output:         write perm: system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message,all " +
			"Output:    displayconnects: yes Output: allowmultiplelogin: yes Output:          Variables: "
		tests["manager show user nope"] = "Success Output: There is no manager called nope"
		for line, want := range tests {
			p := cl.answer("Action: Command", "Command: "+line)
			got := p.Name()
			for _, h := range p.Headers[2:] {
				got += " " + h.Name + ": " + h.Value
			}
			require.Equal(t, want, got)
		}
	})
}
