package profiles_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/profiles"
)

// aHash is a hash in the right form, of no secret that these tests use.
const aHash = "$argon2id$v=19$m=19456,t=2,p=1$YW1wZC10ZXN0LXNhbHQhIQ$MSDJTWbHgGK77KRx8B3CSuqjXgrQqL1MWdrtEImA5fo"

const whole = `
[[profile]]
name = "Wallboard"
secret = "look only"
types = ["monitor"]
read = "call, agent"
filters = [
  "!Event: VarSet",
  "eventfilter = Queue",
  "eventfilter(name(Newchannel),header(Channel),method(starts_with)) = PJSIP/",
  "eventfilter(action(exclude),name(RTCPSent)) =",
]

[[profile]]
name = "dialer"
secret_hash = "` + aHash + `"
types = ["administrator", "monitor"]
read = ["system", "ALL"]
write = ["call", "originate"]
permit = ["10.0.0.0/8", "unix"]
deny = ["Getvar", "10.1.0.0/255.255.0.0", "Setvar"]
allow = ["MyAction"]
max_sessions = 3
on_upstream_loss = "disconnect"
disabled = true
dangerous = true
applications = ["Dial"]
commands = ["core show hints"]
actions_per_second = 20
dialect = "ampd"
format = "xml"
command_framing = "old"
ampd_events = true
admin = true
trust = ["127.0.0.1", "unix"]
trust_administrators = true

[[profile]]
name = "alice"
secret = "a"
types = ["agent"]
agent = "1001"
devices = ["PJSIP/alice"]
queues = ["support"]
contexts = ["internal"]
channels = ["PJSIP/"]
`

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profiles.toml")
	require.NoError(t, os.WriteFile(file, []byte(whole), 0o644))
	store, problems := profiles.Load(file, nil)
	require.NoError(t, problems.Err())

	network := func(s string) profiles.Network { return profiles.Network{Prefix: netip.MustParsePrefix(s)} }
	require.Equal(t, []*profiles.Profile{
		{
			Name: "Wallboard", Types: []profiles.Type{profiles.Monitor},
			Read: codec.Call | codec.Agent,
			Filters: []profiles.Filter{
				{Expr: "!Event: VarSet"},
				{Expr: "Queue"},
				{Criteria: "name(Newchannel),header(Channel),method(starts_with)", Expr: "PJSIP/"},
				{Criteria: "action(exclude),name(RTCPSent)"},
			},
			OnUpstreamLoss: "stay", Dialect: "asterisk",
		},
		{
			Name: "dialer", Types: []profiles.Type{profiles.Administrator, profiles.Monitor},
			Read: codec.All, Write: codec.Call | codec.Originate,
			Networks: profiles.Networks{
				Permit: []profiles.Network{network("10.0.0.0/8"), {}},
				Deny:   []profiles.Network{network("10.1.0.0/16")},
			},
			Allow: []string{"MyAction"}, Deny: []string{"Getvar", "Setvar"},
			MaxSessions: 3, ActionsPerSecond: 20, OnUpstreamLoss: "disconnect", Disabled: true, Dangerous: true,
			Applications: []string{"Dial"}, Commands: []string{"core show hints"},
			Dialect: "ampd", Format: "xml", CommandFraming: "old", AmpdEvents: true,
			Admin: true, Trust: []profiles.Network{network("127.0.0.1/32"), {}}, TrustAdministrators: true,
		},
		{
			Name: "alice", Types: []profiles.Type{profiles.Agent}, Agent: &profiles.Person{ID: "1001", Devices: []string{"PJSIP/alice"}},
			OnUpstreamLoss: "stay", Dialect: "asterisk",
			Queues: []string{"support"}, Contexts: []string{"internal"}, Channels: []string{"PJSIP/"},
		},
	}, store.Profiles())

	p, ok := store.Lookup("WALLBOARD")
	require.True(t, ok)
	require.Equal(t, "Wallboard", p.Name)
	_, ok = store.Lookup("nobody")
	require.False(t, ok)

	var warnings []string
	for _, w := range store.Warnings() {
		warnings = append(warnings, w.String())
	}
	require.Equal(t, []string{
		file + `: profile "dialer" has only a secret_hash: its logins by MD5 challenge are refused`,
		file + ": can be read by every user of this machine: chmod o-r",
	}, warnings)

	require.NoError(t, os.Chmod(file, 0o640))
	store, problems = profiles.Load(file, nil)
	require.NoError(t, problems.Err())
	require.Len(t, store.Warnings(), 1)
}

