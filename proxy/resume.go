package proxy

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/downstream"
)

// How many sessions may wait for their clients to come back: of one profile without
// max_sessions, and in all.
const (
	parkedMost    = 100
	parkedMostAll = 1000
)

// A session that asked for it can be resumed: its token finds it, while it is connected
// and for resume_window after. The token is dead once it was used.
//
//	Resume: yes       begins such a session
//	Resume: no        does not
//	Resume: TOKEN     takes up that session behind the event with the number AmpdSeq

// wantsResume tells whether the login asks for a session that can be resumed.
func wantsResume(login *codec.Packet) bool {
	asked := login.Get("Resume")
	return asked != "" && !codec.IsFalse(asked)
}

// isToken tells whether it asks for one that there was before.
func isToken(login *codec.Packet) bool { return !codec.IsTrue(login.Get("Resume")) }

// takeOver ends the session that the login's token stands for and has c keep its feed
// going. It returns that session and what it left, nil where it is gone, or another
// profile's.
func (h *Hub) takeOver(c *client, login downstream.Login) (old *client, backlog *downstream.Backlog) {
	old = h.tokens[login.Action.Get("Resume")]
	if old == nil || old.role != login.Role || old.voice.OfEvents() != c.voice.OfEvents() {
		return nil, nil
	}
	backlog = old.session.Detach()
	if backlog != nil {
		c.from = old.from
		c.from.clients[c] = struct{}{}
	}
	h.discard(old)
	h.dismiss(old, downstream.ErrTakenOver)
	h.later = append(h.later, func() { old.session.Close(downstream.ErrTakenOver) })
	return old, backlog
}

// Displace ends the connection of the session that the login is to resume, for the
// profile may have no room for both.
func (h *Hub) Displace(login downstream.Login) (displaced *downstream.Session) {
	h.do(func() {
		if c := h.tokens[login.Action.Get("Resume")]; c != nil && c.role == login.Role && !c.leaving {
			displaced = c.session
		}
	})
	if displaced != nil {
		displaced.Close(downstream.ErrClientLeft) // is parked
	}
	return displaced
}

// seen is the number of the last event that the login's client has got.
func seen(login *codec.Packet) uint64 {
	seq, _ := strconv.ParseUint(login.Get("AmpdSeq"), 10, 64)
	return seq
}

// park keeps a session that has lost its connection for resume_window. Where its profile
// has too many of them already the one that has waited longest is given up.
func (h *Hub) park(c *client) {
	most := parkedMost
	if c.profile.MaxSessions > 0 {
		most = c.profile.MaxSessions
	}
	var first *client
	others := 0
	for _, other := range h.parked {
		if other.profile == c.profile {
			others++
			if first == nil {
				first = other
			}
		}
	}
	if others >= most {
		h.discard(first)
	}
	if len(h.parked) >= parkedMostAll {
		h.discard(c)
		h.unsubscribe(c)
		return
	}
	h.parked = append(h.parked, c)
	for _, other := range h.parked {
		h.touch(other) // they share what all may keep
	}
	h.metrics.parked.Set(float64(len(h.parked)))
	c.timer = time.AfterFunc(h.limits.Get().ResumeWindow.Std(), func() {
		h.do(func() {
			if h.tokens[c.token] == c {
				h.discard(c)
			}
		})
	})
}

// discard has a session be no more resumed.
func (h *Hub) discard(c *client) {
	if c.token == "" {
		return
	}
	delete(h.tokens, c.token)
	c.token = ""
	for i := range h.parked {
		if h.parked[i] == c {
			h.parked = slices.Delete(h.parked, i, i+1)
			h.metrics.parked.Set(float64(len(h.parked)))
			c.stopTimers()
			h.unsubscribe(c)
			break
		}
	}
	c.session.Forget()
}

// newToken gives the session a token, for its client alone.
func (h *Hub) newToken(c *client) {
	var random [16]byte
	rand.Read(random[:]) // never fails
	c.token = hex.EncodeToString(random[:])
	h.tokens[c.token] = c
	c.session.Remember()
}

// accepted is the answer to a login. whole tells that the session goes on without a gap.
func (h *Hub) accepted(c *client, login *codec.Packet, whole bool) []byte {
	b := native.AppendAnswer(make([]byte, 0, 256), login, "Success")
	b = native.AppendHeader(b, "Message", "Authentication accepted")
	if !c.numbered {
		return native.AppendEnd(b)
	}
	result := "gap"
	switch {
	case whole:
		result = "ok"
	case !isToken(login):
		result = "new"
	}
	h.metrics.resumes.WithLabelValues(result).Inc()
	b = native.AppendHeader(b, "AmpdResume", result)
	b = native.AppendHeader(b, "AmpdResumeToken", c.token)
	return native.AppendEnd(b)
}
