package simulator

import (
	"math/rand/v2"
	"strconv"
	"time"

	"ampd/codec"
)

// How long things take in life.
const (
	ringTimeout = 15 * time.Second // queues.conf's timeout
	retryAfter  = time.Second      // queues.conf's retry
	meanTalk    = 25 * time.Second
	meanWait    = 60 * time.Second // until a caller gives up
)

// missed is how many rings of ten are not answered.
const missed = 1

// A queueCall is a caller in a queue, alone or with the agent who took the call.
type queueCall struct {
	c      *centre
	queue  *queue
	caller *channel
	chance *rand.Rand

	priority, position, first int // places in the queue, from 1
	joined                    time.Time
	patience                  *task

	// A member is being called.
	rings     *member
	agent     *channel
	rung      time.Time
	ringTimer *task
	resting   bool // between two rings
	attempts  int

	// A member has answered.
	member    *member
	bridge    *bridge
	connected time.Time
	talk      *task
}

// nextCaller lets a caller come now, and the next one later.
func (c *centre) nextCaller() {
	c.after(time.Duration(c.chance.ExpFloat64()*float64(time.Minute)/c.cfg.CallsPerMinute), c.nextCaller)
	if len(c.queues) == 0 {
		return
	}
	q := c.queues[c.chance.IntN(len(c.queues))]
	num := strconv.Itoa(5550000 + c.chance.IntN(10000))
	name := callerNames[c.chance.IntN(len(callerNames))]
	ch := c.trunk.newChannel(ring, "from-trunk", q.Extension, nil, func(ch *channel) {
		ch.callerNum, ch.callerName, ch.dnid, ch.pbx = num, name, q.Extension, true
	})
	c.processed++
	ch.set("SIPDOMAIN", "127.0.0.1")
	ch.run("Goto", "queue-entry,"+q.Extension+",1")
	ch.context, ch.priority = "queue-entry", 0
	c.enterQueue(ch, q)
}

var callerNames = []string{
	"Anna Abbott", "Ben Brown", "Chloé Cartier", "Doris Day", "Emil Ermel", "Fiona Fox", "Günter Groß", "",
	"Henry Hill", "Iris Ito", "João Júnior", "Kim Klein",
}

// enterQueue runs the dialplan of a queue's extension.
func (c *centre) enterQueue(ch *channel, q *queue) {
	ch.next("Set", "__CAMPAIGN="+q.Name)
	ch.set("__CAMPAIGN", q.Name)
	ch.next("Answer", "")
	ch.answer()
	ch.next("Queue", q.Name+",tTkKxX,,,")
	c.join(ch, q)
}

// join puts a channel that runs the application Queue into the queue.
func (c *centre) join(ch *channel, q *queue) {
	call := &queueCall{
		c: c, queue: q, caller: ch, joined: c.clock,
		chance: newChance(c.cfg.Seed, 2<<32+uint64(c.uniqueids)),
	}
	ch.call = call
	for _, name := range []string{"ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDTIME", "DIALEDTIME_MS", "QUEUEWAIT", "QUEUEWAIT_MS"} {
		ch.set(name, "")
	}
	call.priority, _ = strconv.Atoi(ch.vars["QUEUE_PRIO"])
	place := len(q.callers)
	for place > 0 && q.callers[place-1].priority < call.priority {
		place--
	}
	q.callers = append(q.callers, nil)
	copy(q.callers[place+1:], q.callers[place:])
	q.callers[place] = call
	q.number()
	call.first = call.position
	q.update()
	ch.event("QueueCallerJoin", codec.Agent).add("Queue", q.Name).
		int("Position", int64(call.position)).int("Count", int64(len(q.callers))).send()
	ch.event("MusicOnHoldStart", codec.Call).add("Class", "default").send()
	call.patience = c.after(c.some(call.chance, meanWait), func() { call.hangup(ch, causeNormal) })
	c.after(0, c.dispatch)
}

func (q *queue) number() {
	for i, call := range q.callers {
		call.position = i + 1
	}
}

