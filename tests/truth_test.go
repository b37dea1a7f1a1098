package tests

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/pbx"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
	"ampd/tests/faultproxy"
)

// scenes are what happens, each with quiet points of its own.
var scenes = []struct {
	name string
	play func(*play)
}{
	{"peers", peers},
	{"queue calls", queueCalls},
	{"members", members},
	{"two calls of a member", twoCalls},
	{"transfers", transfers},
	{"parks", parks},
	{"Local channels", locals},
	{"agents of app_agent_pool", agents},
}

// reloaded bounds how long what a reload has changed may go unnoticed: a round of
// all lists, with two seconds each, that has just begun, and one more up to the queues.
const reloaded = 45 * time.Second

func TestTrackedStateIsWhatAsteriskSays(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		p := perform(t, s, s.Addr, daemon.Config{Sessions: "\n[state]\nresync = \"24h\""})
		p.blank = p.join(false)
		p.quiet("nothing has happened yet")
		for round := range longer(1, 4) {
			for i, scene := range scenes {
				scene.play(p)
				if i%2 == 0 {
					p.joinLate()
				}
				t.Logf("%s: %s: %d quiet points so far", s.Version, scene.name, p.ledger.points)
			}
			if round == 1 {
				p.traffic()
			}
		}
		p.traffic()

		undo := p.edit("queues.conf", otherMembers)
		s.CLI("queue reload all")
		s.CLI("module reload app_queue")
		p.settle("queues.conf has changed", reloaded, toldByBoth)
		undo()

		// ampd dies, and its clients with it. The next one begins in the midst of calls.
		a := p.call("queue-entry", "601", "Variable: QTIME=600")
		b := p.call("misc", "dial1001")
		p.waits(a, "sales")
		p.partner(b, "Local/1001@agents")
		p.note()
		require.NoError(t, syscall.Kill(p.d.PID(), syscall.SIGKILL))
		p.start()
		p.settle("a new ampd", secondLook, toldByLists)
		p.sameText("a new ampd")
		p.hangUp(p.name(a))
		p.gone(a)
		p.quiet("a new ampd follows")
		p.clear()
		p.do("Action: Reload", "Module: app_queue")
		p.settle("queues.conf is as it was", reloaded, toldByLists)
		p.end()
	})
}

// traffic has many calls at a time, and compares in their midst.
func (p *play) traffic() {
	p.t.Helper()
	p.talkFor(2)
	before := p.ledger.points
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	made := make(chan error, 1)
	if testing.Short() { // fewer and shorter ones
		p.do("Action: QueueAdd", "Queue: sales", "Interface: Local/1007@agents/n", "MemberName: Dyn 1007")
		for i, exten := range []string{"600", "601", "600", "650", "600", "601", "600", "601", "600", "600"} {
			p.call("queue-entry", exten, fmt.Sprintf("Variable: PATIENCE=%d", 1+i%5))
			p.quiet("in the midst of calls")
		}
		made <- nil
	} else {
		go func() { // ends with the calls
			_, err := p.s.Calls(ctx, 150, 2)
			made <- err
		}()
	}
	pace := time.NewTicker(250 * time.Millisecond)
	defer pace.Stop()
	for {
		<-pace.C
		p.quiet("in the midst of calls")
		select {
		case err := <-made:
			require.NoError(p.t, err)
			p.clear()
			for _, agent := range []string{"1007", "1008", "1009"} {
				_, _, err := p.control.ask("Action: QueueRemove", "Queue: sales", "Interface: Local/"+agent+"@agents/n")
				require.NoError(p.t, err)
			}
			p.quiet("the calls are over")
			p.t.Logf("%s: %d quiet points in the midst of calls", p.s.Version, p.ledger.points-before)
			return
		default:
		}
	}
}

// A standing is what is there when Asterisk goes away.
type standing struct {
	leaves, stays, fetched string // calls: Uniqueids of their first channels
	space                  string // in which fetched is parked
	desk                   *phone // has registered
}

// ghosts makes what must not be left when it is gone.
func ghosts(p *play) (now standing) {
	p.talkFor(600)
	for range 2 {
		p.waits(p.call("queue-entry", "601", "Variable: QTIME=600"), "sales")
	}
	p.do("Action: QueuePause", "Interface: Local/1001@agents/n", "Paused: true", "Reason: lunch", "Queue: support")
	now.leaves = p.call("queue-entry", "600", "Variable: QTIME=600")
	p.partner(now.leaves, "Local/10")
	now.stays = p.call("misc", "dial1002")
	p.partner(now.stays, "Local/1002@agents")
	rings := p.call("misc", "ring")
	p.await("it rings", func(s *pbx.State) bool {
		for c := range s.Channels() {
			if c.DialedBy == rings && c.StateDesc == "Ringing" {
				return true
			}
		}
		return false
	})
	for _, id := range []*string{&now.fetched, new(string)} {
		*id = p.call("misc", "dial1004")
		p.partner(*id, "Local/1004@agents")
		now.space = p.park(*id, "Timeout: 100000")
	}
	now.space = p.space(now.fetched)
	p.logIn("1101")
	now.desk = newPhone(p.t, p.s.PJSIP, "102", "s102")
	now.desk.register(p.t, 600)
	p.await("the phone is there", func(s *pbx.State) bool {
		contacts := s.Peer("PJSIP/102").Contacts
		return len(contacts) == 1 && contacts[0].Status == "Reachable"
	})
	p.quiet("before the end")
	return now
}

