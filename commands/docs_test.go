package commands

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
)

// -write writes docs/commands.md anew.
var write = flag.Bool("write", false, "write docs/commands.md")

const intro = `# The commands of the classic protocol

The 39 commands of the ampd protocol, in native and in XML ([protocol.md](protocol.md) says how they are sent and answered).
Names of commands and parameters have no case. This page is made from the table in ` + "`actions/commands.go`" + ` and held by a test.

In the ampd dialect all of them are as said here. In Asterisk's own dialect a name that this Asterisk lists goes to it as it came, and
only the others (` + "`ChannelInfo`, `PeerInfo`, `Monitor` with Asterisk 22" + ` ...) are these.

A required parameter that is missing is answered with ` + "`Missing required parameter: NAME`" + `, what the profile may not run with ` + "`Permission denied`" + `. One
that is empty is not given. What is true or false may be said in Asterisk's words (` + "`yes`, `on`, `1`, `no`, `off`, `0`" + ` ...), and nothing else. In no
value is a control character. What does not exist (a channel, a queue) Asterisk answers in its own words.
"Asks" are the classes of which the profile must have one in ` + "`write`" + `, where Asterisk does not say otherwise of an action of the same name. A
monitor runs what is read-only. Which of them an agent runs, and on what, [profiles.md](profiles.md) says.

`

func documentation() string {
	var b strings.Builder
	b.WriteString(intro)
	for i := range actions.Commands {
		c := &actions.Commands[i]
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", c.Name, c.Text)
		var params []string
		for _, p := range c.Params {
			text := "`" + p.Name + "`"
			if p.Required {
				text += " (required)"
			}
			text += map[actions.Kind]string{actions.Switch: " (true or false)", actions.Number: " (a number)"}[p.Kind]
			params = append(params, text)
		}
		if len(params) > 0 {
			fmt.Fprintf(&b, "- Parameters: %s\n", strings.Join(params, ", "))
		}
		asks := "nothing"
		if c.Classes != 0 {
			asks = "`" + c.Classes.String() + "`"
		}
		if strings.HasPrefix(c.Name, "Custom") {
			asks = "what the action asks"
		}
		if strings.HasPrefix(c.Name, "Profile") {
			asks += ", of a profile with `admin`"
		}
		fmt.Fprintf(&b, "- Asks: %s", asks)
		known, ok := actions.Lookup(c.Name)
		if c.ReadOnly || ok && known.ReadOnly {
			b.WriteString("; read-only")
		}
		b.WriteString("\n\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestCommandsAreDocumented(t *testing.T) {
	const file = "../docs/commands.md"
	if *write {
		require.NoError(t, os.WriteFile(file, []byte(documentation()), 0o644))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, documentation(), string(text), "go test ./commands -run TestCommandsAreDocumented -write")
}
