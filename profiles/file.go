package profiles

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"ampd/codec"
	"ampd/config"
)

// longestName is the longest name that Asterisk keeps (username of struct
// ast_manager_user in main/manager.c), in bytes.
const longestName = 79

// A Check judges a profile beyond what this package knows of it (whether its
// filters can be read, say). It reports by the file's keys ("filters[1]") and a
// sentence without its subject.
type Check func(p *Profile, report func(key, problem string))

// file is profiles.toml.
type file struct {
	Profiles []entry  `toml:"profile" required:"true"`
	Agents   []person `toml:"agent"`

	name   string
	more   Check
	before map[string]Callback // those of an earlier reading, to be used again if equal

	// Filled by Check.
	written   []written       // in the file's order
	names     map[string]bool // in lower case
	people    []*Person
	callbacks map[string]Callback // by id in lower case
}

// written is a profile as one of the files has it.
type written struct {
	file    string
	entry   *entry
	profile *Profile
	hash    *hash // nil if there is only a secret
	deleted bool  // all that is said of it
}

// entry is one [[profile]] as the file has it.
type entry struct {
	Name       string        `toml:"name" required:"true"`
	Secret     config.Secret `toml:"secret"`
	SecretHash config.Secret `toml:"secret_hash"`

	Types   []Type   `toml:"types" oneof:"monitor agent administrator"`
	Agent   string   `toml:"agent"`
	Devices []string `toml:"devices"`

	Read  classes `toml:"read"`
	Write classes `toml:"write"`

	Permit []Network `toml:"permit"`
	Deny   []denied  `toml:"deny"` // networks and actions
	Allow  []action  `toml:"allow"`

	Filters []Filter `toml:"filters"`

	MaxSessions      int    `toml:"max_sessions" min:"0" max:"100000"`
	ActionsPerSecond int    `toml:"actions_per_second" min:"0" max:"100000"`
	OnUpstreamLoss   string `toml:"on_upstream_loss" oneof:"stay disconnect"`
	Disabled         bool   `toml:"disabled"`

	Dangerous    bool     `toml:"dangerous"`
	Applications []string `toml:"applications"`
	Commands     []string `toml:"commands"`

	Queues   []string `toml:"queues"`
	Contexts []string `toml:"contexts"`
	Channels []string `toml:"channels"`

	Dialect        string `toml:"dialect" oneof:"asterisk ampd"`
	Format         string `toml:"format" oneof:"asterisk xml"`
	CommandFraming string `toml:"command_framing" oneof:"upstream old new"`
	AmpdEvents     bool   `toml:"ampd_events"`

	Admin               bool      `toml:"admin"`
	Trust               []Network `toml:"trust"`
	TrustAdministrators bool      `toml:"trust_administrators"`
}

// person is one [[agent]] as the file has it.
type person struct {
	ID      string   `toml:"id" required:"true"`
	Name    string   `toml:"name"`
	Devices []string `toml:"devices"`

	Queues  []string `toml:"queues"`
	Penalty int      `toml:"penalty" min:"0" max:"1000000"`
}

// Defaults is what a profile has that does not say.
func (e *entry) Defaults() {
	e.Types = []Type{Monitor}
	e.OnUpstreamLoss = "stay"
	e.Dialect = "asterisk"
}

// Check names what is wrong between the keys and fills the file.
func (f *file) Check(report func(key, problem string)) {
	f.checkAgents(report)
	f.names = map[string]bool{}
	for i := range f.Profiles {
		e := &f.Profiles[i]
		here := func(key, problem string) { report(fmt.Sprintf("profile[%d].%s", i, key), problem) }
		e.checkName(f.names, here)
		f.written = append(f.written, e.judge(f.name, f.callbacks, f.more, here))
	}
}

