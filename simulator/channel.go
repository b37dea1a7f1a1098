package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
	"ampd/codec/native"
)

// A state is a channel's (enum ast_channel_state in include/asterisk/channelstate.h).
type state int

const (
	down    state = 0
	ring    state = 4 // it calls us
	ringing state = 5 // we call it
	up      state = 6
	busy    state = 7
)

var stateNames = map[state]string{down: "Down", ring: "Ring", ringing: "Ringing", up: "Up", busy: "Busy"}

// Causes of a hangup (include/asterisk/causes.h).
const (
	causeNone       = 0
	causeNormal     = 16
	causeBusy       = 17
	causeNoAnswer   = 19
	causeCongestion = 34
)

var causeNames = map[int]string{
	causeNone:       "Unknown",
	causeNormal:     "Normal Clearing",
	causeBusy:       "User busy",
	causeNoAnswer:   "User alerting, no answer",
	causeCongestion: "Circuit/channel congestion",
}

// channelVars are manager.conf's channelvars: each channel event shows them.
var channelVars = []string{"CAMPAIGN", "CALLNO"}

// A call is what a channel is in. It is told to end when somebody hangs one of its
// channels up, and then has it hung up.
type call interface {
	hangup(ch *channel, cause int)
}

// A channel is one leg of a call.
type channel struct {
	c        *centre
	name     string
	uniqueid string
	linkedid string
	state    state
	dnid     string

	callerNum, callerName string
	connNum, connName     string
	account               string
	context, exten        string
	priority              int
	app, data             string
	vars                  map[string]string

	created  time.Time
	answered time.Time
	bridge   *bridge
	phone    *phone // whose device it occupies
	call     call
	pbx      bool // it runs the dialplan: it counts as a call and gets a Cdr

	destination string // the last channel it dialled
	disposition string // of its Cdr when it is not ANSWERED
	cause       int    // of its hangup when it refuses the call, whatever ends it
	gone        bool

	half *channel // the other half of a Local channel
	leg  *leg     // that waits for this second half to answer
}

// newChannel makes a channel and says so. linked is the channel that it belongs to,
// or nil.
func (c *centre) newChannel(name string, s state, context, exten string, linked *channel, prepare func(*channel)) *channel {
	ch := &channel{
		c: c, name: name, state: s, context: context, exten: exten, priority: 1,
		vars: make(map[string]string), created: c.clock,
		uniqueid: fmt.Sprintf("%s-%d.%d", c.cfg.SystemName, c.clock.Unix(), c.uniqueids),
	}
	c.uniqueids++
	ch.linkedid = ch.uniqueid
	if linked != nil {
		ch.linkedid = linked.linkedid
	}
	if prepare != nil {
		prepare(ch)
	}
	c.channels = append(c.channels, ch)
	ch.event("Newchannel", codec.Call).send()
	return ch
}

// nextName gives the next name of a device's channel, such as PJSIP/1001-0000002a.
// All PJSIP channels count together, and so do all Local ones.
func (c *centre) nextName(device string) string {
	tech, _, _ := strings.Cut(device, "/")
	n := c.names[tech]
	c.names[tech]++
	return fmt.Sprintf("%s-%08x", device, n)
}

// findChannel finds a channel as ast_channel_get_by_name does: by its name without
// regard to case, or by its Uniqueid.
func (c *centre) findChannel(name string) *channel {
	for _, ch := range c.channels {
		if strings.EqualFold(ch.name, name) || ch.uniqueid == name {
			return ch
		}
	}
	return nil
}

// appendSnapshot appends the headers that say what a channel is
// (ast_manager_build_channel_state_string_prefix in main/manager_channels.c).
func (ch *channel) appendSnapshot(b []byte, prefix string) []byte {
	add := func(name, value string) { b = native.AppendHeader(b, prefix+name, value) }
	add("Channel", ch.name)
	add("ChannelState", strconv.Itoa(int(ch.state)))
	add("ChannelStateDesc", stateNames[ch.state])
	add("CallerIDNum", unknown(ch.callerNum))
	add("CallerIDName", unknown(ch.callerName))
	add("ConnectedLineNum", unknown(ch.connNum))
	add("ConnectedLineName", unknown(ch.connName))
	add("Language", "en")
	add("AccountCode", ch.account)
	add("Context", ch.context)
	add("Exten", ch.exten)
	add("Priority", strconv.Itoa(ch.priority))
	add("Uniqueid", ch.uniqueid)
	add("Linkedid", ch.linkedid)
	for _, name := range channelVars {
		add("ChanVariable", name+"="+ch.vars[name])
	}
	return b
}

// event begins an event about the channel.
func (ch *channel) event(name string, class codec.Classes) *event {
	return ch.c.event(name, class).channel("", ch)
}

func (ch *channel) setState(s state) {
	ch.state = s
	if s == up {
		ch.answered = ch.c.clock
	}
	ch.event("Newstate", codec.Call).send()
	if l := ch.leg; l != nil && s == up {
		ch.leg = nil
		l.answer()
	}
}

// updateDevice tells of the state of the phone that the channel occupies. It comes
// a little after the channel's.
func (ch *channel) updateDevice() {
	if ch.phone != nil {
		ch.phone.update()
	}
}

