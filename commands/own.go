package commands

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ampd/actions"
	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/profiles"
	"ampd/rights"
	"ampd/stats"
	"ampd/upstream"
)

// A State is what a session's own actions read and change.
type State struct {
	Rights  *rights.Subject
	Mask    codec.Classes
	Filters *rights.Filters  // the profile's and those added
	Added   []rights.Matcher // by the session
	Ampd    bool             // it speaks the ampd dialect

	// Challenge answers the action of that name.
	Challenge func(*codec.Packet) []byte
}

// Env is what is true at the moment in which an action runs.
type Env struct {
	Now      time.Time
	Upstream *upstream.Info // nil while no Asterisk was ever seen
	Table    rights.Table
	State    *pbx.State // nil while no Asterisk's was ever loaded

	Version    string // ampd's
	Profiles   *profiles.Store
	Profile    *profiles.Profile // of the session
	Recordings *Recordings
	Statistics *stats.Book
	History    History // nil for none
}

// A History knows what agents did before today. Its methods take time: they are not called
// under a lock.
type History interface {
	// Activity is what those did whose interface and name match, from since up to before
	// until, in the order of time; from is since when it knows.
	Activity(since, until time.Time, match func(iface, name string) bool) (entries []stats.Entry, from time.Time, err error)
}

// An Answer is what becomes of an action of ampd's own.
type Answer struct {
	Packets []byte // what the client gets, whole packets
	Logoff  bool   // the session ends behind them
	Wait    *Wait  // instead: the answer comes later
}

// Wait is a WaitEvent under way: it ends at the session's next event, after
// Timeout, or when the client sends something.
type Wait struct {
	Action  *codec.Packet
	Timeout time.Duration // negative: for ever
}

// own are the actions of ampd's own, by their names in lower case.
var own = map[string]func(*State, *Env, *codec.Packet) Answer{
	"ampdsnapshot": snapshot,
	"challenge":    challenge,
	"events":       events,
	"filter":       filter,
	"listcommands": listCommands,
	"login":        login,
	"logoff":       logoff,
	"ping":         ping,
	"waitevent":    waitEvent,
}

// whole is the answer that is complete at once.
func whole(packets []byte) Answer { return Answer{Packets: packets} }

// login is one on a session that is logged in, as whoever.
func login(_ *State, _ *Env, a *codec.Packet) Answer {
	return whole(native.Answer(a, "Success", "Already authenticated"))
}

func logoff(_ *State, _ *Env, a *codec.Packet) Answer {
	return Answer{Packets: native.Answer(a, "Goodbye", "Thanks for all the fish."), Logoff: true}
}

func challenge(s *State, _ *Env, a *codec.Packet) Answer { return whole(s.Challenge(a)) }

func ping(_ *State, env *Env, a *codec.Packet) Answer {
	b := native.AppendAnswer(make([]byte, 0, 128), a, "Success")
	b = native.AppendHeader(b, "Ping", "Pong")
	b = append(b, "Timestamp: "...)
	b = strconv.AppendInt(b, env.Now.Unix(), 10)
	micros := strconv.AppendInt(nil, int64(1e6+env.Now.Nanosecond()/1000), 10) // a 1, then six digits
	b = append(append(b, '.'), micros[1:]...)
	return whole(native.AppendEnd(append(b, "\r\n"...)))
}

func events(s *State, _ *Env, a *codec.Packet) Answer {
	mask, ok := ParseMask(a.Get("EventMask"))
	if !ok {
		return whole(native.Answer(a, "Error", "Invalid event mask"))
	}
	s.Mask = mask
	state := "On"
	if mask == 0 {
		state = "Off"
	}
	return whole(native.AppendEnd(native.AppendHeader(native.AppendAnswer(nil, a, "Success"), "Events", state)))
}

