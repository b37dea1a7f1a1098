package simulator

import (
	"strings"
)

// variable reads a channel's variable or one of the few functions that the
// simulator has; anything else is empty.
func (ch *channel) variable(name string) string {
	switch name {
	case "CALLERID(num)":
		return ch.callerNum
	case "CALLERID(name)":
		return ch.callerName
	case "CALLERID(all)":
		return `"` + ch.callerName + `" <` + ch.callerNum + ">"
	case "CHANNEL(state)":
		return stateNames[ch.state]
	}
	if value, ok := ch.vars[name]; ok {
		return value
	}
	return ch.c.globals[name]
}

func getvar(r *request) {
	name := r.get("Variable")
	if name == "" {
		r.fail("No variable specified")
		return
	}
	var value string
	if channel := r.get("Channel"); channel != "" {
		ch := r.c.findChannel(channel)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		value = ch.variable(name)
	} else if dev, ok := strings.CutPrefix(name, "DEVICE_STATE("); ok {
		value = r.c.deviceState(strings.TrimSuffix(dev, ")"))
	} else {
		value = r.c.globals[name]
	}
	r.respond("Success")
	r.add("Variable", name)
	r.add("Value", value)
	r.end()
}

func setvar(r *request) {
	name, value := r.get("Variable"), r.get("Value")
	if name == "" {
		r.fail("No variable specified")
		return
	}
	if channel := r.get("Channel"); channel != "" {
		ch := r.c.findChannel(channel)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		ch.set(name, value)
	} else {
		r.c.setGlobal(name, value)
	}
	r.succeed("Variable Set")
}

func (c *centre) deviceState(name string) string {
	for _, d := range c.devices {
		if strings.EqualFold(d.name, name) {
			return d.state
		}
	}
	return "INVALID"
}
