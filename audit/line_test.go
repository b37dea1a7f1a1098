package audit

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 1_500_000, time.FixedZone("", 2*3600))

func TestLine(t *testing.T) {
	tests := map[string]struct {
		line Line
		want string
	}{
		"an action": {
			Line{
				Time: noon, Client: 7, Profile: "crm", Address: "192.0.2.1", Event: "action", Action: "Hangup",
				Params: []codec.Header{{Name: "Channel", Value: "PJSIP/alice-00000001"}, {Name: "Cause", Value: "16"}},
				Result: "allowed", Latency: 12345678 * time.Nanosecond,
			},
			`{"time":"2026-05-17T12:00:00.001500+02:00","event":"action","result":"allowed","client":7,"address":"192.0.2.1","profile":"crm",` +
				`"action":"Hangup","params":[["Channel","PJSIP/alice-00000001"],["Cause","16"]],"latency_ms":12.346}`,
		},
		"a refused action": {
			Line{Time: noon.UTC(), Client: 7, Profile: "crm", Address: "unix", Event: "action", Action: "Reload", Result: "refused", Rule: "class system"},
			`{"time":"2026-05-17T10:00:00.001500Z","event":"action","result":"refused","rule":"class system","client":7,"address":"unix","profile":"crm","action":"Reload"}`,
		},
		"a refused login": {
			Line{Time: noon, Client: 8, Profile: "", Address: "2001:db8::1", Event: "login", Result: "refused", Rule: "no such profile"},
			`{"time":"2026-05-17T12:00:00.001500+02:00","event":"login","result":"refused","rule":"no such profile","client":8,"address":"2001:db8::1","profile":""}`,
		},
		"what a terminal takes amiss": {
			Line{
				Time: noon, Profile: "a\"b\\c\r\n\x00\x1b[2J\x7f", Address: "unix", Event: "login",
				Result: "error: \u202egnol\u2028\u009b\u0085", Rule: "\U000e0041 \u00fc \U0001f600",
			},
			`{"time":"2026-05-17T12:00:00.001500+02:00","event":"login","result":"error: \u202egnol\u2028\u009b\u0085","rule":"\udb40\udc41 ü 😀",` +
				`"client":0,"address":"unix","profile":"a\"b\\c\u000d\u000a\u0000\u001b[2J\u007f"}`,
		},
		"what is not UTF-8": {
			Line{Time: noon, Profile: "M\xfcller", Address: "unix", Event: "login", Result: "allowed"},
			`{"time":"2026-05-17T12:00:00.001500+02:00","event":"login","result":"allowed","client":0,"address":"unix","profile":"Müller"}`,
		},
		"what is too long": {
			Line{
				Time: noon, Profile: strings.Repeat("p", 81), Address: "unix", Event: "action", Action: strings.Repeat("ü", 41),
				Params: []codec.Header{{Name: strings.Repeat("n", 80), Value: strings.Repeat("v", 257)}}, Result: "allowed",
			},
			`{"time":"2026-05-17T12:00:00.001500+02:00","event":"action","result":"allowed","client":0,"address":"unix","profile":"` + strings.Repeat("p", 80) + `...",` +
				`"action":"` + strings.Repeat("ü", 40) + `...","params":[["` + strings.Repeat("n", 80) + `","` + strings.Repeat("v", 256) + `..."]]}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want+"\n", string(tc.line.append(nil)))
		})
	}
}

// FuzzLine: whatever a client chose, there is one line of printable text, JSON with the
// keys in their order, and each value stands under its own.
func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"", `x","address":"1.2.3.4`, "x\"}\n{\"time\":\"2026", `\`, "\\\"", "\r\n", "\xff\xfe", "\u2028", "\u009b0m", "\U0010ffff", strings.Repeat("\"", 400),
	} {
		f.Add(s, "value", "profile")
		f.Add("Name", s, s)
	}
	f.Fuzz(func(t *testing.T, name, value, other string) {
		line := Line{
			Time: noon, Client: 7, Profile: other, Address: "192.0.2.1", Event: "login", Action: name + ".",
			Params: []codec.Header{{Name: name, Value: value}, {Name: other, Value: name}}, Result: value, Latency: time.Second, Rule: other + ".",
		}
		text := string(line.append(nil))
		text, whole := strings.CutSuffix(text, "\n")
		require.True(t, whole)
		require.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", text)

		var keys []string
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		_, err := decoder.Token()
		require.NoError(t, err)
		for decoder.More() {
			key, err := decoder.Token()
			require.NoError(t, err)
			keys = append(keys, key.(string))
			var any json.RawMessage
			require.NoError(t, decoder.Decode(&any))
		}
		require.Equal(t, []string{"time", "event", "result", "rule", "client", "address", "profile", "action", "params", "latency_ms"}, keys)

		var read struct {
			Address, Profile, Action, Result, Rule string
			Params                                 [][2]string
		}
		require.NoError(t, json.Unmarshal([]byte(text), &read))
		require.Equal(t, "192.0.2.1", read.Address)
		require.Len(t, read.Params, 2)
		for _, pair := range [][2]string{
			{other, read.Profile},
			{name + ".", read.Action},
			{value, read.Result},
			{other + ".", read.Rule},
			{name, read.Params[0][0]},
			{value, read.Params[0][1]},
		} {
			start, _ := strings.CutSuffix(pair[1], "...")
			require.True(t, strings.HasPrefix(utf8Of(pair[0]), start), "%q of %q", pair[1], pair[0])
			if len(pair[0]) <= mostName {
				require.Equal(t, utf8Of(pair[0]), pair[1])
			}
		}
	})
}

// utf8Of takes the bytes that are not UTF-8 for Latin-1.
func utf8Of(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], "\ufffd") {
			r = rune(s[i])
		}
		b.WriteRune(r)
	}
	return b.String()
}
