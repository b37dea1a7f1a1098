package rights

import (
	"ampd/codec"
	"ampd/codec/native"
)

// A cutRule is a header of an event or of an item of a list that limited sessions do not
// get: it may name what is not theirs.
type cutRule struct {
	event, header pattern
	source        string
}

var cutRules = []cutRule{
	{"*", "*VideoSource", "ast_manager_build_bridge_state_string_prefix in main/manager_bridges.c: a channel's Uniqueid; BridgePreviousVideoSource, too"},
	{"OriginateResponse", "Application", "fast_originate in main/manager.c: what somebody else had the device called for"},
	{"OriginateResponse", "Data", "fast_originate in main/manager.c: may name a channel that is listened to"},
}

// cut returns p as limited sessions may get it.
func (x *index) cut(p *codec.Packet) *codec.Packet {
	name := p.Name()
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		for i := range x.cuts {
			if r := &x.cuts[i]; r.event.matches(name) && r.header.matches(h.Name) {
				return "", false
			}
		}
		return h.Value, true
	})
}
