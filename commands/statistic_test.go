package commands

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
	"ampd/profiles"
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
