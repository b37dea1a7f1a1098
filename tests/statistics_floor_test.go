package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

// An audience has all events of an Asterisk, past ampd.
type audience struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced with each event
	events  []asterisk.Packet
	failed  error
}

func watch(t *testing.T, s *asterisk.Server) *audience {
	t.Helper()
	conn, err := asterisk.Dial(s.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.Login(asterisk.Ampd))
	a := &audience{changed: make(chan struct{})}
	go func() { // ends with the connection
		for {
			event, err := conn.Read()
			a.mu.Lock()
			if err != nil {
				a.failed = err
			} else {
				a.events = append(a.events, event)
			}
			close(a.changed)
			a.changed = make(chan struct{})
			a.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return a
}

// all are the events that there have been.
func (a *audience) all() []asterisk.Packet {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.events)
}

// len is how many they are.
func (a *audience) len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.events)
}

// await finds the first event from the n-th on that is so, or waits for it.
func (a *audience) await(t require.TestingT, n int, what string, is func(asterisk.Packet) bool) (found asterisk.Packet) {
	timeout := time.After(wireLimit)
	for {
		a.mu.Lock()
		events, changed, failed := a.events[n:], a.changed, a.failed
		a.mu.Unlock()
		for _, event := range events {
			if is(event) {
				return event
			}
		}
		require.NoError(t, failed, "waiting for %s", what)
		n += len(events)
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(t, "not within "+wireLimit.String(), "%s", what)
		}
	}
}

// firstFloor is the number of the first floor: they have two digits.
const firstFloor = 11

// onFloors is the configuration of so many floors.
func onFloors(t *testing.T, floors int) []asterisk.Option {
	t.Helper()
	var options []asterisk.Option
	for _, name := range []string{"extensions.conf", "queues.conf", "agents.conf"} {
		text, err := os.ReadFile(filepath.Join("testdata", "statistics", name))
		require.NoError(t, err)
		if name == "extensions.conf" {
			options = append(options, asterisk.Conf(name, string(text)))
			continue
		}
		for n := range floors {
			// A member's "@@" is its own number and the "@" of its context.
			numbered := strings.ReplaceAll(string(text), "@@stats", fmt.Sprintf("%d\x00stats", firstFloor+n))
			numbered = strings.ReplaceAll(numbered, "@stats", "\x00stats")
			numbered = strings.ReplaceAll(numbered, "@", strconv.Itoa(firstFloor+n))
			options = append(options, asterisk.Conf(name, strings.ReplaceAll(numbered, "\x00", "@")))
		}
	}
	return options
}

// A floor has queues and agents of its own, on which one scene is played at a time, by a
// goroutine of its own: what is required of it ends that goroutine, and failed says why.
type floor struct {
	version  string
	number   int // of two digits
	control  *wire
	ampd     *wire // its client, of the first floor only
	audience *audience
	rand     *rand.Rand
	serial   *atomic.Int64 // of all floors
	calls    *atomic.Int64 // to queues, of all floors
	scene    string
	from     int // the scene's first event

	desks  map[string]desk // of agents of app_agent_pool that are logged in
	failed error
}

// A desk is the channel by which an agent of app_agent_pool is logged in.
type desk struct{ id, channel string }

// Errorf and FailNow make a floor something of which things can be required.
func (s *floor) Errorf(format string, args ...any) {
	s.failed = fmt.Errorf("floor %d: %s: "+format, append([]any{s.number, s.scene}, args...)...)
}

func (*floor) FailNow() { runtime.Goexit() }

// of is a name of this floor: "desk" is "desk1".
func (s *floor) of(name string) string { return fmt.Sprintf("%s%d", name, s.number) }

// phone is the interface of an agent.
func (s *floor) phone(agent string) string { return "Local/" + s.of(agent) + "@stats-agent/n" }

// pool is the id of an agent of app_agent_pool.
func (s *floor) pool(n int) string { return fmt.Sprintf("9%d%d", s.number, n) }

// some is a random number of seconds.
func (s *floor) some(least, most float64) string {
	return strconv.FormatFloat(least+(most-least)*s.rand.Float64(), 'f', 2, 64)
}

