package rights

import (
	"strings"

	"ampd/codec"
)

// A use is what is done with the variables and functions that are named.
type use uint8

const (
	reading use = iota
	writing
	sending // as headers of a message: nothing is read or written
)

// variable judges the name of one variable or function by what is allowed. rule is
// what refuses it, "" for nothing.
//
// Blanks around a name are Asterisk's to keep, but mean nothing to it; underscores
// in front only tell who inherits (pbx_builtin_setvar_helper in
// main/pbx_variables.c). What ends in ")" is a function (action_getvar in
// main/manager.c), whose name Asterisk takes with its case.
func (s *Subject) variable(name string, use use) (rule string) {
	name = strings.TrimLeft(strings.Trim(name, " \t"), "_")
	if isEvaluated(name) {
		return "substitution"
	}
	if function, arg, ok := strings.Cut(name, "("); ok && use != sending {
		arg, closed := strings.CutSuffix(arg, ")")
		if closed && !strings.ContainsAny(arg, "()\"\\") && s.function(function, arg, use) {
			return ""
		}
		return "function"
	}
	if !consistsOf(name, "_") {
		return "variable name"
	}
	for _, l := range s.rules.protected {
		if l.name.matches(name) {
			return "variable " + string(l.name)
		}
	}
	for _, p := range s.protected {
		if p.matches(name) {
			return "protected_variables"
		}
	}
	return ""
}

func (s *Subject) function(name, arg string, use use) bool {
	known := s.rules.read
	if use == writing {
		known = s.rules.write
	}
	for _, l := range known {
		if l.name.matches(name) && (l.arg == "" || equalFold(l.arg, arg)) && s.reaches(l.reach) {
			return true
		}
	}
	return false
}

func (s *Subject) reaches(r reach) bool {
	switch b := s.bounds; r {
	case wide:
		return b == nil
	case identity:
		return b == nil || b.owner == nil
	}
	return true
}

func readVariable(s *Subject, _ *codec.Packet, name string) (rule string) {
	return s.variable(name, reading)
}

func writeVariable(s *Subject, p *codec.Packet, name string) (rule string) {
	if rule = s.variable(name, writing); rule != "" {
		return rule
	}
	for value := range values(p, "Value") {
		if rule = variableValue(name, value); rule != "" {
			return rule
		}
	}
	return ""
}

// readVariables judges a list of names.
func readVariables(s *Subject, _ *codec.Packet, list string) (rule string) {
	names, ok := separate(list)
	if !ok {
		return "backslash"
	}
	for _, name := range names {
		if rule = s.variable(name, reading); rule != "" {
			return rule
		}
	}
	return ""
}

func writeVariables(s *Subject, _ *codec.Packet, list string) (rule string) {
	return s.assignments(list, writing)
}

// allVariables refuses all variables at once where some of them are protected.
func allVariables(s *Subject, _ *codec.Packet, value string) (rule string) {
	for _, yes := range []string{"yes", "true", "y", "t", "1", "on"} { // ast_true in main/utils.c
		if len(s.protected) > 0 && equalFold(value, yes) {
			return "protected_variables"
		}
	}
	return ""
}

func sendVariables(s *Subject, _ *codec.Packet, list string) (rule string) {
	return s.assignments(list, sending)
}

// assignments judges a list of NAME=VALUE (man_do_variable_value in main/manager.c).
// What has no "=" Asterisk leaves out, and is judged all the same. Behind the 63rd
// comma Asterisk takes nothing apart any more.
func (s *Subject) assignments(list string, use use) (rule string) {
	items, ok := separate(list)
	switch {
	case !ok:
		return "backslash"
	case len(items) > 63:
		return "too many variables"
	}
	for _, item := range items {
		name, value, _ := strings.Cut(item, "=")
		if rule = s.variable(name, use); rule != "" {
			return rule
		}
		if rule = variableValue(name, value); rule != "" {
			return rule
		}
	}
	return ""
}

// literal judges a value that Asterisk may evaluate.
func literal(_ *Subject, _ *codec.Packet, value string) (rule string) {
	if isEvaluated(value) {
		return "substitution"
	}
	return ""
}

// variableValue judges what is written to a variable or function that may be.
func variableValue(name, value string) (rule string) {
	if isEvaluated(value) {
		return "substitution"
	}
	_, field, _ := strings.Cut(strings.TrimRight(name, ") \t"), "(")
	switch field = toLower(field); {
	case !hasPrefixFold(strings.TrimLeft(name, " \t_"), "CALLERID("), strings.HasPrefix(field, "name"):
		return ""
	case strings.HasPrefix(field, "all"):
		return callerID(nil, nil, value)
	}
	return callerNumber(value)
}

// callerNumber judges a caller's number. It becomes part of a file's name when
// somebody presses the key that records a call, and that name, taken apart at
// commas, MixMonitor's command, or a shell's word (start_automixmonitor in
// bridges/bridge_builtin_features.c, start_automonitor there in Asterisk 16).
func callerNumber(number string) (rule string) {
	if !consistsOf(number, "+*#-_.@() ") {
		return "caller's number"
	}
	return ""
}

// callerID judges a caller ID: NAME, NUMBER or NAME <NUMBER> (ast_callerid_parse in
// main/callerid.c, which sees no more than 255 bytes of it, and in them what stands
// between the last "<" and the last ">").
func callerID(_ *Subject, _ *codec.Packet, text string) (rule string) {
	for _, part := range strings.Split(text, "<")[1:] {
		if end := strings.LastIndexByte(part, '>'); end >= 0 {
			part = part[:end]
		}
		if rule = callerNumber(part); rule != "" {
			return rule
		}
	}
	return ""
}
