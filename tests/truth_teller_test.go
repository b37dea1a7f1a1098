package tests

import (
	"fmt"
	"slices"
	"strconv"
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

// A teller tells what Asterisk itself says: a session past ampd that reads all events,
// and asks for all lists at moments at which nothing happens.
type teller struct {
	questions []pbx.Question
	shapes    *shapes // of Asterisk's own events

	// Guarded by mu.
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	wire    *wire
	look    *look
	looks   int
	names   map[string]int // of events since the last count
	failed  error          // of the wire
}

// A look is what all lists say, asked twice in a row, between two fences: UserEvents of the
// teller's own, which everybody sees. Lists and fences are one session's actions, so
// what changed while the lists were asked has its events between the fences.
type look struct {
	number  int
	fences  int               // seen
	moved   int               // events of the state between the fences
	answers [][]*codec.Packet // to the questions, and to the questions again
	whole   int               // of them
}

// lists begins the ActionIDs of a teller's questions, fence the names of its UserEvents.
const (
	listsID = "truth-list-"
	fence   = "truth-fence-"
)

// tell starts a teller. connect again after the Asterisk has been away.
func tell(t *testing.T, addr string) *teller {
	t.Helper()
	d := &teller{shapes: newShapes(), changed: make(chan struct{}), names: map[string]int{}}
	d.connect(t, addr)
	return d
}

func (d *teller) connect(t *testing.T, addr string) {
	t.Helper()
	w := openWire(t, "truth", addr, asterisk.Ampd, "Events: off")
	_, commands, err := w.ask("Action: ListCommands")
	require.NoError(t, err)
	d.questions = pbx.Questions(func(action string) bool { return header(commands, action) != "" })
	require.GreaterOrEqual(t, len(d.questions), 8)
	_, _, err = w.ask("Action: Events", "EventMask: on")
	require.NoError(t, err)
	d.note(func() { d.wire, d.failed = w, nil })
	go d.read(w) // ends with the connection
}

func (d *teller) note(what func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	what()
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *teller) read(w *wire) {
	decoder := native.NewDecoder(w.reader, native.FromAsterisk)
	for {
		var p codec.Packet
		err := decoder.Decode(&p)
		d.note(func() {
			switch {
			case d.wire != w: // another one is there
			case err != nil:
				d.failed = err
			default:
				d.take(&p)
			}
		})
		if err != nil {
			return
		}
	}
}

func (d *teller) take(p *codec.Packet) {
	if name := p.Get("UserEvent"); p.Name() == "UserEvent" && d.look != nil {
		if strings.HasPrefix(name, fmt.Sprintf("%s%d-", fence, d.look.number)) {
			d.look.fences++
		}
		return
	}
	if id, mine := strings.CutPrefix(p.Get("ActionID"), listsID); mine && p.Name() != "OriginateResponse" {
		d.look.answer(id, p)
		return
	}
	if p.Kind() != codec.Event {
		return
	}
	d.shapes.add(p)
	d.names[p.Name()]++
	if d.look != nil && d.look.fences == 1 && isOfState(p) {
		d.look.moved++
	}
}

// isOfState tells whether an event is of a class whose events the state hangs on.
func isOfState(p *codec.Packet) bool {
	class, _, _ := strings.Cut(p.Get("Privilege"), ",")
	return slices.Contains([]string{"call", "agent", "system", "dialplan"}, class)
}

func (l *look) answer(id string, p *codec.Packet) {
	number, at, _ := strings.Cut(id, "-")
	i, err := strconv.Atoi(at)
	if number != strconv.Itoa(l.number) || err != nil || i >= len(l.answers) {
		return // of a look that failed
	}
	l.answers[i] = append(l.answers[i], p)
	list := p.Get("EventList")
	if p.Kind() == codec.Response && !strings.EqualFold(list, "start") || p.Kind() == codec.Event && list != "" {
		l.whole++
	}
}

// asked has the questions answered once.
func (d *teller) asked(t *testing.T) *look {
	t.Helper()
	n := len(d.questions)
	var l *look
	var w *wire
	d.note(func() {
		d.looks++
		l = &look{number: d.looks, answers: make([][]*codec.Packet, 2*n)}
		d.look, w = l, d.wire
	})
	var text strings.Builder
	send := func(lines ...string) { text.WriteString(strings.Join(lines, "\r\n") + "\r\n\r\n") }
	send("Action: UserEvent", fmt.Sprintf("UserEvent: %s%d-from", fence, l.number))
	for i := range l.answers {
		send("Action: "+d.questions[i%n].Action, fmt.Sprintf("ActionID: %s%d-%d", listsID, l.number, i))
	}
	send("Action: UserEvent", fmt.Sprintf("UserEvent: %s%d-to", fence, l.number))
	_, err := w.Write([]byte(text.String()))
	require.NoError(t, err)
	d.until(t, "all lists", func() bool { return l.fences == 2 && l.whole == len(l.answers) })
	return l
}

// until waits until the condition, asked with the teller's lock held, holds.
func (d *teller) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(wireLimit)
	for {
		d.mu.Lock()
		ok, failed, changed := holds(), d.failed, d.changed
		d.mu.Unlock()
		if ok {
			return
		}
		require.NoError(t, failed, "the session past ampd, waiting for %s", what)
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(t, "not within "+wireLimit.String(), "the session past ampd: %s", what)
		}
	}
}

// truth is the state as all lists say it at a moment at which nothing happens: no event stands
// between the fences, and both times the lists say the same. number is that of the fences.
func (d *teller) truth(t *testing.T) (number int, state *pbx.State, answers [][]*codec.Packet) {
	t.Helper()
	timeout := time.After(2 * wireLimit)
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		l := d.asked(t)
		if l.moved == 0 {
			now := time.Now()
			n := len(d.questions)
			once, again := d.load(t, l.answers[:n], now), d.load(t, l.answers[n:], now)
			if len(differ(again, once, func(pbx.Field) bool { return true })) == 0 {
				return l.number, again, l.answers[n:]
			}
		}
		select {
		case <-pause.C:
		case <-timeout:
			require.FailNow(t, "Asterisk does not come to rest", "%d events in the last look", l.moved)
		}
	}
}

func (d *teller) load(t *testing.T, answers [][]*codec.Packet, now time.Time) *pbx.State {
	t.Helper()
	s := pbx.New()
	for i, q := range d.questions {
		require.NoError(t, s.Load(q, answers[i], now))
	}
	return s
}

// count returns how many events of each name came since the last time.
func (d *teller) count() (names map[string]int) {
	d.note(func() { names, d.names = d.names, map[string]int{} })
	return names
}
