package commands

import (
	"strconv"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/rights"
)

// doings are the commands that are not sent as they are judged.
var doings = map[string]command{
	"AbsoluteTimeout":    {prepare: absoluteTimeout, send: timeoutOff},
	"AgentActivity":      {own: agentActivity, work: pastActivity},
	"AgentCallbackLogin": {prepare: callbackAt, run: callbackLogin},
	"AgentInfo":          {own: agentInfo},
	"AgentLogoff":        {run: callbackLogoff, send: softLogoff},
	"ChangeMonitor":      {run: changeMonitor, lacking: true},
	"ChannelInfo":        {send: as("Status")},
	"Command":            {framed: true},
	"Custom":             {prepare: custom},
	"CustomFreeForm":     {prepare: custom, framed: true},
	"DBGet":              {send: getTree},
	"DBShow":             {run: showDatabase, send: as("DBGetTree")},
	"MailboxCount":       {prepare: mailbox},
	"MailboxStatus":      {prepare: mailbox},
	"Monitor":            {run: monitor, send: mix},
	"Originate":          {prepare: originate},
	"ParkedCallInfo":     {send: as("ParkedCalls")},
	"PeerInfo":           {own: peerInfo},
	"ProfileDelete":      {work: profileDelete},
	"ProfileGet":         {own: profileGet},
	"ProfileList":        {own: profileList},
	"ProfileUpdate":      {work: profileUpdate},
	"QueueInfo":          {send: as("QueueStatus")},
	"QueuePause":         {prepare: pause},
	"Redirect":           {prepare: redirect},
	"SIPshowpeer":        {own: showPeer, lacking: true},
	"ServerVersion":      {own: serverVersion},
	"StatisticInfo":      {own: statisticInfo},
	"StopMonitor":        {run: stopMonitor, lacking: true},
}

// as sends an action under the name that Asterisk has for it.
func as(name string) func(*Env, *codec.Packet) *codec.Packet {
	return func(_ *Env, a *codec.Packet) *codec.Packet { return renamed(a, name) }
}

// unixTimes begin where no number of seconds from now is meant any more.
const unixTimes = 1_000_000_000

// absoluteTimeout turns a Unix time into seconds from now, of which there are as many.
func absoluteTimeout(env *Env, a *codec.Packet) (*codec.Packet, string) {
	seconds, err := strconv.ParseInt(a.Get("Timeout"), 10, 64)
	switch {
	case err != nil || seconds < 0:
		return a, "Timeout must be a number of seconds"
	case seconds > unixTimes:
		if seconds -= env.Now.Unix(); seconds <= 0 {
			return a, "Timeout has passed"
		}
		if seconds > unixTimes {
			return a, "Timeout must be a number of seconds, or a Unix time"
		}
	}
	return instead(a, "Timeout", strconv.FormatInt(seconds, 10)), ""
}

// timeoutOff takes a timeout back: 0 is none to the action (action_timeout in
// main/manager.c).
func timeoutOff(_ *Env, a *codec.Packet) *codec.Packet {
	if a.Get("Timeout") != "0" {
		return a
	}
	return newAction("Setvar", "ActionID", a.Get("ActionID"), "Channel", a.Get("Channel"), "Variable", "TIMEOUT(absolute)", "Value", "0")
}

// custom makes CAction the Action.
func custom(_ *Env, a *codec.Packet) (*codec.Packet, string) {
	names, what := 0, ""
	for _, h := range a.Headers {
		switch {
		case strings.EqualFold(h.Name, "Action"):
			names++
		case strings.EqualFold(h.Name, "CAction"):
			names++
			what = h.Value
		}
	}
	if names != 2 {
		return a, "Action and CAction must be given once"
	}
	return built(codec.Header{Name: "Action", Value: what}, others(a, "Action", "CAction")...), ""
}

// getTree reads all of a family where there is no Key.
func getTree(_ *Env, a *codec.Packet) *codec.Packet {
	if a.Get("Key") != "" {
		return a
	}
	return renamed(a, "DBGetTree")
}