// TestRepairLeavesNoGhosts takes Asterisk away from clients that stay and never ask again.
func TestRepairLeavesNoGhosts(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, asterisk.Conf("manager.conf", "[general](+)\ntimestampevents = yes"))
		network := faultproxy.Listen(t, s.Addr)
		p := perform(t, s, network.Addr, daemon.Config{Sessions: "\n[state]\nresync = \"24h\"", Upstream: pings(time.Second, time.Second)})
		again := func() { // waits until the clients have been told
			booted := 0
			p.first.until(t, "FullyBooted", func() bool { booted = p.first.booted; return true })
			network.Refuse(false)
			p.first.until(t, "FullyBooted again", func() bool { return p.first.booted > booted })
		}

		// The link is cut while calls end and others begin.
		was := ghosts(p)
		p.note()
		losses := 1
		network.Refuse(true)
		network.Cut()
		nthLine(t, p.d, "lost Asterisk", losses)
		p.away(was)
		again()
		p.quiet("behind the cut")
		require.Subset(t, names(p.note()), []string{
			"Hangup", "Newchannel", "QueueCallerLeave", "QueueCallerJoin", "QueueMemberPause", "QueueMemberAdded",
			"BridgeLeave", "BridgeDestroy", "BridgeCreate", "BridgeEnter", "AgentLogoff", "AgentLogin", "ParkedCallGiveUp", "ParkedCall",
			"UnParkedCall", "DialEnd", "NewCallerid", "NewConnectedLine", "NewAccountCode", "ContactStatus", "DeviceStateChange",
		})
		p.quiet("and goes on")
		p.clear()
		p.do("Action: QueueRemove", "Queue: sales", "Interface: Local/1008@agents/n")
		p.do("Action: QueuePause", "Interface: Local/1002@agents/n", "Paused: false")

		for _, e := range endings[:2] {
			ghosts(p)
			p.note()
			network.Refuse(true)
			e.end(s)
			losses++
			nthLine(t, p.d, "lost Asterisk", losses)
			p.truth.until(t, "the end", func() bool { return p.truth.failed != nil })
			if e.again != nil {
				e.again(s)
			}
			s.WaitBooted()
			p.truth.connect(t, s.Addr)
			p.control = openWire(t, "control", s.Addr, asterisk.Ampd, "Events: off")
			p.do("Action: Setvar", "Variable: RNA", "Value: 0")
			again()
			p.quiet("behind " + e.name)
			must := []string{"QueueMemberPause"}
			if e.name == "kill -9" { // the other one hangs up first, and says so
				must = append(must, "Hangup", "QueueCallerLeave", "BridgeLeave", "BridgeDestroy", "AgentLogoff", "ParkedCallGiveUp")
			}
			require.Subset(t, names(p.note()), must, e.name)
			p.await("no ghosts", func(s *pbx.State) bool {
				left := objects(s)
				return left["channel"]+left["bridge"]+left["parked call"] == 0
			})
			p.first.until(t, "no callers or pauses", func() bool {
				n := p.first.state.Counts()
				return n.Callers == 0 && n.Paused == 0
			})
		}
		p.end()
	})
}

