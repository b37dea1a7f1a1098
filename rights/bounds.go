package rights

import (
	"slices"
	"strings"

	"ampd/codec"
	"ampd/pbx"
)

// bounds are what a limited session is limited to: prefixes of names, none for all, and
// what is an agent's. They ask the tracked state, so its owner's lock must be held.
//
// Names are compared as Asterisk does: of channels, devices and queues without case, of
// contexts with it (channel names in main/channel.c, queue_cmp_cb in apps/app_queue.c,
// ast_hashtab_compare_contexts in main/pbx.c).
type bounds struct {
	index                      *index
	state                      *pbx.State
	queues, contexts, channels []string
	person                     pbx.Person
	owner                      *pbx.Owner // nil but for agents
}

// newBounds returns nil for what limits nothing.
func newBounds(g *Grant, index *index, state *pbx.State) *bounds {
	if g.Type != Agent && len(g.Queues)+len(g.Contexts)+len(g.Channels) == 0 {
		return nil
	}
	b := &bounds{index: index, state: state, queues: g.Queues, contexts: g.Contexts, channels: g.Channels}
	if g.Type == Agent {
		b.person = g.Agent
		b.owner = state.NewOwner(g.Agent)
	}
	return b
}

// limits tells whether there is a scope for objects of that kind.
func (b *bounds) limits(k kind) bool {
	switch k {
	case aChannel, aCalled, aBridge:
		return len(b.channels) > 0
	case aQueue:
		return len(b.queues) > 0
	case aContext, anExten:
		return len(b.contexts) > 0
	case aDial:
		return len(b.channels)+len(b.contexts) > 0
	case aDevice, aPeer:
		return len(b.channels)+len(b.queues) > 0
	}
	return false
}

// inside tells whether an object is inside the scopes. told are the bridges that the
// session knows of.
func (b *bounds) inside(k kind, value string, told map[string]struct{}) bool {
	switch k {
	case aChannel, aCalled:
		return insideFold(b.channels, value)
	case aQueue:
		return insideFold(b.queues, value)
	case aQueues: // about no queue is outside, too
		for queue := range strings.SplitSeq(value, ",") {
			if !insideFold(b.queues, queue) {
				return false
			}
		}
	case aContext:
		return insideExactly(b.contexts, value)
	case anExten:
		return len(b.contexts) == 0 && b.owner == nil || !strings.ContainsAny(value, "@/")
	case aDial:
		return !b.limits(aDial) && b.owner == nil || b.dials(value)
	case aDevice, aPeer:
		queue, ok := cutPrefixFold(value, "Queue:") // "Queue:NAME_avail" of apps/app_queue.c
		if ok {
			return len(b.channels) == 0 && insideFold(b.queues, queue)
		}
		return insideFold(b.channels, value)
	case aHint:
		for device := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '&' || r == ',' }) {
			if !b.inside(aDevice, strings.TrimSpace(device), nil) {
				return false
			}
		}
	case aBridge:
		if _, known := told[value]; known || len(b.channels) == 0 {
			return true
		}
		return b.anyIn(value, func(c *pbx.Channel) bool { return insideFold(b.channels, c.Name) })
	}
	return true
}

// insideAgent tells whether an agent of app_agent_pool's is inside: the channel that it has
// logged in on, which ends when it is logged off, or there is none. Its id is compared with
// case, as by agent_pvt_sort_cmp in apps/app_agent_pool.c.
func (b *bounds) insideAgent(id string) bool {
	a := b.state.Agent(id)
	if a == nil {
		return true
	}
	c := b.byUniqueid(a.Channel)
	return c == nil || b.inside(aChannel, c.Name, nil)
}

// dials tells whether a dial string makes channels inside the scopes only: one whose
// second part is what stands in the channel's name ("PJSIP/NUMBER@ENDPOINT" makes
// PJSIP/ENDPOINT-...), and a Local channel into a context inside.
func (b *bounds) dials(text string) bool {
	local, isLocal := cutPrefixFold(text, "Local/")
	if !isLocal {
		return insideFold(b.channels, text) && strings.Count(text, "/") == 1 && !strings.Contains(text, "@")
	}
	if i := strings.LastIndexByte(local, '/'); i >= 0 { // options: local_alloc in main/core_local.c
		local = local[:i]
	}
	_, context, found := strings.Cut(local, "@")
	if !found {
		context = "default"
	}
	return insideFold(b.channels, text) && !strings.ContainsAny(context, "@/") && insideExactly(b.contexts, context)
}

// shows tells whether the session may know of a channel that there is.
func (b *bounds) shows(c *pbx.Channel) bool {
	return insideFold(b.channels, c.Name) && (b.owner == nil || b.concerns(c))
}

// An object is what an event or an item of a list names.
type object struct {
	rule    *aboutRule
	value   string
	channel *pbx.Channel // of a channel: see named
	member  pbx.Member   // of a member of a queue
}

