package asterisk_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

func login(t *testing.T, s *asterisk.Server, account asterisk.Account, headers ...string) *asterisk.Conn {
	t.Helper()
	conn, err := asterisk.Dial(s.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.Login(account, headers...))
	return conn
}

func TestActionsThatArrivedAreKnown(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, asterisk.LogActions())
		conn := login(t, s, asterisk.Limited, "Events: off")
		sent := []asterisk.Packet{
			{"Action: Getvar", "ActionID: allowed", "Variable: TALK_MIN"},
			{"Action: Command", "ActionID: refused", "Command: core show uptime"},
			{"Action: NoSuchAction", "ActionID: unknown", "Variable: a=1", "Variable: b=2"},
		}
		for _, action := range sent {
			require.NoError(t, conn.Send(action...))
			_, err := conn.Read()
			require.NoError(t, err)
		}
		require.Subset(t, s.Actions(), sent)
		require.False(t, slices.ContainsFunc(s.Actions(), func(p asterisk.Packet) bool { return p.Get("Action") == "Setvar" }))
	})
}

func TestActionsOfManySessionsAreLoggedWhole(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, asterisk.LogActions())
		const sessions, each = 8, 200
		want := map[string]bool{}
		var senders sync.WaitGroup
		for session := range sessions {
			conn := login(t, s, asterisk.Ampd, "Events: off")
			for i := range each {
				want[fmt.Sprintf("%d-%d", session, i)] = true
			}
			senders.Go(func() {
				for i := range each {
					id := fmt.Sprintf("%d-%d", session, i)
					if conn.Send("Action: Getvar", "ActionID: "+id, "Variable: V"+id) != nil {
						return
					}
					if _, err := conn.Read(); err != nil {
						return
					}
				}
			})
		}
		senders.Wait()
		for _, action := range s.Actions() {
			if id := action.Get("ActionID"); id != "" {
				require.Equal(t, "V"+id, action.Get("Variable"))
				delete(want, id)
			}
		}
		require.Empty(t, want)
	})
}
