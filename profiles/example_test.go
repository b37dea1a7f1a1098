package profiles

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

func TestExampleLoadsAndNamesEveryKey(t *testing.T) {
	text, err := os.ReadFile("../profiles.toml.example")
	require.NoError(t, err)
	store, problems := Parse("profiles.toml.example", string(text), nil)
	require.NoError(t, problems.Err())
	require.Len(t, store.Profiles(), 5)

	for _, table := range []reflect.Type{reflect.TypeFor[entry](), reflect.TypeFor[person]()} {
		for f := range table.Fields() {
			require.Regexp(t, `(?m)(^|\W)`+f.Tag.Get("toml")+`\W`, string(text))
		}
	}
}

// TestDocumentedProfilesLoad loads each example of docs/profiles.md.
func TestDocumentedProfilesLoad(t *testing.T) {
	text, err := os.ReadFile("../docs/profiles.md")
	require.NoError(t, err)
	blocks := strings.Split(string(text), "```toml\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		example, _, closed := strings.Cut(block, "```")
		require.True(t, closed)
		_, problems := Parse("docs/profiles.md", example, nil)
		require.NoError(t, problems.Err(), "%s", example)
	}
}

// TestDocumentedUpdatesWork makes the changes that docs/profiles.md shows.
func TestDocumentedUpdatesWork(t *testing.T) {
	text, err := os.ReadFile("../docs/profiles.md")
	require.NoError(t, err)
	_, packets, found := strings.Cut(string(text), "```\nAction: ProfileUpdate\n")
	require.True(t, found)
	packets, _, _ = strings.Cut(packets, "```")
	h := build(t, small, "", nil)
	for packet := range strings.SplitSeq(packets, "\n\nAction: ProfileUpdate\n") {
		lines := strings.Split(strings.TrimSpace(packet), "\n")
		name, found := strings.CutPrefix(lines[1], "Profile: ")
		require.True(t, found)
		require.NoError(t, h.store.Update(h.profile("root"), name, headers(lines[2:]...)))
	}
	require.Equal(t, &Profile{
		Name: "wallboard-2", Types: []Type{Monitor}, Read: codec.Call | codec.Agent, Disabled: true,
		Networks: Networks{Permit: networks(t, "10.0.0.0/8", "unix")}, Filters: []Filter{{Expr: "!Event: VarSet"}, {Expr: "!Event: Newexten"}},
		OnUpstreamLoss: "stay", Dialect: "asterisk",
	}, h.profile("wallboard-2"))
}

// TestEveryKeyIsDocumented finds each in the table of docs/profiles.md.
func TestEveryKeyIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/profiles.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(text), "| key | what it is | default |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, key := range keys {
		require.Contains(t, table, "`"+key+"`")
	}
}
