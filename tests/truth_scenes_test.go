package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/pbx"
)

// talkFor has agents that answer from now on talk for so many seconds.
func (p *play) talkFor(seconds int) {
	p.t.Helper()
	p.do("Action: Setvar", "Variable: TALK_MIN", fmt.Sprintf("Value: %d", seconds))
	p.do("Action: Setvar", "Variable: TALK_MAX", fmt.Sprintf("Value: %d", seconds))
}

// queueCalls: callers wait, give up, are served, and served again by others.
func queueCalls(p *play) {
	p.talkFor(600)
	a := p.call("queue-entry", "601", "Variable: QTIME=600")
	p.waits(a, "sales")
	b := p.call("queue-entry", "601", "Variable: QTIME=600")
	p.waits(b, "sales")
	c := p.call("queue-entry", "601", "Variable: QTIME=600")
	p.waits(c, "sales")
	first := p.call("queue-entry", "603") // for five seconds
	p.waits(first, "empty")
	p.quiet("callers wait")
	p.hangUp(p.name(b))
	p.gone(b)
	p.quiet("a caller has given up")
	p.do("Action: QueueAdd", "Queue: sales", "Interface: Local/1007@agents/n", "MemberName: Dyn 1007", "Penalty: 1")
	p.partner(a, "Local/1007@agents")
	p.quiet("a caller is served")
	p.do("Action: Setvar", "Variable: DEVICE_STATE(Custom:a1008)", "Value: NOT_INUSE")
	p.do("Action: QueueAdd", "Queue: sales", "Interface: Local/1008@agents/n", "MemberName: Dyn, 1008", "StateInterface: Custom:a1008", "Paused: true")
	p.quiet("a member comes, paused")
	p.do("Action: QueuePause", "Interface: Local/1008@agents/n", "Paused: false")
	p.partner(c, "Local/1008@agents")
	p.do("Action: Setvar", "Variable: DEVICE_STATE(Custom:a1008)", "Value: INUSE")
	p.gone(first)
	p.quiet("all are served")
	p.hangUp(p.partner(a, "Local/1007@agents"))
	p.gone(a)
	p.hangUp(p.name(c))
	p.gone(c)
	p.quiet("both have hung up")
	p.do("Action: QueueRemove", "Queue: sales", "Interface: Local/1007@agents/n")
	p.do("Action: QueueRemove", "Queue: sales", "Interface: Local/1008@agents/n")
	p.quiet("the members have left")
}

// members: pauses with reasons, penalties, ringinuse.
func members(p *play) {
	p.do("Action: QueuePause", "Interface: Local/1001@agents/n", "Paused: true", "Reason: lunch: back at 1", "Queue: support")
	p.do("Action: QueuePause", "Interface: Local/1002@agents/n", "Paused: true")
	p.do("Action: QueuePenalty", "Interface: Local/1003@agents/n", "Penalty: 7")
	p.do("Action: QueueMemberRingInUse", "Interface: Local/1003@agents/n", "RingInUse: true", "Queue: support")
	p.quiet("members are paused")
	p.do("Action: QueuePause", "Interface: Local/1001@agents/n", "Paused: true", "Reason: training", "Queue: support")
	p.do("Action: QueuePause", "Interface: Local/1002@agents/n", "Paused: false")
	p.do("Action: QueuePenalty", "Interface: Local/1003@agents/n", "Penalty: 1")
	p.quiet("another reason")
	p.do("Action: QueuePause", "Interface: Local/1001@agents/n", "Paused: false")
	p.do("Action: QueueMemberRingInUse", "Interface: Local/1003@agents/n", "RingInUse: false", "Queue: support")
}

// twoCalls: a member with ringinuse talks in two calls, the first of which ends first.
func twoCalls(p *play) {
	p.talkFor(600)
	p.do("Action: QueueAdd", "Queue: sales", "Interface: Local/1007@agents/n", "MemberName: Dyn 1007")
	p.do("Action: QueueMemberRingInUse", "Interface: Local/1007@agents/n", "RingInUse: true", "Queue: sales")
	a := p.call("queue-entry", "601", "Variable: QTIME=600")
	p.partner(a, "Local/1007@agents")
	next := time.After(2500 * time.Millisecond) // Asterisk tells them apart by the second
	p.quiet("one call")
	<-next
	b := p.call("queue-entry", "601", "Variable: QTIME=600")
	p.partner(b, "Local/1007@agents")
	p.quiet("two calls")
	p.hangUp(p.name(a))
	p.gone(a)
	p.quiet("the first has ended")
	p.hangUp(p.name(b))
	p.gone(b)
	p.quiet("both have ended")
	p.do("Action: QueueRemove", "Queue: sales", "Interface: Local/1007@agents/n")
}

