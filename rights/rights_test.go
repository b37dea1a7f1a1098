package rights

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
)

func subject(t testing.TB, g Grant) *Subject {
	t.Helper()
	s, err := New(g, pbx.New())
	require.NoError(t, err)
	return s
}

func TestJudgeByClass(t *testing.T) {
	table := Table{"status": codec.System | codec.Call, "ping": 0, "queuestatus": 0, "originate": codec.Originate, "mystery": Unreadable}
	tests := map[string]struct {
		write  codec.Classes
		table  Table
		action string
		rule   string
	}{
		"one of several":                 {codec.Call, table, "Status", ""},
		"none of them":                   {codec.Agent, table, "Status", "class system,call"},
		"no class asked":                 {0, table, "QueueStatus", ""},
		"not the table's but this one's": {codec.Call, Table{"originate": codec.Call}, "Originate", ""},
		"classes that can't be read":     {codec.All | Unreadable, table, "Mystery", "class <none>"},
		"Asterisk never seen":            {codec.Originate, nil, "Originate", ""},
		"Asterisk never seen, no class":  {codec.Call, nil, "Originate", "class originate"},
		"Asterisk never seen, unknown":   {codec.All, nil, "Mystery", "class of an unknown action"},
		"ampd's own, though not listed":  {codec.System, Table{}, "Filter", ""},
		"ampd's own, no class":           {codec.Call, Table{}, "Filter", "class system"},
		"ampd's own for everybody":       {0, Table{}, "Logoff", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := subject(t, Grant{Type: Administrator, Write: tc.write})
			v := s.Judge(tc.table, action(t, "Action: "+tc.action))
			require.Equal(t, tc.rule, v.Rule)
			require.Equal(t, tc.rule == "", v.Allowed)
			require.Equal(t, tc.rule == "", s.Lists(tc.table, strings.ToUpper(tc.action)))
		})
	}
}

// An action that Asterisk does not have is answered as Asterisk does, whatever the
// profile says.
func TestUnknownActionsGetAsterisksWords(t *testing.T) {
	for name, g := range map[string]Grant{
		"monitor": {Type: Monitor}, "administrator": admin,
		"denied": {Type: Administrator, Deny: []string{"*"}}, "not allowed": {Type: Administrator, Allow: []string{"Ping"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := subject(t, g).Judge(Table{"ping": 0}, action(t, "Action: Ping ."))
			require.Equal(t, Verdict{
				Rule:    "unknown action",
				Message: "Invalid/unknown command: Ping .. Use Action: ListCommands to show available commands.",
			}, v)
			require.False(t, subject(t, g).Lists(Table{"ping": 0}, "NoSuchAction"))
		})
	}
	v := subject(t, admin).Judge(Table{}, action(t, "Action: "+strings.Repeat("x", 1000)))
	require.Equal(t, "Invalid/unknown command: "+strings.Repeat("x", 511-len("Invalid/unknown command: ")), v.Message)
}

func TestNoAction(t *testing.T) {
	for _, lines := range []string{"ActionID: 1", "Action : Ping", "Action: ", "Ping"} {
		v := subject(t, admin).Judge(Table{}, action(t, lines))
		require.Equal(t, Verdict{Rule: "no action", Message: "Missing action in request"}, v, lines)
	}
}

func TestAllowAndDeny(t *testing.T) {
	tests := map[string]struct {
		allow, deny []string
		action      string
		rule        string
	}{
		"no list":                     {nil, nil, "QueueStatus", ""},
		"allowed":                     {[]string{"queueSTATUS"}, nil, "QueueStatus", ""},
		"allowed by its beginning":    {[]string{"Queue*"}, nil, "QueueStatus", ""},
		"not allowed":                 {[]string{"QueueReset"}, nil, "QueueStatus", "allow"},
		"allow does not lift a class": {[]string{"Command"}, nil, "Command", "class command"},
		"denied":                      {nil, []string{"QueueStatus"}, "QueueStatus", "deny QueueStatus"},
		"denied by its beginning":     {nil, []string{"queue*"}, "QueueStatus", "deny queue*"},
		"deny beats allow":            {[]string{"QueueStatus"}, []string{"*"}, "QueueStatus", "deny *"},
		"ampd's own need no allow":    {[]string{"QueueStatus"}, nil, "Ping", ""},
		"ampd's own can be denied":    {nil, []string{"Filter"}, "Filter", "deny Filter"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := subject(t, Grant{Type: Administrator, Write: codec.System, Allow: tc.allow, Deny: tc.deny})
			require.Equal(t, tc.rule, s.Judge(everything, action(t, "Action: "+tc.action)).Rule)
			require.Equal(t, tc.rule == "", s.Lists(everything, tc.action))
		})
	}
}

func TestMonitorsNeedAnActionInNoTableNamedInFull(t *testing.T) {
	for _, tc := range []struct {
		allow []string
		rule  string
	}{
		{nil, "not in the table"},
		{[]string{"*"}, "not in the table"},
		{[]string{"Our*"}, "not in the table"},
		{[]string{"Ourown"}, ""},
	} {
		s := subject(t, Grant{Type: Monitor, Write: codec.All, Allow: tc.allow})
		require.Equal(t, tc.rule, s.Judge(everything, action(t, "Action: OurOwn")).Rule, tc.allow)
	}
}

// ListCommands shows what may be run with some headers, not what the headers forbid.
func TestListsIsNotAboutHeaders(t *testing.T) {
	s := subject(t, admin)
	require.True(t, s.Lists(everything, "Command"))
	require.False(t, s.Lists(everything, "UpdateConfig"))
	require.True(t, subject(t, monitor).Lists(everything, "Status"))
	require.False(t, subject(t, monitor).Lists(everything, "Originate"))
}

func TestNewNamesABadFilter(t *testing.T) {
	_, err := New(Grant{Filters: []Filter{{Expr: "fine"}, {Expr: "!XX[X"}}}, pbx.New())
	require.EqualError(t, err, `filter "!XX[X": unmatched bracket`)
	var wrong *FilterError
	require.ErrorAs(t, err, &wrong)
}

func FuzzJudge(f *testing.F) {
	for _, tc := range ruleCases() {
		f.Add(tc.lines)
	}
	s := subject(f, admin)
	f.Fuzz(func(t *testing.T, lines string) {
		p := &codec.Packet{}
		for line := range strings.SplitSeq(lines, "|") {
			name, value, _ := strings.Cut(line, ":")
			p.Headers = append(p.Headers, codec.Header{Name: name, Value: strings.TrimLeft(value, " ")})
		}
		v := s.Judge(everything, p)
		require.Equal(t, v.Allowed, v.Message == "")
		require.Equal(t, v.Allowed, v.Rule == "")
		// A header more never makes an action better.
		if !v.Allowed {
			p.Headers = append(p.Headers, codec.Header{Name: "Variable", Value: "X"})
			require.False(t, s.Judge(everything, p).Allowed)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	s := subject(b, admin)
	p := action(b, "Action: Originate|ActionID: 1|Channel: PJSIP/100@trunk|Context: from-internal|Exten: 200|Priority: 1|"+
		"CallerID: \"A\" <100>|Variable: A=1,B=2,CALLERID(num)=3|Async: true")
	b.ReportAllocs()
	for b.Loop() {
		if v := s.Judge(everything, p); !v.Allowed {
			b.Fatal(v.Rule)
		}
	}
}
