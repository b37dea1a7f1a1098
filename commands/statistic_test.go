package commands

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
	"ampd/profiles"
	"ampd/rights"
	"ampd/stats"
)

func TestAnAgentIsAskedForByAnyOfItsNames(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	state := pbx.New()
	for _, member := range []string{
		"MemberName: Alice One|Interface: Local/7@desk/n|StateInterface: PJSIP/alice",
		"MemberName: Pool 1101|Interface: Local/1101@agents/n|StateInterface: Agent:1101",
		"MemberName: Bob Two|Interface: Local/8@desk/n|StateInterface: Local/8@desk/n",
	} {
		state.Apply(packetOf("Event: QueueMemberAdded|Privilege: agent,all|Queue: support|Membership: dynamic|Paused: 0|Status: 1|"+member), now)
	}
	book := stats.NewBook(stats.DefaultConfig(), state, now)
	book.Loaded(now)
	store, problems := profiles.Parse("test", strings.Replace(somePeople, `"1001"`, `"1001"`+"\nname = \"Alice One\"", 1), nil)
	require.NoError(t, problems.Err())
	env := &Env{Now: now, State: state, Profiles: store, Statistics: book}

	tests := map[string]string{ // the interface of the one that is found
		"1001":                "Local/7@desk/n",
		"alice one":           "Local/7@desk/n",
		"Local/7@desk/n":      "Local/7@desk/n",
		"Pool 1101":           "Local/1101@agents/n",
		"1101":                "Local/1101@agents/n",
		"bob two":             "Local/8@desk/n",
		"local/8@desk/n":      "Local/8@desk/n",
		"1002":                "",
		"PJSIP/alice":         "",
		"Local/1101@agents/n": "Local/1101@agents/n",
	}
	for asked, want := range tests {
		t.Run(asked, func(t *testing.T) {
			for name, run := range map[string]func(*State, *Env, *codec.Packet) Answer{"AgentInfo": agentInfo, "StatisticInfo": statisticInfo} {
				answer := string(run(administrator(t), env, action(t, "Action: "+name+"\nAgent: "+asked)).Packets)
				if want == "" {
					require.Contains(t, answer, "ListItems: 0\r\n", name)
					continue
				}
				require.Contains(t, answer, "\r\nAgent: "+want+"\r\n", name)
				require.Contains(t, answer, "ListItems: 1\r\n", name)
			}
		})
	}
}

func TestAgentActivityRefusesWhatIsNoTime(t *testing.T) {
	store, problems := profiles.Parse("test", somePeople, nil)
	require.NoError(t, problems.Err())
	env := &Env{Profiles: store, Statistics: stats.NewBook(stats.DefaultConfig(), pbx.New(), time.Now())}
	for _, header := range []string{"Since", "Until"} {
		answer := agentActivity(administrator(t), env, action(t, "Action: AgentActivity\nAgent: 1001\n"+header+": yesterday"))
		require.Equal(t, "Response: Error\r\nMessage: "+header+" must be a Unix time\r\n\r\n", string(answer.Packets))
	}
}

// A floor is a state with statistics beside it.
type floor struct {
	state *pbx.State
	book  *stats.Book
	env   *Env
}

func newFloor(t *testing.T) *floor {
	t.Helper()
	store, problems := profiles.Parse("test", somePeople, nil)
	require.NoError(t, problems.Err())
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	f := &floor{state: pbx.New()}
	f.book = stats.NewBook(stats.DefaultConfig(), f.state, now)
	f.book.Loaded(now)
	f.env = &Env{Now: now, State: f.state, Statistics: f.book, Profiles: store}
	return f
}

func (f *floor) play(events ...string) {
	for _, line := range events {
		name, rest, _ := strings.Cut(line, "|")
		p := packetOf("Event: " + name + "|Privilege: agent,all|" + rest)
		f.env.Now = f.env.Now.Add(time.Second)
		f.state.Apply(p, f.env.Now)
		f.book.Observe(p, f.env.Now)
	}
}

