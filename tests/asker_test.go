package tests

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An asker sends actions without end and holds that each gets exactly one answer, in
// the order of the actions, and that nothing stands inside a list. Two goroutines
// serve it, which end with the connection; stop ends the sending before.
type asker struct {
	wire *wire
	next func(n int) lines // the action to send as its nth
	stop chan struct{}

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change
	sent     int
	packets  int      // received
	open     []*asked // in their order
	answered []*asked
	booted   []time.Time // when FullyBooted events came, the login's own included
	userEvts []string    // UserEvents by their names
	broken   error       // the first thing that must not be
	ended    bool        // the connection has
}

// asked is one action and its answer.
type asked struct {
	lines       lines
	id          string
	sent, ended time.Time
	response    string // the packet, "" while it has not come
	list        bool
	items       int
	item        string // how its items begin, up to their ActionID
	end         string // "Complete" or "Cancelled" of a list
	message     string // of the response, or of a list's end
}

// askFrom starts an asker on a wire that is logged in. It sends an action each pace
// while it has fewer than pipelined unanswered.
func askFrom(w *wire, pipelined int, pace time.Duration, next func(n int) lines) *asker {
	a := &asker{wire: w, next: next, stop: make(chan struct{}), changed: make(chan struct{})}
	go a.receive()
	go a.send(pipelined, pace)
	return a
}

func (a *asker) note(what func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	what()
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *asker) send(pipelined int, pace time.Duration) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		var q *asked
		a.note(func() {
			select {
			case <-a.stop: // who waits for the answers has seen all questions
				return
			default:
			}
			if a.ended || len(a.open) >= pipelined {
				return
			}
			q = &asked{lines: a.next(a.sent), id: strconv.Itoa(a.sent), sent: time.Now()}
			a.sent++
			a.open = append(a.open, q)
		})
		if q != nil {
			if err := a.wire.send(append(slices.Clone(q.lines), "ActionID: "+q.id)...); err != nil {
				return // the receiver says why
			}
		}
		select {
		case <-tick.C:
		case <-a.stop:
			return
		}
	}
}

func (a *asker) receive() {
	for {
		packet, err := a.wire.read()
		a.note(func() {
			a.packets++
			switch {
			case errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed):
				a.ended = true
			case err != nil:
				a.ended, a.broken = true, err
			default:
				if err := a.take(packet); err != nil && a.broken == nil {
					a.broken = fmt.Errorf("%s: %w: %q", a.wire.name, err, packet)
				}
			}
		})
		if err != nil {
			return
		}
	}
}

// take judges a packet.
func (a *asker) take(packet string) error {
	var first *asked
	if len(a.open) > 0 {
		first = a.open[0]
	}
	inList := first != nil && first.list
	if inList && first.item != "" && strings.HasPrefix(packet, first.item) { // most packets are such
		first.items++
		return nil
	}
	id := header(packet, "ActionID")
	isItem := isEvent(packet) && id != "" && header(packet, "Privilege") == "" || header(packet, "Privilege") == "Call"
	switch {
	case !isEvent(packet) && first == nil:
		return errors.New("an answer that nobody asked for")
	case !isEvent(packet) && inList:
		return fmt.Errorf("a response inside the answer to %q", first.lines)
	case !isEvent(packet) && id != first.id:
		return fmt.Errorf("not the answer to %q", first.lines)
	case !isEvent(packet):
		first.response, first.message = packet, header(packet, "Message")
		first.list = header(packet, "EventList") == "start"
		if !first.list {
			a.answer()
		}
	case isItem && (!inList || id != first.id):
		return errors.New("an item outside its list")
	case isItem && header(packet, "EventList") != "":
		first.end = header(packet, "EventList")
		if first.end == "Cancelled" {
			first.message = header(packet, "Message")
			if header(packet, "ListItems") != strconv.Itoa(first.items) {
				return fmt.Errorf("the list had %d items", first.items)
			}
		}
		a.answer()
	case isItem:
		first.items++
		if i := strings.Index(packet, "\r\nActionID: "+id+"\r\n"); i > 0 && header(packet, "Event") != "" {
			first.item = packet[:i] + "\r\nActionID: " + id + "\r\n"
		}
	case inList:
		return fmt.Errorf("an event inside the answer to %q", first.lines)
	case header(packet, "Event") == "FullyBooted":
		a.booted = append(a.booted, time.Now())
	case header(packet, "Event") == "UserEvent":
		a.userEvts = append(a.userEvts, header(packet, "UserEvent"))
	}
	return nil
}

// answer takes the first open action as answered.
func (a *asker) answer() {
	first := a.open[0]
	first.ended = time.Now()
	a.open = a.open[1:]
	a.answered = append(a.answered, first)
}

// succeeded tells whether Asterisk itself answered, to the end.
func (q *asked) succeeded() bool {
	return header(q.response, "Response") == "Success" && q.end != "Cancelled"
}

// outcome is what an answer was, in a few words.
func (q *asked) outcome() string {
	switch {
	case q.end == "Cancelled":
		return "Cancelled: " + q.message
	case q.succeeded():
		return "Success"
	}
	return q.message
}

// until waits until the condition, asked with the asker's lock held, holds.
func (a *asker) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(wireLimit)
	for {
		a.mu.Lock()
		ok, broken, ended, changed := holds(), a.broken, a.ended, a.changed
		open := len(a.open)
		a.mu.Unlock()
		require.NoError(t, broken)
		if ok {
			return
		}
		if ended {
			require.FailNow(t, "the connection has ended", "%s: before %s", a.wire.name, what)
		}
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(t, "not within "+wireLimit.String(), "%s: %s; %d actions open", a.wire.name, what, open)
		}
	}
}

// answers is how many it has got so far.
func (a *asker) answers() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.answered)
}

// inList tells whether a part of a list has come.
func (a *asker) inList() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open) > 0 && a.open[0].list
}

// outcomes counts how the answers of some askers were.
func outcomes(askers []*asker) map[string]int {
	count := map[string]int{}
	for _, a := range askers {
		a.mu.Lock()
		for _, q := range a.answered {
			count[q.outcome()]++
		}
		a.mu.Unlock()
	}
	return count
}

func inWords(count map[string]int) string {
	var words []string
	for _, what := range slices.Sorted(maps.Keys(count)) {
		words = append(words, fmt.Sprintf("%d %q", count[what], what))
	}
	return strings.Join(words, ", ")
}
