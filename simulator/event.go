package simulator

import (
	"strconv"

	"ampd/codec"
	"ampd/codec/native"
)

// An event is being written. There is one at a time: its bytes are the centre's
// scratch until send.
type event struct {
	c     *centre
	class codec.Classes
	b     []byte
}

// event begins an event with the headers that all have: Event, Privilege,
// SystemName.
func (c *centre) event(name string, class codec.Classes) *event {
	e := &event{c: c, class: class, b: c.scratch[:0]}
	return e.add("Event", name).add("Privilege", class.String()+",all").add("SystemName", c.cfg.SystemName)
}

func (e *event) add(name, value string) *event {
	e.b = native.AppendHeader(e.b, name, value)
	return e
}

func (e *event) int(name string, value int64) *event {
	return e.add(name, strconv.FormatInt(value, 10))
}

// channel adds the headers of a channel's snapshot, each name with prefix.
func (e *event) channel(prefix string, ch *channel) *event {
	e.b = ch.appendSnapshot(e.b, prefix)
	return e
}

// line adds a line as it is.
func (e *event) line(line []byte) *event {
	e.b = append(append(e.b, line...), '\r', '\n')
	return e
}

func (e *event) send() {
	e.b = native.AppendEnd(e.b)
	e.c.scratch = e.b
	e.c.emit(e.class, e.b)
}

// unknown is how Asterisk writes a caller ID that it does not know.
func unknown(s string) string {
	if s == "" {
		return "<unknown>"
	}
	return s
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
