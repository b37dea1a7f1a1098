package config

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
)

// mostSyntaxErrors is how many lines with syntax errors are told one by one.
const mostSyntaxErrors = 20

// isUTF16 tells by the mark in front, which the TOML reader would skip.
func isUTF16(text string) bool {
	return strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")
}

// withoutSyntaxErrors empties the lines that are no TOML until the rest is, and
// returns that with a problem for each. Where an error reaches beyond its line
// (an array without its bracket, a table that is defined twice) the errors after
// it would be made up: only the first is told then, and the text stays bad.
func withoutSyntaxErrors(file, text string) (string, Problems) {
	var problems Problems
	lines := strings.SplitAfter(text, "\n")
	for {
		var tree map[string]any
		_, err := toml.Decode(strings.Join(lines, ""), &tree)
		if err == nil {
			return strings.Join(lines, ""), problems
		}
		bad, ok := errors.AsType[toml.ParseError](err)
		if !ok {
			return text, Problems{{File: file, Text: "is not TOML"}}
		}
		n := min(max(bad.Position.Line, 1), len(lines))
		key := bad.LastKey
		if _, after, ok := strings.Cut(bad.Message, "Key '"); ok { // "Key 'listen.address' has already been defined."
			key, _, _ = strings.Cut(after, "'")
		}
		problems = append(problems, Problem{File: file, Line: n, Key: key, Text: syntaxText(bad.Message)})
		line := lines[n-1]
		if len(problems) == mostSyntaxErrors || strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimSpace(line), "[") {
			return text, problems[:1]
		}
		lines[n-1] = line[len(strings.TrimRight(line, "\r\n")):]
	}
}

// syntaxTexts says in ampd's words what the TOML reader means: its own messages
// quote what they found, which may be a secret that lacks its quotes.
var syntaxTexts = []struct{ has, text string }{
	{"already been defined", "is defined twice"},
	{"already created", "is defined twice"},
	{"expected value", `has no value that can be read: text needs quotes, an array its closing bracket`},
	{"strings cannot contain newlines", "lacks the quote that ends the text"},
	{"escape", `has a bad escape: a backslash in a text is written \\`},
	{"Escaped character", `has a bad escape: a backslash in a text is written \\`},
	{"hexadecimal digits after", `has a bad escape: a backslash in a text is written \\`},
	{"unexpected EOF", "is not complete: the file ends in the middle of it"},
	{"comma", "lacks a comma or a closing bracket, or has a comma too many"},
	{"out of range", "is too large a number"},
	{"leading zeroes", "is a number with zeroes in front"},
	{"expected '.' or '='", "has a line without = between key and value"},
	{"expected '.' or ']'", "lacks the ] that ends the table's name"},
	{"top-level item to end", "has something behind the end of its value"},
	{"is not a table", "is used as a table but is none"},
	{"control characters", "holds a control character"},
	{"UTF-8", "is not valid UTF-8"},
	{"datetime", `is no date: text needs quotes, as in "text"`},
	{"nvalid integer", `is no number: text needs quotes, as in "text"`},
	{"nvalid float", `is no number: text needs quotes, as in "text"`},
	{"number", `is no number: text needs quotes, as in "text"`},
}

func syntaxText(message string) string {
	for _, t := range syntaxTexts {
		if strings.Contains(message, t.has) {
			return t.text
		}
	}
	return "is not TOML"
}
