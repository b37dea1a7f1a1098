package simulator

import (
	"strconv"
)

func deviceStateList(r *request) {
	r.beginList("Device State Changes will follow")
	for _, d := range r.c.devices {
		r.item("DeviceStateChange")
		r.add("Device", d.name)
		r.add("State", d.state)
		r.end()
	}
	r.endList("DeviceStateListComplete", len(r.c.devices))
	r.end()
}

func (r *request) hint(d *device) {
	status, text := d.extension()
	r.add("Exten", d.exten)
	r.add("Context", hints)
	r.add("Hint", d.name)
	r.add("Status", status)
	r.add("StatusText", text)
}

func extensionStateList(r *request) {
	r.beginList("Extension Statuses will follow")
	n := 0
	for _, d := range r.c.devices {
		if d.exten != "" {
			r.item("ExtensionStatus")
			r.hint(d)
			r.end()
			n++
		}
	}
	r.endList("ExtensionStateListComplete", n)
	r.end()
}

func extensionState(r *request) {
	exten, context := r.get("Exten"), r.get("Context")
	if exten == "" {
		r.fail("Extension not specified")
		return
	}
	if context == "" {
		context = "default"
	}
	r.respond("Success")
	r.add("Message", "Extension Status")
	for _, d := range r.c.devices {
		if d.exten == exten && context == hints {
			r.hint(d)
			r.end()
			return
		}
	}
	r.add("Exten", exten)
	r.add("Context", context)
	r.add("Hint", "")
	r.add("Status", "-1")
	r.add("StatusText", "Unknown")
	r.end()
}

func pjsipShowEndpoints(r *request) {
	r.beginList("A listing of Endpoints follows, presented as EndpointList events")
	for _, p := range r.c.phones {
		r.item("EndpointList")
		r.add("ObjectType", "endpoint")
		r.add("ObjectName", p.exten)
		r.add("Transport", "transport-udp")
		r.add("Aor", p.exten)
		auths := p.exten
		if p == r.c.trunk {
			auths = ""
		}
		r.add("Auths", auths)
		r.add("OutboundAuths", "")
		r.add("Contacts", p.exten+"/sip:"+p.exten+"@127.0.0.1:5060,")
		r.add("DeviceState", map[string]string{
			notInUse: "Not in use", inUse: "In use", isRinging: "Ringing", ringInUse: "Ring+Inuse",
		}[p.device.state])
		r.add("ActiveChannels", strconv.Itoa(len(p.channels)))
		r.end()
	}
	r.endList("EndpointListComplete", len(r.c.phones))
	r.end()
}

// pjsipShowContacts answers as Asterisk does when no phone is registered: those of
// the simulator have fixed addresses. The line ends in a line feed of its own.
func pjsipShowContacts(r *request) {
	r.respond("Error")
	r.out = append(r.out, "Message: No Contacts found\n\r\n"...)
	r.end()
}

func mailboxCount(r *request) {
	mailbox := r.get("Mailbox")
	if mailbox == "" {
		r.fail("Mailbox not specified")
		return
	}
	r.respond("Success")
	r.add("Message", "Mailbox Message Count")
	r.add("Mailbox", mailbox)
	r.add("UrgMessages", "0")
	r.add("NewMessages", "0")
	r.add("OldMessages", "0")
	r.end()
}

func mailboxStatus(r *request) {
	mailbox := r.get("Mailbox")
	if mailbox == "" {
		r.fail("Mailbox not specified")
		return
	}
	r.respond("Success")
	r.add("Message", "Mailbox Status")
	r.add("Mailbox", mailbox)
	r.add("Waiting", "0")
	r.end()
}

// agents lists those of app_agent_pool. The simulator has none: its agents are
// members of queues.
func agents(r *request) {
	r.beginList("Agents will follow")
	r.endList("AgentsComplete", 0)
	r.end()
}

func parkedCalls(r *request) {
	r.beginList("Parked calls will follow")
	r.endList("ParkedCallsComplete", 0)
	r.add("Total", "0")
	r.end()
}

func presenceStateList(r *request) {
	r.beginList("Presence State Changes will follow")
	r.endList("PresenceStateListComplete", 0)
	r.end()
}
