package rights

import (
	"cmp"
	"fmt"
	"iter"
	"strings"

	"ampd/actions"
	"ampd/codec"
	"ampd/pbx"
)

// A Type is the ceiling of what a session may do.
type Type uint8

// The types. A Monitor sees events and runs actions that change nothing, an Agent sees
// and controls what is its own.
const (
	Monitor Type = iota
	Administrator
	Agent
)

// A Grant is what a profile gives a session of one type.
type Grant struct {
	Type Type

	Read  codec.Classes // of events
	Write codec.Classes // of actions

	// Names of actions; one "*" may stand for anything. No Allow at all is "*".
	Allow, Deny []string

	// Admin may change profiles, as an administrator.
	Admin bool

	// Dangerous lifts what reaches beyond Asterisk's classes, for administrators.
	Dangerous bool

	ProtectedVariables []string // not to be touched; one "*" may stand for anything
	Applications       []string // that Originate may run with any Data, beside those known to be harmless
	Commands           []string // beginnings of commands that Command may run, beside those known to be harmless

	Filters []Filter // what of the events is left out from the start

	// The scopes: prefixes of names, no one at all for all.
	Queues, Contexts, Channels []string

	Agent pbx.Person // of type Agent
}

// A Filter is one eventfilter as manager.conf has it: eventfilter(Criteria) = Expr.
// No Criteria is the legacy syntax.
type Filter struct{ Criteria, Expr string }

// A Table tells the classes that this Asterisk asks for its actions (any one of them
// will do, none at all means everybody), by the action's name in lower case. nil
// means that Asterisk was never seen.
type Table map[string]codec.Classes

// Unreadable stands in a [Table] for classes that could not be read: nobody has it.
const Unreadable codec.Classes = 1 << 31

// A Subject is what a session's profile allows under its type.
type Subject struct {
	rules *ruleSet
	index *index
	state *pbx.State

	administrator bool
	admin         bool
	bounds        *bounds // nil where nothing is limited
	dangerous     bool
	readable      codec.Classes
	writable      codec.Classes
	allow, deny   []pattern
	protected     []pattern
	applications  []pattern
	commands      [][]string
	filters       *Filters
}

// New compiles a grant. Whoever owns the state must hold its lock then, and whenever the
// Subject, its Views or Answers are asked. The error says which of its filters can't be
// read and why.
func New(g Grant, state *pbx.State) (*Subject, error) {
	return newSubject(g, state, &rules, &ruleIndex)
}

func newSubject(g Grant, state *pbx.State, rules *ruleSet, index *index) (*Subject, error) {
	s := &Subject{
		state:         state,
		bounds:        newBounds(&g, index, state),
		rules:         rules,
		index:         index,
		administrator: g.Type == Administrator,
		readable:      g.Read &^ Unreadable,
		writable:      g.Write &^ Unreadable,
		allow:         patterns(g.Allow),
		deny:          patterns(g.Deny),
		protected:     patterns(g.ProtectedVariables),
		applications:  patterns(g.Applications),
		filters:       &Filters{},
	}
	s.dangerous = g.Dangerous && s.administrator
	s.admin = g.Admin && s.administrator
	for _, c := range g.Commands {
		s.commands = append(s.commands, strings.Fields(c))
	}
	for _, f := range g.Filters {
		filter, err := ParseFilter(f.Criteria, f.Expr, true)
		if err != nil {
			return nil, fmt.Errorf("filter %q: %w", f.Expr, err)
		}
		s.filters = s.filters.With(filter)
	}
	return s, nil
}

func patterns(names []string) []pattern {
	p := make([]pattern, len(names))
	for i, name := range names {
		p[i] = pattern(name)
	}
	return p
}

// A Verdict is what is to become of an action.
type Verdict struct {
	Allowed bool
	Rule    string        // what decided, for the audit log: a few plain words
	Message string        // what a refused client is told, in Asterisk's words
	Packet  *codec.Packet // what was judged and may be sent, where Allowed
}

const (
	textDenied   = "Permission denied"
	textNoAction = "Missing action in request"
)

