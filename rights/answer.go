package rights

import (
	"strconv"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
)

// An Answer is an action's as its session may read it.
type Answer struct {
	subject *Subject
	action  *codec.Packet
	limited bool
	items   int
}

// Answer is that of an action that was judged.
func (s *Subject) Answer(action *codec.Packet) Answer {
	_, known := s.index.objects[toLower(action.ActionName())]
	return Answer{subject: s, action: action, limited: s.bounds != nil && known}
}

// Take returns the next packet of the answer as the session may read it, or nil where it
// is not for it. Items of a list are left out that name what the session may not know of;
// the list's end says how many are left.
func (a *Answer) Take(p *codec.Packet) *codec.Packet {
	s := a.subject
	if !a.limited {
		return s.Mask(a.action, p)
	}
	switch p.Kind() {
	case codec.Response:
		p = s.bounds.cutState(p)
	case codec.Event:
		if isEnd(p) {
			return s.Mask(a.action, s.index.cut(a.counted(p)))
		}
		if !s.bounds.sees(s.bounds.objects(p), nil) {
			return nil
		}
		a.items++
		p = s.index.cut(p)
	default:
		return nil // text may name anything
	}
	return s.Mask(a.action, p)
}

// cutState leaves the state out of the answer to ExtensionState where the extension's
// hint names what is outside (action_extensionstate in main/manager.c).
func (b *bounds) cutState(p *codec.Packet) *codec.Packet {
	if b.inside(aHint, p.Get("Hint"), nil) {
		return p
	}
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		return h.Value, !equalFold(h.Name, "Hint") && !equalFold(h.Name, "Status") && !equalFold(h.Name, "StatusText")
	})
}

func isEnd(p *codec.Packet) bool {
	list := p.Get("EventList")
	return strings.EqualFold(list, "Complete") || strings.EqualFold(list, "Cancelled")
}

// counted tells how many items were sent, wherever a list's end tells how many there are:
// Total of ParkedCallsComplete, Items of StatusComplete. What else is counted (ShowDialPlan)
// is left out.
func (a *Answer) counted(p *codec.Packet) *codec.Packet {
	items := strconv.Itoa(a.items)
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		switch {
		case equalFold(h.Name, "ListItems"), equalFold(h.Name, "Items"), equalFold(h.Name, "Total"):
			return items, true
		case equalFold(h.Name, "ListExtensions"), equalFold(h.Name, "ListPriorities"), equalFold(h.Name, "ListContexts"):
			return "", false
		}
		return h.Value, true
	})
}
