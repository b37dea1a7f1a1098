package simulator

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"

	"ampd/codec"
)

func ping(r *request) {
	r.respond("Success")
	r.add("Ping", "Pong")
	now := r.c.clock
	r.add("Timestamp", fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000))
	r.end()
}

func challenge(r *request) {
	if !strings.EqualFold(r.get("AuthType"), "MD5") {
		r.fail("Must specify AuthType")
		return
	}
	r.respond("Success")
	r.add("Challenge", r.s.challenge)
	r.end()
}

// login follows action_login and authenticate in main/manager.c.
func login(r *request) {
	s := r.s
	if s.user != nil {
		r.succeed("Already authenticated")
		return
	}
	name := r.get("Username")
	user := s.server.user(name)
	if user == nil || !s.proves(user, r) {
		event := "InvalidPassword"
		if user == nil {
			event = "InvalidAccountID"
		}
		s.refused(event, name)
		r.fail("Authentication failed")
		r.punish, r.close = true, true
		return
	}
	s.user = user
	s.mask = codec.All
	if mask, ok := parseMask(r.get("Events")); ok {
		s.mask = mask
	}
	s.conn.SetReadDeadline(never)
	r.succeed("Authentication accepted")
	if r.c.booted && s.sees(codec.System) {
		r.add("Event", "FullyBooted")
		r.add("Privilege", "system,all")
		r.add("Uptime", fmt.Sprint(r.c.uptime()))
		r.add("LastReload", fmt.Sprint(r.c.uptime()))
		r.add("Status", "Fully Booted")
		r.end()
	}
	s.loggedIn()
}

// proves tells whether a Login has the user's secret, plain or by the session's
// challenge.
func (s *session) proves(u *User, r *request) bool {
	if strings.EqualFold(r.get("AuthType"), "MD5") {
		sum := md5.Sum([]byte(s.challenge + u.Secret))
		return r.get("Key") == hex.EncodeToString(sum[:])
	}
	return r.get("Secret") == u.Secret
}

func logoff(r *request) {
	r.answer("Goodbye", "Thanks for all the fish.")
	r.close = true
}

func events(r *request) {
	mask, ok := parseMask(r.get("EventMask"))
	if !ok {
		r.fail("Invalid event mask")
		return
	}
	r.s.mask = mask
	r.respond("Success")
	if mask == 0 {
		r.add("Events", "Off")
	} else {
		r.add("Events", "On")
	}
	r.end()
}

// parseMask reads an event mask: on, off, or a list of classes of which unknown
// ones do not count.
func parseMask(mask string) (c codec.Classes, ok bool) {
	switch {
	case mask == "":
		return 0, false
	case codec.IsTrue(mask):
		return codec.All, true
	case strings.EqualFold(mask, "off"), strings.EqualFold(mask, "no"), strings.EqualFold(mask, "false"), mask == "0":
		return 0, true
	}
	c, _ = codec.ParseClasses(mask)
	return c, true
}

// userEvent copies the action's lines but for Action, UserEvent and ActionID
// (action_userevent).
func userEvent(r *request) {
	e := r.c.event("UserEvent", codec.User).add("UserEvent", r.get("UserEvent"))
	if id := r.get("ActionID"); id != "" {
		e.add("ActionID", id)
	}
	for i, line := range r.p.Lines() {
		switch name := r.p.Headers[i].Name; {
		case name == "", strings.EqualFold(name, "Action"), strings.EqualFold(name, "UserEvent"), strings.EqualFold(name, "ActionID"):
		default:
			e.line(line)
		}
	}
	e.send()
	r.succeed("Event Sent")
}
