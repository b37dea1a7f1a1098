package rights

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Observed with Asterisk 16 and 22 as Variable of an Originate.
func TestSeparate(t *testing.T) {
	tests := map[string][]string{
		``:                       {``},
		`a=1,MONITOR_EXEC=x`:     {`a=1`, `MONITOR_EXEC=x`},
		`"a=1,b"=2,c=3`:          {`a=1,b=2`, `c=3`},
		`a=1\,b=2,c=3`:           {`a=1,b=2`, `c=3`},
		"a=1, b=2,\tc=3":         {`a=1`, ` b=2`, "\tc=3"},
		`f(a,b)=1,c=2`:           {`f(a,b)=1`, `c=2`},
		`a=[1,b=2],c=3`:          {`a=[1,b=2]`, `c=3`},
		`a="q,b=1,c=2`:           {`a=q,b=1,c=2`},
		`a="x"y"z",M"ONI"TOR=5`:  {`a=xyz`, `MONITOR=5`},
		`M\ONITOR=1`:             {`MONITOR=1`},
		`a=)1,b=2`:               {`a=)1`, `b=2`},
		`a=]1,b=2`:               {`a=]1`, `b=2`},
		`noeq,a=1,=5,`:           {`noeq`, `a=1`, `=5`, ``},
		`a=1|b=2`:                {`a=1|b=2`},
		`a=\"1,b=2`:              {`a="1`, `b=2`},
		`a=\\,b=2`:               {`a=\`, `b=2`},
		`a=(\),b=2),c=3`:         {`a=(),b=2)`, `c=3`},
		`a=("),b=2,c=3",d=4),e=`: {`a=(),b=2,c=3`, `d=4)`, `e=`},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			got, ok := separate(text)
			require.True(t, ok)
			require.Equal(t, want, got)
		})
	}
	for _, text := range []string{`\`, `a=1\`, `a=1\\\`} {
		_, ok := separate(text)
		require.False(t, ok, "Asterisk reads beyond the end of %s", text)
	}
}

func FuzzSeparate(f *testing.F) {
	for _, seed := range []string{"", `a=1,b=2`, `"a,b",c`, `a\,b`, `f(a,[b)],c`, `\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args, ok := separate(text)
		if !ok {
			require.True(t, strings.HasSuffix(text, `\`))
			return
		}
		require.NotEmpty(t, args)
		if !strings.ContainsAny(text, `"\()[]`) {
			require.Equal(t, strings.Split(text, ","), args)
		}
		// Whatever protects a comma, nothing is lost but quotes and backslashes.
		strip := strings.NewReplacer(`"`, "", `\`, "")
		require.Equal(t, strip.Replace(text), strip.Replace(strings.Join(args, ",")))
	})
}

func TestParseOptions(t *testing.T) {
	tests := map[string][]option{
		"":          {},
		"ab":        {{'a', ""}, {'b', ""}},
		"r(x)t(y)b": {{'r', "x"}, {'t', "y"}, {'b', ""}},
		"m()":       {{'m', ""}},
		"W(2)a":     {{'W', "2"}, {'a', ""}},
	}
	for text, want := range tests {
		got, ok := parseOptions(text)
		require.True(t, ok, text)
		require.ElementsMatch(t, want, got, text)
	}
	for _, text := range []string{"r(", "r(a", "a,b", "a b", "(a)", "r((a))", `r("a)`, `r(a\)`, "\xf2(a)", "1", "r(a))"} {
		_, ok := parseOptions(text)
		require.False(t, ok, text)
	}
}

func TestPattern(t *testing.T) {
	tests := []struct {
		pattern pattern
		name    string
		want    bool
	}{
		{"Getvar", "getVAR", true},
		{"Getvar", "getvars", false},
		{"Queue*", "QUEUEPAUSE", true},
		{"Queue*", "queue", true},
		{"Queue*", "que", false},
		{"*", "", true},
		{"*State", "extensionstate", true},
		{"QUEUE_*_PENALTY", "queue_max_penalty", true},
		{"QUEUE_*_PENALTY", "QUEUE_PENALTY", false},
		{"K", "\u212a", false}, // the sign for kelvin, which is no K to Asterisk
	}
	for _, tc := range tests {
		require.Equal(t, tc.want, tc.pattern.matches(tc.name), "%s %s", tc.pattern, tc.name)
	}
}
