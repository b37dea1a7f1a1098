package proxy

import (
	"time"

	"ampd/actions"
	"ampd/audit"
	"ampd/codec"
	"ampd/codec/native"
)

// record writes to the audit log what became of an action, if that is to be there.
func (h *Hub) record(c *client, asked *codec.Packet, result, rule string) {
	if !h.audit.On() {
		return
	}
	known, ok := actions.Lookup(asked.ActionName())
	if !h.audit.Wants(!ok || !known.ReadOnly, rule != "") {
		return
	}
	line := h.line(c, "action", result)
	line.Action, line.Rule = asked.ActionName(), rule
	if rule == "" {
		line.Latency = line.Time.Sub(c.begun)
	}
	h.later = append(h.later, func() {
		line.Params = h.audit.Params(asked)
		h.audit.Write(line)
	})
}

// recordAnswer writes what became of the action under way, by the response to it.
func (h *Hub) recordAnswer(c *client, response *codec.Packet) {
	switch {
	case c.asked == nil:
		return
	case response.Kind() == codec.Response && response.Name() == "Error":
		h.record(c, c.asked, "error: "+response.Get("Message"), "")
	default:
		h.record(c, c.asked, "allowed", "")
	}
	c.asked = nil
}

// recordPackets is recordAnswer for an answer of ampd's own, none for one that comes later.
func (h *Hub) recordPackets(c *client, answer []byte) {
	if !h.audit.On() {
		c.asked = nil
		return
	}
	for p := range native.Packets(answer) {
		h.recordAnswer(c, p)
		return
	}
}

func (h *Hub) recordLogin(c *client) {
	line := h.line(c, "login", "allowed")
	h.later = append(h.later, func() { h.audit.Write(line) })
}

func (h *Hub) recordLogout(c *client, cause error) {
	line := h.line(c, "logout", cause.Error())
	h.later = append(h.later, func() { h.audit.Write(line) })
}

func (h *Hub) line(c *client, event, result string) audit.Line {
	return audit.Line{
		Time: time.Now(), Event: event, Result: result,
		Client: c.session.ID(), Profile: c.profile.Name, Address: c.session.Address(),
	}
}
