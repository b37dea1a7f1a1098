package tests

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// A view is a way to look at the events: an account, a mask at login, actions behind
// it.
type view struct {
	account asterisk.Account
	login   string  // the value of the login's header Events, "-" for no such header
	setup   []lines // Events and Filter
	busy    bool    // runs actions of its own meanwhile
}

// lines are an action without ActionID.
type lines []string

func eventMask(mask string) lines { return lines{"Action: Events", "EventMask: " + mask} }

func filter(filter string) lines {
	return lines{"Action: Filter", "Operation: Add", "Filter: " + filter}
}

func criteria(criteria, pattern string) lines {
	return lines{"Action: Filter", "Operation: Add", "MatchCriteria: " + criteria, "Filter: " + pattern}
}

// all sees whatever there is, first as every other view sees a part of it.
var all = view{account: asterisk.Ampd, login: "-"}

var views = []view{
	all,
	{account: asterisk.Ampd, login: "-", busy: true},
	{account: asterisk.Ampd, login: "on"},

	// The mask at login.
	{account: asterisk.Ampd, login: "off"},
	{account: asterisk.Ampd, login: "call"},
	{account: asterisk.Ampd, login: "agent"},
	{account: asterisk.Ampd, login: "user"},
	{account: asterisk.Ampd, login: "system"},
	{account: asterisk.Ampd, login: "dialplan"},
	{account: asterisk.Ampd, login: "reporting"},
	{account: asterisk.Ampd, login: "security"},
	{account: asterisk.Ampd, login: "call,agent", busy: true},
	{account: asterisk.Ampd, login: "system,call,agent,user,dialplan"},
	{account: asterisk.Ampd, login: "dtmf,cdr,cc,aoc,agi,test,message"},
	{account: asterisk.Ampd, login: "all"},
	{account: asterisk.Ampd, login: "nosuch"},
	{account: asterisk.Ampd, login: "Call, agent"}, // case and blanks count
	{account: asterisk.Ampd, login: "c,agent"},     // what is not the last is a beginning
	{account: asterisk.Ampd, login: "66"},          // call and user
	{account: asterisk.Ampd, login: "-1"},

	// The mask by the action, which takes the place of the login's.
	{account: asterisk.Ampd, login: "off", setup: []lines{eventMask("call,user")}},
	{account: asterisk.Ampd, login: "call", setup: []lines{eventMask("off")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{eventMask("off"), eventMask("agent,dialplan")}},
	{account: asterisk.Ampd, login: "off", setup: []lines{eventMask("on")}},
	{account: asterisk.Ampd, login: "agent", setup: []lines{eventMask("")}}, // invalid: no change

	// Filters as they always were: a regular expression over the whole text.
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("!Event: VarSet")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("!Event: (VarSet|Newexten|TestEvent)")}, busy: true},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("!Event: VarSet"), filter("!Event: Newexten"), filter("!Channel: Local/10")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("Event: Newchannel")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("Event: Queue"), filter("Event: Agent")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("Queue: support"), filter("!Event: QueueMemberStatus")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("^Event: Hang")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("Uniqueid: [^\r]*[02468]\r")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("Channel: Local/c[0-9]+@callers-[0-9a-f]{8};[12]")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("!.*")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("event: hangup")}},               // case counts
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("("), filter("!Event: VarSet")}}, // the first is no expression
	{account: asterisk.Ampd, login: "-", setup: []lines{filter("")}},                            // an error in 22, all in 16
	{account: asterisk.Ampd, login: "call,agent", setup: []lines{filter("Linkedid: .*[13579]"), filter("!ConnectedLineNum: <unknown>")}},
	{account: asterisk.Ampd, login: "user", setup: []lines{filter("Key: [[:digit:]]+")}},
	{account: asterisk.Ampd, login: "call", setup: []lines{filter("!Event: New"), eventMask("call,dialplan")}},

	// Criteria, which Asterisk 16 does not look at.
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("action(exclude),name(VarSet)", "")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("name(Newstate)", ""), criteria("name(Hangup)", "")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("header(Channel),method(starts_with)", "Local/c")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("header(Queue),method(exact)", "sales")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("action(exclude),header(Channel),method(ends_with)", ";2")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("name(UserEvent),header(Key),method(contains)", "2")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("name(VarSet),header(Variable),method(regex)", "^(CALL|RTP)")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("method(contains)", "Exten: 60"), criteria("action(exclude),name(Newexten)", "")}},
	{account: asterisk.Ampd, login: "-", setup: []lines{criteria("name()", ""), filter("!Event: VarSet")}}, // the first is none
	{account: asterisk.Ampd, login: "call,agent", setup: []lines{criteria("header(Linkedid:),method(regex)", "[02468]$")}},

	// Rights.
	{account: asterisk.Limited, login: "-"},
	{account: asterisk.Limited, login: "on", busy: true},
	{account: asterisk.Limited, login: "agent,user"},
	{account: asterisk.Limited, login: "-", setup: []lines{eventMask("call")}},
	{account: asterisk.Limited, login: "-", setup: []lines{filter("Event: Newchannel")}}, // Permission denied
	{account: asterisk.Limited, login: "off"},

	// Filters of the account.
	{account: asterisk.Filtered, login: "-"},
	{account: asterisk.Filtered, login: "call,dialplan"},
	{account: asterisk.Filtered, login: "-", setup: []lines{filter("!Event: TestEvent"), filter("Channel: Local/")}},
	{account: asterisk.Filtered, login: "-", setup: []lines{criteria("name(VarSet)", "")}},
}

