package profiles

import (
	"slices"

	"ampd/codec"
)

// A Type is a ceiling over what a session may do.
type Type string

// The types of logins.
const (
	Monitor       Type = "monitor"       // sees, changes nothing
	Agent         Type = "agent"         // acts on its own calls and memberships
	Administrator Type = "administrator" // all that its classes name
)

// A Profile is what ampd knows of those who log in by its name, secrets excepted:
// it may be logged whole. It does not change.
type Profile struct {
	Name string // as the file writes it; compared without case

	// Types are what a login may ask for, at least one. The first is that of a
	// login that does not say.
	Types []Type
	Agent *Person // who its logins of type agent are, nil if the login names one of the file's

	Networks Networks

	// Read are the classes of events, Write those of actions.
	Read, Write codec.Classes

	// Allow and Deny are names of actions as the file writes them; one "*" may
	// stand for anything.
	Allow, Deny []string

	Filters []Filter

	MaxSessions      int    // at the same time; 0 is no limit
	ActionsPerSecond int    // of one session; 0 is no limit
	OnUpstreamLoss   string // "stay" or "disconnect"
	Disabled         bool

	// Dangerous lifts the guards over actions that can do more than their
	// classes say.
	Dangerous    bool
	Applications []string // may be originated too
	Commands     []string // beginnings of CLI commands that may be run too

	// The scopes: prefixes of names, empty for all.
	Queues, Contexts, Channels []string

	// How its sessions are answered. CommandFraming is "upstream", "old" or "new",
	// "" to go by the dialect; Format is "asterisk" or "xml", "" for the listener's.
	Dialect        string // of a native login without Type: "asterisk" or "ampd"
	Format         string
	CommandFraming string
	AmpdEvents     bool // gets events of ampd's own in the asterisk dialect, too

	Admin bool // may change profiles, logged in as administrator

	// Trust are networks from which no secret is asked: [Store.Trusts].
	Trust               []Network
	TrustAdministrators bool // not even of administrators
}

// onlyInFile are the keys that profiles.toml alone may give.
var onlyInFile = []string{"dangerous", "admin", "trust", "trust_administrators"}

// fixedBy is the first of the keys that profiles.toml alone may give which the
// profile has, "" if none: such a profile does not change at run time.
func (p *Profile) fixedBy() string {
	has := []bool{p.Dangerous, p.Admin, len(p.Trust) > 0, p.TrustAdministrators}
	if i := slices.Index(has, true); i >= 0 {
		return onlyInFile[i]
	}
	return ""
}

// A Filter is an event filter as manager.conf writes it:
//
//	eventfilter = Expr
//	eventfilter(Criteria) = Expr
type Filter struct {
	Criteria string // "name(Newchannel),action(exclude)"; "" is the older form
	Expr     string
}

// Type is the type of a session whose login did not ask for one.
func (p *Profile) Type() Type { return p.Types[0] }

// A Person is an agent, as an [[agent]] or the profile names it. It does not change.
type Person struct {
	ID      string
	Name    string   // what queues call it, "" if no other than its id
	Devices []string // "PJSIP/alice"
}

// A Callback is an agent of [[agent]] with the queues that a callback login makes it a
// member of, and its penalty there. It does not change.
type Callback struct {
	*Person
	Queues  []string
	Penalty int
}

// A Role is what a login is: a profile under one of its types and, for an agent, who.
// Equal roles have equal rights.
type Role struct {
	Profile *Profile
	Type    Type
	Agent   *Person // nil but for agents
}
