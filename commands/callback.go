package commands

import (
	"slices"
	"strconv"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/profiles"
)

// memberName is what queues call an agent.
func memberName(agent profiles.Callback) string {
	if agent.Name != "" {
		return agent.Name
	}
	return agent.ID
}

// Asterisk has lost AgentCallbackLogin (1.8): dynamic members of queues take its place for the
// agents of the configuration.

// callbackAt judges where an agent logs in: what is behind an @ or a / would count instead.
func callbackAt(_ *Env, a *codec.Packet) (*codec.Packet, string) {
	for _, name := range []string{"Exten", "Context"} {
		if strings.ContainsAny(a.Get(name), "@/") {
			return a, name + " must be without @ and /"
		}
	}
	return a, ""
}

// callbackLogin makes the agent a member of its queues, all of which must be inside the
// session's scopes. Where a queue refuses, the logins of before are undone.
func callbackLogin(s *State, env *Env, a *codec.Packet) Script {
	agent, ok := env.callback(a)
	if !ok {
		return elsewhere(env, a)
	}
	exten, context := a.Get("Exten"), a.Get("Context")
	iface := "Local/" + exten + "@" + context + "/n"
	for _, queue := range agent.Queues {
		if !s.Rights.Reaches(queue, iface) {
			return refusing(a, "No such agent")
		}
	}
	text := "Agent logged in"
	if a.Get("AckCall") != "" || a.Get("WrapupTime") != "" {
		text += "; AckCall and WrapupTime have no effect"
	}
	return func(ask Ask) []byte {
		if env.lists("ShowDialPlan") && !hasContext(ask, exten, context) {
			return native.Answer(a, "Error", "Context "+context+" is none of Asterisk's")
		}
		state := ""
		switch {
		case len(agent.Devices) > 0:
			state = agent.Devices[0]
		case hasHint(ask, exten, context):
			state = "hint:" + exten + "@" + context
		}
		var added []string
		for _, queue := range agent.Queues {
			add := []string{"Queue", queue, "Interface", iface, "MemberName", memberName(agent), "Penalty", strconv.Itoa(agent.Penalty)}
			if state != "" {
				add = append(add, "StateInterface", state)
			}
			answer := ask(newAction("QueueAdd", add...))
			switch {
			case succeeded(answer):
				added = append(added, queue)
			case strings.Contains(message(answer), "Already there"):
			default:
				for _, queue := range added {
					ask(newAction("QueueRemove", "Queue", queue, "Interface", iface))
				}
				return native.Answer(a, "Error", "Queue "+queue+": "+message(answer))
			}
		}
		return native.Answer(a, "Success", text)
	}
}

// hasContext tells whether there is a context, which is more than QueueAdd looks for. Whether it has the
// extension is not known where others keep it (a switch). Texts are those of manager_show_dialplan in pbx/pbx_config.c.
func hasContext(ask Ask, exten, context string) bool {
	return !strings.HasPrefix(message(ask(newAction("ShowDialPlan", "Context", context, "Extension", exten))), "Did not find context")
}

// hasHint tells whether an extension has one (action_extensionstate in main/manager.c).
func hasHint(ask Ask, exten, context string) bool {
	answer := ask(newAction("ExtensionState", "Exten", exten, "Context", context))
	return succeeded(answer) && answer[0].Get("Hint") != ""
}

// callbackLogoff takes the agent out of its queues, as far as the session's scopes reach.
func callbackLogoff(s *State, env *Env, a *codec.Packet) Script {
	agent, ok := env.callback(a)
	if !ok {
		return elsewhere(env, a)
	}
	if env.State == nil {
		return refusing(a, "Upstream not connected")
	}
	if !slices.ContainsFunc(agent.Queues, func(queue string) bool { return s.Rights.Reaches(queue, "") }) {
		return refusing(a, "No such agent")
	}
	return func(ask Ask) []byte {
		type membership struct{ queue, iface string }
		var all []membership
		owner := env.State.NewOwner(pbx.Person(*agent.Person))
		var calls []string
		for c := range env.State.Channels() {
			if owner.Owns(c) && s.Rights.Reaches("", c.Name) {
				calls = append(calls, c.Name)
			}
		}
		for _, name := range agent.Queues { // Asterisk is asked: the event of a login just answered may still be on its way
			if !s.Rights.Reaches(name, "") {
				continue
			}
			answer := ask(newAction("QueueStatus", "Queue", name))
			if text, complete := isComplete(answer); !complete {
				return native.Answer(a, "Error", "Queue "+name+": "+text)
			}
			for _, p := range answer {
				m := &pbx.Member{Name: p.Get("Name"), Interface: p.Get("Location"), StateInterface: p.Get("StateInterface")}
				if p.Name() == "QueueMember" && p.Get("Membership") == "dynamic" && owner.IsMember(m) {
					all = append(all, membership{p.Get("Queue"), m.Interface})
				}
			}
		}
		for _, m := range all {
			answer := ask(newAction("QueueRemove", "Queue", m.queue, "Interface", m.iface))
			if !succeeded(answer) && !strings.Contains(message(answer), "Not there") {
				return native.Answer(a, "Error", "Queue "+m.queue+": "+message(answer))
			}
		}
		if !codec.IsTrue(a.Get("SoftHangUp")) && !codec.IsTrue(a.Get("Soft")) {
			for _, name := range calls {
				ask(newAction("Hangup", "Channel", name)) // may have ended by itself
			}
		}
		return native.Answer(a, "Success", "Agent logged out")
	}
}

// isComplete tells whether an answer is a whole list; text says why it is not.
func isComplete(list []*codec.Packet) (text string, complete bool) {
	if len(list) == 0 {
		return "no answer", false
	}
	end := list[len(list)-1]
	if strings.EqualFold(end.Get("EventList"), "Complete") {
		return "", true
	}
	if text = end.Get("Message"); text == "" {
		text = "the list was cut off"
	}
	return text, false
}

// callback finds the agent that a command names: one of the configuration, with queues.
func (e *Env) callback(a *codec.Packet) (agent profiles.Callback, ok bool) {
	agent, ok = e.Profiles.Callback(a.Get("Agent"))
	return agent, ok && len(agent.Queues) > 0
}

// elsewhere is for an agent that is not ampd's: Asterisk's, where it has the action.
func elsewhere(env *Env, a *codec.Packet) Script {
	if env.lists(a.ActionName()) {
		return nil
	}
	return refusing(a, "No such agent: there is no [[agent]] "+a.Get("Agent")+" with queues, and Asterisk has no "+a.ActionName()+" any more")
}

// softLogoff gives SoftHangUp the name that Asterisk has for it.
func softLogoff(_ *Env, a *codec.Packet) *codec.Packet {
	if a.Get("SoftHangUp") == "" {
		return a
	}
	return with(built(codec.Header{Name: "Action", Value: a.ActionName()}, others(a, "Action", "SoftHangUp")...), "Soft", a.Get("SoftHangUp"))
}
