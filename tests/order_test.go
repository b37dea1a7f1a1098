package tests

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// orderHold is the default of order_hold.
const orderHold = 2 * time.Second

// orderLimit bounds what a session does in these tests.
const orderLimit = 4 * time.Minute

// A cause is an action that causes an event which tells whose it is.
type cause struct {
	lines lines
	event string // as attribution has it
}

// attribution tells which cause an event of the test's has, "" for all others.
func attribution(packet string) string {
	event := header(packet, "Event")
	switch event {
	case "UserEvent":
		return event + " " + header(packet, "Order")
	case "VarSet":
		return event + " " + header(packet, "Variable") + " " + header(packet, "Value")
	case "QueueMemberPause":
		return event + " " + header(packet, "PausedReason")
	case "QueueMemberPenalty":
		return event + " " + header(packet, "Interface") + " " + header(packet, "Penalty")
	case "QueueMemberAdded", "QueueMemberRemoved":
		return event + " " + header(packet, "Interface")
	case "Newchannel", "Hangup":
		return event + " " + header(packet, "Uniqueid")
	}
	return ""
}

// causeOf makes action n of a worker. Of twenty, eight are UserEvents.
func causeOf(worker, n int) cause {
	own := fmt.Sprintf("Local/%d@worker", worker)
	id := fmt.Sprintf("order-%d-%d", worker, n)
	passing := fmt.Sprintf("Local/%s@worker", id)
	switch n % 20 {
	case 0, 1, 2, 3:
		return cause{lines{"Action: Setvar", fmt.Sprintf("Variable: ORDER_%d", worker), "Value: " + id}, fmt.Sprintf("VarSet ORDER_%d %s", worker, id)}
	case 4, 5, 6:
		return cause{lines{"Action: QueuePause", "Interface: " + own, "Paused: true", "Reason: " + id}, "QueueMemberPause " + id}
	case 7, 8:
		return cause{lines{"Action: QueuePenalty", "Interface: " + own, fmt.Sprintf("Penalty: %d", n)}, fmt.Sprintf("QueueMemberPenalty %s %d", own, n)}
	case 9:
		return cause{lines{"Action: QueueAdd", "Queue: empty", "Interface: " + passing}, "QueueMemberAdded " + passing}
	case 10:
		passing = fmt.Sprintf("Local/order-%d-%d@worker", worker, n-1)
		return cause{lines{"Action: QueueRemove", "Queue: empty", "Interface: " + passing}, "QueueMemberRemoved " + passing}
	case 11:
		return cause{lines{
			"Action: Originate", "Channel: Local/c9@callers/n", "Context: misc", "Exten: wait", "Priority: 1",
			"Variable: PATIENCE=600", "ChannelId: " + id, "Async: true",
		}, "Newchannel " + id}
	}
	return cause{lines{"Action: UserEvent", "UserEvent: Order", "Order: " + id}, "UserEvent " + id}
}

// hangupOf ends the call that an Originate began.
func hangupOf(newchannel string) cause {
	id := strings.TrimPrefix(newchannel, "Newchannel ")
	return cause{lines{"Action: Hangup", "Channel: " + id}, "Hangup " + id}
}

// An ordered is what a worker saw of its actions.
type ordered struct {
	actions int
	kinds   map[string]int
	early   []string // actions whose event came before the response, and why that may be
}