// ring calls a member for the caller (ring_entry in apps/app_queue.c).
func (call *queueCall) ring(m *member) {
	caller := call.caller
	call.rings, call.rung = m, call.c.clock
	call.attempts++
	agent := m.phone.newChannel(down, "internal", "s", caller, nil)
	agent.call = call
	call.agent = agent
	agent.account = caller.account
	agent.run("AppQueue", "(Outgoing Line)")
	agent.setConnected(caller.callerNum, caller.callerName)
	agent.set("__CAMPAIGN", caller.vars["CAMPAIGN"])
	agent.exten = caller.exten
	agent.run("AppQueue", "(Outgoing Line)")
	agent.set("DIALEDPEERNUMBER", m.phone.exten)
	caller.destination = agent.name
	dialEvent("AgentCalled", codec.Agent, caller, agent).add("Queue", m.queue.Name).
		add("Interface", m.iface).add("MemberName", m.name).send()
	dialEvent("DialBegin", codec.Call, caller, agent).add("DialString", m.iface).send()
	caller.setConnected(m.phone.exten, m.name)
	call.ringTimer = call.c.after(call.c.between(call.chance, 50*time.Millisecond, 300*time.Millisecond), func() {
		agent.setState(ringing)
		dialEvent("DialState", codec.Call, caller, agent).add("DialStatus", "RINGING").send()
		agent.updateDevice()
		if call.chance.IntN(10) < missed {
			call.ringTimer = call.c.after(call.c.paced(ringTimeout), call.notAnswered)
		} else {
			call.ringTimer = call.c.after(call.c.between(call.chance, time.Second, 7*time.Second), call.answered)
		}
	})
}

// notAnswered gives up a ring. The caller goes on waiting.
func (call *queueCall) notAnswered() {
	m, agent := call.rings, call.agent
	dialEvent("AgentRingNoAnswer", codec.Agent, call.caller, agent).add("Queue", m.queue.Name).
		add("Interface", m.iface).add("MemberName", m.name).
		int("RingTime", int64(call.c.clock.Sub(call.rung)/time.Millisecond)).send()
	call.dialEnd("NOANSWER")
	call.cancel(causeNone)
	call.resting = true
	call.c.after(call.c.paced(retryAfter), func() {
		call.resting = false
		call.c.dispatch()
	})
}

func (call *queueCall) dialEnd(status string) {
	dialEvent("DialEnd", codec.Call, call.caller, call.agent).add("DialStatus", status).send()
}

// cancel hangs up the phone that rings.
func (call *queueCall) cancel(cause int) {
	agent := call.agent
	call.ringTimer.stop()
	call.rings, call.agent = nil, nil
	agent.end(cause, 0)
}

// seconds between two moments, as the difference of their Unix times.
func seconds(from, to time.Time) int64 { return to.Unix() - from.Unix() }

// answered joins the caller and the member (try_calling in apps/app_queue.c).
func (call *queueCall) answered() {
	c, q, caller, agent, m := call.c, call.queue, call.caller, call.agent, call.rings
	call.patience.stop()
	held := seconds(call.joined, c.clock)
	q.hold = average(q.hold, held)

	agent.setState(up)
	call.dialEnd("ANSWER")
	caller.event("MusicOnHoldStop", codec.Call).send()
	for _, ch := range []*channel{caller, agent} {
		ch.set("MEMBERINTERFACE", m.iface)
		ch.set("MEMBERNAME", m.name)
		ch.setInt("MEMBERCALLS", int64(m.calls))
		ch.setInt("MEMBERLASTCALL", m.lastCall)
		ch.setInt("MEMBERPENALTY", int64(m.penalty))
		ch.set("MEMBERDYNAMIC", flag(m.membership == "dynamic"))
		ch.set("MEMBERREALTIME", "0")
	}
	for _, ch := range []*channel{caller, agent} {
		ch.setInt("QEHOLDTIME", held)
		ch.setInt("QEORIGINALPOS", int64(call.first))
	}
	q.setVariables(caller)
	q.setVariables(agent)
	call.leave()
	call.setWait()

	call.rings, call.member, call.connected = nil, m, c.clock
	dialEvent("AgentConnect", codec.Agent, caller, agent).add("Queue", q.Name).
		add("Interface", m.iface).add("MemberName", m.name).int("HoldTime", held).
		int("RingTime", seconds(call.rung, c.clock)).send()
	m.inCall = true
	agent.updateDevice() // and QueueMemberStatus
	call.bridge = c.newBridge()
	call.bridge.enter(agent)
	call.bridge.enter(caller)
	call.bridge.peers()
	by := agent
	if call.chance.IntN(3) == 0 {
		by = caller
	}
	call.talk = c.after(c.some(call.chance, meanTalk), func() { call.hangup(by, causeNormal) })
}

// leave takes the caller out of the queue.
func (call *queueCall) leave() {
	q := call.queue
	for i := range q.callers {
		if q.callers[i] == call {
			q.callers = append(q.callers[:i], q.callers[i+1:]...)
			break
		}
	}
	q.update()
	call.caller.event("QueueCallerLeave", codec.Agent).add("Queue", q.Name).
		int("Position", int64(call.position)).int("Count", int64(len(q.callers))).send()
	call.caller.setInt("QUEUEPOSITION", int64(call.position))
	q.number()
}

