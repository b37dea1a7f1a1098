package rights

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// compile reads expr. Most expressions are, or begin with, plain text: where it is not
// in the event, which is found out fast, the expression needs no asking, and where it
// is all of the expression there is nothing else to ask.
func (m *Matcher) compile(expr string) error {
	regex, err := compileERE(expr)
	if err != nil {
		return err
	}
	tree, err := syntax.Parse(regex.String(), syntax.Perl)
	if err != nil {
		return err
	}
	tree = tree.Simplify()
	if text := requiredText(tree); text != "" {
		m.literal = []byte(text)
		if tree.Op == syntax.OpLiteral {
			return nil
		}
	}
	m.regex = regex
	return nil
}

// requiredText returns the longest text that is found to be in whatever the expression
// matches, "" where none is.
func requiredText(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return ""
		}
		if slices.Contains(re.Rune, utf8.RuneError) { // matches any byte that is no UTF-8
			return ""
		}
		return string(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return requiredText(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return requiredText(re.Sub[0])
		}
	case syntax.OpConcat:
		longest := ""
		for _, sub := range re.Sub {
			if text := requiredText(sub); len(text) > len(longest) {
				longest = text
			}
		}
		return longest
	}
	return ""
}
