package upstream

import (
	"context"
	"time"

	"go.uber.org/zap"

	"ampd/codec"
)

// A Handler is told what happens upstream. Its methods are called from several of
// upstream's goroutines and may block for a moment; what they block longer, Asterisk
// waits (and cuts a reader that does not read for long).
//
// From one event connection come, in this order: Events (from the login on, also
// before Ready), Ready, Changed and Events, Lost. Lost is the last that is heard of
// it: all Events and Answers of it came before. An event connection that never got
// to its login is not heard of at all.
type Handler interface {
	// Ready says that actions can be run from now on.
	Ready(*Info)

	// Changed says that Asterisk's actions or times are others than at Ready
	// (after Load, Unload and Reload).
	Changed(*Info)

	// Lost says why the connection to Asterisk is gone. Ready need not have been
	// called. ampd goes on trying by itself.
	Lost(error)

	// Events hands over the next events in Asterisk's order; slice and packets
	// are the handler's to keep. FullyBooted is not among them (see Info), nor
	// is the OriginateResponse of an Originate that ampd made asynchronous.
	// ActionIDs are the clients' own already.
	Events([]*codec.Packet)

	// Started says that the action is about to be written upstream. It comes
	// before the call's first Answer, and not at all for a call that is refused
	// or for a synchronous Originate that ampd made asynchronous.
	Started(*Call)

	// Answer hands over the next packet of the call's answer, with the ActionID
	// that the client sent (none if it sent none). After last nothing more comes
	// for this call, and last comes exactly once for each. The packet is the
	// handler's to keep. An answer that consists of an empty line (IAXnetstats
	// without calls) is a packet without headers whose Raw is that line.
	Answer(call *Call, p *codec.Packet, last bool)
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

	task
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

	byName map[string]int // lower-case name to its place in Commands
}

// A Command is a line of ListCommands.
type Command struct {
	Name    string
	Text    string        // the line behind the name, "(Priv: ...)" included
	Classes codec.Classes // any one of them will do; none: everybody may
}

// Client keeps the connections to one Asterisk and runs actions on them.
type Client struct {
}

// New makes a client, which does nothing before Run.
func New(cfg Config, h Handler, log *zap.Logger, m *Metrics) *Client {
	panic("unfinished")
}

// Run connects, reconnects for ever, and runs what is submitted. When ctx is done it
// gives the actions under way Config.ShutdownGrace, answers the rest with an error,
// logs off and returns nil: all its goroutines have ended and no method of the
// Handler is running or will be called.
func (c *Client) Run(ctx context.Context) error { panic("unfinished") }

// Submit has the call run as soon as a connection is free. It never blocks and never
// calls the Handler itself. Whatever happens, the call gets its last Answer, unless
// Run has returned.
func (c *Client) Submit(call *Call) { panic("unfinished") }

// Command finds an action of Asterisk's by its name, whose case does not matter.
func (i *Info) Command(name string) (Command, bool) { panic("unfinished") }

type task struct{}