func (call *queueCall) setWait() {
	held := seconds(call.joined, call.c.clock)
	call.caller.setInt("QUEUEWAIT", held)
	call.caller.setInt("QUEUEWAIT_MS", held*1000)
}

// setTimes says how long the call rang and talked.
func (call *queueCall) setTimes() {
	var talked time.Duration
	if call.member != nil {
		talked = call.c.clock.Sub(call.connected)
	}
	dialed := call.c.clock.Sub(call.joined)
	names := []struct {
		name string
		d    time.Duration
	}{{"ANSWEREDTIME", talked}, {"DIALEDTIME", dialed}}
	if call.member == nil {
		names[0], names[1] = names[1], names[0]
	}
	for _, n := range names {
		call.caller.setInt(n.name, int64(n.d/time.Second))
		call.caller.setInt(n.name+"_MS", int64(n.d/time.Millisecond))
	}
}

// setVariables sets what the queue's setqueuevar asks for (set_queue_variables).
func (q *queue) setVariables(ch *channel) {
	ch.set("QUEUENAME", q.Name)
	ch.set("QUEUEMAX", "0")
	ch.set("QUEUESTRATEGY", q.Strategy)
	ch.setInt("QUEUECALLS", int64(len(q.callers)))
	ch.setInt("QUEUEHOLDTIME", q.hold)
	ch.setInt("QUEUETALKTIME", q.talk)
	ch.setInt("QUEUECOMPLETED", int64(q.completed))
	ch.setInt("QUEUEABANDONED", int64(q.abandoned))
	ch.setInt("QUEUESRVLEVEL", int64(q.ServiceLevel))
	perf, _ := q.performance()
	ch.set("QUEUESRVLEVELPERF", perf)
}

// hangup ends the call, or a ring.
func (call *queueCall) hangup(ch *channel, cause int) {
	switch {
	case call.member != nil:
		call.complete(ch, cause)
	case ch == call.agent:
		ch.remoteHangup(cause)
		call.notAnswered()
	default:
		call.abandon(cause)
	}
}

// abandon: the caller gives up.
func (call *queueCall) abandon(cause int) {
	c, q, caller := call.c, call.queue, call.caller
	call.patience.stop()
	caller.remoteHangup(cause)
	caller.event("MusicOnHoldStop", codec.Call).send()
	if call.agent != nil {
		call.dialEnd("CANCEL")
		call.cancel(causeNone)
	}
	if call.attempts > 0 {
		caller.disposition = "NO ANSWER"
	}
	call.setWait()
	call.setTimes()
	caller.set("ABANDONED", "TRUE")
	q.setVariables(caller)
	held := seconds(call.joined, c.clock)
	caller.event("QueueCallerAbandon", codec.Agent).add("Queue", q.Name).int("Position", int64(call.position)).
		int("OriginalPosition", int64(call.first)).int("HoldTime", held).send()
	q.abandoned++
	if held <= int64(q.ServiceLevel) {
		q.abandonedInTime++
	}
	q.setVariables(caller)
	call.resting = true // until it is out of the queue
	call.leave()
	caller.softHangup()
	caller.end(cause, 0)
	c.after(0, c.dispatch)
}

// complete ends the talk; by hung up.
func (call *queueCall) complete(by *channel, cause int) {
	c, q, m, caller, agent := call.c, call.queue, call.member, call.caller, call.agent
	call.talk.stop()
	talked := seconds(call.connected, c.clock)
	reason := "agent"
	if by == caller {
		reason = "caller"
	}
	other := agent
	if by == agent {
		other = caller
	}
	by.remoteHangup(cause)
	by.set("BRIDGEPEER", "")
	other.set("BRIDGEPEER", "")
	call.bridge.leave(by)
	call.bridge.leave(other)
	q.setVariables(caller)
	dialEvent("AgentComplete", codec.Agent, caller, agent).add("Queue", q.Name).
		add("Interface", m.iface).add("MemberName", m.name).int("HoldTime", seconds(call.joined, call.connected)).
		int("TalkTime", talked).add("Reason", reason).send()
	m.inCall = false
	m.calls++
	m.lastCall = c.clock.Unix()
	q.completed++
	if seconds(call.joined, call.connected) <= int64(q.ServiceLevel) {
		q.completedInTime++
	}
	q.talk = average(q.talk, talked)
	call.bridge.destroy()
	call.setTimes()
	q.setVariables(caller)
	agent.end(cause, 0) // the member is free: QueueMemberStatus
	caller.softHangup()
	caller.end(cause, 0)
}
