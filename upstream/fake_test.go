package upstream

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/config"
	"ampd/pbx"
)

const (
	fakeSecret    = "top secret"
	fakeChallenge = "25279432"
	fakeBooted    = "Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 210\r\nLastReload: 10\r\nStatus: Fully Booted\r\n\r\n"
)

// A fakeAsterisk answers as the test says. It is used inside a synctest bubble, where
// everything that can go on has done so when synctest.Wait returns.
type fakeAsterisk struct {
	// answer is called, with mu held, for each action behind the login that the
	// fake does not answer itself; false lets it answer with "Response: Success".
	answer func(k *fakeConn, action *codec.Packet) bool

	booting   bool          // sends no FullyBooted
	down      bool          // takes no connection
	single    bool          // allows one login only
	refuses   bool          // takes no login
	readPerm  string        // what "manager show user" shows; "" refuses the command
	commands  string        // lines of ListCommands
	loginTime time.Duration // a login takes
	wrap      func(net.Conn) net.Conn

	mu    sync.Mutex  // guards all of it once a client runs, see set
	conns []*fakeConn // in the order of their logins
	dials []time.Time
}

// A fakeConn is the far end of a connection.
type fakeConn struct {
	net.Conn
	fake    *fakeAsterisk
	login   *codec.Packet
	queue   chan string
	actions []*codec.Packet // that came behind the login, Pings aside
	pings   int
	goodbye bool
	deaf    bool          // answers nothing any more
	gone    chan struct{} // closed when the near end has closed
}

func newFake() *fakeAsterisk {
	return &fakeAsterisk{
		readPerm: "system,call,agent,dialplan,all",
		commands: "Ping: Keepalive command.  (Priv: <none>)\r\nStatus: List (Priv: odd) channel status.  (Priv: system,call,reporting,all)\r\n",
	}
}

func (f *fakeAsterisk) dial(context.Context, string, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials = append(f.dials, time.Now())
	if f.down {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	if f.wrap != nil {
		far = f.wrap(far)
	}
	k := &fakeConn{Conn: far, fake: f, queue: make(chan string, 1000), gone: make(chan struct{})}
	go k.write()
	go k.serve()
	k.send("Asterisk Call Manager/11.0.0\r\n")
	return near, nil
}

func (k *fakeConn) write() {
	for {
		select {
		case text := <-k.queue:
			if _, err := io.WriteString(k.Conn, text); err != nil {
				return
			}
		case <-k.gone:
			return
		}
	}
}

func (k *fakeConn) send(text string) { k.queue <- text }

func (k *fakeConn) serve() {
	defer close(k.gone)
	defer k.Close()
	dec := native.NewDecoder(k.Conn, native.FromClient)
	for {
		p := new(codec.Packet)
		if dec.Decode(p) != nil {
			return
		}
		if !k.serveAction(p) {
			time.Sleep(time.Millisecond) // lets write finish
			return
		}
	}
}

func (k *fakeConn) serveAction(p *codec.Packet) bool {
	name := p.Get("Action")
	if name == "Login" {
		time.Sleep(k.fake.loginTime)
	}
	k.fake.mu.Lock()
	defer k.fake.mu.Unlock()
	if k.deaf {
		return true
	}
	switch {
	case name == "Challenge":
		k.send("Response: Success\r\nChallenge: " + fakeChallenge + "\r\n\r\n")
	case name == "Login":
		return k.logIn(p)
	case name == "Logoff":
		k.goodbye = true
		k.send("Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n")
		return false
	case name == "Ping":
		k.pings++
		k.reply(p, "Response: Success", "Ping: Pong", "Timestamp: 1.0")
	case name == "ListCommands" && k.fake.commands == "":
		k.reply(p, "Response: Error", "Message: Permission denied")
	case name == "ListCommands":
		k.reply(p, "Response: Success", strings.TrimSuffix(k.fake.commands, "\r\n"))
	case name == "CoreSettings":
		k.reply(p, "Response: Success", "AMIversion: 11.0.0", "AsteriskVersion: 22.10.1", "SystemName: fake")
	case name == "Command" && strings.HasPrefix(p.Get("Command"), "manager show user"):
		if k.fake.readPerm == "" {
			k.reply(p, "Response: Error", "Message: Permission denied")
		} else {
			k.reply(p, "Response: Success", "Message: Command output follows", "Output: ",
				"Output:         read perm: "+k.fake.readPerm, "Output:        write perm: all")
		}
	default:
		k.actions = append(k.actions, p)
		if k.fake.answer == nil || !k.fake.answer(k, p) {
			k.reply(p, "Response: Success")
		}
	}
	return true
}

func (k *fakeConn) logIn(p *codec.Packet) bool {
	f := k.fake
	sum := md5.Sum([]byte(fakeChallenge + fakeSecret))
	good := p.Get("AuthType") == "MD5" && p.Get("Key") == hex.EncodeToString(sum[:]) || p.Get("Secret") == fakeSecret
	switch {
	case !good || f.refuses:
		k.reply(p, "Response: Error", "Message: Authentication failed")
		return false
	case f.single && len(f.open()) > 0:
		k.reply(p, "Response: Error", "Message: Login Already In Use")
		return false
	}
	k.login = p
	f.conns = append(f.conns, k)
	k.reply(p, "Response: Success", "Message: Authentication accepted")
	if p.Get("Events") == "on" && !f.booting {
		k.send(fakeBooted)
	}
	return true
}

// reply answers an action: its ActionID is the second line.
func (k *fakeConn) reply(action *codec.Packet, lines ...string) {
	k.send(lines[0] + "\r\n" + idLine(action) + strings.Join(append(lines[1:], ""), "\r\n") + "\r\n")
}

func idLine(action *codec.Packet) string {
	if id := action.Get("ActionID"); id != "" {
		return "ActionID: " + id + "\r\n"
	}
	return ""
}

// set changes the fake, or a connection of its, while a client runs.
func (f *fakeAsterisk) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// open are the connections that are logged in and not closed. Its caller holds mu.
func (f *fakeAsterisk) open() (open []*fakeConn) {
	for _, k := range f.conns {
		select {
		case <-k.gone:
		default:
			open = append(open, k)
		}
	}
	return open
}

func (f *fakeAsterisk) logins() []*fakeConn {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open()
}

// dialled are the times of all attempts to connect.
func (f *fakeAsterisk) dialled() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Time(nil), f.dials...)
}

