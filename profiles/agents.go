package profiles

import (
	"fmt"
	"slices"
	"strings"
)

// checkAgents names what is wrong with the [[agent]] tables and fills the store.
func (f *file) checkAgents(report func(key, problem string)) {
	for i := range f.Agents {
		a := &f.Agents[i]
		here := func(key, problem string) { report(fmt.Sprintf("agent[%d].%s", i, key), problem) }
		key := strings.ToLower(a.ID)
		if f.store.agents[key] != nil && key != "" {
			here("id", fmt.Sprintf("is %q, which another agent has; ids are compared without case", a.ID))
		}
		if problem := idProblem(a.ID); problem != "" {
			here("id", problem)
		}
		checkDevices(a.Devices, here)
		p := &Person{ID: a.ID, Name: a.Name, Devices: a.Devices}
		f.store.agents[key] = p
		f.store.people = append(f.store.people, p)
	}
	f.checkOneself(report)
}

// checkOneself reports names and devices that are of two agents, those that profiles name
// beside the tables included: each would see and control what is the other's.
func (f *file) checkOneself(report func(key, problem string)) {
	whose := map[string]string{}
	claim := func(id, key, name string) {
		name = withoutOptions(strings.ToLower(name))
		if other, taken := whose[name]; taken && other != id && name != "" {
			report(key, fmt.Sprintf("is %q, which is that of agent %q, too", name, other))
			return
		}
		whose[name] = id
	}
	for i, a := range f.Agents {
		id := strings.ToLower(a.ID)
		claim(id, fmt.Sprintf("agent[%d].id", i), a.ID)
		claim(id, fmt.Sprintf("agent[%d].name", i), a.Name)
		for j, d := range a.Devices {
			claim(id, fmt.Sprintf("agent[%d].devices[%d]", i, j), d)
		}
	}
	for i, e := range f.Profiles {
		id := strings.ToLower(e.Agent)
		if e.Agent == "" || f.store.agents[id] != nil {
			continue
		}
		claim(id, fmt.Sprintf("profile[%d].agent", i), e.Agent)
		for j, d := range e.Devices {
			claim(id, fmt.Sprintf("profile[%d].devices[%d]", i, j), d)
		}
	}
}

// withoutOptions is a device, in lower case, as its channels have it: the name of a Local
// channel has no options ("local/1@agents/n").
func withoutOptions(device string) string {
	rest, isLocal := strings.CutPrefix(device, "local/")
	if i := strings.LastIndexByte(rest, '/'); isLocal && i >= 0 {
		return device[:len("local/")+i]
	}
	return device
}

// agentOf is who logins of type agent are, nil if they say it.
func (f *file) agentOf(e *entry, report func(key, problem string)) *Person {
	known := f.store.agents[strings.ToLower(e.Agent)]
	switch {
	case e.Agent == "":
		if slices.Contains(e.Types, Agent) && len(f.Agents) == 0 {
			report("agent", "must say who logs in, for there is no [[agent]]")
		}
		return nil
	case known != nil:
		if len(e.Devices) > 0 {
			report("devices", fmt.Sprintf("are those of [[agent]] %q: name them there", known.ID))
		}
		return known
	}
	if problem := idProblem(e.Agent); problem != "" {
		report("agent", problem)
	}
	return &Person{ID: e.Agent, Devices: e.Devices}
}

func idProblem(id string) string {
	if id != "" && strings.ContainsAny(id, "/ \t:,|") {
		return "has a blank or one of / : , | in it"
	}
	return ""
}

// checkDevices reports what is not TECHNOLOGY/NAME.
func checkDevices(devices []string, report func(key, problem string)) {
	for i, d := range devices {
		technology, name, found := strings.Cut(d, "/")
		if !found || technology == "" || name == "" || strings.ContainsAny(d, " \t,&") {
			report(fmt.Sprintf("devices[%d]", i), `must be a device such as "PJSIP/alice"`)
		}
	}
}
