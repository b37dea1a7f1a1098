package pbx

import (
	"slices"
	"strconv"
	"strings"

	"ampd/codec"
)

// A Peer is a peer of chan_sip or IAX2, or an endpoint of PJSIP. Only a list makes
// one known.
type Peer struct {
	Technology string         // SIP, PJSIP, IAX2
	Name       string         // without the technology
	Entry      []codec.Header // its list item (PeerEntry, EndpointList) with what events have changed
	Reachable  string         // PeerStatus of a PJSIP endpoint as last told, or ""
	Contacts   []*Contact     // of PJSIP
	CallerID   string         // as its configuration has it: "Phone 101" <101>; "" where none was read

	read    bool // the CallerID
	touched uint64
}

// A Contact is an address of a PJSIP endpoint's.
type Contact struct {
	AOR           string
	URI           string
	Status        string         // Reachable, Unreachable, NonQualified ..., "" while nothing told
	RoundtripUsec string         // the time that the last qualify took, in microseconds
	Entry         []codec.Header // its ContactList item, where it was listed: a contact that has registered
}

var contactRows = []row[Contact]{
	{"URI", "Uri", func(c *Contact) *string { return &c.URI }, false},
	{"ContactStatus", "Status", func(c *Contact) *string { return &c.Status }, false},
	{"AOR", "", func(c *Contact) *string { return &c.AOR }, false},
	{"RoundtripUsec", "RoundtripUsec", func(c *Contact) *string { return &c.RoundtripUsec }, false},
}

var (
	contactEvent = eventColumns(contactRows)
	contactList  = listColumns(contactRows)
)

// notQualified is what a list says where an event says "RoundtripUsec: 0".
const notQualified = "N/A"

// The technologies.
const (
	techSIP   = "SIP"
	techPJSIP = "PJSIP"
	techIAX   = "IAX2"
)

// Get is the value of a header of the peer's list item, or "".
func (p *Peer) Get(name string) string { return header(p.Entry, name) }

// Status is how the peer is: a device state of an endpoint's ("Not in use"), "OK (12
// ms)" or "UNREACHABLE" or the like of others.
func (p *Peer) Status() string {
	if p.Technology == techPJSIP {
		return p.Get("DeviceState")
	}
	return p.Get("Status")
}

// set changes a header of the list item. A new slice is made where something
// changes, for others may hold the old.
func (p *Peer) set(name, v string) {
	i := slices.IndexFunc(p.Entry, func(h codec.Header) bool { return h.Name == name })
	if i >= 0 && p.Entry[i].Value != v {
		p.Entry = slices.Clone(p.Entry)
		p.Entry[i].Value = strings.Clone(v)
	}
}

func (p *Peer) contact(uri string) int {
	return slices.IndexFunc(p.Contacts, func(c *Contact) bool { return c.URI == uri })
}

// address is that of chan_sip or IAX2, as PeerStatus writes it.
func (p *Peer) address() string {
	ip, port := p.Get("IPaddress"), p.Get(p.portHeader())
	if ip == "" || ip == p.nowhere() {
		return ""
	}
	return ip + ":" + port
}

func (p *Peer) portHeader() string {
	if p.Get("IPport") == "" && p.Technology == techIAX {
		return "Port" // of IAXpeerlist
	}
	return "IPport"
}

// nowhere is the address of a peer that has none.
func (p *Peer) nowhere() string {
	if p.Technology == techIAX {
		return "(null)"
	}
	return "-none-"
}

// peerStatus follows chan_sip's and chan_iax2's own words: what a list calls "OK (12
// ms)" an event calls Reachable, with a Time.
func peerStatus(s *State, e event) {
	peer := under(s.peers, e.value("Peer"))
	if peer == nil {
		return
	}
	peer.touched = s.events
	word := e.value("PeerStatus")
	if peer.Technology == techPJSIP {
		keep(&peer.Reachable, word)
		return
	}
	switch word {
	case "Registered":
		ip, port, found := cutPort(e.value("Address"))
		if found {
			peer.set("IPaddress", ip)
			peer.set(peer.portHeader(), port)
		}
	case "Unregistered":
		port := peer.portHeader()
		peer.set("IPaddress", peer.nowhere())
		peer.set(port, map[string]string{techSIP: "0", techIAX: "(null)"}[peer.Technology])
	default:
		if status := statusOf(word, e.value("Time")); status != "" {
			peer.set("Status", status)
		}
	}
}

