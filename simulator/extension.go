package simulator

import (
	"strconv"
	"time"

	"ampd/codec"
)

// contexts are those of the dialplan, which is the same in all of them.
var contexts = map[string]bool{"internal": true, "queue-entry": true, "misc": true, "callers": true}

// An app is what a channel runs alone until it ends or is hung up.
type app struct {
	c     *centre
	timer *task
	music bool
}

func (a *app) hangup(ch *channel, cause int) {
	a.timer.stop()
	if a.music {
		ch.event("MusicOnHoldStop", codec.Call).send()
	}
	ch.softHangup()
	ch.end(cause, 0)
}

// runApp has the channel in an application for a while. It does not say which.
func (c *centre) runApp(ch *channel, d time.Duration, music bool) {
	a := &app{c: c, music: music}
	ch.call = a
	if music {
		ch.event("MusicOnHoldStart", codec.Call).add("Class", "default").send()
	}
	a.timer = c.after(d, func() { a.hangup(ch, causeNormal) })
}

// stay is how long a caller stays on the line, Echo lasts, and MusicOnHold that is
// not told.
const stay = 5 * time.Minute

// hasExtension tells whether the dialplan knows an extension.
func (c *centre) hasExtension(context, exten string) bool {
	if !contexts[context] {
		return false
	}
	switch exten {
	case "caller", "echo", "wait", "moh", "noanswer", "busy", "congestion":
		return true
	}
	return isNumber(exten) || c.phoneAt(exten) != nil || c.queueAt(exten) != nil
}

// isNumber tells whether an extension is dialled through the trunk.
func isNumber(exten string) bool {
	if len(exten) < 5 {
		return false
	}
	_, err := strconv.ParseUint(exten, 10, 64)
	return err == nil
}

// runExtension runs the dialplan on a channel.
func (c *centre) runExtension(ch *channel, context, exten string) {
	ch.context, ch.exten, ch.priority = context, exten, 0
	if q := c.queueAt(exten); q != nil {
		c.enterQueue(ch, q)
		return
	}
	switch exten {
	case "echo":
		ch.next("Answer", "")
		ch.answer()
		ch.next("Echo", "")
		c.runApp(ch, stay, false)
	case "caller":
		ch.next("Answer", "")
		ch.answer()
		ch.next("Wait", "300")
		c.runApp(ch, stay, false)
	case "wait":
		ch.next("Answer", "")
		ch.answer()
		ch.next("Wait", "60")
		c.runApp(ch, time.Minute, false)
	case "moh":
		ch.next("Answer", "")
		ch.answer()
		ch.next("MusicOnHold", "default,60")
		c.runApp(ch, time.Minute, true)
	case "noanswer":
		ch.next("Ringing", "")
		if ch.leg != nil {
			ch.leg.rings()
		}
		ch.next("Wait", "120")
		c.runApp(ch, 2*time.Minute, false)
	case "busy":
		ch.next("Busy", "5")
		c.refuse(ch, reasonBusy, causeBusy, "BUSY")
	case "congestion":
		ch.next("Congestion", "5")
		c.refuse(ch, reasonCongestion, causeCongestion, "CONGESTION")
	default:
		target := "PJSIP/" + exten
		if c.phoneAt(exten) == nil {
			target += "@trunk"
		}
		ch.next("Dial", target+",30")
		c.dialFrom(ch, target)
	}
}

// refuse ends a channel with Busy or Congestion.
func (c *centre) refuse(ch *channel, reason, cause int, status string) {
	ch.disposition, ch.cause = status, cause
	if l := ch.leg; l != nil {
		ch.setState(busy)
		l.fail(reason, causeNone, status)
		return
	}
	c.runApp(ch, 5*time.Second, false)
}

// A dialCall is a channel that runs Dial, with whom it reached.
type dialCall struct {
	c      *centre
	ch     *channel
	leg    *leg
	callee *channel
	bridge *bridge
	talk   *task
	over   bool
}

func (c *centre) dialFrom(ch *channel, target string) {
	d := &dialCall{c: c, ch: ch}
	ch.call = d
	d.leg = c.dial(outgoing{target: target, caller: ch, timeout: 30 * time.Second}, d.decided)
}

// decided is called when it is known what became of the dialled phone.
func (d *dialCall) decided(l *leg, reason int) {
	if d.over {
		return
	}
	if reason != reasonAnswered {
		d.over, d.ch.call = true, nil
		cause, status := causeNoAnswer, "NOANSWER"
		d.ch.disposition = "NO ANSWER"
		if reason == reasonFailed {
			reason, cause, status = reasonBusy, causeBusy, "BUSY"
			d.ch.disposition = status
		}
		if waits := d.ch.leg; waits != nil {
			waits.fail(reason, cause, status)
			return
		}
		d.ch.softHangup()
		d.ch.end(cause, 0)
		return
	}
	d.callee = l.ch
	d.callee.call = d
	d.ch.answer()
	d.bridge = d.c.newBridge()
	d.bridge.enter(d.callee)
	d.bridge.enter(d.ch)
	d.bridge.peers()
	d.talk = d.c.after(d.c.some(d.c.chance, meanTalk), func() { d.hangup(d.callee, causeNormal) })
}

func (d *dialCall) hangup(by *channel, cause int) {
	d.over = true
	if d.callee == nil {
		d.leg.fail(reasonFailed, cause, "CANCEL")
		d.ch.softHangup()
		d.ch.end(cause, 0)
		return
	}
	d.talk.stop()
	other := d.ch
	if by == d.ch {
		other = d.callee
	}
	by.remoteHangup(cause)
	by.set("BRIDGEPEER", "")
	other.set("BRIDGEPEER", "")
	d.bridge.leave(by)
	d.bridge.leave(other)
	d.bridge.destroy()
	d.callee.end(cause, 0)
	d.ch.softHangup()
	d.ch.end(cause, 0)
}