// transfers: a blind one, an attended one, a redirect, parking.
func transfers(p *play) {
	p.talkFor(600)
	a := p.call("queue-entry", "600", "Variable: QTIME=600")
	p.do("Action: BlindTransfer", "Channel: "+p.partner(a, "Local/10"), "Context: misc", "Exten: wait")
	p.runs(a, "Wait")
	p.quiet("a blind transfer")
	b := p.call("queue-entry", "600", "Variable: QTIME=600")
	agent := p.partner(b, "Local/10")
	p.quiet("another call is served")
	p.do("Action: Atxfer", "Channel: "+agent, "Context: agents", "Exten: 1009")
	var agentID string
	p.await("the second agent's channel", func(s *pbx.State) bool { agentID = s.Channel(agent).Uniqueid; return true })
	p.partner(agentID, "Local/1009@agents")
	p.quiet("in the midst of an attended transfer")
	p.hangUp(agent)
	p.partner(b, "Local/1009@agents")
	p.quiet("an attended transfer")
	p.do("Action: Redirect", "Channel: "+p.name(a), "Context: queue-entry", "Exten: 601", "Priority: 1")
	p.waits(a, "sales")
	p.quiet("redirected into a queue")
	p.hangUp(p.name(a), p.name(b))
	p.gone(a, b)
}

// parks: one that is fetched, one whose time is over, one that hangs up.
func parks(p *play) {
	p.talkFor(600)
	a := p.call("queue-entry", "600", "Variable: QTIME=600")
	b, c := p.call("misc", "dial1004"), p.call("misc", "dial1005")
	p.partner(a, "Local/10")
	p.partner(b, "Local/1004@agents")
	p.partner(c, "Local/1005@agents")
	space := p.park(a, "Timeout: 60000")
	p.park(b, "Timeout: 60000", "Parkinglot: lot2")
	p.park(c, "Timeout: 2000")
	p.quiet("parked")
	fetches := p.call("parkedcalls", space)
	p.partner(fetches, "Local/c")
	p.await("its time is over", func(s *pbx.State) bool { return s.Parked(c) == nil })
	p.quiet("one is fetched, one was parked for too long")
	p.hangUp(p.name(b))
	p.gone(b)
	p.hangUp(p.name(a))
	p.gone(a)
	p.clear()
	p.quiet("none is parked")
}

// park parks a channel that is in a bridge, and returns its space. (One that is in none loses its
// application, which no event tells.)
func (p *play) park(id string, how ...string) (space string) {
	p.t.Helper()
	p.do(append([]string{"Action: Park", "Channel: " + p.name(id)}, how...)...)
	return p.space(id)
}

// space is the space in which a channel is parked.
func (p *play) space(id string) (space string) {
	p.t.Helper()
	p.await(id+" is parked", func(s *pbx.State) bool {
		if call := s.Parked(id); call != nil {
			space = call.Space
		}
		return space != ""
	})
	return space
}

// locals: Local channels that stay, and one that Asterisk takes out of the way.
func locals(p *play) {
	p.talkFor(600)
	a := p.originate("Local/moh@misc/n", "Context: misc", "Exten: thru1002", "Priority: 1") // has audio
	b := p.call("misc", "dial1003")
	p.partner(b, "Local/1003@agents")
	p.partner(a, "Local/1002@agents")
	p.await("no Local channel between", func(s *pbx.State) bool {
		for c := range s.Channels() {
			if c.Device() == "Local/dial1002@misc" {
				return false
			}
		}
		return true
	})
	p.quiet("Local channels")
	p.do("Action: Setvar", "Channel: "+p.name(b), "Variable: CALLERID(name)", "Value: Renamed: \"x\"")
	p.do("Action: Setvar", "Channel: "+p.name(b), "Variable: CONNECTEDLINE(num)", "Value: 4711")
	p.do("Action: Setvar", "Channel: "+p.name(b), "Variable: CHANNEL(accountcode)", "Value: other")
	p.do("Action: Setvar", "Channel: "+p.name(b), "Variable: CAMPAIGN", "Value: spring")
	p.quiet("a channel's own things have changed")
	conference := []string{p.call("misc", "conf"), p.call("misc", "conf"), p.call("misc", "conf")}
	p.await("a conference", func(s *pbx.State) bool {
		c := s.Channel(conference[0])
		return c != nil && s.Bridge(c.Bridge) != nil && len(s.Bridge(c.Bridge).Members) >= 3
	})
	p.quiet("a conference")
	p.hangUp(p.name(conference[1]))
	p.gone(conference[1])
	p.quiet("one has left it")
	p.clear()
}

// logIn has an agent of app_agent_pool log in and returns the Uniqueid of its channel.
func (p *play) logIn(agent string) (id string) {
	p.t.Helper()
	id = p.originate("Local/"+agent+"@agent-phone/n", "Context: agent-login", "Exten: "+agent, "Priority: 1", "Variable: PATIENCE=600")
	p.await(agent+" logs in", func(s *pbx.State) bool { return s.Agent(agent) != nil && s.Agent(agent).Channel != "" })
	return id
}

