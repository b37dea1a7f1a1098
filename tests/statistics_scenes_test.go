package tests

import (
	"slices"
	"strings"
)

// A queueScene is one or two calls, or what agents do.
type queueScene struct {
	name  string
	play  func(*floor)
	only  string // the one version that can do it, "" for all
	first bool   // on the first floor only, whose agents of app_agent_pool stay logged in
}

var queueScenes = []queueScene{
	{name: "caller-hangs-up", play: func(s *floor) {
		s.talks(s.call("desk", "PATIENCE="+s.some(1.5, 3)))
	}},
	{name: "agent-hangs-up", play: func(s *floor) {
		s.talks(s.call("desk", "__TALK="+s.some(1, 3)))
	}},
	{name: "abandoned", play: func(s *floor) {
		s.call("full", "PATIENCE="+s.some(3, 6))
	}},
	{name: "short-abandon", play: func(s *floor) {
		s.call("full", "PATIENCE="+s.some(0.1, 1))
	}},
	{name: "abandoned-while-ringing", play: func(s *floor) {
		s.call("desk", "PATIENCE="+s.some(0.8, 2.5), "__RING=60")
	}},
	{name: "caller-killed-while-ringing", play: func(s *floor) {
		id := s.call("desk", "__RING=60")
		s.when("AgentCalled", "Uniqueid", id)
		s.hangUp(s.channel(id))
	}},
	{name: "no-answer-then-another", play: func(s *floor) {
		s.talks(s.call("desk", "__RING_"+s.of("alice")+"=60", "__TALK="+s.some(0.3, 2)))
	}},
	{name: "busy-then-another", play: func(s *floor) {
		s.talks(s.call("desk", "__RING_"+s.of("alice")+"=busy", "__TALK="+s.some(0.3, 2)))
	}},
	{name: "timed-out-in-an-empty-queue", play: func(s *floor) {
		s.call("full", "QTIME=2")
	}},
	{name: "timed-out-while-ringing", play: func(s *floor) {
		s.call("desk", "QTIME=2", "__RING=60")
	}},
	{name: "option-n", play: func(s *floor) {
		s.call("desk", "OPTIONS=n", "__RING=60")
	}},
	{name: "exit-by-key", play: func(s *floor) {
		id := s.call("full")
		s.when("QueueCallerJoin", "Uniqueid", id)
		s.keys(s.channel(id), "5")
	}},
	{name: "exit-by-key-while-ringing", play: func(s *floor) {
		id := s.call("desk", "__RING=60")
		s.when("AgentCalled", "Uniqueid", id)
		s.keys(s.channel(id), "5")
	}},
	{name: "a-key-that-leads-nowhere", play: func(s *floor) {
		id := s.call("full", "PATIENCE="+s.some(1.5, 3))
		s.when("QueueCallerJoin", "Uniqueid", id)
		s.keys(s.channel(id), "7")
	}},
	{name: "left-empty-paused", play: func(s *floor) {
		s.join("shut", "dora")
		id := s.call("shut", "__RING=60")
		s.when("AgentCalled", "Uniqueid", id)
		s.pause("shut", "dora", "lunch")
		s.over(id)
		s.leave("shut", "dora")
	}},
	{name: "left-empty-removed", play: func(s *floor) {
		s.join("shut", "dora")
		id := s.call("shut", "__RING=60")
		s.when("AgentCalled", "Uniqueid", id)
		s.leave("shut", "dora")
	}},
	{name: "joined-empty", play: func(s *floor) {
		s.call("shut")
	}},
	{name: "joined-empty-paused", play: func(s *floor) {
		s.join("shut", "dora")
		s.pause("shut", "dora", "lunch")
		s.over(s.call("shut"))
		s.leave("shut", "dora")
	}},
	{name: "full", play: func(s *floor) {
		first := s.call("full", "PATIENCE="+s.some(1.5, 3))
		s.when("QueueCallerJoin", "Uniqueid", first)
		s.call("full")
	}},
	{name: "withdrawn", only: "22", play: func(s *floor) {
		id := s.call("full")
		s.when("QueueCallerJoin", "Uniqueid", id)
		s.do("Action: QueueWithdrawCaller", "Queue: "+s.of("full"), "Caller: "+s.channel(id), "WithdrawInfo: called back")
	}},
	{name: "withdrawn-while-ringing", only: "22", play: func(s *floor) {
		id := s.call("desk", "__RING=60")
		s.when("AgentCalled", "Uniqueid", id)
		s.do("Action: QueueWithdrawCaller", "Queue: "+s.of("desk"), "Caller: "+s.channel(id))
	}},
	{name: "blind-transfer-by-agent", play: func(s *floor) {
		agent := s.talks(s.call("desk"))
		s.do("Action: BlindTransfer", "Channel: "+agent, "Context: stats-in", "Exten: elsewhere")
	}},
	{name: "blind-transfer-by-caller", play: func(s *floor) {
		id := s.call("desk")
		s.talks(id)
		s.do("Action: BlindTransfer", "Channel: "+s.channel(id), "Context: stats-in", "Exten: elsewhere")
	}},
	{name: "blind-transfer-by-agent's-keys", play: func(s *floor) {
		s.keys(s.talks(s.call("desk")), "#1700")
	}},
	{name: "attended-transfer-by-agent", play: func(s *floor) {
		s.consult(s.talks(s.call("desk", "__ELSEWHERE="+s.some(2, 4))), "700")
	}},
	{name: "attended-transfer-by-caller", play: func(s *floor) {
		id := s.call("desk", "__ELSEWHERE="+s.some(2, 4))
		s.talks(id)
		s.consult(s.channel(id), "700")
	}},
	{name: "attended-transfer-to-a-queue", play: func(s *floor) {
		s.join("help", "hugo")
		id := s.call("desk", "PATIENCE=8")
		s.consult(s.talks(id), s.of("8"))
		s.over(id)
		s.leave("help", "hugo")
	}},
	{name: "parked-by-agent", play: func(s *floor) {
		id := s.call("desk", "PATIENCE=5")
		agent := s.talks(id)
		s.do("Action: Park", "Channel: "+s.channel(id), "TimeoutChannel: "+agent, "Timeout: 60000")
	}},
	{name: "bridged-away", play: func(s *floor) {
		a := s.call("desk", "PATIENCE=5")
		s.talks(a)
		b := s.enter("elsewhere", "__ELSEWHERE="+s.some(2, 4))
		s.when("Newexten", "Uniqueid", b, "Application", "Wait")
		s.do("Action: Bridge", "Channel1: "+s.channel(a), "Channel2: "+s.channel(b), "Tone: no")
	}},
	{name: "waiting-caller-redirected", play: func(s *floor) {
		id := s.call("full")
		s.when("QueueCallerJoin", "Uniqueid", id)
		s.do("Action: Redirect", "Channel: "+s.channel(id), "Context: stats-in", "Exten: elsewhere", "Priority: 1")
	}},
	{name: "ringing-caller-redirected", play: func(s *floor) {
		id := s.call("desk", "__RING=60")
		s.when("AgentCalled", "Uniqueid", id)
		s.do("Action: Redirect", "Channel: "+s.channel(id), "Context: stats-in", "Exten: elsewhere", "Priority: 1")
	}},
	{name: "waiting-caller-redirected-into-another-queue", play: func(s *floor) {
		id := s.call("full")
		s.when("QueueCallerJoin", "Uniqueid", id)
		s.do("Action: Setvar", "Channel: "+s.channel(id), "Variable: Q", "Value: "+s.of("desk"))
		s.do("Action: Setvar", "Channel: "+s.channel(id), "Variable: __TALK", "Value: 1")
		s.do("Action: Redirect", "Channel: "+s.channel(id), "Context: stats-in", "Exten: call", "Priority: 1")
	}},
	{name: "waiting-caller-redirected-into-its-queue", play: func(s *floor) {
		id := s.call("full", "PATIENCE=3")
		s.when("QueueCallerJoin", "Uniqueid", id)
		s.do("Action: Redirect", "Channel: "+s.channel(id), "Context: stats-in", "Exten: call", "Priority: 1")
	}},
	{name: "talking-caller-redirected", play: func(s *floor) {
		id := s.call("desk")
		s.talks(id)
		s.do("Action: Redirect", "Channel: "+s.channel(id), "Context: stats-in", "Exten: elsewhere", "Priority: 1")
	}},
	{name: "both-redirected", play: func(s *floor) {
		id := s.call("desk")
		agent := s.talks(id)
		s.do("Action: Redirect", "Channel: "+s.channel(id), "Context: stats-in", "Exten: elsewhere", "Priority: 1",
			"ExtraChannel: "+agent, "ExtraContext: stats-in", "ExtraExten: elsewhere", "ExtraPriority: 1")
	}},
	{name: "agent-killed", play: func(s *floor) {
		s.hangUp(s.talks(s.call("desk")))
	}},
	{name: "agent-killed-while-ringing", play: func(s *floor) {
		id := s.call("desk", "__RING_"+s.of("alice")+"=60", "__TALK="+s.some(0.3, 2))
		s.hangUp(s.when("AgentCalled", "Uniqueid", id).Get("DestChannel"))
		s.talks(id)
	}},
	{name: "queued-again-after-a-timeout", play: func(s *floor) {
		s.call("full", "QTIME=2", "NEXT="+s.of("desk"), "__TALK="+s.some(0.3, 2))
	}},
	{name: "queued-again-into-the-same-queue", play: func(s *floor) {
		s.call("full", "QTIME=1", "NEXT="+s.of("full"))
	}},
	{name: "option-c", play: func(s *floor) {
		s.call("desk", "OPTIONS=c", "__TALK="+s.some(0.3, 2), "NEXT="+s.of("help"), "PATIENCE=5")
	}},
	{name: "gosub", play: func(s *floor) {
		s.talks(s.enter("gosub"+s.version, "Q="+s.of("desk"), "__TALK="+s.some(1, 3)))
	}},
	{name: "gosub-caller-hangs-up-in-it", play: func(s *floor) {
		id := s.enter("gosub"+s.version, "Q="+s.of("desk"), "__TALK="+s.some(1, 3))
		s.when("Newexten", "Context", "stats-greet", "Application", "Wait", "Linkedid", id)
		s.hangUp(s.channel(id))
	}},
	{name: "gosub-agent-hangs-up-in-it", play: func(s *floor) {
		id := s.enter("gosub"+s.version, "Q="+s.of("desk"), "__TALK="+s.some(1, 3))
		s.hangUp(s.when("Newexten", "Context", "stats-greet", "Application", "Wait", "Linkedid", id).Get("Channel"))
	}},
	{name: "macro", only: "16", play: func(s *floor) {
		s.talks(s.enter("macro16", "Q="+s.of("desk"), "__TALK="+s.some(1, 3)))
	}},
	{name: "agent-in-two-queues", play: func(s *floor) {
		s.join("help", "alice")
		s.over(s.call("help", "__TALK="+s.some(0.3, 2)), s.call("desk", "__TALK="+s.some(0.3, 2)))
		s.leave("help", "alice")
	}},
	{name: "two-calls-at-once-to-one-agent", play: func(s *floor) {
		a := s.call("both", "__TALK="+s.some(2, 4))
		s.talks(a)
		b := s.call("both", "__TALK="+s.some(0.3, 2))
		s.talks(b)
	}},
	{name: "auto-paused", play: func(s *floor) {
		s.join("auto", "anna")
		s.join("auto", "axel")
		s.over(s.call("auto", "__RING_"+s.of("anna")+"=60", "__RING=0.2", "__TALK="+s.some(0.3, 2), "PATIENCE=8"))
		s.leave("auto", "anna")
		s.leave("auto", "axel")
	}},
	{name: "pauses", play: func(s *floor) {
		meanwhile := func() { s.over(s.call("desk", "__TALK="+s.some(0.3, 2))) } // of the other agent
		s.join("help", "alice")
		s.pause("desk", "alice", "lunch")
		s.pause("", "alice", "break")
		meanwhile()
		s.pause("", "alice", "coffee") // while paused
		meanwhile()
		s.unpause("help", "alice")
		s.unpause("", "alice")
		s.unpause("", "alice") // twice
		s.pause("", "alice", "")
		s.leave("help", "alice") // while paused
		meanwhile()
		s.unpause("", "alice")
	}},
	{name: "added-paused", play: func(s *floor) {
		s.do("Action: QueueAdd", "Queue: "+s.of("help"), "Interface: "+s.phone("paul"), "MemberName: "+s.name("paul"), "Paused: true")
		s.over(s.call("help", "PATIENCE="+s.some(0.8, 2)))
		s.unpause("help", "paul")
		s.leave("help", "paul")
	}},
	{name: "one-person-two-phones", play: func(s *floor) {
		s.joinAs("help", "alicia", strings.ToUpper(s.name("alice")))
		s.over(s.call("help", "__TALK="+s.some(0.3, 2)), s.call("desk", "__TALK="+s.some(0.3, 2)))
		s.pause("", "alicia", "lunch")
		s.pause("", "alice", "lunch")
		s.over(s.call("help", "PATIENCE="+s.some(0.8, 2)))
		s.unpause("", "alicia")
		s.leave("help", "alicia")
		s.unpause("", "alice")
	}},
	{name: "no-name", play: func(s *floor) {
		s.do("Action: QueueAdd", "Queue: "+s.of("help"), "Interface: "+s.phone("nina"))
		s.over(s.call("help", "__TALK="+s.some(0.3, 2)))
		s.leave("help", "nina")
	}},
	{name: "crowd", play: func(s *floor) {
		for _, agent := range []string{"carl", "cleo", "cora"} {
			s.join("crowd", agent)
		}
		var ids []string
		for range 6 {
			ids = append(ids, s.call("crowd", "PATIENCE="+s.some(0.5, 8), "QTIME="+s.some(1, 9), "__TALK="+s.some(0.5, 3),
				"__RING_"+s.of("carl")+"="+s.some(0.1, 6), "__RING_"+s.of("cleo")+"="+s.some(0.1, 6), "__RING_"+s.of("cora")+"=busy"))
			s.when("Newexten", "Uniqueid", ids[len(ids)-1], "Application", "Queue")
		}
		s.pause("crowd", "cleo", "lunch")
		s.over(ids[0])
		s.unpause("", "cleo")
		s.over(ids...)
		for _, agent := range []string{"carl", "cleo", "cora"} {
			s.leave("crowd", agent)
		}
	}},
	{name: "callback-agent", first: true, play: func(s *floor) {
		s.as("Action: AgentCallbackLogin", "Agent: 2001", "Exten: "+s.of("vera"), "Context: stats-agent")
		s.when("QueueMemberAdded", "Queue", s.of("help"))
		s.talks(s.call("help", "__TALK="+s.some(0.3, 2)))
		s.as("Action: QueuePause", "Queue: "+s.of("help"), "Interface: "+s.phone("vera"), "Paused: true", "Reason: Lunch")
		s.as("Action: AgentLogoff", "Agent: 2001", "SoftHangUp: true")
		s.when("QueueMemberRemoved", "Queue", s.of("help"))
	}},
	{name: "pool-agent", first: true, play: func(s *floor) {
		s.desk(s.pool(1))
		id := s.call("pool")
		s.talks(id)
		s.hangUp(s.channel(id))
	}},
	{name: "pool-agent-ends-the-call", first: true, play: func(s *floor) {
		s.desk(s.pool(2))
		s.hangUp(s.talks(s.call("pool")))
	}},
	{name: "pool-agent-logs-off", first: true, play: func(s *floor) {
		s.desk(s.pool(2))
		s.logOff(s.pool(2))
	}},
	{name: "pool-agent-hangs-up", first: true, play: func(s *floor) {
		s.desk(s.pool(1))
		id := s.call("pool")
		s.talks(id)
		s.hangUpDesk(s.when("AgentConnect", "Uniqueid", id))
	}},
	{name: "pool-agent-gone-while-called", first: true, play: func(s *floor) {
		s.desk(s.pool(1))
		s.hangUpDesk(s.when("AgentCalled", "Uniqueid", s.call("pool", "PATIENCE="+s.some(1.5, 3))))
	}},
	{name: "member-removed-while-talking", play: func(s *floor) {
		s.join("help", "hugo")
		id := s.call("help", "__TALK="+s.some(1, 3))
		s.talks(id)
		s.leave("help", "hugo")
	}},
	{name: "member-removed-while-ringing", play: func(s *floor) {
		s.join("help", "hugo")
		id := s.call("help", "__TALK="+s.some(0.3, 2), "__RING=1.5")
		s.when("AgentCalled", "Uniqueid", id)
		s.leave("help", "hugo")
		s.talks(id)
	}},
}

// scenesFor are those that a version can play.
func scenesFor(version string) []queueScene {
	return slices.DeleteFunc(slices.Clone(queueScenes), func(s queueScene) bool { return s.only != "" && s.only != version })
}
