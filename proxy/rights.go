package proxy

import (
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

// grant says what a profile gives to a login without a Type.
func (c *RightsConfig) grant(p *profiles.Profile) rights.Grant {
	g := rights.Grant{
		Type:               rights.Monitor,
		Read:               p.Read,
		Write:              p.Write,
		Allow:              p.Allow,
		Deny:               p.Deny,
		Dangerous:          p.Dangerous,
		ProtectedVariables: c.ProtectedVariables,
		Applications:       p.Applications,
		Commands:           p.Commands,
	}
	if p.Type() == profiles.Administrator {
		g.Type = rights.Administrator
	}
	for _, f := range p.Filters {
		g.Filters = append(g.Filters, rights.Filter(f))
	}
	return g
}

// subjects compiles the rights of all profiles of the store, which Load has found to
// be without mistakes.
func (c *RightsConfig) subjects(store *profiles.Store) (map[*profiles.Profile]*rights.Subject, error) {
	subjects := map[*profiles.Profile]*rights.Subject{}
	for _, p := range store.Profiles() {
		s, err := rights.New(c.grant(p))
		if err != nil {
			return nil, err
		}
		subjects[p] = s
	}
	return subjects, nil
}