func cutPort(address string) (ip, port string, found bool) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 {
		return "", "", false
	}
	return address[:i], address[i+1:], true
}

// statusWords are those of PeerStatus and of lists.
var statusWords = []struct {
	event, list string
	timed       bool
}{
	{"Reachable", "OK", true},
	{"Lagged", "LAGGED", true},
	{"Unreachable", "UNREACHABLE", false},
	{"Unknown", "UNKNOWN", false},
	{"Unmonitored", "Unmonitored", false},
}

// statusOf is what a list says where an event says word, or "".
func statusOf(word, ms string) string {
	for _, w := range statusWords {
		if w.event == word {
			if w.timed {
				return w.list + " (" + ms + " ms)"
			}
			return w.list
		}
	}
	return ""
}

// wordOf is the opposite of statusOf.
func wordOf(status string) (word, ms string) {
	for _, w := range statusWords {
		if !w.timed && status == w.list {
			return w.event, ""
		}
		if rest, ok := strings.CutPrefix(status, w.list+" ("); ok && w.timed {
			if ms, ok = strings.CutSuffix(rest, " ms)"); ok {
				return w.event, ms
			}
		}
	}
	return "", ""
}

func contactStatus(s *State, e event) {
	peer := s.peers[peerKey(techPJSIP, e.value("EndpointName"))]
	uri := e.value("URI")
	if peer == nil || uri == "" {
		return
	}
	peer.touched = s.events
	i := peer.contact(uri)
	if e.value("ContactStatus") == "Removed" {
		if i >= 0 {
			peer.Contacts = slices.Delete(peer.Contacts, i, i+1)
		}
		return
	}
	if i < 0 {
		i = len(peer.Contacts)
		peer.Contacts = append(peer.Contacts, &Contact{})
	}
	contactEvent.update(peer.Contacts[i], "", e.Headers)
}

func peerKey(technology, name string) string { return fold(technology) + "/" + fold(name) }

// deviceStates are the words of events and those of EndpointList
// (ast_devstate2str in main/devicestate.c), in the order of the numbers that members
// of queues have.
var deviceStates = []struct{ event, list string }{
	{"UNKNOWN", "Unknown"},
	{"NOT_INUSE", "Not in use"},
	{"INUSE", "In use"},
	{"BUSY", "Busy"},
	{"INVALID", "Invalid"},
	{"UNAVAILABLE", "Unavailable"},
	{"RINGING", "Ringing"},
	{"RINGINUSE", "Ring+Inuse"},
	{"ONHOLD", "On Hold"},
}

func deviceStateChange(s *State, e event) {
	device := e.value("Device")
	if len(device) <= len(techPJSIP) || device[len(techPJSIP)] != '/' {
		return
	}
	peer := under(s.peers, device)
	if peer == nil || peer.Technology != techPJSIP {
		return
	}
	peer.touched = s.events
	state := e.value("State")
	for _, d := range deviceStates {
		if d.event == state {
			peer.set("DeviceState", d.list)
		}
	}
}

// listed takes over the contacts that an endpoint's list item names: "aor/uri,aor/uri,".
func (p *Peer) listed(contacts string) {
	old := p.Contacts
	p.Contacts = nil
	for entry := range strings.SplitSeq(contacts, ",") {
		aor, uri, found := strings.Cut(entry, "/")
		if !found {
			continue
		}
		i := slices.IndexFunc(old, func(c *Contact) bool { return c.URI == uri && c.AOR == aor })
		if i >= 0 {
			p.Contacts = append(p.Contacts, old[i])
			continue
		}
		p.Contacts = append(p.Contacts, &Contact{AOR: strings.Clone(aor), URI: strings.Clone(uri)})
	}
}

func (p *Peer) contactsHeader() string {
	var b strings.Builder
	for _, c := range p.Contacts {
		b.WriteString(c.AOR + "/" + c.URI + ",")
	}
	return b.String()
}

// entry is the list item as it is now, active being its number of channels.
func (p *Peer) entry(active int) []codec.Header {
	if p.Technology != techPJSIP {
		return p.Entry
	}
	entry := slices.Clone(p.Entry)
	for i := range entry {
		switch h := &entry[i]; {
		case h.Name == "Contacts":
			h.Value = p.contactsHeader()
		case h.Name == "ActiveChannels" && h.Value != "": // Asterisk 16 leaves it empty
			h.Value = strconv.Itoa(active)
		}
	}
	return entry
}