// away is what happens while ampd has lost its Asterisk.
func (p *play) away(was standing) {
	p.t.Helper()
	// The play waits by what a client past ampd knows meanwhile.
	ampd, direct := p.first, follow(p.t, "past ampd", p.s.Addr, false)
	_, known, _ := p.truth.truth(p.t)
	direct.mu.Lock()
	direct.state = known
	direct.mu.Unlock()
	p.first = direct
	defer func() { p.first = ampd }()

	p.do("Action: QueuePause", "Interface: Local/1001@agents/n", "Paused: false", "Queue: support")
	p.do("Action: QueuePause", "Interface: Local/1002@agents/n", "Paused: true", "Reason: back soon", "Queue: support")
	p.do("Action: Setvar", "Channel: "+p.name(was.stays), "Variable: CALLERID(num)", "Value: 4712")
	p.do("Action: Setvar", "Channel: "+p.name(was.stays), "Variable: CONNECTEDLINE(name)", "Value: Somebody")
	p.do("Action: Setvar", "Channel: "+p.name(was.stays), "Variable: CHANNEL(accountcode)", "Value: other")
	fetches := p.call("parkedcalls", was.space)
	p.partner(fetches, "Local/c")
	var leave []string
	p.await("channels", func(s *pbx.State) bool {
		for c := range s.Channels() {
			ours := strings.HasPrefix(c.Name, "Local/c") || strings.HasPrefix(c.Name, "Local/1101@agent-phone")
			if ours && strings.HasSuffix(c.Name, ";1") && !slices.Contains([]string{was.stays, was.fetched, fetches}, c.Uniqueid) {
				leave = append(leave, c.Name)
			}
		}
		return true
	})
	p.hangUp(leave...)
	p.gone(was.leaves)
	was.desk.register(p.t, 0)

	a := p.call("queue-entry", "601", "Variable: QTIME=600")
	p.waits(a, "sales")
	b := p.call("queue-entry", "601", "Variable: QTIME=600")
	p.waits(b, "sales")
	p.do("Action: QueueAdd", "Queue: sales", "Interface: Local/1008@agents/n", "MemberName: Dyn 1008")
	p.partner(a, "Local/1008@agents")
	c := p.call("misc", "dial1003")
	p.partner(c, "Local/1003@agents")
	d := p.call("misc", "dial1005")
	p.partner(d, "Local/1005@agents")
	p.park(d, "Timeout: 100000")
	p.logIn("1102")
	desk := newPhone(p.t, p.s.PJSIP, "101", "s101")
	desk.register(p.t, 600)
}

// TestResyncTellsWhatNoEventTold changes what Asterisk says nothing of.
func TestResyncTellsWhatNoEventTold(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		p := perform(t, s, s.Addr, daemon.Config{Sessions: "\n[state]\nresync = \"10s\""})
		a := p.call("queue-entry", "601", "Variable: QTIME=600")
		p.waits(a, "sales")
		b := p.call("misc", "wait")
		p.runs(b, "Wait")
		p.quiet("before the change")
		p.note()
		p.truth.count()
		p.edit("queues.conf", otherMembers)
		p.do("Action: QueueReload", "Members: yes", "Parameters: yes") // which says nothing of itself
		p.do("Action: QueueChangePriorityCaller", "Queue: sales", "Caller: "+p.name(a), "Priority: 9")
		p.do("Action: Setvar", "Channel: "+p.name(a), "Variable: CHANNEL(language)", "Value: de")
		p.park(b, "Timeout: 600000") // takes its application away
		p.truth.truth(t)
		said := p.truth.count()
		for _, name := range []string{"Reload", "QueueReload", "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPenalty", "Newstate"} {
			require.Zero(t, said[name], "Asterisk does tell by %s", name)
		}
		p.await("the members of the file", func(s *pbx.State) bool {
			q := s.Queue("support")
			return q.Member("Local/1006@agents/n") == nil && q.Member("Local/1010@agents/n") != nil && q.Member("Local/1005@agents/n").Penalty == "4"
		})
		p.settle("behind resync", reloaded, toldByLists)
		p.made = p.first.synthetic()
		require.Subset(t, names(p.made), []string{"Newexten", "Newstate", "QueueMemberAdded", "QueueMemberPenalty", "QueueMemberRemoved"})
		// Static members have another LoginTime, where it is another second.
		require.Subset(t, []string{"Newexten", "Newstate", "QueueMemberAdded", "QueueMemberPenalty", "QueueMemberRemoved", "QueueMemberStatus"}, names(p.made))

		p.do("Action: QueueAdd", "Queue: sales", "Interface: Local/1011@nowhere/n", "Penalty: 1", "StateInterface: Custom:a1011")
		p.do("Action: Setvar", "Variable: DEVICE_STATE(Custom:a1011)", "Value: BUSY")
		p.await("it is busy", func(s *pbx.State) bool {
			m := s.Queue("sales").Member("Local/1011@nowhere/n")
			return m != nil && m.Status == "3"
		})
		p.do("Action: QueuePenalty", "Queue: sales", "Interface: Local/1011@nowhere/n", "Penalty: 2")
		p.do("Action: QueueRemove", "Queue: sales", "Interface: Local/1011@nowhere/n")
		p.clear()
		p.quiet("behind the change")
		if !testing.Short() {
			p.edit("pjsip.conf", func(text string) string { return text + "[104](phone)\naors = 104\n[104](phone-aor)\n" })
			s.CLI("module reload res_pjsip.so")
			p.settle("one endpoint more", reloaded, toldByLists)
			p.edit("agents.conf", func(text string) string { return text + "[1105](agent)\nfullname = Pool Agent 1105\n" })
			s.CLI("module reload app_agent_pool.so")
			p.settle("one agent more", reloaded, toldByLists)
		}
		p.end()
	})
}
