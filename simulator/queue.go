package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"

	"ampd/codec"
)

// A queue holds callers, the next one first.
type queue struct {
	Queue
	c       *centre
	members []*member
	callers []*queueCall
	last    *member // rung last
	waiting *device // RINGING while somebody waits
	avail   *device // INUSE while no member can be called
	chance  *rand.Rand

	// What app_queue counts.
	completed, completedInTime int
	abandoned, abandonedInTime int
	hold, talk                 int64 // averages, in seconds
}

func (c *centre) newQueue(cfg Queue) {
	q := &queue{Queue: cfg, c: c, chance: newChance(c.cfg.Seed, 1<<32+uint64(len(c.queues)))}
	c.queues = append(c.queues, q)
	q.waiting, q.avail = c.device("Queue:"+q.Name), c.device("Queue:"+q.Name+"_avail")
	q.avail.exten = q.Extension
}

// update sets the queue's two devices.
func (q *queue) update() {
	waiting, avail := notInUse, inUse
	if len(q.callers) > 0 {
		waiting = isRinging
	}
	for _, m := range q.members {
		if m.available() {
			avail = notInUse
			break
		}
	}
	q.c.setDevice(q.waiting, waiting)
	q.c.setDevice(q.avail, avail)
}

func (q *queue) member(iface string) *member {
	for _, m := range q.members {
		if m.iface == iface {
			return m
		}
	}
	return nil
}

// dispatch rings a member for every caller for whom one is free.
func (c *centre) dispatch() {
	for _, q := range c.queues {
		for _, call := range q.callers {
			if call.rings != nil || call.resting {
				continue
			}
			m := q.choose()
			if m == nil {
				break
			}
			call.ring(m)
		}
	}
}

// choose picks the free member to ring, by penalty, then by the queue's strategy.
func (q *queue) choose() *member {
	var free []*member
	for i := range q.members {
		// Round robin: begin behind the one rung last.
		m := q.members[(i+q.place(q.last)+1)%len(q.members)]
		if !m.available() || m.phone == nil || m.hasCall() {
			continue
		}
		if len(free) > 0 && m.penalty > free[0].penalty {
			continue
		}
		if len(free) > 0 && m.penalty < free[0].penalty {
			free = free[:0]
		}
		free = append(free, m)
	}
	if len(free) == 0 {
		return nil
	}
	best := free[0]
	for _, m := range free[1:] {
		if q.Strategy == "leastrecent" && m.lastCall < best.lastCall || q.Strategy == "fewestcalls" && m.calls < best.calls {
			best = m
		}
	}
	if q.Strategy == "random" {
		best = free[q.chance.IntN(len(free))]
	}
	q.last = best
	return best
}

func (q *queue) place(m *member) int {
	for i := range q.members {
		if q.members[i] == m {
			return i
		}
	}
	return -1
}

// performance is the part of calls answered in time, in per cent, and the same
// with those given up in time.
func (q *queue) performance() (answered, all string) {
	percent := func(part, of int) string {
		if of == 0 {
			return "0.0"
		}
		return fmt.Sprintf("%.1f", 100*float64(part)/float64(of))
	}
	return percent(q.completedInTime, q.completed), percent(q.completedInTime+q.abandonedInTime, q.completed+q.abandoned)
}

// average moves an average of seconds as recalc_holdtime in apps/app_queue.c does.
func average(old, now int64) int64 { return (old<<2 - old + now) >> 2 }

// A member is one who may answer a queue's calls.
type member struct {
	queue          *queue
	phone          *phone // nil: none of ours
	name           string
	iface          string
	stateInterface string
	membership     string
	penalty        int
	calls          int
	lastCall       int64
	lastPause      int64
	login          int64
	inCall         bool
	paused         bool
	reason         string
	ringInUse      bool
}

// status is a member's (enum ast_device_state).
func (m *member) status() int64 {
	if m.phone == nil {
		return 4
	}
	switch m.phone.device.state {
	case inUse:
		return 2
	case isRinging:
		return 6
	case ringInUse:
		return 7
	default:
		return 1
	}
}

func (m *member) statusText() string {
	return map[int64]string{1: "Not in use", 2: "In use", 4: "Invalid", 6: "Ringing", 7: "Ring+Inuse"}[m.status()]
}

func (m *member) available() bool { return !m.paused && m.status() == 1 }

// hasCall tells whether the member's phone is being called although it does not
// ring yet.
func (m *member) hasCall() bool { return !m.phone.free() }

// event begins an event that tells all of a member, such as QueueMemberStatus
// (queue_member_blob_create in apps/app_queue.c).
func (m *member) event(name string) *event {
	e := m.queue.c.event(name, codec.Agent).add("Queue", m.queue.Name)
	e.add("MemberName", m.name).add("Interface", m.iface).add("StateInterface", m.stateInterface)
	m.appendState(e)
	return e.add("PausedReason", m.reason).add("Ringinuse", flag(m.ringInUse)).add("Wrapuptime", "0")
}

// appendState adds what the events and the list's items have in common.
func (m *member) appendState(e *event) {
	e.add("Membership", m.membership).int("Penalty", int64(m.penalty)).int("CallsTaken", int64(m.calls))
	e.int("LastCall", m.lastCall).int("LastPause", m.lastPause).int("LoginTime", m.login)
	e.add("InCall", flag(m.inCall)).int("Status", m.status()).add("Paused", flag(m.paused))
}

func (m *member) pauseDevice() string { return "Queue:" + m.queue.Name + "_pause_" + m.iface }

func (m *member) updatePause() {
	s := notInUse
	if m.paused {
		s = inUse
	}
	m.queue.c.setDevice(m.queue.c.device(m.pauseDevice()), s)
}

// pause pauses or unpauses a member (set_queue_member_pause).
func (m *member) pause(paused bool, reason string) {
	m.paused, m.reason = paused, ""
	if paused {
		m.reason = reason
		m.lastPause = m.queue.c.clock.Unix()
	}
	m.updatePause()
	m.queue.update()
	m.event("QueueMemberPause").send()
	if !paused {
		m.queue.c.after(0, m.queue.c.dispatch)
	}
}

// add makes a dynamic member.
func (q *queue) add(m *member) {
	m.queue, m.membership, m.login = q, "dynamic", q.c.clock.Unix()
	q.members = append(q.members, m)
	m.updatePause()
	m.event("QueueMemberAdded").send()
	q.update()
	q.c.after(0, q.c.dispatch)
}

func (q *queue) remove(m *member) {
	i := q.place(m)
	q.members = append(q.members[:i], q.members[i+1:]...)
	m.event("QueueMemberRemoved").send()
	q.update()
}

// A worker is an agent who pauses now and then in all queues.
type worker struct {
	c      *centre
	phone  *phone
	chance *rand.Rand
}

var pauseReasons = []string{"Lunch", "Coffee", "Training", "Paperwork", "Réunion", ""}

func (w *worker) work() {
	w.c.after(w.c.between(w.chance, 2*time.Minute, 8*time.Minute), func() {
		w.pause(true, pauseReasons[w.chance.IntN(len(pauseReasons))])
		w.c.after(w.c.between(w.chance, 20*time.Second, 90*time.Second), func() {
			w.pause(false, "")
			w.work()
		})
	})
}

func (w *worker) pause(paused bool, reason string) {
	for _, q := range w.c.queues {
		for _, m := range q.members {
			if m.phone == w.phone && m.paused != paused {
				m.pause(paused, reason)
			}
		}
	}
}
