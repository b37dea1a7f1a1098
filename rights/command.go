package rights

import (
	"strings"

	"ampd/codec"
)

// showCommand judges a command of the CLI: it must begin, word by word, with one of the
// commands that only show something. Asterisk knows no abbreviations here, takes
// blanks and tabs between words and any case (parse_args and find_cli in
// main/cli.c); a word with a quote or a backslash in it is none of ours.
func showCommand(s *Subject, _ *codec.Packet, text string) (rule string) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\t' })
	if len(words) == 0 {
		return "" // "No command provided"
	}
	for _, l := range s.rules.commands {
		if beginsWith(words, l.words) {
			return ""
		}
	}
	for _, allowed := range s.commands {
		if beginsWith(words, allowed) {
			return ""
		}
	}
	return "command"
}

// beginsWith tells whether words begin with those of start, of which there is at
// least one.
func beginsWith(words, start []string) bool {
	if len(start) == 0 || len(words) < len(start) {
		return false
	}
	for i, w := range start {
		if !equalFold(words[i], w) {
			return false
		}
	}
	return true
}