// checkName reports a name that can't be one, or that is among those seen.
func (e *entry) checkName(seen map[string]bool, report func(key, problem string)) {
	name := strings.ToLower(e.Name)
	if seen[name] && name != "" {
		report("name", fmt.Sprintf("is %q, which another profile has; names are compared without case", e.Name))
	}
	seen[name] = true
	if len(e.Name) > longestName {
		report("name", fmt.Sprintf("is longer than %d bytes", longestName))
	}
	if strings.TrimSpace(e.Name) != e.Name || strings.ContainsFunc(e.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		report("name", "has a blank at one of its ends or a control character in it")
	}
}

// judge checks the entry of a file and says what it is; agents are those of
// profiles.toml, nil where they are not known.
func (e *entry) judge(file string, agents map[string]Callback, more Check, report func(key, problem string)) written {
	e.check(report)
	p := e.profile()
	if agents != nil {
		p.Agent = e.agent(agents, report)
	}
	if more != nil {
		more(p, report)
	}
	h, err := parseHash(string(e.SecretHash))
	if err != nil && e.SecretHash != "" {
		report("secret_hash", err.Error())
	}
	return written{file: file, entry: e, profile: p, hash: h}
}

func (e *entry) check(report func(key, problem string)) {
	switch {
	case e.Secret != "" && e.SecretHash != "":
		report("secret_hash", "stands beside a secret: a profile has one of them")
	case e.Secret != "" || e.SecretHash == "":
		if problem := secretProblem(string(e.Secret)); problem != "" {
			report("secret", problem+orMissing(e.Secret))
		}
	}
	if len(e.Types) == 0 {
		report("types", "must not be empty")
		e.Types = []Type{Monitor} // a profile has one, for whoever looks at it next
	}
	for i, t := range e.Types {
		if slices.Contains(e.Types[:i], t) {
			report(fmt.Sprintf("types[%d]", i), fmt.Sprintf("is %q again", t))
		}
	}
	isAgent := slices.Contains(e.Types, Agent)
	switch {
	case e.Agent != "" && !isAgent:
		report("agent", `is for profiles with "agent" among their types`)
	case len(e.Devices) > 0 && e.Agent == "":
		report("devices", "is for profiles that name their agent")
	}
	if e.Dangerous && len(e.Queues)+len(e.Contexts)+len(e.Channels) > 0 {
		report("dangerous", "lifts what queues, contexts and channels limit: a profile has one or the other")
	}
	if e.Admin && !slices.Contains(e.Types, Administrator) {
		report("admin", `is for profiles with "administrator" among their types`)
	}
	if e.TrustAdministrators && len(e.Trust) == 0 {
		report("trust_administrators", "says nothing without trust")
	}
	for _, scope := range []struct {
		key   string
		names []string
	}{{"queues", e.Queues}, {"contexts", e.Contexts}, {"channels", e.Channels}} {
		if scope.names != nil && len(scope.names) == 0 {
			report(scope.key, "is empty: leave it out where nothing is limited, else say to what")
		}
	}
	checkDevices(e.Devices, report)
	for i, d := range e.Deny {
		for _, a := range e.Allow {
			if d.action != "" && strings.EqualFold(string(a), d.action) {
				report(fmt.Sprintf("deny[%d]", i), fmt.Sprintf("is %q, which allow names too", d.action))
			}
		}
	}
	for _, list := range []struct {
		key   string
		names []string
	}{
		{"applications", e.Applications},
		{"commands", e.Commands},
		{"queues", e.Queues},
		{"contexts", e.Contexts},
		{"channels", e.Channels},
	} {
		for i, name := range list.names {
			if strings.TrimSpace(name) == "" {
				report(fmt.Sprintf("%s[%d]", list.key, i), "must not be empty")
			}
		}
	}
}

func orMissing(secret config.Secret) string {
	if secret == "" {
		return ": set a secret or a secret_hash"
	}
	return ""
}

