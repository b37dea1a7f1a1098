package upstream

import (
	"bytes"
	"strings"
	"time"

	"ampd/actions"
	"ampd/codec"
	"ampd/codec/native"
)

// The words of Asterisk, or of ampd where it has none, for what is refused.
const (
	textLost        = "Upstream connection lost; the action may or may not have been executed"
	textUnconnected = "Upstream not connected"
	textTimeout     = "Timeout waiting for Asterisk"
	textBusy        = "Upstream busy"
	textDenied      = "Permission denied"
	textNoAction    = "Missing action in request"
	textCharacter   = "Failed to parse message: invalid character"

	// inbuf and headers of a message: get_input and do_message in
	// main/manager.c.
	textLine  = "Failed to parse message: line too long"
	textLines = "Too many lines in message or allocation failure"
)

// originateTimeout is an Originate's Timeout where it says none: action_originate in
// main/manager.c.
const originateTimeout = 30 * time.Second

// longest bounds what an action may ask on top of Config.ActionTimeout.
const longest = 24 * time.Hour

// A run is one action on its way.
type run struct {
	// calls are those it answers: the one whose action it is, and those that
	// joined it. A run of ampd's own has none, gathers its answer and gives it to
	// reply, or says why there is none. reply is called with locks held.
	calls  []*Call
	reply  func(answer []*codec.Packet, err error)
	answer []*codec.Packet

	name  string // as the call spells it
	known actions.Action
	id    string        // its ActionID upstream
	wire  []byte        // what is written
	fence string        // ActionID of the Ping written with it, "" for none
	limit time.Duration // for each packet of the answer

	slow      bool
	key       string // equal for runs of which one will do, "" for those that run alone
	converted bool   // a synchronous Originate made asynchronous

	translated codec.Packet // the last packet of the answer, as a call gets it

	started  time.Time // when it was written
	deadline time.Time // of a converted Originate's OriginateResponse
}

// newRun judges the call's action and builds the bytes that go to Asterisk. refusal
// is the answer to an action that does not go there.
func (c *Client) newRun(call *Call) (r *run, refusal *codec.Packet) {
	action := call.Action
	name := action.ActionName()
	if name == "" {
		return nil, failure(action, textNoAction)
	}
	known, isKnown := actions.Lookup(name)
	if known.SessionBound {
		return nil, failure(action, textDenied)
	}
	r = &run{
		calls: []*Call{call},
		name:  name,
		known: known,
		id:    c.ids.next(),
		limit: c.cfg.Load().ActionTimeout.Std() + duration(action),
	}
	r.slow = known.Slow || !isKnown
	if isOriginate(name) {
		isAsync := codec.IsTrue(action.Get("Async"))
		r.converted = !isAsync && runsAsync(action)
		if isAsync || r.converted { // is answered at once
			r.limit = c.cfg.Load().ActionTimeout.Std()
			r.slow = false
		}
	}
	if refusal = r.write(action); refusal != nil {
		return nil, refusal
	}
	if known.ReadOnly && known.ListEnd != "" {
		r.key = r.listKey()
	}
	if known.NoActionID || known.Early || !isKnown {
		r.fence = c.ids.next()
		r.wire = appendPing(r.wire, r.fence)
	}
	return r, nil
}

// ownRun is an action of ampd's own: its headers but for the ActionID.
func (c *Client) ownRun(action *codec.Packet, reply func(answer []*codec.Packet, err error)) *run {
	r := &run{
		reply: reply,
		name:  action.ActionName(),
		id:    c.ids.next(),
		limit: c.cfg.Load().ActionTimeout.Std(),
	}
	r.known, _ = actions.Lookup(r.name)
	r.write(action) // is ampd's own text: never refused
	return r
}

