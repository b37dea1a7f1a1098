package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

// command runs one of the few CLI commands that the simulator has. Case does not
// matter, nor do blanks between words.
func command(r *request) {
	line := r.get("Command")
	if line == "" {
		r.fail("No command provided")
		return
	}
	var out []string
	words := strings.Fields(strings.ToLower(line))
	word := "Success"
	switch joined := strings.Join(words, " "); {
	case joined == "core show version":
		out = []string{"Asterisk " + asteriskVersion + " built by nobody @ localhost on a unknown running Linux on 2026-01-01 00:00:00 UTC"}
	case joined == "core show uptime":
		up := spelled(r.c.uptime())
		out = []string{"System uptime: " + up, "Last reload: " + up}
	case joined == "core show uptime seconds":
		up := strconv.FormatInt(r.c.uptime(), 10)
		out = []string{"System uptime: " + up, "Last reload: " + up}
	case joined == "core show channels":
		out = r.c.showChannels()
	case joined == "core show channels concise":
		out = r.c.showConcise()
	case joined == "core show calls":
		out = r.c.showCalls()
	case joined == "queue show":
		for _, q := range r.c.queues {
			out = append(out, q.show()...)
		}
	case len(words) == 3 && words[0] == "queue" && words[1] == "show":
		if q := r.c.queue(words[2]); q != nil {
			out = q.show()
		} else {
			out = []string{"No such queue: " + strings.Fields(line)[2] + "."}
		}
	case len(words) == 4 && strings.HasPrefix(joined, "manager show user "):
		out = r.s.server.showUser(strings.Trim(strings.Fields(line)[3], `"`))
	default:
		word = "Error"
		out = []string{fmt.Sprintf("No such command '%s' (type 'core show help %s' for other possible commands)", line, line)}
	}
	r.respond(word)
	r.add("Message", "Command output follows")
	for _, l := range out {
		r.add("Output", l)
	}
	r.end()
}

// showUser follows handle_showmanager in main/manager.c.
func (s *Server) showUser(name string) []string {
	u := s.user(name)
	if u == nil {
		return []string{"There is no manager called " + name}
	}
	return []string{
		"",
		"          username: " + u.Name,
		"            secret: <Set>",
		"               ACL: no",
		"         read perm: " + permissions(u.Read),
		"        write perm: " + permissions(u.Write),
		"   displayconnects: yes",
		"allowmultiplelogin: yes",
		"         Variables: ",
	}
}

// permissions lists classes one by one, and "all" behind them all.
func permissions(c codec.Classes) string {
	if c != codec.All {
		return c.String()
	}
	var names []string
	for bit := range 31 {
		if class := codec.Classes(1) << bit; c.Has(class) {
			names = append(names, class.String())
		}
	}
	return strings.Join(append(names, "all"), ",")
}

// spelled writes seconds as print_uptimestr in main/asterisk.c does.
func spelled(s int64) string {
	units := []struct {
		name string
		s    int64
	}{{"year", 31536000}, {"week", 604800}, {"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}}
	var parts []string
	for _, u := range units {
		n := s / u.s
		s %= u.s
		if n == 0 && (u.s > 1 || len(parts) > 0) {
			continue
		}
		name := u.name
		if n != 1 {
			name += "s"
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, name))
	}
	return strings.Join(parts, ", ")
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

func (c *centre) showCalls() []string {
	return []string{plural(c.calls(), "active call"), plural(c.processed, "call") + " processed"}
}

func (c *centre) showChannels() []string {
	const format = "%-64.64s %-32.32s %-7.7s %-30.30s"
	out := []string{fmt.Sprintf(format, "Channel", "Location", "State", "Application(Data)")}
	for _, ch := range c.channels {
		app := "(None)"
		if ch.app != "" {
			app = ch.app + "(" + ch.data + ")"
		}
		out = append(out, fmt.Sprintf(format, ch.name, fmt.Sprintf("%s@%s:%d", ch.exten, ch.context, ch.priority), stateNames[ch.state], app))
	}
	return append(append(out, plural(len(c.channels), "active channel")), c.showCalls()...)
}

func (c *centre) showConcise() []string {
	if len(c.channels) == 0 {
		return []string{""}
	}
	var out []string
	for _, ch := range c.channels {
		out = append(out, strings.Join([]string{
			ch.name, ch.context, ch.exten, strconv.Itoa(ch.priority), stateNames[ch.state], ch.app, ch.data,
			ch.callerNum, ch.account, "", "3", strconv.FormatInt(int64(c.clock.Sub(ch.created)/time.Second), 10),
			ch.bridgeID(), ch.uniqueid,
		}, "!"))
	}
	return out
}

// show follows queues_show in apps/app_queue.c.
func (q *queue) show() []string {
	answered, all := q.performance()
	now := q.c.clock.Unix()
	out := []string{fmt.Sprintf("%s has %d calls (max unlimited) in '%s' strategy (%ds holdtime, %ds talktime), W:0, C:%d, A:%d, SL:%s%%, SL2:%s%% within %ds",
		q.Name, len(q.callers), q.Strategy, q.hold, q.talk, q.completed, q.abandoned, answered, all, q.ServiceLevel)}
	if len(q.members) == 0 {
		out = append(out, "   No Members")
	} else {
		out = append(out, "   Members: ")
	}
	for _, m := range q.members {
		var b strings.Builder
		b.WriteString("      " + m.name)
		if m.name != m.iface {
			b.WriteString(" (" + m.iface)
			if m.stateInterface != m.iface {
				b.WriteString(" from " + m.stateInterface)
			}
			b.WriteString(")")
		}
		if m.penalty > 0 {
			fmt.Fprintf(&b, " with penalty %d", m.penalty)
		}
		if m.ringInUse {
			b.WriteString(" (ringinuse enabled)")
		} else {
			b.WriteString(" (ringinuse disabled)")
		}
		if m.membership == "dynamic" {
			b.WriteString(" (dynamic)")
		}
		if m.paused {
			b.WriteString(" (paused")
			if m.reason != "" {
				b.WriteString(":" + m.reason)
			}
			fmt.Fprintf(&b, " was %d secs ago)", now-m.lastPause)
		}
		if m.inCall {
			b.WriteString(" (in call)")
		}
		b.WriteString(" (" + m.statusText() + ")")
		if m.calls == 0 {
			b.WriteString(" has taken no calls yet")
		} else {
			fmt.Fprintf(&b, " has taken %d calls (last was %d secs ago)", m.calls, now-m.lastCall)
		}
		fmt.Fprintf(&b, " (login was %d secs ago)", now-m.login)
		out = append(out, b.String())
	}
	if len(q.callers) == 0 {
		return append(out, "   No Callers", "")
	}
	out = append(out, "   Callers: ")
	for _, call := range q.callers {
		wait := now - call.joined.Unix()
		out = append(out, fmt.Sprintf("      %d. %s (wait: %d:%02d, prio: %d)", call.position, call.caller.name, wait/60, wait%60, call.priority))
	}
	return append(out, "")
}
