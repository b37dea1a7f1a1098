package tests

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// values are those that TestClassicRights gives parameters; what is not named is "x".
var values = map[string]string{
	"Agent": "2001", "CAction": "CoreStatus", "Channel": "PJSIP/nobody-00000001", "Context": "agents", "Exten": "1009", "Interface": "Local/1009@agents/n",
	"Priority": "1", "Queue": "sales", "Timeout": "60", "Command": "core show version", "Profile": "wall", "Type": "PJSIP", "Peer": "trunk",
}

// TestClassicRights runs each command as each type, in both formats: what it is answered is
// in testdata/classic-rights.txt (-golden writes it); what ampd refuses does not arrive.
func TestClassicRights(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, asterisk.LogActions())
		d := daemon.Start(t, s.Addr, daemon.Config{Profiles: classicProfiles, Head: fmt.Sprintf("state_dir = %q\n", t.TempDir())})
		d.WaitReady(t)
		var told []string
		refused := map[string]string{}
		for _, xml := range []bool{false, true} {
			var lines []string
			for _, kind := range []string{"monitor", "agent", "administrator"} {
				c := newSpeaker(t, d.Addr, xml, boss, kind)
				for i := range actions.Commands {
					command := &actions.Commands[i]
					mark := fmt.Sprintf("%v-%s-%s", xml, kind, command.Name)
					r := c.say(command.Name, append(given(command), "X-Classic", mark)...)
					word, text := r.get("Response"), r.get("Message")
					if word == "Success" || word == "Follows" {
						text = "" // Asterisk's own words differ
					} else if text == "Permission denied" || strings.HasPrefix(text, "Missing") {
						refused[mark] = text
					}
					lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s: %s %s", kind, command.Name, word, text)))
				}
			}
			newSpeaker(t, d.Addr, xml, boss, "administrator").say("DBDelTree", "Family", "x") // as before
			if xml {
				require.Equal(t, told, lines, "XML as native")
			}
			told = lines
		}
		for _, action := range s.Actions() {
			require.NotContains(t, refused, action.Get("X-Classic"), "arrived at Asterisk:\n%s", action)
		}
		require.NotEmpty(t, refused)
		file := "testdata/classic-rights-" + version + ".txt"
		text := strings.Join(told, "\n") + "\n"
		if *golden {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), text)
	})
}

// given are a command's required parameters with their values.
func given(c *actions.Command) (pairs []string) {
	for _, p := range c.Params {
		if p.Required {
			value := values[p.Name]
			if value == "" {
				value = "x"
			}
			if c.Name == "ProfileDelete" {
				value = "none"
			}
			pairs = append(pairs, p.Name, value)
		}
	}
	if strings.HasPrefix(c.Name, "Mailbox") {
		pairs = append(pairs, "Context", "default")
	}
	return pairs
}

// TestClassicParameters leaves each required parameter out of each command.
func TestClassicParameters(t *testing.T) {
	t.Parallel()
	s := asterisk.Start(t, asterisk.Versions()[0])
	d := daemon.Start(t, s.Addr, daemon.Config{Profiles: classicProfiles})
	d.WaitReady(t)
	for _, xml := range []bool{false, true} {
		c := newSpeaker(t, d.Addr, xml, boss, "Administrator")
		for i := range actions.Commands {
			command := &actions.Commands[i]
			if command.Name == "Login" {
				continue
			}
			pairs := given(command)
			for j := 0; j < len(pairs); j += 2 {
				r := c.say(command.Name, slices.Delete(slices.Clone(pairs), j, j+2)...)
				require.Equal(t, "Missing required parameter: "+pairs[j], r.get("Message"), r.raw)
				require.True(t, strings.EqualFold(command.Name, r.get("Action")), r.raw)
			}
		}
	}
}
