package profiles

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// house has administrators of all kinds, and profiles that they may change or not.
const house = `
[[profile]]
name = "root"
secret = "s"
types = ["administrator"]
read = "all"
write = "all"
admin = true
dangerous = true

[[profile]]
name = "Chief"
secret = "s"
types = ["administrator"]
admin = true
read = "call,agent"
write = "call,agent"
permit = ["10.0.0.0/8", "unix"]
deny = ["10.9.0.0/16", "Originate", "DB*"]
allow = ["Queue*", "Status", "Hangup"]
filters = ["!Event: VarSet"]
max_sessions = 4
actions_per_second = 10
applications = ["Read", "Say*"]
commands = ["core show settings"]

[[profile]]
name = "lead"
secret = "s"
types = ["administrator"]
admin = true
read = "call"
write = "call"
queues = ["support"]
contexts = ["internal"]
channels = ["PJSIP/2"]

[[profile]]
name = "picky"
secret = "s"
types = ["administrator"]
admin = true
read = "call"
filters = ["Event: Dial", "!Channel: Local"]

[[profile]]
name = "ops"
secret = "s"
types = ["administrator"]
read = "all"
write = "all"

[[profile]]
name = "ward"
secret = "s"
permit = ["10.1.0.0/16"]
deny = ["Originate", "DB*"]
allow = ["QueueStatus"]
read = "call"
filters = ["!Event: VarSet"]
max_sessions = 1
actions_per_second = 1

[[profile]]
name = "till"
secret = "s"
trust = ["10.0.0.1"]

[[profile]]
name = "nobody"
secret = "s"

[[agent]]
id = "1001"
name = "Alice"
devices = ["PJSIP/alice"]
`

// headers makes headers of lines such as "read: call".
func headers(lines ...string) (all []codec.Header) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		all = append(all, codec.Header{Name: strings.TrimSuffix(name, ":"), Value: value})
	}
	return all
}

// what a profile needs that Chief, lead or picky may make.
var (
	byChief = headers("secret: x", "permit: 10.0.0.0/8", "deny: 10.9.0.0/16,Originate,DB*", "allow: Queue*", "filters: !Event: VarSet", "max_sessions: 4", "actions_per_second: 10")
	byLead  = headers("secret: x", "queues: support", "contexts: internal", "channels: PJSIP/2")
	byPicky = headers("secret: x", "filters: Event: Dial", "filters: !Channel: Local")
)

// instead is the headers with others in place of those of the same name.
func instead(all []codec.Header, lines ...string) []codec.Header {
	fresh := headers(lines...)
	rest := slices.DeleteFunc(slices.Clone(all), func(h codec.Header) bool {
		return slices.ContainsFunc(fresh, func(f codec.Header) bool { return strings.EqualFold(f.Name, h.Name) })
	})
	return append(rest, fresh...)
}

