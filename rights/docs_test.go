package rights

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/profiles.md names all that is refused, allowed and masked.
func TestRulesAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/profiles.md")
	require.NoError(t, err)
	text := string(data)
	has := func(what string) { require.Contains(t, text, what) }
	quoted := func(name string) { has("`" + name + "`") }
	for _, l := range rules.protected {
		quoted(string(l.name))
	}
	for _, l := range rules.read {
		quoted(string(l.name))
	}
	for _, l := range rules.write {
		name := string(l.name)
		if l.arg != "" {
			name += "(" + l.arg + ")"
		}
		quoted(name)
	}
	for _, l := range rules.refused {
		quoted(l.action)
	}
	for _, l := range rules.checks {
		quoted(l.action)
		quoted(l.header)
	}
	for _, l := range rules.applications {
		quoted(l.name)
		for _, a := range l.args {
			has(a.flags)
		}
	}
	for _, l := range rules.maskedHeaders {
		quoted(l.name)
	}
	for _, l := range append(rules.maskedKeys, rules.maskedEntries...) {
		quoted(strings.Trim(l.name, "*"))
	}
	commands := strings.ReplaceAll(text, "\n> ", " ")
	for _, l := range rules.commands {
		words := strings.Join(l.words, " ")
		require.Contains(t, commands, " "+words)
	}
}

// ... and which actions a limited session may run, and an agent.
func TestLimitsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/profiles.md")
	require.NoError(t, err)
	_, text, found := strings.Cut(string(data), "\n## Scopes\n")
	require.True(t, found)
	scopes, text, found := strings.Cut(text, "\n## Agents\n")
	require.True(t, found)
	agents, _, found := strings.Cut(text, "\n## Filters\n")
	require.True(t, found)
	for _, l := range objectRules {
		require.Contains(t, scopes, "`"+l.action+"`")
	}
	for _, l := range agentRules {
		require.Contains(t, agents, "`"+l.action+"`")
	}
	for _, l := range setRules {
		require.Contains(t, agents, "`"+l.header+"`")
	}
}
