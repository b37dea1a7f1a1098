package rights

import "ampd/codec"

// An Event is an event of the upstream with what all sessions share of its judging:
// its classes and its masked copy are worked out once.
type Event struct {
	classes codec.Classes
	unknown bool // its Privilege is missing or names what is no class
	first   bool // made by View.First, for sessions that may see it
	looked  bool // objects and cut are worked out
	objects []object
	clear   *codec.Packet
	masked  *codec.Packet // clear itself where it holds no secret
	cut     *codec.Packet // masked, as limited sessions may see it
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

// A View says which events a session gets, and how. It never changes but for what a
// limited one remembers (see [View.First]), which is its owner's.
type View struct {
	classes codec.Classes
	clear   bool // secrets are not masked
	filters *Filters

	bounds  *bounds             // nil where all may be seen
	told    map[string]string   // channels that the session knows of, by Uniqueid the name that it knows; nil where it knows all
	bridges map[string]struct{} // BridgeUniqueids of bridges that it knows of
	seen    bool                // of the event that First was asked about
	ended   string              // not "": only that the channel that it knows by that name has ended
}

// A ViewKey is equal for Views through which the same is seen.
type ViewKey struct {
	classes codec.Classes
	clear   bool
	filters string
	bounds  *bounds
}

// View is that of a session. mask is what it asked for (Events: on is codec.All),
// filters are the profile's and its own.
func (s *Subject) View(mask codec.Classes, filters *Filters) View {
	return View{classes: s.readable & mask, clear: s.dangerous, filters: filters, bounds: s.bounds}
}

// Key tells Views apart.
func (v *View) Key() ViewKey { return ViewKey{v.classes, v.clear, v.filters.key, v.bounds} }

// See returns the event as the session gets it, or nil if it is not for it. Of a limited
// view First was asked before.
//
// A session must hold every class of the event's Privilege, as in process_events of
// main/manager.c; one that can't be read nobody sees. Filters look at what the
// session may see: they can't be used to guess what is masked.
func (v *View) See(e *Event) *codec.Packet {
	if e.unknown || !v.classes.Has(e.classes) {
		return nil
	}
	p := e.masked
	if v.clear {
		p = e.clear
	}
	if v.bounds != nil && !e.first {
		p = e.cut
		switch {
		case v.ended != "":
			p = cutHangup(p, v.ended)
		case !v.seen:
			return nil
		}
	}
	if !v.filters.pass(p) {
		return nil
	}
	return p
}

// Filters tells whether there are any.
func (v *View) Filters() bool { return v.filters.Len() > 0 }

// Costly tells whether See runs regular expressions, which may take long.
func (v *View) Costly() bool { return v.filters.costly }

// Filters are those of the profile, with which a session begins.
func (s *Subject) Filters() *Filters { return s.filters }
