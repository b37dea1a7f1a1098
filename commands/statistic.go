package commands

import (
	"strconv"
	"strings"
	"time"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/stats"
)

// agentActivity lists what an agent did, as far as ampd has seen it: one of [[agent]] under
// all its interfaces, any other by its id, interface or MemberName.
func agentActivity(s *State, env *Env, a *codec.Packet) Answer {
	asked := a.Get("Agent")
	mine := func(iface, name string) bool {
		return strings.EqualFold(iface, asked) || strings.EqualFold(iface, "Agent:"+asked) || strings.EqualFold(name, asked)
	}
	if agent, ok := env.Profiles.Callback(asked); ok {
		owner := pbx.New().NewOwner(pbx.Person(*agent.Person))
		mine = func(iface, name string) bool { return owner.IsMember(&pbx.Member{Interface: iface, Name: name}) }
	}
	since, wrong := moment(a, "Since", env.Activity.Since)
	until, wrong2 := moment(a, "Until", env.Now)
	if wrong != "" || wrong2 != "" {
		return whole(native.Answer(a, "Error", wrong+wrong2))
	}
	if since.Before(env.Activity.Since) {
		since = env.Activity.Since
	}
	l := newList(a, "Agent activity will follow", "Since", unixTime(since))
	for _, e := range env.Activity.Of(mine) {
		if e.Time.Before(since) || e.Time.After(until) || !seesEntry(s, e) {
			continue
		}
		l.item("AgentActivity", "Agent", asked, "Time", unixTime(e.Time), "Activity", e.What,
			"Queue", e.Queue, "Interface", e.Interface, "MemberName", e.Name, "Reason", e.Reason)
	}
	return l.end("AgentActivityComplete")
}

// seesEntry tells whether the session may see the member, or the agent, that it is about.
func seesEntry(s *State, e stats.Entry) bool {
	if e.Queue == "" {
		return seesItem(s.Rights, "Agents", "Agent", strings.TrimPrefix(e.Interface, "Agent:"))
	}
	return seesItem(s.Rights, "QueueMember", "Queue", e.Queue, "Location", e.Interface)
}

// moment reads a Unix time.
func moment(a *codec.Packet, header string, otherwise time.Time) (t time.Time, wrong string) {
	text := a.Get(header)
	if text == "" {
		return otherwise, ""
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return t, header + " must be a Unix time. "
	}
	return time.Unix(seconds, 0), ""
}

func unixTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// statisticInfo lists what there is to count now.
func statisticInfo(s *State, env *Env, a *codec.Packet) Answer {
	kind, queue, agent := strings.ToLower(a.Get("Type")), a.Get("Queue"), a.Get("Agent")
	switch {
	case env.State == nil:
		return unconnected(a)
	case kind != "" && kind != "queue" && kind != "agent":
		return whole(native.Answer(a, "Error", "Type must be Queue or Agent"))
	}
	l := newList(a, "Statistics will follow")
	if kind != "agent" && (agent == "" || queue != "") {
		for q := range env.State.Queues() {
			if (queue == "" || strings.EqualFold(queue, q.Name)) && seesItem(s.Rights, "QueueParams", "Queue", q.Name) {
				l.item("QueueStatistic", queueStatistic(env, q)...)
			}
		}
	}
	if kind != "queue" && (queue == "" || agent != "") {
		agentStatistics(s, env, agent, l)
	}
	return l.end("StatisticInfoComplete")
}

// queueStatistic counts a queue's callers and members.
func queueStatistic(env *Env, q *pbx.Queue) []string {
	longest := time.Duration(0)
	for _, c := range q.Callers {
		longest = max(longest, env.Now.Sub(c.Since))
	}
	members := map[string]int{}
	for _, m := range q.Members {
		members[stats.StatusOf(m.Status, m.InCall, m.Paused)]++
	}
	pairs := []string{
		"Queue", q.Name, "CallsWaiting", strconv.Itoa(len(q.Callers)),
		"LongestWait", strconv.FormatInt(int64(longest/time.Second), 10), "Members", strconv.Itoa(len(q.Members)),
	}
	for _, status := range []string{"Idle", "Ringing", "Talking", "Paused", "Unavailable"} {
		pairs = append(pairs, "Members"+status, strconv.Itoa(members[status]))
	}
	return pairs
}

// busier orders what an agent does in several queues: the first of these that it does in
// any of them.
var busier = []string{"Talking", "Ringing", "Idle", "Paused", "Unavailable"}

// agentStatistics lists agents: members by their interface, once for all queues, and agents
// of app_agent_pool that are in none.
func agentStatistics(s *State, env *Env, asked string, l *list) {
	type agent struct {
		iface, name, status string
		queues              []string
		since               time.Time
	}
	var agents []*agent
	byIface := map[string]*agent{}
	for q := range env.State.Queues() {
		for _, m := range q.Members {
			if asked != "" && !strings.EqualFold(asked, m.Interface) && !strings.EqualFold(asked, m.Name) &&
				!strings.EqualFold("Agent:"+asked, m.StateInterface) || !seesItem(s.Rights, "QueueMember", "Queue", q.Name, "Location", m.Interface) {
				continue
			}
			key := strings.ToLower(m.Interface)
			if byIface[key] == nil {
				byIface[key] = &agent{iface: m.Interface, name: m.Name}
				agents = append(agents, byIface[key])
			}
			g := byIface[key]
			g.queues = append(g.queues, q.Name)
			status := stats.StatusOf(m.Status, m.InCall, m.Paused)
			if since := env.Activity.StatusSince(m.Interface, q.Name, status); g.status == "" || rank(status) < rank(g.status) {
				g.status, g.since = status, since
			}
		}
	}
	for _, g := range agents {
		l.item("AgentStatistic", "Agent", g.iface, "Name", g.name, "Queues", strings.Join(g.queues, ","), "Status", g.status, "StatusSince", unixTime(g.since))
	}
}

func rank(status string) int {
	for i, s := range busier {
		if s == status {
			return i
		}
	}
	return len(busier)
}
