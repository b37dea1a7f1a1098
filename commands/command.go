package commands

import (
	"strings"

	"ampd/actions"
	"ampd/codec"
	"ampd/codec/native"
)

// A Request is an action as a session has asked for it.
type Request struct {
	Name    string        // as answers of the ampd dialect call it
	Action  *codec.Packet // what is to be judged
	Refusal string        // not "": why it is nothing, for the client

	command *command
	framed  bool
}

// A command is how a command of the ampd protocol is run. What none of its functions says
// goes to Asterisk as it was judged.
type command struct {
	*actions.Command

	// prepare gives the action its form: what is judged, and means what the command says.
	// A refusal is a sentence for the client.
	prepare func(env *Env, a *codec.Packet) (judged *codec.Packet, refusal string)

	own func(*State, *Env, *codec.Packet) Answer // answers it at once

	// send gives what is sent for what was judged.
	send func(env *Env, judged *codec.Packet) *codec.Packet

	// run takes several actions; nil where it goes to Asterisk in the common way. The env
	// is that of the beginning.
	run func(s *State, env *Env, judged *codec.Packet) Script

	// work does what takes time, as Step.Work; nil where nothing does. The env is that of the
	// beginning.
	work func(s *State, env *Env, judged *codec.Packet) func() func(*Env) []byte

	lacking bool // own and run are for an Asterisk that does not have the action
	framed  bool // is answered in the framing of old Commands
}

// table has the commands by their names in lower case.
var table = newTable()

func newTable() map[string]*command {
	t := map[string]*command{}
	for i := range actions.Commands {
		c := &actions.Commands[i]
		t[strings.ToLower(c.Name)] = &command{Command: c}
	}
	for name, c := range doings {
		row := t[strings.ToLower(name)].Command
		c.Command = row
		t[strings.ToLower(name)] = &c
	}
	return t
}

// Classes asks for a command the classes that its own row says.
func Classes(yield func(name string, classes codec.Classes) bool) {
	for name, c := range table {
		if !yield(name, c.Classes) {
			return
		}
	}
}

// unknown names what is no command in answers of the ampd dialect.
const unknown = "Unknown"

// Prepare finds what a packet asks for. In the ampd dialect a command means what that
// says; in Asterisk's only one that this Asterisk does not list.
func Prepare(env *Env, ampd bool, p *codec.Packet) Request {
	name := p.ActionName()
	if ampd && strings.EqualFold(name, "Register") {
		name, p = "Login", renamed(p, "Login")
	}
	c := table[strings.ToLower(name)]
	if c == nil || !ampd && env.lists(name) {
		r := Request{Action: p, framed: strings.EqualFold(name, "Command")}
		if ampd {
			r.Name = env.spelling(name)
		}
		return r
	}
	r := Request{Name: c.Name, Action: p, command: c}
	for _, param := range c.Params {
		if param.Required && p.Get(param.Name) == "" && !strings.EqualFold(c.Name, "Login") {
			r.Refusal = "Missing required parameter: " + param.Name
			return r
		}
	}
	if r.Refusal = wrong(c.Command, p); r.Refusal != "" {
		return r
	}
	if c.prepare != nil {
		r.Action, r.Refusal = c.prepare(env, p)
	}
	return r
}

// A Step is what comes next of a request that is allowed: one of these.
type Step struct {
	Answer *Answer
	Work   func() func(*Env) []byte // takes time and no lock: what it returns needs the lock, and gives the client's answer, native packets
	Send   *codec.Packet            // goes to Asterisk, whose answer the client gets
	Script Script                   // takes several actions

	Framed bool // the answer is the output of a Command
}

// Begin runs what was judged.
func (r *Request) Begin(s *State, env *Env, judged *codec.Packet) Step {
	if own, ok := own[strings.ToLower(judged.ActionName())]; ok {
		answer := own(s, env, judged)
		return Step{Answer: &answer}
	}
	c := r.command
	if c == nil {
		return Step{Send: judged, Framed: r.framed}
	}
	if c.work != nil {
		if work := c.work(s, env, judged); work != nil {
			return Step{Work: work}
		}
	}
	if !c.lacking || !env.lists(c.Name) {
		if c.own != nil {
			answer := c.own(s, env, judged)
			return Step{Answer: &answer}
		}
		if c.run != nil {
			if script := c.run(s, env, judged); script != nil {
				return Step{Script: script}
			}
		}
	}
	if c.send != nil {
		judged = c.send(env, judged)
	}
	return Step{Send: judged, Framed: c.framed}
}

// lists tells whether this Asterisk has the action.
func (e *Env) lists(name string) bool {
	if e.Upstream == nil {
		known, ok := actions.Lookup(name)
		return ok && (known.In16 || known.In22)
	}
	_, ok := e.Upstream.Command(name)
	return ok
}

// spelling is a name as Asterisk or ampd spells it, unknown for what is neither's.
func (e *Env) spelling(name string) string {
	if known, ok := actions.Lookup(name); ok && (known.SessionBound || e.lists(name)) {
		return known.Name
	}
	if e.Upstream != nil {
		if c, ok := e.Upstream.Command(name); ok {
			return c.Name
		}
	}
	return unknown
}

// renamed is the action under another name.
func renamed(a *codec.Packet, name string) *codec.Packet {
	return built(codec.Header{Name: "Action", Value: name}, others(a, "Action")...)
}

// others are the headers of an action but for those.
func others(a *codec.Packet, names ...string) []codec.Header {
	var rest []codec.Header
	for _, h := range a.Headers {
		if h.Name != "" && !isOneOf(h.Name, names) {
			rest = append(rest, h)
		}
	}
	return rest
}

func isOneOf(name string, names []string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// built makes an action.
func built(first codec.Header, rest ...codec.Header) *codec.Packet {
	return native.NewPacket(append([]codec.Header{first}, rest...)...)
}

// newAction makes an action of a name and pairs of names and values.
func newAction(name string, pairs ...string) *codec.Packet {
	var headers []codec.Header
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != "ActionID" || pairs[i+1] != "" {
			headers = append(headers, codec.Header{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return built(codec.Header{Name: "Action", Value: name}, headers...)
}

// with is the action with one more header.
func with(a *codec.Packet, name, value string) *codec.Packet {
	return built(a.Headers[0], append(a.Clone().Headers[1:], codec.Header{Name: name, Value: value})...)
}

// instead is the action with that header in place of others of its name.
func instead(a *codec.Packet, name, value string) *codec.Packet {
	return built(codec.Header{Name: "Action", Value: a.ActionName()}, append(others(a, "Action", name), codec.Header{Name: name, Value: value})...)
}
