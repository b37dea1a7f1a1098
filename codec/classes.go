package codec

import "strings"

// Classes is a set of AMI's authorization classes. An event needs all the
// classes of its Privilege header, an action any one of those that Asterisk asks.
type Classes uint32

// The classes, with the bits of EVENT_FLAG_* in include/asterisk/manager.h. Bit 14
// (HOOKRESPONSE) is internal to Asterisk and has no name.
const (
	System    Classes = 1 << 0
	Call      Classes = 1 << 1
	Log       Classes = 1 << 2
	Verbose   Classes = 1 << 3
	Command   Classes = 1 << 4
	Agent     Classes = 1 << 5
	User      Classes = 1 << 6
	Config    Classes = 1 << 7
	DTMF      Classes = 1 << 8
	Reporting Classes = 1 << 9
	CDR       Classes = 1 << 10
	Dialplan  Classes = 1 << 11
	Originate Classes = 1 << 12
	AGI       Classes = 1 << 13
	CC        Classes = 1 << 15
	AOC       Classes = 1 << 16
	Test      Classes = 1 << 17
	Security  Classes = 1 << 18
	Message   Classes = 1 << 30

	// All is every class that has a name.
	All = System | Call | Log | Verbose | Command | Agent | User | Config | DTMF | Reporting |
		CDR | Dialplan | Originate | AGI | CC | AOC | Test | Security | Message
)

// classNames is in the order in which Asterisk writes them.
var classNames = [...]struct {
	class Classes
	name  string
}{
	{System, "system"},
	{Call, "call"},
	{Log, "log"},
	{Verbose, "verbose"},
	{Command, "command"},
	{Agent, "agent"},
	{User, "user"},
	{Config, "config"},
	{DTMF, "dtmf"},
	{Reporting, "reporting"},
	{CDR, "cdr"},
	{Dialplan, "dialplan"},
	{Originate, "originate"},
	{AGI, "agi"},
	{CC, "cc"},
	{AOC, "aoc"},
	{Test, "test"},
	{Security, "security"},
	{Message, "message"},
}

// ParseClasses reads a comma-separated list such as "system,call,all". Case,
// blanks around a name and empty names do not matter; "<none>" is no class.
//
// Asterisk ends every list with "all" (authority_to_str in main/manager.c), so
// "all" counts only where no other name stands beside it. unknown is the first
// name that is no class, or "": whoever decides by c must not trust it then.
func ParseClasses(list string) (c Classes, unknown string) {
	all := false
	others := false
	for len(list) > 0 {
		var name string
		name, list, _ = strings.Cut(list, ",")
		switch name = strings.TrimSpace(name); {
		case name == "":
		case strings.EqualFold(name, "all"):
			all = true
		case strings.EqualFold(name, "<none>"):
			others = true
		default:
			others = true
			class := classNamed(name)
			if class == 0 && unknown == "" {
				unknown = name
			}
			c |= class
		}
	}
	if all && !others {
		return All, ""
	}
	return c, unknown
}

func classNamed(name string) Classes {
	for i := range classNames {
		if strings.EqualFold(name, classNames[i].name) {
			return classNames[i].class
		}
	}
	return 0
}

// Has tells whether c holds every class of all.
func (c Classes) Has(all Classes) bool { return c&all == all }

// Any tells whether c holds at least one class of some. It is false for an empty
// some: an action that asks no class is another question.
func (c Classes) Any(some Classes) bool { return c&some != 0 }

// String returns the list that [ParseClasses] reads back: "system,call", "all" for
// every class, "<none>" for no class.
func (c Classes) String() string {
	if c == All {
		return "all"
	}
	var b strings.Builder
	for i := range classNames {
		if c&classNames[i].class == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(classNames[i].name)
	}
	if b.Len() == 0 {
		return "<none>"
	}
	return b.String()
}
