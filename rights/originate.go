package rights

import (
	"strings"

	"ampd/codec"
)

// An argument is what one argument of an application may be. Every argument may be
// left out.
type argument struct {
	kind argumentKind

	// Of options: the letters that stand alone, those with a number and those with
	// a word in parentheses; and the words that stand for letters.
	flags, numbers, words string
	whole                 []string
}

type argumentKind uint8

const (
	number    argumentKind = iota // 12, 0.5
	digits                        // 12*#
	word                          // a plain name
	sounds                        // names of sounds with "&" between them
	mailboxes                     // BOX@CONTEXT with "&" between them
	options
)

// runApplication judges an application with each Data that stands beside it. An
// empty one runs nothing.
func runApplication(s *Subject, p *codec.Packet, name string) (rule string) {
	if name == "" {
		return ""
	}
	if rule = s.application(name, ""); rule != "" {
		return rule
	}
	for data := range values(p, "Data") {
		if rule = s.application(name, data); rule != "" {
			return rule
		}
	}
	return ""
}

// application judges an application by its name, whose case does not matter
// (pbx_findapp in main/pbx_app.c), and its arguments. What a profile names it may
// give any arguments.
func (s *Subject) application(name, data string) (rule string) {
	for _, p := range s.applications {
		if p.matches(name) {
			return ""
		}
	}
	for i := range s.rules.applications {
		if l := &s.rules.applications[i]; equalFold(l.name, name) {
			if data != "" && !l.takes(data) {
				return "application " + l.name
			}
			return ""
		}
	}
	return "application"
}

// takes tells whether data are arguments that a allows.
func (a *application) takes(data string) bool {
	if strings.ContainsAny(data, "\"\\[]$") {
		return false // what is left, separate takes apart as any Asterisk does
	}
	args, _ := separate(data)
	for i, text := range args {
		if text != "" && (i >= len(a.args) || !a.args[i].takes(text)) {
			return false
		}
	}
	return true
}

func (a *argument) takes(text string) bool {
	switch a.kind {
	case number:
		return isNumber(text)
	case digits:
		return strings.Trim(text, "0123456789*#") == ""
	case word:
		return isWord(text)
	case sounds:
		for sound := range strings.SplitSeq(text, "&") {
			if !isFile(strings.TrimSpace(sound)) {
				return false
			}
		}
		return true
	case mailboxes:
		for box := range strings.SplitSeq(text, "&") {
			if !isWord(strings.TrimSpace(box)) {
				return false
			}
		}
		return true
	case options:
		return a.takesOptions(text)
	}
	return false
}

func (a *argument) takesOptions(text string) bool {
	for _, w := range a.whole {
		if equalFold(w, text) {
			return true
		}
	}
	given, ok := parseOptions(text)
	if !ok {
		return false
	}
	for _, o := range given {
		switch {
		case strings.IndexByte(a.flags, o.letter) >= 0 && o.arg == "":
		case strings.IndexByte(a.numbers, o.letter) >= 0 && (o.arg == "" || isNumber(strings.TrimPrefix(o.arg, "-"))):
		case strings.IndexByte(a.words, o.letter) >= 0 && isWord(o.arg):
		default:
			return false
		}
	}
	return true
}

// dialString judges what is dialled or becomes part of a channel's name or Uniqueid:
// recordings are named after those, parking makes arguments of Dial of it
// (parking_duration_callback in res/parking/parking_bridge_features.c).
func dialString(_ *Subject, _ *codec.Packet, text string) (rule string) {
	if !consistsOf(text, "-_.@;/:+*#=!~%?[]") {
		return "dial string"
	}
	return ""
}

// uniqueid judges an id for a new channel: one like those that Asterisk gives itself
// ("1795255739.4", with the system's name and "-" in front) would in time be another
// channel's, too.
func uniqueid(_ *Subject, _ *codec.Packet, id string) (rule string) {
	id = id[strings.LastIndexByte(id, '-')+1:]
	seconds, number, found := strings.Cut(id, ".")
	if found && seconds != "" && number != "" && strings.Trim(seconds+number, "0123456789") == "" {
		return "Asterisk's own id"
	}
	return ""
}

// memberName judges the name of a queue's member: with setinterfacevar it stands
// among assignments that Asterisk takes apart at commas (ring_entry and try_calling
// in apps/app_queue.c), and could add its own.
func memberName(_ *Subject, _ *codec.Packet, name string) (rule string) {
	if strings.Contains(name, "=") {
		return "assignment"
	}
	return ""
}

// memberField judges what stands, with the queue's other members, in a list that
// Asterisk keeps for its next start: it takes members apart at commas and bars, and
// each one's fields at semicolons, so what follows could be a member of any interface
// and name. Behind a comma alone, as people write them, nothing but an interface
// stands, whose characters a shell must not know; whom a limited session would so add
// or keep from being read it is not to say.
func memberField(s *Subject, _ *codec.Packet, text string) (rule string) {
	comma := strings.IndexByte(text, ',')
	switch {
	case strings.ContainsAny(text, "|;"),
		comma >= 0 && s.bounds != nil,
		comma >= 0 && strings.ContainsAny(text[comma:], "$`\"\\"):
		return "another member"
	}
	return ""
}
