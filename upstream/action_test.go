package upstream

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/codec"
	"ampd/codec/native"
)

// wireClient is a client that only builds what it would send.
func wireClient() *Client {
	c := New(DefaultConfig(), nil, zap.NewNop(), NewMetrics(prometheus.NewRegistry()))
	c.ids.prefix = "ampd-0-"
	return c
}

func TestWhatIsSentIsBuiltFromWhatWasJudged(t *testing.T) {
	long := strings.Repeat("x", native.MaxLine)
	tests := map[string]struct {
		wire    string         // as it came, or
		headers []codec.Header // without Raw
		want    string
		refused string
	}{
		"plain": {
			wire: "Action: Status\r\nActionID: 7\r\nChannel: PJSIP/1\r\n\r\n",
			want: "Action: Status|ActionID: ampd-0-1|Channel: PJSIP/1|",
		},
		"the client's order stays, Action goes first": {
			wire: "Channel: a\r\nactionid: 7\r\nACTION: status\r\nVariables: b\r\n\r\n",
			want: "Action: status|ActionID: ampd-0-1|Channel: a|Variables: b|",
		},
		"a line keeps its own bytes": {
			wire: "Action: UserEvent\nUserEvent:A\nA:B\nC:   d \nEmpty:\nBlank: \nuri: sip:1@x:5060\n\n",
			want: "Action: UserEvent|ActionID: ampd-0-1|UserEvent:A|A:B|C:   d |Empty:|Blank: |uri: sip:1@x:5060||Action: Ping|ActionID: ampd-0-2|",
		},
		"no second Action or ActionID, no line without colon": {
			wire: "Action: Status\r\nActionID: 1\r\naction: Command\r\nActionId: 2\r\nCommand\r\n:x\r\n\r\n",
			want: "Action: Status|ActionID: ampd-0-1|",
		},
		"a value ends at its NUL": {
			wire: "Action: Getvar\r\nVariable: a\x00b\r\n\r\n",
			want: "Action: Getvar|ActionID: ampd-0-1|Variable: a|",
		},
		"without Raw": {
			headers: []codec.Header{{Name: "Action", Value: "Getvar"}, {Name: "Variable", Value: "a"}, {Name: "Variable", Value: ""}},
			want:    "Action: Getvar|ActionID: ampd-0-1|Variable: a|Variable: |",
		},
		"LF in a value":       {headers: []codec.Header{{Name: "Action", Value: "Getvar"}, {Name: "Variable", Value: "a\nAction: Command"}}, refused: textCharacter},
		"NUL in a value":      {headers: []codec.Header{{Name: "Action", Value: "Getvar"}, {Name: "Variable", Value: "a\x00"}}, refused: textCharacter},
		"CR in a value":       {wire: "Action: Getvar\r\nVariable: a\rb\r\n\r\n", refused: textCharacter},
		"CR in Action":        {wire: "Action: Ping\rActionID: 1\r\n\r\n", refused: textCharacter},
		"LF in a name":        {headers: []codec.Header{{Name: "Action", Value: "Getvar"}, {Name: "X\nY", Value: "a"}}, refused: textCharacter},
		"colon in a name":     {headers: []codec.Header{{Name: "Action", Value: "Getvar"}, {Name: "Channel: a", Value: "b"}}, refused: textCharacter},
		"CR in ActionID":      {wire: "Action: Getvar\r\nActionID: a\rb\r\n\r\n", refused: textCharacter},
		"longest line":        {wire: "Action: Getvar\r\nVariable: " + long[:1012] + "\r\n\r\n", want: "Action: Getvar|ActionID: ampd-0-1|Variable: " + long[:1012] + "|"},
		"line too long":       {headers: []codec.Header{{Name: "Action", Value: "Getvar"}, {Name: "Variable", Value: long[:1013]}}, refused: textLine},
		"action too long":     {headers: []codec.Header{{Name: "Action", Value: long[:1015]}}, refused: textLine},
		"most lines":          {wire: "Action: Getvar\r\n" + strings.Repeat("V: 1\r\n", 126) + "\r\n", want: "Action: Getvar|ActionID: ampd-0-1|" + strings.Repeat("V: 1|", 126)},
		"too many, its own":   {wire: "Action: Getvar\r\n" + strings.Repeat("V: 1\r\n", 127) + "\r\n", refused: textLines},
		"too many with Async": {wire: "Action: Originate\r\nApplication: Echo\r\n" + strings.Repeat("V: 1\r\n", 125) + "\r\n", refused: textLines},
		"no Action":           {wire: "ActionID: 3\r\n\r\n", refused: textNoAction},
		"no fence for Queues that the table knows to have none": {
			wire: "Action: Queues\r\n\r\n",
			want: "Action: Queues|ActionID: ampd-0-1||Action: Ping|ActionID: ampd-0-2|",
		},
		"a fence behind what the table does not know": {
			wire: "Action: SCCPShowLines\r\nActionID: 9\r\n\r\n",
			want: "Action: SCCPShowLines|ActionID: ampd-0-1||Action: Ping|ActionID: ampd-0-2|",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := &codec.Packet{Headers: tc.headers}
			if tc.wire != "" {
				require.NoError(t, native.NewDecoder(strings.NewReader(tc.wire), native.FromClient).Decode(p))
			}
			r, refusal := wireClient().newRun(&Call{Action: p})
			if tc.refused != "" {
				require.Equal(t, "Error", refusal.Name())
				require.Equal(t, tc.refused, refusal.Get("Message"))
				return
			}
			require.Nil(t, refusal)
			require.Equal(t, tc.want+"|", strings.ReplaceAll(string(r.wire), "\r\n", "|"))
		})
	}
}

