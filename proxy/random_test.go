package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/config"
	"ampd/downstream"
	"ampd/profiles"
	"ampd/upstream"
)

// TestSessionsSeeWhatTheModelSees has many sessions that join, leave, stall, change
// masks and filters, run actions, drop and resume while events flow, over sockets and
// over connections that can't be written to without waiting. Each checks all that it
// gets against a model: see tracker.
func TestSessionsSeeWhatTheModelSees(t *testing.T) {
	clients, events := 1500, 20_000
	if testing.Short() {
		clients, events = 150, 2000
	}
	for _, over := range []string{"tcp", "pipe"} {
		t.Run(over, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			w := newWorld(t, over)
			var upstream, all sync.WaitGroup
			done := make(chan struct{})
			upstream.Go(func() { w.playEvents(rand.New(rand.NewPCG(seed, 0)), done) })
			for range 8 {
				upstream.Go(func() { w.playAnswers(done) })
			}
			slots := make(chan struct{}, 250)
			for i := range clients {
				slots <- struct{}{}
				all.Go(func() {
					defer func() { <-slots }()
					p := &player{w: w, random: rand.New(rand.NewPCG(seed, uint64(i)+1)), name: fmt.Sprintf("client %d", i)}
					if err := p.play(); err != nil {
						t.Errorf("%s: %v\n%s", p.name, err, strings.Join(p.did, "\n"))
					}
				})
			}
			all.Wait()
			w.until(uint64(events))
			close(done)
			w.wake.Broadcast()
			upstream.Wait()
			t.Logf("%d events, %d resumed, %d gaps, %d closed as slow, %d actions", w.emitted.Load(), w.resumed.Load(), w.gaps.Load(), w.slow.Load(), w.actions.Load())
			require.Positive(t, w.resumed.Load())
			require.Positive(t, w.gaps.Load())
			require.Positive(t, w.slow.Load())
			require.Less(t, w.slow.Load(), int64(clients/2), "most are not")
		})
	}
}

// A world is a hub between sessions and an upstream that the test plays. Its events
// have the numbers 1, 2, 3 ...
type world struct {
	hub  *Hub
	dial func() (net.Conn, error)

	emitted atomic.Uint64 // the number of the last event that is on its way
	taken   atomic.Uint64 // that of the last event that the hub has taken
	numbers uint64        // of the hub's own before the first of these

	mu    sync.Mutex
	wake  sync.Cond
	calls []*upstream.Call
	own   []ownEvent

	resumed, gaps, slow, actions atomic.Int64
}

// An ownEvent is one that an action causes.
type ownEvent struct {
	id   string
	done chan struct{}
}

// class is that of the event with a number, group what filters look at.
func class(n uint64) codec.Classes {
	return []codec.Classes{codec.Call, codec.Agent, codec.Call | codec.Agent, codec.Dialplan}[n%4]
}
func group(n uint64) uint64 { return n * 7 % 5 }

func newWorld(t *testing.T, over string) *world {
	store, problems := profiles.Parse("test", testProfiles, nil)
	require.NoError(t, problems.Err())
	cfg := DefaultConfig()
	cfg.Sessions.MaxUnauthenticated = 10_000
	cfg.Sessions.MaxUnauthenticatedPerAddress = 10_000
	cfg.Sessions.BacklogBytes = 256 << 10
	cfg.Sessions.BacklogTime = config.Duration(5 * time.Minute) // that the machine is slow is nobody's fault
	cfg.Sessions.AuthTimeout = config.Duration(5 * time.Minute)
	cfg.Sessions.ResumeWindow = config.Duration(time.Minute)
	subjects, err := cfg.Rights.subjects(store)
	require.NoError(t, err)
	w := &world{}
	w.wake.L = &w.mu
	limits := downstream.NewLimits(cfg.Sessions)
	fanout := downstream.NewFanout(limits)
	w.hub = newHub(limits, subjects, fanout, zap.NewNop(), newHubMetrics(prometheus.NewRegistry()))
	w.hub.upstream = w
	server := downstream.NewServer(limits, store, w.hub, fanout, zap.NewNop(), downstream.NewMetrics(prometheus.NewRegistry()), nil)
	var l net.Listener
	if over == "tcp" {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		l = narrow{l}
		w.dial = func() (net.Conn, error) {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err == nil {
				err = conn.(*net.TCPConn).SetReadBuffer(16 << 10)
			}
			return conn, err
		}
	} else {
		p := &pipes{conns: make(chan net.Conn)}
		l = p
		w.dial = func() (net.Conn, error) {
			near, far := net.Pipe()
			p.conns <- far
			return near, nil
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { server.Run(ctx, only(l)) })
	t.Cleanup(func() {
		stop()
		l.Close()
		running.Wait()
	})
	w.hub.Ready(&upstream.Info{
		Version: "11.0.0", Commands: []upstream.Command{{Name: "QueueStatus"}, {Name: "DBPut", Classes: codec.System}},
		FullyBooted: packet("Event: FullyBooted|Privilege: system,all"),
	})
	w.numbers = w.hub.seq
	return w
}

// narrow is a listener whose connections hold little in the kernel.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(16 << 10)
	}
	return conn, err
}

