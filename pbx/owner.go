package pbx

import (
	"slices"
	"strings"
)

// A Person is an agent as configuration names it.
type Person struct {
	ID      string
	Name    string
	Devices []string // "PJSIP/alice"
}

// An Owner knows what is a person's: an agent of app_agent_pool's and the members of
// queues that are the same person, and their channels. It follows the state.
type Owner struct {
	state       *State
	person      Person
	memberships uint64   // of the state when the rest was worked out
	interfaces  []string // without case
	devices     []string // those of them that channels have, without case and options
}

// NewOwner is made once for a person.
func (s *State) NewOwner(p Person) *Owner {
	o := &Owner{state: s, person: p}
	o.learn()
	return o
}

// learn works out the person's interfaces anew.
func (o *Owner) learn() {
	o.memberships = o.state.memberships
	o.interfaces = o.interfaces[:0]
	o.devices = o.devices[:0]
	for _, d := range o.person.Devices {
		o.add(d)
	}
	if o.person.ID != "" {
		o.add("Agent:" + o.person.ID)
	}
	for _, q := range o.state.queues {
		for _, m := range q.Members {
			if o.IsMember(m) {
				o.add(m.Interface)
				o.add(m.StateInterface)
			}
		}
	}
}

// add adds an interface. A device is what stands before the options of a Local
// channel: "Local/1001@agents/n" makes "Local/1001@agents-00000001;1".
func (o *Owner) add(iface string) {
	iface = fold(iface)
	if iface == "" || slices.Contains(o.interfaces, iface) {
		return
	}
	o.interfaces = append(o.interfaces, iface)
	if strings.HasPrefix(iface, "local/") {
		if i := strings.LastIndexByte(iface, '/'); i > len("local") {
			iface = iface[:i]
		}
	}
	if strings.Contains(iface, "/") {
		o.devices = append(o.devices, iface)
	}
}

func (o *Owner) follow() {
	if o.memberships != o.state.memberships {
		o.learn()
	}
}

// IsMember tells whether the person is this member: by its MemberName or Interface,
// which is the person's id, its name, one of its devices or its Agent:ID.
func (o *Owner) IsMember(m *Member) bool {
	for _, name := range []string{m.Name, m.Interface} {
		if name == "" {
			continue
		}
		if sameFold(name, o.person.ID) || sameFold(name, o.person.Name) {
			return true
		}
	}
	for _, iface := range []string{m.Interface, m.StateInterface} {
		if o.person.ID != "" && sameFold(iface, "Agent:"+o.person.ID) ||
			slices.ContainsFunc(o.person.Devices, func(d string) bool { return sameFold(d, iface) }) {
			return true
		}
	}
	return false
}

// Interfaces are the person's devices, its Agent:ID, and the Interface and
// StateInterface of the members that it is, in lower case.
func (o *Owner) Interfaces() []string {
	o.follow()
	return slices.Clone(o.interfaces)
}

// Owns tells whether c is one of the person's channels: of one of its devices, a half
// of a Local channel of one of its interfaces, or the channel on which it has logged
// in as an agent.
func (o *Owner) Owns(c *Channel) bool {
	o.follow()
	if c.agent != "" && c.agent == o.person.ID {
		return true
	}
	device := c.Device()
	for _, d := range o.devices {
		if len(d) == len(device) && sameFold(d, device) {
			return true
		}
	}
	return false
}

// Concerns tells whether c is the person's, or shares a bridge now with one that is.
func (o *Owner) Concerns(c *Channel) bool {
	if o.Owns(c) {
		return true
	}
	for other := range o.state.Bridged(c) {
		if o.Owns(other) {
			return true
		}
	}
	return false
}
