package proxy

import (
	"ampd/pbx"
	"ampd/profiles"
	"ampd/rights"
)

// RightsConfig is what holds for all profiles.
type RightsConfig struct {
	// ProtectedVariables are names of channel and global variables that nobody
	// may read or set without dangerous, beside those that ampd knows to do
	// harm; one "*" may stand for anything.
	ProtectedVariables []string `toml:"protected_variables"`
}

// subjects are the rights of all roles that a login can have, and the state that they
// are about.
type subjects struct {
	state  *pbx.State
	byRole map[profiles.Role]*rights.Subject
}

// types are those of profiles, as rights calls them.
var types = map[profiles.Type]rights.Type{
	profiles.Monitor:       rights.Monitor,
	profiles.Agent:         rights.Agent,
	profiles.Administrator: rights.Administrator,
}

// grant says what a role gives.
func (c *RightsConfig) grant(role profiles.Role) rights.Grant {
	p := role.Profile
	g := rights.Grant{
		Type:               types[role.Type],
		Read:               p.Read,
		Write:              p.Write,
		Allow:              p.Allow,
		Deny:               p.Deny,
		Admin:              p.Admin,
		Dangerous:          p.Dangerous,
		ProtectedVariables: c.ProtectedVariables,
		Applications:       p.Applications,
		Commands:           p.Commands,
		Queues:             p.Queues,
		Contexts:           p.Contexts,
		Channels:           p.Channels,
	}
	if role.Agent != nil {
		g.Agent = pbx.Person(*role.Agent)
	}
	for _, f := range p.Filters {
		g.Filters = append(g.Filters, rights.Filter(f))
	}
	return g
}

// subjects compiles the rights of all roles of the store's, which Load has found to be
// without mistakes.
func (c *RightsConfig) subjects(store *profiles.Store) (*subjects, error) {
	all := &subjects{state: pbx.New(), byRole: map[profiles.Role]*rights.Subject{}}
	for role := range store.Roles {
		s, err := rights.New(c.grant(role), all.state)
		if err != nil {
			return nil, err
		}
		all.byRole[role] = s
	}
	return all, nil
}