// TestNobodyGivesWhatHeDoesNotHave tries each road by which an administrator could raise
// itself or a friend. Nothing of it leaves a trace.
func TestNobodyGivesWhatHeDoesNotHave(t *testing.T) {
	tests := map[string]struct {
		by, name string
		headers  []codec.Header
		want     string
	}{
		// Classes.
		"a class":                     {"Chief", "friend", instead(byChief, "write: call,originate"), `write: has "originate", which your own profile has not`},
		"two classes":                 {"Chief", "friend", instead(byChief, "read: system,call,security"), `read: has "system,security", which your own profile has not`},
		"all classes":                 {"Chief", "friend", instead(byChief, "write: all"), `write: has "system,log,verbose,command,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"all in capitals":             {"lead", "friend", instead(byLead, "READ: ALL"), `read: has "system,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"all behind another":          {"Chief", "friend", instead(byChief, "write: call,all"), `write: has "system,log,verbose,command,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"a class in a second header":  {"Chief", "friend", instead(byChief, "write: call", "Write: originate"), `write: has "originate", which your own profile has not`},
		"a class behind empty ones":   {"Chief", "friend", instead(byChief, "write: ,, call ,, Originate"), `write: has "originate", which your own profile has not`},
		"a class behind none":         {"Chief", "friend", instead(byChief, "write: <none>,originate"), `write: has "originate", which your own profile has not`},
		"a class of administrators":   {"Chief", "friend", instead(byChief, "types: monitor", "write: system"), `write: has "system", which your own profile has not`},
		"a class, by another's":       {"picky", "friend", instead(byPicky, "write: call"), `write: has "call", which your own profile has not`},
		"a class with odd characters": {"Chief", "friend", instead(byChief, "write: call\u200b,originate"), `write: has "call\u200b", which is no class`},

		// Actions.
		"allow left out":             {"Chief", "friend", instead(byChief, "allow:"), "allow: must say what, for your own profile does"},
		"allow all":                  {"Chief", "friend", instead(byChief, "allow: *"), `allow: has "*", which your own profile's has not`},
		"allow more":                 {"Chief", "friend", instead(byChief, "allow: Queue*,Getvar"), `allow: has "Getvar", which your own profile's has not`},
		"allow more, twice":          {"Chief", "friend", instead(byChief, "allow: QueueStatus", "allow: Redirect"), `allow: has "Redirect", which your own profile's has not`},
		"allow by a wider pattern":   {"Chief", "friend", instead(byChief, "allow: Q*"), `allow: has "Q*", which your own profile's has not`},
		"allow by another end":       {"Chief", "friend", instead(byChief, "allow: *Status"), `allow: has "*Status", which your own profile's has not`},
		"allow by two stars":         {"Chief", "friend", instead(byChief, "allow: Queue*,Q*e*"), `allow[1]: "Q*e*" is no name of an action`},
		"allow an empty name":        {"Chief", "friend", instead(byChief, "allow: Queue*,"), `allow[1]: "" is no name of an action`},
		"a list within an element":   {"Chief", "friend", instead(byChief, `allow: Queue*","Getvar`), `allow: has "\"Getvar", which your own profile's has not`},
		"deny left out":              {"Chief", "friend", instead(byChief, "deny:"), `deny: must have "Originate", for your own profile does`},
		"deny less":                  {"Chief", "friend", instead(byChief, "deny: 10.9.0.0/16,Originate"), `deny: must have "DB*", for your own profile does`},
		"deny by a narrower pattern": {"Chief", "friend", instead(byChief, "deny: 10.9.0.0/16,Originate,DBG*"), `deny: must have "DB*", for your own profile does`},

		// Networks.
		"the world":                 {"Chief", "friend", instead(byChief, "permit: 0.0.0.0/0"), "permit: lets in addresses that your own profile does not (deny counts, too)"},
		"the world, said by nobody": {"Chief", "friend", instead(byChief, "permit:"), "permit: lets in addresses that your own profile does not (deny counts, too)"},
		"one address more":          {"Chief", "friend", instead(byChief, "permit: 10.1.0.0/16,11.0.0.1"), "permit: lets in addresses that your own profile does not (deny counts, too)"},
		"IPv6":                      {"Chief", "friend", instead(byChief, "permit: 10.0.0.0/8", "permit: 2001:db8::1"), "permit: lets in addresses that your own profile does not (deny counts, too)"},
		"IPv4 as IPv6":              {"Chief", "friend", instead(byChief, "permit: ::ffff:11.0.0.0/104"), "permit: lets in addresses that your own profile does not (deny counts, too)"},
		"the hole":                  {"Chief", "friend", instead(byChief, "deny: Originate,DB*"), "permit: lets in addresses that your own profile does not (deny counts, too)"},
		"an island in the hole":     {"Chief", "friend", instead(byChief, "permit: 10.0.0.0/8,10.9.1.1"), "permit: lets in addresses that your own profile does not (deny counts, too)"},

		// Scopes.
		"no queues":                   {"lead", "friend", instead(byLead, "queues:"), "queues: must say which, for your own profile does"},
		"no contexts":                 {"lead", "friend", instead(byLead, "contexts:"), "contexts: must say which, for your own profile does"},
		"no channels":                 {"lead", "friend", instead(byLead, "channels:"), "channels: must say which, for your own profile does"},
		"another queue":               {"lead", "friend", instead(byLead, "queues: support,sales"), `queues: has "sales", which is outside your own profile's`},
		"another queue, twice":        {"lead", "friend", instead(byLead, "queues: support", "Queues: sales"), `queues: has "sales", which is outside your own profile's`},
		"a shorter prefix":            {"lead", "friend", instead(byLead, "channels: PJSIP/"), `channels: has "PJSIP/", which is outside your own profile's`},
		"an empty prefix":             {"lead", "friend", instead(byLead, "channels: PJSIP/2,"), "channels[1]: must not be empty"},
		"a context in capitals":       {"lead", "friend", instead(byLead, "contexts: Internal"), `contexts: has "Internal", which is outside your own profile's`},
		"a letter that looks alike":   {"lead", "friend", instead(byLead, "queues: \u017fupport"), "queues: has \"\u017fupport\", which is outside your own profile's"},
		"an agent, who it is said":    {"lead", "friend", instead(byLead, "types: agent"), `types: "agent" is not for those to give who have queues, contexts or channels`},
		"an agent with its devices":   {"lead", "friend", instead(byLead, "types: monitor,agent", "agent: 1002", "devices: PJSIP/trunk"), `types: "agent" is not for those to give who have queues, contexts or channels`},
		"an agent that there is":      {"root", "friend", headers("secret: x", "types: agent", "agent: Alice"), `agent: is "alice", which is that of agent "1001", too`},
		"another's device":            {"root", "friend", headers("secret: x", "types: agent", "agent: 1002", "devices: pjsip/ALICE"), `devices[0]: is "pjsip/alice", which is that of agent "1001", too`},
		"more devices for [[agent]]s": {"root", "friend", headers("secret: x", "types: agent", "agent: 1001", "devices: PJSIP/boss"), `devices: are those of [[agent]] "1001": name them there`},

		// Guards, filters, limits.
		"an application":            {"Chief", "friend", instead(byChief, "applications: System"), `applications: has "System", which your own profile's has not`},
		"all applications":          {"Chief", "friend", instead(byChief, "applications: *"), `applications: has "*", which your own profile's has not`},
		"some applications":         {"Chief", "friend", instead(byChief, "applications: Read,Sa*"), `applications: has "Sa*", which your own profile's has not`},
		"a command":                 {"Chief", "friend", instead(byChief, "commands: core show settings,database"), `commands: has "database", which your own profile's has not`},
		"a shorter command":         {"Chief", "friend", instead(byChief, "commands: core show"), `commands: has "core show", which your own profile's has not`},
		"a command by other blanks": {"lead", "friend", instead(byLead, "commands: core\u3000restart"), `commands: has "core\u3000restart", which your own profile's has not`},
		"filters dropped":           {"Chief", "friend", instead(byChief, "filters:"), `filters: must have "!Event: VarSet", for your own profile does`},
		"another filter":            {"Chief", "friend", instead(byChief, "filters: !Event: VarSet2"), `filters: must have "!Event: VarSet", for your own profile does`},
		"one of two filters":        {"picky", "friend", instead(byPicky, "filters: Event: Dial"), `filters: must have "!Channel: Local", for your own profile does`},
		"a filter that lets in":     {"picky", "friend", instead(byPicky, "filters: Event: Dial", "filters: !Channel: Local", "filters: ."), `filters: has ".": beside the filters of your own profile only such with ! in front`},
		"a filter with criteria":    {"picky", "friend", instead(byPicky, "filters: Event: Dial", "filters: !Channel: Local", "filters: eventfilter(action(include),name(VarSet)) ="), `filters: has "eventfilter(action(include),name(VarSet)) = ": beside the filters of your own profile only such with ! in front`},
		"sessions without limit":    {"Chief", "friend", instead(byChief, "max_sessions: 0"), "max_sessions: must be from 1 to 4, as your own profile's"},
		"sessions by the default":   {"Chief", "friend", instead(byChief, "max_sessions:"), "max_sessions: must be from 1 to 4, as your own profile's"},
		"more sessions":             {"Chief", "friend", instead(byChief, "max_sessions: 5"), "max_sessions: must be from 1 to 4, as your own profile's"},
		"fewer than none":           {"Chief", "friend", instead(byChief, "max_sessions: -1"), "max_sessions: is -1 and must be from 0 to 100000"},
		"sessions, over the top":    {"Chief", "friend", instead(byChief, "max_sessions: 18446744073709551617"), `max_sessions: is "18446744073709551617" and must be a whole number`},
		"sessions, twice":           {"Chief", "friend", instead(byChief, "max_sessions: 1", "max_sessions: 0"), "max_sessions: is given more than once"},
		"actions without limit":     {"Chief", "friend", instead(byChief, "actions_per_second: 0"), "actions_per_second: must be from 1 to 10, as your own profile's"},
		"more actions":              {"Chief", "friend", instead(byChief, "actions_per_second: 11"), "actions_per_second: must be from 1 to 10, as your own profile's"},

		// What only people give, even if one has it.
		"dangerous":                {"root", "friend", headers("secret: x", "dangerous: true"), "dangerous: is given in profiles.toml only"},
		"dangerous, in odd case":   {"root", "friend", headers("secret: x", "DangerOus: yes"), "dangerous: is given in profiles.toml only"},
		"dangerous, taken":         {"root", "nobody", headers("dangerous: false"), "dangerous: is given in profiles.toml only"},
		"dangerous, by emptiness":  {"root", "nobody", headers("dangerous:"), "dangerous: is given in profiles.toml only"},
		"dangerous, another shape": {"root", "nobody", headers("dangerous : true"), `"dangerous " is no key of a profile`},
		"admin":                    {"root", "friend", headers("secret: x", "types: administrator", "ADMIN: true"), "admin: is given in profiles.toml only"},
		"trust":                    {"root", "friend", headers("secret: x", "trust: 127.0.0.1"), "trust: is given in profiles.toml only"},
		"trust of administrators":  {"root", "friend", headers("secret: x", "trust_administrators: true"), "trust_administrators: is given in profiles.toml only"},

		// Headers that are no keys.
		"another name":            {"root", "nobody", headers("name: root"), "name: is what Profile says: a profile keeps its name"},
		"another name, odd case":  {"root", "nobody", headers("NAME: root"), "name: is what Profile says: a profile keeps its name"},
		"deleted":                 {"root", "nobody", headers("deleted: true"), `"deleted" is no key of a profile`},
		"an unknown key":          {"root", "nobody", headers("queue: x"), `"queue" is no key of a profile`},
		"a key with a dot":        {"root", "nobody", headers("profile.admin: true"), `"profile.admin" is no key of a profile`},
		"a key with TOML":         {"root", "nobody", headers("read = \"all\"\nadmin: true"), `"read = \"all\"\nadmin" is no key of a profile`},
		"no key":                  {"root", "nobody", headers(": true"), `"" is no key of a profile`},
		"TOML in a value":         {"root", "nobody", headers("agent: x\"\nadmin = true\nformat = \"xml"), "agent: holds a control character"},
		"TOML in a secret":        {"root", "nobody", headers("secret: x\r\nadmin = true"), "secret: holds a control character"},
		"NUL in a secret":         {"root", "nobody", headers("secret: x\x00"), "secret: holds a control character"},
		"another encoding":        {"root", "nobody", headers("secret: x\xff"), "secret: is not UTF-8"},
		"a secret twice":          {"root", "nobody", headers("secret: x", "SECRET: y"), "secret: is given more than once"},
		"a secret and a hash":     {"root", "nobody", headers("secret: x", "secret_hash: "+hashPrefix+"YW1wZC10ZXN0LXNhbHQhIQ$MSDJTWbHgGK77KRx8B3CSuqjXgrQqL1MWdrtEImA5fo"), "secret_hash: stands beside a secret: a profile has one of them"},
		"a hash that costs more":  {"root", "nobody", headers("secret_hash: $argon2id$v=19$m=65536,t=2,p=1$YW1wZC10ZXN0LXNhbHQhIQ$MSDJTWbHgGK77KRx8B3CSuqjXgrQqL1MWdrtEImA5fo"), `secret_hash: is not a hash that ampd can use: make one with "ampd hash-secret"`},
		"no secret":               {"root", "friend", headers("read: call"), "secret: must not be empty: set a secret or a secret_hash"},
		"no secret any more":      {"root", "nobody", headers("secret:"), "secret: must not be empty: set a secret or a secret_hash"},
		"a type that is none":     {"root", "nobody", headers("types: monitor,root"), `types[1]: is "root" and must be one of: monitor, agent, administrator`},
		"a flag that is none":     {"root", "nobody", headers("disabled: maybe"), `disabled: is "maybe" and must be true or false`},
		"a flag twice":            {"root", "nobody", headers("disabled: true", "disabled: false"), "disabled: is given more than once"},
		"a loss that is none":     {"root", "nobody", headers("on_upstream_loss: panic"), `on_upstream_loss: is "panic" and must be one of: stay, disconnect`},
		"devices without agent":   {"root", "nobody", headers("devices: PJSIP/x"), "devices: is for profiles that name their agent"},
		"a filter that is none":   {"root", "nobody", headers("filters: eventfilter(x y"), "filters[0]: must be written as in manager.conf: eventfilter(criteria) = expression"},
		"a filter too many":       {"root", "nobody", headers("filters: a", "filters:"), "filters[1]: must not be empty"},
		"what others check of it": {"root", "nobody", headers("filters: bad"), "filters[0]: is bad"},

		// Names.
		"no name":                  {"root", "", headers("secret: x"), "name: must not be empty"},
		"a name with a blank":      {"root", "root ", headers("secret: x"), "name: has a blank at one of its ends or a control character in it"},
		"a name with a tab":        {"root", "ro\tot", headers("secret: x"), "name: has a blank at one of its ends or a control character in it"},
		"a name that ends a line":  {"root", "x\"\nadmin = true\n#", headers("secret: x"), "name: has a blank at one of its ends or a control character in it"},
		"a name that looks alike":  {"root", "ro\u200bot", headers("secret: x"), "name: has a blank at one of its ends or a control character in it"},
		"a name in another coding": {"root", "r\xf6\xf6t", headers("secret: x"), "name: is not UTF-8"},
		"a long name":              {"root", strings.Repeat("x", 80), headers("secret: x"), "name: is longer than 79 bytes"},

		// Profiles of others.
		"one's own":                    {"Chief", "Chief", headers("read: all"), `Profile "Chief" has admin and is changed in profiles.toml only`},
		"one's own, in odd case":       {"Chief", "cHIEF", headers("max_sessions: 0"), `Profile "Chief" has admin and is changed in profiles.toml only`},
		"the administrator above":      {"Chief", "ROOT", headers("secret: x"), `Profile "root" has dangerous and is changed in profiles.toml only`},
		"one that trusts":              {"root", "till", headers("secret: x"), `Profile "till" has trust and is changed in profiles.toml only`},
		"a wider one's secret":         {"Chief", "ops", headers("secret: x"), `Profile "ops" is not yours to change, its read has "system,log,verbose,command,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"a wider one, cut down":        {"Chief", "Ops", byChief, `Profile "ops" is not yours to change, its read has "system,log,verbose,command,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"a wider one, disabled":        {"lead", "ops", headers("disabled: true"), `Profile "ops" is not yours to change, its read has "system,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"one from wider networks":      {"Chief", "nobody", byChief, `Profile "nobody" is not yours to change, its allow must say what, for your own profile does`},
		"a ward, raised":               {"Chief", "ward", headers("write: all"), `write: has "system,log,verbose,command,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"a ward, raised by emptiness":  {"Chief", "WARD", headers("filters:", "secret: x"), `filters: must have "!Event: VarSet", for your own profile does`},
		"a ward, by a type":            {"Chief", "ward", headers("types: administrator", "write: originate"), `write: has "originate", which your own profile has not`},
		"by somebody who may not":      {"ops", "friend", headers("secret: x"), "Only profiles with admin may change profiles"},
		"by somebody who may not, own": {"ops", "ops", headers("secret: x"), "Only profiles with admin may change profiles"},
	}
	more := func(p *Profile, report func(key, problem string)) {
		if slices.Contains(p.Filters, Filter{Expr: "bad"}) {
			report("filters[0]", "is bad")
		}
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := build(t, house, "", more)
			h.store.OnChange(func([]Change) { h.t.Error("something changed") })
			before := h.store.now.Load()
			err := h.store.Update(h.profile(tc.by), tc.name, tc.headers)
			require.EqualError(t, err, tc.want)
			var refusal *Refusal
			require.ErrorAs(t, err, &refusal)
			require.NoFileExists(t, h.state)
			require.Same(t, before, h.store.now.Load())
		})
	}
}

// TestWhatMayBeGiven is the other side: what those may do whose roads are closed above.
func TestWhatMayBeGiven(t *testing.T) {
	tests := map[string]struct {
		by, name string
		headers  []codec.Header
	}{
		"as much as one has":         {"Chief", "friend", instead(byChief, "types: administrator,monitor", "read: call,agent", "write: agent", "permit: 10.0.0.0/8,unix", "applications: read,SayDigits,Say*", "commands: Core Show  settings now")},
		"less":                       {"Chief", "friend", instead(byChief, "allow: QueueSt*,hangup", "deny: 10.0.0.0/9,*", "permit: 10.200.0.1", "filters: !Event: VarSet", "filters: Event: Dial", "filters: !x", "max_sessions: 1")},
		"nothing of networks":        {"lead", "friend", instead(byLead, "read: call", "queues: SUPPORT-2,support3", "channels: pjsip/20", "contexts: internal-2")},
		"filters that drop more":     {"picky", "friend", instead(byPicky, "filters: !Channel: Local", "filters: !Event: VarSet", "filters: Event: Dial")},
		"everything":                 {"root", "friend", headers("secret: x", "types: administrator", "read: all", "write: all", "applications: *", "commands: database")},
		"an agent":                   {"root", "friend", headers("secret: x", "types: agent", "agent: 1002", "devices: PJSIP/bob,Local/2@agents/n")},
		"an agent that logs in":      {"root", "friend", headers("secret: x", "types: agent,monitor")},
		"a ward":                     {"Chief", "WARD", headers("secret: other", "disabled: true", "max_sessions: 2", "read: call,agent")},
		"a wider profile":            {"root", "ops", headers("secret: x")},
		"how it is answered":         {"root", "friend", headers("secret: x", "dialect: Ampd", "format: XML", "command_framing: Old", "ampd_events: On", "on_upstream_loss: Disconnect")},
		"a name that needs quotes":   {"root", `a"b'c\d # [x]`, headers(`secret: "'\#`)},
		"a name of other letters":    {"root", "Zoë Ünal", headers("secret: x")},
		"a secret with blanks":       {"root", "friend", headers("secret: x \" y  ")},
		"a filter with a comma":      {"root", "friend", headers("secret: x", `filters: eventfilter(name(UserEvent),method(exact)) = a, "b"`, "filters: eventfilter = eventfilter(x")},
		"a hash instead of a secret": {"root", "nobody", headers("secret_hash: " + hashPrefix + "YW1wZC10ZXN0LXNhbHQhIQ$MSDJTWbHgGK77KRx8B3CSuqjXgrQqL1MWdrtEImA5fo")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := build(t, house, "", nil)
			require.NoError(t, h.store.Update(h.profile(tc.by), tc.name, tc.headers))
			p := h.profile(tc.name)
			require.Equal(t, h.state, h.store.File(p))

			for _, said := range tc.headers {
				if said.Name == "secret" {
					right, err := h.store.right(t.Context(), h.store.now.Load().accounts[strings.ToLower(tc.name)], said.Value)
					require.NoError(t, err)
					require.True(t, right, "to the byte")
				}
			}

			again := h.open()
			require.Equal(t, h.store.Profiles(), again.Profiles(), "as the file has it")
			require.Equal(t, h.store.List(), again.List())
			require.Nil(t, h.profile(tc.by).mayGive(p))
			if tc.name == "friend" {
				require.NoError(t, h.store.Delete(h.profile(tc.by), tc.name))
			}
		})
	}
}

func TestDeleteAsksWhatUpdateAsks(t *testing.T) {
	tests := map[string]struct{ by, name, want string }{
		"one's own":               {"Chief", "chief", `Profile "Chief" has admin and is changed in profiles.toml only`},
		"another administrator":   {"root", "LEAD", `Profile "lead" has admin and is changed in profiles.toml only`},
		"one that trusts":         {"root", "till", `Profile "till" has trust and is changed in profiles.toml only`},
		"a wider one":             {"lead", "ops", `Profile "ops" is not yours to change, its read has "system,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message", which your own profile has not`},
		"nobody":                  {"root", "friend", `There is no profile "friend"`},
		"nobody, with a line end": {"root", "fri\r\nend", `There is no profile "fri\r\nend"`},
		"by somebody who may not": {"ops", "nobody", "Only profiles with admin may change profiles"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := build(t, house, "", nil)
			require.EqualError(t, h.store.Delete(h.profile(tc.by), tc.name), tc.want)
			require.NoFileExists(t, h.state)
		})
	}
}

// TestWhoIsJudgedIsInForce: a session that still has its old profile can't use it.
func TestWhoIsJudgedIsInForce(t *testing.T) {
	h := build(t, house, "", nil)
	old := h.profile("lead")
	h.write(strings.Replace(house, `queues = ["support"]`, `queues = ["support-1"]`, 1))
	require.NoError(t, h.store.Reload().Err())
	const want = "Your own profile was changed: log in again"
	require.EqualError(t, h.store.Update(old, "friend", byLead), want)
	require.EqualError(t, h.store.Delete(old, "nobody"), want)
	h.write(strings.Replace(house, `name = "lead"`, `name = "former"`, 1))
	require.NoError(t, h.store.Reload().Err())
	require.EqualError(t, h.store.Update(old, "friend", byLead), want)
}

// TestWithinIsWhatPermitsSays compares with the addresses themselves, all of a small net
// and some around it.
func TestWithinIsWhatPermitsSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	some := func() (list []Network) {
		for range random.IntN(4) {
			var n Network
			switch random.IntN(8) {
			case 0:
			case 1:
				n.Prefix = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
			case 2:
				n.Prefix = netip.PrefixFrom(netip.IPv6Unspecified(), random.IntN(2)*128)
			default:
				n.Prefix, _ = netip.AddrFrom4([4]byte{10, 0, 0, byte(random.IntN(256))}).Prefix(random.IntN(9) + 24)
			}
			list = append(list, n)
		}
		return list
	}
	addresses := []netip.Addr{{}, netip.IPv6Unspecified(), netip.IPv6LinkLocalAllNodes(), netip.MustParseAddr("10.0.1.0"), netip.MustParseAddr("255.255.255.255")}
	for i := range 256 {
		addresses = append(addresses, netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
	}
	within := 0
	for range 2000 {
		inner, outer := Networks{some(), some()}, Networks{some(), some()}
		want := !slices.ContainsFunc(addresses, func(a netip.Addr) bool { return inner.Permits(a) && !outer.Permits(a) })
		require.Equal(t, want, inner.within(outer), "%v %v", inner, outer)
		if want {
			within++
		}
	}
	require.Greater(t, within, 200)
}

// TestCoveredIsWhatPatternsMatch compares with all words of a small alphabet.
func TestCoveredIsWhatPatternsMatch(t *testing.T) {
	var words []string
	for _, n := range []int{0, 1, 2, 3, 4} {
		for i := range 1 << n {
			word := ""
			for bit := range n {
				word += string("aB"[i>>bit&1])
			}
			words = append(words, word)
		}
	}
	patterns := slices.Clone(words[:15])
	for _, a := range words[:7] {
		for _, b := range words[:7] {
			patterns = append(patterns, a+"*"+b)
		}
	}
	for _, outer := range patterns {
		for _, inner := range patterns {
			all := slices.Clone(words)
			if start, end, open := strings.Cut(inner, "*"); open {
				all = append(all, start+"x"+end, start+end)
			}
			want := !slices.ContainsFunc(all, func(w string) bool { return matches(inner, w) && !matches(outer, w) })
			require.Equal(t, want, covered(strings.ToUpper(inner), []string{"y", outer}), "%q in %q", inner, outer)
		}
	}
}

// matches is how package rights takes a pattern.
func matches(pattern, name string) bool {
	start, end, open := strings.Cut(lower(pattern), "*")
	name = lower(name)
	return name == start && !open || open && len(name) >= len(start)+len(end) && strings.HasPrefix(name, start) && strings.HasSuffix(name, end)
}
