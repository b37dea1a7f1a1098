package proxy

import (
	"slices"
	"strings"

	"ampd/downstream"
	"ampd/profiles"
	"ampd/rights"
)

// changed applies changes of profiles to the sessions logged in, from the next event and
// action on: those whose profile is gone, disabled, or no more for what they are, are
// ended; the others have its rights. What waits to be resumed, or is about to be, is given
// up.
func (h *Hub) changed(changes []profiles.Change) {
	h.do(func() {
		for _, change := range changes {
			h.regrant(change)
		}
	})
}

// setRights has what is configured for all profiles hold for the sessions logged in, as
// changed does.
func (h *Hub) setRights(cfg RightsConfig) {
	h.do(func() {
		if slices.Equal(cfg.ProtectedVariables, h.rights.ProtectedVariables) {
			return
		}
		h.rights = cfg
		roles := map[*profiles.Profile][]profiles.Role{}
		for role := range h.subjects {
			roles[role.Profile] = append(roles[role.Profile], role)
		}
		for p, all := range roles {
			h.regrant(profiles.Change{Old: p, New: p, Roles: all})
		}
	})
}

func (h *Hub) regrant(change profiles.Change) {
	for role := range h.subjects {
		if role.Profile == change.Old {
			delete(h.subjects, role)
		}
	}
	subjects := map[profiles.Role]*rights.Subject{}
	for _, role := range change.Roles {
		s, err := rights.New(h.rights.grant(role), h.state)
		if err != nil { // Load has found its filters to be without mistakes
			continue
		}
		subjects[role] = s
		h.subjects[role] = s
	}
	if change.Old == nil {
		return
	}
	for _, c := range slices.Clone(h.parked) {
		if c.profile == change.Old {
			h.discard(c)
		}
	}
	for s, c := range h.clients {
		if c.profile != change.Old {
			continue
		}
		h.discard(c)
		role, ok := sameRole(c.role, change.Roles)
		if !ok || c.joining || change.New == nil || change.New.Disabled || !s.Permitted(change.New) {
			h.dismiss(c, downstream.ErrProfile)
			continue
		}
		c.profile, c.role, c.state.Rights = change.New, role, subjects[role]
		c.state.Filters = c.state.Rights.Filters()
		for _, m := range c.state.Added {
			c.state.Filters = c.state.Filters.With(m)
		}
		h.subscribe(c)
	}
}

// sameRole finds what a session is among what a changed profile can be.
func sameRole(was profiles.Role, roles []profiles.Role) (role profiles.Role, ok bool) {
	for _, role := range roles {
		switch {
		case role.Type != was.Type:
		case was.Agent == nil:
			return role, true
		case role.Agent != nil && strings.EqualFold(role.Agent.ID, was.Agent.ID):
			return role, true
		}
	}
	return role, false
}