// pipes is a listener for connections in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (w *world) Submit(call *upstream.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call)
	w.wake.Broadcast()
}

// until waits until the hub has taken that event.
func (w *world) until(n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.taken.Load() < n {
		w.wake.Wait()
	}
}

// playEvents has events come, some at a time, and those that actions cause.
func (w *world) playEvents(random *rand.Rand, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		w.mu.Lock()
		own := w.own
		w.own = nil
		w.mu.Unlock()
		var batch []*codec.Packet
		for _, o := range own {
			batch = append(batch, w.event("|ActionID: "+o.id))
		}
		for range random.IntN(32) {
			batch = append(batch, w.event(""))
		}
		w.hub.Events(batch)
		w.taken.Store(w.emitted.Load())
		for _, o := range own {
			close(o.done)
		}
		w.mu.Lock()
		w.wake.Broadcast()
		w.mu.Unlock()
	}
}

func (w *world) event(more string) *codec.Packet {
	n := w.emitted.Add(1)
	return packet(fmt.Sprintf("Event: E%d|Privilege: %v,all|N: %d|Group: <%d>%s|Pad: %s", n%3, class(n), n, group(n), more, strings.Repeat("x", int(n%400))))
}

// playAnswers answers actions one after the other, as a connection does: DBPut causes an event first,
// QueueStatus is a list.
func (w *world) playAnswers(done <-chan struct{}) {
	for {
		w.mu.Lock()
		for len(w.calls) == 0 {
			select {
			case <-done:
				w.mu.Unlock()
				return
			default:
			}
			w.wake.Wait()
		}
		call := w.calls[0]
		w.calls = w.calls[1:]
		w.mu.Unlock()
		w.actions.Add(1)
		id := call.Action.Get("ActionID")
		w.hub.Started(call)
		if call.Action.ActionName() == "DBPut" {
			o := ownEvent{id, make(chan struct{})}
			w.mu.Lock()
			w.own = append(w.own, o)
			w.mu.Unlock()
			<-o.done
			w.hub.Answer(call, packet("Response: Success|ActionID: "+id), true)
			continue
		}
		w.hub.Answer(call, packet("Response: Success|ActionID: "+id+"|EventList: start"), false)
		w.hub.Rest()
		for i := range 5 {
			w.hub.Answer(call, packet(fmt.Sprintf("Event: QueueParams|ActionID: %s|Item: %d", id, i)), false)
		}
		w.hub.Answer(call, packet("Event: QueueStatusComplete|EventList: Complete|ActionID: "+id), true)
	}
}

// A tracker is the model of a session: how far in the sequence of all events it may be.
// It is somewhere from lo to hi, hi not included, because no event between would have
// been seen.
type tracker struct {
	mask    codec.Classes
	without map[uint64]bool // groups that filters leave out
	lo, hi  uint64
}

func (k *tracker) sees(n uint64) bool { return k.mask.Has(class(n)) && !k.without[group(n)] }

// next is the first event behind n that is seen, previous the last one before; there are
// twenty kinds of them.
func (k *tracker) next(n uint64) uint64 {
	for m := n + 1; m <= n+20; m++ {
		if k.sees(m) {
			return m
		}
	}
	return 1 << 62
}

func (k *tracker) previous(n uint64) uint64 {
	for m := n - 1; m > 0 && m+20 >= n; m-- {
		if k.sees(m) {
			return m
		}
	}
	return 0
}

