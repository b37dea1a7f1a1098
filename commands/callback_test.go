package commands

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/rights"
)

func TestIsComplete(t *testing.T) {
	const start = "Response: Success\r\nEventList: start\r\nMessage: Queue status will follow\r\n\r\n"
	for name, tc := range map[string]struct {
		wire, text string
		complete   bool
	}{
		"whole":              {wire: start + "Event: QueueStatusComplete\r\nEventList: Complete\r\n\r\n", complete: true},
		"an error":           {wire: "Response: Error\r\nMessage: Upstream not connected\r\n\r\n", text: "Upstream not connected"},
		"a timeout":          {wire: start + "Event: QueueStatusComplete\r\nEventList: Cancelled\r\nMessage: Timeout waiting for Asterisk\r\n\r\n", text: "Timeout waiting for Asterisk"},
		"a connection's end": {wire: start + "Event: QueueStatusComplete\r\nEventList: Cancelled\r\n\r\n", text: "the list was cut off"},
		"nothing":            {text: "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			var list []*codec.Packet
			for p := range native.Packets([]byte(tc.wire)) {
				list = append(list, p.Clone())
			}
			text, complete := isComplete(list)
			require.Equal(t, tc.complete, complete)
			require.Equal(t, tc.text, text)
		})
	}
}

// An agent none of whose queues is inside the session's scopes is none.
func TestAgentOutsideIsNone(t *testing.T) {
	j := newJudge(t)
	s, err := rights.New(rights.Grant{Type: rights.Administrator, Read: codec.All, Write: codec.All, Queues: []string{"other"}}, j.env.State)
	require.NoError(t, err)
	for _, text := range []string{"Action: AgentLogoff|Agent: 1001", "Action: AgentCallbackLogin|Agent: 1001|Exten: 7|Context: desk"} {
		request := Prepare(j.env, true, packetOf(text))
		verdict := s.Judge(j.table, request.Action)
		require.True(t, verdict.Allowed, verdict.Rule)
		next, packets := request.Begin(&State{Rights: s}, j.env, verdict.Packet).Script.Start().Resume(nil)
		require.Nil(t, next)
		require.Contains(t, string(packets), "Message: No such agent\r\n")
	}
}
