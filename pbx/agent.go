package pbx

import (
	"strconv"
	"strings"
	"time"
)

// An Agent is an agent of app_agent_pool's. It talks to whom the BRIDGEPEER of its
// channel names: action_agents reads that variable, too.
type Agent struct {
	ID           string
	Name         string
	Channel      string // the Uniqueid of the channel that it has logged in on, or ""
	LoggedInTime string // Unix time, "" while it has not
	CallStarted  string // Unix time, "" while it talks to nobody

	touched uint64
}

// The states of an agent, as action_agents calls them.
const (
	AgentLoggedOff = "AGENT_LOGGEDOFF"
	AgentIdle      = "AGENT_IDLE"
	AgentOnCall    = "AGENT_ONCALL"
)

var agentRows = []row[Agent]{
	{"Agent", "Agent", func(a *Agent) *string { return &a.ID }, false},
	{"", "Name", func(a *Agent) *string { return &a.Name }, false},
	{"", "LoggedInTime", func(a *Agent) *string { return &a.LoggedInTime }, true},
	{"", "CallStarted", func(a *Agent) *string { return &a.CallStarted }, true},
}

var agentList = listColumns(agentRows)

// AgentStatus is one of the agent's states, and whom it talks to.
func (s *State) AgentStatus(a *Agent) (status, talkingTo string) {
	c := s.channels[a.Channel]
	switch {
	case c == nil:
		return AgentLoggedOff, ""
	case c.variables[bridgePeer] != "":
		return AgentOnCall, c.variables[bridgePeer]
	}
	return AgentIdle, ""
}

// agent is the agent of that id, made known where it was not.
func (s *State) agent(id string) *Agent {
	a := s.agents[id]
	if a == nil {
		a = &Agent{ID: strings.Clone(id)}
		s.agents[a.ID] = a
	}
	a.touched = s.events
	return a
}

func agentLogin(s *State, e event) {
	id := e.value("Agent")
	c := e.channel
	if id == "" || c == nil {
		return
	}
	if a := s.agent(id); a.Channel != c.Uniqueid {
		s.logIn(a, c)
		a.LoggedInTime = unix(e.now)
	}
}

// logIn puts the agent on a channel, which is that of no other.
func (s *State) logIn(a *Agent, c *Channel) {
	s.logOff(a)
	if other := s.agents[c.agent]; other != nil && other != a {
		s.logOff(other)
	}
	a.Channel, c.agent = c.Uniqueid, a.ID
	s.memberships++
}

func agentLogoff(s *State, e event) {
	a := s.agents[e.value("Agent")]
	if a == nil {
		return
	}
	a.touched = s.events
	if a.Channel == e.value("Uniqueid") {
		s.logOff(a)
	}
}

func (s *State) logOff(a *Agent) {
	if c := s.channels[a.Channel]; c != nil && c.agent == a.ID {
		c.agent = ""
	}
	a.touched = s.events
	if a.Channel != "" {
		s.memberships++
	}
	a.Channel, a.LoggedInTime, a.CallStarted = "", "", ""
}

// agentTalks takes over that the agent on c talks, or talks no more.
func (s *State) agentTalks(c *Channel, now time.Time) {
	a := s.agents[c.agent]
	if a == nil {
		return
	}
	a.touched = s.events
	a.CallStarted = ""
	if c.variables[bridgePeer] != "" {
		a.CallStarted = unix(now)
	}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