// lateViews log in while calls go on. What they see differs by when they came.
var lateViews = []view{
	all,
	{account: asterisk.Ampd, login: "agent,call,user"},
	{account: asterisk.Limited, login: "-"},
	{account: asterisk.Filtered, login: "-"},
}

func (v view) String() string {
	text := v.account.Name + ", Events: " + v.login
	for _, a := range v.setup {
		text += fmt.Sprintf(", %q", a[1:])
	}
	return text
}

// A recording is all that a session gets, in a file: a reader that does no more than
// that is never the one who is too slow.
type recording struct {
	view  view
	wire  *wire
	file  *os.File
	ended chan error // of the goroutine that records, given once
}

// record logs in as the view says and records from then on. The answers of the
// setup are returned.
func record(t *testing.T, road, addr string, v view) (*recording, []string) {
	t.Helper()
	var login []string
	if v.login != "-" {
		login = []string{"Events: " + v.login}
	}
	w := openWire(t, road+": "+v.String(), addr, v.account, login...)
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	var answers []string
	for i, a := range v.setup {
		before, answer, err := w.ask(append(slices.Clone(a), fmt.Sprintf("ActionID: setup-%d", i))...)
		require.NoError(t, err)
		answers = append(answers, answer)
		_, err = file.WriteString(strings.Join(before, ""))
		require.NoError(t, err)
	}
	r := &recording{view: v, wire: w, file: file, ended: make(chan error, 1)}
	go func() { // ends with the connection
		_, err := io.Copy(file, w.reader)
		r.ended <- err
	}()
	return r, answers
}

// A catalogue numbers events, so that each text is kept once.
type catalogue struct {
	numbers map[string]int32
	texts   []string
}

func (c *catalogue) number(packet []byte) int32 {
	n, known := c.numbers[string(packet)]
	if !known {
		n = int32(len(c.texts))
		c.texts = append(c.texts, string(packet))
		c.numbers[c.texts[n]] = n
	}
	return n
}

// notCompared are packets that are left out, by their beginning. The security events
// of logins need not be: those of a session's own come before the marker, and those
// of others reach both roads alike.
var notCompared = []struct{ beginning, reason string }{
	{
		"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: ",
		"the login's own, written past the queue of events; it tells the seconds at that moment",
	},
}

// play returns the events of a recording and how many answers stood between them.
// The recording must end as one of a session that nobody cut: with Asterisk's
// goodbye.
func (r *recording) play(t *testing.T, texts *catalogue) (events []int32, answers int) {
	t.Helper()
	data, err := os.ReadFile(r.file.Name())
	require.NoError(t, err)
	require.True(t, bytes.HasSuffix(data, goodbye), "%s was cut after %q", r.wire.name, data[max(0, len(data)-300):])
	data = bytes.TrimSuffix(data, goodbye)
	for len(data) > 0 {
		if rest, stray := bytes.CutPrefix(data, []byte("\r\n")); stray {
			require.True(t, strings.HasPrefix(r.wire.name, "direct"), "%s: an empty line between packets", r.wire.name)
			data = rest
			continue
		}
		end := bytes.Index(data, []byte("\r\n\r\n")) + 4
		require.Greater(t, end, 4, "%s: half a packet", r.wire.name)
		packet := data[:end]
		data = data[end:]
		switch {
		case bytes.HasPrefix(packet, []byte("Response:")):
			answers++
		case !slices.ContainsFunc(notCompared, func(left struct{ beginning, reason string }) bool {
			return bytes.HasPrefix(packet, []byte(left.beginning))
		}):
			events = append(events, texts.number(packet))
		}
	}
	return events, answers
}