// orderWorker runs n actions, some of them pipelined, and holds that each one's event
// comes behind its response, and that events of one name come in the order of the actions.
func orderWorker(w *wire, worker, n int) (result ordered, err error) {
	type step struct {
		cause
		n        int
		id       string
		turn     time.Time // when it was the session's first unanswered action, at the latest
		answered bool
		early    bool
	}
	result.kinds = map[string]int{}
	var waiting []*step           // for their responses, in their order
	byEvent := map[string]*step{} // those that have yet to see their event
	var hangups []cause           // of calls that have begun
	const pipelined = 4           // so many at most
	last := map[string]int{}      // the last action of which an event came, by the event's name
	originated, hungUp, next := 0, 0, 0
	// Each packet that comes is a sign of life, so the whole has a limit too.
	if err := w.SetReadDeadline(time.Now().Add(orderLimit)); err != nil {
		return result, err
	}
	for next < n || hungUp < originated || len(waiting) > 0 || len(byEvent) > 0 {
		for len(waiting) < pipelined && (next < n || len(hangups) > 0) {
			s := &step{n: result.actions, turn: time.Now(), id: fmt.Sprintf("%d/%d", worker, result.actions)}
			if len(hangups) > 0 {
				s.cause, hangups = hangups[0], hangups[1:]
				hungUp++
			} else {
				s.cause = causeOf(worker, next)
				next++
			}
			if strings.HasPrefix(s.event, "Newchannel") {
				originated++
			}
			result.actions++
			result.kinds[s.lines[0]]++
			byEvent[s.event] = s
			waiting = append(waiting, s)
			if err := w.send(append(slices.Clone(s.lines), "ActionID: "+s.id)...); err != nil {
				return result, err
			}
		}
		packet, err := w.read()
		if err != nil {
			return result, fmt.Errorf("with %d of %d actions sent, %d unanswered, without the events %q: %w",
				next, n, len(waiting), slices.Sorted(maps.Keys(byEvent)), err)
		}
		if !isEvent(packet) {
			if len(waiting) == 0 || header(packet, "ActionID") != waiting[0].id {
				return result, fmt.Errorf("%s: not the answer whose turn it is: %q", w.name, packet)
			}
			s := waiting[0]
			if header(packet, "Response") != "Success" {
				return result, fmt.Errorf("%s: %q answered %q", w.name, s.lines, packet)
			}
			s.answered = true
			waiting = waiting[1:]
			if len(waiting) > 0 {
				waiting[0].turn = time.Now()
			}
			if s.early {
				took := time.Since(s.turn)
				if took < orderHold {
					return result, fmt.Errorf("%s: the event of %q came before its response, which took %v", w.name, s.lines, took)
				}
				result.early = append(result.early, fmt.Sprintf("%q after %v", s.lines, took.Round(time.Millisecond)))
			}
			continue
		}
		what := attribution(packet)
		s := byEvent[what]
		if s == nil {
			continue
		}
		delete(byEvent, what)
		// Events of different names take different ways through Asterisk, and calls
		// have threads of their own.
		if event := header(packet, "Event"); event != "Newchannel" && event != "Hangup" {
			if s.n < last[event] {
				return result, fmt.Errorf("%s: the event of action %d came behind that of action %d: %q", w.name, s.n, last[event], packet)
			}
			last[event] = s.n
		}
		if !s.answered {
			s.early = true
		}
		if event := header(packet, "Event"); event == "UserEvent" && header(packet, "ActionID") != s.id {
			return result, fmt.Errorf("%s: not the ActionID %q: %q", w.name, s.id, packet)
		} else if event == "Newchannel" {
			hangups = append(hangups, hangupOf(what))
		}
	}
	return result, nil
}

