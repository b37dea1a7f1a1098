package simulator

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

// An origination is an Originate under way.
type origination struct {
	c             *centre
	target        string
	app, data     string
	context       string
	exten         string
	num, name     string
	id            string // ActionID
	async         bool
	later         chan []byte // of a synchronous one
	success, fail []byte      // its answers
}

// callerID takes a caller ID apart: "Name" <number>, <number> or a number.
var callerID = regexp.MustCompile(`^\s*(?:"([^"]*)"|([^<]*?))\s*<([^>]*)>\s*$`)

func parseCallerID(s string) (num, name string) {
	if m := callerID.FindStringSubmatch(s); m != nil {
		return m[3], m[1] + m[2]
	}
	if s != "" && strings.Trim(s, "0123456789+*#") == "" {
		return s, ""
	}
	return "", s
}

// originate follows action_originate in main/manager.c.
func originate(r *request) {
	target := r.get("Channel")
	exten, context, app := r.get("Exten"), r.get("Context"), r.get("Application")
	if target == "" {
		r.fail("Channel not specified")
		return
	}
	if p := r.get("Priority"); p != "" && p != "1" {
		r.fail("Invalid priority")
		return
	}
	timeout := 30 * time.Second
	if t := r.get("Timeout"); t != "" {
		ms, err := strconv.Atoi(t)
		if err != nil {
			r.fail("Invalid timeout")
			return
		}
		timeout = time.Duration(ms) * time.Millisecond
	}
	if !strings.Contains(target, "/") {
		r.fail("Invalid channel")
		return
	}
	if app == "" {
		if exten == "" || context == "" || r.get("Priority") == "" {
			r.fail("Originate with 'Exten' requires 'Context' and 'Priority'")
			return
		}
		if !r.c.hasExtension(context, exten) {
			r.fail("Extension does not exist.")
			return
		}
	}
	num, name := parseCallerID(r.get("CallerID"))
	o := &origination{
		c: r.c, target: target, app: app, data: r.get("Data"), context: context, exten: exten,
		num: num, name: name, id: r.get("ActionID"), async: codec.IsTrue(r.get("Async")),
	}
	out := outgoing{
		target: target, timeout: timeout, num: num, name: name,
		account: r.get("Account"), id: r.get("ChannelId"),
	}
	for _, h := range r.p.Headers {
		if strings.EqualFold(h.Name, "Variable") {
			for v := range strings.SplitSeq(h.Value, ",") {
				if name, value, ok := strings.Cut(v, "="); ok {
					out.variables = append(out.variables, variable{name, value})
				}
			}
		}
	}
	r.succeed("Originate successfully queued")
	if !o.async {
		o.success = r.out
		r.out = nil
		r.fail("Originate failed")
		o.fail = r.out
		r.out = nil
		o.later = make(chan []byte, 1)
		r.later = o.later
	}
	if r.c.dial(out, o.decided) == nil {
		o.failed(reasonFailed)
	}
}

// decided is called when it is known what became of the first leg.
func (o *origination) decided(l *leg, reason int) {
	if reason != reasonAnswered {
		o.failed(reason)
		return
	}
	c, ch := o.c, l.ch
	ch.pbx, ch.call = true, nil
	c.processed++
	if o.async {
		o.response("Success", ch.name, reason, ch)
	} else {
		o.later <- o.success
	}
	if o.app == "" {
		c.runExtension(ch, o.context, o.exten)
		return
	}
	c.runApplication(ch, o.app, o.data)
}

func (o *origination) failed(reason int) {
	if o.async {
		o.response("Failure", o.target, reason, nil)
	} else {
		o.later <- o.fail
	}
}

func (o *origination) response(word, channel string, reason int, ch *channel) {
	e := o.c.event("OriginateResponse", codec.Call)
	if o.id != "" {
		e.add("ActionID", o.id)
	}
	e.add("Response", word).add("Channel", channel)
	if o.app == "" {
		e.add("Context", o.context).add("Exten", o.exten)
	} else {
		e.add("Application", o.app).add("Data", o.data)
	}
	uniqueid := "<unknown>"
	if ch != nil {
		uniqueid = ch.uniqueid
	}
	e.int("Reason", int64(reason)).add("Uniqueid", uniqueid)
	e.add("CallerIDNum", unknown(o.num)).add("CallerIDName", unknown(o.name))
	if ch != nil {
		for _, name := range channelVars {
			e.add("ChanVariable("+ch.name+")", name+"="+ch.vars[name])
		}
	}
	e.send()
}

// runApplication runs an application outside the dialplan. One that the simulator
// does not know ends at once.
func (c *centre) runApplication(ch *channel, app, data string) {
	ch.app, ch.data = app, data
	first, rest, _ := strings.Cut(data, ",")
	seconds := func(s string, otherwise time.Duration) time.Duration {
		if n, err := strconv.ParseFloat(s, 64); err == nil && n > 0 {
			return time.Duration(n * float64(time.Second))
		}
		return otherwise
	}
	switch strings.ToLower(app) {
	case "queue":
		if q := c.queue(first); q != nil {
			c.join(ch, q)
			return
		}
		c.runApp(ch, 0, false)
	case "wait":
		c.runApp(ch, seconds(first, 0), false)
	case "echo", "milliwatt":
		c.runApp(ch, stay, false)
	case "musiconhold":
		c.runApp(ch, seconds(rest, stay), true)
	case "playback", "background":
		c.runApp(ch, 5*time.Second, false)
	default:
		c.runApp(ch, 0, false)
	}
}
