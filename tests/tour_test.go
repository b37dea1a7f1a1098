package tests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// A tour is one run through the recorded actions.
type tour struct {
	t        *testing.T
	addr     string
	recorded map[string]string // the recorded channels of the calls, by part
	main     *tourSession
	witness  *tourSession // sees all user events

	live    map[string]string // recorded channel or bridge to the one of this run
	calls   map[string]string // pattern of the part's channel without its ;1
	began   map[string]int    // where the part began among main's packets
	bridge  string            // the first one that CoreShowChannels named last
	key     string            // of the login by challenge
	answers []tourAnswer
}

// runTour takes the whole tour at one address.
func runTour(t *testing.T, version, addr string) []tourAnswer {
	t.Helper()
	r := &tour{
		t: t, addr: addr, recorded: recordedCalls(t, "corpus/"+version+"-tour.s2c"),
		live: map[string]string{}, calls: map[string]string{}, began: map[string]int{},
	}
	steps := readTour(t, "main", "corpus/"+version+"-tour.c2s")
	limited := readTour(t, "limited", "corpus/"+version+"-limited.c2s")
	seen := slices.IndexFunc(steps, func(s tourStep) bool { return s.part == "orig-for-limited" })
	last := len(steps) - 1
	lim := slices.IndexFunc(limited, func(s tourStep) bool { return s.name == "NoSuchAction" })
	require.Positive(t, seen)
	require.Positive(t, lim)

	r.witness = dialTour(t, "witness", addr)
	r.witness.send("Action: Login", "Username: ampd", "Secret: ampdsecret", "Events: user")
	r.witness.answers(0, 1, "the login of the witness")
	r.main = dialTour(t, "main", addr)
	r.banner(r.main)
	for _, step := range steps[:seen] {
		r.run(r.main, step)
	}
	other := dialTour(t, "limited", addr)
	for _, step := range limited[:lim] {
		r.run(other, step)
	}
	from := other.count()
	for _, step := range steps[seen:last] {
		r.run(r.main, step)
	}
	// What this one sees of a call and of a pause.
	r.await(other, tourStep{name: "a call", part: "orig-for-limited", session: "limited"}, from,
		"=QueueCallerJoin", "=QueueMemberPause Paused=1", "=QueueMemberPause Paused=0", "=Hangup Channel={call};1")
	for _, step := range limited[lim:] {
		r.run(other, step)
	}
	r.refused()
	r.eventsOff()
	r.run(r.main, steps[last])
	r.userEvents()
	return r.answers
}

// userEvents makes an answer of all user events that the main session saw.
func (r *tour) userEvents() {
	answer := tourAnswer{step: tourStep{name: "all user events", session: "main"}}
	for _, p := range r.main.packets {
		if p.lines[0] == "Event: UserEvent" {
			answer.packets = append(answer.packets, tourPacket{"UserEvent", p.lines})
		}
	}
	r.answers = append(r.answers, answer)
}

func (r *tour) banner(s *tourSession) {
	r.answers = append(r.answers, tourAnswer{
		step:    tourStep{name: "the first line", session: "main"},
		packets: []tourPacket{{"Banner", []string{s.wire.banner}}},
	})
}

// run sends a step's actions in one write, waits for the answers and for the step's
// signs.
func (r *tour) run(s *tourSession, step tourStep) {
	r.t.Helper()
	from := s.count()
	if _, begun := r.began[step.part]; !begun {
		r.began[step.part] = r.main.count()
	}
	_, err := s.wire.Write([]byte(r.now(step)))
	require.NoError(r.t, err)
	switch step.name {
	case "Logoff":
		s.closed()
		r.answers = append(r.answers, s.answered(step, from, s.count()))
		return
	case "IAXnetstats":
		// No call, no answer but an empty line.
	default:
		s.answers(from, len(step.actions), step.String())
	}
	answer := s.answered(step, from, s.fence())
	r.learn(answer)
	r.answers = append(r.answers, answer)
	r.await(s, step, from, tourSigns[step.String()]...)
}

// now is what the recorded write is in this run.
func (r *tour) now(step tourStep) string {
	lines := strings.Split(strings.Join(step.actions, "\r\n\r\n")+"\r\n\r\n", "\r\n")
	for i, line := range lines {
		name, value := cutHeader(line)
		switch {
		case name == "Key" && step.name == "Login MD5":
			lines[i] = "Key: " + r.key
		case name == "BridgeUniqueid" && value != "nope":
			lines[i] = "BridgeUniqueid: " + r.bridge
		case r.live[value] != "":
			lines[i] = name + ": " + r.live[value]
		}
	}
	return strings.Join(lines, "\r\n")
}

// learn keeps what later actions name.
func (r *tour) learn(answer tourAnswer) {
	for _, p := range answer.packets {
		packet := wirePacket{lines: p.lines}
		switch answer.step.name {
		case "Challenge":
			if challenge := packet.get("Challenge"); challenge != "" && r.key == "" {
				r.key = md5Key(challenge, asterisk.Ampd.Secret)
			}
		case "CoreShowChannels":
			if bridge := packet.get("BridgeId"); bridge != "" && r.bridge == "" {
				r.bridge = bridge
			}
		}
	}
}

