package pbx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

func TestCallerIDs(t *testing.T) {
	s := New()
	for _, p := range []*Peer{{Technology: techSIP, Name: "301"}, {Technology: techPJSIP, Name: "101"}, {Technology: techIAX, Name: "201"}, {Technology: techPJSIP, Name: "gone"}} {
		s.peers[peerKey(p.Technology, p.Name)] = p
	}
	answers := map[string][]*codec.Packet{
		"SIPshowpeer Peer: 301": {packet(t, "Response: Success", "Channeltype: SIP", `Callerid: "Sip 301" <301>`)},
		"PJSIPShowEndpoint Endpoint: 101": {
			packet(t, "Response: Success", "EventList: start"),
			packet(t, "Event: EndpointDetail", "ObjectName: 101", `Callerid: "Phone 101" <101>`),
			packet(t, "Event: EndpointDetailComplete", "EventList: Complete"),
		},
		"PJSIPShowEndpoint Endpoint: gone": {packet(t, "Response: Error", "Message: Unable to retrieve endpoint gone")},
	}
	anything := func(string) bool { return true }
	asked := func() int {
		for n := 0; ; n++ {
			q, peer := s.AskCallerID(anything)
			if peer == "" {
				return n
			}
			answer := answers[q.Action+" "+q.Headers[0].Name+": "+q.Headers[0].Value]
			require.NotNil(t, answer, "%v", q)
			s.LoadCallerID(peer, answer)
		}
	}
	require.Equal(t, 3, asked())
	require.Equal(t, `"Sip 301" <301>`, s.Peer("SIP/301").CallerID)
	require.Equal(t, `"Phone 101" <101>`, s.Peer("PJSIP/101").CallerID)
	require.Empty(t, s.Peer("PJSIP/gone").CallerID)
	require.Zero(t, asked())
	s.ForgetCallerIDs()
	require.Equal(t, `"Phone 101" <101>`, s.Peer("PJSIP/101").CallerID)
	require.Equal(t, 3, asked())
	_, peer := New().AskCallerID(anything)
	require.Empty(t, peer)
	s.ForgetCallerIDs()
	_, peer = s.AskCallerID(func(action string) bool { return action == "SIPshowpeer" })
	require.Equal(t, "sip/301", peer)
	s.LoadCallerID("sip/nobody", nil)
}
