package simulator

import "ampd/codec"

// Device states, as events write them (enum ast_device_state).
const (
	notInUse  = "NOT_INUSE"
	inUse     = "INUSE"
	isRinging = "RINGING"
	ringInUse = "RINGINUSE"
)

// hints is the context of the extensions that show devices' states.
const hints = "internal"

// A device is what DeviceStateList lists. One with an extension has a hint there.
type device struct {
	name  string
	exten string
	state string
}

// device finds a device or makes one whose state is still to be set.
func (c *centre) device(name string) *device {
	for _, d := range c.devices {
		if d.name == name {
			return d
		}
	}
	d := &device{name: name}
	c.devices = append(c.devices, d)
	return d
}

// setDevice changes a device's state. Nobody hears of it when nothing changes.
func (c *centre) setDevice(d *device, s string) (changed bool) {
	if d.state == s {
		return false
	}
	d.state = s
	if d.exten != "" {
		d.appendHint(c.event("ExtensionStatus", codec.Call)).send()
	}
	c.event("DeviceStateChange", codec.Call).add("Device", d.name).add("State", s).send()
	return true
}

// appendHint adds what an ExtensionStatus says after its first headers.
func (d *device) appendHint(e *event) *event {
	status, text := d.extension()
	return e.add("Exten", d.exten).add("Context", hints).add("Hint", d.name).
		add("Status", status).add("StatusText", text)
}

// extension is the state of the device's hint (enum ast_extension_states).
func (d *device) extension() (status, text string) {
	switch d.state {
	case notInUse:
		return "0", "Idle"
	case inUse:
		return "1", "InUse"
	case isRinging:
		return "8", "Ringing"
	case ringInUse:
		return "9", "InUse&Ringing"
	default:
		return "4", "Unavailable"
	}
}

// A phone is a PJSIP endpoint, the trunk among them.
type phone struct {
	c        *centre
	exten    string
	name     string
	device   *device
	channels []*channel
}

func (c *centre) newPhone(exten, name string) *phone {
	p := &phone{c: c, exten: exten, name: name, device: c.device("PJSIP/" + exten)}
	if name != "" {
		p.device.exten = exten
	}
	c.phones = append(c.phones, p)
	p.update()
	return p
}

// newChannel makes a channel to the phone, or from it. It has the phone's caller ID.
func (p *phone) newChannel(s state, context, exten string, linked *channel, prepare func(*channel)) *channel {
	return p.c.newChannel(p.c.nextName(p.device.name), s, context, exten, linked, func(ch *channel) {
		ch.phone = p
		if p != p.c.trunk {
			ch.callerNum, ch.callerName = p.exten, p.name
		}
		p.channels = append(p.channels, ch)
		if prepare != nil {
			prepare(ch)
		}
	})
}

func (p *phone) remove(ch *channel) {
	for i := range p.channels {
		if p.channels[i] == ch {
			p.channels = append(p.channels[:i], p.channels[i+1:]...)
			break
		}
	}
	p.update()
}

// free tells whether the phone can take a call. The trunk always can.
func (p *phone) free() bool { return len(p.channels) == 0 || p == p.c.trunk }

// update sets the device's state to that of the phone's channels, and tells the
// queues in which it is a member.
func (p *phone) update() {
	rings, talks := false, false
	for _, ch := range p.channels {
		rings = rings || ch.state == ringing
		talks = talks || ch.state == up
	}
	s := notInUse
	switch {
	case rings && talks:
		s = ringInUse
	case rings:
		s = isRinging
	case talks:
		s = inUse
	}
	if !p.c.setDevice(p.device, s) {
		return
	}
	for _, q := range p.c.queues {
		for _, m := range q.members {
			if m.phone == p {
				m.event("QueueMemberStatus").send()
				q.update()
			}
		}
	}
	if s == notInUse {
		p.c.after(0, p.c.dispatch)
	}
}
