package commands

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/profiles"
	"ampd/rights"
	"ampd/stats"
	"ampd/upstream"
)

// A judge is a session of each kind in front of an Asterisk with some calls.
type judge struct {
	env      *Env
	table    rights.Table
	subjects map[string]*rights.Subject
}

const somePeople = `
[[profile]]
name = "a"
secret = "s"
types = ["administrator"]
read = "all"
write = "all"
admin = true
[[agent]]
id = "1001"
devices = ["PJSIP/alice"]
queues = ["support"]
`

func newJudge(t *testing.T) *judge {
	t.Helper()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	state := pbx.New()
	for i, name := range []string{"PJSIP/alice-00000001", "PJSIP/bob-00000002", "Local/7@desk-00000003;1"} {
		state.Apply(packetOf(fmt.Sprintf("Event: Newchannel|Privilege: call,all|Channel: %s|Uniqueid: 1.%d|Linkedid: 1.%d|Context: desk|Exten: 1", name, i, i)), now)
	}
	for _, queue := range []string{"support", "sales"} {
		state.Apply(packetOf("Event: QueueMemberAdded|Privilege: agent,all|Queue: "+queue+"|MemberName: 1001|Interface: Local/7@desk/n|Membership: dynamic|Paused: 0"), now)
	}
	store, problems := profiles.Parse("test", somePeople, nil)
	require.NoError(t, problems.Err())
	j := &judge{
		table:    rights.Table{},
		subjects: map[string]*rights.Subject{},
		env:      &Env{Now: now, State: state, Profiles: store, Recordings: &Recordings{}, Statistics: stats.NewBook(stats.DefaultConfig(), state, now), Upstream: &upstream.Info{Version: "11.0.0"}},
	}
	for a := range actions.All {
		if a.In22 {
			j.env.Upstream.Commands = append(j.env.Upstream.Commands, upstream.Command{Name: a.Name, Classes: a.Classes22})
			j.table[strings.ToLower(a.Name)] = a.Classes22
		}
	}
	for name, classes := range Classes {
		if _, listed := j.table[name]; !listed {
			j.table[name] = classes
		}
	}
	for name, g := range map[string]rights.Grant{
		"monitor":    {Type: rights.Monitor},
		"agent":      {Type: rights.Agent, Contexts: []string{"desk"}, Agent: pbx.Person{ID: "1001", Devices: []string{"PJSIP/alice"}}},
		"admin":      {Type: rights.Administrator},
		"scoped":     {Type: rights.Administrator, Queues: []string{"support"}, Channels: []string{"PJSIP/alice"}, Contexts: []string{"desk"}},
		"calls only": {Type: rights.Administrator, Write: codec.Call},
	} {
		if g.Write == 0 {
			g.Read, g.Write = codec.All, codec.All
		}
		s, err := rights.New(g, state)
		require.NoError(t, err)
		j.subjects[name] = s
	}
	return j
}

func packetOf(lines string) *codec.Packet {
	for p := range native.Packets([]byte(strings.ReplaceAll(lines, "|", "\r\n") + "\r\n\r\n")) {
		return p.Clone()
	}
	return nil
}

// becomesOther are the actions that a command may become though the session could not run
// them itself: what the document says of these two.
var becomesOther = map[string][]string{
	"Monitor":            {"MixMonitor", "Command"},
	"ChangeMonitor":      {"MixMonitor", "StopMixMonitor"},
	"AgentCallbackLogin": {"QueueAdd", "QueueRemove", "ExtensionState", "ShowDialPlan"},
	"AgentLogoff":        {"QueueRemove", "Hangup"},
}