var goodbye = []byte("Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n")

// A road is how sessions reach the Asterisk.
type road struct {
	name, addr string
	marks      *wire      // sees UserEvents only
	all        *recording // sees all, from first to last
	sessions   []*recording
	late       []*recording
}

func (r *road) recordings() []*recording {
	return slices.Concat([]*recording{r.all}, r.sessions, r.late)
}

func TestEventsAreThoseOfDirectSessions(t *testing.T) {
	oneVersionAtATime(t, func(t *testing.T, version string) {
		calls, rate := 900, 5.0 // three minutes
		if testing.Short() {
			calls, rate = 90, 6.0
		}
		s := asterisk.Start(t, version, asterisk.Conf("manager.conf", "[general](+)\ntimestampevents = yes"))
		d := daemon.Start(t, s.Addr, daemon.Config{Plain: true, Sessions: "\n[state]\nresync = \"24h\""}) // makes no events up
		d.WaitReady(t)
		direct, through := &road{name: "direct", addr: s.Addr}, &road{name: "ampd", addr: d.Addr}
		roads := []*road{direct, through}
		control := openWire(t, "control", s.Addr, asterisk.Ampd, "Events: off")
		for _, r := range roads {
			r.marks = openWire(t, r.name+" marks", r.addr, asterisk.Ampd, "Events: user")
			r.all, _ = record(t, r.name, r.addr, all)
		}
		for _, v := range views {
			var answers [2][]string
			for i, r := range roads {
				var session *recording
				session, answers[i] = record(t, r.name, r.addr, v)
				r.sessions = append(r.sessions, session)
			}
			require.Equal(t, answers[0], answers[1], v)
		}
		began := time.Now()
		mark(t, control, "from", roads)

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		made := make(chan error, 1)
		go func() { // ends with the calls
			_, err := s.Calls(ctx, calls, rate)
			made <- err
		}()
		aside, stop := context.WithCancel(ctx)
		var beside sync.WaitGroup
		failed := make(chan error, 3)
		for _, run := range []func() error{
			func() error { return oddities(aside, s.Addr) },
			func() error { return refusedLogins(aside, s.Addr) },
			func() error { return questions(aside, roads) },
		} {
			beside.Go(func() { failed <- run() })
		}

		// In the middle of the calls more sessions come.
		for _, r := range roads {
			waitMark(t, r, "odd-50")
		}
		for _, v := range lateViews {
			for _, r := range roads {
				session, _ := record(t, r.name, r.addr, v)
				r.late = append(r.late, session)
			}
		}
		require.NoError(t, <-made)
		stop()
		beside.Wait()
		for range 3 {
			require.NoError(t, <-failed)
		}
		mark(t, control, "to", roads)
		took := time.Since(began)

		// Now all sessions have got, or have waiting before the answer to what they
		// say now, all events up to the marker.
		for _, r := range roads {
			for _, session := range r.recordings() {
				require.NoError(t, session.wire.send("Action: Logoff"))
			}
		}
		for _, r := range roads {
			for _, session := range r.recordings() {
				select {
				case err := <-session.ended:
					require.NoError(t, err, session.wire.name)
				case <-time.After(wireLimit):
					require.FailNow(t, "no goodbye", session.wire.name)
				}
			}
		}

		texts := &catalogue{numbers: map[string]int32{}}
		whole, _ := direct.all.play(t, texts)
		before, after := around(t, texts, whole)
		whole, _ = through.all.play(t, texts)
		beforeToo, afterToo := around(t, texts, whole) // that road's may have ended later
		maps.Copy(before, beforeToo)
		maps.Copy(after, afterToo)
		answers := 0
		marked := func(r *recording) []int32 {
			events, n := r.play(t, texts)
			if r.view.busy {
				require.Positive(t, n, r.wire.name)
				answers += n
			}
			return within(events, before, after)
		}
		same := func(a, b *recording) int {
			want := marked(a)
			requireSameEvents(t, a.view, texts, want, marked(b))
			return len(want)
		}
		most := same(direct.all, through.all)
		require.Greater(t, most, 20*calls)
		total, none := 0, 0
		for i := range views {
			got := same(direct.sessions[i], through.sessions[i])
			total += got
			if got == 0 {
				none++
			}
		}
		lateTotal := 0
		for i, v := range lateViews {
			want, got := common(marked(direct.late[i]), marked(through.late[i]))
			requireSameEvents(t, v, texts, want, got)
			require.NotEmpty(t, want, v)
			lateTotal += len(want)
		}
		require.GreaterOrEqual(t, len(views)-none, 50)
		t.Logf("%s: %d calls in %.0f s: %d sessions on each road got the same %d events; one that sees all got %d (%d/s) of %d kinds, %d got none by their mask or filters; "+
			"%d more that logged in meanwhile got the same %d; %d answers stood between them",
			s.Version, calls, took.Seconds(), len(views), total, most, most/int(took.Seconds()), kinds(texts, within(whole, before, after)), none,
			len(lateViews), lateTotal, answers)
	})
}

