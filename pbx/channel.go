package pbx

import (
	"slices"
	"strings"
	"time"

	"ampd/codec"
)

// A Channel is a channel of Asterisk's. Its texts are Asterisk's own, "<unknown>"
// for what it does not know.
type Channel struct {
	Uniqueid          string
	Name              string
	Linkedid          string
	State             string // a number; ChannelState in events
	StateDesc         string // "Up", "Ringing" ...
	CallerIDNum       string
	CallerIDName      string
	ConnectedLineNum  string
	ConnectedLineName string
	Language          string
	AccountCode       string
	Context           string
	Exten             string
	Priority          string
	TenantID          string   // "" where Asterisk writes none; Tenantid in events
	ChanVariables     []string // "NAME=value", those that channelvars of manager.conf names

	Application string
	AppData     string

	Since time.Time // of its Newchannel, or as the list said, to the second

	Bridge     string // BridgeUniqueid, "" where it is in none
	Queue      string // the queue that it waits in, as Asterisk spells it, or ""
	DialString string // what was dialled to reach it, while it is being dialled
	DialedBy   string // the Uniqueid of the channel that does, "" where none does
	Hold       bool
	MusicClass string // what it is to hear meanwhile, as Hold said

	variables [len(variableNames)]string
	agent     string   // the agent that is logged in here
	dials     []string // Uniqueids of those whose DialedBy it is
	number    uint64   // counts channels as they came
	touched   uint64   // the event that said something of it last
}

// variableNames are the channel variables whose VarSet is kept.
var variableNames = [...]string{
	"BRIDGEPEER",     // whom an agent of app_agent_pool talks to: its status hangs on it
	"DIALEDPEERNAME", // who has answered a Dial
	"DIALSTATUS",     // how a Dial has ended
	"QUEUESTATUS",    // why a caller has left its queue
}

const bridgePeer = 0 // in variableNames

func variableIndex(name string) int { return slices.Index(variableNames[:], name) }

// Variable is the value of a channel variable. Those known are BRIDGEPEER,
// DIALEDPEERNAME, DIALSTATUS and QUEUESTATUS; any other is "".
func (c *Channel) Variable(name string) string {
	if i := variableIndex(name); i >= 0 {
		return c.variables[i]
	}
	return ""
}

// Device is the channel's name up to its last "-": "PJSIP/alice",
// "Local/1001@agents".
func (c *Channel) Device() string {
	if i := strings.LastIndexByte(c.Name, '-'); i >= 0 {
		return c.Name[:i]
	}
	return c.Name
}

// channelRows is the block that stands in every event about a channel, and in list
// items.
var channelRows = []row[Channel]{
	{"Channel", "Channel", func(c *Channel) *string { return &c.Name }, false},
	{"ChannelState", "ChannelState", func(c *Channel) *string { return &c.State }, false},
	{"ChannelStateDesc", "ChannelStateDesc", func(c *Channel) *string { return &c.StateDesc }, false},
	{"CallerIDNum", "CallerIDNum", func(c *Channel) *string { return &c.CallerIDNum }, false},
	{"CallerIDName", "CallerIDName", func(c *Channel) *string { return &c.CallerIDName }, false},
	{"ConnectedLineNum", "ConnectedLineNum", func(c *Channel) *string { return &c.ConnectedLineNum }, false},
	{"ConnectedLineName", "ConnectedLineName", func(c *Channel) *string { return &c.ConnectedLineName }, false},
	{"Language", "Language", func(c *Channel) *string { return &c.Language }, false},
	{"AccountCode", "AccountCode", func(c *Channel) *string { return &c.AccountCode }, false},
	{"Context", "Context", func(c *Channel) *string { return &c.Context }, false},
	{"Exten", "Exten", func(c *Channel) *string { return &c.Exten }, false},
	{"Priority", "Priority", func(c *Channel) *string { return &c.Priority }, false},
	{"Uniqueid", "Uniqueid", func(c *Channel) *string { return &c.Uniqueid }, false},
	{"Linkedid", "Linkedid", func(c *Channel) *string { return &c.Linkedid }, false},
	{"Tenantid", "Tenantid", func(c *Channel) *string { return &c.TenantID }, true},
	{"", "Application", func(c *Channel) *string { return &c.Application }, false},
	{"", "ApplicationData", func(c *Channel) *string { return &c.AppData }, false},
}

var (
	channelBlock = eventColumns(channelRows)
	channelList  = listColumns(channelRows)[len(channelBlock):]
)

// said takes over the block of a known channel, which headers begin with, and what
// channelvars adds to it.
func (s *State) said(c *Channel, prefix string, headers []codec.Header) {
	c.touched = s.events
	id, name := c.Uniqueid, c.Name
	changed := c.update(prefix, headers)
	c.Uniqueid = id
	if changed && c.Name != name {
		s.renamed(c, name)
	}
}