// write builds r.wire: Action, ampd's ActionID, and then the other lines as they
// were judged. Lines without a colon, and what Asterisk would not look at (a second
// Action or ActionID), are left out.
func (r *run) write(action *codec.Packet) (refusal *codec.Packet) {
	b := make([]byte, 0, len(action.Raw)+128)
	b = native.AppendHeader(b, "Action", r.name)
	b = native.AppendHeader(b, "ActionID", r.id)
	lines := 2
	if r.converted {
		b = native.AppendHeader(b, "Async", "true")
		lines++
	}
	if !isLine(r.name) {
		return failure(action, textCharacter)
	}
	for i, line := range headerLines(action) {
		h := action.Headers[i]
		switch {
		case !isLine(h.Name) || !isLine(h.Value) || strings.IndexByte(h.Name, ':') >= 0:
			return failure(action, textCharacter)
		case h.Name == "" || strings.EqualFold(h.Name, "Action") || strings.EqualFold(h.Name, "ActionID"):
			continue
		case r.converted && strings.EqualFold(h.Name, "Async"):
			continue
		}
		start := len(b)
		if isLineOf(line, h) {
			b = append(append(b, line...), '\r', '\n')
		} else {
			b = native.AppendHeader(b, h.Name, h.Value)
		}
		if len(b)-start > native.MaxLine {
			return errorPacket(textLine)
		}
		lines++
	}
	if len("Action: ")+len(r.name)+len("\r\n") > native.MaxLine {
		return errorPacket(textLine)
	}
	if lines > native.MaxLines {
		return failure(action, textLines)
	}
	r.wire = native.AppendEnd(b)
	return nil
}

// listKey is what r sends but for the ActionID and the case of its name.
func (r *run) listKey() string {
	rest := r.wire
	for range 2 { // Action, ActionID
		_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	}
	return strings.ToLower(r.name) + "\n" + string(rest)
}

// headerLines yields an action's lines as they came, none where Raw is nil.
func headerLines(action *codec.Packet) func(func(int, []byte) bool) {
	if len(action.Raw) > 0 {
		return action.Lines()
	}
	return func(yield func(int, []byte) bool) {
		for i := range action.Headers {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// isLineOf tells whether a line says nothing but h, however many blanks stand before
// the value.
func isLineOf(line []byte, h codec.Header) bool {
	rest, ok := bytes.CutPrefix(line, []byte(h.Name+":"))
	return ok && string(bytes.TrimLeft(rest, " \t")) == strings.TrimLeft(h.Value, " \t")
}

func isLine(s string) bool { return !strings.ContainsAny(s, "\r\n\x00") }

func isOriginate(name string) bool { return strings.EqualFold(name, "Originate") }

// runsAsync tells whether an Originate does the same with "Async: true": without it
// alone Asterisk runs PreDialGoSub, and refuses an extension without priority (which
// it would dial all the same): action_originate in main/manager.c.
func runsAsync(action *codec.Packet) bool {
	if action.Get("PreDialGoSub") != "" {
		return false
	}
	if action.Get("Application") != "" {
		return true
	}
	priority := action.Get("Priority")
	n, isNumber := number(priority)
	return priority != "" && (!isNumber || n != 0)
}

// duration is how long an action says that it lasts before it is answered.
func duration(action *codec.Packet) time.Duration {
	switch strings.ToLower(action.ActionName()) {
	case "originate":
		return originateLasts(action)
	case "playdtmf", "playmf":
		n, _ := number(action.Get("Duration"))
		return milliseconds(n)
	}
	return 0
}

// originateLasts is how long an Originate may ring.
func originateLasts(action *codec.Packet) time.Duration {
	n, ok := number(action.Get("Timeout"))
	if !ok || n <= 0 {
		return originateTimeout
	}
	return milliseconds(n)
}

func milliseconds(n int64) time.Duration {
	return min(max(0, time.Duration(n)*time.Millisecond), longest)
}

// number reads a number as sscanf's %30d does: blanks, a sign, digits, and whatever
// follows them. It is clipped to 32 bits.
func number(s string) (n int64, ok bool) {
	s = strings.TrimLeft(s, " \t")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	for ; len(s) > 0 && s[0] >= '0' && s[0] <= '9'; s = s[1:] {
		n = min(10*n+int64(s[0]-'0'), 1<<31-1)
		ok = true
	}
	if negative {
		n = -n
	}
	return n, ok
}

func appendPing(b []byte, id string) []byte {
	b = native.AppendHeader(b, "Action", "Ping")
	b = native.AppendHeader(b, "ActionID", id)
	return native.AppendEnd(b)
}

// failure is an error response to an action, in the client's own ActionID.
func failure(action *codec.Packet, message string) *codec.Packet {
	return response(action, "Error", message)
}

func response(action *codec.Packet, word, message string) *codec.Packet {
	headers := []codec.Header{{Name: "Response", Value: word}}
	if id := action.Get("ActionID"); id != "" {
		headers = append(headers, codec.Header{Name: "ActionID", Value: id})
	}
	return native.NewPacket(append(headers, codec.Header{Name: "Message", Value: message})...)
}

// errorPacket is an error response without ActionID.
func errorPacket(message string) *codec.Packet {
	return native.NewPacket(codec.Header{Name: "Response", Value: "Error"}, codec.Header{Name: "Message", Value: message})
}
