package profiles

import (
	"slices"
	"strings"
)

// Role is what a login is that asked for the type and the agent with that id, "" where
// it did not say. refusal says in words for the client why it is nothing.
func (s *Store) Role(p *Profile, asked, agentID string) (role Role, refusal string) {
	role = Role{Profile: p, Type: p.typeOf(asked)}
	if !slices.Contains(p.Types, role.Type) {
		return Role{}, "Type not permitted"
	}
	if role.Type != Agent {
		return role, ""
	}
	switch role.Agent = p.Agent; {
	case agentID == "" && role.Agent == nil:
		return Role{}, "Missing required parameter: AgentID"
	case agentID == "":
	case role.Agent != nil:
		if !strings.EqualFold(role.Agent.ID, agentID) {
			return Role{}, "Agent not permitted"
		}
	default:
		callback, known := s.Callback(agentID)
		if !known {
			return Role{}, "Agent not permitted"
		}
		role.Agent = callback.Person
	}
	return role, ""
}

// typeOf is the type of a login that asked for this one, "" if it did not say.
func (p *Profile) typeOf(asked string) Type {
	if asked == "" {
		return p.Type()
	}
	return Type(strings.ToLower(asked))
}

// Roles yields all that a login can be.
func (s *Store) Roles(yield func(Role) bool) {
	now := s.now.Load()
	for _, p := range now.profiles {
		for _, role := range now.roles(p) {
			if !yield(role) {
				return
			}
		}
	}
}

// roles are all that a login of p can be.
func (s *snapshot) roles(p *Profile) (all []Role) {
	for _, t := range p.Types {
		agents := s.people.people
		switch {
		case t != Agent:
			agents = []*Person{nil}
		case p.Agent != nil:
			agents = []*Person{p.Agent}
		}
		for _, agent := range agents {
			all = append(all, Role{Profile: p, Type: t, Agent: agent})
		}
	}
	return all
}
