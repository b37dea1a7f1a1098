package rights

import "ampd/codec"

// An Event is an event of the upstream with what all sessions share of its judging:
// its classes and its masked copy are worked out once.
type Event struct {
	classes codec.Classes
	unknown bool // its Privilege is missing or names what is no class
	clear   *codec.Packet
	masked  *codec.Packet // clear itself where it holds no secret
}

// NewEvent judges p, which must not change afterwards.
func NewEvent(p *codec.Packet) Event {
	e := Event{clear: p, masked: mask(&ruleIndex, p)}
	i := p.Index("Privilege")
	if i < 0 {
		e.unknown = true
		return e
	}
	classes, unknown := codec.ParseClasses(p.Headers[i].Value)
	e.classes, e.unknown = classes, unknown != ""
	return e
}

// See returns the event as the session gets it, or nil if it is not for it. mask is
// what the session asked for (Events: on is codec.All), filters its own.
//
// A session must hold every class of the event's Privilege, as in process_events of
// main/manager.c; one that can't be read nobody sees. Filters look at what the
// session may see: they can't be used to guess what is masked.
func (s *Subject) See(e *Event, mask codec.Classes, filters *Filters) *codec.Packet {
	if e.unknown || !s.readable.Has(e.classes) || !mask.Has(e.classes) {
		return nil
	}
	p := e.masked
	if s.dangerous {
		p = e.clear
	}
	if !filters.pass(p) {
		return nil
	}
	return p
}

// Filters are those of the profile, with which a session begins.
func (s *Subject) Filters() *Filters { return s.filters }