// mark sends a UserEvent and waits until it has gone through both roads.
func mark(t *testing.T, control *wire, name string, roads []*road) {
	t.Helper()
	_, _, err := control.ask("Action: UserEvent", "UserEvent: "+name)
	require.NoError(t, err)
	for _, r := range roads {
		waitMark(t, r, name)
	}
}

func waitMark(t *testing.T, r *road, name string) {
	t.Helper()
	require.NoError(t, r.marks.SetReadDeadline(time.Now().Add(2*time.Minute)))
	for {
		packet, err := r.marks.read()
		require.NoError(t, err)
		if header(packet, "UserEvent") == name {
			return
		}
	}
}

// around returns the events that the session that sees all got before the first
// marker and behind the second one.
func around(t *testing.T, texts *catalogue, events []int32) (before, after map[int32]bool) {
	t.Helper()
	before, after = map[int32]bool{}, map[int32]bool{}
	into := before
	for _, n := range events {
		mark := header(texts.texts[n], "UserEvent")
		if mark == "from" {
			into = nil
		}
		if into != nil {
			into[n] = true
		}
		if mark == "to" {
			into = after
		}
	}
	require.NotEmpty(t, before)
	return before, after
}

// within cuts what came before and after the markers off both ends.
func within(events []int32, before, after map[int32]bool) []int32 {
	for len(events) > 0 && before[events[0]] {
		events = events[1:]
	}
	for len(events) > 0 && after[events[len(events)-1]] {
		events = events[:len(events)-1]
	}
	return events
}

// common cuts off what only the one got who came first.
func common(a, b []int32) ([]int32, []int32) {
	if len(a) > 0 && len(b) > 0 {
		if i := slices.Index(a, b[0]); i >= 0 {
			return a[i:], b
		}
		if i := slices.Index(b, a[0]); i >= 0 {
			return a, b[i:]
		}
	}
	return a, b
}

func requireSameEvents(t *testing.T, v view, texts *catalogue, want, got []int32) {
	t.Helper()
	got = slices.DeleteFunc(slices.Clone(got), func(n int32) bool { // documented (26)
		return strings.HasSuffix(texts.texts[n], "\r\nAmpdSynthetic: 1\r\n\r\n")
	})
	if slices.Equal(want, got) {
		return
	}
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	show := func(events []int32) string {
		var text strings.Builder
		for _, n := range events[max(0, min(i-1, len(events))):min(i+3, len(events))] {
			fmt.Fprintf(&text, "  %q\n", texts.texts[n])
		}
		return text.String()
	}
	require.FailNow(t, "not the events of a direct session", "%s: event %d of %d direct ones and of %d through ampd; with the one before it\ndirect:\n%sampd:\n%s",
		v, i, len(want), len(got), show(want), show(got))
}

// kinds counts the names of events.
func kinds(texts *catalogue, events []int32) int {
	found := map[string]bool{}
	for _, n := range events {
		found[header(texts.texts[n], "Event")] = true
	}
	return len(found)
}