// random makes a command of names, values and oddities.
func (j *judge) random(r *rand.Rand) *codec.Packet {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	cased := func(s string) string {
		switch r.IntN(6) {
		case 0:
			return strings.ToUpper(s)
		case 1:
			return strings.ToLower(s)
		}
		return s
	}
	values := []string{
		"", "x", "PJSIP/alice-00000001", "pjsip/ALICE-00000001", "PJSIP/bob-00000002", "1.1", "/PJSIP/", "support", "sales", "1001", "1002", "desk", "other",
		"7", "1@evil/n", "true", "0", "60", "A=1|MONITOR_EXEC=x", "AST_CONFIG(manager.conf,ampd,secret)", "../x", "a;b", "wav", "UpdateConfig", "Getvar",
		"Originate", "QueueStatus", "core show version", "!sh", "Local/7@desk/n", "PJSIP/bob", "System", "1000000001", "9999999999",
	}
	fitting := map[string]string{
		"Agent": "1001", "Context": "desk", "Exten": "7", "Queue": "support", "Interface": "PJSIP/alice", "Channel": "PJSIP/alice-00000001",
		"Timeout": "60", "Priority": "1", "File": "x", "Variable": "A", "Command": "core show version", "CAction": "QueueStatus",
	}
	command := &actions.Commands[r.IntN(len(actions.Commands))]
	headers := []codec.Header{{Name: cased("Action"), Value: cased(command.Name)}}
	for _, p := range command.Params {
		for range 1 + r.IntN(8)/6 {
			if p.Required || r.IntN(3) == 0 {
				value := pick(values...)
				if fits := fitting[p.Name]; fits != "" && r.IntN(4) > 0 {
					value = fits
				}
				headers = append(headers, codec.Header{Name: cased(p.Name), Value: value})
			}
		}
	}
	for range r.IntN(3) {
		name := pick("Channel", "Action", "CAction", "Variable", "Queue", "Interface", "Mix", "Options", "Command", "Filename", "ExtraChannel", "Agent", "Soft")
		headers = append(headers, codec.Header{Name: cased(name), Value: pick(values...)})
	}
	if r.IntN(4) == 0 {
		r.Shuffle(len(headers), func(a, b int) { headers[a], headers[b] = headers[b], headers[a] })
	}
	return built(headers[0], headers[1:]...)
}

// TestWhatACommandBecomesItsSessionMayRun judges what random commands become once more, as
// if the session had sent that itself.
func TestWhatACommandBecomesItsSessionMayRun(t *testing.T) {
	j := newJudge(t)
	r := rand.New(rand.NewPCG(1, 2))
	rounds, allowed := 300_000, map[string]int{}
	if testing.Short() {
		rounds = 30_000
	}
	for range rounds {
		p := j.random(r)
		for kind, s := range j.subjects {
			request := Prepare(j.env, true, p)
			if request.Refusal != "" {
				continue
			}
			verdict := s.Judge(j.table, request.Action)
			if !verdict.Allowed {
				continue
			}
			allowed[kind+" "+request.Name]++
			for _, sent := range j.sends(&request, s, verdict.Packet) {
				again := s.Judge(j.table, sent)
				if !again.Allowed && !slices.Contains(becomesOther[request.Name], sent.ActionName()) {
					t.Fatalf("%s may not run itself (%s)\n%s\nbut gets it sent by\n%s", kind, again.Rule, sent.Raw, p.Raw)
				}
			}
		}
	}
	for i := range actions.Commands {
		if name := actions.Commands[i].Name; !strings.HasPrefix(name, "Custom") && !strings.HasPrefix(name, "Profile") {
			require.NotZero(t, allowed["admin "+name], name)
		}
	}
}

// sends are the actions that a request sends, where each succeeds.
func (j *judge) sends(request *Request, s *rights.Subject, judged *codec.Packet) (sent []*codec.Packet) {
	step := request.Begin(&State{Rights: s, Filters: s.Filters(), Challenge: func(*codec.Packet) []byte { return nil }}, j.env, judged)
	if step.Send != nil {
		return []*codec.Packet{step.Send}
	}
	if step.Script == nil {
		return nil
	}
	program := step.Script.Start()
	next, _ := program.Resume(nil)
	for next != nil {
		sent = append(sent, next)
		next, _ = program.Resume([]*codec.Packet{packetOf("Response: Success|MixMonitorID: 1|Hint: PJSIP/x")})
	}
	return sent
}
