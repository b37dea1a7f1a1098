package profiles

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