// textUnknown is Asterisk's answer to an action that it does not know:
// process_message in main/manager.c, which cuts it to its buffer of 512 bytes.
func textUnknown(name string) string {
	text := "Invalid/unknown command: " + name + ". Use Action: ListCommands to show available commands."
	return text[:min(len(text), 511)]
}

// Judge tells whether the action may be run. What is to be sent is the verdict's
// Packet and nothing else of what the client sent.
func (s *Subject) Judge(t Table, p *codec.Packet) Verdict {
	name := p.ActionName()
	if name == "" {
		return Verdict{Rule: "no action", Message: textNoAction}
	}
	key := toLower(name)
	action, known := actions.Lookup(key)
	if rule := s.judgeAction(t, key, &action, known); rule != "" {
		if rule == ruleUnknown {
			return Verdict{Rule: rule, Message: textUnknown(name)}
		}
		return Verdict{Rule: rule, Message: textDenied}
	}
	key = ruled(key, &action)
	p, wrong := s.judgeObjects(key, known, p)
	if wrong.rule != "" {
		return Verdict{Rule: wrong.rule, Message: cmp.Or(wrong.message, textDenied)}
	}
	if rule := s.judgeHeaders(key, p); rule != "" {
		return Verdict{Rule: rule, Message: textDenied}
	}
	return Verdict{Allowed: true, Packet: p}
}

// Lists tells whether ListCommands shows the action: whether it may be run at all,
// whatever its headers.
func (s *Subject) Lists(t Table, name string) bool {
	key := toLower(name)
	action, known := actions.Lookup(key)
	return s.judgeAction(t, key, &action, known) == ""
}

// ruled is the action whose rules hold for what an action names: itself, or the one that it
// is like.
func ruled(key string, action *actions.Action) string {
	if action.Like != "" {
		return toLower(action.Like)
	}
	return key
}

const ruleUnknown = "unknown action"

// judgeAction judges an action by its name: the first six points of the package's
// documentation but for the fifth's second half, whose headers count.
func (s *Subject) judgeAction(t Table, key string, action *actions.Action, known bool) (rule string) {
	asked, listed := t[key]
	if !listed {
		if t != nil && !action.SessionBound {
			return ruleUnknown
		}
		if !known {
			return "class of an unknown action"
		}
		asked = action.Classes()
	}
	for _, p := range s.deny {
		if p.matches(key) {
			return "deny " + string(p)
		}
	}
	if rule = s.judgeType(key, action, known); rule != "" {
		return rule
	}
	if !action.SessionBound && !s.allows(key) {
		return "allow"
	}
	if asked != 0 && !s.writable.Any(asked) {
		return "class " + asked.String()
	}
	if !action.ReadOnly {
		for i := range s.rules.classes {
			if l := &s.rules.classes[i]; l.action.matches(key) && !s.writable.Any(l.class) {
				return "class " + l.class.String() + " of " + string(l.action)
			}
		}
	}
	if _, reserved := s.index.admin[key]; reserved && !s.admin {
		return "not an admin"
	}
	if !s.dangerous {
		if _, refused := s.index.refused[key]; refused {
			return "refused " + key
		}
	}
	return ""
}

// judgeType judges an action by the session's type, and whether it is known how it can
// be limited.
func (s *Subject) judgeType(key string, action *actions.Action, known bool) (rule string) {
	if action.SessionBound {
		return ""
	}
	if b := s.bounds; b != nil {
		like := ruled(key, action)
		_, limitable := s.index.objects[like]
		if !limitable && len(b.queues)+len(b.contexts)+len(b.channels) > 0 {
			return "scope"
		}
		if b.owner != nil {
			r, may := s.index.agents[like]
			switch {
			case !may && !s.allowsInFull(key):
				return "type agent"
			case may && r.calls && len(b.contexts) == 0:
				return "no contexts"
			}
			return ""
		}
	}
	switch {
	case s.administrator:
	case known && !action.ReadOnly:
		return "type monitor"
	case !known && !s.allowsInFull(key):
		return "not in the table"
	}
	return ""
}

