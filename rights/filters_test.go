package rights

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

const (
	badFormat  = "Filter was formatted incorrectly.  Check the syntax of the filter given."
	badPattern = "Filter did not compile.  Check the syntax of the filter given."
)

// Observed with the action Filter of Asterisk 22.
func TestParseFilter(t *testing.T) {
	tests := []struct{ criteria, expr, message string }{
		{"", "Event: Newchannel", ""},
		{"", "!Event: VarSet", ""},
		{"", "", badFormat},
		{"", "!", badFormat},
		{"", "XX[X", badPattern},
		{"", "!*a", badPattern},
		{"name(VarSet)", "", ""},
		{"name(VarSet),method(none)", "", ""},
		{"name(VarSet),method(none)", "x", badFormat},
		{"name(VarSet)", "x", badFormat},
		{"name(VarSet)", "!", ""},
		{"header(Channel),method(starts_with)", "Lo", ""},
		{"header(Channel),method(ends_with)", "Lo", ""},
		{"header(Channel),method(contains)", "Lo", ""},
		{"header(Channel),method(startsWith)", "Lo", badFormat},
		{"header(Channel),method(endsWith)", "Lo", badFormat},
		{"method(regex)", "a", ""},
		{"method(exact)", "a", ""},
		{"method(regex)", "", badFormat},
		{"method(regex)", "XX[X", badPattern},
		{"method(none)", "", badFormat},
		{"method(none)", "!", badFormat},
		{"action(exclude)", "", badFormat},
		{"action(exclude)", "a", badFormat},
		{"action(exclude),method(contains)", "a", ""},
		{"action(foo)", "a", badFormat},
		{"action( include ),name(A)", "", badFormat},
		{"actionX(include),name(A)", "", ""},
		{"action,name(A)", "", badFormat},
		{"name()", "a", badFormat},
		{"header()", "a", badFormat},
		{"method()", "a", badFormat},
		{"foo(x)", "a", badFormat},
		{"name(A) header(B)", "", ""},
		{"name(A)header(B)", "", ""},
		{"name(A),name(B)", "", ""},
		{"names(A)", "", ""},
		{"methodical(exact)", "a", ""},
		{"(", "", badFormat},
		{")", "", badFormat},
		{",", "a", badFormat},
		{"x", "y", badFormat},
		{"name", "", badFormat}, // which ends Asterisk 22
	}
	for _, tc := range tests {
		t.Run(tc.criteria+" = "+tc.expr, func(t *testing.T) {
			_, err := ParseFilter(tc.criteria, tc.expr, true)
			if tc.message == "" {
				require.NoError(t, err)
				return
			}
			var wrong *FilterError
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, tc.message, wrong.Message)
			require.NotEmpty(t, wrong.Reason)
		})
	}
}

// Observed with the action Filter of Asterisk 16.
func TestParseFilterOfOldAsterisks(t *testing.T) {
	for expr, excludes := range map[string]bool{"": false, "!": true} {
		m, err := ParseFilter("name(X),method(nonsense)", expr, false)
		require.NoError(t, err)
		require.Equal(t, excludes, m.exclude)
		require.True(t, m.matches(newchannel(t)), "an empty expression matches everything")
	}
	_, err := ParseFilter("", "XX[X", false)
	var wrong *FilterError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, badPattern, wrong.Message)
}

func newchannel(t testing.TB) *codec.Packet {
	t.Helper()
	return answer(t, "Event: Newchannel|Privilege: call,all|Channel: SIP/a-1|Empty:|ChanVariable: A=1|ChanVariable: B=2")
}

func TestMatches(t *testing.T) {
	tests := []struct {
		criteria, expr string
		want           bool
	}{
		{"", "Event: Newchannel", true},
		{"", "event: newchannel", false},
		{"", "^Event: New", true},
		{"", "^Channel", false},
		{"", "Newchannel.*Channel: SIP/[a-z]", true},
		{"", "call,all.Channel", false}, // CR and LF stand between
		{"", "call,all..Channel", true},
		{"", "B=2.*$", true},
		{"name(Newchannel)", "", true},
		{"name(newchannel)", "", false},
		{"name(Newchan)", "", false},
		{"name(X),name(Newchannel)", "", true},
		{"header(Channel)", "", true},
		{"header(channel)", "", false},
		{"header(Chan)", "", false},
		{"header(Channel:)", "", true},
		{"header(Empty)", "", false},
		{"header(Uniqueid)", "", false},
		{"header(Channel),method(exact)", "SIP/a-1", true},
		{"header(Channel),method(exact)", "SIP/a", false},
		{"header(Channel),method(starts_with)", "SIP/", true},
		{"header(Channel),method(starts_with)", "a-1", false},
		{"header(Channel),method(ends_with)", "-1", true},
		{"header(Channel),method(ends_with)", "-2", false},
		{"header(Channel),method(contains)", "/a", true},
		{"header(Channel),method(contains)", "/b", false},
		{"header(Channel),method(regex)", "^SIP/.-1$", true},
		{"header(ChanVariable),method(exact)", "B=2", true},
		{"header(ChanVariable),method(exact)", "C=3", false},
		{"method(starts_with)", "Event: Newchannel", true},
		{"method(contains)", "Channel: SIP", true},
		{"method(exact)", "Event: Newchannel", false},
		{"name(Newchannel),header(Channel),method(contains)", "SIP", true},
		{"name(Hangup),header(Channel),method(contains)", "SIP", false},
	}
	for _, tc := range tests {
		t.Run(tc.criteria+" = "+tc.expr, func(t *testing.T) {
			m, err := ParseFilter(tc.criteria, tc.expr, true)
			require.NoError(t, err)
			require.Equal(t, tc.want, m.matches(newchannel(t)))
		})
	}
}

