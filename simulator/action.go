package simulator

import (
	"fmt"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
)

// An action is one that the simulator knows.
type action struct {
	name    string
	about   string // as ListCommands says
	classes codec.Classes
	run     func(*request)
}

// A request is an action being run, under Server.mu.
type request struct {
	s   *session
	c   *centre
	p   *codec.Packet
	out []byte // what to write when it is done

	// later, where not nil, brings the rest of what to write. The session waits
	// for it.
	later chan []byte

	// The session is to be closed after out, when it has waited for delay.
	close  bool
	punish bool
}

// get is astman_get_header: the first header of that name.
func (r *request) get(name string) string { return r.p.Get(name) }

// respond begins a response.
func (r *request) respond(word string) {
	r.out = native.AppendHeader(r.out, "Response", word)
	r.actionID()
}

func (r *request) actionID() {
	if id := r.get("ActionID"); id != "" {
		r.add("ActionID", id)
	}
}

func (r *request) add(name, value string) { r.out = native.AppendHeader(r.out, name, value) }

func (r *request) end() { r.out = native.AppendEnd(r.out) }

func (r *request) answer(word, message string) {
	r.respond(word)
	r.add("Message", message)
	r.end()
}

func (r *request) succeed(message string) { r.answer("Success", message) }

func (r *request) fail(message string) { r.answer("Error", message) }

// beginList is astman_send_listack, the response that begins a list.
func (r *request) beginList(message string) {
	r.respond("Success")
	r.add("EventList", "start")
	r.add("Message", message)
	r.end()
}

// endList is the event that ends a list of n items; the caller ends the packet.
func (r *request) endList(event string, n int) {
	r.add("Event", event)
	r.actionID()
	r.add("EventList", "Complete")
	r.add("ListItems", fmt.Sprint(n))
}

// item begins a list's item in the way of lists that have the ActionID second.
func (r *request) item(event string) {
	r.add("Event", event)
	r.actionID()
}

// endItem ends an item in the way of lists that have it last.
func (r *request) endItem() {
	r.actionID()
	r.end()
}

// headers adds what fill adds to an event, for an item that shares it.
func (r *request) headers(fill func(*event)) {
	e := &event{c: r.c, b: r.out}
	fill(e)
	r.out = e.b
}

// actions are in the order of ListCommands. It is filled by init: ListCommands
// reads it.
var actions []action

func init() {
	const (
		call      = codec.Call
		system    = codec.System
		reporting = codec.Reporting
		agent     = codec.Agent
	)
	actions = []action{
		{"Agents", "Lists agents and their status.", agent, agents},
		{"BridgeInfo", "Get information about a bridge.", 0, bridgeInfo},
		{"BridgeList", "Get a list of bridges in the system.", 0, bridgeList},
		{"Challenge", "Generate Challenge for MD5 Auth.", 0, challenge},
		{"Command", "Execute Asterisk CLI Command.", codec.Command, command},
		{"CoreSettings", "Show PBX core settings (version etc).", system | reporting, coreSettings},
		{"CoreShowChannels", "List currently active channels.", system | reporting, coreShowChannels},
		{"CoreStatus", "Show PBX core status variables.", system | reporting, coreStatus},
		{"DBDel", "Delete DB entry.", system, dbDel},
		{"DBDelTree", "Delete DB Tree.", system, dbDelTree},
		{"DBGet", "Get DB Entry.", system | reporting, dbGet},
		{"DBGetTree", "Get DB entries, optionally at a particular family/key", system | reporting, dbGetTree},
		{"DBPut", "Put DB entry.", system, dbPut},
		{"DeviceStateList", "List the current known device states.", call | reporting, deviceStateList},
		{"Events", "Control Event Flow.", 0, events},
		{"ExtensionState", "Check Extension Status.", call | reporting, extensionState},
		{"ExtensionStateList", "List the current known extension states.", call | reporting, extensionStateList},
		{"Getvar", "Gets a channel variable or function value.", call | reporting, getvar},
		{"Hangup", "Hangup channel.", system | call, hangup},
		{"ListCommands", "List available manager commands.", 0, listCommands},
		{"Login", "Login Manager.", 0, login},
		{"Logoff", "Logoff Manager.", 0, logoff},
		{"MailboxCount", "Check Mailbox Message Count.", call | reporting, mailboxCount},
		{"MailboxStatus", "Check mailbox.", call | reporting, mailboxStatus},
		{"Originate", "Originate a call.", codec.Originate, originate},
		{"ParkedCalls", "List parked calls.", call, parkedCalls},
		{"Ping", "Keepalive command.", 0, ping},
		{"PJSIPShowContacts", "Lists PJSIP Contacts.", system, pjsipShowContacts},
		{"PJSIPShowEndpoints", "Lists PJSIP endpoints.", system, pjsipShowEndpoints},
		{"PresenceStateList", "List the current known presence states.", call | reporting, presenceStateList},
		{"QueueAdd", "Add interface to queue.", agent, queueAdd},
		{"QueueMemberRingInUse", "Set the ringinuse value for a queue member.", agent, queueMemberRingInUse},
		{"QueuePause", "Makes a queue member temporarily unavailable.", agent, queuePause},
		{"QueuePenalty", "Set the penalty for a queue member.", agent, queuePenalty},
		{"QueueRemove", "Remove interface from queue.", agent, queueRemove},
		{"QueueReset", "Reset queue statistics.", 0, queueReset},
		{"QueueStatus", "Show queue status.", 0, queueStatus},
		{"QueueSummary", "Show queue summary.", 0, queueSummary},
		{"Setvar", "Sets a channel variable or function value.", call, setvar},
		{"Status", "List channel status.", system | call | reporting, status},
		{"UserEvent", "Send an arbitrary event.", codec.User, userEvent},
	}
}

func findAction(name string) *action {
	for i := range actions {
		if strings.EqualFold(actions[i].name, name) {
			return &actions[i]
		}
	}
	return nil
}

// beforeLogin are the actions of a session that has not logged in.
var beforeLogin = map[string]bool{"Challenge": true, "Login": true, "Logoff": true}

// process runs an action as process_message in main/manager.c does.
func (r *request) process() {
	name := r.get("Action")
	if name == "" {
		r.fail("Missing action in request")
		return
	}
	a := findAction(name)
	user := r.s.user
	switch {
	case user == nil && (a == nil || !beforeLogin[a.name]):
		r.fail("Permission denied")
	case a == nil:
		r.s.security("RequestBadFormat", "Error", func(e *event) { e.add("RequestType", "Action: "+name) }, true)
		r.fail("Invalid/unknown command: " + name + ". Use Action: ListCommands to show available commands.")
	case user != nil && !a.allowed(user):
		r.s.security("RequestNotAllowed", "Error", func(e *event) { e.add("RequestType", "Action: "+a.name) }, false)
		r.fail("Permission denied")
	default:
		a.run(r)
	}
}

func (a *action) allowed(u *User) bool { return a.classes == 0 || u.Write.Any(a.classes) }

func listCommands(r *request) {
	r.respond("Success")
	for i := range actions {
		if a := &actions[i]; a.allowed(r.s.user) {
			priv := "<none>"
			if a.classes != 0 {
				priv = a.classes.String() + ",all"
			}
			r.add(a.name, a.about+"  (Priv: "+priv+")")
		}
	}
	r.end()
}
