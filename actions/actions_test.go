package actions_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/codec"
)

func TestLookup(t *testing.T) {
	tests := map[string]actions.Action{
		"hangup": {
			Name: "Hangup", In16: true, In22: true,
			Classes16: codec.System | codec.Call, Classes22: codec.System | codec.Call,
			ListEnd: "ChannelsHungupListComplete", MaybeList: true, Slow: true,
			Dangerous: "a /regex/ hangs up every call",
		},
		"MONITOR": {
			Name: "Monitor", In16: true, Classes16: codec.Call,
			Dangerous: "channel variable MONITOR_EXEC is run by a shell at the end of a Mix recording (seen on 16 with write=call); File may be any path",
		},
		"QueueStatus": {Name: "QueueStatus", In16: true, In22: true, ReadOnly: true, ListEnd: "QueueStatusComplete", Slow: true},
		"Ping":        {Name: "Ping", In16: true, In22: true, ReadOnly: true, SessionBound: true},
		"FAXStats":    {Name: "FAXStats", In16: true, In22: true, Classes16: codec.Reporting, Classes22: codec.Reporting, ReadOnly: true, OneEvent: "FAXStats"},
		"IAXnetstats": {Name: "IAXnetstats", In16: true, In22: true, Classes16: codec.System | codec.Reporting, Classes22: codec.System | codec.Reporting, ReadOnly: true, NoActionID: true},
		"queues":      {Name: "Queues", ReadOnly: true, NoActionID: true},
		"UserEvent": {
			Name: "UserEvent", In16: true, In22: true, Classes16: codec.User, Classes22: codec.User, Early: true,
			Dangerous: "any header, also Event, EventList, Response, Privilege, Channel, Uniqueid, comes after the real ones in the event",
		},
		"FAXSessions":  {Name: "FAXSessions", In16: true, In22: true, Classes16: codec.Call, Classes22: codec.Call, ReadOnly: true, ListEnd: "FAXSessionsComplete"},
		"ListCommands": {Name: "ListCommands", In16: true, In22: true, ReadOnly: true, SessionBound: true},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := actions.Lookup(name)
			require.True(t, ok)
			require.Equal(t, want, got)
		})
	}
	for _, name := range []string{"", "NoSuchAction", "Hangup ", "Hangup\x00"} {
		_, ok := actions.Lookup(name)
		require.False(t, ok, "%q", name)
	}
}

func TestClassesPrefers22(t *testing.T) {
	a := actions.Action{In16: true, In22: true, Classes16: codec.Call, Classes22: codec.System}
	require.Equal(t, codec.System, a.Classes())
	a.In22 = false
	require.Equal(t, codec.Call, a.Classes())
}