// await waits for signs; those to be compared become an answer of their own.
func (r *tour) await(s *tourSession, step tourStep, from int, signs ...string) {
	r.t.Helper()
	answer := tourAnswer{step: step}
	for _, text := range signs {
		if text == "idle" {
			r.idle()
			continue
		}
		since, s := from, s
		if rest, found := strings.CutPrefix(text, "witness "); found {
			text, since, s = rest, 0, r.witness
		}
		if strings.Contains(text, "{call}") && s == r.main {
			since = r.began[step.part]
		}
		text, compared := strings.CutPrefix(text, "=")
		sign := parseSign(strings.ReplaceAll(text, "{call}", r.calls[step.part]))
		p := s.find(since, fmt.Sprintf("%q of the step %q", text, step), sign.seen)
		if sign.event == "OriginateResponse" && r.recorded[step.part] != "" {
			channel := p.get("Channel")
			r.live[r.recorded[step.part]] = channel
			r.calls[step.part] = regexp.QuoteMeta(strings.TrimSuffix(channel, ";1"))
		}
		if compared {
			answer.packets = append(answer.packets, tourPacket{sign.event, p.lines})
		}
	}
	if len(answer.packets) > 0 {
		answer.step.name += ", then"
		r.answers = append(r.answers, answer)
	}
}

// idle waits until each channel that the main session saw has been hung up.
func (r *tour) idle() {
	r.t.Helper()
	channels, next := map[string]bool{}, 0
	r.main.until("the end of all calls", func() bool {
		for ; next < len(r.main.packets); next++ {
			p := r.main.packets[next]
			switch {
			case !p.isEvent():
			case p.get("Event") == "Newchannel":
				channels[p.get("Uniqueid")] = true
			case p.get("Event") == "Hangup":
				delete(channels, p.get("Uniqueid"))
			}
		}
		return len(channels) == 0
	})
}

// refused tries the logins that must fail, each on its own connection.
func (r *tour) refused() {
	r.t.Helper()
	logins := []struct {
		name    string
		headers []string
	}{
		{"a wrong secret", []string{"Username: ampd", "Secret: wrong"}},
		{"an unknown name", []string{"Username: nobody", "Secret: x"}},
		{"a refused address", []string{"Username: elsewhere", "Secret: elsewheresecret"}},
		{"no name", nil},
		{"no secret", []string{"Username: ampd"}},
	}
	sessions := make([]*tourSession, len(logins))
	for i, login := range logins {
		sessions[i] = dialTour(r.t, login.name, r.addr)
		sessions[i].send(append([]string{"Action: Login", fmt.Sprintf("ActionID: refused-%d", i)}, login.headers...)...)
	}
	for i, s := range sessions {
		s.closed()
		r.answers = append(r.answers, s.answered(tourStep{name: "Login", session: logins[i].name}, 0, s.count()))
	}
}

// eventsOff originates from a session that wants no events.
func (r *tour) eventsOff() {
	r.t.Helper()
	s := dialTour(r.t, "eventsoff", r.addr)
	from := r.main.count()
	for i, action := range [][]string{
		{"Action: Login", "Username: ampd", "Secret: ampdsecret", "Events: off"},
		{"Action: Originate", "Channel: Local/cE@callers/n", "Context: misc", "Exten: wait", "Priority: 1", "Async: true", "Variable: PATIENCE=1"},
		{"Action: QueueSummary"},
		{"Action: Logoff"},
	} {
		action = slices.Insert(action, 1, fmt.Sprintf("ActionID: eventsoff-%d", i))
		step := tourStep{strings.TrimPrefix(action[0], "Action: "), "", "eventsoff", []string{strings.Join(action, "\r\n")}}
		if step.name == "Logoff" {
			r.await(r.main, tourStep{name: "seen by others", session: "eventsoff"}, from, "=OriginateResponse", "idle")
		}
		r.run(s, step)
	}
	for _, p := range s.packets {
		require.False(r.t, p.isEvent(), "%q", p.lines)
	}
}

// tourRoads lead to Asterisk through ampd: how its upstream is configured.
var tourRoads = []struct{ name, upstream string }{
	{"through ampd", ""},
	{"through ampd on one connection", "action_connections = 0"},
}

func TestTourIsThatOfADirectSession(t *testing.T) {
	roads := tourRoads
	if testing.Short() {
		roads = roads[:1]
	}
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var direct []tourAnswer
			through := make([][]tourAnswer, len(roads))
			t.Run("taken", func(t *testing.T) {
				t.Run("directly", func(t *testing.T) {
					t.Parallel()
					direct = runTour(t, version, asterisk.Start(t, version, tourTalk()).Addr)
				})
				for i, road := range roads {
					t.Run(road.name, func(t *testing.T) {
						t.Parallel()
						server := asterisk.Start(t, version, tourTalk())
						d := daemon.Start(t, server.Addr, daemon.Config{Upstream: road.upstream})
						d.WaitReady(t)
						through[i] = runTour(t, version, d.Addr)
					})
				}
			})
			if t.Failed() {
				return
			}
			for i, road := range roads {
				t.Run(road.name, func(t *testing.T) { requireSameTour(t, version, direct, through[i]) })
			}
		})
	}
}

func requireSameTour(t *testing.T, version string, direct, through []tourAnswer) {
	t.Helper()
	n := newNormaliser(version)
	differences := n.compare(direct, through)
	t.Log(n.report())
	for _, difference := range differences {
		t.Error(difference)
	}
	require.Empty(t, n.unmet(), "rows of the table that no header had")
	if t.Failed() {
		return
	}
	var proof normalProof
	for i := range direct {
		n.prove(t, direct[i], through[i], &proof)
	}
	t.Logf("harm done to these answers, and noticed: %+v", proof)
}
