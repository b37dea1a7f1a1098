package profiles_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/profiles"
)

const roles = `
[[agent]]
id = "1001"
name = "Alice"
devices = ["PJSIP/alice"]

[[agent]]
id = "Bob"

[[profile]]
name = "desk"
secret = "s"
types = ["agent", "monitor"]

[[profile]]
name = "alice"
secret = "s"
types = ["monitor", "agent"]
agent = "1001"

[[profile]]
name = "wall"
secret = "s"
`

func TestRole(t *testing.T) {
	store, problems := profiles.Parse("p", roles, nil)
	require.NoError(t, problems.Err())
	tests := map[string]struct {
		profile, asked, agent string
		want                  profiles.Type
		id, refusal           string
	}{
		"the first":               {"wall", "", "", profiles.Monitor, "", ""},
		"as asked":                {"wall", "MONITOR", "", profiles.Monitor, "", ""},
		"not permitted":           {"wall", "administrator", "", "", "", "Type not permitted"},
		"no agent":                {"wall", "agent", "1001", "", "", "Type not permitted"},
		"no type":                 {"wall", "superuser", "", "", "", "Type not permitted"},
		"the first is agent":      {"desk", "", "1001", profiles.Agent, "1001", ""},
		"any agent, without case": {"desk", "Agent", "bOB", profiles.Agent, "Bob", ""},
		"which agent":             {"desk", "agent", "", "", "", "Missing required parameter: AgentID"},
		"nobody":                  {"desk", "agent", "1002", "", "", "Agent not permitted"},
		"a device":                {"desk", "agent", "PJSIP/alice", "", "", "Agent not permitted"},
		"a name":                  {"desk", "agent", "Alice", "", "", "Agent not permitted"},
		"a monitor is nobody":     {"desk", "monitor", "1001", profiles.Monitor, "", ""},
		"its own":                 {"alice", "agent", "", profiles.Agent, "1001", ""},
		"its own, said":           {"alice", "agent", "1001", profiles.Agent, "1001", ""},
		"another":                 {"alice", "agent", "Bob", "", "", "Agent not permitted"},
	}
	known := map[profiles.Role]bool{}
	for role := range store.Roles {
		known[role] = true
	}
	require.Len(t, known, 2+1+1+1+1)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p, ok := store.Lookup(tc.profile)
			require.True(t, ok)
			role, refusal := store.Role(p, tc.asked, tc.agent)
			require.Equal(t, tc.refusal, refusal)
			if refusal != "" {
				require.Zero(t, role)
				return
			}
			require.True(t, known[role])
			require.Equal(t, tc.want, role.Type)
			require.Equal(t, p, role.Profile)
			if tc.id == "" {
				require.Nil(t, role.Agent)
			} else {
				require.Equal(t, tc.id, role.Agent.ID)
			}
		})
	}
}