func TestEveryMistakeIsNamed(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"no profile": {text: "", want: []string{
			"p: profile: is required",
		}},
		"no profile, but a table": {text: "[profile]\nname = 'x'", want: []string{
			"p:1: profile: begins with two brackets: [[profile]]",
		}},
		"nothing in it": {text: "[[profile]]", want: []string{
			"p:1: profile[0].name: is required",
			"p:1: profile[0].secret: must not be empty: set a secret or a secret_hash",
		}},
		"names": {text: "[[profile]]\nname = 'Bob'\nsecret='s'\n[[profile]]\nname='bob'\nsecret='s'\n[[profile]]\nname=' eve'\nsecret='s'\n[[profile]]\nname=\"a\\tb\"\nsecret='s'\n[[profile]]\nname='" + strings.Repeat("x", 80) + "'\nsecret='s'", want: []string{
			`p:5: profile[1].name: is "bob", which another profile has; names are compared without case`,
			"p:8: profile[2].name: has a blank at one of its ends or a control character in it",
			"p:11: profile[3].name: has a blank at one of its ends or a control character in it",
			"p:14: profile[4].name: is longer than 79 bytes",
		}},
		"secrets": {text: "[[profile]]\nname='a'\nsecret=''\n[[profile]]\nname='b'\nsecret=' hunter2'\n[[profile]]\nname='c'\nsecret=\"hunter2\\n\"\n[[profile]]\nname='d'\nsecret='" + strings.Repeat("hunter2", 150) + "'\n" +
			"[[profile]]\nname='e'\nsecret='hunter2'\nsecret_hash='" + aHash + "'\n[[profile]]\nname='f'\nsecret_hash='hunter2'\n[[profile]]\nname='g'\nsecret_hash=''\n[[profile]]\nname='h'\nsecret=12345", want: []string{
			"p:3: profile[0].secret: must not be empty: set a secret or a secret_hash",
			"p:6: profile[1].secret: begins with a blank, which no client can send",
			"p:9: profile[2].secret: holds a line end or NUL, which no client can send",
			"p:12: profile[3].secret: is too long for the line that a client sends",
			"p:16: profile[4].secret_hash: stands beside a secret: a profile has one of them",
			`p:19: profile[5].secret_hash: is not a hash that ampd can use: make one with "ampd hash-secret"`,
			"p:20: profile[6].secret: must not be empty: set a secret or a secret_hash",
			"p:25: profile[7].secret: must be a string, not a whole number",
		}},
		"types": {text: "[[profile]]\nname='a'\nsecret='s'\ntypes=[]\n[[profile]]\nname='b'\nsecret='s'\ntypes=['operator','monitor','monitor']\nagent='1'", want: []string{
			"p:4: profile[0].types: must not be empty",
			`p:8: profile[1].types[0]: is "operator" and must be one of: monitor, agent, administrator`,
			`p:8: profile[1].types[2]: is "monitor" again`,
			`p:9: profile[1].agent: is for profiles with "agent" among their types`,
		}},
		"agents": {text: "[[profile]]\nname='a'\nsecret='s'\ntypes=['agent']\nagent='1001'\ndevices=['PJSIP/alice']\n[[profile]]\nname='b'\nsecret='s'\ntypes=['agent']\nagent='a/b'\ndevices=['phone', 'PJSIP/']\n" +
			"[[profile]]\nname='c'\nsecret='s'\ndevices=['PJSIP/x']\n[[agent]]\nid='1001'\nname='Alice'\n[[agent]]\nid='alice'\ndevices=['PJSIP/x']\n[[agent]]\nid='1003'\ndevices=['pjsip/X', 'PJSIP/a b']\nqueues=['a', ' ', 'a']\npenalty=-1\n[[agent]]\nid='1001'\n[[agent]]\nname='x'", want: []string{
			"p:6: profile[0].devices: are those of [[agent]] \"1001\": name them there",
			`p:11: profile[1].agent: has a blank or one of / : , | in it`,
			`p:12: profile[1].devices[0]: must be a device such as "PJSIP/alice"`,
			`p:12: profile[1].devices[1]: must be a device such as "PJSIP/alice"`,
			`p:16: profile[2].devices: is for profiles that name their agent`,
			`p:21: agent[1].id: is "alice", which is that of agent "1001", too`,
			`p:25: agent[2].devices[1]: must be a device such as "PJSIP/alice"`,
			`p:25: agent[2].devices[0]: is "pjsip/x", which is that of agent "alice", too`,
			`p:26: agent[2].queues[1]: must not be empty`,
			`p:26: agent[2].queues[2]: is "a" again`,
			`p:27: agent[2].penalty: is -1 and must be from 0 to 1000000`,
			`p:29: agent[3].id: is "1001", which another agent has; ids are compared without case`,
			`p:30: agent[4].id: is required`,
		}},
		"agents that are one": {text: "[[agent]]\nid='1001'\nname='Alice'\ndevices=['PJSIP/alice', 'Local/1@a']\n[[agent]]\nid='1002'\ndevices=['Local/1@a/n']\n" +
			"[[profile]]\nname='a'\nsecret='s'\ntypes=['agent']\nagent='1003'\ndevices=['PJSIP/Alice']\n[[profile]]\nname='b'\nsecret='s'\ntypes=['agent']\nagent='ALICE'\n" +
			"[[profile]]\nname='c'\nsecret='s'\ntypes=['agent']\nagent='1003'\ndevices=['PJSIP/c']", want: []string{
			`p:7: agent[1].devices[0]: is "local/1@a", which is that of agent "1001", too`,
			`p:13: profile[0].devices[0]: is "pjsip/alice", which is that of agent "1001", too`,
			`p:18: profile[1].agent: is "alice", which is that of agent "1001", too`,
		}},
		"limited to nothing": {text: "[[profile]]\nname='a'\nsecret='s'\nqueues=[]\ncontexts=[]\nchannels=['']", want: []string{
			"p:4: profile[0].queues: is empty: leave it out where nothing is limited, else say to what",
			"p:5: profile[0].contexts: is empty: leave it out where nothing is limited, else say to what",
			"p:6: profile[0].channels[0]: must not be empty",
		}},
		"nobody to be": {text: "[[profile]]\nname='a'\nsecret='s'\ntypes=['monitor', 'agent']", want: []string{
			"p:1: profile[0].agent: must say who logs in, for there is no [[agent]]",
		}},
		"limited, and not": {text: "[[profile]]\nname='a'\nsecret='s'\nqueues=['x']\ndangerous=true", want: []string{
			"p:5: profile[0].dangerous: lifts what queues, contexts and channels limit: a profile has one or the other",
		}},
		"classes": {text: "[[profile]]\nname='a'\nsecret='s'\nread='call,agents'\nwrite=['call', 'orginate']\n[[profile]]\nname='b'\nsecret='s'\nread=1\nwrite=[1]", want: []string{
			`p:4: profile[0].read: has "agents", which is no class`,
			`p:5: profile[0].write: has "orginate", which is no class`,
			`p:9: profile[1].read: must be a list of classes, as in ["call", "agent"]`,
			`p:10: profile[1].write: must be a list of classes, as in ["call", "agent"]`,
		}},
		"networks and actions": {text: "[[profile]]\nname='a'\nsecret='s'\npermit=['10.0.0.0/33',\n'localhost']\ndeny=['10.0.0.0/8', 'Get var',\n'getvar', '10.0.0.300']\nallow=['a/b', 'GetVar', '', 'Q*e*', 'Queue*']", want: []string{
			`p:4: profile[0].permit[0]: "10.0.0.0/33" is no network: write "10.0.0.0/8", "10.1.2.3", "2001:db8::/32" or "unix"`,
			`p:5: profile[0].permit[1]: "localhost" is no network: write "10.0.0.0/8", "10.1.2.3", "2001:db8::/32" or "unix"`,
			`p:6: profile[0].deny[1]: "Get var" is no name of an action`,
			`p:7: profile[0].deny[3]: "10.0.0.300" is no network: write "10.0.0.0/8", "10.1.2.3", "2001:db8::/32" or "unix"`,
			`p:7: profile[0].deny[2]: is "getvar", which allow names too`,
			`p:8: profile[0].allow[0]: "a/b" is no name of an action`,
			`p:8: profile[0].allow[2]: "" is no name of an action`,
			`p:8: profile[0].allow[3]: "Q*e*" is no name of an action`,
		}},
		"filters": {text: "[[profile]]\nname='a'\nsecret='s'\nfilters=['', 'eventfilter=', 1, 'eventfilter(name(x) = y',\n'eventfilter(name(x)) y']", want: []string{
			"p:4: profile[0].filters[0]: must not be empty",
			"p:4: profile[0].filters[1]: must not be empty",
			"p:4: profile[0].filters[2]: must be a string, not a whole number",
			"p:4: profile[0].filters[3]: must be written as in manager.conf: eventfilter(criteria) = expression",
			"p:5: profile[0].filters[4]: must be written as in manager.conf: eventfilter(criteria) = expression",
		}},
		"bounds": {text: "[[profile]]\nname='a'\nsecret='s'\nmax_sessions=-1\non_upstream_loss='panic'\napplications=['']\ncommands=[' ']\nqueues=['a', '']", want: []string{
			"p:4: profile[0].max_sessions: is -1 and must be from 0 to 100000",
			`p:5: profile[0].on_upstream_loss: is "panic" and must be one of: stay, disconnect`,
			"p:6: profile[0].applications[0]: must not be empty",
			"p:7: profile[0].commands[0]: must not be empty",
			"p:8: profile[0].queues[1]: must not be empty",
		}},
		"answers and trust": {text: "[[profile]]\nname='a'\nsecret='s'\nadmin=true\nampd_events='yes'\nactions_per_second=-5\ncommand_framing=''\ndialect='AMPD'\nformat='json'\ntrust=['127.0.0.1/33']\n" +
			"[[profile]]\nname='b'\nsecret='s'\ntrust_administrators=true", want: []string{
			`p:4: profile[0].admin: is for profiles with "administrator" among their types`,
			"p:5: profile[0].ampd_events: must be true or false, not a string",
			"p:6: profile[0].actions_per_second: is -5 and must be from 0 to 100000",
			`p:7: profile[0].command_framing: is "" and must be one of: upstream, old, new`,
			`p:8: profile[0].dialect: is "AMPD" and must be one of: asterisk, ampd`,
			`p:9: profile[0].format: is "json" and must be one of: asterisk, xml`,
			`p:10: profile[0].trust[0]: "127.0.0.1/33" is no network: write "10.0.0.0/8", "10.1.2.3", "2001:db8::/32" or "unix"`,
			"p:14: profile[1].trust_administrators: says nothing without trust",
		}},
		"unknown key": {text: "[[profile]]\nname='a'\nsecret='s'\ntype='monitor'\n", want: []string{
			"p:4: profile[0].type: is not a known key: did you mean types?",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			store, problems := profiles.Parse("p", tc.text, nil)
			require.Nil(t, store)
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
				require.NotContains(t, p.Text, "hunter2")
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestCallersCheckReportsWithTheFilesLines(t *testing.T) {
	text := "[[profile]]\nname = 'a'\nsecret = 's'\n[[profile]]\nname = 'b'\nsecret = 's'\nfilters = [\n'x',\n'(']\n"
	_, problems := profiles.Parse("p", text, func(p *profiles.Profile, report func(key, problem string)) {
		if p.Name == "b" {
			require.Equal(t, profiles.Filter{Expr: "("}, p.Filters[1])
			report("filters[1]", "is no regular expression")
		}
	})
	require.EqualError(t, problems.Err(), "p:9: profile[1].filters[1]: is no regular expression")
}

func TestProfileAndStoreShowNoSecret(t *testing.T) {
	store, problems := profiles.Parse("p", whole, nil)
	require.NoError(t, problems.Err())
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		shown := fmt.Sprintf(verb+verb, store, store.Profiles()[0])
		require.NotContains(t, shown, "look only")
	}
	encoded, err := json.Marshal([]any{store, store.Profiles()})
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "look only")
}