// judgeHeaders judges an action by what its headers say.
func (s *Subject) judgeHeaders(key string, p *codec.Packet) (rule string) {
	for _, l := range s.index.own[key] {
		for value := range values(p, l.header) {
			if l.fold {
				value = toLower(value)
			}
			if strings.Contains(value, l.word) && !s.writable.Any(l.classes) {
				return "class " + l.classes.String() + " for " + l.word
			}
		}
	}
	if s.dangerous {
		return ""
	}
	for _, l := range s.index.checks[key] {
		for value := range values(p, l.header) {
			if rule = l.check(s, p, value); rule != "" {
				return l.action + " " + l.header + ": " + rule
			}
		}
	}
	return ""
}

func (s *Subject) allows(name string) bool {
	for _, p := range s.allow {
		if p.matches(name) {
			return true
		}
	}
	return len(s.allow) == 0
}

// allowsInFull tells whether allow names the action without any "*".
func (s *Subject) allowsInFull(name string) bool {
	for _, p := range s.allow {
		if equalFold(string(p), name) {
			return true
		}
	}
	return false
}

// values yields the values of all headers of that name, in their order. An action's
// headers all count, unlike an event's: see [codec.Packet.Index].
func values(p *codec.Packet, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range p.Headers {
			if equalFold(p.Headers[i].Name, name) && !yield(p.Headers[i].Value) {
				return
			}
		}
	}
}

// hasValue tells whether there is a header of that name and none of them is empty.
func hasValue(p *codec.Packet, name string) bool {
	has := false
	for value := range values(p, name) {
		if value == "" {
			return false
		}
		has = true
	}
	return has
}

// An index finds the rules of an action by its name in lower case, and secret headers
// by the length of theirs.
type index struct {
	own     map[string][]*ownRule
	admin   map[string]*refusedRule
	refused map[string]*refusedRule
	checks  map[string][]*checkRule

	objects map[string][]*objectRule
	about   map[string][]*aboutRule // by the event's name
	agents  map[string]*agentRule
	set     map[string][]*setRule

	cuts []cutRule

	items map[string]codec.Classes

	maskedKeys    []pattern
	maskedEntries []pattern
	maskedHeaders [32][]string
}

var ruleIndex = newIndex(&rules)

func newIndex(r *ruleSet) index {
	x := index{
		own:     map[string][]*ownRule{},
		admin:   map[string]*refusedRule{},
		refused: map[string]*refusedRule{},
		checks:  map[string][]*checkRule{},
		objects: map[string][]*objectRule{},
		about:   map[string][]*aboutRule{},
		agents:  map[string]*agentRule{},
		set:     map[string][]*setRule{},
		cuts:    r.cuts,
		items:   map[string]codec.Classes{},
	}
	for i := range r.own {
		l := &r.own[i]
		x.own[toLower(l.action)] = append(x.own[toLower(l.action)], l)
	}
	for i := range r.objects {
		l := &r.objects[i]
		x.objects[toLower(l.action)] = append(x.objects[toLower(l.action)], l)
	}
	for i := range r.about {
		for name := range strings.FieldsSeq(r.about[i].events) {
			x.about[name] = append(x.about[name], &r.about[i])
		}
	}
	for i := range r.agents {
		x.agents[toLower(r.agents[i].action)] = &r.agents[i]
	}
	for i := range r.set {
		l := &r.set[i]
		x.set[toLower(l.action)] = append(x.set[toLower(l.action)], l)
	}
	for i := range r.admin {
		x.admin[toLower(r.admin[i].action)] = &r.admin[i]
	}
	for i := range r.refused {
		x.refused[toLower(r.refused[i].action)] = &r.refused[i]
	}
	for i := range r.checks {
		l := &r.checks[i]
		x.checks[toLower(l.action)] = append(x.checks[toLower(l.action)], l)
	}
	for _, l := range r.items {
		x.items[l.name] = l.class
	}
	for _, l := range r.maskedKeys {
		x.maskedKeys = append(x.maskedKeys, pattern(l.name))
	}
	for _, l := range r.maskedEntries {
		x.maskedEntries = append(x.maskedEntries, pattern(l.name))
	}
	for _, l := range r.maskedHeaders {
		x.maskedHeaders[len(l.name)] = append(x.maskedHeaders[len(l.name)], l.name)
	}
	return x
}
