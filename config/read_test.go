package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/config"
)

type daemon struct {
	Name     string    `toml:"name"`
	Upstream upstream  `toml:"upstream"`
	Listen   []*listen `toml:"listen" required:"true"`
	TLS      *pair     `toml:"tls"`
	shared
	Computed int // no key
}

type shared struct {
	Level string `toml:"level" oneof:"debug info"`
}

type upstream struct {
	Address string          `toml:"address" required:"true"`
	Secret  config.Secret   `toml:"secret"`
	Ping    config.Duration `toml:"ping_interval" min:"1s" max:"1h"`
	Backlog config.Size     `toml:"backlog" min:"64KiB"`
	Actions int             `toml:"action_connections" min:"0" max:"8"`
	Factor  float64         `toml:"factor" max:"1.5"`
	Quiet   bool            `toml:"quiet"`
}

type listen struct {
	Address string   `toml:"address" required:"true"`
	Format  string   `toml:"format" oneof:"native xml"`
	TLS     pair     `toml:"tls"`
	Permit  []string `toml:"permit" oneof:"here there"`
}

func (l *listen) Defaults() { l.Format = "native" }

type pair struct {
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

func (p pair) Check(report func(key, problem string)) {
	if p.Cert != "" && p.Key == "" {
		report("key", "is required where cert is set")
	}
}

func TestParse(t *testing.T) {
	got := daemon{Upstream: upstream{Actions: 3}}
	problems := config.Parse("ampd.toml", `
name = "pbx"
level = "info"
[upstream]
address = "127.0.0.1:5038"
secret = "hunter2"
ping_interval = "1m30s"
backlog = "4MiB"
factor = 1
quiet = true
[[listen]]
address = ":5039"
permit = ["here", "there"]
[[listen]]
address = ":5040"
format = "xml"
tls.cert = "a"
tls.key = "b"
`, &got)
	require.Empty(t, problems)
	require.NoError(t, problems.Err())
	require.Equal(t, daemon{
		Name:   "pbx",
		shared: shared{Level: "info"},
		Upstream: upstream{
			Address: "127.0.0.1:5038", Secret: "hunter2", Ping: config.Duration(90 * time.Second),
			Backlog: 4 << 20, Actions: 3, Factor: 1, Quiet: true,
		},
		Listen: []*listen{
			{Address: ":5039", Format: "native", Permit: []string{"here", "there"}},
			{Address: ":5040", Format: "xml", TLS: pair{"a", "b"}},
		},
	}, got)
}

// least is a file without mistakes, to add one to.
const least = "upstream.address = 'x'\nlisten = [{address = 'y'}]\n"

func TestEveryProblemIsNamedWithLineAndKey(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"nothing wrong": {text: least},
		"empty file": {text: "", want: []string{
			"f: upstream.address: is required",
			"f: listen: is required",
		}},
		"required key of a table": {text: "[upstream]\n[[listen]]\n\n[[listen]]\naddress = ''\n", want: []string{
			"f:1: upstream.address: is required",
			"f:2: listen[0].address: is required",
			"f:5: listen[1].address: must not be empty",
		}},
		"no element": {text: "upstream.address = 'x'\nlisten = []\n", want: []string{
			"f:2: listen: must not be empty",
		}},
		"unknown keys": {text: least + "nmae = 'x'\nwhatever = 1\n[upstrem]\naddress = 1\n", want: []string{
			"f:3: nmae: is not a known key: did you mean name?",
			"f:4: whatever: is not a known key",
			"f:5: upstrem: is not a known key: did you mean upstream?",
		}},
		"unknown keys of inline tables": {text: "upstream = {address = 'x', b = 1, a = 1}\nlisten = [\n{address = 'y'},\n{address = 'y', adress = 'z',\n'for.mat' = 1}]\n", want: []string{
			"f:1: upstream.a: is not a known key",
			"f:1: upstream.b: is not a known key",
			"f:4: listen[1].adress: is not a known key: did you mean address?",
			"f:5: listen[1].\"for.mat\": is not a known key: did you mean format?",
		}},
		"wrong types": {text: "name = 1\nlevel = ['info']\nlisten = {address = 'y'}\n[upstream]\naddress = true\nquiet = 'yes'\naction_connections = 1.5\nfactor = 'x'\nsecret = 12345\nping_interval = 2024-01-01\n", want: []string{
			"f:1: name: must be a string, not a whole number",
			"f:2: level: must be a string, not an array",
			"f:3: listen: begins with two brackets: [[listen]]",
			"f:5: upstream.address: must be a string, not true or false",
			"f:6: upstream.quiet: must be true or false, not a string",
			"f:7: upstream.action_connections: must be a whole number, not a number",
			"f:8: upstream.factor: must be a number, not a string",
			"f:9: upstream.secret: must be a string, not a whole number",
			"f:10: upstream.ping_interval: must be a string, not a date or time",
		}},
		"more wrong types": {text: "upstream = 5\nlisten = [{address='a', permit = 'here'}, 7]\n", want: []string{
			"f:1: upstream: must be a table, not a whole number",
			"f:2: listen[0].permit: must be an array, not a string",
			"f:2: listen[1]: must be a table, not a whole number",
		}},
		"brackets": {text: "[[upstream]]\naddress = 'x'\n[listen]\naddress = 'y'\n", want: []string{
			"f:1: upstream: begins with one bracket: [upstream]",
			"f:3: listen: begins with two brackets: [[listen]]",
		}},
		"keys of other tables": {text: "ping_interval = '1s'\ncert = 'c'\npermit = []\n" + least, want: []string{
			"f:1: ping_interval: is not a known key: it belongs to [upstream]",
			"f:2: cert: is not a known key: it belongs to [listen.tls]",
			"f:3: permit: is not a known key: it belongs to [[listen]]",
		}},
		"units": {text: least + "[upstream.x]\n", want: []string{"f:3: upstream.x: is not a known key"}},
		"no units": {text: "listen = [{address='a'}]\n[upstream]\naddress='b'\nping_interval = 30\nbacklog = 65536\n", want: []string{
			`f:4: upstream.ping_interval: needs a unit: write "30s", "500ms", "2m", "1h" or "7d"`,
			`f:5: upstream.backlog: needs a unit: write "512B", "64KiB" or "4MiB"`,
		}},
		"bounds": {text: "listen = [{address='a'}]\n[upstream]\naddress='b'\nping_interval = '90m'\nbacklog = '1KiB'\naction_connections = 9\nfactor = 1.6\n", want: []string{
			"f:4: upstream.ping_interval: is 1h30m and must be from 1s to 1h",
			"f:5: upstream.backlog: is 1KiB and must be at least 64KiB",
			"f:6: upstream.action_connections: is 9 and must be from 0 to 8",
			"f:7: upstream.factor: is 1.6 and must be at most 1.5",
		}},
		"one of": {text: least + "level = 'warn'\n", want: []string{
			`f:3: level: is "warn" and must be one of: debug, info`,
		}},
		"one of, in an array": {text: "upstream.address = 'x'\n[[listen]]\naddress = 'y'\npermit = [\n 'here', # fine\n 'where']\n", want: []string{
			`f:6: listen[0].permit[1]: is "where" and must be one of: here, there`,
		}},
		"checks": {text: "upstream.address = 'x'\n[[listen]]\naddress = 'y'\n[listen.tls]\ncert = 'c'\n[tls]\ncert = 'x'\nkey = 1\n", want: []string{
			"f:4: listen[0].tls.key: is required where cert is set",
			"f:8: tls.key: must be a string, not a whole number",
		}},
		"syntax errors, and what else there is": {text: "name = pbx\nlevel = 'x'\nname = 'y'\n[upstream]\naddress 'x'\nsecret = \"abc\n", want: []string{
			`f:1: name: has no value that can be read: text needs quotes, an array its closing bracket`,
			`f:2: level: is "x" and must be one of: debug, info`,
			`f:5: upstream: has a line without = between key and value`,
			`f:6: upstream.secret: lacks the quote that ends the text`,
		}},
		"defined twice": {text: least + "name = 'a'\nname = 'b'\n", want: []string{
			"f:4: name: is defined twice",
		}},
		"a syntax error that hides the rest": {text: least + "x = [1,\ny = 2\nz = 3\n", want: []string{
			"f:4: x: has no value that can be read: text needs quotes, an array its closing bracket",
		}},
		"another encoding": {text: "\xff\xfen\x00=\x001\x00", want: []string{
			"f:1: is not UTF-8 but UTF-16: save it as UTF-8",
		}},
		"a table twice": {text: least + "[tls]\ncert = 'a'\nkey = 'b'\n[tls]\n", want: []string{
			"f:6: tls: is defined twice",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range config.Parse("f", tc.text, &daemon{}) {
				got = append(got, p.String())
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ampd.toml")
	require.EqualError(t, config.Read(file, &daemon{}).Err(), file+": cannot be read: no such file or directory")

	require.NoError(t, os.WriteFile(file, []byte("name = 1"), 0o600))
	require.Equal(t, file+":1: name: must be a string, not a whole number", config.Read(file, &daemon{})[2].String())
}

// TestNoProblemShowsASecret breaks a file with a secret in every single place.
func TestNoProblemShowsASecret(t *testing.T) {
	const secret = "hunter2xyz"
	for _, value := range []string{`"` + secret + `"`, `'` + secret + `'`, `"""` + secret + `"""`, secret, "+" + secret, "0x" + secret, "[" + secret} {
		text := least + "upstream.secret = " + value + " # comment\n"
		for i := range len(text) {
			for _, broken := range []string{
				text[:i] + text[i+1:],                      // a byte left out
				text[:i] + "\\" + text[i:],                 // a backslash put in
				text[:i] + "\"" + text[i:],                 // a quote put in
				text[:i] + "\n" + text[i:],                 // a line broken
				text[:i] + "\x00" + text[i:],               // a control character put in
				text[:i] + "9999999999999999" + text[i:],   // a number put in
				strings.Replace(text, "secret", "ping", i), // the wrong key
			} {
				for _, p := range config.Parse("f", broken, &daemon{}) {
					require.NotContains(t, p.Text, secret[:6], "%q", broken)
					require.NotContains(t, p.Text, secret[len(secret)-6:], "%q", broken)
				}
			}
		}
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	u := upstream{Secret: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %v"} {
		require.NotContains(t, fmt.Sprintf(verb, u, u), "hunter2", verb)
		require.NotContains(t, fmt.Sprintf(verb, u.Secret, u.Secret), "hunter2", verb)
		require.NotContains(t, fmt.Sprintf(verb, u, u), fmt.Sprintf("%x", "hunter2"), verb)
	}
	encoded, err := json.Marshal(u)
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "hunter2")
	require.Equal(t, "hunter2", string(u.Secret))
}