func TestRefusalsSpeakAsAsteriskDoes(t *testing.T) {
	many := &codec.Packet{Headers: []codec.Header{{Name: "Action", Value: "Getvar"}, {Name: "ActionID", Value: "x"}}}
	for range 127 {
		many.Headers = append(many.Headers, codec.Header{Name: "V", Value: "1"})
	}
	_, refusal := wireClient().newRun(&Call{Action: many})
	require.Equal(t, "Response: Error\r\nActionID: x\r\nMessage: Too many lines in message or allocation failure\r\n\r\n", string(refusal.Raw))

	long := &codec.Packet{Headers: []codec.Header{
		{Name: "Action", Value: "Getvar"},
		{Name: "ActionID", Value: "x"},
		{Name: "Variable", Value: strings.Repeat("x", 1024)},
	}}
	_, refusal = wireClient().newRun(&Call{Action: long})
	require.Equal(t, "Response: Error\r\nMessage: Failed to parse message: line too long\r\n\r\n", string(refusal.Raw))
}

func TestWhichOriginatesAreMadeAsync(t *testing.T) {
	const as, async = false, true
	tests := map[string]struct {
		lines string
		want  bool
	}{
		"an application":           {"Application: Echo", async},
		"an extension":             {"Context: a|Exten: 1|Priority: 1", async},
		"a label":                  {"Context: a|Exten: 1|Priority: start", async},
		"told not to be async":     {"Application: Echo|Async: false", async},
		"async already":            {"Application: Echo|Async: TRUE", as},
		"the first Async counts":   {"Application: Echo|Async: no|Async: yes", async},
		"PreDialGoSub":             {"Application: Echo|PreDialGoSub: a,b,1", as},
		"neither":                  {"Context: a|Exten: 1", as},
		"empty both":               {"Application: |Priority: ", as},
		"priority 0 is none":       {"Context: a|Exten: 1|Priority: 0", as},
		"sscanf stops at a letter": {"Context: a|Exten: 1|Priority: +0x1", as},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			action := parse(t, append([]string{"Action: originate", "Channel: PJSIP/1"}, strings.Split(tc.lines, "|")...)...)
			r, refusal := wireClient().newRun(&Call{Action: action})
			require.Nil(t, refusal)
			require.Equal(t, tc.want, r.converted)
			require.Equal(t, tc.want, strings.HasPrefix(string(r.wire), "Action: originate\r\nActionID: ampd-0-1\r\nAsync: true\r\n"))
			if tc.want {
				require.Equal(t, 1, strings.Count(strings.ToLower(string(r.wire)), "\nasync"))
				require.False(t, r.slow)
			}
		})
	}
}