// profile returns what the rest of ampd sees of the entry.
func (e *entry) profile() *Profile {
	p := &Profile{
		Name:     e.Name,
		Types:    e.Types,
		Networks: Networks{Permit: e.Permit},
		Read:     e.Read.Classes,
		Write:    e.Write.Classes,
		Filters:  e.Filters,

		MaxSessions:      e.MaxSessions,
		ActionsPerSecond: e.ActionsPerSecond,
		OnUpstreamLoss:   e.OnUpstreamLoss,
		Disabled:         e.Disabled,

		Dangerous:    e.Dangerous,
		Applications: e.Applications,
		Commands:     e.Commands,

		Queues:   e.Queues,
		Contexts: e.Contexts,
		Channels: e.Channels,

		Dialect:        e.Dialect,
		Format:         e.Format,
		CommandFraming: e.CommandFraming,
		AmpdEvents:     e.AmpdEvents,

		Admin:               e.Admin,
		Trust:               e.Trust,
		TrustAdministrators: e.TrustAdministrators,
	}
	for _, a := range e.Allow {
		p.Allow = append(p.Allow, string(a))
	}
	for _, d := range e.Deny {
		if d.action != "" {
			p.Deny = append(p.Deny, d.action)
		} else {
			p.Networks.Deny = append(p.Networks.Deny, d.network)
		}
	}
	return p
}

// classes is written "call,agent" as in manager.conf, or ["call", "agent"].
type classes struct{ codec.Classes }

func (c *classes) UnmarshalTOML(v any) error {
	var names []string
	switch v := v.(type) {
	case string:
		names = strings.Split(v, ",")
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return errors.New(`must be a list of classes, as in ["call", "agent"]`)
			}
			names = append(names, s)
		}
	default:
		return errors.New(`must be a list of classes, as in ["call", "agent"]`)
	}
	for _, name := range names {
		set, unknown := codec.ParseClasses(name)
		if unknown != "" {
			return fmt.Errorf("has %q, which is no class", unknown)
		}
		c.Classes |= set
	}
	return nil
}

// action is the name of an AMI action; one "*" may stand for anything.
type action string

func (a *action) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || strings.ContainsAny(s, "./:,") || strings.Count(s, "*") > 1 {
		return fmt.Errorf("%q is no name of an action", s)
	}
	*a = action(s)
	return nil
}

// denied is a network or an action: only networks hold a dot, colon or slash.
type denied struct {
	network Network
	action  string
}

func (d *denied) UnmarshalText(text []byte) error {
	if s := string(text); s == unix || strings.ContainsAny(s, ".:/") {
		return d.network.UnmarshalText(text)
	}
	return (*action)(&d.action).UnmarshalText(text)
}

// String writes d as the file has it.
func (d denied) String() string {
	if d.action != "" {
		return d.action
	}
	return d.network.String()
}

// UnmarshalText reads a filter as manager.conf has it: what stands behind
// "eventfilter =", or the whole line of the form "eventfilter(...) = ...".
func (f *Filter) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	rest, ok := strings.CutPrefix(s, "eventfilter")
	rest = strings.TrimSpace(rest)
	switch {
	case ok && strings.HasPrefix(rest, "("):
		criteria, expr, found := cutCriteria(rest)
		if !found {
			return errors.New("must be written as in manager.conf: eventfilter(criteria) = expression")
		}
		*f = Filter{Criteria: criteria, Expr: expr}
		return nil
	case ok && strings.HasPrefix(rest, "="):
		s = strings.TrimSpace(rest[1:])
	}
	if s == "" {
		return errors.New("must not be empty")
	}
	*f = Filter{Expr: s}
	return nil
}

// String writes f as [Filter.UnmarshalText] reads it.
func (f Filter) String() string {
	switch {
	case f.Criteria != "":
		return "eventfilter(" + f.Criteria + ") = " + f.Expr
	case strings.HasPrefix(f.Expr, "eventfilter"):
		return "eventfilter = " + f.Expr
	}
	return f.Expr
}

// cutCriteria splits "(name(Newchannel)) = expression" at the bracket that closes
// the first one.
func cutCriteria(s string) (criteria, expr string, ok bool) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			rest, found := strings.CutPrefix(strings.TrimSpace(s[i+1:]), "=")
			return strings.TrimSpace(s[1:i]), strings.TrimSpace(strings.TrimPrefix(rest, ">")), found
		}
	}
	return "", "", false
}
