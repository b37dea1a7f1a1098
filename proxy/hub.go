package proxy

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"ampd/audit"
	"ampd/codec"
	"ampd/codec/native"
	"ampd/commands"
	"ampd/downstream"
	"ampd/history"
	"ampd/pbx"
	"ampd/profiles"
	"ampd/rights"
	"ampd/stats"
	"ampd/upstream"
)

// A Hub stands between the upstream and the sessions. It is the Handler of both, and
// has no goroutine of its own but for what takes time: whoever brings it something runs it,
// one at a time.
type Hub struct {
	limits  *downstream.Limits
	fanout  *downstream.Fanout
	log     *zap.Logger
	metrics *hubMetrics

	greeting atomic.Pointer[string] // nil while no upstream was ever seen
	ready    atomic.Bool            // actions can be run

	// mu is held for work in memory only: no connection is written to and no
	// line logged under it. It guards all below, and the clients.
	mu            sync.Mutex
	upstream      submitter
	subjects      map[profiles.Role]*rights.Subject
	clients       map[*downstream.Session]*client
	calls         map[*upstream.Call]*client // under way upstream
	tokens        map[string]*client         // of sessions that can be resumed
	parked        []*client                  // those of them that have lost their connection, the longest first
	seq           uint64                     // the number of the last event
	subscriptions map[subscriptionKey]*subscription
	fanned        []*subscription             // the same
	limited       int                         // how many of them depend on the state
	telling       bool                        // an event of ampd's own
	rendered      []rendering                 // of the event being told
	filtering     meter                       // what all filters cost
	filtered      map[*profiles.Profile]meter // what those cost that its sessions no longer have
	info          *upstream.Info              // nil while no upstream was ever seen
	state         *pbx.State                  // of Asterisk, as the sessions were told
	loading       *pbx.State                  // as the lists of a new connection say, nil when they are all there
	loaded        bool                        // state is that of an Asterisk
	connected     bool
	table         rights.Table
	draining      bool          // no action is taken any more
	left          chan struct{} // closed when the last client has left after that

	version    string // ampd's
	profiles   *profiles.Store
	rights     RightsConfig
	every      time.Duration // resync
	audit      *audit.Log
	recordings commands.Recordings
	statistics *stats.Book
	history    *history.History // nil for none

	configured chan struct{} // has room for one: Asterisk's configuration is to be read
	reloaded   chan struct{} // has room for one: the state is to be rechecked soon

	programs sync.WaitGroup // those under way

	// To be done when mu is free again.
	touched []*downstream.Session // have something to write
	later   []func()
}

// A submitter runs actions: the upstream.
type submitter interface{ Submit(*upstream.Call) }

// newHub returns a hub that takes actions once its upstream is set.
func newHub(limits *downstream.Limits, subjects *subjects, fanout *downstream.Fanout, log *zap.Logger, metrics *hubMetrics) *Hub {
	return &Hub{
		limits:        limits,
		fanout:        fanout,
		log:           log,
		metrics:       metrics,
		subjects:      subjects.byRole,
		clients:       map[*downstream.Session]*client{},
		calls:         map[*upstream.Call]*client{},
		tokens:        map[string]*client{},
		subscriptions: map[subscriptionKey]*subscription{},
		filtering:     newMeter(shareOfAll),
		filtered:      map[*profiles.Profile]meter{},
		left:          make(chan struct{}),
		state:         subjects.state,
		statistics:    stats.NewBook(stats.DefaultConfig(), subjects.state, time.Now()),
		configured:    make(chan struct{}, 1),
		reloaded:      make(chan struct{}, 1),
	}
}

// do runs work, and then what it left to be done without the lock.
func (h *Hub) do(work func()) {
	var room [8]*downstream.Session
	h.mu.Lock()
	work()
	touched := append(room[:0], h.touched...)
	clear(h.touched)
	h.touched = h.touched[:0]
	later := h.later
	h.later = nil
	h.mu.Unlock()
	for _, s := range touched {
		s.Flush()
	}
	for _, f := range later {
		f()
	}
}

// Greeting is Asterisk's own first line, "" while it was never seen.
func (h *Hub) Greeting() string {
	if g := h.greeting.Load(); g != nil {
		return *g
	}
	return ""
}

