package commands

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/rights"
	"ampd/upstream"
)

// What Asterisk 22 answers to "Events" with each mask: On where any class is left,
// Off where none is.
func TestParseMask(t *testing.T) {
	letterC := codec.Call | codec.Command | codec.Config | codec.CDR | codec.CC
	tests := map[string]struct {
		want codec.Classes
		ok   bool
	}{
		"":                       {0, false},
		"on":                     {codec.All, true},
		"ON":                     {codec.All, true},
		"t":                      {codec.All, true},
		"Off":                    {0, true},
		"n":                      {0, true},
		"call":                   {codec.Call, true},
		"Call":                   {0, true},
		"ca":                     {0, true},
		"call,agent":             {codec.Call | codec.Agent, true},
		"system, call":           {codec.System, true},
		"nosuch":                 {0, true},
		"nosuch,call":            {codec.Call, true},
		"calls,x":                {0, true},
		"c,x":                    {letterC, true},
		"call,c":                 {codec.Call, true},
		"call,":                  {codec.Call, true},
		"all":                    {codec.All, true},
		"none":                   {0, true},
		"2":                      {codec.Call, true},
		"0":                      {0, true},
		"-1":                     {0, true},
		"1,2":                    {0, true},
		"4294967295":             {codec.All, false},
		"99999999999":            {codec.Classes(99999999999&0xffffffff) & codec.All, true},
		"9999999999999999999999": {codec.All, true},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			got, ok := ParseMask(text)
			require.Equal(t, tc.ok, ok)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestLeadingInt(t *testing.T) {
	tests := map[string]struct {
		want int64
		ok   bool
	}{
		"":      {0, false},
		"5":     {5, true},
		" \t7x": {7, true},
		"0x1F":  {31, true},
		"010":   {8, true},
		"08":    {0, true},
		"-3":    {-3, true},
		"+3":    {3, true},
		"soon":  {0, false},
		"1.5":   {1, true},
		"0":     {0, true},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			n, ok := leadingInt(text)
			require.Equal(t, tc.ok, ok)
			require.Equal(t, tc.want, n)
		})
	}
	n, ok := leadingInt(strings.Repeat("9", 40))
	require.True(t, ok)
	require.Greater(t, n, int64(maxWait))
}

func action(t *testing.T, lines string) *codec.Packet {
	t.Helper()
	var p codec.Packet
	require.NoError(t, native.NewDecoder(strings.NewReader(lines+"\n\n"), native.FromClient).Decode(&p))
	return &p
}

func administrator(t *testing.T) *State {
	t.Helper()
	subject, err := rights.New(rights.Grant{Type: rights.Administrator, Read: codec.All, Write: codec.All}, pbx.New())
	require.NoError(t, err)
	return &State{Rights: subject, Filters: subject.Filters(), Mask: codec.All}
}

// Texts observed with Asterisk 22 unless the test says otherwise.
func TestAnswers(t *testing.T) {
	env := &Env{Now: time.UnixMicro(1795255561088690), Upstream: &upstream.Info{Version: "11.0.0"}}
	sixteen := &Env{Now: env.Now, Upstream: &upstream.Info{Version: "5.0.4"}}
	tests := map[string]struct {
		env    *Env
		action string
		want   string
	}{
		"ping":              {env, "Action: Ping\nActionID: p1", "Response: Success\r\nActionID: p1\r\nPing: Pong\r\nTimestamp: 1795255561.088690\r\n\r\n"},
		"an empty ActionID": {env, "Action: Ping\nActionID: ", "Response: Success\r\nPing: Pong\r\nTimestamp: 1795255561.088690\r\n\r\n"},
		"login":             {env, "Action: Login", "Response: Success\r\nMessage: Already authenticated\r\n\r\n"},
		"logoff":            {env, "Action: Logoff", "Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n"},
		"events":            {env, "Action: Events\nActionID: e\nEventMask: on", "Response: Success\r\nActionID: e\r\nEvents: On\r\n\r\n"},
		"events off":        {env, "Action: Events\nEventMask: nosuch", "Response: Success\r\nEvents: Off\r\n\r\n"},
		"no mask":           {env, "Action: Events", "Response: Error\r\nMessage: Invalid event mask\r\n\r\n"},
		"filter":            {env, "Action: Filter\nOperation: add\nFilter: !Event: RTCP.*", "Response: Success\r\nMessage: Success\r\n\r\n"},
		"no operation":      {env, "Action: Filter\nFilter: x", "Response: Error\r\nMessage: Unknown operation\r\n\r\n"},
		"no filter":         {env, "Action: Filter\nOperation: Add", "Response: Error\r\nMessage: Filter was formatted incorrectly.  Check the syntax of the filter given.\r\n\r\n"},
		"no filter in 16":   {sixteen, "Action: Filter\nOperation: Add", "Response: Success\r\nMessage: Success\r\n\r\n"},
		"commands unknown":  {&Env{}, "Action: ListCommands", "Response: Error\r\nMessage: Upstream not connected\r\n\r\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := action(t, tc.action)
			run, ok := own[strings.ToLower(a.Get("Action"))]
			require.True(t, ok)
			require.Equal(t, tc.want, string(run(administrator(t), tc.env, a).Packets))
		})
	}
}

func TestFiltersAreBounded(t *testing.T) {
	s, env := administrator(t), &Env{}
	a := action(t, "Action: Filter\nOperation: Add\nFilter: x")
	for range rights.MaxFilters {
		require.Contains(t, string(filter(s, env, a).Packets), "Success")
	}
	require.Contains(t, string(filter(s, env, a).Packets), "A session has at most 16 filters")
}

func TestWaitEventBringsTheEventsThatEndedIt(t *testing.T) {
	answer := waitEvent(nil, nil, action(t, "Action: WaitEvent\nActionID: w\nTimeout: 2"))
	require.Equal(t, 2*time.Second, answer.Wait.Timeout)
	require.Equal(t, "Response: Success\r\nActionID: w\r\nMessage: Waiting for Event completed.\r\n\r\n"+
		"Event: A\r\n\r\nEvent: WaitEventComplete\r\nActionID: w\r\n\r\n",
		string(answer.Wait.Begin())+"Event: A\r\n\r\n"+string(answer.Wait.End()))
	require.Negative(t, waitEvent(nil, nil, action(t, "Action: WaitEvent\nTimeout: -2")).Wait.Timeout)
}

// In the ampd dialect ListCommands has the commands of ampd's own too, as far as the profile may
// run them.
func TestListCommandsHasOwnCommandsInTheAmpdDialect(t *testing.T) {
	env := &Env{Upstream: &upstream.Info{Commands: []upstream.Command{{Name: "Ping", Text: "Keepalive.  (Priv: <none>)"}}}, Table: rights.Table{}}
	for name, classes := range Classes {
		env.Table[strings.ToLower(name)] = classes
	}
	s := administrator(t)
	require.NotContains(t, string(listCommands(s, env, action(t, "Action: ListCommands")).Packets), "PeerInfo: ")
	s.Ampd = true
	answer := string(listCommands(s, env, action(t, "Action: ListCommands")).Packets)
	require.Contains(t, answer, "\r\nPeerInfo: Lists ")
	require.Contains(t, answer, "\r\nPing: Keepalive.  (Priv: <none>)\r\n")
	require.NotContains(t, answer, "ProfileUpdate: ", "for admins")
}
