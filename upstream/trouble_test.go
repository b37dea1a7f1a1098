package upstream

import (
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/codec"
	"ampd/config"
	"ampd/simulator"
	"ampd/tests/faultproxy"
)

// A trouble is a client in front of a simulated Asterisk with a bad network between
// them, all in a synctest bubble. It holds what must be so whatever the network does.
type trouble struct {
	*bench
	network *faultproxy.Proxy
	pbx     chan net.Conn // to the Asterisk
	open    atomic.Int64  // connections of the client's
	origin  net.Conn      // makes events, on a line of its own
	rounds  int
	told    []string // all that the handler was told so far
	closed  sync.Once
	stopped bool // in the middle of something
}

// atRest holds that nothing is left under way, and that all connections take runs.
func (x *trouble) atRest() {
	x.gather()
	c, connections := x.c, max(1, x.c.cfg.Load().ActionConnections)
	c.mu.Lock()
	defer c.mu.Unlock()
	require.True(x.t, c.ready)
	require.Zero(x.t, c.unanswered, "unanswered")
	require.Zero(x.t, c.overdue, "overdue")
	require.Empty(x.t, c.originates)
	require.Empty(x.t, c.refusals)
	require.Zero(x.t, c.sched.waiting, "waiting")
	require.Zero(x.t, c.sched.slowNow, "slow ones running")
	require.Empty(x.t, c.sched.owners)
	require.Empty(x.t, c.sched.joinable)
	require.Equal(x.t, connections, c.sched.working, "connections that take runs")
	require.Len(x.t, c.sched.idle, connections)
	require.EqualValues(x.t, 1+c.cfg.Load().ActionConnections, x.open.Load(), "connections")
}

// inTrouble runs a test in a bubble. prepare may set traps; the test begins before
// the client has connected. What holds in the end of every test is checked behind it.
func inTrouble(t *testing.T, change func(*Config), prepare func(*faultproxy.Proxy), test func(*trouble)) {
	synctest.Test(t, func(t *testing.T) {
		x := &trouble{network: faultproxy.New(), pbx: make(chan net.Conn)}
		pbx := simulator.New(simulator.Config{
			CallsPerMinute: -1, Quiet: true, Pace: 10,
			Queues: []simulator.Queue{{Name: "q"}},
			Agents: []simulator.Agent{
				{Extension: "1001", Name: "Alice Archer", Queues: []string{"q"}},
				{Extension: "1002", Name: "Bob Baker", Queues: []string{"q"}},
			},
		})
		serving, end := context.WithCancel(t.Context())
		var served sync.WaitGroup
		served.Go(func() { require.NoError(t, pbx.Serve(serving, x)) })
		defer func() {
			end()
			served.Wait()
		}()
		x.originate(t)
		defer x.origin.Close()
		defer x.network.Close()
		if prepare != nil {
			prepare(x.network)
		}
		x.bench = startBench(t, x.dial, func(cfg *Config) {
			cfg.Secret = config.Secret(simulator.DefaultUser.Secret)
			if change != nil {
				change(cfg)
			}
		})
		test(x)
		x.stop()
		x.gather()
		require.Zero(t, x.open.Load(), "connections left open")
		for _, role := range []string{"event", "action", "retired"} {
			require.Zero(t, testutil.ToFloat64(x.c.metrics.Connections.WithLabelValues(role)), role)
		}
		require.Zero(t, testutil.ToFloat64(x.c.metrics.Connected))
		x.judgeEvents()
		x.judgeAnswers()
		x.judgeLosses()
	})
}