// Ready takes what the upstream can do and tells the sessions that it is there.
func (h *Hub) Ready(info *upstream.Info) {
	h.do(func() {
		now := time.Now()
		h.learn(info)
		h.connected = true
		h.ready.Store(true)
		h.repair(now)
		signal(h.configured)
		h.tellUpstream("Connected")
		if info.FullyBooted != nil {
			h.fanOut(now, info.FullyBooted)
		}
	})
	h.fanout.Send()
}

// Changed takes what the upstream can do now, and tells the sessions where it has
// booted only since Ready.
func (h *Hub) Changed(info *upstream.Info) {
	h.do(func() {
		booted := h.info.FullyBooted == nil && info.FullyBooted != nil
		h.learn(info)
		if booted {
			h.fanOut(time.Now(), info.FullyBooted)
		}
	})
	h.fanout.Send()
}

func (h *Hub) learn(info *upstream.Info) {
	h.info = info
	greeting := "Asterisk Call Manager/" + info.Version
	h.greeting.Store(&greeting)
	h.table = make(rights.Table, len(info.Commands))
	for _, c := range info.Commands {
		asked := c.Classes
		if c.Unknown != "" {
			asked = rights.Unreadable
		}
		h.table[strings.ToLower(c.Name)] = asked
	}
	for name, classes := range commands.Classes {
		if _, listed := h.table[name]; !listed {
			h.table[name] = classes
		}
	}
}

// Lost ends the sessions whose profiles want that.
func (h *Hub) Lost(error) {
	h.do(func() {
		if h.connected {
			h.tellUpstream("Lost")
		}
		h.connected = false
		h.loading = nil
		h.statistics.Lost(time.Now())
		h.ready.Store(false)
		for _, c := range h.clients {
			if c.profile.OnUpstreamLoss == "disconnect" {
				h.dismiss(c, downstream.ErrUpstreamLost)
			}
		}
		for _, c := range slices.Clone(h.parked) {
			if c.profile.OnUpstreamLoss == "disconnect" {
				h.discard(c)
			}
		}
	})
	h.fanout.Send()
}

// Events takes the next events of the upstream's, and keeps none of them.
func (h *Hub) Events(events []*codec.Packet) {
	now := time.Now()
	h.metrics.events.Add(float64(len(events)))
	for _, p := range events {
		h.do(func() { h.fanOut(now, p) })
	}
	h.fanout.Send()
}

// Join begins a session: the login's answer is the first thing it gets, and every
// event after this moment follows, in a session that is resumed those before it.
func (h *Hub) Join(s *downstream.Session, login downstream.Login) {
	var c, old *client
	var backlog *downstream.Backlog
	var last uint64
	h.do(func() {
		subject := h.subjects[login.Role]
		c = newClient(s, login, subject)
		h.clients[s] = c
		h.metrics.sessions.Set(float64(len(h.clients)))
		if subject == nil { // the profile was changed during the login
			h.send(c, native.Answer(login.Action, "Error", "Authentication failed"))
			h.dismiss(c, downstream.ErrProfile)
			return
		}
		h.recordLogin(c)
		if c.numbered {
			old, backlog = h.takeOver(c, login)
		}
		if c.joining = backlog != nil; !c.joining {
			h.welcome(c, login.Action, nil)
		}
		last = h.seq
	})
	if backlog == nil {
		return
	}
	// May be large: it is read without the lock.
	whole := seen(login.Action) <= last && backlog.After(seen(login.Action))
	h.do(func() {
		c.joining = false
		if whole {
			c.goOn(old, login.Action)
			h.welcome(c, login.Action, backlog)
		} else {
			h.unsubscribe(c)
			h.welcome(c, login.Action, nil)
		}
		if c.expelled != nil {
			h.dismiss(c, c.expelled)
		}
	})
}

// welcome answers the login. backlog is that of the session which this one goes on with
// without a gap, nil for none; FullyBooted, which is about now, stands behind it.
func (h *Hub) welcome(c *client, login *codec.Packet, backlog *downstream.Backlog) {
	if c.numbered {
		h.newToken(c)
	}
	h.send(c, h.accepted(c, login, backlog != nil))
	if backlog != nil {
		c.session.Attach(backlog)
	}
	if h.connected && h.info.FullyBooted != nil && c.seesSystem() {
		h.send(c, fullyBooted(h.info, time.Now()))
	}
	if backlog == nil {
		h.beginWithSnapshot(c, login)
	}
	h.subscribe(c) // where it resumes: if the login has another mask
	if h.draining {
		h.dismiss(c, downstream.ErrShutdown)
	}
}