func TestResponseComesBeforeItsEvents(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		const workers, actions = 8, 10_000
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{})
		d.WaitReady(t)
		control := openWire(t, "control", s.Addr, asterisk.Ampd, "Events: off")
		ctx, cancel := context.WithCancel(t.Context())
		calls := make(chan error, 1)
		go func() { // ends with the test
			_, err := s.Calls(ctx, 1_000_000, 3)
			calls <- err
		}()
		began := time.Now()
		type outcome struct {
			ordered
			err error
		}
		outcomes := make(chan outcome, workers)
		for worker := range workers {
			_, added, err := control.ask("Action: QueueAdd", "Queue: empty", fmt.Sprintf("Interface: Local/%d@worker", worker))
			require.NoError(t, err)
			require.Equal(t, "Success", header(added, "Response"), added)
			w := openWire(t, fmt.Sprintf("worker %d", worker), d.Addr, asterisk.Ampd)
			go func() { // ends with its actions or their deadline
				result, err := orderWorker(w, worker, actions/workers)
				outcomes <- outcome{result, err}
			}()
		}
		var sum ordered
		sum.kinds = map[string]int{}
		for range workers {
			o := <-outcomes
			require.NoError(t, o.err)
			sum.actions += o.actions
			sum.early = append(sum.early, o.early...)
			for kind, n := range o.kinds {
				sum.kinds[strings.TrimPrefix(kind, "Action: ")] += n
			}
		}
		took := time.Since(began)
		select {
		case err := <-calls:
			require.NoError(t, err, "the calls ended before the actions")
		default:
		}
		cancel()
		require.Error(t, <-calls, "they were cut short")
		exceeded := metric(t, d, "ampd_order_hold_exceeded_total")
		t.Logf("%s: %d actions %v of %d sessions beside calls in %.1f s (%.0f/s); %d events before their response, %d responses not begun within order_hold; %s",
			s.Version, sum.actions, sum.kinds, workers, took.Seconds(), float64(sum.actions)/took.Seconds(), len(sum.early), exceeded, sum.early)
		require.GreaterOrEqual(t, sum.actions, actions)
		require.LessOrEqual(t, len(sum.early), exceeded)
	})
}

// metric reads a counter or gauge without labels from /metrics.
func metric(t *testing.T, d *daemon.Daemon, name string) int {
	t.Helper()
	answer, err := http.Get("http://" + d.HTTP + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(t, err)
			return int(n)
		}
	}
	require.FailNow(t, "no such metric", name)
	return 0
}

// A question is an action of a session that asks for what nobody else asks, and its
// answer, which has a Ping's Timestamp cut off.
type question struct {
	lines  lines
	answer []string
}

func questionOf(session, n int) question {
	own := fmt.Sprintf("own-%d-%d", session, n)
	id := fmt.Sprintf("ActionID: %d\r\n", n)
	switch n % 10 {
	case 6:
		family, value := fmt.Sprintf("own-%d", session), fmt.Sprintf("value of %d", session)
		return question{lines{"Action: DBGet", "Family: " + family, "Key: key"}, []string{
			"Response: Success\r\n" + id + "EventList: start\r\nMessage: Result will follow\r\n\r\n",
			"Event: DBGetResponse\r\nFamily: " + family + "\r\nKey: key\r\nVal: " + value + "\r\n" + id + "\r\n",
			"Event: DBGetComplete\r\n" + id + "EventList: Complete\r\nListItems: 1\r\n\r\n",
		}}
	case 7:
		return question{lines{"Action: Ping"}, []string{"Response: Success\r\n" + id + "Ping: Pong\r\nTimestamp: "}}
	case 8:
		return question{lines{"Action: UserEvent", "UserEvent: Own", "Key: " + own}, []string{
			"Response: Success\r\n" + id + "Message: Event Sent\r\n\r\n",
		}}
	case 9:
		return question{lines{"Action: No-" + own}, []string{
			"Response: Error\r\n" + id + "Message: Invalid/unknown command: No-" + own + ". Use Action: ListCommands to show available commands.\r\n\r\n",
		}}
	}
	return question{lines{"Action: Getvar", "Variable: TOUPPER(" + own + ")"}, []string{
		"Response: Success\r\n" + id + "Variable: TOUPPER(" + own + ")\r\nValue: " + strings.ToUpper(own) + "\r\n\r\n",
	}}
}