// mailbox puts Mailbox and Context together.
func mailbox(_ *Env, a *codec.Packet) (*codec.Packet, string) {
	if name, context, found := strings.Cut(a.Get("Mailbox"), "@"); found {
		if name == "" || context == "" {
			return a, "Mailbox must be like 1001@default, or 1001 with a Context"
		}
		return a, ""
	}
	switch context := a.Get("Context"); {
	case context == "":
		return a, "Missing required parameter: Context"
	case strings.Contains(context, "@"):
		return a, "Context must be without @"
	}
	return instead(a, "Mailbox", a.Get("Mailbox")+"@"+a.Get("Context")), ""
}

// originate gives each variable a header of its own. Asterisk reads of numbers what they begin
// with (action_originate in main/manager.c).
func originate(_ *Env, a *codec.Packet) (*codec.Packet, string) {
	if timeout := a.Get("Timeout"); timeout != "" && !isNumber(timeout, 0) {
		return a, "Timeout must be a number of milliseconds"
	}
	if refusal := wrongPriority(a); refusal != "" {
		return a, refusal
	}
	var rest []codec.Header
	for _, h := range others(a, "Action") {
		if !strings.EqualFold(h.Name, "Variable") {
			rest = append(rest, h)
			continue
		}
		for v := range strings.SplitSeq(h.Value, "|") {
			rest = append(rest, codec.Header{Name: h.Name, Value: v})
		}
	}
	return built(codec.Header{Name: "Action", Value: a.ActionName()}, rest...), ""
}

// redirect reads Priority as originate does (action_redirect in main/manager.c).
func redirect(_ *Env, a *codec.Packet) (*codec.Packet, string) { return a, wrongPriority(a) }

// wrongPriority judges a Priority, which may be a label. One that begins with a digit or a
// sign is none.
func wrongPriority(a *codec.Packet) (refusal string) {
	priority := a.Get("Priority")
	if priority != "" && strings.IndexByte("+-.0123456789", priority[0]) >= 0 && !isNumber(priority, 1) {
		return "Priority must be a number from 1 on, or a label"
	}
	return ""
}

// pause pauses where it is not said.
func pause(_ *Env, a *codec.Packet) (*codec.Packet, string) {
	if a.Get("Paused") == "" {
		return instead(a, "Paused", "true"), ""
	}
	return a, ""
}

// serverVersion tells who there is.
func serverVersion(_ *State, env *Env, a *codec.Packet) Answer {
	b := native.AppendAnswer(nil, a, "Success")
	if info := env.Upstream; info != nil {
		if info.Settings != nil {
			b = native.AppendHeader(b, "AsteriskVersion", info.Settings.Get("AsteriskVersion"))
		}
		b = native.AppendHeader(b, "AMIversion", info.Version)
	}
	b = native.AppendHeader(b, "AmpdVersion", env.Version)
	return whole(native.AppendEnd(b))
}

// A list is the answer of ampd's own that is a list.
type list struct {
	b        []byte
	actionID string
	items    int
}

// newList begins one; more are pairs of names and values of its response.
func newList(a *codec.Packet, message string, more ...string) *list {
	b := native.AppendHeader(native.AppendAnswer(nil, a, "Success"), "EventList", "start")
	b = native.AppendHeader(b, "Message", message)
	for i := 0; i+1 < len(more); i += 2 {
		b = native.AppendHeader(b, more[i], more[i+1])
	}
	return &list{b: native.AppendEnd(b), actionID: a.Get("ActionID")}
}

// item adds one that the session may see, of pairs of names and values; what has no value
// is left out.
func (l *list) item(name string, pairs ...string) {
	l.items++
	l.b = native.AppendHeader(l.b, "Event", name)
	l.id()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			l.b = native.AppendHeader(l.b, pairs[i], pairs[i+1])
		}
	}
	l.b = native.AppendEnd(l.b)
}