// agents: those of app_agent_pool log in, are called and log off.
func agents(p *play) {
	phones := []string{p.logIn("1101"), p.logIn("1102")}
	p.quiet("agents are logged in")
	a := p.call("queue-entry", "602", "Variable: QTIME=600")
	p.await("an agent is called", func(s *pbx.State) bool {
		c := s.Channel(a)
		for agent := range s.Agents() {
			if status, _ := s.AgentStatus(agent); status == pbx.AgentOnCall && c != nil && c.Queue == "" && c.Bridge != "" {
				return true
			}
		}
		return false
	})
	p.quiet("an agent talks")
	p.hangUp(p.name(a))
	p.gone(a)
	p.quiet("it talks no more")
	p.do("Action: AgentLogoff", "Agent: 1101", "Soft: false")
	p.await("it logs off", func(s *pbx.State) bool { return s.Agent("1101").Channel == "" })
	p.quiet("an agent has logged off")
	p.hangUp(p.name(phones[1]))
	p.gone(phones[1])
	p.clear()
	p.quiet("both have")
}

// peers: phones that register, are asked whether they are there, and leave; calls over PJSIP.
func peers(p *play) {
	desk := newPhone(p.t, p.s.PJSIP, "102", "s102")
	contact := func(status string) {
		p.t.Helper()
		p.await("a phone is "+status, func(s *pbx.State) bool {
			contacts := s.Peer("PJSIP/102").Contacts
			return len(contacts) == 1 && contacts[0].Status == status
		})
		p.quiet("a phone is " + status)
	}
	desk.register(p.t, 600)
	contact("Reachable")
	desk.register(p.t, 600)
	p.quiet("it has registered again")
	desk.deaf.Store(true)
	contact("Unreachable")
	desk.deaf.Store(false)
	contact("Reachable")
	second := newPhone(p.t, p.s.PJSIP, "102", "s102")
	second.register(p.t, 600)
	p.await("a second phone", func(s *pbx.State) bool { return len(s.Peer("PJSIP/102").Contacts) == 2 })
	p.quiet("a second phone")

	a := p.originate("PJSIP/290@trunk", "Context: misc", "Exten: wait", "Priority: 1")
	p.await("a call over PJSIP", func(s *pbx.State) bool {
		c := s.Channel(a)
		return c != nil && c.StateDesc == "Up" && c.Application == "Wait"
	})
	p.quiet("a call over PJSIP")
	p.await("it is held", func(s *pbx.State) bool { return s.Channel(a).Hold })
	p.quiet("it is held")
	p.clear()
	desk.register(p.t, 0)
	second.register(p.t, 0)
	p.await("the phones have left", func(s *pbx.State) bool { return len(s.Peer("PJSIP/102").Contacts) == 0 })
	p.quiet("the phones have left")

	old := false // chan_sip is there
	p.await("peers", func(s *pbx.State) bool { old = s.Peer("SIP/301") != nil; return true })
	if !old {
		return
	}
	desk = newPhone(p.t, p.s.SIP, "301", "s301")
	status := func(what string, is func(*pbx.Peer) bool) {
		p.t.Helper()
		p.await(what, func(s *pbx.State) bool { return is(s.Peer("SIP/301")) })
		p.quiet(what)
	}
	desk.register(p.t, 600)
	status("an old phone has registered", func(peer *pbx.Peer) bool { return peer.Get("IPaddress") == "127.0.0.1" })
	desk.register(p.t, 0)
	status("the old phone has left", func(peer *pbx.Peer) bool { return peer.Get("IPaddress") == "-none-" })
}

// edit changes one of Asterisk's files.
func (p *play) edit(file string, change func(string) string) (undo func()) {
	p.t.Helper()
	path := filepath.Join(p.s.Dir, "etc", file)
	before, err := os.ReadFile(path)
	require.NoError(p.t, err)
	after := change(string(before))
	require.NotEqual(p.t, string(before), after)
	require.NoError(p.t, os.WriteFile(path, []byte(after), 0o644))
	return func() { require.NoError(p.t, os.WriteFile(path, before, 0o644)) }
}

// otherMembers takes a member from support and gives it another, and changes a parameter.
func otherMembers(queues string) string {
	queues = strings.Replace(queues, "member => Local/1006@agents/n,2,Frank Six\n", "member => Local/1010@agents/n,3,Ten\n", 1)
	queues = strings.Replace(queues, "member => Local/1005@agents/n,2,Eve Five\n", "member => Local/1005@agents/n,4,Eve Five\n", 1)
	return strings.Replace(queues, "servicelevel = 20\n", "servicelevel = 25\n", 1)
}
