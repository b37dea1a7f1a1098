package pbx

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/state.md says of each field who tells it, in a table that follows from Fields.
func TestFieldsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/state.md")
	require.NoError(t, err)
	text := string(data)
	require.Contains(t, text, fieldTable(), "docs/state.md is to have this table")
	for _, choice := range questions {
		for _, q := range choice {
			require.Contains(t, text, "`"+q.Action+"`")
		}
	}
}

// fieldTable is a row for each object, and below it what is to be said of its fields.
func fieldTable() string {
	var objects []string
	told := map[string]*[3][]string{} // by events and lists, by lists, by events
	var notes strings.Builder
	for _, f := range Fields() {
		if told[f.Object] == nil {
			objects = append(objects, f.Object)
			told[f.Object] = &[3][]string{}
		}
		name := f.Name
		if name == "" {
			name = "that there is one"
		}
		column := 0
		switch {
		case !f.Event:
			column = 1
		case !f.List:
			column = 2
		}
		told[f.Object][column] = append(told[f.Object][column], name)
		if f.Note != "" {
			notes.WriteString("- " + f.Object + ", " + name + ": " + f.Note + "\n")
		}
	}
	var b strings.Builder
	b.WriteString("| | events and lists | lists only | events only |\n|--|--|--|--|\n")
	for _, object := range objects {
		b.WriteString("| " + object)
		for _, column := range told[object] {
			b.WriteString(" | " + strings.Join(column, ", "))
		}
		b.WriteString(" |\n")
	}
	return b.String() + "\n" + notes.String()
}
