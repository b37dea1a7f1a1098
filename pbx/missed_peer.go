package pbx

func (m *missing) peers() {
	for p := range m.to.Peers() {
		was := m.old.peers[peerKey(p.Technology, p.Name)]
		switch {
		case was == nil: // only a list makes a peer known
		case p.Technology == techPJSIP:
			m.endpoint(was, p)
		default:
			m.peer(was, p)
		}
	}
}

// peer tells of a peer of chan_sip's or IAX2's.
func (m *missing) peer(was, p *Peer) {
	if address := p.address(); address != was.address() {
		word := "Registered"
		if address == "" {
			word = "Unregistered"
		}
		m.peerStatus(p, word)
		if address != "" {
			m.header("Address", address)
		}
		m.end()
	}
	word, ms := wordOf(p.Get("Status"))
	if word == "" || was.Get("Status") == p.Get("Status") {
		return
	}
	m.peerStatus(p, word)
	if ms != "" {
		m.header("Time", ms)
	}
	m.end()
}

func (m *missing) peerStatus(p *Peer, word string) {
	m.begin("PeerStatus")
	m.header("ChannelType", p.Technology)
	m.header("Peer", p.Technology+"/"+p.Name)
	m.header("PeerStatus", word)
}

func (m *missing) endpoint(was, p *Peer) {
	if p.Reachable != was.Reachable {
		m.peerStatus(p, p.Reachable)
		m.end()
	}
	for _, c := range was.Contacts {
		if p.contact(c.URI) < 0 {
			m.contact(p, c, "Removed")
		}
	}
	for _, c := range p.Contacts {
		i := was.contact(c.URI)
		if i < 0 || !contactEvent.same(was.Contacts[i], c) {
			m.contact(p, c, c.Status)
		}
	}
	for _, d := range deviceStates {
		if state := p.Get("DeviceState"); state == d.list && state != was.Get("DeviceState") {
			m.begin("DeviceStateChange")
			m.header("Device", p.Technology+"/"+p.Name)
			m.header("State", d.event)
			m.end()
		}
	}
}

func (m *missing) contact(p *Peer, c *Contact, status string) {
	m.begin("ContactStatus")
	m.header("URI", c.URI)
	m.header("ContactStatus", status)
	m.header("AOR", c.AOR)
	m.header("EndpointName", p.Name)
	m.header("RoundtripUsec", c.RoundtripUsec)
	m.end()
}
