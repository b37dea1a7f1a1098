package simulator

import (
	"fmt"

	"ampd/codec"
)

// A bridge joins two channels.
type bridge struct {
	c        *centre
	id       string
	channels []*channel
}

func (c *centre) newBridge() *bridge {
	hi, lo := c.chance.Uint64(), c.chance.Uint64()
	b := &bridge{c: c, id: fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		hi>>32, hi>>16&0xffff, hi&0xfff, 0x8000|lo>>48&0x3fff, lo&0xffffffffffff)}
	c.bridges = append(c.bridges, b)
	b.event("BridgeCreate").send()
	return b
}

func (b *bridge) event(name string) *event {
	return b.describe(b.c.event(name, codec.Call))
}

func (b *bridge) describe(e *event) *event {
	e.add("BridgeUniqueid", b.id).add("BridgeType", "basic").add("BridgeTechnology", "simple_bridge")
	e.add("BridgeCreator", "<unknown>").add("BridgeName", "<unknown>")
	return e.int("BridgeNumChannels", int64(len(b.channels))).add("BridgeVideoSourceMode", "none")
}

func (b *bridge) enter(ch *channel) {
	b.channels = append(b.channels, ch)
	ch.bridge = b
	b.event("BridgeEnter").channel("", ch).send()
}

// peers says to each of the two channels who the other is.
func (b *bridge) peers() {
	first, second := b.channels[0], b.channels[1]
	first.set("BRIDGEPEER", second.name)
	second.set("BRIDGEPEER", first.name)
}

func (b *bridge) leave(ch *channel) {
	for i := range b.channels {
		if b.channels[i] == ch {
			b.channels = append(b.channels[:i], b.channels[i+1:]...)
			break
		}
	}
	ch.bridge = nil
	b.event("BridgeLeave").channel("", ch).send()
}

// destroy ends the bridge when all have left it.
func (b *bridge) destroy() {
	for i := range b.c.bridges {
		if b.c.bridges[i] == b {
			b.c.bridges = append(b.c.bridges[:i], b.c.bridges[i+1:]...)
			break
		}
	}
	b.event("BridgeDestroy").send()
}

// bridgeID is the id of the bridge that the channel is in, or "".
func (ch *channel) bridgeID() string {
	if ch.bridge == nil {
		return ""
	}
	return ch.bridge.id
}