// odd actions cause events that calls through queues do not.
var odd = []lines{
	{"Action: UserEvent", "UserEvent: plain", "Key: 12"},
	{"Action: UserEvent", "UserEvent: With: colon", "Key:no blank", "Key: again", "Empty:", "Empty: "},
	{"Action: UserEvent", "UserEvent: bytes", "Key: \xc3\xa4\xff\x80\t ", "ActionID: HASH_1#/\xe2\x82\xac"},
	{"Action: UserEvent", "UserEvent: forged", "Event: Hangup", "Response: Success", "Privilege: call,all", "EventList: start", "Channel: Local/c1@callers-0;1"},
	{"Action: UserEvent", "UserEvent: long", "Key: " + strings.Repeat("0123456789", 100)},
	{"Action: QueuePause", "Interface: Local/1001@agents/n", "Paused: true", "Reason: lunch; back at 1"},
	{"Action: QueuePause", "Interface: Local/1001@agents/n", "Paused: false"},
	{"Action: QueuePenalty", "Interface: Local/1002@agents/n", "Penalty: 3"},
	{"Action: QueueAdd", "Queue: empty", "Interface: Local/1009@agents/n", "MemberName: Zoe \"Nine\""},
	{"Action: QueueRemove", "Queue: empty", "Interface: Local/1009@agents/n"},
	{"Action: Setvar", "Variable: ODD", "Value: a: b, c=d \xc3\xbc"},
	{"Action: Setvar", "Variable: DEVICE_STATE(Custom:a1001)", "Value: BUSY"},
	{"Action: Setvar", "Variable: DEVICE_STATE(Custom:a1001)", "Value: NOT_INUSE"},
	{"Action: Reload", "Module: app_queue"},
	{"Action: Originate", "Channel: Local/busy@callers/n", "Context: misc", "Exten: wait", "Priority: 1", "Async: true", "ActionID: odd/1"},
	{"Action: Originate", "Channel: Local/nosuch@nowhere/n", "Context: misc", "Exten: wait", "Priority: 1", "Async: true", "ActionID: odd/2"},
	{"Action: Originate", "Channel: Local/c7@callers/n", "Context: queue-entry", "Exten: 700", "Priority: 1", "Async: true", "Variable: PATIENCE=5"},
	{"Action: Originate", "Channel: Local/c8@callers/n", "Context: misc", "Exten: conf", "Priority: 1", "Async: true", "Variable: PATIENCE=4"},
	{"Action: Originate", "Channel: Local/loop291@misc/n", "Context: callers", "Exten: c5", "Priority: 1", "Async: true", "Variable: PATIENCE=4"},
	{"Action: Hangup", "Channel: /^Local/1003@agents-.*/"},
	{"Action: NoSuchAction"},
}

// oddities sends the odd actions in turn, directly, one in 100 ms, until ctx ends.
// Behind each comes a UserEvent that counts them.
func oddities(ctx context.Context, addr string) error {
	w, err := dialWire("odd actions", addr)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.logIn(asterisk.Ampd, "Events: off"); err != nil {
		return err
	}
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		for _, a := range []lines{odd[i%len(odd)], {"Action: UserEvent", fmt.Sprintf("UserEvent: odd-%d", i)}} {
			if _, _, err := w.ask(a...); err != nil {
				return err
			}
		}
		<-pace.C
	}
	return nil
}

// refusedLogins raises security events until ctx ends. Asterisk takes a second for
// each.
func refusedLogins(ctx context.Context, addr string) error {
	for ctx.Err() == nil {
		w, err := dialWire("refused login", addr)
		if err != nil {
			return err
		}
		_, answer, err := w.ask("Action: Login", "Username: ampd", "Secret: wrong")
		w.Close()
		if err != nil || header(answer, "Response") != "Error" {
			return fmt.Errorf("login with a wrong secret: %q %w", answer, err)
		}
	}
	return nil
}

// questions has the busy sessions of both roads run an action each in 50 ms, until
// ctx ends.
func questions(ctx context.Context, roads []*road) error {
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		for _, r := range roads {
			for _, session := range r.sessions {
				if !session.view.busy {
					continue
				}
				if err := session.wire.send("Action: Getvar", "Variable: TALK_MAX"); err != nil {
					return err
				}
			}
		}
		<-pace.C
	}
	return nil
}