// headers adds an item of headers, as item does.
func (l *list) headers(name string, headers []codec.Header) {
	var pairs []string
	for _, h := range headers {
		pairs = append(pairs, h.Name, h.Value)
	}
	l.item(name, pairs...)
}

// shown adds an item that was judged, nil for one that is not to be seen.
func (l *list) shown(name string, item *codec.Packet) {
	if item != nil {
		l.headers(name, item.Headers[1:])
	}
}

func (l *list) id() {
	if l.actionID != "" {
		l.b = native.AppendHeader(l.b, "ActionID", l.actionID)
	}
}

func (l *list) end(name string) Answer {
	l.b = native.AppendHeader(l.b, "Event", name)
	l.id()
	l.b = native.AppendHeader(l.b, "EventList", "Complete")
	return whole(native.AppendEnd(native.AppendHeader(l.b, "ListItems", strconv.Itoa(l.items))))
}

func unconnected(a *codec.Packet) Answer {
	return whole(native.Answer(a, "Error", "Upstream not connected"))
}

// seesItem tells whether the session may see an item of a list, by what that names.
func seesItem(s *rights.Subject, name string, pairs ...string) bool {
	item := newAction("", pairs...)
	item.Headers[0] = codec.Header{Name: "Event", Value: name}
	return s.Item(item) != nil
}

// agentInfo lists the agents of app_agent_pool, and whom queues know as members only.
func agentInfo(s *State, env *Env, a *codec.Packet) Answer {
	if env.State == nil {
		return unconnected(a)
	}
	asked := a.Get("Agent")
	l := newList(a, "Agents will follow")
	pool := map[string]bool{}
	for p := range env.State.Snapshot(pbx.Agents, l.actionID, env.Now) {
		id := p.Get("Agent")
		pool["agent:"+strings.ToLower(id)] = true
		if asked != "" && !strings.EqualFold(asked, id) {
			continue
		}
		if p = s.Rights.Item(p); p != nil {
			l.items++
			l.b = append(l.b, p.Raw...)
		}
	}
	mine, shown := members(env, asked), map[string]bool{}
	for q := range env.State.Queues() {
		for _, m := range q.Members {
			key := strings.ToLower(m.Interface)
			if shown[key] || !mine(m) || pool[key] || pool[strings.ToLower(m.StateInterface)] ||
				!seesItem(s.Rights, "QueueMember", "Queue", q.Name, "Location", m.Interface) {
				continue
			}
			shown[key] = true
			l.item("Agents", "Agent", m.Interface, "Name", m.Name, "Status", memberStatus(m), "LoggedInTime", m.LoginTime)
		}
	}
	return l.end("AgentsComplete")
}

// memberStatus is a member's in the words of action_agents in apps/app_agent_pool.c.
func memberStatus(m *pbx.Member) string {
	switch m.Status { // a device state
	case "1", "6":
		if m.InCall == "1" {
			return "AGENT_ONCALL"
		}
		return "AGENT_IDLE"
	case "2", "3", "7", "8":
		return "AGENT_ONCALL"
	case "4", "5":
		return "AGENT_LOGGEDOFF"
	}
	return "AGENT_UNKNOWN"
}

// peerInfo lists peers with what their lists do not have: the caller ID.
func peerInfo(s *State, env *Env, a *codec.Packet) Answer {
	if env.State == nil {
		return unconnected(a)
	}
	technology, asked := a.Get("Type"), a.Get("Peer")
	switch strings.ToLower(technology) {
	case "", "sip", "pjsip", "iax2":
	case "iax":
		technology = "IAX2"
	default:
		return whole(native.Answer(a, "Error", "Type must be SIP, PJSIP or IAX2"))
	}
	l := newList(a, "Peer status list will follow")
	for p := range env.State.Peers() {
		if technology != "" && !strings.EqualFold(technology, p.Technology) || asked != "" && !strings.EqualFold(asked, p.Name) {
			continue
		}
		event := "PeerEntry"
		if p.Technology == "PJSIP" {
			event = "EndpointList"
		}
		if seesItem(s.Rights, event, "Channeltype", p.Technology, "ObjectName", p.Name) {
			l.item("PeerEntry", peerHeaders(p)...)
		}
	}
	return l.end("PeerlistComplete")
}