func TestFiltersPass(t *testing.T) {
	tests := []struct {
		name    string
		filters []string
		pass    string // the events that pass, of A, B and AB
	}{
		{"none", nil, "A B AB"},
		{"one that includes", []string{"name: .*A"}, "A AB"},
		{"two that include", []string{"name: A$|name: A\r", "name: B"}, "A B"},
		{"one that excludes", []string{"!name: .*A"}, "B"},
		{"two that exclude", []string{"!name: .*A", "!name: B"}, ""},
		{"both", []string{"name: .*A", "!name: .*B"}, "A"},
		{"both, the other way round", []string{"!name: .*B", "name: .*A"}, "A"},
		{"includes what is excluded", []string{"name: A", "!name: A"}, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			f := &Filters{}
			for _, expr := range tc.filters {
				m, err := ParseFilter("", expr, true)
				require.NoError(t, err)
				f = f.With(m)
			}
			require.Equal(t, len(tc.filters), f.Len())
			var passed string
			for _, name := range []string{"A", "B", "AB"} {
				if f.pass(answer(t, "Event: X|Privilege: call,all|name: "+name)) {
					passed += name + " "
				}
			}
			require.Equal(t, tc.pass, strings.TrimSpace(passed))
		})
	}
}

// A session's own filters leave its profile's, and other sessions', alone.
func TestWithLeavesTheOriginalAlone(t *testing.T) {
	exclude := func(expr string) Matcher {
		m, err := ParseFilter("", "!"+expr, true)
		require.NoError(t, err)
		return m
	}
	profile := (&Filters{}).With(exclude("1")).With(exclude("2"))
	a, b := profile.With(exclude("a")), profile.With(exclude("b"))
	require.Equal(t, 2, profile.Len())
	require.Equal(t, 3, a.Len())
	event := answer(t, "Event: X|Privilege: call,all|name: a")
	require.False(t, a.pass(event))
	require.True(t, b.pass(event))
	require.True(t, profile.pass(event))
}

func TestRequiredText(t *testing.T) {
	tests := map[string]struct {
		text  string
		whole bool // nothing else is asked
	}{
		"Event: Newchannel":          {"Event: Newchannel", true},
		"Queue: (sales|support)":     {"Queue: ", false},
		"^Event: (Dial|Hangup)":      {"Event: ", false},
		"Channel: SIP/[0-9]+-":       {"Channel: SIP/", false},
		"a+bcd":                      {"bcd", false},
		"(abc){2,3}":                 {"abc", false},
		"(abc){0,3}x":                {"x", false},
		"(abc)?":                     {"", false},
		"abc|def":                    {"", false},
		"abc|":                       {"", false},
		".*":                         {"", false},
		"[[:alpha:]]":                {"", false},
		"Käse: x":                    {"Käse: x", true},
		`Channel: PJSIP/100\-`:       {"Channel: PJSIP/100-", true},
		`Exten: \b5\b`:               {"Exten: ", false},
		"x{1,3}yy":                   {"yy", false},
		"Event: QueueMember(Status)": {"Event: QueueMemberStatus", true},
	}
	for expr, tc := range tests {
		t.Run(expr, func(t *testing.T) {
			m, err := ParseFilter("", expr, true)
			require.NoError(t, err)
			require.Equal(t, tc.text, string(m.literal))
			require.Equal(t, tc.whole, m.regex == nil)
		})
	}
}

// FuzzRequiredText: an expression matches the same with its shortcut as without.
func FuzzRequiredText(f *testing.F) {
	f.Add("Queue: (sales|support)", "Event: X\r\nQueue: sales\r\n\r\n")
	f.Add("(a|ab)(c|bcd)*", "abcd")
	f.Add("\xff|é{2}", "éé\xff")
	f.Add(`\bx\B|(^a$){0,2}b+`, "ab")
	f.Add("(K|[k])s", "ks")
	f.Add("K\ufffds", "K\xffs")
	f.Fuzz(func(t *testing.T, expr, text string) {
		m := Matcher{method: matchRegex}
		if m.compile(expr) != nil {
			t.Skip("no expression")
		}
		regex, err := compileERE(expr)
		require.NoError(t, err)
		require.Equal(t, regex.MatchString(text), m.matchesText([]byte(text)), "%q of %q, which must have %q", expr, text, m.literal)
	})
}