// Leave forgets a session, unless it can be resumed. The action it has under way
// upstream goes on; its answer is dropped.
func (h *Hub) Leave(s *downstream.Session) {
	h.do(func() {
		c := h.clients[s]
		if c.asked != nil && c.program == nil && !c.working {
			h.record(c, c.asked, "lost", "")
			c.asked = nil
		}
		h.recordLogout(c, s.Cause())
		delete(h.clients, s)
		h.metrics.sessions.Set(float64(len(h.clients)))
		c.stopTimers()
		if c.program == nil {
			delete(h.calls, c.call)
			c.call, c.action = nil, nil
		}
		c.wait, c.queue = nil, nil
		if c.token != "" && s.Parked() && !h.draining {
			c.from.forget(c)
			c.leaving = true
			h.park(c)
		} else {
			h.discard(c)
			h.unsubscribe(c)
			c.leaving = true
		}
		h.allLeft()
	})
}

// drain answers what is in flight, tells every session that ampd stops, and ends
// it. The channel is closed when all have left.
func (h *Hub) drain() <-chan struct{} {
	h.do(func() {
		h.draining = true
		for len(h.parked) > 0 {
			h.discard(h.parked[0])
		}
		for _, c := range h.clients {
			if c.wait != nil {
				h.endWait(c)
			}
			if c.call == nil && !c.working {
				h.dismiss(c, downstream.ErrShutdown)
			}
		}
		h.allLeft()
	})
	return h.left
}

func (h *Hub) allLeft() {
	if !h.draining || len(h.clients) > 0 {
		return
	}
	select {
	case <-h.left:
	default:
		close(h.left)
	}
}

// dismiss ends a session when it has got what waits for it.
func (h *Hub) dismiss(c *client, cause error) {
	switch {
	case c.leaving:
		return
	case c.joining:
		c.expelled = cause
		return
	}
	if errors.Is(cause, downstream.ErrShutdown) && c.seesSystem() {
		h.send(c, shutdownEvent(h.info))
	}
	c.leaving = true
	c.stopTimers()
	h.discard(c)
	h.unsubscribe(c)
	c.session.Watch(false)
	if c.call != nil || c.wait != nil || c.working {
		if c.program == nil {
			delete(h.calls, c.call)
			c.call = nil
		}
		c.wait = nil
		c.session.Done()
	}
	c.session.Finish(cause)
	h.touch(c)
	for range c.queue {
		c.session.Done()
	}
	c.queue = nil
}

// fullyBooted is the event that stands right behind a login's answer (action_login
// in main/manager.c), as of now.
func fullyBooted(info *upstream.Info, now time.Time) []byte {
	b := native.AppendHeader(make([]byte, 0, 128), "Event", "FullyBooted")
	b = native.AppendHeader(b, "Privilege", "system,all")
	b = native.AppendHeader(b, "Uptime", wholeSeconds(now.Sub(info.Booted)))
	b = native.AppendHeader(b, "LastReload", wholeSeconds(now.Sub(info.Reloaded)))
	b = native.AppendHeader(b, "Status", "Fully Booted")
	return native.AppendEnd(b)
}

// shutdownEvent is Asterisk's own at a clean stop (ast_manager... "Shutdown" in
// main/asterisk.c; observed with Asterisk 22).
func shutdownEvent(info *upstream.Info) []byte {
	b := native.AppendHeader(make([]byte, 0, 128), "Event", "Shutdown")
	b = native.AppendHeader(b, "Privilege", "system,all")
	if info != nil && info.Settings != nil {
		if name := info.Settings.Get("SystemName"); name != "" {
			b = native.AppendHeader(b, "SystemName", name)
		}
	}
	b = native.AppendHeader(b, "Shutdown", "Cleanly")
	b = native.AppendHeader(b, "Restart", "False")
	return native.AppendEnd(b)
}