func TestHowLongAnActionMayTake(t *testing.T) {
	tests := map[string]time.Duration{
		"Action: Status":                                                30 * time.Second,
		"Action: Originate|Application: Echo":                           30 * time.Second, // made async
		"Action: Originate|Async: 1|Timeout: 60000":                     30 * time.Second,
		"Action: Originate|PreDialGoSub: a":                             60 * time.Second,
		"Action: Originate|PreDialGoSub: a|Timeout: 5000":               35 * time.Second,
		"Action: Originate|PreDialGoSub: a|Timeout: x":                  60 * time.Second,
		"Action: PlayDTMF|Duration: 10000":                              40 * time.Second,
		"Action: playmf|Duration: 2500ms":                               32500 * time.Millisecond,
		"Action: PlayDTMF|Duration: -5":                                 30 * time.Second,
		"Action: PlayDTMF|Duration: 99999999999999999999":               longest + 30*time.Second,
		"Action: Originate|PreDialGoSub: a|Timeout: 999999999999999999": longest + 30*time.Second,
	}
	for lines, want := range tests {
		t.Run(lines, func(t *testing.T) {
			r, refusal := wireClient().newRun(&Call{Action: parse(t, strings.Split(lines, "|")...)})
			require.Nil(t, refusal)
			require.Equal(t, want, r.limit)
		})
	}
}

func TestNeverUpstreamForAClient(t *testing.T) {
	for _, name := range []string{"Login", "logoff", "CHALLENGE", "Events", "Filter", "WaitEvent", "Ping", "ListCommands"} {
		onBench(t, newFake(), nil, func(t *testing.T, b *bench) {
			b.start()
			b.submit("a", 1, "Action: "+name, "ActionID: 4")
			require.Equal(t, []string{"a Response: Error|ActionID: 4|Message: Permission denied ."}, b.take())
			require.Empty(t, b.fake.actions())
		})
	}
}

// FuzzSentIsWhatWasJudged states: whatever is sent is one packet within Asterisk's
// limits whose headers are the judged ones, in their order, but for Action, ActionID,
// Async and what Asterisk would not look at.
func FuzzSentIsWhatWasJudged(f *testing.F) {
	f.Add([]byte("Action: Originate\r\nChannel: a\r\nApplication: Echo\r\nAsync: no\r\n\r\n"))
	f.Add([]byte("Action: Getvar\nVariable: a\x00b\nActionID: x\nActionID: y\nz\n\n"))
	f.Add([]byte("A: B\r\nAction:  UserEvent\r\n B : c\r\n\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		judged := new(codec.Packet)
		if native.NewDecoder(strings.NewReader(string(wire)), native.FromClient).Decode(judged) != nil {
			return
		}
		r, refusal := wireClient().newRun(&Call{Action: judged})
		if refusal != nil {
			return
		}
		dec := native.NewDecoder(strings.NewReader(string(r.wire)), native.FromClient)
		sent := new(codec.Packet)
		require.NoError(t, dec.Decode(sent))
		if r.fence == "" {
			require.Zero(t, dec.Buffered())
		}
		want := []codec.Header{{Name: "Action", Value: judged.Get("Action")}, {Name: "ActionID", Value: "ampd-0-1"}}
		if r.converted {
			want = append(want, codec.Header{Name: "Async", Value: "true"})
		}
		for _, h := range judged.Headers {
			switch name := strings.ToLower(h.Name); {
			case name == "" || name == "action" || name == "actionid" || r.converted && name == "async":
			default:
				want = append(want, h)
			}
		}
		require.Equal(t, want, sent.Headers)
	})
}