// exec takes the channel to a step of the dialplan.
func (ch *channel) exec(context, exten string, priority int, app, data string) {
	ch.context, ch.exten, ch.priority = context, exten, priority
	ch.run(app, data)
}

func (ch *channel) run(app, data string) {
	ch.app, ch.data = app, data
	ch.event("Newexten", codec.Dialplan).add("Extension", ch.exten).add("Application", app).add("AppData", data).send()
}

// next takes the channel to the next step of its extension.
func (ch *channel) next(app, data string) {
	ch.exec(ch.context, ch.exten, ch.priority+1, app, data)
}

// set sets a variable. Underscores before its name say who inherits it and are no
// part of it.
func (ch *channel) set(name, value string) {
	ch.vars[strings.TrimLeft(name, "_")] = value
	ch.event("VarSet", codec.Dialplan).add("Variable", name).add("Value", value).send()
}

func (ch *channel) setInt(name string, value int64) { ch.set(name, strconv.FormatInt(value, 10)) }

func (ch *channel) setCallerID(num, name string) {
	ch.callerNum, ch.callerName = num, name
	ch.event("NewCallerid", codec.Call).add("CID-CallingPres", "0 (Presentation Allowed, Not Screened)").send()
}

func (ch *channel) setConnected(num, name string) {
	if ch.connNum == num && ch.connName == name {
		return
	}
	ch.connNum, ch.connName = num, name
	ch.event("NewConnectedLine", codec.Call).send()
}

func (ch *channel) setAccount(account string) {
	old := ch.account
	ch.account = account
	ch.event("NewAccountCode", codec.Call).add("OldAccountCode", old).send()
}

// answer answers a call that came in.
func (ch *channel) answer() {
	if ch.state != up {
		ch.setState(up)
		ch.updateDevice()
	}
}

// remoteHangup says that the phone at its end was put down.
func (ch *channel) remoteHangup(cause int) {
	ch.event("HangupRequest", codec.Call).int("Cause", int64(cause)).send()
}

// softHangup says that Asterisk is about to hang the channel up.
func (ch *channel) softHangup() {
	ch.event("SoftHangupRequest", codec.Call).int("Cause", causeNormal).send()
}

// hang ends what the channel is in, and with it the channel.
func (ch *channel) hang(cause int) {
	if ch.call != nil {
		ch.call.hangup(ch, cause)
		return
	}
	ch.softHangup()
	ch.end(cause, 0)
}

// end hangs the channel itself up and forgets it. tech is the SIP status that did
// it, or 0. The other half of a Local channel follows.
func (ch *channel) end(cause, tech int) {
	c := ch.c
	for i := range c.channels {
		if c.channels[i] == ch {
			c.channels = append(c.channels[:i], c.channels[i+1:]...)
			break
		}
	}
	ch.call, ch.gone = nil, true
	if ch.cause != 0 {
		cause = ch.cause
	}
	if half := ch.half; half != nil {
		c.after(0, func() {
			if !half.gone {
				half.remoteHangup(cause)
				half.hang(cause)
			}
		})
	}
	text, ok := causeNames[cause]
	if !ok {
		text = causeNames[causeNone]
	}
	e := ch.event("Hangup", codec.Call).int("Cause", int64(cause)).add("Cause-txt", text)
	if tech != 0 {
		e.int("TechCause", int64(tech))
	}
	e.send()
	if ch.pbx {
		ch.sendCdr()
	}
	if ch.phone != nil {
		ch.phone.remove(ch)
	}
}

const cdrTime = "2006-01-02 15:04:05"

// sendCdr sends the channel's record. There is none of a call that was neither
// answered nor passed on (cdr.conf's unanswered).
func (ch *channel) sendCdr() {
	c := ch.c
	if ch.answered.IsZero() && ch.destination == "" {
		return
	}
	answer, billed, disposition := "", int64(0), ch.disposition
	if !ch.answered.IsZero() {
		answer = ch.answered.UTC().Format(cdrTime)
		billed = int64(c.clock.Sub(ch.answered) / time.Second)
	}
	if disposition == "" {
		disposition = "ANSWERED"
		if ch.answered.IsZero() {
			disposition = "NO ANSWER"
		}
	}
	e := c.event("Cdr", codec.CDR)
	e.add("AccountCode", ch.account).add("Source", ch.callerNum)
	e.add("Destination", ch.exten).add("DestinationContext", ch.context)
	e.add("CallerID", `"`+ch.callerName+`" <`+ch.callerNum+">")
	e.add("Channel", ch.name).add("DestinationChannel", ch.destination)
	e.add("LastApplication", ch.app).add("LastData", ch.data)
	e.add("StartTime", ch.created.UTC().Format(cdrTime)).add("AnswerTime", answer)
	e.add("EndTime", c.clock.UTC().Format(cdrTime))
	e.int("Duration", int64(c.clock.Sub(ch.created)/time.Second)).int("BillableSeconds", billed)
	e.add("Disposition", disposition).add("AMAFlags", "DOCUMENTATION")
	e.add("UniqueID", ch.uniqueid).add("UserField", "")
	e.send()
}

// dialEvent begins an event about caller dialling ch; caller is nil where nobody
// does, as for the first leg of an Originate.
func dialEvent(name string, class codec.Classes, caller, ch *channel) *event {
	e := ch.c.event(name, class)
	if caller != nil {
		e.channel("", caller)
	}
	return e.channel("Dest", ch)
}
