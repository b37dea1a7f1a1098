package upstream

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

func TestIsOurs(t *testing.T) {
	for id, want := range map[string]bool{
		newIDs(nil).next():   true,
		"ampd-0-1":           true,
		"ampd-00ff-18":       true, // another process's
		"ampd-00ff-":         false,
		"ampd--1":            false,
		"ampd-00ff-1 ":       false,
		"ampd-00FF-1":        false,
		"ampd-xyz-1":         false,
		"1":                  false,
		"":                   false,
		"AMPD-00ff-1":        false,
		"ampd-00ff-1-2":      false,
		"my/ampd-00ff-1":     false,
		"ampd-0-1\r\nX: y-1": false,
	} {
		require.Equal(t, want, isOurs(id), id)
	}
	one, other := newIDs(nil), newIDs(nil)
	require.NotEqual(t, one.next(), other.next(), "two processes")
	first := one.next()
	require.NotEqual(t, first, one.next())
}

func TestActionIDsAreForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newIDs(func() { t.Error("forgot one that fits") })
		now := time.Now()
		s.remember("a", "1", now.Add(3*time.Minute), false)
		s.remember("b", "2", now.Add(time.Minute), false)
		time.Sleep(2 * time.Minute)
		s.remember("c", "3", now.Add(time.Hour), true)
		require.Len(t, s.byID, 2)
		client, hidden := s.lookup("a")
		require.Equal(t, "1", client)
		require.False(t, hidden)
		_, hidden = s.lookup("c")
		require.True(t, hidden)
	})
}

func TestActionIDsTakeBoundedMemory(t *testing.T) {
	forgot := 0
	s := newIDs(func() { forgot++ })
	until := time.Now().Add(time.Hour)
	s.remember("first", "f", until.Add(time.Hour), false)
	most := 0
	for i := range 20_000 {
		s.remember(strconv.Itoa(i), strings.Repeat("x", 1000), until.Add(time.Duration(i)), false)
		most = max(most, s.size)
	}
	require.LessOrEqual(t, most, idMemory)
	require.Positive(t, forgot)
	require.Equal(t, 20_001-len(s.byID), forgot)
	client, _ := s.lookup("first")
	require.Equal(t, "f", client, "what expires first goes first")
	for id := range s.byID {
		s.forget(id)
	}
	require.Zero(t, s.size)
	require.Empty(t, s.expiry)
}

func TestActionIDsInEventsAreTheClients(t *testing.T) {
	fake := newFake()
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: UserEvent", "ActionID: mine", "UserEvent: x")
		b.submit("b", 1, "Action: UserEvent", "UserEvent: y")
		b.submit("c", 1, "Action: SIPqualifypeer", "ActionID: q", "Peer: z")
		b.submit("d", 1, "Action: Originate", "ActionID: o", "Async: true", "Channel: PJSIP/1", "Timeout: 3600000")
		b.submit("e", 1, "Action: SCCPAnswer", "ActionID: s")
		b.take()
		sent := map[string]string{}
		for _, k := range fake.actionConns() {
			for _, p := range k.actions {
				sent[p.Get("Action")+p.Get("UserEvent")] = p.Get("ActionID")
			}
		}
		require.Len(t, sent, 5)
		fake.cut() // they may come across a reconnect, too
		b.sleep(time.Second)
		b.start()
		k := fake.events(t)
		k.send("Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x\r\nActionID: " + sent["UserEventx"] + "\r\nActionID: ampd-0-1\r\n\r\n")
		k.send("Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: y\r\nActionID: " + sent["UserEventy"] + "\r\nKey: v\r\n\r\n")
		require.Equal(t, []string{
			"event Event: UserEvent|Privilege: user,all|UserEvent: x|ActionID: mine|ActionID: ampd-0-1",
			"event Event: UserEvent|Privilege: user,all|UserEvent: y|Key: v",
		}, b.take())
		b.sleep(9 * time.Minute)
		k.send("Event: SIPQualifyPeerDone\r\nPrivilege: call,all\r\nPeer: z\r\nActionID: " + sent["SIPqualifypeer"] + "\r\n\r\n")
		k.send("Event: SCCPx\r\nPrivilege: call,all\r\nActionID: " + sent["SCCPAnswer"] + "\r\n\r\n")
		k.send("Event: SCCPy\r\nPrivilege: call,all\r\nActionID: " + sent["SCCPAnswer"] + "\r\n\r\n")
		k.send("Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: ampd-0123-4\r\nResponse: Failure\r\n\r\n")
		k.send("Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: theirs\r\nResponse: Failure\r\n\r\n")
		require.Equal(t, []string{
			"event Event: SIPQualifyPeerDone|Privilege: call,all|Peer: z|ActionID: q",
			"event Event: SCCPx|Privilege: call,all|ActionID: s",
			"event Event: SCCPy|Privilege: call,all|ActionID: s",
			"event Event: OriginateResponse|Privilege: call,all|Response: Failure",
			"event Event: OriginateResponse|Privilege: call,all|ActionID: theirs|Response: Failure",
		}, b.take())
		b.sleep(time.Hour)
		k.send("Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: " + sent["Originate"] + "\r\nResponse: Failure\r\n\r\n")
		k.send("Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: " + sent["Originate"] + "\r\nResponse: Twice\r\n\r\n")
		require.Equal(t, []string{
			"event Event: OriginateResponse|Privilege: call,all|ActionID: o|Response: Failure",
			"event Event: OriginateResponse|Privilege: call,all|Response: Twice",
		}, b.take())
	})
}

// FuzzRestore states: no event leaves with an ActionID of ampd's, and nothing else of
// it is changed.
func FuzzRestore(f *testing.F) {
	f.Add("Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: ampd-0-1\r\nResponse: Success\r\n\r\n", "x")
	f.Add("Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: a\r\nActionID: ampd-0-2\r\nActionID: ampd-0-1\r\n\r\n", "")
	f.Add("Event: UserEvent\r\nUserEvent: a\r\nactionid: ampd-0-1\r\nEventList: Complete\r\n\r\n", "ampd-1-1")
	f.Fuzz(func(t *testing.T, wire, client string) {
		p := new(codec.Packet)
		if !isLine(client) || native.NewDecoder(strings.NewReader(wire), native.FromAsterisk).Decode(p) != nil {
			return
		}
		s := newIDs(nil)
		s.remember("ampd-0-1", client, time.Now().Add(time.Minute), false)
		s.remember("ampd-0-2", "", time.Now().Add(time.Minute), true)
		id := p.Get("ActionID")
		got, hidden := s.restore(p)
		require.Equal(t, id == "ampd-0-2", hidden)
		if hidden {
			return
		}
		if !isOurs(id) {
			require.Same(t, p, got)
			return
		}
		at := p.Index("ActionID")
		want := slices.Delete(slices.Clone(p.Headers), at, at+1)
		if id == "ampd-0-1" && client != "" {
			want = slices.Insert(want, at, codec.Header{Name: p.Headers[at].Name, Value: client})
		}
		require.Equal(t, want, got.Headers)
	})
}
