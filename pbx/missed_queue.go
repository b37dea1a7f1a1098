package pbx

import (
	"slices"
	"strconv"
)

// callersLeave tells of callers that have left, and of those that stand elsewhere now.
func (m *missing) callersLeave() {
	for q := range m.old.Queues() {
		var staying []string
		if now := m.to.queues[fold(q.Name)]; now != nil {
			staying = stayers(q.Callers, now.Callers)
		}
		m.kept[fold(q.Name)] = staying
		left := 0
		for i, caller := range q.Callers {
			if slices.Contains(staying, caller.Uniqueid) {
				continue
			}
			m.about("QueueCallerLeave", m.channel(caller.Uniqueid))
			m.header("Queue", q.Name)
			m.header("Position", strconv.Itoa(i+1-left))
			left++
			m.header("Count", strconv.Itoa(len(q.Callers)-left))
			m.end()
		}
	}
}

// stayers are callers that are in both, in the same order in both.
func stayers(old, now []Caller) []string {
	var ids []string
	at := 0
	for _, c := range now {
		i := slices.IndexFunc(old[at:], func(o Caller) bool { return o.Uniqueid == c.Uniqueid })
		if i >= 0 {
			ids = append(ids, c.Uniqueid)
			at += i + 1
		}
	}
	return ids
}

func (m *missing) callersJoin() {
	for q := range m.to.Queues() {
		staying := m.kept[fold(q.Name)]
		count := len(staying)
		for i, caller := range q.Callers {
			if slices.Contains(staying, caller.Uniqueid) {
				continue
			}
			count++
			m.about("QueueCallerJoin", m.to.channels[caller.Uniqueid])
			m.header("Queue", q.Name)
			m.header("Position", strconv.Itoa(i+1))
			m.header("Count", strconv.Itoa(count))
			m.end()
		}
	}
}

func (m *missing) members() {
	for q := range m.old.Queues() {
		now := m.to.queues[fold(q.Name)]
		for _, member := range q.Members {
			if now == nil || now.Member(member.Interface) == nil {
				m.member("QueueMemberRemoved", member)
			}
		}
	}
	for q := range m.to.Queues() {
		was := m.old.queues[fold(q.Name)]
		for _, member := range q.Members {
			var old *Member
			if was != nil {
				old = was.Member(member.Interface)
			}
			m.memberChanged(old, member)
		}
	}
}

func (m *missing) memberChanged(old, member *Member) {
	if old == nil {
		m.member("QueueMemberAdded", member)
		return
	}
	if memberEvent[1:].same(old, member) { // but for the queue's name
		return
	}
	said := len(m.events)
	if !memberEvent.same(old, member, "Paused", "PausedReason") {
		m.member("QueueMemberPause", member)
	}
	if old.Penalty != member.Penalty {
		m.member("QueueMemberPenalty", member)
	}
	if !memberEvent.same(old, member, "Ringinuse") {
		m.member("QueueMemberRinginuse", member)
	}
	if len(m.events) == said || old.Status != member.Status {
		m.member("QueueMemberStatus", member)
	}
}

func (m *missing) member(event string, member *Member) {
	m.begin(event)
	memberEvent.write(&m.builder, "", member)
	m.end()
}

func (m *missing) agentsLogOff() {
	for a := range m.old.Agents() {
		if now := m.to.agents[a.ID]; a.Channel == "" || now != nil && now.Channel == a.Channel {
			continue
		}
		m.about("AgentLogoff", m.channel(a.Channel))
		m.header("Agent", a.ID)
		since, _ := strconv.ParseInt(a.LoggedInTime, 10, 64)
		m.header("Logintime", strconv.FormatInt(max(0, m.now.Unix()-since), 10))
		m.end()
	}
}

func (m *missing) agentsLogIn() {
	for a := range m.to.Agents() {
		if was := m.old.agents[a.ID]; a.Channel == "" || was != nil && was.Channel == a.Channel {
			continue
		}
		m.about("AgentLogin", m.to.channels[a.Channel])
		m.header("Agent", a.ID)
		m.end()
	}
}