// events is the open event connection.
func (f *fakeAsterisk) events(t *testing.T) *fakeConn {
	for _, k := range f.logins() {
		if k.login.Get("Events") == "on" {
			return k
		}
	}
	t.Fatal("no event connection")
	return nil
}

// action connections that are open.
func (f *fakeAsterisk) actionConns() (conns []*fakeConn) {
	for _, k := range f.logins() {
		if k.login.Get("Events") == "off" {
			conns = append(conns, k)
		}
	}
	return conns
}

// actions are the clients' that have come on connections that are open.
func (f *fakeAsterisk) actions() (names []string) {
	for _, k := range f.logins() {
		for _, p := range k.actions {
			names = append(names, p.Get("Action"))
		}
	}
	return names
}

// cut closes all connections, as the end of the process would.
func (f *fakeAsterisk) cut() {
	for _, k := range f.logins() {
		_ = k.Close()
	}
	synctest.Wait()
}

// A heard is a Handler that writes down what it hears, a line for each call.
type heard struct {
	mu    sync.Mutex
	lines []string
	infos []*Info
	names map[*Call]string
}

func (h *heard) add(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

func (h *heard) info(what string, i *Info) {
	h.add(what)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.infos = append(h.infos, i)
}

func (h *heard) Ready(i *Info)   { h.info("ready", i) }
func (h *heard) Changed(i *Info) { h.info("changed", i) }
func (h *heard) Lost(err error)  { h.add("lost: " + err.Error()) }

func (h *heard) Events(batch []*codec.Packet) {
	for _, p := range batch {
		h.add("event " + oneLine(p))
	}
}

func (h *heard) Lists(info *Info) (lists []pbx.Question) {
	for _, name := range []string{"CoreShowChannels", "QueueStatus"} {
		if _, ok := info.Command(name); ok {
			lists = append(lists, pbx.Question{Action: name})
		}
	}
	return lists
}

func (h *heard) Listed(q pbx.Question, answer []*codec.Packet) {
	words := make([]string, len(answer))
	for i, p := range answer {
		words[i] = p.Name()
	}
	h.add("listed " + q.Action + ": " + strings.Join(words, " "))
}

func (h *heard) Started(call *Call) { h.add(h.name(call) + " started") }

func (h *heard) name(call *Call) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.names[call]
}

func (h *heard) Answer(call *Call, p *codec.Packet, last bool) {
	line := h.name(call) + " " + oneLine(p)
	if last {
		line += " ."
	}
	h.add(line)
}

func (h *heard) Rest() {}

// oneLine writes a packet as "Response: Success|Message: Event Sent".
func oneLine(p *codec.Packet) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(string(p.Raw), "\r\n"), "\r\n"), "\r\n", "|")
}

// take returns what was heard since the last take, once all has come to rest.
func (h *heard) take() []string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := h.lines
	h.lines = nil
	return lines
}

// A bench is a Client between a fake Asterisk and a heard.
type bench struct {
	*heard
	t    *testing.T
	fake *fakeAsterisk
	c    *Client
	stop context.CancelFunc
	logs *observer.ObservedLogs
}

// onBench runs a test in a bubble, with a client that is ready where Asterisk lets it.
func onBench(t *testing.T, fake *fakeAsterisk, change func(*Config), test func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := startBench(t, fake.dial, change)
		b.fake = fake
		synctest.Wait()
		test(t, b)
		b.stop()
	})
}

// startBench runs a client, which dials as it is told, until the test ends.
func startBench(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), change func(*Config)) *bench {
	cfg := DefaultConfig()
	cfg.Address, cfg.Username, cfg.Secret = "127.0.0.1:5038", "ampd", fakeSecret
	if change != nil {
		change(&cfg)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	h := &heard{names: make(map[*Call]string)}
	c := New(cfg, h, zap.New(core), NewMetrics(prometheus.NewRegistry()))
	c.dial = dial
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { require.NoError(t, c.Run(ctx)) })
	b := &bench{heard: h, t: t, c: c, logs: logs}
	b.stop = func() {
		cancel()
		running.Wait()
		for _, entry := range logs.All() {
			require.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), string(cfg.Secret))
		}
	}
	t.Cleanup(b.stop)
	return b
}

// submit has an action run; its name is what is heard of it.
func (b *bench) submit(name string, owner uint64, lines ...string) {
	call := &Call{Owner: owner, Action: parse(b.t, lines...)}
	b.mu.Lock()
	b.names[call] = name
	b.mu.Unlock()
	b.c.Submit(call)
}

func parse(t *testing.T, lines ...string) *codec.Packet {
	p := new(codec.Packet)
	wire := strings.Join(lines, "\r\n") + "\r\n\r\n"
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), native.FromClient).Decode(p))
	return p
}

// start is a bench that is ready and has forgotten how it got there.
func (b *bench) start() {
	b.t.Helper()
	require.Contains(b.t, b.take(), "ready")
}

// sleep lets time pass.
func (b *bench) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func seconds(n float64) config.Duration { return config.Duration(n * float64(time.Second)) }