// do runs an action, which must succeed.
func (s *floor) do(lines ...string) {
	_, answer, err := s.control.ask(lines...)
	require.NoError(s, err)
	require.Equal(s, "Success", header(answer, "Response"), "%q: %q", lines, answer)
}

// as runs an action at ampd, which must succeed.
func (s *floor) as(lines ...string) {
	_, answer, err := s.ampd.ask(lines...)
	require.NoError(s, err)
	require.Equal(s, "Success", header(answer, "Response"), "%q: %q", lines, answer)
}

// prefix begins the Uniqueids of a floor's callers.
func (s *floor) prefix() string { return fmt.Sprintf("Floor%d-", s.number) }

// call has a caller call a queue: what becomes of it is said by variables. It returns the
// Uniqueid of the channel that waits.
func (s *floor) call(queue string, variables ...string) string {
	return s.enter("call", append(variables, "Q="+s.of(queue))...)
}

func (s *floor) enter(exten string, variables ...string) string {
	s.calls.Add(1)
	n := s.serial.Add(1)
	id := fmt.Sprintf("%s%d.%d", s.prefix(), time.Now().UnixMilli(), n)
	lines := []string{
		"Action: Originate", fmt.Sprintf("Channel: Local/c%d@stats-caller/n", n), "ChannelId: " + id, "OtherChannelId: " + id + ".2",
		"Context: stats-in", "Exten: " + exten, "Priority: 1", "Async: true", "Account: stats",
		fmt.Sprintf("CallerID: \"Caller, No. %d\" <555%04d>", n, n),
	}
	set := map[string]string{
		"OPTIONS": "tTkK", "QTIME": "60", "PATIENCE": "20", "__RING": s.some(0.2, 1), "__TALK": "60", "__TRANSFER_CONTEXT": "stats-in",
	}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		set[name] = value
	}
	for name, value := range set {
		lines = append(lines, "Variable: "+name+"="+value)
	}
	s.do(lines...)
	s.channel(id)
	return id
}

// when waits for an event of this scene with such headers, in pairs of name and value.
func (s *floor) when(event string, headers ...string) asterisk.Packet {
	return s.audience.await(s, s.from, s.of("floor")+": "+event+" "+strings.Join(headers, " "), func(p asterisk.Packet) bool {
		if p.Get("Event") != event {
			return false
		}
		for i := 0; i < len(headers); i += 2 {
			if p.Get(headers[i]) != headers[i+1] {
				return false
			}
		}
		return true
	})
}

// channel is the name of a channel.
func (s *floor) channel(id string) string {
	return s.when("Newchannel", "Uniqueid", id).Get("Channel")
}

// other is the name of a Local channel's other half.
func other(channel string) string {
	if base, first := strings.CutSuffix(channel, ";1"); first {
		return base + ";2"
	}
	return strings.TrimSuffix(channel, ";2") + ";1"
}

// talks waits until a caller has its agent, and returns the name of the agent's channel.
func (s *floor) talks(id string) string {
	channel := s.when("AgentConnect", "Uniqueid", id).Get("DestChannel")
	s.when("BridgeEnter", "Channel", channel)
	s.when("BridgeEnter", "Uniqueid", id)
	return channel
}

// hangUp hangs up a channel, which may be gone.
func (s *floor) hangUp(channel string) {
	_, answer, err := s.control.ask("Action: Hangup", "Channel: "+channel)
	require.NoError(s, err)
	require.Contains(s, []string{"Channel Hungup", "No such channel"}, header(answer, "Message"), "%q", answer)
}

// keys presses keys at a channel's far half.
func (s *floor) keys(channel, digits string) {
	for _, digit := range digits {
		s.do("Action: PlayDTMF", "Channel: "+other(channel), "Digit: "+string(digit))
	}
}

// consult has a channel that talks ask somebody else and hang up once they talk. Where
// Asterisk has much to do it loses the digits: the channel then hangs up when it is back.
func (s *floor) consult(channel, exten string) {
	s.do("Action: Atxfer", "Channel: "+channel, "Context: stats-in", "Exten: "+exten)
	other := ""
	s.audience.await(s, s.from, s.of("floor")+": another talks", func(p asterisk.Packet) bool {
		switch p.Get("Event") {
		case "Newchannel":
			if strings.HasPrefix(p.Get("Channel"), "Local/"+exten+"@stats-in") {
				other = p.Get("Channel")
			}
		case "BridgeEnter":
			return other != "" && p.Get("BridgeNumChannels") == "2" && p.Get("Channel") == channel
		case "Unhold", "Hangup":
			return p.Get("Channel") == channel
		}
		return false
	})
	s.hangUp(channel)
}

