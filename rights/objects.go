package rights

import (
	"strings"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// A judgement is what is wrong with an action: the rule, "" for nothing, and the
// client's words for it where they are not "Permission denied".
type judgement struct{ rule, message string }

// judgeObjects judges the objects that an action names, and returns the packet that was
// judged: with each channel by its name, without what is not an agent's to set. It asks
// all limited sessions, and monitors for their channels.
func (s *Subject) judgeObjects(key string, known bool, p *codec.Packet) (*codec.Packet, judgement) {
	if s.bounds == nil {
		if s.administrator {
			return p, judgement{}
		}
		if !known && countHeaders(p, "Channel") > 0 {
			return p, judgement{rule: "channel of an action in no table"}
		}
	}
	if s.bounds != nil && s.bounds.owner != nil {
		p = s.setAside(key, p)
	}
	written := map[string]string{}
	for _, r := range s.index.objects[key] {
		if r.header == "" || s.bounds == nil && r.kind != aChannel {
			continue
		}
		value, wrong := s.judgeObject(r, p)
		if wrong.rule != "" {
			wrong.rule = r.action + " " + r.header + ": " + wrong.rule
			return p, wrong
		}
		if value != "" {
			written[toLower(r.header)] = value
		}
	}
	if len(written) == 0 {
		return p, judgement{}
	}
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		if value, ok := written[toLower(h.Name)]; ok {
			return value, true
		}
		return h.Value, true
	}), judgement{}
}

// setAside leaves out the headers that are not an agent's to set; its name is as it is
// called.
func (s *Subject) setAside(key string, p *codec.Packet) *codec.Packet {
	aside := s.index.set[key]
	if len(aside) == 0 {
		return p
	}
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		for _, r := range aside {
			if !equalFold(r.header, h.Name) {
				continue
			}
			if equalFold(h.Name, "MemberName") && s.bounds.person.Name != "" {
				return s.bounds.person.Name, true
			}
			return "", false
		}
		return h.Value, true
	})
}

// judgeObject judges one header. value is what is to be written in its place, "" where
// it stays as it is.
func (s *Subject) judgeObject(r *objectRule, p *codec.Packet) (value string, wrong judgement) {
	n := 0
	for v := range values(p, r.header) {
		n++
		if r.kind == noObject {
			if v != "" {
				return "", judgement{rule: "not for limited sessions"}
			}
			continue
		}
		value = v
	}
	b := s.bounds
	agent := b != nil && b.owner != nil
	switch {
	case r.kind == noObject, r.kind == aVariable && !agent:
		return "", judgement{}
	case n == 0:
		if r.needed && b != nil && (agent && r.agent != free || b.limits(r.kind)) {
			return "", judgement{rule: "not given"}
		}
		return "", judgement{}
	case agent && r.agent == never:
		return "", judgement{rule: "not for agents"}
	case n > 1:
		return "", judgement{rule: "given twice"}
	case value == "":
		return "", judgement{rule: "empty"}
	}
	if r.kind == aChannel {
		return s.judgeChannel(r, value)
	}
	if !b.inside(r.kind, value, nil) || r.kind == anAgent && !b.insideAgent(value) {
		return "", r.absent("outside", value)
	}
	if agent && !b.isFor(r, value) {
		return "", r.absent("not the agent's", value)
	}
	return "", judgement{}
}

// judgeChannel finds the channel that Asterisk would find.
func (s *Subject) judgeChannel(r *objectRule, ref string) (name string, wrong judgement) {
	if strings.HasPrefix(ref, "/") {
		return "", judgement{rule: "regular expression"}
	}
	c := s.state.Channel(ref)
	switch b := s.bounds; {
	case c == nil:
		return "", r.absent("unknown", ref)
	case b == nil:
	case !b.inside(aChannel, c.Name, nil):
		return "", r.absent("outside", ref)
	case b.owner != nil && !b.mayTouch(r.agent, c):
		return "", r.absent("not the agent's", ref)
	}
	return c.Name, judgement{}
}

func (b *bounds) mayTouch(bond bond, c *pbx.Channel) bool {
	return b.owner.Owns(c) || bond == mine && b.concerns(c)
}

// isFor tells whether what is no channel is what an agent may name.
func (b *bounds) isFor(r *objectRule, value string) bool {
	switch r.agent {
	case free:
		return true
	case named:
		return b.limits(r.kind)
	}
	switch r.kind {
	case aDial:
		return b.isInterface(value) && strings.Contains(value, "/")
	case aDevice, aMember:
		return b.isInterface(value)
	case aBridge:
		return b.talksIn(value)
	case aQueue:
		return b.serves(value)
	case anAgent:
		return value == b.person.ID
	}
	return false
}

// absent is the answer about an object that there is not, or not for this session.
func (r *objectRule) absent(rule, value string) judgement {
	return judgement{rule: rule, message: strings.ReplaceAll(r.missing, "%s", value)}
}

func countHeaders(p *codec.Packet, name string) (n int) {
	for range values(p, name) {
		n++
	}
	return n
}

// Reaches tells whether a queue and a channel, or what is to be dialled, are inside the
// session's scopes; "" is none.
func (s *Subject) Reaches(queue, channel string) bool {
	b := s.bounds
	return b == nil || (queue == "" || b.inside(aQueue, queue, nil)) && (channel == "" || b.inside(aChannel, channel, nil))
}
