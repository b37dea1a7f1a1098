package profiles

import (
	"slices"
	"strings"
)

// Role is what a login is that asked for the type and the agent with that id, "" where
// it did not say. refusal says in words for the client why it is nothing.
func (s *Store) Role(p *Profile, asked, agentID string) (role Role, refusal string) {
	role = Role{Profile: p, Type: p.Type()}
	if asked != "" {
		role.Type = Type(strings.ToLower(asked))
		if !slices.Contains(p.Types, role.Type) {
			return Role{}, "Type not permitted"
		}
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
		if role.Agent = s.agents[strings.ToLower(agentID)]; role.Agent == nil {
			return Role{}, "Agent not permitted"
		}
	}
	return role, ""
}

// Roles yields all that a login can be.
func (s *Store) Roles(yield func(Role) bool) {
	for _, p := range s.profiles {
		for _, t := range p.Types {
			role := Role{Profile: p, Type: t}
			if t != Agent {
				if !yield(role) {
					return
				}
				continue
			}
			agents := s.people
			if p.Agent != nil {
				agents = []*Person{p.Agent}
			}
			for _, role.Agent = range agents {
				if !yield(role) {
					return
				}
			}
		}
	}
}
