package pbx

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// TestSnapshotIsWhatAsteriskAnswered loads recorded answers and gets the same bytes
// back, but for what moves.
func TestSnapshotIsWhatAsteriskAnswered(t *testing.T) {
	for _, tour := range []string{"16-tour.s2c", "22-tour.s2c"} {
		t.Run(tour, func(t *testing.T) {
			_, answers := recorded(t, tour)
			shown := 0
			for _, q := range Questions(all) {
				for _, answer := range answers[q.Action] {
					if whole(answer) != nil || len(answer) < 3 {
						continue
					}
					shown += requireSameItems(t, q, answer)
				}
			}
			require.Greater(t, shown, 50)
		})
	}
}

// requireSameItems returns how many items there were.
func requireSameItems(t *testing.T, q Question, answer []*codec.Packet) int {
	t.Helper()
	s := New()
	for _, p := range answer { // what hangs on channels is known where they are
		for _, prefix := range []string{"", parkee} {
			if id := value(p, prefix+"Uniqueid"); id != "" && q.Action != "CoreShowChannels" {
				c := s.addChannel(id, start)
				c.Name = value(p, prefix+"Channel")
				c.CallerIDNum, c.CallerIDName = value(p, "CallerIDNum"), value(p, "CallerIDName")
				c.ConnectedLineNum, c.ConnectedLineName = value(p, "ConnectedLineNum"), value(p, "ConnectedLineName")
			}
		}
	}
	require.NoError(t, s.Load(q, answer, start))
	items := answer[1 : len(answer)-1]
	got := []string{}
	for p := range s.Snapshot(AllObjects, answer[0].Get("ActionID"), start) {
		if p.Name() == "BridgeListItem" && q.Action != "BridgeList" || p.Name() == "CoreShowChannel" && q.Action != "CoreShowChannels" {
			continue
		}
		got = append(got, string(p.Raw))
	}
	want := []string{}
	for _, p := range items {
		want = append(want, expected(p, q.Action))
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got, q.Action)
	return len(items)
}

// expected is a list item as it was recorded, without what only its own list can
// know.
func expected(p *codec.Packet, action string) string {
	raw := string(p.Raw)
	switch action {
	case "PJSIPShowEndpoints": // its channels were not loaded
		raw = strings.ReplaceAll(raw, "ActiveChannels: 2", "ActiveChannels: 0")
	case "BridgeList": // nor its members
		raw = strings.ReplaceAll(raw, "BridgeNumChannels: 2", "BridgeNumChannels: 0")
	}
	return raw
}

// TestMissedEventsLookLikeAsterisks compares the headers of made up events with those
// of recorded ones.
func TestMissedEventsLookLikeAsterisks(t *testing.T) {
	seen := map[string]map[string]bool{}
	var states []*State
	for _, r := range traffic {
		packets, _ := recorded(t, r.events)
		places := map[int]bool{}
		for i := 1; i <= 15; i++ {
			places[i*len(packets)/16] = true
		}
		for _, s := range history(t, loaded(t, r.tour), packets, places) {
			if s.style.known {
				states = append(states, s)
			}
		}
		for _, p := range packets {
			if p.Kind() == codec.Event && p.Index("ActionID") < 0 && p.Index("Privilege") > 0 {
				if seen[p.Name()] == nil {
					seen[p.Name()] = map[string]bool{}
				}
				seen[p.Name()][shape(p.Headers)] = true
			}
		}
	}
	for _, s := range slices.Clone(states) { // what recordings have too seldom
		changed := s.Clone()
		for _, c := range changed.channels {
			c.CallerIDNum, c.ConnectedLineNum, c.AccountCode = "9", "9", "9"
			c.Hold, c.MusicClass = !c.Hold, "default"
		}
		states = append(states, changed)
	}
	made := map[string]int{}
	for i, a := range states {
		b := states[(i*7+len(states)/2)%len(states)]
		for _, p := range a.Missed(b, start) {
			last := len(p.Headers) - 1
			require.Equal(t, codec.Header{Name: "AmpdSynthetic", Value: "1"}, p.Headers[last])
			require.Equal(t, p.Headers, decode(t, p.Raw)[0].Headers)
			made[p.Name()]++
			if known := seen[p.Name()]; known != nil {
				require.True(t, known[shape(p.Headers[:last])], "%s", p.Raw)
			}
		}
	}
	for _, name := range []string{
		"Newchannel", "Newstate", "Newexten", "NewCallerid", "NewAccountCode", "NewConnectedLine", "Hangup", "VarSet",
		"Hold", "Unhold", "DialBegin", "DialEnd", "BridgeCreate", "BridgeEnter", "BridgeLeave", "BridgeDestroy",
		"QueueCallerJoin", "QueueCallerLeave", "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberStatus", "QueueMemberPause",
		"AgentLogin", "AgentLogoff", "ParkedCall", "ParkedCallGiveUp", "DeviceStateChange",
	} {
		require.Positive(t, made[name], name)
		require.NotEmpty(t, seen[name], name)
	}
}

// shape is the names of headers, those that repeat once. Ringinuse, which no list
// tells, may not be known.
func shape(headers []codec.Header) string {
	var names []string
	for _, h := range headers {
		if h.Name != "Ringinuse" && (len(names) == 0 || names[len(names)-1] != h.Name) {
			names = append(names, h.Name)
		}
	}
	return strings.Join(names, " ")
}

// TestAnEventsStyleIsThatOfTheUpstream shows where Timestamp and SystemName stand.
func TestAnEventsStyleIsThatOfTheUpstream(t *testing.T) {
	now := time.Unix(1795256600, 1234000)
	newchannel := func(style ...string) *codec.Packet {
		lines := append([]string{"Event: Newchannel", "Privilege: call,all"}, style...)
		return packet(t, append(lines, "Channel: SIP/a-1", "Uniqueid: 1.1", "Linkedid: 1.1")...)
	}
	for name, tc := range map[string]struct{ style, want []string }{
		"plain":       {nil, nil},
		"system name": {[]string{"SystemName: rig"}, []string{"SystemName: rig"}},
		"both":        {[]string{"Timestamp: 1.2", "SystemName: rig"}, []string{"Timestamp: 1795256600.001234", "SystemName: rig"}},
		"timestamps":  {[]string{"Timestamp: 1.2"}, []string{"Timestamp: 1795256600.001234"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			s.Apply(newchannel(tc.style...), now)
			missed := s.Missed(New(), now)
			require.Len(t, missed, 1)
			want := append([]string{"Event: Hangup", "Privilege: call,all"}, tc.want...)
			require.True(t, strings.HasPrefix(string(missed[0].Raw), strings.Join(want, "\r\n")+"\r\nChannel: SIP/a-1\r\n"), "%s", missed[0].Raw)
		})
	}
}
