package tests

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

// A seer is a session whose events are written down. One goroutine reads.
type seer struct {
	name   string
	device string // an agent's Local channel
	wire   *wire

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each packet
	events  []string
	done    int // of events: how many belong to earlier steps
	answers []string
	failed  error
}

func newSeer(t *testing.T, addr, name string) *seer {
	t.Helper()
	devices := map[string]string{"alice": "Local/4001@desk", "bob": "Local/4002@desk", "carol": "Local/1101@", "dave": "Local/1102@"}
	v := &seer{name: name, device: devices[name], changed: make(chan struct{})}
	v.wire = openWire(t, name, addr, asterisk.Account{Name: name, Secret: "s"})
	go func() { // ends with the connection
		for {
			p, err := v.wire.read()
			v.mu.Lock()
			switch {
			case err != nil:
				v.failed = err
			case header(p, "ActionID") != "":
				v.answers = append(v.answers, p)
			default:
				v.events = append(v.events, p)
			}
			close(v.changed)
			v.changed = make(chan struct{})
			v.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return v
}

// until waits until the condition, asked with the session's lock held, holds, and tells
// whether it did in time.
func (v *seer) until(holds func() bool) bool {
	timeout := time.After(wireLimit)
	for {
		v.mu.Lock()
		ok, failed, changed := holds(), v.failed, v.changed
		v.mu.Unlock()
		if ok || failed != nil {
			return ok
		}
		select {
		case <-changed:
		case <-timeout:
			return false
		}
	}
}

// ask returns the answer to an action: one packet, or a list.
func (v *seer) ask(t *testing.T, lines ...string) (answer []string) {
	t.Helper()
	v.mu.Lock()
	v.answers = nil
	v.mu.Unlock()
	require.NoError(t, v.wire.send(append(lines, "ActionID: golden")...))
	ok := v.until(func() bool {
		answer = v.answers
		return len(answer) > 0 && (header(answer[0], "EventList") != "start" || strings.EqualFold(header(answer[len(answer)-1], "EventList"), "Complete"))
	})
	require.True(t, ok, "%s: %q: %q", v.name, lines, answer)
	return answer
}

// find waits until a session has got an event that is as said, since the step began.
func (v *seer) find(t *testing.T, what string, is func(string) bool) {
	t.Helper()
	require.True(t, v.until(func() bool { return slices.ContainsFunc(v.events[v.done:], is) }), "%s: %s", v.name, what)
}
