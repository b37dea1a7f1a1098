package rights

import "strings"

// separate takes text apart at commas as AST_STANDARD_APP_ARGS does
// (__ast_app_separate_args in main/app.c): parentheses, brackets and double quotes
// protect commas, across all of the text; quotes and backslashes are removed, and
// what follows a backslash means itself. It reports false for a text that ends in a
// backslash, which Asterisk reads beyond its end.
//
// Asterisk's arrays hold so many arguments and leave the rest to the last one;
// separate has no such limit.
func separate(text string) (args []string, ok bool) {
	var arg strings.Builder
	paren, bracket, quote := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '(':
			paren++
		case c == ')' && paren > 0:
			paren--
		case c == '[':
			bracket++
		case c == ']' && bracket > 0:
			bracket--
		case c == '"':
			quote = !quote
			continue
		case c == '\\':
			if i++; i == len(text) {
				return nil, false
			}
		case c == ',' && paren == 0 && bracket == 0 && !quote:
			args = append(args, arg.String())
			arg.Reset()
			continue
		}
		arg.WriteByte(text[i])
	}
	return append(args, arg.String()), true
}

// An option is one letter of an application's options and the argument behind it in
// parentheses.
type option struct {
	letter byte
	arg    string
}

// parseOptions reads options as ast_app_parse_options in main/app.c does where they
// are plain: letters and, in parentheses, arguments without parentheses, quotes and
// backslashes. It reports false for all else; Asterisk takes the lower seven bits of
// a byte for its letter, so nothing beyond ASCII is plain.
func parseOptions(text string) (options []option, ok bool) {
	for i := 0; i < len(text); i++ {
		o := option{letter: text[i]}
		if !isLetter(o.letter) {
			return nil, false
		}
		if i+1 < len(text) && text[i+1] == '(' {
			end := strings.IndexByte(text[i:], ')')
			if end < 0 {
				return nil, false
			}
			o.arg = text[i+2 : i+end]
			if strings.ContainsAny(o.arg, "(\"\\") {
				return nil, false
			}
			i += end
		}
		options = append(options, o)
	}
	return options, true
}

// isEvaluated tells whether Asterisk would find a variable, function or expression
// in text, were it to evaluate it.
func isEvaluated(text string) bool {
	return strings.Contains(text, "${") || strings.Contains(text, "$[")
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// consistsOf tells whether every byte of text is an ASCII letter, a digit or one of
// others.
func consistsOf(text, others string) bool {
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// isNumber tells whether text is a number such as "12" or "0.5".
func isNumber(text string) bool {
	digits, dots := 0, 0
	for i := range len(text) {
		switch {
		case isDigit(text[i]):
			digits++
		case text[i] == '.':
			dots++
		default:
			return false
		}
	}
	return digits > 0 && dots <= 1
}

// isWord tells whether text is a plain name of a queue, a class, a mailbox or the
// like. It may be empty.
func isWord(text string) bool { return consistsOf(text, "_-.@") }

// isFile tells whether text is a file name that stays below the folder it is meant
// for and means nothing to a shell within double quotes: letters, digits and
// "-_.@;/", no "/" in front and no ".." anywhere. It may be empty.
func isFile(text string) bool {
	return consistsOf(text, "-_.@;/") && !strings.HasPrefix(text, "/") && !strings.Contains(text, "..")
}

// equalFold is ASCII's: Asterisk's comparisons know no other letters.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// toLower lowers ASCII letters only.
func toLower(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return s
}

// A pattern is a name in which one "*" may stand for anything. Case does not matter.
type pattern string

func (p pattern) matches(name string) bool {
	start, end, open := strings.Cut(string(p), "*")
	if !open {
		return equalFold(name, start)
	}
	return len(name) >= len(start)+len(end) &&
		equalFold(name[:len(start)], start) && equalFold(name[len(name)-len(end):], end)
}