func (f *floor) session(t *testing.T, g rights.Grant) *State {
	g.Read, g.Write = codec.All, codec.All
	subject, err := rights.New(g, f.state)
	require.NoError(t, err)
	return &State{Rights: subject, Filters: subject.Filters(), Mask: codec.All}
}

const poolMember = "|Queue: support|MemberName: Pool 1101|Interface: Local/1101@agents/n|StateInterface: Agent:1101|Membership: dynamic|Status: 1|Paused: "

// What an agent of app_agent_pool did is all that it did, also in its queues.
func TestTheActivityOfAnAgentOfThePool(t *testing.T) {
	f := newFloor(t)
	f.play("QueueMemberAdded"+poolMember+"0", "AgentLogin|Agent: 1101", "QueueMemberPause"+poolMember+"1|PausedReason: tea", "QueueMemberAdded|Queue: support|MemberName: Ann|Interface: PJSIP/ann|Paused: 0")
	for name, s := range map[string]*State{"administrator": administrator(t), "itself": f.session(t, rights.Grant{Type: rights.Agent, Agent: pbx.Person{ID: "1101"}})} {
		answer := string(agentActivity(s, f.env, action(t, "Action: AgentActivity\nAgent: 1101")).Packets)
		require.Contains(t, answer, "ListItems: 3\r\n", name)
		require.Contains(t, answer, "Activity: Pause\r\nQueue: support\r\n", name)
	}
}

// What others did does not crowd out what a session may see.
func TestActivityIsTheLastThatTheSessionSees(t *testing.T) {
	f := newFloor(t)
	f.play("QueueMemberAdded|Queue: support|MemberName: Ann|Interface: PJSIP/ann|Paused: 0")
	begin := f.env.Now
	for range 1_200 {
		f.play("AgentRingNoAnswer|Queue: sales|MemberName: Ann|Interface: PJSIP/ann|RingTime: 0")
	}
	s := f.session(t, rights.Grant{Type: rights.Administrator, Queues: []string{"support"}})
	answer := string(agentActivity(s, f.env, action(t, "Action: AgentActivity\nAgent: Ann")).Packets)
	require.Contains(t, answer, "ListItems: 1\r\n")
	answer = string(agentActivity(administrator(t), f.env, action(t, "Action: AgentActivity\nAgent: Ann\nUntil: "+unixTime(begin))).Packets)
	require.Contains(t, answer, "ListItems: 1\r\n")
}

// Nothing is told of an agent of app_agent_pool all of whose queues are outside.
func TestAnAgentOutsideIsNotAnAgentInNoQueue(t *testing.T) {
	f := newFloor(t)
	f.play("QueueMemberAdded"+strings.Replace(poolMember, "support", "secret", 1)+"1|PausedReason: a secret", "AgentLogin|Agent: 1101", "AgentLogin|Agent: 1102")
	s := f.session(t, rights.Grant{Type: rights.Administrator, Queues: []string{"support"}})
	answer := string(statisticInfo(s, f.env, action(t, "Action: StatisticInfo")).Packets)
	require.Contains(t, answer, "Agent: Agent:1102\r\n")
	require.NotContains(t, answer, "secret")
	require.NotContains(t, answer, "1101")
}

// Who has left all queues still has the figures of the day.
func TestWhoLeftAllQueuesSeesItsFigures(t *testing.T) {
	f := newFloor(t)
	member := "|Queue: support|MemberName: Ann One|Interface: PJSIP/ann|StateInterface: PJSIP/ann|Membership: dynamic|Status: 1|Paused: 0"
	f.play("QueueMemberAdded"+member, "AgentCalled"+member, "QueueMemberRemoved"+member)
	s := f.session(t, rights.Grant{Type: rights.Agent, Agent: pbx.Person{ID: "1001", Devices: []string{"PJSIP/ann"}}})
	for _, asked := range []string{"", "\nAgent: PJSIP/ann", "\nAgent: Ann One"} {
		answer := string(statisticInfo(s, f.env, action(t, "Action: StatisticInfo\nType: Agent"+asked)).Packets)
		require.Contains(t, answer, "Agent: PJSIP/ann\r\nName: Ann One\r\nQueues: support\r\n", asked)
	}
}
