package pbx

import (
	"slices"
	"strings"
)

// Counts are numbers for gauges. The words are few, whatever Asterisk says: what is
// none of them is "other".
type Counts struct {
	Channels int
	Calls    int // groups of channels that Asterisk has linked: different Linkedids
	Bridges  int
	Callers  int // in queues
	Parked   int
	Paused   int            // members of queues
	Agents   map[string]int // "logged off", "idle", "on call"
	Peers    map[PeerStatus]int
}

// A PeerStatus is how peers of a technology ("SIP", "IAX2", "PJSIP") are: "ok",
// "lagged", "unreachable", "unmonitored", "unknown"; of PJSIP the state of the endpoint.
type PeerStatus struct{ Technology, Status string }

// peerStates are the words that peers have beside those: peer_status in
// channels/chan_sip.c, and chan_iax2's.
var peerStates = []string{"ok", "lagged", "unreachable", "unmonitored"}

var agentStates = map[string]string{AgentLoggedOff: "logged off", AgentIdle: "idle", AgentOnCall: "on call"}

const otherState = "other"

// Counts counts what is there.
func (s *State) Counts() Counts {
	n := Counts{
		Channels: len(s.channels),
		Bridges:  len(s.bridges),
		Parked:   len(s.parked),
		Agents:   map[string]int{},
		Peers:    map[PeerStatus]int{},
	}
	calls := map[string]struct{}{}
	for _, c := range s.channels {
		calls[c.Linkedid] = struct{}{}
	}
	n.Calls = len(calls)
	for _, q := range s.queues {
		n.Callers += len(q.Callers)
		for _, m := range q.Members {
			if m.Paused == "1" {
				n.Paused++
			}
		}
	}
	for _, a := range s.agents {
		status, _ := s.AgentStatus(a)
		n.Agents[agentStates[status]]++
	}
	for _, p := range s.peers {
		word, _, _ := strings.Cut(strings.ToLower(p.Status()), " (") // "OK (12 ms)"
		n.Peers[PeerStatus{p.Technology, peerState(word)}]++
	}
	return n
}

func peerState(word string) string {
	if slices.Contains(peerStates, word) {
		return word
	}
	for _, d := range deviceStates {
		if strings.EqualFold(d.list, word) {
			return word
		}
	}
	return otherState
}
