package tests

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/tests/asterisk"
)

// A follower is a client of ampd that applies all events to a state of its own. It begins
// with a snapshot, or with nothing, and never asks again; a shower, which is no follower,
// asks for a snapshot at each fence.
type follower struct {
	name   string
	wire   *wire
	shows  bool
	shapes *shapes // of the events that ampd has made

	// Guarded by mu.
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	state   *pbx.State
	number  int        // of the last fence
	fenced  *pbx.State // as it was there
	booted  int        // FullyBooted events
	made    map[string]int
	answer  []*codec.Packet // that is coming
	items   []*codec.Packet // of the last snapshot
	shown   *pbx.State      // what it says
	since   []*codec.Packet // the events between the fence and the snapshot
	recent  []string        // the last events, as they came
	failed  error
}

// recentMost is how many events a follower keeps, for what went wrong.
const recentMost = 4000

// about are the recent events that hold one of the words, a line each.
func (f *follower) about(words ...string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var text strings.Builder
	for _, raw := range f.recent {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(raw, word) }) {
			text.WriteString(strings.ReplaceAll(strings.TrimSpace(raw), "\r\n", " | ") + "\n")
		}
	}
	return text.String()
}

// snapshotID begins the ActionIDs of snapshots.
const snapshotID = "snapshot-"

// follow logs in to ampd, with the further headers "Snapshot: yes" if it is to begin with one.
func follow(t *testing.T, name, addr string, shows bool, login ...string) *follower {
	t.Helper()
	f := &follower{
		name: name, shows: shows, shapes: newShapes(), changed: make(chan struct{}),
		state: pbx.New(), made: map[string]int{},
	}
	f.wire = openWire(t, name, addr, asterisk.Ampd, append(login, "ActionID: "+snapshotID+"0")...)
	go f.read() // ends with the connection
	if len(login) > 0 {
		f.until(t, "the snapshot", func() bool { return f.shown != nil })
	}
	return f
}

func (f *follower) read() {
	decoder := native.NewDecoder(f.wire.reader, native.FromAsterisk)
	for {
		var p codec.Packet
		err := decoder.Decode(&p)
		if err == nil {
			err = f.take(&p)
		}
		f.mu.Lock()
		if err != nil {
			f.failed = err
		}
		close(f.changed)
		f.changed = make(chan struct{})
		f.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (f *follower) take(p *codec.Packet) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if strings.HasPrefix(p.Get("ActionID"), snapshotID) {
		return f.takeItem(p, now)
	}
	if p.Kind() != codec.Event {
		return fmt.Errorf("%s: not an event: %q", f.name, p.Raw)
	}
	if p.Name() == "FullyBooted" {
		f.booted++
	}
	if p.Get("AmpdSynthetic") == "1" {
		f.made[p.Name()]++
		f.shapes.add(p)
	}
	f.state.Apply(p, now)
	if len(f.recent) >= recentMost {
		f.recent = slices.Delete(f.recent, 0, recentMost/2)
	}
	f.recent = append(f.recent, string(p.Raw))
	if f.shown == nil {
		f.since = append(f.since, p)
	}
	name, isFence := strings.CutPrefix(p.Get("UserEvent"), fence)
	if !isFence || p.Name() != "UserEvent" || !strings.HasSuffix(name, "-to") {
		return nil
	}
	if _, err := fmt.Sscanf(name, "%d-to", &f.number); err != nil {
		return err
	}
	f.fenced, f.since, f.shown = f.state.Clone(), nil, nil
	if f.shows {
		return f.wire.send("Action: AmpdSnapshot", fmt.Sprintf("ActionID: %s%d", snapshotID, f.number))
	}
	return nil
}

// takeItem takes a packet of a snapshot. That at the login, whose items stand behind the
// login's answer, is where the state begins.
func (f *follower) takeItem(p *codec.Packet, now time.Time) error {
	id := fmt.Sprintf("%s%d", snapshotID, f.number)
	if p.Get("ActionID") != id {
		return nil // of an older fence
	}
	if p.Kind() == codec.Response {
		f.answer = nil
	}
	if len(f.answer) == 0 {
		f.answer = append(f.answer, &codec.Packet{Headers: []codec.Header{{Name: "Response", Value: "Success"}}})
		if p.Kind() == codec.Response {
			return nil
		}
	}
	f.answer = append(f.answer, p)
	if p.Name() != "AmpdSnapshotComplete" {
		return nil
	}
	f.shown, f.items = pbx.New(), f.answer
	f.answer = nil
	if err := f.shown.Load(pbx.SnapshotOf(pbx.AllObjects), f.items, now); err != nil {
		return err
	}
	if f.number == 0 {
		return f.state.Load(pbx.SnapshotOf(pbx.AllObjects), f.items, now)
	}
	return nil
}

// until waits until the condition, asked with the follower's lock held, holds.
func (f *follower) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(wireLimit)
	for {
		f.mu.Lock()
		ok, failed, changed := holds(), f.failed, f.changed
		f.mu.Unlock()
		if ok {
			return
		}
		require.NoError(t, failed, "%s, waiting for %s", f.name, what)
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(t, "not within "+wireLimit.String(), "%s: %s", f.name, what)
		}
	}
}

// at is the follower's state at a fence, or, of a shower, what it was shown behind it
// and the events that came before that.
func (f *follower) at(t *testing.T, number int) (state *pbx.State, since, items []*codec.Packet) {
	t.Helper()
	f.until(t, "the fence", func() bool { return f.number == number && (!f.shows || f.shown != nil) })
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shows {
		return f.shown, f.since, f.items
	}
	return f.fenced, nil, nil
}

// synthetic returns how many events of each name ampd has made since the last time.
func (f *follower) synthetic() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	made := f.made
	f.made = map[string]int{}
	return made
}
