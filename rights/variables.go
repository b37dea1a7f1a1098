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
		if l.name.matches(name) && (l.arg == "" || equalFold(l.arg, arg)) {
			return true
		}
	}
	return false
}

func readVariable(s *Subject, _ *codec.Packet, name string) (rule string) {
	return s.variable(name, reading)
}

func writeVariable(s *Subject, _ *codec.Packet, name string) (rule string) {
	return s.variable(name, writing)
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
		if rule = literal(s, nil, value); rule != "" {
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
