package simulator

import (
	"slices"
	"strings"
	"time"

	"ampd/codec"
)

// What became of a call that was tried (AST_CONTROL_*, as OriginateResponse's
// Reason writes it).
const (
	reasonFailed     = 0
	reasonNoAnswer   = 3
	reasonAnswered   = 4
	reasonBusy       = 5
	reasonCongestion = 8
)

// A leg is a channel that is being called: by an Originate, which has no caller
// yet, or by a channel that runs Dial. A Local channel has a second half, which
// runs the dialplan: it answers when that does.
type leg struct {
	c       *centre
	ch      *channel
	caller  *channel
	other   *channel // the second half of a Local channel
	timer   *task
	timeout *task
	done    func(reason int) // called once: ch is up, or is to be given up
}

// An outgoing says how a call begins.
type outgoing struct {
	target    string // PJSIP/1001, PJSIP/5551234@trunk, Local/1001@internal/n
	caller    *channel
	timeout   time.Duration
	num, name string // caller ID
	account   string
	variables []variable
	id        string // of the channel, where the caller chose one
}

type variable struct{ name, value string }

// dial calls somebody. It returns nil where nobody can be called, and then does
// not call done.
func (c *centre) dial(o outgoing, done func(*leg, int)) *leg {
	l := &leg{c: c, caller: o.caller}
	l.done = func(reason int) {
		l.timer.stop()
		l.timeout.stop()
		l.done = func(int) {}
		done(l, reason)
	}
	tech, rest, _ := strings.Cut(o.target, "/")
	switch {
	case strings.EqualFold(tech, "PJSIP"):
		number, endpoint, outside := strings.Cut(rest, "@")
		if !outside {
			endpoint = rest
		}
		p := c.phoneOf("PJSIP/" + endpoint)
		if p == nil || outside != (p == c.trunk) || number == "" {
			return nil
		}
		l.ch = p.newChannel(down, "internal", "s", o.caller, o.identify)
		l.begin(o, rest)
		l.callPhone(p)
	case strings.EqualFold(tech, "Local"):
		rest, _, _ = strings.Cut(rest, "/")
		exten, context, ok := strings.Cut(rest, "@")
		if !ok || !c.hasExtension(context, exten) {
			return nil
		}
		name := c.nextName("Local/" + rest)
		l.ch = c.newChannel(name+";1", down, context, exten, o.caller, o.identify)
		l.other = c.newChannel(name+";2", ring, context, exten, l.ch, func(ch *channel) { ch.pbx = true })
		l.ch.half, l.other.half, l.other.leg = l.other, l.ch, l
		l.begin(o, strings.TrimPrefix(o.target, tech+"/"))
		c.processed++
		c.after(0, func() {
			if !l.other.gone {
				c.runExtension(l.other, context, exten)
			}
		})
	default:
		return nil
	}
	l.ch.call = l
	if o.timeout > 0 {
		l.timeout = c.after(o.timeout, func() {
			if l.caller != nil {
				l.fail(reasonNoAnswer, causeNoAnswer, "NOANSWER")
			} else {
				l.fail(reasonNoAnswer, causeNoAnswer, "")
			}
		})
	}
	return l
}

func (o *outgoing) identify(ch *channel) {
	if o.id != "" {
		ch.uniqueid = o.id
		if o.caller == nil {
			ch.linkedid = o.id
		}
	}
}

// begin tells of the new channel up to DialBegin.
func (l *leg) begin(o outgoing, dialString string) {
	ch := l.ch
	if o.caller == nil {
		ch.run("AppDial2", "(Outgoing Line)")
	} else {
		ch.run("AppDial", "(Outgoing Line)")
	}
	for _, v := range slices.Backward(o.variables) {
		ch.set(v.name, v.value)
	}
	if o.account != "" {
		ch.setAccount(o.account)
	}
	identified := o.num != "" || o.name != ""
	if identified {
		ch.setCallerID(o.num, o.name)
	}
	switch {
	case o.caller != nil:
		if ch.callerNum == "" {
			ch.setCallerID(o.caller.exten, "")
		}
		ch.setConnected(o.caller.callerNum, o.caller.callerName)
	case identified:
		ch.setConnected(o.num, o.name)
	}
	if two := l.other; two != nil {
		for _, v := range o.variables {
			two.set(v.name, v.value)
		}
		if identified {
			two.connNum, two.connName = o.num, o.name
			two.setCallerID(o.num, o.name)
		}
		if o.account != "" {
			two.setAccount(o.account)
		}
		l.c.event("LocalBridge", codec.Call).channel("LocalOne", ch).channel("LocalTwo", two).
			add("Context", two.context).add("Exten", two.exten).add("LocalOptimization", "No").send()
	}
	if o.caller != nil {
		o.caller.destination = ch.name
	}
	dialEvent("DialBegin", codec.Call, o.caller, ch).add("DialString", dialString).send()
}

// callPhone lets a phone ring and be answered, or be busy. One outside always
// answers.
func (l *leg) callPhone(p *phone) {
	c := l.c
	if len(p.channels) > 1 && p != c.trunk {
		l.timer = c.after(c.between(c.chance, 50*time.Millisecond, 300*time.Millisecond), func() {
			l.ch.event("HangupRequest", codec.Call).int("Cause", causeBusy).add("TechCause", "486").send()
			l.dialEnd("BUSY")
			l.fail(reasonFailed, causeBusy, "")
		})
		return
	}
	l.timer = c.after(c.between(c.chance, 50*time.Millisecond, 300*time.Millisecond), func() {
		l.rings()
		l.timer = c.after(c.between(c.chance, time.Second, 5*time.Second), l.answer)
	})
}

func (l *leg) answer() {
	l.ch.setState(up)
	l.dialEnd("ANSWER")
	l.ch.updateDevice()
	l.done(reasonAnswered)
}

func (l *leg) rings() {
	l.ch.setState(ringing)
	dialEvent("DialState", codec.Call, l.caller, l.ch).add("DialStatus", "RINGING").send()
	l.ch.updateDevice()
}

func (l *leg) dialEnd(status string) {
	dialEvent("DialEnd", codec.Call, l.caller, l.ch).add("DialStatus", status).send()
}

// fail gives the leg up: its channels are gone when done hears of it. status is
// that of a DialEnd, or "" for none.
func (l *leg) fail(reason, cause int, status string) {
	if l.ch.gone {
		return
	}
	l.timer.stop()
	l.timeout.stop()
	if status != "" {
		l.dialEnd(status)
	}
	other := l.other
	switch {
	case other != nil && !other.gone:
		other.leg, other.half, l.ch.half = nil, nil, nil
		other.remoteHangup(cause)
		l.ch.end(cause, 0)
		other.hang(cause)
	case other == nil && cause == causeBusy:
		l.ch.end(cause, 486)
	case other == nil && cause == causeNoAnswer:
		l.ch.end(cause, 480)
	default:
		l.ch.end(cause, 0)
	}
	l.done(reason)
}

// hangup ends the attempt: somebody hung its channel up.
func (l *leg) hangup(ch *channel, cause int) {
	ch.softHangup()
	status := ""
	if l.caller != nil {
		status = "CANCEL"
	}
	l.fail(reasonFailed, cause, status)
}
