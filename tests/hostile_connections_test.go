package tests

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

var dawdlers = []hostility{
	{
		name:    "half a packet and silence",
		promise: "without a login it is closed by auth_timeout; with one it is as good a client as any",
		config:  daemon.Config{Sessions: `auth_timeout = "2s"`},
		attack: func(t *testing.T, s *siege) {
			intruder := s.intruder(t, "Events: user")
			_, err := io.WriteString(intruder, "Action: Pi")
			require.NoError(t, err)
			var strangers []*wire
			for range 40 {
				w := s.stranger(t)
				_, _ = io.WriteString(w, "Action: Log") // it may have been closed already
				strangers = append(strangers, w)
			}
			for _, w := range strangers {
				got, err := w.rest()
				require.NoError(t, err)
				require.Empty(t, got)
			}
			s.awaitMetricOf(t, gone("auth_timeout"), len(strangers))
			s.good.carryOn(t, 1)

			_, err = io.WriteString(intruder, "ng\r\nActionID: next\r\n\r\n")
			require.NoError(t, err)
			packet, err := intruder.read()
			require.NoError(t, err)
			for next := number(t, packet); isEvent(packet); next++ {
				require.Equal(t, next, number(t, packet))
				packet, err = intruder.read()
				require.NoError(t, err)
			}
			require.Contains(t, packet, "ActionID: next\r\nPing: Pong\r\n")
		},
	},
	{
		name:    "a byte at a time",
		promise: "a login and actions in single bytes are served; without a login it does not last longer than auth_timeout",
		config:  daemon.Config{Sessions: `auth_timeout = "3s"`},
		attack: func(t *testing.T, s *siege) {
			var group sync.WaitGroup
			defer group.Wait()
			for i := range 20 {
				w := s.stranger(t)
				group.Go(func() { // until ampd closes it
					tick := time.NewTicker(eventPace)
					defer tick.Stop()
					text := "Action: Login\r\nUsername: ampd\r\nX: " + strings.Repeat("y", i)
					for i := 0; ; i++ {
						if _, err := w.Write([]byte{text[i%len(text)]}); err != nil {
							return
						}
						<-tick.C
					}
				})
			}
			w := s.intruder(t, "Events: off")
			const actions = 20
			var text strings.Builder
			for i := range actions {
				fmt.Fprintf(&text, "Action: %s\r\nVariable: X\r\nActionID: %d\r\n\r\n", []string{"Ping", "Getvar"}[i%2], i)
			}
			for i := range text.Len() {
				_, err := w.Write([]byte{text.String()[i]})
				require.NoError(t, err)
			}
			for i := range actions {
				packet, err := w.read()
				require.NoError(t, err)
				require.True(t, strings.HasPrefix(packet, "Response: Success\r\nActionID: "+strconv.Itoa(i)+"\r\n"), packet)
			}
			s.good.carryOn(t, 1)
			s.awaitMetricOf(t, gone("auth_timeout"), 20)
		},
	},
}

// number is that of a numbered event, -1 of another packet.
func number(t *testing.T, packet string) int {
	t.Helper()
	if !isEvent(packet) {
		return -1
	}
	n, err := strconv.Atoi(header(packet, "Number"))
	require.NoError(t, err, packet)
	return n
}

// moments are those in which a connection is reset. Each brings a stranger there.
var moments = []struct {
	name  string
	bring func(w *wire) error
}{
	{"greeted", func(*wire) error { return nil }},
	{"in the middle of its login", func(w *wire) error { return w.text("Action: Login\r\nUser") }},
	{"refused", func(w *wire) error { return w.send("Action: Login", "Username: ampd", "Secret: a guess") }},
	{"logged in", func(w *wire) error { return w.logIn(intruding) }},
	{"in the middle of an action", func(w *wire) error {
		return errors.Join(w.logIn(intruding), w.text("Action: Setvar\r\nVari"))
	}},
	{"with actions in flight", func(w *wire) error {
		return errors.Join(w.logIn(intruding), w.text(strings.Repeat("Action: Getvar\r\nVariable: X\r\n\r\nAction: QueueStatus\r\n\r\n", 20)))
	}},
	{"in the middle of a list", func(w *wire) error {
		if err := w.logIn(intruding); err != nil {
			return err
		}
		_, _, err := w.ask("Action: QueueStatus")
		return err
	}},
	{"in a WaitEvent", func(w *wire) error {
		return errors.Join(w.logIn(intruding), w.send("Action: WaitEvent"))
	}},
	{"while an originate rings", func(w *wire) error {
		return errors.Join(w.logIn(asterisk.Ampd), w.send("Action: Originate", "Channel: Local/noanswer@callers/n",
			"Context: misc", "Exten: wait", "Priority: 1", "Timeout: 1000"))
	}},
}

func (w *wire) text(text string) error {
	_, err := io.WriteString(w, text)
	return err
}

var leavers = []hostility{
	{
		name:    "RST in the middle",
		promise: "wherever it happens, nobody else notices and nothing is left",
		attack: func(t *testing.T, s *siege) {
			for range 5 {
				for _, m := range moments {
					w := s.stranger(t)
					require.NoError(t, m.bring(w), m.name)
					require.NoError(t, w.Conn.(*net.TCPConn).SetLinger(0))
					require.NoError(t, w.Close())
				}
				s.good.carryOn(t, 1)
			}
		},
	},
	{
		name:    "half-close",
		promise: "all that was asked before is answered, in order; then ampd closes, whether the client reads or not",
		attack: func(t *testing.T, s *siege) {
			before := metric(t, s.Daemon, "ampd_downstream_connections")
			actions := []lines{{"Action: Ping"}, {"Action: Getvar", "Variable: X"}, {"Action: QueueSummary"}, {"Action: NoSuch"}, {"Action: CoreStatus"}}
			var text, want strings.Builder
			for i := range 10 * len(actions) {
				text.WriteString(strings.Join(append(actions[i%len(actions)], fmt.Sprintf("ActionID: %d", i)), "\r\n") + "\r\n\r\n")
				fmt.Fprintf(&want, "%d ", i)
			}
			var readers []*wire
			for i := range 20 {
				w := s.intruder(t, "Events: off")
				require.NoError(t, w.text(text.String()+"Action: Half"))
				require.NoError(t, w.Conn.(*net.TCPConn).CloseWrite())
				if i%2 == 0 {
					readers = append(readers, w)
				}
			}
			for range 5 { // strangers
				w := s.stranger(t)
				require.NoError(t, w.Conn.(*net.TCPConn).CloseWrite())
				readers = append(readers, w)
			}
			for i, w := range readers {
				got, err := w.rest()
				require.NoError(t, err)
				var ids strings.Builder
				for _, packet := range got {
					if !isEvent(packet) {
						ids.WriteString(header(packet, "ActionID") + " ")
					}
				}
				if i < 10 {
					require.Equal(t, want.String(), ids.String())
				} else {
					require.Empty(t, got)
				}
			}
			s.good.carryOn(t, 1)
			s.awaitMetricOf(t, "ampd_downstream_connections", before)
		},
	},
}
