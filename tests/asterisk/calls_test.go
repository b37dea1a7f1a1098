package asterisk_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

func TestCallsGoThroughTheQueues(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		events := login(t, s, asterisk.Ampd, "Events: agent")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		traffic, err := s.Calls(ctx, 20, 20)
		require.NoError(t, err)
		require.Equal(t, asterisk.Traffic{Answered: 20}, traffic)
		require.NoError(t, events.Send("Action: Logoff"))
		seen := map[string]int{}
		for {
			packet, err := events.Read()
			if err != nil {
				break
			}
			seen[packet.Get("Event")]++
		}
		require.Equal(t, 20, seen["QueueCallerJoin"])
		require.Equal(t, 20, seen["QueueCallerLeave"])
		require.Positive(t, seen["AgentConnect"])
	})
}

func TestCallsEndWithTheServer(t *testing.T) {
	s := asterisk.Start(t, asterisk.Versions()[0])
	ended := make(chan error, 1)
	go func() {
		_, err := s.Calls(t.Context(), 1000, 100)
		ended <- err
	}()
	conn := login(t, s, asterisk.Ampd, "Events: agent")
	for {
		packet, err := conn.Read()
		require.NoError(t, err)
		if packet.Get("Event") == "QueueCallerJoin" {
			break
		}
	}
	s.Kill()
	require.Error(t, <-ended)
}
