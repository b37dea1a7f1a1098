package rights

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

func see(s *Subject, e *Event, mask codec.Classes, filters *Filters) *codec.Packet {
	v := s.View(mask, filters)
	return v.See(e)
}

func TestSee(t *testing.T) {
	tests := map[string]struct {
		lines string
		read  codec.Classes
		mask  codec.Classes
		seen  bool
	}{
		"the class":                          {"Event: A|Privilege: call,all", codec.Call, codec.All, true},
		"another class":                      {"Event: A|Privilege: call,all", codec.All &^ codec.Call, codec.All, false},
		"both classes":                       {"Event: A|Privilege: call,agent,all", codec.Call | codec.Agent, codec.All, true},
		"one class of two":                   {"Event: A|Privilege: call,agent,all", codec.Call, codec.All, false},
		"masked out":                         {"Event: A|Privilege: call,all", codec.All, codec.Agent, false},
		"one class of two masked out":        {"Event: A|Privilege: call,agent,all", codec.All, codec.Agent, false},
		"events off":                         {"Event: A|Privilege: call,all", codec.All, 0, false},
		"any case":                           {"event: A|PRIVILEGE: Call", codec.Call, codec.All, true},
		"no class asked":                     {"Event: A|Privilege: <none>", 0, 0, true},
		"all alone asks all":                 {"Event: A|Privilege: all", codec.All, codec.All, true},
		"all alone asks each":                {"Event: A|Privilege: all", codec.All &^ codec.Test, codec.All, false},
		"a class that is none":               {"Event: A|Privilege: call,newclass,all", codec.All, codec.All, false},
		"no Privilege":                       {"Event: A|Channel: x", codec.All, codec.All, false},
		"the first Privilege counts":         {"Event: A|Privilege: system,all|Privilege: call,all", codec.Call, codec.All, false},
		"a UserEvent's own":                  {"Event: UserEvent|Privilege: user,all|UserEvent: X|Privilege: call", codec.User, codec.All, true},
		"a UserEvent's sender's":             {"Event: UserEvent|Privilege: user,all|UserEvent: X|Privilege: call", codec.Call, codec.All, false},
		"a UserEvent with the sender's only": {"Event: UserEvent|UserEvent: X|Privilege: call", codec.All, codec.All, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := subject(t, Grant{Read: tc.read})
			p := answer(t, tc.lines)
			e := NewEvent(p)
			seen := see(s, &e, tc.mask, s.Filters())
			if tc.seen {
				require.Same(t, p, seen)
			} else {
				require.Nil(t, seen)
			}
		})
	}
}

const challengeFailed = "Event: ChallengeResponseFailed|Privilege: security,all|Challenge: abc|ExpectedResponse: c0ffee"

func TestSeeMasksSecrets(t *testing.T) {
	p := answer(t, challengeFailed)
	e := NewEvent(p)
	for name, g := range map[string]Grant{
		"an administrator":     {Type: Administrator, Read: codec.All},
		"a dangerous monitor":  {Type: Monitor, Read: codec.All, Dangerous: true},
		"a monitor":            {Type: Monitor, Read: codec.All},
		"one of one class":     {Type: Monitor, Read: codec.Security},
		"one with its filters": {Type: Monitor, Read: codec.All, Filters: []Filter{{Expr: "Challenge: abc"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := subject(t, g)
			seen := see(s, &e, codec.All, s.Filters())
			require.Equal(t, "Event: ChallengeResponseFailed\r\nPrivilege: security,all\r\nChallenge: abc\r\nExpectedResponse: ********\r\n\r\n",
				string(seen.Raw))
			require.Equal(t, "********", seen.Get("ExpectedResponse"))
		})
	}
	s := subject(t, Grant{Type: Administrator, Read: codec.All, Dangerous: true})
	require.Same(t, p, see(s, &e, codec.All, s.Filters()))
}

// Filters are asked about what the session gets: nobody finds a secret out by
// filtering for it.
func TestFiltersDoNotSeeSecrets(t *testing.T) {
	e := NewEvent(answer(t, challengeFailed))
	guess, err := ParseFilter("", "ExpectedResponse: c0", true)
	require.NoError(t, err)
	guessHeader, err := ParseFilter("header(ExpectedResponse),method(starts_with)", "c0", true)
	require.NoError(t, err)
	for _, m := range []Matcher{guess, guessHeader} {
		s := subject(t, Grant{Type: Administrator, Read: codec.All})
		require.Nil(t, see(s, &e, codec.All, s.Filters().With(m)))
		s = subject(t, Grant{Type: Administrator, Read: codec.All, Dangerous: true})
		require.NotNil(t, see(s, &e, codec.All, s.Filters().With(m)))
	}
}

func TestEventsCostNoMemory(t *testing.T) {
	p := newchannel(t)
	s := subject(t, Grant{Read: codec.All, Filters: []Filter{
		{Criteria: "name(VarSet)", Expr: "!"},
		{Criteria: "header(Channel),method(starts_with)", Expr: "SIP/"},
		{Criteria: "method(contains)", Expr: "!SIP/b"},
	}})
	seen := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		e := NewEvent(p)
		if see(s, &e, codec.All, s.Filters()) != nil {
			seen++
		}
	}))
	require.Equal(t, 101, seen)
}

func BenchmarkSee(b *testing.B) {
	p := answer(b, "Event: Newstate|Privilege: call,all|Channel: PJSIP/trunk-00000001|ChannelState: 6|ChannelStateDesc: Up|CallerIDNum: 100|"+
		"CallerIDName: A|ConnectedLineNum: 200|ConnectedLineName: B|Language: en|AccountCode: |Context: c|Exten: s|Priority: 1|Uniqueid: 1.1|Linkedid: 1.1")
	s := subject(b, Grant{Read: codec.Call})
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewEvent(p)
		}
	})
	b.Run("session", func(b *testing.B) {
		e := NewEvent(p)
		b.ReportAllocs()
		for b.Loop() {
			see(s, &e, codec.All, s.Filters())
		}
	})
}
