package actions_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
)

// The recorded tours: every action that was sent has a row, and every list that came
// ended with the event that the row names.
func TestTableAgreesWithTheRecordedTours(t *testing.T) {
	for _, version := range []string{"16", "22"} {
		t.Run(version, func(t *testing.T) {
			sent := map[string]string{} // ActionID → action
			unknown := map[string]bool{"NoSuchAction": true, "coreshowchannel": true}
			for _, p := range packets(t, version+"-tour.c2s") {
				name := first(p, "Action")
				if name == "" || unknown[name] {
					continue
				}
				a, ok := actions.Lookup(name)
				if !ok {
					t.Errorf("no row for %q", name)
					continue
				}
				if id := first(p, "ActionID"); id != "" {
					sent[id] = a.Name
				}
			}
			started := map[string]bool{}
			for _, p := range packets(t, version+"-tour.s2c") {
				id := first(p, "ActionID")
				name := sent[id]
				if name == "" {
					continue
				}
				a, _ := actions.Lookup(name)
				switch list := strings.ToLower(first(p, "EventList")); {
				case list == "start":
					started[id] = true
					require.NotEmpty(t, a.ListEnd, "%s answered with a list", name)
				case list == "complete":
					require.Equal(t, a.ListEnd, first(p, "Event"), name)
					delete(started, id)
				case strings.HasPrefix(p, "Response: Success"):
					empty := first(p, "Message") == "There is no voicemail user of the given info."
					require.True(t, a.ListEnd == "" || a.MaybeList || empty, "%s answered without a list", name)
				}
			}
			require.Empty(t, started, "lists without their end")
			require.Greater(t, len(sent), 200)
		})
	}
}

// The rows' classes are those that the recorded ListCommands told.
func TestClassesAgreeWithTheRecordedTours(t *testing.T) {
	for _, version := range []string{"16", "22"} {
		t.Run(version, func(t *testing.T) {
			listed := map[string]bool{}
			for _, p := range packets(t, version+"-tour.s2c") {
				if !strings.Contains(p, "\r\nWaitEvent: ") {
					continue
				}
				for line := range strings.SplitSeq(p, "\r\n") {
					name, rest, _ := strings.Cut(line, ": ")
					_, priv, ok := strings.Cut(rest, "(Priv: ")
					if !ok {
						continue
					}
					for { // the text may speak of a Priv itself: the last one counts
						_, later, more := strings.Cut(priv, "(Priv: ")
						if !more {
							break
						}
						priv = later
					}
					a, found := actions.Lookup(name)
					require.True(t, found, "no row for %s", name)
					there, classes := a.In16, a.Classes16
					if version == "22" {
						there, classes = a.In22, a.Classes22
					}
					require.True(t, there, "%s should not be in Asterisk %s", name, version)
					want := strings.TrimSuffix(strings.TrimSuffix(priv, ")"), ",all")
					require.Equal(t, want, classes.String(), name)
					listed[a.Name] = true
				}
			}
			require.NotEmpty(t, listed)
			for a := range actions.All {
				there := a.In16
				if version == "22" {
					there = a.In22
				}
				if there && !notBuilt.MatchString(a.Name) {
					require.True(t, listed[a.Name], "%s was not listed by Asterisk %s", a.Name, version)
				}
			}
		})
	}
}

// notBuilt are the rows of modules that the recorded Asterisks lack or did not load.
var notBuilt = regexp.MustCompile(`^(DAHDI|PRI|Meetme|MWI|SKINNY|JabberSend$|FAX|PlayMF$)`)

func packets(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "tests", "corpus", file))
	require.NoError(t, err)
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(text, "\n", "\r\n"), "\r\n\r\n")
}

func first(packet, name string) string {
	for line := range strings.SplitSeq(packet, "\r\n") {
		n, v, _ := strings.Cut(line, ":")
		if strings.EqualFold(n, name) {
			return strings.TrimLeft(v, " ")
		}
	}
	return ""
}
