package pbx

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

const pause = "Event: QueueMemberPause"

func member(t testing.TB, event, iface, paused string) *codec.Packet {
	t.Helper()
	return packet(t, event, "Privilege: agent,all", "Queue: sales", "MemberName: Ann", "Interface: "+iface, "StateInterface: "+iface,
		"Membership: dynamic", "Penalty: 0", "CallsTaken: 0", "LastCall: 0", "Status: 1", "Paused: "+paused, "PausedReason: ")
}

// queueStatus is the answer to QueueStatus of an Asterisk of which events say this.
func queueStatus(t testing.TB, said ...*codec.Packet) []*codec.Packet {
	t.Helper()
	s := New()
	for _, p := range said {
		s.Apply(p, start)
	}
	return snapshot(t, s, start)
}

func names(events []*codec.Packet) []string {
	all := []string{}
	for _, p := range events {
		all = append(all, p.Name()+" "+p.Get("Interface")+p.Get("Uniqueid"))
	}
	return all
}

func TestRecheck(t *testing.T) {
	const added, removed = "Event: QueueMemberAdded", "Event: QueueMemberRemoved"
	ann, annPaused := member(t, added, "SIP/ann", "0"), member(t, added, "SIP/ann", "1")
	bob := member(t, added, "SIP/bob", "0")
	tests := map[string]struct {
		first, second []*codec.Packet // what the answers say
		between       []*codec.Packet // events that came since
		want          []string
	}{
		"all is right":              {first: list(ann), second: list(ann), want: []string{}},
		"paused in silence":         {first: list(annPaused), second: list(annPaused), want: []string{"QueueMemberPause SIP/ann"}},
		"gone in silence":           {first: list(), second: list(), want: []string{"QueueMemberRemoved SIP/ann"}},
		"added in silence":          {first: list(ann, bob), second: list(ann, bob), want: []string{"QueueMemberAdded SIP/bob"}},
		"the lists disagree":        {first: list(annPaused), second: list(ann), want: []string{}},
		"only the second has it":    {first: list(ann), second: list(ann, bob), want: []string{}},
		"an event said it":          {first: list(annPaused), second: list(annPaused), between: list(member(t, pause, "SIP/ann", "0")), want: []string{}},
		"an event took it away":     {first: list(ann), second: list(ann), between: list(member(t, removed, "SIP/ann", "0")), want: []string{}},
		"an event about another":    {first: list(annPaused), second: list(annPaused), between: list(bob), want: []string{"QueueMemberPause SIP/ann"}},
		"an event made it meantime": {first: list(ann), second: list(ann), between: list(bob), want: []string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := New()
			s.Apply(ann, start)
			r := s.Recheck(question(t, "QueueStatus"))
			missed, err := r.Answer(queueStatus(t, tc.first...), start)
			require.NoError(t, err)
			require.Empty(t, missed)
			for _, p := range tc.between {
				s.Apply(p, start)
			}
			plain := s.Clone()
			missed, err = r.Answer(queueStatus(t, tc.second...), start)
			require.NoError(t, err)
			require.Equal(t, tc.want, names(missed))
			for _, p := range missed {
				plain.Apply(p, start)
			}
			require.Empty(t, toldBy(plain.Differences(s), byEvents))
		})
	}
}

func list(p ...*codec.Packet) []*codec.Packet { return p }

// TestRecheckOfTrafficFindsNothing shows that lists which are a little behind or ahead
// of the events change nothing that is right.
func TestRecheckOfTrafficFindsNothing(t *testing.T) {
	for _, r := range traffic[:2] {
		packets, _ := recorded(t, r.events)
		s := loaded(t, r.tour)
		for at := 200; at+200 < len(packets); at += 400 {
			for i := at - 200; i < at; i++ {
				s.Apply(packets[i], clockAt(i))
			}
			early := snapshot(t, s, clockAt(at))
			check := s.Recheck(SnapshotOf(AllObjects))
			for i := at; i < at+200; i++ {
				s.Apply(packets[i], clockAt(i))
			}
			late := snapshot(t, s, clockAt(at+200))
			_, err := check.Answer(early, clockAt(at+200))
			require.NoError(t, err)
			before := s.Clone()
			missed, err := check.Answer(late, clockAt(at+200))
			require.NoError(t, err)
			require.Empty(t, names(missed))
			require.Empty(t, s.Differences(before))
			requireSound(t, s)
		}
	}
}

func TestRecheckEndsWithTheNext(t *testing.T) {
	s := New()
	r := s.Recheck(question(t, "QueueStatus"))
	s.Recheck(question(t, "Agents"))
	_, err := r.Answer(queueStatus(t), start)
	require.ErrorContains(t, err, "recheck of QueueStatus")
}

func TestAnswersThatAreNotWholeChangeNothing(t *testing.T) {
	ann := member(t, "Event: QueueMemberAdded", "SIP/ann", "0")
	q := question(t, "QueueStatus")
	for name, tc := range map[string]struct {
		answer []*codec.Packet
		err    string
	}{
		"none":      {nil, "no answer"},
		"error":     {list(packet(t, "Response: Error", "Message: Permission denied")), "Permission denied"},
		"cancelled": {list(packet(t, "Response: Success", "EventList: start"), packet(t, "Event: QueueStatusComplete", "EventList: Cancelled")), "not ended"},
		"cut":       {slices.Delete(queueStatus(t, ann), 1, 4)[:1], "not ended"},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			s.Apply(ann, start)
			require.ErrorContains(t, s.Load(q, tc.answer, start), tc.err)
			_, err := s.Recheck(q).Answer(tc.answer, start)
			require.ErrorContains(t, err, tc.err)
			require.Len(t, s.Queue("sales").Members, 1)
		})
	}
	s := New()
	s.Apply(ann, start)
	require.NoError(t, s.Load(q, list(packet(t, "Response: Error", "Message: No queues found")), start))
	require.Nil(t, s.Queue("sales"), "an empty list is one")
}

func TestQuestionsAreThoseThatCanBeAsked(t *testing.T) {
	var asked []string
	for _, q := range Questions(func(action string) bool { return action != "CoreShowChannels" && action != "SIPpeers" }) {
		asked = append(asked, q.Action)
	}
	require.Equal(t, []string{"Status", "BridgeList", "QueueStatus", "Agents", "IAXpeerlist", "PJSIPShowEndpoints", "PJSIPShowContacts", "ParkedCalls"}, asked)
}

func TestStatusTellsWhatCoreShowChannelsTells(t *testing.T) {
	for _, tour := range []string{"16-tour.s2c", "22-tour.s2c"} {
		_, answers := recorded(t, tour)
		last := func(action string) []*codec.Packet {
			for _, a := range answers[action] {
				if len(a) > 3 {
					return a
				}
			}
			return nil
		}
		a, b := New(), New()
		require.NoError(t, a.Load(question(t, "Status"), last("Status"), start))
		require.NoError(t, b.Load(question(t, "CoreShowChannels"), last("CoreShowChannels"), start))
		shared := 0
		for id, c := range a.channels {
			if d := b.channels[id]; d != nil {
				shared++
				require.Equal(t, d.Name, c.Name)
				require.Equal(t, d.Application, c.Application)
				require.Equal(t, d.AppData, c.AppData)
				require.Equal(t, d.Bridge, c.Bridge)
				require.WithinDuration(t, d.Since, c.Since, 10*time.Second)
			}
		}
		require.Positive(t, shared)
	}
}
