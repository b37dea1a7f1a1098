package upstream

import (
	"strconv"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
)

// An answer is what a connection's run gets back, and how far it has come.
//
// It is whole
//   - with its response, as most are, errors always;
//   - with the event that says "EventList: Complete" or "Cancelled", where the
//     response says "EventList: start";
//   - with its one event, where the table names one (FAXStats);
//   - with the Pong of a Ping written behind the action, where nothing else shows the
//     end: parts without ActionID, perhaps nothing but an empty line (IAXpeers,
//     IAXnetstats, Queues), actions that the table does not know, and lists without
//     EventList, as older Asterisks send them. Also with what is answered before it
//     is done (UserEvent): the session's next action, on another connection, must
//     come behind it as it does in Asterisk.
//
// The last packet but one is known as such only when the fence comes, so with a
// fence each packet is held until the next.
type answer struct {
	run *run

	began bool          // a packet of it has come
	list  bool          // its response said that a list follows
	items int           // of the list
	fence string        // ActionID of the Ping behind it, "" for none
	held  *codec.Packet // came, and is not given on yet
	word  string        // of its response
	late  bool          // nobody waits for it any more
}

// A part says what a packet is to an answer.
type part uint8

const (
	foreign part = iota // not of this answer
	more                // of it, and not its end
	last                // its end
	fenced              // the fence: what is held is the end
	unclear             // of it, and whether more follows only a fence can tell
)

func newAnswer(r *run) *answer { return &answer{run: r, fence: r.fence} }

// take judges the next packet of the connection that runs the action.
func (a *answer) take(p *codec.Packet) part {
	id := p.Get("ActionID")
	kind := p.Kind()
	switch {
	case id != "" && id == a.fence:
		return fenced
	case id != "" && id != a.run.id:
		return foreign
	case kind == codec.Event && isBroadcast(p) && (id == "" || !a.list):
		return foreign
	}
	a.began = true
	switch kind {
	case codec.Response:
		return a.response(p)
	case codec.Event:
		return a.event(p)
	}
	return a.until(more)
}

func (a *answer) response(p *codec.Packet) part {
	a.word = p.Name()
	known := &a.run.known
	switch {
	case strings.EqualFold(p.Get("EventList"), "start"):
		a.list = true
		return more
	case a.fence != "":
		return more
	case !a.succeeded():
		return last
	case known.OneEvent != "":
		return more
	case known.ListEnd != "" && !known.MaybeList:
		return unclear
	}
	return last
}

func (a *answer) event(p *codec.Packet) part {
	if a.list {
		switch strings.ToLower(p.Get("EventList")) {
		case "complete", "cancelled":
			return a.until(last)
		}
	}
	a.items++
	if a.run.known.OneEvent != "" && strings.EqualFold(p.Name(), a.run.known.OneEvent) {
		return last
	}
	return more
}

// until is what a packet is that would be p, were there no fence to wait for.
func (a *answer) until(p part) part {
	if a.fence != "" {
		return more
	}
	return p
}

func (a *answer) succeeded() bool { return strings.EqualFold(a.word, "Success") }

// holds tells whether a packet waits for its follower: it may be the last.
func (a *answer) holds() bool { return a.fence != "" || a.run.known.OneEvent != "" }

// isList tells whether a list has begun, be it one without EventList.
func (a *answer) isList() bool {
	return a.list || a.began && a.succeeded() && a.run.known.ListEnd != "" && a.fence != ""
}

// cancelled ends a list for the call: the event that would have ended it, with the
// number of items that came.
func (a *answer) cancelled(call *Call, message string) *codec.Packet {
	name := a.run.known.ListEnd
	if name == "" {
		name = a.run.name + "Complete"
	}
	headers := []codec.Header{{Name: "Event", Value: name}}
	if id := call.Action.Get("ActionID"); id != "" {
		headers = append(headers, codec.Header{Name: "ActionID", Value: id})
	}
	return native.NewPacket(append(headers,
		codec.Header{Name: "EventList", Value: "Cancelled"},
		codec.Header{Name: "ListItems", Value: strconv.Itoa(a.items)},
		codec.Header{Name: "Message", Value: message})...)
}

// isBroadcast tells an event that goes to everybody from an item of a list:
// authority_to_str in main/manager.c ends its Privilege with "all", or says "<none>".
// Items have no Privilege or one of their own kind ("Privilege: Call" in Status).
func isBroadcast(p *codec.Packet) bool {
	privilege := p.Get("Privilege")
	return strings.HasSuffix(privilege, ",all") || privilege == "<none>"
}