// peerHeaders are what peers of all technologies have.
func peerHeaders(p *pbx.Peer) []string {
	address, port := p.Get("IPaddress"), p.Get("IPport")
	status := p.Status()
	latency := ""
	if p.Technology == "PJSIP" {
		for _, c := range p.Contacts {
			if address == "" {
				address, port = addressOf(c.URI)
			}
			if micros, err := strconv.Atoi(c.RoundtripUsec); err == nil && micros > 0 && latency == "" {
				latency = strconv.Itoa((micros + 500) / 1000)
			}
		}
	} else if ms, found := strings.CutPrefix(status, "OK ("); found {
		latency, _, _ = strings.Cut(ms, " ")
	}
	name, number := callerID(p.CallerID)
	return []string{
		"Channeltype", p.Technology, "ObjectName", p.Name, "ChanObjectType", "peer", "IPaddress", address, "IPport", port,
		"Status", status, "Latency", latency, "CallerIDName", name, "CallerIDNum", number,
	}
}

// addressOf takes a SIP URI apart.
func addressOf(uri string) (host, port string) {
	_, rest, _ := strings.Cut(uri, ":")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, ";")
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || strings.HasSuffix(rest, "]") {
		return rest, ""
	}
	return rest[:i], rest[i+1:]
}

// callerID takes `"Phone 101" <101>` apart.
func callerID(text string) (name, number string) {
	name, number, found := strings.Cut(text, "<")
	if !found {
		return "", strings.TrimSpace(text)
	}
	number, _, _ = strings.Cut(number, ">")
	return strings.Trim(strings.TrimSpace(name), `"`), number
}

// showPeer is for an Asterisk without chan_sip: its endpoints are the SIP peers. Where there is
// chan_sip Asterisk answers.
func showPeer(s *State, env *Env, a *codec.Packet) Answer {
	if env.State == nil {
		return unconnected(a)
	}
	p := env.State.Peer("PJSIP/" + a.Get("Peer"))
	if p == nil || !seesItem(s.Rights, "EndpointList", "Channeltype", p.Technology, "ObjectName", p.Name) {
		return whole(native.Answer(a, "Error", "Peer "+a.Get("Peer")+" not found."))
	}
	b := native.AppendAnswer(nil, a, "Success")
	pairs := peerHeaders(p)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			b = native.AppendHeader(b, pairs[i], pairs[i+1])
		}
	}
	return whole(native.AppendEnd(b))
}

// showDatabase reads what the CLI shows where there is no DBGetTree: key and value with ": "
// between them, from column 50 at the earliest (handle_cli_database_show in main/db.c).
func showDatabase(s *State, env *Env, a *codec.Packet) Script {
	if env.lists("DBGetTree") {
		return nil
	}
	return func(ask Ask) []byte {
		answer := ask(newAction("Command", "Command", "database show"))
		if len(answer) == 0 || answer[0].Name() == "Error" {
			return native.Answer(a, "Error", message(answer))
		}
		l := newList(a, "Result will follow")
		reply := s.Rights.Answer(newAction("DBGetTree"))
		for _, p := range answer {
			for _, h := range p.Headers {
				line := h.Value
				if h.Name != "" && !strings.EqualFold(h.Name, "Output") {
					continue
				}
				if i := strings.Index(line[min(len(line), keyColumns):], ": "); i >= 0 {
					i += keyColumns
					item := newAction("", "Key", strings.TrimSpace(line[:i]), "Val", strings.TrimRight(line[i+2:], " "))
					item.Headers[0] = codec.Header{Name: "Event", Value: "DBGetTreeResponse"}
					l.shown("DBGetTreeResponse", reply.Take(item))
				}
			}
		}
		return l.end("DBGetTreeComplete").Packets
	}
}

const keyColumns = 50
