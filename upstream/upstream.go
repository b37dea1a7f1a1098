package upstream

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"ampd/codec"
	"ampd/pbx"
)

// A Handler is told what happens upstream. Its methods are called from several of
// upstream's goroutines and may block for a moment; what they block longer, Asterisk
// waits (and cuts a reader that does not read for long).
//
// From one event connection come, in this order: Events (from the login on, also
// before Ready) and Listed, Ready, then Changed and Events, Lost. Lost is the last that is heard
// of it: all its Events came before, and so did the Answers of all calls that were
// written. An event connection that never got to its login is not heard of at all, and
// when Run is told to end nothing is lost.
type Handler interface {
	// Ready says that actions can be run from now on.
	Ready(*Info)

	// Changed says that Asterisk's actions or times are others than at Ready
	// (after Load, Unload and Reload).
	Changed(*Info)

	// Lost says why the connection to Asterisk is gone; Ready need not have come
	// before. The client goes on trying by itself and logs why.
	Lost(error)

	// Events hands over the next events in Asterisk's order. Of them only Raw is
	// the handler's to keep. FullyBooted is not among them (see Info), nor
	// is the OriginateResponse of an Originate that ampd made asynchronous.
	// ActionIDs are the clients' own already.
	Events([]*codec.Packet)

	// Lists says which list actions make up the state of an Asterisk that can do
	// what info says. They are asked one after another on the event connection,
	// before Ready.
	Lists(info *Info) []pbx.Question

	// Listed hands over the whole answer to one of them, its response first, between
	// the Events that came before it and those that come after it. It is the handler's
	// to keep.
	Listed(q pbx.Question, answer []*codec.Packet)

	// Started says that the action is about to be written upstream. It comes
	// before the call's first Answer, and not at all for a call that is refused
	// or for a synchronous Originate that ampd made asynchronous.
	Started(*Call)

	// Answer hands over the next packet of the call's answer, with the ActionID
	// that the client sent (none if it sent none). After last nothing more comes
	// for this call, and last comes exactly once for each. Nothing of
	// the packet is the handler's to keep. An answer that consists of an empty line (IAXnetstats
	// without calls) is a packet without headers whose Raw is that line.
	Answer(call *Call, p *codec.Packet, last bool)

	// Rest says that all was handed over that has come together from Asterisk.
	Rest()
}

// A Call is one action of a session on its way through Asterisk.
type Call struct {
	// Owner names the session: owners are served round robin.
	Owner uint64

	// Action is what was judged, and all that is sent: Action, an ActionID of
	// ampd's, then its other headers in their order. A line goes as it came
	// where Raw has it, as "Name: Value" where it hasn't (Raw may be nil).
	// It must not be changed once submitted.
	Action *codec.Packet
}

// Info is what Asterisk said about itself. It is never changed.
type Info struct {
	// Version is the protocol's, as the banner has it: "11.0.0".
	Version string

	// Settings is the response to CoreSettings, nil if Asterisk refused it.
	// AsteriskVersion and SystemName stand there.
	Settings *codec.Packet

	// Commands are the actions that ampd's account may run, as ListCommands
	// says, in its order. Empty if Asterisk did not tell.
	Commands []Command

	// FullyBooted is that event as the event connection got it, nil if it never
	// came. Its Uptime and LastReload are of then; Booted and Reloaded tell what
	// they are now. Both are zero without it.
	FullyBooted *codec.Packet
	Booted      time.Time
	Reloaded    time.Time
}

// A Command is a line of ListCommands.
type Command struct {
	Name    string
	Text    string        // the line behind the name, "(Priv: ...)" included
	Classes codec.Classes // any one of them will do; none: everybody may
	Unknown string        // a class asked for that ampd doesn't know, usually "": Classes is not all then
}

// Client keeps the connections to one Asterisk and runs actions on them.
type Client struct {
	cfg     atomic.Pointer[Config] // what is in force; replaced as a whole
	handler Handler
	log     *zap.Logger
	metrics *Metrics
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	ids     *ids

	woken   chan struct{} // has room for one: refusals or originates changed
	refresh chan struct{} // has room for one: what Asterisk can do may have changed

	mu         sync.Mutex
	ready      bool  // runs are taken
	events     *conn // the event connection, where it takes no runs
	closed     bool  // Run is about to return
	sched      scheduler
	unanswered int             // calls submitted that have not got their last Answer
	drained    func()          // called when unanswered gets 0, nil while nobody waits for that
	originates map[string]*run // converted ones that wait for their OriginateResponse, by ActionID
	overdue    int             // connections whose answer nobody waits for any more
	refusals   []refusal       // to be answered by clerk
	info       *Info           // as last told to the handler
	boot       Info            // FullyBooted and its times only

	tellInUse, tellRights sync.Once
}

// New makes a client, which does nothing before Run.
func New(cfg Config, h Handler, log *zap.Logger, m *Metrics) *Client {
	c := &Client{
		handler:    h,
		log:        log,
		metrics:    m,
		dial:       (&net.Dialer{}).DialContext,
		ids:        newIDs(m.ForgottenIDs.Inc),
		woken:      make(chan struct{}, 1),
		refresh:    make(chan struct{}, 1),
		sched:      newScheduler(),
		originates: make(map[string]*run),
	}
	c.cfg.Store(&cfg)
	return c
}

// Configure puts cfg in force while Run may run: what is about a login or its certificates
// from the next connection to Asterisk on, times from the next wait on. Address,
// Username, TLS and ActionConnections must be as they were: connections that are made at
// different times belong together.
func (c *Client) Configure(cfg Config) { c.cfg.Store(&cfg) }

// Run connects, reconnects for ever, and runs what is submitted. When ctx is done it
// gives what was submitted Config.ShutdownGrace, answers the rest with an error,
// logs off and returns nil: all its goroutines have ended and no method of the
// Handler is running or will be called.
func (c *Client) Run(ctx context.Context) error {
	var clerk sync.WaitGroup
	clerk.Go(c.clerk)
	c.reconnect(ctx)
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wake()
	clerk.Wait()
	return nil
}

// List runs a list action of ampd's own as soon as an action connection is free, and
// returns its whole answer, the response first, when all that happened before it has been
// given to Handler.Events. The error says why there is none. One may be asked at a time.
func (c *Client) List(ctx context.Context, q pbx.Question) ([]*codec.Packet, error) {
	answer, err := c.ask(ctx, nil, listAction(q), nil)
	c.mu.Lock()
	events := c.events
	c.mu.Unlock()
	if err == nil && events != nil {
		_, err = c.question(ctx, events, "Ping") // behind the events in Asterisk's order
	}
	return answer, err
}

// Submit has the call run as soon as a connection is free. It never blocks and never
// calls the Handler itself. Whatever happens, the call gets its last Answer, unless
// Run has returned.
func (c *Client) Submit(call *Call) {
	r, refused := c.newRun(call)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unanswered++
	switch {
	case refused != nil:
		c.refuse(call, refused, resultInvalid)
	case !c.ready:
		c.refuse(call, failure(call.Action, textUnconnected), resultUnconnected)
	case r.slow && c.overdue >= max(1, c.cfg.Load().ActionConnections):
		c.refuse(call, failure(call.Action, textBusy), resultBusy)
	case c.unanswered > unansweredMost:
		c.refuse(call, failure(call.Action, textBusy), resultBusy)
	case c.sched.join(r):
		c.metrics.Coalesced.Inc()
	default:
		c.sched.add(call.Owner, r)
		c.dispatch()
	}
}
