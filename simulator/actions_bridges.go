package simulator

// bridge adds the headers of a bridge.
func (r *request) bridge(b *bridge) {
	r.headers(func(e *event) { b.describe(e) })
}

func bridgeList(r *request) {
	r.beginList("Bridge listing will follow")
	for _, b := range r.c.bridges {
		r.item("BridgeListItem")
		r.bridge(b)
		r.end()
	}
	r.endList("BridgeListComplete", len(r.c.bridges))
	r.end()
}

func bridgeInfo(r *request) {
	id := r.get("BridgeUniqueid")
	for _, b := range r.c.bridges {
		if b.id != id {
			continue
		}
		r.beginList("Bridge channel listing will follow")
		for _, ch := range b.channels {
			r.item("BridgeInfoChannel")
			r.out = ch.appendSnapshot(r.out, "")
			r.end()
		}
		r.endList("BridgeInfoComplete", len(b.channels))
		r.bridge(b)
		r.end()
		return
	}
	r.fail("Specified BridgeUniqueid not found")
}
