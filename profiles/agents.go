package profiles

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// checkAgents names what is wrong with the [[agent]] tables and fills the file.
func (f *file) checkAgents(report func(key, problem string)) {
	f.callbacks = map[string]Callback{}
	for i := range f.Agents {
		a := &f.Agents[i]
		here := func(key, problem string) { report(fmt.Sprintf("agent[%d].%s", i, key), problem) }
		key := strings.ToLower(a.ID)
		if _, taken := f.callbacks[key]; taken && key != "" {
			here("id", fmt.Sprintf("is %q, which another agent has; ids are compared without case", a.ID))
		}
		if problem := idProblem(a.ID); problem != "" {
			here("id", problem)
		}
		checkDevices(a.Devices, here)
		for j, queue := range a.Queues {
			switch {
			case strings.TrimSpace(queue) == "":
				here(fmt.Sprintf("queues[%d]", j), "must not be empty")
			case slices.Contains(a.Queues[:j], queue):
				here(fmt.Sprintf("queues[%d]", j), fmt.Sprintf("is %q again", queue))
			}
		}
		p := &Person{ID: a.ID, Name: a.Name, Devices: a.Devices}
		if old := f.before[key].Person; reflect.DeepEqual(old, p) {
			p = old
		}
		f.callbacks[key] = Callback{Person: p, Queues: a.Queues, Penalty: a.Penalty}
		f.people = append(f.people, p)
	}
	whose := claims{}
	f.claimAgents(whose, report)
	for i := range f.Profiles {
		whose.claimEntry(&f.Profiles[i], f.callbacks, func(key, problem string) {
			report(fmt.Sprintf("profile[%d].%s", i, key), problem)
		})
	}
}

// claims are whose the names and devices of agents are, by these in lower case. Two
// agents that shared one would each see and control what is the other's.
type claims map[string]string

// claim takes a name or device for the agent with that id, or reports whose it is.
func (c claims) claim(id, key, name string, report func(key, problem string)) {
	name = withoutOptions(strings.ToLower(name))
	if other, taken := c[name]; taken && other != id && name != "" {
		report(key, fmt.Sprintf("is %q, which is that of agent %q, too", name, other))
		return
	}
	c[name] = id
}

// claimAgents takes what the [[agent]] tables name.
func (f *file) claimAgents(c claims, report func(key, problem string)) {
	for i, a := range f.Agents {
		id := strings.ToLower(a.ID)
		c.claim(id, fmt.Sprintf("agent[%d].id", i), a.ID, report)
		c.claim(id, fmt.Sprintf("agent[%d].name", i), a.Name, report)
		for j, d := range a.Devices {
			c.claim(id, fmt.Sprintf("agent[%d].devices[%d]", i, j), d, report)
		}
	}
}

// claimEntry takes what a profile names that has an agent of its own.
func (c claims) claimEntry(e *entry, agents map[string]Callback, report func(key, problem string)) {
	id := strings.ToLower(e.Agent)
	if _, known := agents[id]; known || e.Agent == "" {
		return
	}
	c.claim(id, "agent", e.Agent, report)
	for j, d := range e.Devices {
		c.claim(id, fmt.Sprintf("devices[%d]", j), d, report)
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

// agent is who logins of type agent are, nil if they say it.
func (e *entry) agent(agents map[string]Callback, report func(key, problem string)) *Person {
	known, ok := agents[strings.ToLower(e.Agent)]
	switch {
	case e.Agent == "":
		if slices.Contains(e.Types, Agent) && len(agents) == 0 {
			report("agent", "must say who logs in, for there is no [[agent]]")
		}
		return nil
	case ok:
		if len(e.Devices) > 0 {
			report("devices", fmt.Sprintf("are those of [[agent]] %q: name them there", known.ID))
		}
		return known.Person
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
