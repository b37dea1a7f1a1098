package rights

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testdata/ere.txt says what glibc says.
func TestExpressionsMatchAsInGlibc(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "ere.txt"))
	require.NoError(t, err)
	defer f.Close()
	compiled, refused, unsupported := 0, 0, 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		quoted, results := cutLast(line, " ")
		var words []string
		for quoted != "" {
			word, err := strconv.QuotedPrefix(quoted)
			require.NoError(t, err, line)
			quoted = strings.TrimPrefix(quoted[len(word):], " ")
			word, err = strconv.Unquote(word)
			require.NoError(t, err, line)
			words = append(words, word)
		}
		expr, texts := words[0], words[1:]
		re, err := compileERE(expr)
		if errors.Is(err, errWordEdge) || errors.Is(err, errBackref) {
			unsupported++
			continue
		}
		if results == "E" {
			require.Error(t, err, "%q", expr)
			refused++
			continue
		}
		require.NoError(t, err, "%q", expr)
		for i, text := range texts {
			require.Equal(t, results[i] == '1', re.MatchString(text), "%q on %q", expr, text)
		}
		compiled++
	}
	require.NoError(t, lines.Err())
	require.Greater(t, compiled, 300)
	require.Greater(t, refused, 50)
	require.LessOrEqual(t, unsupported, 20)
}

func cutLast(s, sep string) (before, after string) {
	i := strings.LastIndex(s, sep)
	return s[:i], s[i+len(sep):]
}

func TestExpressionsThatAreNotTaken(t *testing.T) {
	tests := map[string]error{
		`(a)\1`:            errBackref,
		`\<`:               errWordEdge,
		`\<a*`:             errWordEdge,
		`\<(a|-)`:          errWordEdge,
		`-\>`:              errWordEdge,
		`a{1001}`:          errInterval,
		`a{+1}`:            errInterval,
		`a{1,00000000000}`: errInterval,

		strings.Repeat("a", 501):                errSize,
		strings.Repeat(".{0,1000}", 100):        errSize,
		strings.Repeat("(.{0,30}){0,30}", 9):    errSize,
		`((a{100}){100}){100}`:                  errSize,
		"(" + strings.Repeat("ab|", 250) + "a)": errSize,
	}
	for expr, want := range tests {
		_, err := compileERE(expr)
		require.ErrorIs(t, err, want, expr)
	}
	_, err := compileERE("\xff")
	require.Error(t, err)
	_, err = compileERE(strings.Repeat("a", 300) + "(b|c){10,20}")
	require.NoError(t, err)
}

func FuzzCompileERE(f *testing.F) {
	for _, seed := range []string{"", "a*", "^(a|b)+$", `\<SIP\>/[0-9]{1,3}`, "[[:alpha:]-]", `[^]a-]`, "a{2}{3}", "(", "["} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, expr string) {
		re, err := compileERE(expr)
		if err == nil {
			re.MatchString("Event: Newchannel\r\nChannel: SIP/1\r\n\r\n")
		}
	})
}
