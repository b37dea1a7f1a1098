package codec_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

func decode(t *testing.T, side native.Side, lines string) *codec.Packet {
	t.Helper()
	var p codec.Packet
	wire := strings.ReplaceAll(lines, "|", "\r\n") + "\r\n\r\n"
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), side).Decode(&p))
	return &p
}

func TestActionName(t *testing.T) {
	tests := map[string]string{
		"Action: Ping":                  "Ping",
		"ActionID: 1|aCTION:  Ping ":    "Ping ",
		"Action: |Action: Ping":         "Ping",
		"Action: Ping|Action: Logoff":   "Ping",
		"Action : Ping":                 "",
		" Action: Ping":                 "",
		"X: Action: Ping|no colon here": "",
	}
	for lines, want := range tests {
		t.Run(lines, func(t *testing.T) {
			require.Equal(t, want, decode(t, native.FromClient, lines).ActionName())
		})
	}
}

// Only what Asterisk wrote counts in a UserEvent: its sender may add any header.
func TestIndex(t *testing.T) {
	const user = "Event: UserEvent|Privilege: user,all|UserEvent: X|"
	tests := map[string]struct {
		lines, name string
		want        int
	}{
		"the first of a name":             {"Event: A|X: 1|x: 2", "X", 1},
		"none":                            {"Event: A|X: 1", "Y", -1},
		"before the user's part":          {user + "Privilege: system,all", "Privilege", 1},
		"in the user's part":              {user + "Channel: PJSIP/1", "Channel", -1},
		"the id right behind":             {user + "ActionID: 7|ActionID: 8", "ActionID", 3},
		"an id further behind":            {user + "X: 1|ActionID: 8", "ActionID", -1},
		"a UserEvent header elsewhere":    {"Event: A|UserEvent: x|Channel: c", "Channel", 2},
		"UserEvent's own name, any case":  {"event: USEREVENT|userevent: X|Channel: c", "Channel", -1},
		"a header that says UserEvent is": {user + "UserEvent: Y", "UserEvent", 2},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, decode(t, native.FromAsterisk, tc.lines).Index(tc.name))
		})
	}
}

func TestLinesStandBesideHeaders(t *testing.T) {
	p := decode(t, native.FromClient, "Action:Ping|no colon|A:B|C : D")
	var lines []string
	for i, line := range p.Lines() {
		require.Len(t, lines, i)
		lines = append(lines, string(line))
	}
	require.Equal(t, []string{"Action:Ping", "no colon", "A:B", "C : D"}, lines)
	require.Len(t, p.Headers, 4)
}
