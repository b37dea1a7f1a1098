package actions

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"ampd/codec"
)

//go:embed actions.tsv
var tsv string

// An Action is one row of the table. Whether an answer is a list its own EventList
// header says: an action with a ListEnd may answer that there is nothing
// (VoicemailUserStatus of an unknown mailbox: "Response: Success" and no list).
type Action struct {
	Name string // as Asterisk spells it

	// In16 and In22 tell which Asterisk has the action, Classes16 and Classes22
	// the classes it asks there (any one of them will do). No class at all means
	// that everybody who is logged in may run it.
	In16, In22           bool
	Classes16, Classes22 codec.Classes

	ReadOnly     bool   // changes nothing
	ListEnd      string // the event that ends its list, "" for an action that never answers with one
	MaybeList    bool   // answers with a list only for some requests (Hangup of a /regex/)
	Slow         bool   // may hold its connection for long
	Dangerous    string // what harm it does in the wrong hands, "" for none
	SessionBound bool   // means the session it is sent on, never another
	OneEvent     string // the one event that follows its successful response without being a list
	NoActionID   bool   // (some of) its answer bears no ActionID, so that only a fence shows its end
	Like         string // the action whose rules hold for what it names, "" for its own
	Early        bool   // is answered before it has been done, so that only a fence shows when it has
}

// Classes is what the action asks where no Asterisk has told: version 22's classes,
// or 16's for an action that is gone.
func (a *Action) Classes() codec.Classes {
	if a.In22 {
		return a.Classes22
	}
	return a.Classes16
}

// Lookup finds an action by its name, whose case does not matter.
func Lookup(name string) (Action, bool) {
	a, ok := table[strings.ToLower(name)]
	return a, ok
}

// All calls yield for each action of the table, in no order.
func All(yield func(Action) bool) {
	for _, a := range table {
		if !yield(a) {
			return
		}
	}
}

// table is keyed by the lower-case name and never changes.
var table = mustParse(tsv)

// columns of actions.tsv.
const (
	colName = iota
	colClasses22
	colClasses16
	colReadOnly
	colList
	colSlow
	colDangerous
	colSessionBound
	colNote
	columns
)

func mustParse(text string) map[string]Action {
	t, err := parse(text)
	if err != nil {
		panic("actions.tsv: " + err.Error())
	}
	return t
}

func parse(text string) (map[string]Action, error) {
	t := make(map[string]Action)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines[1:] {
		a, err := parseRow(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		key := strings.ToLower(a.Name)
		if _, twice := t[key]; twice {
			return nil, fmt.Errorf("line %d: %s stands there twice", i+2, a.Name)
		}
		t[key] = a
	}
	for _, a := range slices.Concat(older, own) {
		t[strings.ToLower(a.Name)] = a
	}
	for i := range Commands {
		c := &Commands[i]
		if _, known := t[strings.ToLower(c.Name)]; !known {
			t[strings.ToLower(c.Name)] = Action{Name: c.Name, Classes16: c.Classes, ReadOnly: c.ReadOnly, Like: c.Like}
		}
	}
	for name, note := range answers {
		key := strings.ToLower(name)
		a, ok := t[key]
		if !ok {
			return nil, fmt.Errorf("no row for %s", name)
		}
		a.OneEvent, a.NoActionID, a.Early = note.oneEvent, note.noActionID, note.early
		t[key] = a
	}
	return t, nil
}

func parseRow(line string) (Action, error) {
	f := strings.Split(line, "\t")
	if len(f) != columns {
		return Action{}, fmt.Errorf("%d columns, want %d", len(f), columns)
	}
	a := Action{Name: f[colName]}
	if f[colDangerous] != "-" {
		a.Dangerous = f[colDangerous]
	}
	var err error
	if a.Classes22, a.In22, err = parseClasses(f[colClasses22]); err != nil {
		return a, err
	}
	if a.Classes16, a.In16, err = parseClasses(f[colClasses16]); err != nil {
		return a, err
	}
	for _, b := range []struct {
		column int
		to     *bool
	}{{colReadOnly, &a.ReadOnly}, {colSlow, &a.Slow}, {colSessionBound, &a.SessionBound}} {
		switch f[b.column] {
		case "y":
			*b.to = true
		case "n":
		default:
			return a, fmt.Errorf("%s: %q is neither y nor n", a.Name, f[b.column])
		}
	}
	return a, parseList(&a, f[colList])
}

// parseClasses reads "system,call,all", "<none>", or "-" for a version that does not
// have the action.
func parseClasses(s string) (c codec.Classes, there bool, err error) {
	if s == "-" {
		return 0, false, nil
	}
	c, unknown := codec.ParseClasses(s)
	if unknown != "" {
		return 0, false, fmt.Errorf("unknown class %q", unknown)
	}
	return c, true, nil
}

// parseList reads "n", "y, EndEvent", or "y, EndEvent, when ..." for an action that
// answers with a list only sometimes.
func parseList(a *Action, s string) error {
	if s == "n" {
		return nil
	}
	end, ok := strings.CutPrefix(s, "y, ")
	if !ok {
		return fmt.Errorf("%s: %q says no list", a.Name, s)
	}
	a.ListEnd, _, a.MaybeList = strings.Cut(end, ", ")
	return nil
}
