package stats

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func event(t *testing.T, lines ...string) *codec.Packet {
	t.Helper()
	p := new(codec.Packet)
	wire := strings.Join(lines, "\r\n") + "\r\n\r\n"
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), native.FromAsterisk).Decode(p))
	return p
}

func memberEvent(t *testing.T, name, queue, iface, paused, reason string) *codec.Packet {
	t.Helper()
	return event(t, "Event: "+name, "Privilege: agent,all", "Queue: "+queue, "MemberName: Ann", "Interface: "+iface,
		"InCall: 0", "Status: 1", "Paused: "+paused, "PausedReason: "+reason)
}

func everybody(string, string) bool { return true }

func words(entries []Entry) (all []string) {
	for _, e := range entries {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d %s %s %s %s", int(e.Time.Sub(start).Seconds()), e.What, e.Interface, e.Queue, e.Reason)))
	}
	return all
}

func TestActivity(t *testing.T) {
	a := NewActivity(start)
	at := 0
	observe := func(p *codec.Packet) {
		at++
		a.Observe(p, start.Add(time.Duration(at)*time.Second))
	}
	observe(memberEvent(t, "QueueMemberAdded", "sales", "SIP/ann", "0", ""))
	observe(memberEvent(t, "QueueMemberPause", "sales", "sip/ANN", "1", "Lunch"))
	observe(memberEvent(t, "QueueMemberStatus", "sales", "SIP/ann", "1", "Lunch"))
	observe(memberEvent(t, "QueueMemberPause", "sales", "SIP/ann", "0", ""))
	observe(event(t, "Event: AgentLogin", "Privilege: agent,all", "Agent: 1101"))
	observe(event(t, "Event: UserEvent", "Privilege: user,all", "UserEvent: AgentLogin", "Agent: 7"))
	observe(memberEvent(t, "QueueMemberRemoved", "sales", "SIP/ann", "0", ""))
	observe(event(t, "Event: AgentLogoff", "Privilege: agent,all", "Agent: 1101"))
	require.Equal(t, []string{
		"1 Login SIP/ann sales", "2 Pause SIP/ann sales Lunch", "4 Unpause SIP/ann sales",
		"5 Login Agent:1101", "7 Logoff SIP/ann sales", "8 Logoff Agent:1101",
	}, words(a.Of(everybody)))
	require.Equal(t, []string{"5 Login Agent:1101", "8 Logoff Agent:1101"}, words(a.Of(func(iface, _ string) bool { return iface == "Agent:1101" })))
	require.Len(t, a.Of(func(_, name string) bool { return name == "Ann" }), 4)
}

func TestStatusSince(t *testing.T) {
	a := NewActivity(start)
	a.Observe(memberEvent(t, "QueueMemberStatus", "sales", "SIP/ann", "0", ""), start)
	a.Observe(memberEvent(t, "QueueMemberStatus", "support", "SIP/ann", "1", "x"), start.Add(time.Second))
	a.Observe(memberEvent(t, "QueueMemberStatus", "sales", "SIP/ann", "0", ""), start.Add(2*time.Second))
	require.Equal(t, start, a.StatusSince("sip/ANN", "Sales", "Idle"))
	require.Equal(t, start.Add(time.Second), a.StatusSince("SIP/ann", "support", "Paused"))
	require.Zero(t, a.StatusSince("SIP/ann", "sales", "Talking"))
	require.Zero(t, a.StatusSince("SIP/bob", "sales", "Idle"))
	a.Observe(memberEvent(t, "QueueMemberRemoved", "sales", "SIP/ann", "0", ""), start)
	require.Zero(t, a.StatusSince("SIP/ann", "sales", "Idle"))
}

func TestActivityIsBounded(t *testing.T) {
	a := NewActivity(start)
	for i := range entriesMost + 5 {
		a.Observe(memberEvent(t, "QueueMemberPause", "sales", "SIP/ann", "1", fmt.Sprint(i)), start)
	}
	entries := a.Of(everybody)
	require.Len(t, entries, entriesMost)
	require.Equal(t, "5", entries[0].Reason)
	p := memberEvent(t, "QueueMemberAdded", "sales", "SIP/x", "0", "")
	for i := range membersMost + 5 {
		p.Headers[4].Value = fmt.Sprint("SIP/", i)
		a.Observe(p, start.Add(time.Duration(i)*time.Second))
	}
	require.Len(t, a.of, membersMost)
	require.Len(t, a.statuses, membersMost)
	require.Empty(t, a.Of(func(iface, _ string) bool { return iface == "SIP/ann" }), "has done nothing for the longest time")
}

func TestStatusOf(t *testing.T) {
	for _, tc := range []struct{ device, inCall, paused, want string }{
		{"1", "0", "0", "Idle"},
		{"1", "1", "1", "Talking"},
		{"2", "0", "0", "Talking"},
		{"8", "0", "1", "Talking"},
		{"6", "0", "0", "Ringing"},
		{"1", "0", "1", "Paused"},
		{"5", "0", "0", "Unavailable"},
		{"0", "0", "0", "Unavailable"},
		{"5", "0", "1", "Paused"},
	} {
		require.Equal(t, tc.want, StatusOf(tc.device, tc.inCall, tc.paused))
	}
}