// event takes the next event that the session got.
func (k *tracker) event(n uint64) error {
	if !k.sees(n) {
		return fmt.Errorf("event %d is not for it", n)
	}
	lo, hi := max(k.lo, k.previous(n)), min(k.hi, n)
	if lo >= hi {
		return fmt.Errorf("event %d came, but the session was between %d and %d, and %d would come before", n, k.lo, k.hi, k.previous(n))
	}
	k.lo, k.hi = n, k.next(n)
	return nil
}

// change is a new mask or filter.
func (k *tracker) change(f func()) {
	f()
	if k.hi < 1<<62 {
		k.hi = k.next(k.hi - 1)
	}
}

// A player is a client.
type player struct {
	w      *world
	random *rand.Rand
	name   string
	did    []string

	conn  net.Conn
	in    *native.Decoder
	model tracker
	asked int

	resumes bool
	token   string
	seq     uint64
}

func (p *player) note(format string, args ...any) {
	p.did = append(p.did, fmt.Sprintf(format, args...))
}

// play is a client's life.
func (p *player) play() error {
	p.resumes = p.random.IntN(2) == 0
	switch err := p.login(""); {
	case gone(err): // its answer and what followed stood in a backlog for too long
		p.w.slow.Add(1)
		return nil
	case err != nil:
		return fmt.Errorf("log in: %w", err)
	}
	defer func() { p.conn.Close() }()
	for range 3 + p.random.IntN(12) {
		err := p.step()
		if gone(err) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if p.random.IntN(2) == 0 {
		return nil // just goes
	}
	err := p.ask("Action: Logoff")
	if gone(err) {
		return nil
	}
	return err
}

// patience is how long an answer may take where hundreds wait for theirs, on a machine that
// has other things to do.
const patience = 2 * time.Minute

// gone tells that ampd has closed the connection, which it may do to who stalls.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) ||
		err != nil && (strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "broken pipe"))
}

func (p *player) login(resume string) error {
	var err error
	from := p.w.taken.Load()
	if p.conn, err = p.w.dial(); err != nil {
		return err
	}
	if err := p.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	p.in = native.NewDecoder(p.conn, native.FromAsterisk)
	if _, err := p.in.ReadLine(); err != nil {
		return err
	}
	lines := "Action: Login\r\nUsername: admin\r\nSecret: s\r\n"
	switch {
	case resume != "":
		lines += fmt.Sprintf("Resume: %s\r\nAmpdSeq: %d\r\n", resume, p.seq)
	case p.resumes:
		lines += "Resume: yes\r\n"
	}
	if _, err := io.WriteString(p.conn, lines+"\r\n"); err != nil {
		return err
	}
	var answer codec.Packet
	if err := p.in.Decode(&answer); err != nil {
		return err
	}
	if answer.Get("Message") != "Authentication accepted" {
		return fmt.Errorf("answer to the login: %q", answer.Raw)
	}
	result := answer.Get("AmpdResume")
	p.token = strings.Clone(answer.Get("AmpdResumeToken"))
	p.note("login %q: %s", resume, result)
	switch result {
	case "ok":
		p.w.resumed.Add(1)
		return nil
	case "gap":
		p.w.gaps.Add(1)
	}
	p.model = tracker{mask: codec.All, without: map[uint64]bool{}, lo: from, hi: p.w.emitted.Load() + 1}
	return nil
}

func (p *player) step() error {
	switch p.random.IntN(9) {
	case 0:
		mask := []codec.Classes{codec.All, codec.Call, codec.Agent, codec.Call | codec.Agent, 0}[p.random.IntN(5)]
		text := mask.String()
		if mask == 0 {
			text = "off"
		}
		p.note("mask %s", text)
		return p.askThen("Action: Events\r\nEventMask: "+text, func() { p.model.change(func() { p.model.mask = mask }) })
	case 1:
		without := p.random.Uint64N(5)
		p.note("without group %d", without)
		return p.askThen(fmt.Sprintf("Action: Filter\r\nOperation: Add\r\nFilter: !Group: <%d>", without),
			func() { p.model.change(func() { p.model.without[without] = true }) })
	case 2:
		p.note("DBPut")
		return p.ask("Action: DBPut")
	case 3:
		p.note("QueueStatus")
		return p.ask("Action: QueueStatus")
	case 4:
		p.note("WaitEvent")
		return p.ask("Action: WaitEvent\r\nTimeout: 1")
	case 5:
		n := uint64(p.random.IntN(200))
		if p.random.IntN(10) == 0 {
			n = 4000 // is too long for the backlog
		}
		p.note("stall for %d", n)
		p.w.until(p.w.taken.Load() + n)
		return p.ask("Action: Ping")
	case 6:
		if !p.resumes {
			return nil
		}
		return p.dropAndResume()
	default:
		return p.ask("Action: Ping")
	}
}

