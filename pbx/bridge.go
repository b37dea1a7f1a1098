package pbx

import (
	"slices"
	"strconv"
	"strings"
)

// A Bridge is what joins channels.
type Bridge struct {
	Uniqueid        string
	Type            string
	Technology      string
	Creator         string
	Name            string
	VideoSourceMode string
	Members         []string // Uniqueids of channels, in the order in which they came

	number  uint64
	touched uint64
}

// bridgeRows leaves out NumChannels, the number of Members.
var bridgeRows = []row[Bridge]{
	{"BridgeUniqueid", "BridgeUniqueid", func(b *Bridge) *string { return &b.Uniqueid }, false},
	{"BridgeType", "BridgeType", func(b *Bridge) *string { return &b.Type }, false},
	{"BridgeTechnology", "BridgeTechnology", func(b *Bridge) *string { return &b.Technology }, false},
	{"BridgeCreator", "BridgeCreator", func(b *Bridge) *string { return &b.Creator }, false},
	{"BridgeName", "BridgeName", func(b *Bridge) *string { return &b.Name }, false},
	{"BridgeVideoSourceMode", "BridgeVideoSourceMode", func(b *Bridge) *string { return &b.VideoSourceMode }, true},
}

var bridgeBlock = eventColumns(bridgeRows)

// writeBridge adds the block of a bridge with n channels in it.
func writeBridge(b *builder, bridge *Bridge, n int) {
	last := len(bridgeBlock) - 1
	bridgeBlock[:last].write(b, "", bridge)
	b.header("BridgeNumChannels", strconv.Itoa(n))
	bridgeBlock[last:].write(b, "", bridge)
}

// bridge is the bridge of that Uniqueid, made known where it was not.
func (s *State) bridge(id string) *Bridge {
	b := s.bridges[id]
	if b == nil {
		s.made++
		b = &Bridge{Uniqueid: strings.Clone(id), number: s.made}
		s.bridges[b.Uniqueid] = b
	}
	b.touched = s.events
	return b
}

func (s *State) enterBridge(c *Channel, b *Bridge) {
	if c.Bridge == b.Uniqueid {
		return
	}
	s.leaveBridge(c)
	c.Bridge = b.Uniqueid
	b.Members = append(b.Members, c.Uniqueid)
}

func (s *State) leaveBridge(c *Channel) {
	b := s.bridges[c.Bridge]
	c.Bridge = ""
	if b == nil {
		return
	}
	b.touched = s.events
	if i := slices.Index(b.Members, c.Uniqueid); i >= 0 {
		b.Members = slices.Delete(b.Members, i, i+1)
	}
}

func (s *State) removeBridge(b *Bridge) {
	for _, id := range b.Members {
		if c := s.channels[id]; c != nil {
			c.Bridge = ""
		}
	}
	delete(s.bridges, b.Uniqueid)
	s.forgot(bridgeKind, b.Uniqueid)
}

// bridgeCreate also takes events that say no more than how a bridge is.
func bridgeCreate(s *State, e event) {
	if id := e.value("BridgeUniqueid"); id != "" {
		bridgeBlock.update(s.bridge(id), "", e.Headers)
	}
}

func bridgeDestroy(s *State, e event) {
	if b := s.bridges[e.value("BridgeUniqueid")]; b != nil {
		s.removeBridge(b)
	}
}

func bridgeEnter(s *State, e event) {
	id := e.value("BridgeUniqueid")
	c := e.channel
	if id == "" || c == nil {
		return
	}
	b := s.bridge(id)
	bridgeBlock.update(b, "", e.Headers)
	s.enterBridge(c, b)
}

func bridgeLeave(s *State, e event) {
	b := s.bridges[e.value("BridgeUniqueid")]
	if b == nil {
		return
	}
	bridgeBlock.update(b, "", e.Headers)
	b.touched = s.events
	if c := e.channel; c != nil && c.Bridge == b.Uniqueid {
		s.leaveBridge(c)
	}
}