// askAll pipelines a session's questions, their ActionIDs 1 to n, and holds that it gets
// the answers to just these, in their order, to the byte. events is how many
// UserEvents it got besides, each of them once and with the ActionID it was sent with.
func askAll(w *wire, session, n int) (events int, err error) {
	const pipelined = 50
	seen := map[string]bool{}
	var expected []string
	sent, answered := 0, 0
	if err := w.SetReadDeadline(time.Now().Add(orderLimit)); err != nil {
		return events, err
	}
	for answered < n {
		var batch strings.Builder
		for sent < n && sent-answered < pipelined {
			sent++
			q := questionOf(session, sent)
			fmt.Fprintf(&batch, "%s\r\nActionID: %d\r\n\r\n", strings.Join(q.lines, "\r\n"), sent)
			expected = append(expected, q.answer...)
		}
		if batch.Len() > 0 {
			if _, err := io.WriteString(w, batch.String()); err != nil {
				return events, err
			}
		}
		packet, err := w.read()
		if err != nil {
			return events, fmt.Errorf("with %d of %d actions answered: %w", answered, n, err)
		}
		if strings.HasPrefix(packet, "Event: UserEvent\r\n") {
			key := header(packet, "Key")
			id := key[strings.LastIndexByte(key, '-')+1:]
			if seen[key] || id == "" || header(packet, "ActionID") != id {
				return events, fmt.Errorf("%s: not as it was sent, or a second time: %q", w.name, packet)
			}
			seen[key] = true
			events++
			continue
		}
		isPong := strings.Contains(expected[0], "Ping: Pong")
		if packet != expected[0] && (!isPong || !strings.HasPrefix(packet, expected[0])) {
			return events, fmt.Errorf("%s: not its own answer: %q instead of %q", w.name, packet, expected[0])
		}
		if strings.HasPrefix(packet, "Response:") && header(packet, "EventList") == "" || header(packet, "EventList") == "Complete" {
			answered++
		}
		expected = expected[1:]
	}
	return events, nil
}

// comeAndGo has sessions with the same ActionIDs leave with their actions unanswered,
// at most twenty a second, until ctx ends. It counts them.
func comeAndGo(ctx context.Context, addr string, left *atomic.Int64) error {
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		w, err := dialWire("comes and goes", addr)
		if err != nil {
			return err
		}
		if err := w.logIn(asterisk.Ampd, "Events: off"); err != nil {
			return err
		}
		for n := range 20 {
			if err := w.send("Action: Getvar", "Variable: TOUPPER(left)", fmt.Sprintf("ActionID: %d", n+1)); err != nil {
				return err
			}
		}
		w.Close()
		left.Add(1)
		<-pace.C
	}
	return nil
}

func TestSameActionIDsNeverMix(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		const sessions = 8
		actions := 100_000
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{Plain: true})
		d.WaitReady(t)
		control := openWire(t, "control", s.Addr, asterisk.Ampd, "Events: off")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var left atomic.Int64
		leaving := make(chan error, 1)
		go func() { leaving <- comeAndGo(ctx, d.Addr, &left) }()

		type outcome struct {
			session, events int
			err             error
		}
		outcomes := make(chan outcome, sessions)
		began := time.Now()
		for session := range sessions {
			_, put, err := control.ask("Action: DBPut", fmt.Sprintf("Family: own-%d", session), "Key: key", fmt.Sprintf("Val: value of %d", session))
			require.NoError(t, err)
			require.Equal(t, "Success", header(put, "Response"), put)
		}
		for session := range sessions {
			mask := []string{"off", "user"}[session%2]
			w := openWire(t, fmt.Sprintf("session %d", session), d.Addr, asterisk.Ampd, "Events: "+mask)
			go func() { // ends with its actions or their deadline
				events, err := askAll(w, session, actions/sessions)
				outcomes <- outcome{session, events, err}
			}()
		}
		events := 0
		for range sessions {
			o := <-outcomes
			require.NoError(t, o.err)
			if o.session%2 == 0 {
				require.Zero(t, o.events)
			}
			events += o.events
		}
		took := time.Since(began)
		cancel()
		require.NoError(t, <-leaving)
		require.Positive(t, left.Load())
		require.NotZero(t, events)
		t.Logf("%s: %d actions of %d sessions with the same ActionIDs in %.1f s (%.0f/s), %d UserEvents beside them, while %d sessions left with 20 actions unanswered each",
			s.Version, actions, sessions, took.Seconds(), float64(actions)/took.Seconds(), events, left.Load())
	})
}
