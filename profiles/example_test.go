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