// dropAndResume reads a while, cuts the connection anywhere, and comes back.
func (p *player) dropAndResume() error {
	if p.random.IntN(2) == 0 {
		if err := p.ask("Action: Ping"); err != nil {
			return err
		}
	}
	token := p.token
	switch p.random.IntN(4) {
	case 0: // the old connection lives on
		p.note("resume beside, seen %d", p.seq)
		old := p.conn
		defer old.Close()
	case 1:
		_, _ = io.WriteString(p.conn, "Action: QueueStatus\r\nActionID: x\r\n\r\n")
		fallthrough
	default:
		p.note("drop, seen %d", p.seq)
		p.conn.Close()
		missed := uint64(p.random.IntN(100))
		if p.random.IntN(4) == 0 {
			missed *= 30 // is often too long for the backlog
		}
		p.w.until(p.w.taken.Load() + missed)
	}
	if p.random.IntN(8) == 0 {
		token = "0123456789abcdef0123456789abcdef"
	}
	return p.login(token)
}

// ask runs an action and reads up to the end of its answer.
func (p *player) ask(action string) error { return p.askThen(action, func() {}) }

func (p *player) askThen(action string, answered func()) error {
	p.asked++
	id := fmt.Sprintf("%s, action %d", p.name, p.asked)
	err := p.conn.SetDeadline(time.Now().Add(patience))
	if err == nil {
		_, err = io.WriteString(p.conn, action+"\r\nActionID: "+id+"\r\n\r\n")
	}
	if err != nil {
		p.w.slow.Add(1)
		return err
	}
	var began, list bool
	for {
		var in codec.Packet
		if err := p.in.Decode(&in); err != nil {
			if gone(err) {
				p.w.slow.Add(1)
			}
			return err
		}
		mine := in.Get("ActionID") == id
		switch {
		case in.Kind() == codec.Response && !mine:
			return fmt.Errorf("an answer to nothing: %q", in.Raw)
		case in.Kind() == codec.Response:
			if began {
				return fmt.Errorf("a second answer: %q", in.Raw)
			}
			began = true
			if word := in.Name(); word != "Success" && word != "Goodbye" {
				return fmt.Errorf("refused: %q", in.Raw)
			}
			answered()
			list = in.Get("EventList") == "start" || in.Get("Message") == "Waiting for Event completed."
			if !list {
				return nil
			}
		case in.Name() == "QueueStatusComplete" || in.Name() == "WaitEventComplete":
			if !mine || !began {
				return fmt.Errorf("an end of another list: %q", in.Raw)
			}
			return nil
		case in.Name() == "QueueParams":
			if !mine || !list {
				return fmt.Errorf("an item outside of its list: %q", in.Raw)
			}
		case in.Name() == "FullyBooted" || in.Name() == "AmpdSnapshotComplete":
		default:
			if list && !strings.HasPrefix(action, "Action: WaitEvent") {
				return fmt.Errorf("an event inside of a list: %q", in.Raw)
			}
			if mine && !began {
				return fmt.Errorf("an event before the answer to the action that caused it: %q", in.Raw)
			}
			if err := p.event(&in); err != nil {
				return err
			}
		}
	}
}

func (p *player) event(in *codec.Packet) error {
	n, err := strconv.ParseUint(in.Get("N"), 10, 64)
	if err != nil {
		return fmt.Errorf("no event of ours: %q", in.Raw)
	}
	last := in.Headers[len(in.Headers)-1]
	if p.resumes {
		if last.Name != "AmpdSeq" || last.Value != strconv.FormatUint(n+p.w.numbers, 10) {
			return fmt.Errorf("event %d has the number %q", n, last.Value)
		}
		p.seq = n + p.w.numbers
	} else if last.Name != "Pad" {
		return fmt.Errorf("event %d ends with %q", n, last.Name)
	}
	return p.model.event(n)
}
