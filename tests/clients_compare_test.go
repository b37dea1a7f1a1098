package tests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

func requireLoggedIn(t *testing.T, logins map[string]map[string]clientAnswer) {
	t.Helper()
	for name, answers := range logins {
		for road, answer := range answers {
			require.Equal(t, clientAnswer{Login: true}, answer, "%s %s", name, road)
		}
	}
}

// requireSame holds that each client got the same answer on each road, and that the
// answer is what Asterisk says: a header of the response, so many events.
func requireSame(t *testing.T, answers map[string]map[string]clientAnswer, header, value string, events int) {
	t.Helper()
	for name, roads := range answers {
		direct := normalAnswer(roads["direct"])
		require.Empty(t, direct.Error, name)
		// ruby-ami writes its actions in lower case.
		require.Equal(t, strings.ToLower(value), strings.ToLower(fmt.Sprint(direct.Response[header])), name)
		require.Len(t, direct.Events, events, name)
		require.Equal(t, direct, normalAnswer(roads["ampd"]), name)
	}
}

// What differs from one action to the next on the same Asterisk.
var (
	channelNumber = regexp.MustCompile(`-[0-9a-f]{8}(;[12])?$`)
	namedChannel  = regexp.MustCompile(`\(.*\)$`) // of ChanVariable(Local/...)
	volatile      = []string{"actionid", "uniqueid", "duration"}
)

// normalAnswer has lower case names, and nothing that differs from one action to the next.
func normalAnswer(a clientAnswer) clientAnswer {
	a.Response = normalHeaders(a.Response)
	for i := range a.Events {
		a.Events[i] = normalHeaders(a.Events[i])
	}
	return a
}

func normalHeaders(packet map[string]any) map[string]any {
	headers := map[string]any{}
	for name, value := range packet {
		name = namedChannel.ReplaceAllString(strings.ToLower(name), "")
		if slices.Contains(volatile, name) {
			continue
		}
		if text, ok := value.(string); ok && name == "channel" {
			value = channelNumber.ReplaceAllString(text, "")
		}
		headers[name] = value
	}
	return headers
}

// eventLog is what a session has received, read by a goroutine that ends with the
// connection.
type eventLog struct{ packets chan asterisk.Packet }

// until returns the packets up to the first that is as asked, that one included.
func (l *eventLog) until(t *testing.T, is func(asterisk.Packet) bool) []asterisk.Packet {
	t.Helper()
	timeout := time.After(2 * time.Minute)
	var packets []asterisk.Packet
	for {
		select {
		case packet, open := <-l.packets:
			require.True(t, open, "the connection ended")
			packets = append(packets, packet)
			if is(packet) {
				return packets
			}
		case <-timeout:
			require.FailNow(t, "no such event")
		}
	}
}

// controlSession is a direct session that sees everything.
func controlSession(t *testing.T, s *asterisk.Server) (*asterisk.Conn, *eventLog) {
	t.Helper()
	conn, err := asterisk.Dial(s.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.Login(asterisk.Ampd))
	log := &eventLog{make(chan asterisk.Packet, 100_000)}
	go func() {
		defer close(log.packets)
		for {
			packet, err := conn.Read()
			if err != nil {
				return
			}
			log.packets <- packet
		}
	}()
	return conn, log
}

// between returns the events that the control session sees while run runs, between
// two UserEvents of the name and "-from" and "-to".
func between(t *testing.T, control *asterisk.Conn, log *eventLog, name string, run func()) []string {
	t.Helper()
	marker := func(name string) func(asterisk.Packet) bool {
		return func(p asterisk.Packet) bool { return p.Get("Event") == "UserEvent" && p.Get("UserEvent") == name }
	}
	require.NoError(t, control.Send("Action: UserEvent", "UserEvent: "+name+"-from"))
	run()
	require.NoError(t, control.Send("Action: UserEvent", "UserEvent: "+name+"-to"))
	log.until(t, marker(name+"-from"))
	var digests []string
	for _, packet := range log.until(t, marker(name+"-to")) {
		if packet.Get("Event") != "" {
			digests = append(digests, digest(packet.Get))
		}
	}
	return digests[:len(digests)-1] // without the marker
}

// requireEvents holds that each client saw just these events, in this order.
func requireEvents(t *testing.T, c *crowd, name string, want []string) {
	t.Helper()
	for client, roads := range c.do(t, clientStep{Do: "events", From: name + "-from", To: name + "-to"}) {
		for road, answer := range roads {
			require.Empty(t, answer.Error, "%s %s", client, road)
			var got []string
			for _, event := range answer.Events {
				headers := map[string]string{}
				for header, value := range event {
					headers[strings.ToLower(header)] = fmt.Sprint(value)
				}
				got = append(got, digest(func(header string) string { return headers[strings.ToLower(header)] }))
			}
			requireSameOrder(t, want, got, client+" "+road)
		}
	}
}

// requireSameOrder says where two runs of events part, which are too long to print.
func requireSameOrder(t *testing.T, want, got []string, name string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		from := max(0, i-3)
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			require.Equal(t, want[min(from, len(want)):min(i+3, len(want))], got[min(from, len(got)):min(i+3, len(got))],
				"%s: from event %d of %d, got %d", name, from, len(want), len(got))
		}
	}
}

// digested are the headers by which events are compared: those that no library
// takes apart.
var digested = []string{
	"Event", "Privilege", "Uniqueid", "Linkedid", "Channel", "ChannelStateDesc", "DestUniqueid", "BridgeUniqueid", "Exten",
	"Application", "Queue", "Interface", "Position", "Cause", "UserEvent", "Device",
}

func digest(get func(header string) string) string {
	var values []string
	for _, header := range digested {
		values = append(values, strings.TrimSpace(get(header)))
	}
	return strings.Join(values, "|")
}