// objects are what p names by the rules, as the state knows it now. All sessions find the
// same.
func (b *bounds) objects(p *codec.Packet) (all []object) {
	for _, r := range b.index.about[p.Name()] {
		o := object{rule: r, value: p.Get(r.header)}
		if o.value == "" && r.kind != noObject && r.kind != aQueues {
			continue
		}
		switch r.kind {
		case aChannel, aCalled:
			o.channel = b.named(r.header, o.value, p)
		case aMember:
			o.member = pbx.Member{Name: first(p, "MemberName", "Name"), Interface: o.value, StateInterface: p.Get("StateInterface")}
		case aPeer:
			technology := p.Get("Channeltype") // of PeerEntry
			if technology == "" {
				technology = "PJSIP"
			}
			o.value = technology + "/" + o.value
		}
		all = append(all, o)
	}
	return all
}

// sees tells whether what names these objects is for the session: all of them must be
// inside the scopes, and for an agent one of them must be its. What the rules do not know
// nobody sees.
func (b *bounds) sees(objects []object, told map[string]struct{}) bool {
	bound := b.owner == nil
	for i := range objects {
		o := &objects[i]
		if o.rule.kind == noObject {
			bound = bound || o.rule.agent == free
			continue
		}
		if b.owner != nil && o.rule.kind == aContext {
			continue // its contexts say where it may send calls, not where calls may be
		}
		if !b.inside(o.rule.kind, o.value, told) {
			return false
		}
		bound = bound || b.binds(o, told)
	}
	return bound && len(objects) > 0
}

// binds tells whether an object is the agent's, as its rule asks.
func (b *bounds) binds(o *object, told map[string]struct{}) bool {
	bond := o.rule.agent
	if bond != mine && bond != own {
		return false
	}
	switch o.rule.kind {
	case aChannel:
		return b.mayTouch(bond, o.channel)
	case aCalled:
		return b.owner.Owns(o.channel) || b.isInterface(o.value)
	case aBridge:
		_, known := told[o.value]
		return known || b.talksIn(o.value)
	case aCall:
		return b.talksIn(o.value)
	case aDevice, aPeer:
		return b.isInterface(o.value)
	case aQueue:
		return b.serves(o.value)
	case aMember:
		return b.owner.IsMember(&o.member) || b.isInterface(o.value)
	case anAgent:
		return o.value == b.person.ID
	}
	return false
}

func first(p *codec.Packet, names ...string) string {
	for _, name := range names {
		if value := p.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// named is the channel that an event's header names, by the Uniqueid beside it where it
// is known; else one of that name and nothing more, for it may be gone.
func (b *bounds) named(header, name string, p *codec.Packet) *pbx.Channel {
	prefix, _ := strings.CutSuffix(header, "Channel")
	if header == "Newname" {
		prefix = ""
	}
	if c := b.byUniqueid(p.Get(prefix + "Uniqueid")); c != nil {
		return c
	}
	if c := b.state.Channel(name); c != nil && equalFold(c.Name, name) {
		return c
	}
	return &pbx.Channel{Name: name}
}

func (b *bounds) byUniqueid(id string) *pbx.Channel {
	if c := b.state.Channel(id); c != nil && c.Uniqueid == id {
		return c
	}
	return nil
}

// concerns tells whether a channel is the agent's, or talks to one that is. In a holding
// bridge nobody talks to anybody: all idle agents of app_agent_pool's are in one, and all
// parked calls of a lot.
func (b *bounds) concerns(c *pbx.Channel) bool {
	return b.owner.Owns(c) || c.Bridge != "" && b.talksIn(c.Bridge)
}

// talksIn tells whether a channel of the agent's is in the bridge.
func (b *bounds) talksIn(bridge string) bool { return b.anyIn(bridge, b.owner.Owns) }

// isCall tells whether those in a bridge talk to each other: not in a holding bridge
// (bridges/bridge_holding.c), nor is it known of one whose technology is not.
func isCall(br *pbx.Bridge) bool {
	return br != nil && br.Technology != "" && br.Technology != "holding_bridge"
}

// anyIn tells whether a channel for which is holds is in a bridge whose channels talk.
func (b *bounds) anyIn(bridge string, is func(*pbx.Channel) bool) bool {
	br := b.state.Bridge(bridge)
	if !isCall(br) {
		return false
	}
	for _, id := range br.Members {
		if c := b.byUniqueid(id); c != nil && is(c) {
			return true
		}
	}
	return false
}

// isInterface tells whether it is an interface of the agent's.
func (b *bounds) isInterface(name string) bool {
	for _, i := range b.owner.Interfaces() {
		if equalFold(i, name) {
			return true
		}
	}
	return false
}

// serves tells whether the agent is a member of the queue.
func (b *bounds) serves(queue string) bool {
	q := b.state.Queue(queue)
	return q != nil && slices.ContainsFunc(q.Members, b.owner.IsMember)
}

func insideFold(prefixes []string, name string) bool {
	for _, p := range prefixes {
		if hasPrefixFold(name, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

func insideExactly(prefixes []string, name string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

func cutPrefixFold(s, prefix string) (rest string, found bool) {
	if !hasPrefixFold(s, prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
