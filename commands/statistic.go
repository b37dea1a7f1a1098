package commands

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/stats"
)

// members tells which members of queues are the agent that is asked for: one of [[agent]] under
// all its interfaces, any other by its id, interface or MemberName. "" is every agent.
func members(env *Env, asked string) func(*pbx.Member) bool {
	if agent, ok := env.Profiles.Callback(asked); ok {
		return pbx.New().NewOwner(pbx.Person(*agent.Person)).IsMember
	}
	return func(m *pbx.Member) bool {
		return asked == "" || strings.EqualFold(m.Interface, asked) || strings.EqualFold(m.Name, asked) ||
			strings.EqualFold(m.Interface, "Agent:"+asked) || strings.EqualFold(m.StateInterface, "Agent:"+asked)
	}
}

// An activity is what AgentActivity asks for.
type activity struct {
	action       *codec.Packet
	mine         func(iface, name string) bool
	begin        time.Time // from here on the statistics remember it
	since, until time.Time
	refusal      string
}

// newActivity reads the action.
func newActivity(env *Env, a *codec.Packet) *activity {
	asked := a.Get("Agent")
	mine := members(env, asked)
	_, begin := env.Statistics.Day()
	since, wrong := moment(a, "Since", begin)
	until, wrong2 := moment(a, "Until", env.Now)
	if wrong == "" {
		wrong = wrong2
	}
	pool := env.Statistics.PoolAgent(strings.TrimPrefix(asked, "Agent:"))
	match := func(iface, name string) bool {
		return mine(&pbx.Member{Interface: iface, Name: name}) || pool != "" && strings.EqualFold(name, pool)
	}
	return &activity{a, match, begin, since, until, wrong}
}

// agentActivity lists what an agent did, as far as ampd has seen it and remembers.
func agentActivity(s *State, env *Env, a *codec.Packet) Answer {
	asked := newActivity(env, a)
	if asked.refusal != "" {
		return whole(native.Answer(a, "Error", asked.refusal))
	}
	return whole(asked.answer(s, env, nil, asked.begin))
}

// pastActivity is agentActivity where the history must be asked.
func pastActivity(s *State, env *Env, a *codec.Packet) func() func(*Env) []byte {
	asked := newActivity(env, a.Copy())
	if env.History == nil || asked.refusal != "" || !asked.since.Before(asked.begin) {
		return nil
	}
	kept, until := env.History, asked.until.Add(time.Millisecond) // Until itself is asked for too
	if until.After(asked.begin) {
		until = asked.begin
	}
	return func() func(*Env) []byte {
		past, from, err := kept.Activity(asked.since, until, asked.mine)
		if err != nil { // the history's own log says so
			past, from = nil, asked.begin
		}
		return func(env *Env) []byte { return asked.answer(s, env, past, from) }
	}
}

// activityMost is how many entries are told, the last ones.
const activityMost = 1_000

// answer lists what past has, and behind it what is remembered of today. from is since when
// anything is known.
func (asked *activity) answer(s *State, env *Env, past []stats.Entry, from time.Time) []byte {
	since := asked.since
	if since.Before(from) {
		since = from
	}
	wanted := func(e *stats.Entry) bool {
		return !e.Time.Before(since) && !e.Time.After(asked.until) && seesEntry(s, e)
	}
	entries := slices.DeleteFunc(past, func(e stats.Entry) bool { return !wanted(&e) })
	entries = append(entries, env.Statistics.Activity(asked.mine, func(e *stats.Entry) bool { return !e.Time.Before(asked.begin) && wanted(e) })...)
	l := newList(asked.action, "Agent activity will follow", "Since", unixTime(since))
	for _, e := range entries[max(0, len(entries)-activityMost):] {
		seconds := ""
		if e.Uniqueid != "" {
			seconds = strconv.FormatInt(e.Seconds, 10)
		}
		l.item("AgentActivity", "Agent", asked.action.Get("Agent"), "Time", unixTime(e.Time), "Activity", e.What,
			"Queue", e.Queue, "Interface", e.Interface, "MemberName", e.Name, "Reason", e.Reason, "Uniqueid", e.Uniqueid, "Seconds", seconds)
	}
	return l.end("AgentActivityComplete").Packets
}

// seesEntry tells whether the session may see the member, or the agent, that it is about.
func seesEntry(s *State, e *stats.Entry) bool {
	if e.Queue == "" {
		return seesItem(s.Rights, "Agents", "Agent", strings.TrimPrefix(e.Interface, "Agent:"))
	}
	return seesItem(s.Rights, "QueueMember", "Queue", e.Queue, "Name", e.Name, "Location", e.Interface)
}

// lastSecond is that of the year 9999. A Unix time behind it is one in milliseconds.
const lastSecond = 253_402_300_799

