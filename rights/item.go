package rights

import "ampd/codec"

// Item returns an item of a list that ampd makes itself, from what it tracks, as the
// session may read it, or nil. It asks the class of the events that tell of the same; an
// item that no rule names nobody sees.
func (s *Subject) Item(p *codec.Packet) *codec.Packet {
	class, known := s.index.items[p.Name()]
	if !known || !s.readable.Has(class) || s.bounds != nil && !s.bounds.sees(s.bounds.objects(p), nil) {
		return nil
	}
	if s.bounds != nil {
		p = s.index.cut(p)
	}
	if s.dangerous {
		return p
	}
	return mask(s.index, p)
}
