package config

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"
)

func TestKeyLines(t *testing.T) {
	text := `# comment with a = 1 and [brackets]
a = 1 # comment
b.c . "d.e" = "x = 1 # no comment"
'f' = """
first = 1
\""" "" ""\
second"""""
g = '''
[no table]
''''
h = 1979-05-27 07:32:00 # a blank inside a value
array = [ # elements
  "one", 'two', # two of them
  [
    3],
  {x = 1, y.z = [
     {w = 2}]},
]
[ table . sub ] # comment
k = "\"]"
"q\u00e9" = 1
inline = {p = {q = 1,
  r = 2}, s = 3}
[[list]]
name = "first"
[list.inner]
k = 1
[[list.deep]]
k = 1
[[list.deep]]
k = 1
[[list]]
name = "second"
  [[list.deep]]
  k = 1
last = true`
	require.Equal(t, map[string]int{
		"a": 2, "b": 3, "b.c": 3, `b.c."d.e"`: 3, "f": 4, "g": 8, "h": 11,
		"array": 12, "array[0]": 13, "array[1]": 13, "array[2]": 14, "array[2][0]": 15,
		"array[3]": 16, "array[3].x": 16, "array[3].y": 16, "array[3].y.z": 16, "array[3].y.z[0]": 17, "array[3].y.z[0].w": 17,
		"table": 19, "table.sub": 19, "table.sub.k": 20, `table.sub."qé"`: 21,
		"table.sub.inline": 22, "table.sub.inline.p": 22, "table.sub.inline.p.q": 22, "table.sub.inline.p.r": 23, "table.sub.inline.s": 23,
		"list": 24, "list[0]": 24, "list[0].name": 25, "list[0].inner": 26, "list[0].inner.k": 27,
		"list[0].deep": 28, "list[0].deep[0]": 28, "list[0].deep[0].k": 29, "list[0].deep[1]": 30, "list[0].deep[1].k": 31,
		"list[1]": 32, "list[1].name": 33, "list[1].deep": 34, "list[1].deep[0]": 34, "list[1].deep[0].k": 35, "list[1].deep[0].last": 36,
	}, keyLines(text))
	require.NotContains(t, keyLines(strings.ReplaceAll(text, "\n", "\r\n")), "array[4]")
	require.Equal(t, keyLines(text), keyLines(strings.ReplaceAll(text, "\n", "\r\n")), "with CRLF")
	require.Equal(t, keyLines(text), keyLines("\ufeff"+text), "with a byte order mark")
}

// FuzzKeyLines: in every text that is TOML each key and element has a line, the
// line is one of the text's, and nothing else has one.
func FuzzKeyLines(f *testing.F) {
	for _, s := range []string{
		"a = 1\n", "[a]\nb = [1, 2]\n", "[[a.b]]\n[[a.b]]\n[a.b.c]\n", "a = {b = 1, c.d = '''\n'''}", "\"\" = 1\n'' .b = 2",
		"a = \"\"\"\\\r\n x\\\\\"\"\"\"\"\nb=''''x'''''", "a = [[], {}, [{}], [1, # x\n]]", "\"\\e\\x41\\u0041\" = inf", "a.b=1\na.c=2\r\n[x.\"y.z\"]",
		"\"\\\\e\\xe9\" = 1", "[[a]]\nb=[{c=1},{c=2}]\n[a.d]", "[a . b]\n", "a = 1979-05-27T07:32:00Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var tree map[string]any
		if _, err := toml.Decode(text, &tree); err != nil || isUTF16(text) {
			return
		}
		lines := keyLines(text)
		paths := map[string]bool{}
		collect(paths, "", tree)
		for path := range paths {
			require.Contains(t, lines, path)
		}
		for path, n := range lines {
			require.Contains(t, paths, path)
			require.True(t, n >= 1 && n <= strings.Count(text, "\n")+1, "%s: line %d", path, n)
		}
	})
}

func collect(paths map[string]bool, path string, v any) {
	if path != "" {
		paths[path] = true
	}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			collect(paths, join(path, quoted(k)), e)
		}
	case []map[string]any:
		for i, e := range v {
			collect(paths, element(path, i), e)
		}
	case []any:
		for i, e := range v {
			collect(paths, element(path, i), e)
		}
	}
}
