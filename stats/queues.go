package stats

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

// seconds is a number of an event's, or otherwise where it has none.
func seconds(p *codec.Packet, header string, otherwise int64) int64 {
	n, err := strconv.ParseInt(p.Get(header), 10, 64)
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

// who fills in what an event says of the caller.
func (c *Call) who(p *codec.Packet) {
	c.Queue, c.Uniqueid, c.Linkedid = strings.Clone(p.Get("Queue")), strings.Clone(p.Get("Uniqueid")), strings.Clone(p.Get("Linkedid"))
	c.Number, c.Name = strings.Clone(callerID(p, "CallerIDNum")), strings.Clone(callerID(p, "CallerIDName"))
}

// callerID is what Asterisk knows: its "<unknown>" is nothing.
func callerID(p *codec.Packet, header string) string {
	if text := p.Get(header); text != "<unknown>" {
		return text
	}
	return ""
}

func (b *Book) join(p *codec.Packet, now time.Time) {
	c := &openCall{Call: Call{Joined: now}}
	c.who(p)
	if c.Queue == "" || c.Uniqueid == "" {
		return
	}
	if before := b.waiting[c.Uniqueid]; before != nil {
		b.goesOn(before, now)
	}
	c.Position, _ = strconv.Atoi(p.Get("Position"))
	b.joined(c)
}

func (b *Book) joined(c *openCall) {
	b.waiting[c.Uniqueid] = c
	b.offered(c)
}

func (b *Book) offered(c *openCall) {
	c.hour = b.calendar.Hour(c.Joined)
	b.count(c.Queue, c.hour, QueueTotals{Offered: 1})
	b.tell(c)
}

// queueStatus takes the word with which app_queue gives its caller back to the dialplan.
func (b *Book) queueStatus(p *codec.Packet, now time.Time) {
	word := p.Get("Value")
	c := b.waits(p)
	if c != nil {
		if outcome, ok := outcomes[word]; ok {
			b.decide(c, outcome, now)
		}
		return
	}
	// Who can't join is in no event: the queue is in what the channel was doing.
	ch := b.state.Channel(p.Get("Uniqueid"))
	if ch == nil || !strings.EqualFold(ch.Application, "Queue") {
		return
	}
	queue, _, _ := strings.Cut(ch.AppData, ",")
	if b.state.Queue(queue) == nil {
		return
	}
	var n QueueTotals
	switch word {
	case "FULL":
		n.RefusedFull = 1
	case "JOINEMPTY", "JOINUNAVAIL":
		n.RefusedEmpty = 1
	default:
		return
	}
	b.count(b.state.Queue(queue).Name, b.calendar.Hour(now), n)
}

// goesOn decides on a caller of whom nothing but that the channel does something else, or is
// gone, is known.
func (b *Book) goesOn(c *openCall, now time.Time) {
	switch {
	case c.abandoned:
		b.decide(c, Abandoned, now)
	case c.guessed:
		b.decide(c, Unknown, now)
	case c.left:
		b.decide(c, ExitedKey, now)
	default:
		b.decide(c, Abandoned, now)
	}
}

func (b *Book) decide(c *openCall, outcome Outcome, now time.Time) {
	delete(b.waiting, c.Uniqueid)
	c.Outcome = outcome
	if !c.abandoned {
		c.Wait = c.waited(now)
	}
	var n QueueTotals
	switch outcome {
	case Abandoned:
		n.Abandoned, n.AbandonTime, n.LongestAbandon = 1, c.Wait, c.Wait
		if c.Wait < b.short {
			n.ShortAbandoned = 1
		}
	case TimedOut:
		n.TimedOut = 1
	case ExitedKey:
		n.ExitedKey = 1
	case LeftEmpty:
		n.LeftEmpty = 1
	case Withdrawn:
		n.Withdrawn = 1
	case Unknown:
		n.Unknown = 1
	}
	b.count(c.Queue, c.hour, n)
	b.tell(c)
}

func (b *Book) connect(p *codec.Packet, now time.Time) {
	if c := b.talking[p.Get("DestUniqueid")]; c != nil && c.Uniqueid == p.Get("Uniqueid") {
		return // it was said before
	}
	hold := seconds(p, "HoldTime", 0)
	c := b.waits(p)
	if c != nil && !strings.EqualFold(c.Queue, p.Get("Queue")) {
		b.goesOn(c, now)
		c = nil
	}
	if c = b.takes(c, p, hold, now); c == nil {
		return
	}
	b.answered(c, p, hold, now)
	b.talks(c, now)
	b.tell(c)
	b.entry(c, now, "Answered", c.Ring)
}

// talks says that a call goes on. Where there is one of that channel, its end was missed.
func (b *Book) talks(c *openCall, now time.Time) {
	if before := b.talking[c.Channel]; before != nil {
		b.end(before, "unknown", 0, now)
	}
	b.talking[c.Channel] = c
}

// takes is the call that an agent takes: the one that waits, or where nobody saw the caller join one that
// joined so many seconds ago; nil where the event names no queue.
func (b *Book) takes(c *openCall, p *codec.Packet, ago int64, now time.Time) *openCall {
	if c != nil {
		delete(b.waiting, c.Uniqueid)
	} else {
		c = &openCall{Call: Call{Joined: now.Add(-time.Duration(ago) * time.Second)}}
		c.who(p)
		if c.Queue == "" {
			return nil
		}
		b.offered(c)
	}
	if c.Channel = strings.Clone(p.Get("DestUniqueid")); c.Channel == "" {
		c.Channel = c.Uniqueid
	}
	return c
}

// answered counts that an agent takes the call.
func (b *Book) answered(c *openCall, p *codec.Packet, hold int64, now time.Time) {
	c.Outcome, c.Wait, c.Answered = Answered, hold, now
	c.Interface = strings.Clone(p.Get("Interface"))
	c.Ring = seconds(p, "RingTime", 0)
	c.taken = b.calendar.Hour(now)
	n := QueueTotals{Answered: 1, HoldTime: hold, LongestHold: hold}
	if level, ok := b.serviceLevel(c.Queue); ok && hold <= level {
		n.AnsweredInTime = 1
	}
	b.count(c.Queue, c.hour, n)
	person := b.personOf(c.Queue, c.Interface, p.Get("MemberName"))
	c.person, c.Agent = person, person.name
	b.countAgent(person, c.taken, c.Queue, AgentTotals{Answered: 1})
	person.calls++
	b.update(person, now)
}

// serviceLevel is what the queue's configuration says, in seconds.
func (b *Book) serviceLevel(queue string) (level int64, ok bool) {
	q := b.state.Queue(queue)
	if q == nil {
		return 0, false
	}
	for _, h := range q.Params {
		if h.Name == "ServiceLevel" {
			level, err := strconv.ParseInt(h.Value, 10, 64)
			return level, err == nil
		}
	}
	return 0, false
}

// complete takes the end of a call. The event lacks what it says of channels that are gone.
func (b *Book) complete(p *codec.Packet, now time.Time) {
	talk := seconds(p, "TalkTime", 0)
	c := b.completed(p, talk, now)
	if c != nil && c.EndedBy != "" {
		return // it ends once more
	}
	if c == nil { // it began while nobody watched
		if c = b.waits(p); c != nil && (!c.guessed || !strings.EqualFold(c.Queue, p.Get("Queue"))) {
			c = nil
		}
		hold := seconds(p, "HoldTime", 0)
		if c = b.takes(c, p, talk+hold, now); c == nil {
			return
		}
		b.answered(c, p, hold, now.Add(-time.Duration(talk)*time.Second))
	}
	by := strings.ToLower(p.Get("Reason"))
	switch by {
	case "agent", "caller", "transfer":
	default:
		by = "unknown"
	}
	b.end(c, by, talk, now)
	b.entry(c, now, "Finished", talk)
	if person := c.person; person != nil {
		b.wrapUp(person, c, now)
		b.update(person, now)
	}
}

// completed finds the call that ends, or one that ends once more, by the transfer and by the caller
// who transferred: by its channels, or by who took it and when.
func (b *Book) completed(p *codec.Packet, talk int64, now time.Time) *openCall {
	if channel := p.Get("DestUniqueid"); channel != "" {
		for _, known := range []map[string]*openCall{b.talking, b.ended} {
			if c := known[channel]; c != nil {
				return c
			}
		}
	}
	hold, uniqueid := p.Get("HoldTime"), p.Get("Uniqueid")
	mine := func(c *openCall) bool {
		return strings.EqualFold(c.Queue, p.Get("Queue")) && strings.EqualFold(c.Interface, p.Get("Interface")) && (uniqueid == "" || uniqueid == c.Uniqueid)
	}
	again := func(c *openCall) bool {
		by := c.EndedBy + " " + strings.ToLower(p.Get("Reason"))
		return (by == "transfer caller" || by == "caller transfer") && hold == strconv.FormatInt(c.Wait, 10) && talk-c.Talk <= 1 && c.Talk-talk <= 1
	}
	late := func(c *openCall) time.Duration {
		return (now.Sub(c.Answered) - time.Duration(talk)*time.Second).Abs()
	}
	off := func(c *openCall) time.Duration {
		off := late(c)
		if seconds(p, "HoldTime", c.Wait) != c.Wait {
			off += time.Hour
		}
		return off
	}
	var best *openCall
	for _, c := range b.talking {
		if mine(c) && (uniqueid != "" || late(c) < stall) && (best == nil || off(c) < off(best)) {
			best = c
		}
	}
	for _, c := range b.ended {
		if mine(c) && again(c) && (best == nil || off(c) < off(best)) {
			best = c
		}
	}
	return best
}

// stall is how much later than it happened an event may come, for Asterisk or what is between has
// stalled.
const stall = time.Minute

// end counts the end of an answered call.
func (b *Book) end(c *openCall, by string, talk int64, now time.Time) {
	delete(b.talking, c.Channel)
	b.ended[c.Channel] = c
	c.gone, c.Talk, c.EndedBy = now, talk, by
	var n QueueTotals
	if by != "unknown" {
		n.TalkTime, n.LongestTalk = talk, talk
	}
	switch by {
	case "agent":
		n.CompletedByAgent = 1
	case "caller":
		n.CompletedByCaller = 1
	case "transfer":
		n.Transferred = 1
	}
	b.count(c.Queue, c.hour, n)
	if person := c.person; person != nil {
		b.countAgent(person, c.taken, c.Queue, AgentTotals{TalkTime: talk, LongestTalk: talk})
		person.calls = max(0, person.calls-1)
		b.moved[person] = true
	}
	b.tell(c)
}

// patience is how long after both channels are gone the end of a call is waited for.
const patience = 10 * time.Second

// sweep ends calls whose end no event tells, and forgets those that have ended.
func (b *Book) sweep(now time.Time) {
	maps.DeleteFunc(b.ended, func(_ string, c *openCall) bool { return now.Sub(c.gone) >= patience })
	for _, c := range b.talking {
		switch {
		case b.state.Channel(c.Uniqueid) != nil || b.state.Channel(c.Channel) != nil:
			c.gone = time.Time{}
		case c.gone.IsZero():
			c.gone = now
		case now.Sub(c.gone) >= patience:
			b.end(c, "unknown", max(0, int64(c.gone.Sub(c.Answered)/time.Second)), now)
			if person := c.person; person != nil {
				b.update(person, now)
			}
		}
	}
}

// dialled takes note of a number that was called and answered: a caller who was missed may
// have been called back.
func (b *Book) dialled(p *codec.Packet, now time.Time) {
	if b.news == nil || p.Get("DialStatus") != "ANSWER" {
		return
	}
	for _, header := range []string{"Exten", "DestCallerIDNum"} {
		if number := callerID(p, header); len(Digits(number)) >= digitsLeast {
			b.news.reached(number, now)
			return
		}
	}
}

// Numbers are compared by their last digits: the same caller may come with a country code
// and without.
const (
	digitsMost  = 9
	digitsLeast = 4
)

// Digits is what telephone numbers are compared by: their last nine digits.
func Digits(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	return digits[max(0, len(digits)-digitsMost):]
}