// Accept, Close and Addr make x the listener of its Asterisk.
func (x *trouble) Accept() (net.Conn, error) {
	conn, ok := <-x.pbx
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (x *trouble) Close() error {
	x.closed.Do(func() { close(x.pbx) })
	return nil
}

func (x *trouble) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (x *trouble) dial(context.Context, string, string) (net.Conn, error) {
	near, left := net.Pipe()
	right, far := net.Pipe()
	x.pbx <- far
	x.network.Join(left, right)
	x.open.Add(1)
	return &counted{Conn: near, open: &x.open}, nil
}

// A counted connection counts its end.
type counted struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// originate logs in to make events.
func (x *trouble) originate(t *testing.T) {
	near, far := net.Pipe()
	x.pbx <- far
	x.origin = near
	go func() { _, _ = io.Copy(io.Discard, near) }()
	user := simulator.DefaultUser
	_, err := fmt.Fprintf(near, "Action: Login\r\nUsername: %s\r\nSecret: %s\r\nEvents: off\r\n\r\n", user.Name, user.Secret)
	require.NoError(t, err)
	synctest.Wait()
}

// event has Asterisk send one.
func (x *trouble) event(name string) {
	_, err := fmt.Fprintf(x.origin, "Action: UserEvent\r\nUserEvent: %s\r\n\r\n", name)
	require.NoError(x.t, err)
}

// errands are one action of each kind: how its answer ends differs.
var errands = []struct {
	name  string
	mark  string // a header that only it has, but for equal ones, which may be asked once
	lines []string
}{
	{name: "list", mark: "list", lines: []string{"Action: QueueStatus", "ActionID: list"}},
	{name: "equal", mark: "list", lines: []string{"Action: QueueStatus", "ActionID: equal"}},
	{name: "empty", mark: "empty", lines: []string{"Action: ParkedCalls"}},
	{name: "single", mark: "single", lines: []string{"Action: DBPut", "ActionID: single", "Family: f", "Key: k", "Val: v"}},
	{name: "nameless", mark: "nameless", lines: []string{"Action: Getvar", "Variable: DEVICE_STATE(PJSIP/1001)"}},
	{name: "text", mark: "text", lines: []string{"Action: Command", "ActionID: text", "Command: manager show user ampd"}},
	{name: "fenced", mark: "fenced", lines: []string{"Action: UserEvent", "ActionID: fenced", "UserEvent: fenced"}},
	{name: "unknown", mark: "unknown", lines: []string{"Action: NoSuch", "ActionID: unknown"}},
	{name: "error", mark: "error", lines: []string{"Action: Hangup", "ActionID: error", "Channel: none"}},
	{name: "call", mark: "call", lines: []string{"Action: Originate", "ActionID: call", "Channel: Local/echo@misc/n", "Application: Wait", "Data: 1"}},
	{name: "async", mark: "async", lines: []string{"Action: Originate", "ActionID: async", "Channel: Local/busy@misc/n", "Application: Wait", "Async: true"}},
}

// round sends all errands and lets the time pass that they take.
func (x *trouble) round() {
	n := x.rounds
	x.send()
	x.sleep(5 * time.Second)
	x.event(fmt.Sprintf("behind %d", n))
	x.sleep(time.Second)
	x.gather()
}

// send sends all errands, each from a session of its own, with events around them.
func (x *trouble) send() {
	n := x.rounds
	x.rounds++
	x.event(fmt.Sprintf("before %d", n))
	for i, e := range errands {
		x.submit(callName(n, e.name), uint64(i), append(slices.Clone(e.lines), "Mark: "+markOf(n, e.mark))...)
	}
	for i := range 3 {
		x.event(fmt.Sprintf("among %d-%d", n, i))
	}
}

func callName(round int, name string) string { return fmt.Sprintf("%d-%s", round, name) }
func markOf(round int, mark string) string   { return fmt.Sprintf("%d-%s.", round, mark) }

// gather keeps what was heard since the last time.
func (x *trouble) gather() { x.told = append(x.told, x.take()...) }

// isReady tells whether actions are taken.
func (x *trouble) isReady() bool {
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	return x.c.ready
}

// untilReady waits, for as long as it takes, until they are.
func (x *trouble) untilReady() {
	for range 1000 {
		if x.isReady() {
			return
		}
		x.sleep(100 * time.Millisecond)
	}
	require.Fail(x.t, "not ready", "%v", x.logs.All())
}

// answerTo returns a call's answer as packets; the last of them ends with " .".
func (x *trouble) answerTo(call string) (packets []string) {
	for _, line := range x.told {
		if packet, ok := strings.CutPrefix(line, call+" "); ok && packet != "started" {
			packets = append(packets, packet)
		}
	}
	return packets
}

// calm finds out what Asterisk answers without any trouble, and how much is said on
// which link.
var calm = struct {
	sync.Once
	answers map[string][]string
	said    map[int][][2]int // by ActionConnections: for each link, what each side sends, in bytes
}{answers: map[string][]string{}, said: map[int][][2]int{}}

// findCalm does that, once.
func findCalm(t *testing.T) {
	t.Helper()
	calm.Do(func() {
		for _, connections := range []int{1, 0} {
			inTrouble(t, with(connections), nil, func(x *trouble) {
				x.untilReady()
				x.round()
				x.gather()
				for _, e := range errands {
					answer := x.answerTo(callName(0, e.name))
					if connections == 1 {
						calm.answers[e.name] = answer
					}
				}
				for _, link := range x.network.Links() {
					calm.said[connections] = append(calm.said[connections],
						[2]int{len(link.Sent(faultproxy.Client)), len(link.Sent(faultproxy.Server))})
				}
			})
		}
	})
	require.Len(t, calm.answers, len(errands))
}

// with has so many action connections.
func with(connections int) func(*Config) {
	return func(cfg *Config) { cfg.ActionConnections = connections }
}

// judgeAnswers holds that each call has exactly one answer: Asterisk's, whole; or an
// error of ampd's; or the beginning of a list and the event that cancels it.
func (x *trouble) judgeAnswers() {
	for n := range x.rounds {
		for _, e := range errands {
			answer := x.answerTo(callName(n, e.name))
			require.NotEmpty(x.t, answer, "no answer to %s", e.name)
			for i, packet := range answer {
				require.Equal(x.t, i == len(answer)-1, strings.HasSuffix(packet, " ."), "%q", answer)
			}
			if x.outcome(n, e.name) == textUnconnected && e.mark != "list" {
				for _, link := range x.network.Links() {
					require.NotContains(x.t, string(link.Sent(faultproxy.Client)), "Mark: "+markOf(n, e.mark), "said not to have been written")
				}
			}
		}
	}
}

// judgeLosses holds that all that was begun is answered before the loss is told.
func (x *trouble) judgeLosses() {
	open := make(map[string]bool)
	for _, line := range x.told {
		call, what, _ := strings.Cut(line, " ")
		switch {
		case what == "started":
			require.False(x.t, open[call], "%s started twice", call)
			open[call] = true
		case strings.HasSuffix(line, " ."):
			delete(open, call)
		case call == "lost:":
			require.Empty(x.t, open, line)
		}
	}
	require.Empty(x.t, open)
}

// outcome is "" for Asterisk's answer, else what ampd said in its place.
func (x *trouble) outcome(round int, name string) string {
	x.t.Helper()
	answer := x.answerTo(callName(round, name))
	want := calm.answers[name]
	if slices.Equal(answer, want) {
		return ""
	}
	id := idHeader.FindString(want[0])
	last := len(answer) - 1
	end, message, _ := strings.Cut(answer[last], "|Message: ")
	message = strings.TrimSuffix(message, " .")
	require.Contains(x.t, []string{textLost, textUnconnected, textTimeout, textBusy}, message, "%q; whole it would be %q", answer, want)
	if last == 0 {
		require.Equal(x.t, "Response: Error"+id, end)
		return message
	}
	require.Equal(x.t, want[:last], answer[:last])
	kind, _, isEvent := strings.Cut(strings.TrimPrefix(want[len(want)-1], "Event: "), "|")
	require.True(x.t, isEvent)
	require.Equal(x.t, "Event: "+kind+id+"|EventList: Cancelled|ListItems: "+strconv.Itoa(last-1), end)
	return message
}

// packets splits what a side sent on a link, the half one at its end left out.
func packets(link *faultproxy.Link, from faultproxy.Side) []string {
	text := string(link.Sent(from))
	if from == faultproxy.Server {
		_, text, _ = strings.Cut(text, "\r\n") // the greeting
	}
	all := strings.Split(text, "\r\n\r\n")
	return all[:len(all)-1]
}

var idHeader = regexp.MustCompile(`\|ActionID: [^| ]*`)

// judgeEvents holds that of all events that came through, whole, each was handed over
// once, in their order, and nothing else was.
func (x *trouble) judgeEvents() {
	hidden := make(map[string]bool) // ActionIDs of Originates that ampd made asynchronous
	written := make(map[string]bool)
	for _, link := range x.network.Links() {
		for _, packet := range packets(link, faultproxy.Client) {
			id := lineOf(packet, "ActionID")
			require.False(x.t, id != "" && written[id], "written twice: %q", packet)
			written[id] = true
			if strings.Contains(packet, "-call.") {
				hidden[id] = true
			}
		}
	}
	var want []string
	for _, link := range x.network.Links() {
		if !strings.Contains(string(link.Sent(faultproxy.Client)), "\r\nEvents: on\r\n") {
			continue
		}
		for _, packet := range packets(link, faultproxy.Server) {
			name, privilege := lineOf(packet, "Event"), lineOf(packet, "Privilege")
			if !strings.HasSuffix(privilege, ",all") || name == "FullyBooted" ||
				name == "OriginateResponse" && hidden[lineOf(packet, "ActionID")] {
				continue
			}
			want = append(want, idHeader.ReplaceAllString(strings.ReplaceAll(packet, "\r\n", "|"), ""))
		}
	}
	var got []string
	for _, line := range x.told {
		require.NotContains(x.t, line, idPrefix)
		if event, ok := strings.CutPrefix(line, "event "); ok {
			got = append(got, idHeader.ReplaceAllString(event, ""))
		}
	}
	if x.stopped { // what comes meanwhile is nobody's
		want = want[:min(len(got), len(want))]
	}
	for i := range min(len(want), len(got)) {
		require.Equal(x.t, want[i], got[i], "event %d", i)
	}
	require.Len(x.t, got, len(want))
}

func lineOf(packet, name string) string {
	_, rest, _ := strings.Cut("\r\n"+packet+"\r\n", "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// asksAgain submits another call behind each answer.
type asksAgain struct {
	*heard
	c    *Client
	left int
}

func (a *asksAgain) Answer(call *Call, p *codec.Packet, last bool) {
	a.heard.Answer(call, p, last)
	if a.left--; a.left > 0 {
		a.c.Submit(&Call{Action: call.Action})
	}
}

// Every call gets its answer, also one that comes of the last ones.
func TestCallsBehindTheLastAnswers(t *testing.T) {
	h := &asksAgain{heard: &heard{}, left: 3}
	h.c = New(DefaultConfig(), h, zap.NewNop(), NewMetrics(prometheus.NewRegistry()))
	h.c.Submit(&Call{Action: parse(t, "Action: Ping1")})
	h.c.closed = true
	h.c.clerk()
	require.Len(t, h.lines, 3)
	require.Zero(t, h.c.unanswered)
}
