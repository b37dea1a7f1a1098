package pbx

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// start is when the tests' time begins, a whole second.
var start = time.Unix(1795256600, 0)

func readCorpus(t testing.TB, name string) []byte {
	t.Helper()
	wire, err := os.ReadFile(filepath.Join("..", "tests", "corpus", name))
	require.NoError(t, err)
	return wire
}

// decode reads packets as Asterisk writes them.
func decode(t testing.TB, wire []byte) []*codec.Packet {
	t.Helper()
	d := native.NewDecoder(bytes.NewReader(wire), native.FromAsterisk)
	var all []*codec.Packet
	for {
		var p codec.Packet
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p.Clone())
	}
}

// recorded is the traffic of one corpus, and its answers by the action's name, in their order.
func recorded(t testing.TB, name string) (packets []*codec.Packet, answers map[string][][]*codec.Packet) {
	t.Helper()
	packets = decode(t, readCorpus(t, name))
	answers = map[string][][]*codec.Packet{}
	for i, p := range packets {
		id := p.Get("ActionID")
		if p.Kind() != codec.Response || id == "" {
			continue
		}
		action := id[strings.LastIndexByte(id, '-')+1:]
		end := i + 1
		if strings.EqualFold(p.Get("EventList"), "start") {
			for end < len(packets) && packets[end-1].Get("EventList") != "Complete" {
				end++
			}
		}
		answers[action] = append(answers[action], packets[i:end])
	}
	return packets, answers
}

// packet makes an event of lines: "Event: Newchannel", "Uniqueid: 1" ...
func packet(t testing.TB, lines ...string) *codec.Packet {
	t.Helper()
	all := decode(t, []byte(strings.Join(lines, "\r\n")+"\r\n\r\n"))
	require.Len(t, all, 1)
	return all[0]
}

// all tells that an Asterisk has every action.
func all(string) bool { return true }

func question(t testing.TB, action string) Question {
	t.Helper()
	for _, choice := range questions {
		for _, q := range choice {
			if q.Action == action {
				return q
			}
		}
	}
	t.Fatalf("no question %s", action)
	return Question{}
}

// answered makes a list of items into a whole answer.
func answered(t testing.TB, items []*codec.Packet) []*codec.Packet {
	t.Helper()
	answer := []*codec.Packet{packet(t, "Response: Success", "EventList: start")}
	answer = append(answer, items...)
	return append(answer, packet(t, "Event: AllComplete", "EventList: Complete"))
}

// snapshot is a whole answer with all that s knows.
func snapshot(t testing.TB, s *State, now time.Time) []*codec.Packet {
	t.Helper()
	var items []*codec.Packet
	for p := range s.Snapshot(AllObjects, "", now) {
		items = append(items, p)
	}
	return answered(t, items)
}

// toldBy are the differences in what who tells.
func toldBy(differences []Difference, who func(Field) bool) []Difference {
	fields := map[[2]string]Field{}
	for _, f := range Fields() {
		fields[[2]string{f.Object, f.Name}] = f
	}
	var left []Difference
	for _, d := range differences {
		if who(fields[[2]string{d.Object, d.Field}]) {
			left = append(left, d)
		}
	}
	return left
}

func byEvents(f Field) bool { return f.Event }

func byLists(f Field) bool { return f.List }

// requireSound holds what always holds inside a state.
func requireSound(t testing.TB, s *State) {
	t.Helper()
	for id, c := range s.channels {
		require.Equal(t, id, c.Uniqueid)
		if c.Bridge != "" {
			require.NotNil(t, s.bridges[c.Bridge])
			require.Contains(t, s.bridges[c.Bridge].Members, id)
		}
		if c.Queue != "" {
			require.NotNil(t, s.Queue(c.Queue))
			require.GreaterOrEqual(t, s.Queue(c.Queue).caller(id), 0)
		}
		if c.agent != "" {
			require.Equal(t, id, s.agents[c.agent].Channel)
		}
		if c.DialedBy != "" {
			require.Contains(t, s.channels[c.DialedBy].dials, id)
		}
	}
	for name, c := range s.names {
		require.Equal(t, name, fold(c.Name))
		require.Same(t, c, s.channels[c.Uniqueid])
	}
	for _, c := range s.folded {
		require.Same(t, c, s.channels[c.Uniqueid])
	}
	for _, b := range s.bridges {
		for _, id := range b.Members {
			require.Equal(t, b.Uniqueid, s.channels[id].Bridge)
		}
	}
	for key, q := range s.queues {
		require.Equal(t, key, fold(q.Name))
		for _, caller := range q.Callers {
			require.Equal(t, q.Name, s.channels[caller.Uniqueid].Queue)
		}
	}
	for _, a := range s.agents {
		if a.Channel != "" {
			require.Equal(t, a.ID, s.channels[a.Channel].agent)
		}
	}
	for id, call := range s.parked {
		require.Equal(t, id, s.parkee(call).Uniqueid)
		require.Equal(t, s.channels[id] == nil, call.early != nil)
	}
}
