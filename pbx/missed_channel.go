package pbx

import (
	"slices"
)

func (m *missing) hangups() {
	for c := range m.old.Channels() {
		if m.to.channels[c.Uniqueid] == nil {
			m.about("Hangup", c)
			m.header("Cause", "0")
			m.header("Cause-txt", "Unknown")
			m.end()
		}
	}
}

func (m *missing) renames() {
	for c := range m.old.Channels() {
		if now := m.to.channels[c.Uniqueid]; now != nil && now.Name != c.Name {
			m.begin("Rename")
			m.header("Channel", c.Name)
			m.header("Newname", now.Name)
			m.header("Uniqueid", c.Uniqueid)
			m.end()
		}
	}
}

// channels tells of new channels, and of what has changed in the blocks of others.
func (m *missing) channels() {
	for c := range m.to.Channels() {
		was := m.old.channels[c.Uniqueid]
		if was == nil {
			m.say("Newchannel", c)
			if c.State != "0" {
				m.say("Newstate", c)
			}
			if c.Application != "" || c.AppData != "" {
				m.newexten(c)
			}
			continue
		}
		said := len(m.events)
		if !channelBlock.same(was, c, "ChannelState", "ChannelStateDesc") {
			m.say("Newstate", c)
		}
		if !channelBlock.same(was, c, "CallerIDNum", "CallerIDName") {
			m.about("NewCallerid", c)
			m.header("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")
			m.end()
		}
		if !channelBlock.same(was, c, "ConnectedLineNum", "ConnectedLineName") {
			m.say("NewConnectedLine", c)
		}
		if was.AccountCode != c.AccountCode {
			m.about("NewAccountCode", c)
			m.header("OldAccountCode", was.AccountCode)
			m.end()
		}
		if was.Application != c.Application || was.AppData != c.AppData ||
			!channelBlock.same(was, c, "Context", "Exten", "Priority") {
			m.newexten(c)
		}
		if len(m.events) == said && !m.sameBlock(was, c) {
			m.say("Newstate", c) // nothing has an event of its own for the rest
		}
	}
}

// sameBlock leaves out the name, which has its Rename.
func (m *missing) sameBlock(a, b *Channel) bool {
	return channelBlock[1:].same(a, b) && slices.Equal(a.ChanVariables, b.ChanVariables)
}

func (m *missing) newexten(c *Channel) {
	m.about("Newexten", c)
	m.header("Extension", c.Exten)
	m.header("Application", c.Application)
	m.header("AppData", c.AppData)
	m.end()
}

// channelDetails tells of what is no part of a channel's block.
func (m *missing) channelDetails() {
	for c := range m.to.Channels() {
		was := m.old.channels[c.Uniqueid]
		if was == nil {
			was = &Channel{}
		}
		switch {
		case c.Hold && (!was.Hold || was.MusicClass != c.MusicClass):
			m.about("Hold", c)
			if c.MusicClass != "" {
				m.header("MusicClass", c.MusicClass)
			}
			m.end()
		case was.Hold && !c.Hold:
			m.say("Unhold", c)
		}
		for i, name := range variableNames {
			if was.variables[i] != c.variables[i] {
				m.about("VarSet", c)
				m.header("Variable", name)
				m.header("Value", c.variables[i])
				m.end()
			}
		}
		if c.dialled() && !c.sameDial(was) {
			m.begin("DialBegin")
			if by := m.to.channels[c.DialedBy]; by != nil {
				writeChannel(&m.builder, "", by)
			}
			writeChannel(&m.builder, "Dest", c)
			m.header("DialString", c.DialString)
			m.end()
		}
	}
}

func (c *Channel) dialled() bool { return c.DialString != "" || c.DialedBy != "" }

func (c *Channel) sameDial(d *Channel) bool {
	return c.DialString == d.DialString && c.DialedBy == d.DialedBy
}

func (m *missing) dialsEnd() {
	for was := range m.old.Channels() {
		c := m.to.channels[was.Uniqueid]
		if !was.dialled() || c != nil && c.sameDial(was) {
			continue
		}
		status := "CANCEL"
		if c != nil && c.StateDesc == "Up" {
			status = "ANSWER"
		}
		m.begin("DialEnd")
		if m.old.channels[was.DialedBy] != nil {
			writeChannel(&m.builder, "", m.channel(was.DialedBy))
		}
		writeChannel(&m.builder, "Dest", m.channel(was.Uniqueid))
		m.header("DialStatus", status)
		m.end()
	}
}

func (m *missing) bridgesLeave() {
	for b := range m.old.Bridges() {
		n := len(b.Members)
		for _, id := range b.Members {
			if c := m.to.channels[id]; c != nil && c.Bridge == b.Uniqueid {
				continue
			}
			n--
			m.begin("BridgeLeave")
			writeBridge(&m.builder, b, n)
			writeChannel(&m.builder, "", m.channel(id))
			m.end()
		}
	}
}

func (m *missing) bridgesDestroy() {
	for b := range m.old.Bridges() {
		if m.to.bridges[b.Uniqueid] == nil {
			m.begin("BridgeDestroy")
			writeBridge(&m.builder, b, 0)
			m.end()
		}
	}
}

func (m *missing) bridgesEnter() {
	for b := range m.to.Bridges() {
		was := m.old.bridges[b.Uniqueid]
		var stayed []string
		if was == nil {
			m.begin("BridgeCreate")
			writeBridge(&m.builder, b, 0)
			m.end()
		} else {
			for _, id := range b.Members {
				if slices.Contains(was.Members, id) {
					stayed = append(stayed, id)
				}
			}
		}
		n := len(stayed)
		for _, id := range b.Members {
			if slices.Contains(stayed, id) {
				continue
			}
			n++
			m.begin("BridgeEnter")
			writeBridge(&m.builder, b, n)
			writeChannel(&m.builder, "", m.to.channels[id])
			m.end()
		}
		if was != nil && n == len(stayed) && !bridgeBlock.same(was, b) {
			m.begin("BridgeVideoSourceUpdate") // the one event that says how a bridge is
			writeBridge(&m.builder, b, n)
			m.header("BridgePreviousVideoSource", "")
			m.end()
		}
	}
}
