package tests

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

// numberedEvents are UserEvents that a client of the Asterisk's own sends, numbered from 0.
type numberedEvents struct {
	stop  chan struct{}
	ended chan error

	mu   sync.Mutex // of sending
	wire *wire
	next int
}

// eventPace is the time between two events while nothing more is sent.
const eventPace = 20 * time.Millisecond

// startEvents sends an event each eventPace at the Asterisk at that address.
func startEvents(t *testing.T, addr string) *numberedEvents {
	t.Helper()
	e := &numberedEvents{stop: make(chan struct{}), ended: make(chan error, 1)}
	e.wire = openWire(t, "sender", addr, asterisk.Ampd, "Events: off")
	go func() { e.ended <- e.flow() }() // ends with stop, or the connection
	return e
}

func (e *numberedEvents) flow() error {
	tick := time.NewTicker(eventPace)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-e.stop:
			return e.send(1, 0, "Last: yes")
		}
		if err := e.send(1, 0); err != nil {
			return err
		}
	}
}

// send sends n events with so many KB of padding each.
func (e *numberedEvents) send(n, kilobytes int, headers ...string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for range kilobytes {
		headers = append(headers, "Pad: "+strings.Repeat("x", 1000))
	}
	for range n {
		_, answer, err := e.wire.ask(append([]string{"Action: UserEvent", "UserEvent: Numbered", fmt.Sprintf("Number: %d", e.next)}, headers...)...)
		if err != nil {
			return err
		}
		if header(answer, "Response") != "Success" {
			return fmt.Errorf("%s: %q", e.wire.name, answer)
		}
		e.next++
	}
	return nil
}

// goodClients read numbered events and, every fenceEvery of them, put a fence: an action
// whose answer must come, and, if it is a Ping, behind every event that any of them had
// when it was sent. Each is served by a goroutine that ends with the last event, or the
// connection.
type goodClients struct {
	wires  []*wire
	events *numberedEvents
	done   chan error

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	fences  []int         // completed, by client
	latest  int           // the number of the last event that any of them has
	failed  error         // the first
}

// fenceEvery is how many events pass between two fences of a client. One in pbxFence is an
// action that goes to Asterisk, the others are Pings.
const (
	fenceEvery = 5
	pbxFence   = 16
)

// goodLimit bounds what a well-behaved client waits for anything, on a machine that has
// more to do than this test.
const goodLimit = time.Minute

// startGood logs in n clients, that of their events that come from now on miss none.
func startGood(t *testing.T, n int, addr string, events *numberedEvents, login ...string) *goodClients {
	t.Helper()
	g := &goodClients{events: events, done: make(chan error, n), changed: make(chan struct{}), fences: make([]int, n), latest: -1}
	events.mu.Lock() // none comes while they log in
	defer events.mu.Unlock()
	for i := range n {
		g.wires = append(g.wires, openWire(t, fmt.Sprintf("good client %d", i), addr, asterisk.Ampd, append(login, "Events: user")...))
	}
	next := events.next
	for i, w := range g.wires {
		go func() { g.done <- g.serve(i, w, next) }()
	}
	return g
}

func (g *goodClients) note(what func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	what()
	close(g.changed)
	g.changed = make(chan struct{})
}

// serve reads events from number next on.
func (g *goodClients) serve(i int, w *wire, next int) error {
	last, err := false, error(nil)
	for n := i; !last && err == nil; n++ { // so that not all do the same at the same time
		most := fenceEvery
		if n == i {
			most = i % fenceEvery
		}
		next, last, err = g.fence(w, n, next, most)
		g.note(func() {
			switch {
			case err == nil:
				g.fences[i]++
			case g.failed == nil:
				g.failed = fmt.Errorf("%s: fence %d: %w", w.name, n, err)
			}
		})
	}
	return err
}

// fence puts the nth fence of a client that awaits event next, and reads its answer and
// so many events or up to the last.
func (g *goodClients) fence(w *wire, n, next, most int) (_ int, last bool, err error) {
	id := strconv.Itoa(n)
	action, answer := lines{"Action: Ping"}, "Response: Success\r\nActionID: "+id+"\r\nPing: Pong\r\n"
	ping := n%pbxFence != 0
	if !ping {
		action, answer = lines{"Action: Getvar", "Variable: FENCE"}, "Response: Success\r\nActionID: "+id+"\r\nVariable: FENCE\r\nValue: \r\n\r\n"
	}
	g.mu.Lock()
	before := g.latest
	g.mu.Unlock()
	if err := w.SetDeadline(time.Now().Add(goodLimit)); err != nil {
		return next, false, err
	}
	if err := w.send(append(action, "ActionID: "+id)...); err != nil {
		return next, false, err
	}
	for answered, events := false, 0; !answered || events < most && !last; {
		packet, err := w.read()
		if err != nil {
			return next, false, fmt.Errorf("event %d or answer %s: %w", next, id, err)
		}
		switch {
		case isEvent(packet):
			if header(packet, "Number") != strconv.Itoa(next) {
				return next, false, fmt.Errorf("not event %d: %q", next, packet)
			}
			g.mu.Lock()
			g.latest = max(g.latest, next)
			g.mu.Unlock()
			next++
			events++
			last = header(packet, "Last") != ""
		case answered || !strings.HasPrefix(packet, answer):
			return next, false, fmt.Errorf("not the answer to %q: %q", action, packet)
		case ping && next <= before:
			return next, false, fmt.Errorf("Pong before event %d, which another client had before the Ping", before)
		default:
			answered = true
		}
	}
	return next, last, nil
}

// carryOn waits until each has completed n fences more.
func (g *goodClients) carryOn(t *testing.T, n int) {
	t.Helper()
	timeout := time.After(2 * goodLimit)
	g.mu.Lock()
	want := make([]int, len(g.fences))
	for i := range want {
		want[i] = g.fences[i] + n
	}
	g.mu.Unlock()
	for {
		g.mu.Lock()
		behind, failed, changed := 0, g.failed, g.changed
		for i := range want {
			if g.fences[i] < want[i] {
				behind++
			}
		}
		g.mu.Unlock()
		require.NoError(t, failed)
		if behind == 0 {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(t, "well-behaved clients can't carry on", "%d of %d", behind, len(want))
		}
	}
}

// end sends the last event and holds that each got all of them, in order, none twice, and
// the answers to all its fences.
func (g *goodClients) end(t *testing.T) {
	t.Helper()
	close(g.events.stop)
	require.NoError(t, <-g.events.ended)
	var all []error
	for range g.wires {
		all = append(all, <-g.done)
	}
	require.NoError(t, errors.Join(all...))
	fences := 0
	for _, n := range g.fences {
		fences += n
	}
	t.Logf("%d well-behaved clients had all %d events and completed %d fences", len(g.wires), g.events.next, fences)
}