// update sets what a block and the ChanVariables behind it say otherwise, and tells
// whether something of the block has changed.
func (c *Channel) update(prefix string, headers []codec.Header) bool {
	end, changed := channelBlock.update(c, prefix, headers[:min(len(headers), len(channelBlock))])
	n := 0
	same := true
	for i := end; i < len(headers) && isChanVariable(headers[i].Name, prefix); i++ {
		same = same && n < len(c.ChanVariables) && c.ChanVariables[n] == headers[i].Value
		n++
	}
	if same && n == len(c.ChanVariables) {
		return changed
	}
	variables := make([]string, n)
	for i := range variables {
		variables[i] = strings.Clone(headers[end+i].Value)
	}
	c.ChanVariables = variables
	return changed
}

func isChanVariable(name, prefix string) bool {
	const rest = "ChanVariable"
	return len(name) == len(prefix)+len(rest) && name[len(prefix):] == rest && name[:len(prefix)] == prefix
}

// writeChannel adds the block.
func writeChannel(b *builder, prefix string, c *Channel) {
	channelBlock.write(b, prefix, c)
	for _, v := range c.ChanVariables {
		b.header(prefix+"ChanVariable", v)
	}
}

// addChannel makes a channel known. Its name follows with its block.
func (s *State) addChannel(uniqueid string, since time.Time) *Channel {
	s.made++
	c := &Channel{Uniqueid: strings.Clone(uniqueid), Since: since, number: s.made}
	s.channels[c.Uniqueid] = c
	if id := fold(c.Uniqueid); id != c.Uniqueid {
		s.folded[id] = c
	}
	return c
}

// renamed puts the channel under its name.
func (s *State) renamed(c *Channel, old string) {
	if key := fold(old); s.names[key] == c {
		delete(s.names, key)
	}
	s.names[fold(c.Name)] = c
}

// removeChannel forgets a channel and all that hangs on it.
func (s *State) removeChannel(c *Channel) {
	s.leaveBridge(c)
	s.leaveQueue(c)
	s.unpark(c.Uniqueid)
	if a := s.agents[c.agent]; a != nil && a.Channel == c.Uniqueid {
		s.logOff(a)
	}
	s.dialEnded(c)
	for _, id := range c.dials {
		if d := s.channels[id]; d != nil && d.DialedBy == c.Uniqueid {
			d.DialedBy = ""
		}
	}
	delete(s.channels, c.Uniqueid)
	if id := fold(c.Uniqueid); s.folded[id] == c {
		delete(s.folded, id)
	}
	if key := fold(c.Name); s.names[key] == c {
		delete(s.names, key)
	}
	s.forgot(channelKind, c.Uniqueid)
}

// of is the channel whose block stands in p behind prefix, or nil.
func (s *State) of(p *codec.Packet, prefix string) *Channel {
	return s.channels[value(p, prefix+"Uniqueid")]
}

func newchannel(s *State, e event) {
	id := e.value("Uniqueid")
	if id == "" || s.channels[id] != nil {
		return
	}
	s.said(s.addChannel(id, e.now), "", one[0].in(e.Headers))
	if call := s.parked[id]; call != nil {
		call.early = nil
	}
}

func hangup(s *State, e event) {
	if c := e.channel; c != nil {
		s.removeChannel(c)
	}
}

// rename is sent by ast_channel_change_name with the Uniqueid and no block.
func rename(s *State, e event) {
	c := s.channels[e.value("Uniqueid")]
	if c == nil {
		return
	}
	old := c.Name
	if name := e.value("Newname"); name != "" && keep(&c.Name, name) {
		c.touched = s.events
		s.renamed(c, old)
	}
}

func newexten(_ *State, e event) {
	if c := e.channel; c != nil {
		keep(&c.Application, e.value("Application"))
		keep(&c.AppData, e.value("AppData"))
	}
}

func hold(_ *State, e event) {
	if c := e.channel; c != nil {
		c.Hold = true
		keep(&c.MusicClass, e.value("MusicClass"))
	}
}

func unhold(_ *State, e event) {
	if c := e.channel; c != nil {
		c.Hold, c.MusicClass = false, ""
	}
}

func varSet(s *State, e event) {
	i := variableIndex(e.value("Variable"))
	c := e.channel
	if i < 0 || c == nil {
		return
	}
	if keep(&c.variables[i], e.value("Value")) && i == bridgePeer && c.agent != "" {
		s.agentTalks(c, e.now)
	}
}

func dialBegin(s *State, e event) {
	c := e.channel
	if c == nil {
		return
	}
	s.dialEnded(c)
	keep(&c.DialString, e.value("DialString"))
	if by := s.of(e.Packet, ""); by != nil && by != c {
		c.DialedBy = by.Uniqueid
		by.dials = append(by.dials, c.Uniqueid)
	}
}

func dialEnd(s *State, e event) {
	if c := e.channel; c != nil {
		s.dialEnded(c)
	}
}

func (s *State) dialEnded(c *Channel) {
	if by := s.channels[c.DialedBy]; by != nil {
		by.dials = slices.DeleteFunc(by.dials, func(id string) bool { return id == c.Uniqueid })
	}
	c.DialString, c.DialedBy = "", ""
}