// moment reads a Unix time.
func moment(a *codec.Packet, header string, otherwise time.Time) (t time.Time, wrong string) {
	text := a.Get(header)
	if text == "" {
		return otherwise, ""
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > lastSecond {
		return t, header + " must be a Unix time"
	}
	return time.Unix(seconds, 0), ""
}

func unixTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// statisticInfo lists the figures of the day, and what there is to count now.
func statisticInfo(s *State, env *Env, a *codec.Packet) Answer {
	kind, queue, agent := strings.ToLower(a.Get("Type")), a.Get("Queue"), a.Get("Agent")
	switch {
	case env.State == nil:
		return unconnected(a)
	case kind != "" && kind != "queue" && kind != "agent":
		return whole(native.Answer(a, "Error", "Type must be Queue or Agent"))
	}
	day, since := env.Statistics.Day()
	l := newList(a, "Statistics will follow", "Day", day, "Since", unixTime(since), "Gap", inSeconds(env.Statistics.Gap(env.Now)))
	if kind != "agent" && (agent == "" || queue != "") {
		for _, name := range queueNames(env) {
			if (queue == "" || strings.EqualFold(queue, name)) && seesItem(s.Rights, "QueueParams", "Queue", name) {
				l.headers("QueueStatistic", QueueStatistic(env, name))
			}
		}
	}
	if kind != "queue" && (queue == "" || agent != "") {
		mine := members(env, agent)
		for g := range env.Statistics.Agents(env.Now) {
			alone := len(g.Members) == 0
			g.Only(func(m stats.Membership) bool { return seesMember(s, m) })
			if slices.ContainsFunc(g.Members, func(m stats.Membership) bool {
				return mine(&pbx.Member{Interface: m.Interface, Name: m.Name, StateInterface: m.StateInterface})
			}) || alone && isPoolAgent(s, &g, agent) {
				l.headers("AgentStatistic", AgentStatistic(&g))
			}
		}
	}
	return l.end("StatisticInfoComplete")
}

func seesMember(s *State, m stats.Membership) bool {
	return seesItem(s.Rights, "QueueMember", "Queue", m.Queue, "Name", m.Name, "Location", m.Interface)
}

// isPoolAgent tells whether an agent, which is in no queue, is the one of app_agent_pool that is asked
// for, or any, and one that the session may see.
func isPoolAgent(s *State, g *stats.Agent, asked string) bool {
	return slices.ContainsFunc(g.Pools(), func(id string) bool {
		return (asked == "" || strings.EqualFold(asked, id) || strings.EqualFold(asked, "Agent:"+id)) && seesItem(s.Rights, "Agents", "Agent", id)
	})
}

// queueNames are the queues that there are, and those that there were today, sorted.
func queueNames(env *Env) []string {
	names := env.Statistics.Queues()
	for q := range env.State.Queues() {
		names = append(names, q.Name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(x), strings.ToLower(y)), cmp.Compare(x, y))
	})
	return slices.CompactFunc(names, strings.EqualFold)
}

// QueueStatistic are the headers with a queue's figures: those of now, then those of the day.
func QueueStatistic(env *Env, name string) []codec.Header {
	q := env.State.Queue(name)
	if q == nil {
		q = &pbx.Queue{Name: name}
	}
	longest := time.Duration(0)
	for _, c := range q.Callers {
		longest = max(longest, env.Now.Sub(c.Since))
	}
	members := map[string]int{}
	for _, m := range q.Members {
		members[stats.StatusOf(m.Status, m.InCall, m.Paused)]++
	}
	headers := []codec.Header{
		{Name: "Queue", Value: q.Name},
		{Name: "CallsWaiting", Value: strconv.Itoa(len(q.Callers))},
		{Name: "LongestWait", Value: inSeconds(longest)},
		{Name: "Members", Value: strconv.Itoa(len(q.Members))},
	}
	for _, status := range []string{"Idle", "Ringing", "Talking", "Paused", "Unavailable"} {
		headers = append(headers, codec.Header{Name: "Members" + status, Value: strconv.Itoa(members[status])})
	}
	t := env.Statistics.Queue(name)
	headers = appendFigures(headers, stats.QueueColumns, &t)
	percent, ok := t.ServiceLevel()
	return append(headers,
		codec.Header{Name: "AverageHold", Value: average(t.HoldTime, t.Answered)},
		codec.Header{Name: "AverageTalk", Value: average(t.TalkTime, t.Completed())},
		codec.Header{Name: "ServiceLevel", Value: param(q, "ServiceLevel")},
		codec.Header{Name: "ServiceLevelPercent", Value: percentage(percent, ok)})
}

func appendFigures[T any](headers []codec.Header, columns []stats.Column[T], t *T) []codec.Header {
	for _, c := range columns {
		headers = append(headers, codec.Header{Name: c.Name, Value: strconv.FormatInt(*c.Of(t), 10)})
	}
	return headers
}

func param(q *pbx.Queue, name string) string {
	for _, h := range q.Params {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

func average(total, number int64) string {
	return strconv.FormatInt(stats.Average(total, number), 10)
}

// percentage is "" where there is nothing to take a share of.
func percentage(percent float64, ok bool) string {
	if !ok {
		return ""
	}
	return strconv.FormatFloat(percent, 'f', 1, 64)
}

func inSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// AgentStatistic are the headers with an agent's figures, those of calls for the queues that
// g.Members has.
func AgentStatistic(g *stats.Agent) []codec.Header {
	var queues []string
	of, iface := map[string]bool{}, g.Name
	for _, m := range g.Members {
		of[m.Queue] = true
		queues = append(queues, m.Queue)
		if m.Current || iface == g.Name {
			iface = m.Interface
		}
	}
	t := g.Totals(func(queue string) bool { return of[queue] })
	headers := []codec.Header{
		{Name: "Agent", Value: iface},
		{Name: "Name", Value: g.Name},
		{Name: "Queues", Value: strings.Join(slices.Compact(queues), ",")},
		{Name: "Status", Value: g.Status},
		{Name: "StatusSince", Value: unixTime(g.Since)},
	}
	headers = appendFigures(headers, stats.AgentColumns, &t)
	percent, ok := t.Occupancy()
	headers = append(headers, codec.Header{Name: "Occupancy", Value: percentage(percent, ok)})
	for _, reason := range slices.Sorted(maps.Keys(t.PausedFor)) {
		headers = append(headers, codec.Header{Name: "PausedFor", Value: strconv.FormatInt(t.PausedFor[reason], 10) + " " + reason})
	}
	return headers
}