// listCommands leaves the lines of what the profile may not run out of Asterisk's
// answer, and in the ampd dialect adds those of ampd's own commands.
func listCommands(s *State, env *Env, a *codec.Packet) Answer {
	if env.Upstream == nil {
		return whole(native.Answer(a, "Error", "Upstream not connected"))
	}
	b := native.AppendAnswer(make([]byte, 0, 16<<10), a, "Success")
	for _, c := range env.Upstream.Commands {
		if s.Rights.Lists(env.Table, c.Name) {
			b = native.AppendHeader(b, c.Name, c.Text)
		}
	}
	for _, c := range actions.Commands {
		if s.Ampd && !env.lists(c.Name) && s.Rights.Lists(env.Table, c.Name) {
			b = native.AppendHeader(b, c.Name, strings.ReplaceAll(c.Text, "`", ""))
		}
	}
	return whole(native.AppendEnd(b))
}

// waitEvent reads Timeout as sscanf's %i does, whole seconds: none or what is no
// number waits for ever.
func waitEvent(_ *State, _ *Env, a *codec.Packet) Answer {
	w := &Wait{Action: a, Timeout: -1}
	if seconds, ok := leadingInt(a.Get("Timeout")); ok && seconds >= 0 {
		w.Timeout = time.Duration(min(seconds, maxWait)) * time.Second
	}
	return Answer{Wait: w}
}

// maxWait keeps a Timeout within what a time.Duration holds, in seconds.
const maxWait = 1 << 31

// Begin is the first packet of the answer when the wait is over; behind it comes the
// event that ended it, if one did.
func (w *Wait) Begin() []byte {
	return native.Answer(w.Action, "Success", "Waiting for Event completed.")
}

// End is the last packet of the answer.
func (w *Wait) End() []byte {
	b := native.AppendHeader(nil, "Event", "WaitEventComplete")
	if id := w.Action.Get("ActionID"); id != "" {
		b = native.AppendHeader(b, "ActionID", id)
	}
	return native.AppendEnd(b)
}

// leadingInt reads what %i takes from the start of text: blanks, a sign, digits,
// base 16 behind 0x and 8 behind 0.
func leadingInt(text string) (n int64, ok bool) {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	base := int64(10)
	if lower := strings.ToLower(text); strings.HasPrefix(lower, "0x") {
		base, text = 16, lower[2:]
	} else if strings.HasPrefix(text, "0") {
		base = 8
	}
	for i := 0; i < len(text) && n <= maxWait; i++ {
		d := int64(strings.IndexByte("0123456789abcdef", text[i]|0x20))
		if text[i] < '0' || d < 0 || d >= base {
			break
		}
		n, ok = n*base+d, true
	}
	if negative {
		n = -n
	}
	return n, ok
}

// filter adds an event filter to the session; there is no way to take one back but
// to log in anew.
func filter(s *State, env *Env, a *codec.Packet) Answer {
	if !strings.EqualFold(a.Get("Operation"), "Add") {
		return whole(native.Answer(a, "Error", "Unknown operation"))
	}
	if len(s.Added) >= rights.MaxFilters {
		return whole(native.Answer(a, "Error", fmt.Sprintf("A session has at most %d filters", rights.MaxFilters)))
	}
	m, err := rights.ParseFilter(a.Get("MatchCriteria"), a.Get("Filter"), env.knowsCriteria())
	if wrong, ok := errors.AsType[*rights.FilterError](err); ok {
		return whole(native.Answer(a, "Error", wrong.Message))
	}
	s.Filters, s.Added = s.Filters.With(m), append(s.Added, m)
	return whole(native.Answer(a, "Success", "Success"))
}

// knowsCriteria tells whether this Asterisk's Filter takes MatchCriteria and refuses
// an empty Filter: 22 does, 16 does not, and nothing that they say tells but the
// protocol's version (5 in Asterisk 16, 7 in 18, 11 in 22).
func (e *Env) knowsCriteria() bool {
	if e.Upstream == nil {
		return true
	}
	major, _, _ := strings.Cut(e.Upstream.Version, ".")
	n, err := strconv.Atoi(major)
	return err != nil || n >= 7
}
