package commands

import (
	"strconv"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// snapshot answers with what is tracked of Asterisk, as of this moment between two
// events.
func snapshot(s *State, env *Env, a *codec.Packet) Answer {
	objects, unknown := pbx.ParseObjects(a.Get("Objects"))
	switch {
	case unknown != "":
		return whole(native.Answer(a, "Error", "Unknown object: "+unknown))
	case env.State == nil:
		return whole(native.Answer(a, "Error", "Upstream not connected"))
	}
	b := native.AppendAnswer(make([]byte, 0, 64<<10), a, "Success")
	b = native.AppendHeader(b, "EventList", "start")
	b = native.AppendHeader(b, "Message", "Snapshot will follow")
	return whole(AppendSnapshot(native.AppendEnd(b), s, env, objects, a.Get("ActionID")))
}

// AppendSnapshot appends the list items of a snapshot that the session may see, and
// their end. env.State must not be nil.
func AppendSnapshot(b []byte, s *State, env *Env, objects pbx.Objects, actionID string) []byte {
	items := 0
	for p := range env.State.Snapshot(objects, actionID, env.Now) {
		if p = s.Rights.Item(p); p != nil {
			b = append(b, p.Raw...)
			items++
		}
	}
	b = native.AppendHeader(b, "Event", "AmpdSnapshotComplete")
	if actionID != "" {
		b = native.AppendHeader(b, "ActionID", actionID)
	}
	b = native.AppendHeader(b, "EventList", "Complete")
	return native.AppendEnd(native.AppendHeader(b, "ListItems", strconv.Itoa(items)))
}
