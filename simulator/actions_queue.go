package simulator

import (
	"strconv"
	"strings"

	"ampd/codec"
)

// queueStatus follows manager_queues_status in apps/app_queue.c.
func queueStatus(r *request) {
	only, member := r.get("Queue"), r.get("Member")
	r.beginList("Queue status will follow")
	n := 0
	for _, q := range r.c.queues {
		if only != "" && !strings.EqualFold(q.Name, only) {
			continue
		}
		answered, all := q.performance()
		r.headers(func(e *event) {
			e.add("Event", "QueueParams").add("Queue", q.Name).add("Max", "0").add("Strategy", q.Strategy)
			e.int("Calls", int64(len(q.callers))).int("Holdtime", q.hold).int("TalkTime", q.talk)
			e.int("Completed", int64(q.completed)).int("Abandoned", int64(q.abandoned))
			e.int("ServiceLevel", int64(q.ServiceLevel)).add("ServicelevelPerf", answered)
			e.add("ServicelevelPerf2", all).add("Weight", "0")
		})
		r.endItem()
		n++
		for _, m := range q.members {
			if member != "" && m.iface != member {
				continue
			}
			r.headers(func(e *event) {
				e.add("Event", "QueueMember").add("Queue", q.Name).add("Name", m.name)
				e.add("Location", m.iface).add("StateInterface", m.stateInterface)
				m.appendState(e)
				e.add("PausedReason", m.reason).add("Wrapuptime", "0")
			})
			r.endItem()
			n++
		}
		for _, call := range q.callers {
			ch := call.caller
			r.headers(func(e *event) {
				e.add("Event", "QueueEntry").add("Queue", q.Name).int("Position", int64(call.position))
				e.add("Channel", ch.name).add("Uniqueid", ch.uniqueid)
				e.add("CallerIDNum", unknown(ch.callerNum)).add("CallerIDName", unknown(ch.callerName))
				e.add("ConnectedLineNum", unknown(ch.connNum)).add("ConnectedLineName", unknown(ch.connName))
				e.int("Wait", seconds(call.joined, r.c.clock)).int("Priority", int64(call.priority))
			})
			r.endItem()
			n++
		}
	}
	r.endList("QueueStatusComplete", n)
	r.end()
}

func queueSummary(r *request) {
	only := r.get("Queue")
	r.beginList("Queue summary will follow")
	n := 0
	for _, q := range r.c.queues {
		if only != "" && !strings.EqualFold(q.Name, only) {
			continue
		}
		loggedIn, available, longest := 0, 0, int64(0)
		for _, m := range q.members {
			if m.phone != nil {
				loggedIn++
			}
			if m.available() {
				available++
			}
		}
		for _, call := range q.callers {
			longest = max(longest, seconds(call.joined, r.c.clock))
		}
		r.headers(func(e *event) {
			e.add("Event", "QueueSummary").add("Queue", q.Name).int("LoggedIn", int64(loggedIn))
			e.int("Available", int64(available)).int("Callers", int64(len(q.callers)))
			e.int("HoldTime", q.hold).int("TalkTime", q.talk).int("LongestHoldTime", longest)
		})
		r.endItem()
		n++
	}
	r.endList("QueueSummaryComplete", n)
	r.end()
}

func queueAdd(r *request) {
	name, iface := r.get("Queue"), r.get("Interface")
	switch {
	case name == "":
		r.fail("'Queue' not specified.")
		return
	case iface == "":
		r.fail("'Interface' not specified.")
		return
	}
	q := r.c.queue(name)
	switch {
	case q == nil:
		r.fail("Unable to add interface to queue: No such queue")
		return
	case q.member(iface) != nil:
		r.fail("Unable to add interface: Already there")
		return
	}
	penalty, _ := strconv.Atoi(r.get("Penalty"))
	m := &member{
		name: r.get("MemberName"), iface: iface, stateInterface: r.get("StateInterface"),
		penalty: max(penalty, 0), paused: codec.IsTrue(r.get("Paused")), phone: r.c.phoneOf(iface),
	}
	if m.name == "" {
		m.name = iface
	}
	if m.stateInterface == "" {
		m.stateInterface = iface
	}
	if m.paused {
		m.reason, m.lastPause = r.get("Reason"), r.c.clock.Unix()
	}
	q.add(m)
	r.succeed("Added interface to queue")
}

func queueRemove(r *request) {
	name, iface := r.get("Queue"), r.get("Interface")
	if name == "" || iface == "" {
		r.fail("Need 'Queue' and 'Interface' parameters.")
		return
	}
	q := r.c.queue(name)
	if q == nil {
		r.fail("Unable to remove interface from queue: No such queue")
		return
	}
	m := q.member(iface)
	switch {
	case m == nil:
		r.fail("Unable to remove interface: Not there")
	case m.membership != "dynamic":
		r.fail("Member not dynamic")
	default:
		q.remove(m)
		r.succeed("Removed interface from queue")
	}
}

// membersOf are the memberships of an interface, in one queue or all.
func membersOf(r *request, iface string) []*member {
	var found []*member
	only := r.get("Queue")
	for _, q := range r.c.queues {
		if only != "" && !strings.EqualFold(q.Name, only) {
			continue
		}
		if m := q.member(iface); m != nil {
			found = append(found, m)
		}
	}
	return found
}

func queuePause(r *request) {
	iface, value := r.get("Interface"), r.get("Paused")
	if iface == "" || value == "" {
		r.fail("Need 'Interface' and 'Paused' parameters.")
		return
	}
	paused := codec.IsTrue(value)
	members := membersOf(r, iface)
	if len(members) == 0 {
		r.fail("Interface not found")
		return
	}
	for _, m := range members {
		m.pause(paused, r.get("Reason"))
	}
	if paused {
		r.succeed("Interface paused successfully")
	} else {
		r.succeed("Interface unpaused successfully")
	}
}

func queuePenalty(r *request) {
	iface, value := r.get("Interface"), r.get("Penalty")
	if iface == "" || value == "" {
		r.fail("Need 'Interface' and 'Penalty' parameters.")
		return
	}
	penalty, err := strconv.Atoi(value)
	members := membersOf(r, iface)
	if err != nil || penalty < 0 || len(members) == 0 {
		r.fail("Invalid interface, queuename or penalty")
		return
	}
	for _, m := range members {
		m.penalty = penalty
		m.event("QueueMemberPenalty").send()
	}
	r.succeed("Interface penalty set successfully")
}

func queueMemberRingInUse(r *request) {
	iface, value := r.get("Interface"), r.get("RingInUse")
	if iface == "" || value == "" {
		r.fail("Need 'Interface' and 'RingInUse' parameters.")
		return
	}
	members := membersOf(r, iface)
	if len(members) == 0 {
		r.fail("Invalid interface, queuename, or ringinuse value")
		return
	}
	for _, m := range members {
		m.ringInUse = codec.IsTrue(value)
		m.event("QueueMemberRinginuse").send()
	}
	r.succeed("Interface ringinuse set successfully")
}

func queueReset(r *request) {
	only := r.get("Queue")
	for _, q := range r.c.queues {
		if only != "" && !strings.EqualFold(q.Name, only) {
			continue
		}
		q.completed, q.completedInTime, q.abandoned, q.abandonedInTime, q.hold, q.talk = 0, 0, 0, 0, 0, 0
		for _, m := range q.members {
			m.calls = 0
		}
	}
	r.succeed("Queue stats reset successfully")
}
