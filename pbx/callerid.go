package pbx

import (
	"slices"

	"ampd/codec"
)

// callerIDActions are what tells a peer's caller ID, by technology, and the header that
// names the peer: manager_sip_show_peer in channels/chan_sip.c, ami_show_endpoint in
// res/res_pjsip/pjsip_configuration.c. IAX2 has none.
var callerIDActions = map[string]codec.Header{
	techSIP:   {Name: "Peer", Value: "SIPshowpeer"},
	techPJSIP: {Name: "Endpoint", Value: "PJSIPShowEndpoint"},
}

// AskCallerID returns the question for the caller ID of a peer of which it was not read
// yet, and that peer's name ("PJSIP/101"); "" where all were.
func (s *State) AskCallerID(available func(action string) bool) (q Question, peer string) {
	for k, p := range s.peers {
		if ask, ok := callerIDActions[p.Technology]; ok && !p.read && available(ask.Value) {
			return Question{Action: ask.Value, Headers: []codec.Header{{Name: ask.Name, Value: p.Name}}}, k
		}
	}
	return Question{}, ""
}

// LoadCallerID takes the answer, whatever it is: the peer is not asked again until
// ForgetCallerIDs.
func (s *State) LoadCallerID(peer string, answer []*codec.Packet) {
	p := s.peers[peer]
	if p == nil {
		return
	}
	p.read = true
	i := slices.IndexFunc(answer, func(a *codec.Packet) bool { return a.Name() == "EndpointDetail" || p.Technology == techSIP })
	if i >= 0 {
		keep(&p.CallerID, value(answer[i], "Callerid"))
	}
}

// ForgetCallerIDs has all be read once more, for they may have changed. Until then they
// stay.
func (s *State) ForgetCallerIDs() {
	for _, p := range s.peers {
		p.read = false
	}
}