// over waits until channels are gone.
func (s *floor) over(ids ...string) {
	for _, id := range ids {
		s.when("Hangup", "Uniqueid", id)
	}
}

// quiet waits until the channels of this scene are gone, but for the phones of pool
// agents.
func (s *floor) quiet() {
	fence := fmt.Sprintf("%squiet-%d", s.prefix(), s.serial.Add(1))
	s.do("Action: UserEvent", "UserEvent: "+fence)
	open, fenced := map[string]bool{}, false
	s.audience.await(s, s.from, s.of("floor")+": quiet", func(p asterisk.Packet) bool {
		id := p.Get("Uniqueid")
		switch p.Get("Event") {
		case "UserEvent":
			fenced = fenced || p.Get("UserEvent") == fence
		case "Newchannel":
			if strings.HasPrefix(p.Get("Linkedid"), s.prefix()) {
				open[id] = true
			}
		case "Hangup":
			delete(open, id)
		}
		return fenced && len(open) == 0
	})
}

// desk has an agent of app_agent_pool logged in and ready for calls: a new login takes them
// after some seconds of probation only.
func (s *floor) desk(agent string) {
	if s.desks[agent].id != "" {
		return
	}
	id := fmt.Sprintf("Desk%d-%d.%d", s.number, time.Now().UnixMilli(), s.serial.Add(1))
	s.do("Action: Originate", "Channel: Local/"+agent+"@stats-desk/n", "ChannelId: "+id, "OtherChannelId: "+id+".2",
		"Context: stats-login", "Exten: "+agent, "Priority: 1", "Async: true", "Variable: PATIENCE=3600")
	s.when("AgentLogin", "Agent", agent)
	s.when("QueueMemberStatus", "StateInterface", "Agent:"+agent, "Status", "1")
	s.desks[agent] = desk{id, s.channel(id)}
}

func (s *floor) logOff(agent string) {
	s.do("Action: AgentLogoff", "Agent: "+agent)
	s.away(agent)
}

// hangUpDesk hangs up the phone of the agent that an event is about, which logs it off.
func (s *floor) hangUpDesk(event asterisk.Packet) {
	agent := strings.TrimPrefix(event.Get("MemberName"), "Pool Agent ")
	s.hangUp(s.desks[agent].channel)
	s.away(agent)
}

// away waits until an agent has logged off.
func (s *floor) away(agent string) {
	s.when("AgentLogoff", "Agent", agent)
	s.over(s.desks[agent].id)
	delete(s.desks, agent)
}

// name is the MemberName of an agent.
func (s *floor) name(agent string) string {
	return fmt.Sprintf("%s%s %d", strings.ToUpper(agent[:1]), agent[1:], s.number)
}

// join adds a dynamic member.
func (s *floor) join(queue, agent string) { s.joinAs(queue, agent, s.name(agent)) }

func (s *floor) joinAs(queue, agent, name string) {
	s.do("Action: QueueAdd", "Queue: "+s.of(queue), "Interface: "+s.phone(agent), "MemberName: "+name)
}

func (s *floor) leave(queue, agent string) {
	s.do("Action: QueueRemove", "Queue: "+s.of(queue), "Interface: "+s.phone(agent))
}

// pause pauses a member, in one queue or, with "", in all.
func (s *floor) pause(queue, agent, reason string) {
	s.setPause(queue, agent, "true", reason)
}

func (s *floor) unpause(queue, agent string) {
	s.setPause(queue, agent, "false", "")
}

func (s *floor) setPause(queue, agent, paused, reason string) {
	lines := []string{"Action: QueuePause", "Interface: " + s.phone(agent), "Paused: " + paused, "Reason: " + reason}
	if queue != "" {
		lines = append(lines, "Queue: "+s.of(queue))
	}
	s.do(lines...)
}
