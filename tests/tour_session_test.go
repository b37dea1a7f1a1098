package tests

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tourWait bounds every wait of the tour: for an answer, for an event.
const tourWait = 30 * time.Second

// A wirePacket is one packet as it came.
type wirePacket struct {
	lines []string // without their CRLF; a lone LF is still there
	stray int      // empty lines too many in front of it
}

func (p wirePacket) get(name string) string {
	for _, line := range p.lines {
		if key, value := cutHeader(line); strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// cutHeader splits a line at its first colon; a line without one is all value.
func cutHeader(line string) (name, value string) {
	name, value, found := strings.Cut(line, ":")
	if !found {
		return "", line
	}
	return name, strings.TrimPrefix(value, " ")
}

// isEvent tells an event from what belongs to an answer: the items of lists have no
// Privilege, or one in another style ("Call").
func (p wirePacket) isEvent() bool {
	return strings.HasPrefix(p.lines[0], "Event: ") && strings.HasSuffix(p.get("Privilege"), ",all")
}

// A tourSession is one connection and all that came on it.
type tourSession struct {
	t      *testing.T
	wire   *wire
	fences int

	mu      sync.Mutex
	packets []wirePacket
	ended   error         // why nothing more comes
	changed chan struct{} // closed and replaced when more came
}

// dialTour connects and reads the banner. The test's cleanup closes it.
func dialTour(t *testing.T, name, addr string) *tourSession {
	t.Helper()
	w, err := dialWire(name, addr)
	require.NoError(t, err)
	require.NoError(t, w.SetDeadline(time.Time{}))
	s := &tourSession{t: t, wire: w, changed: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.read()
	}()
	t.Cleanup(func() {
		w.Close()
		<-read
	})
	return s
}

func (s *tourSession) note(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
	close(s.changed)
	s.changed = make(chan struct{})
}

// read is the session's reader until the connection ends.
func (s *tourSession) read() {
	for stray := 0; ; stray = s.wire.stray {
		text, err := s.wire.read()
		s.note(func() {
			if s.ended = err; err == nil {
				lines := strings.Split(strings.TrimSuffix(text, "\r\n\r\n"), "\r\n")
				s.packets = append(s.packets, wirePacket{lines, s.wire.stray - stray})
			}
		})
		if err != nil {
			return
		}
	}
}

// until waits until the condition, asked with the lock held, holds.
func (s *tourSession) until(what string, holds func() bool) {
	s.t.Helper()
	timeout := time.After(tourWait)
	for {
		s.mu.Lock()
		ok, ended, changed := holds(), s.ended, s.changed
		s.mu.Unlock()
		switch {
		case ok:
			return
		case ended != nil:
			require.FailNow(s.t, "the connection ended before "+what, "%v", ended)
		}
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(s.t, "not within "+tourWait.String()+": "+what, "%s", s.tail())
		}
	}
}

// tail is the names of the last packets, for a failure's text.
func (s *tourSession) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, p := range s.packets[max(0, len(s.packets)-40):] {
		names = append(names, strings.Join(p.lines, " | "))
	}
	return strings.Join(names, "\n")
}

func (s *tourSession) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.packets)
}

// find waits for a packet from the n-th on.
func (s *tourSession) find(from int, what string, is func(wirePacket) bool) wirePacket {
	s.t.Helper()
	var found wirePacket
	s.until(what, func() bool {
		for ; from < len(s.packets); from++ {
			if is(s.packets[from]) {
				found = s.packets[from]
				return true
			}
		}
		return false
	})
	return found
}

func (s *tourSession) send(lines ...string) {
	s.t.Helper()
	require.NoError(s.t, s.wire.send(lines...))
}

// answers waits until n answers have ended among the packets from the given one on.
func (s *tourSession) answers(from, n int, what string) {
	s.t.Helper()
	list := false
	s.find(from, what, func(p wirePacket) bool {
		if p.isEvent() {
			return false
		}
		mark := strings.ToLower(p.get("EventList"))
		switch {
		case mark == "start":
			list = true
			return false
		case list && mark == "":
			return false
		}
		list = false
		n--
		return n == 0
	})
}

// fence sends a Ping and waits for its answer: all that was to be said before has
// then been said. It returns the place of that answer.
func (s *tourSession) fence() int {
	s.t.Helper()
	s.fences++
	id := fmt.Sprintf("fence-%d", s.fences)
	from := s.count()
	s.send("Action: Ping", "ActionID: "+id)
	s.find(from, id, func(p wirePacket) bool { return p.get("ActionID") == id })
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.IndexFunc(s.packets, func(p wirePacket) bool { return p.get("ActionID") == id })
}

// closed waits until the other side has closed the connection between two packets.
func (s *tourSession) closed() {
	s.t.Helper()
	s.until("the end of the connection", func() bool { return s.ended != nil })
	require.Equal(s.t, io.EOF, s.ended)
}

// A tourAnswer is what came for one step of the tour.
type tourAnswer struct {
	step    tourStep
	packets []tourPacket
}

// A tourPacket is one packet of an answer, an empty line too many being a line too.
type tourPacket struct {
	name  string // "Response to CoreStatus", "QueueMember"
	lines []string
}

// answered collects the packets of a step from the given one on, up to another that
// is no longer its own, and holds that no event stands inside a list.
func (s *tourSession) answered(step tourStep, from, to int) tourAnswer {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := tourAnswer{step: step}
	// Nothing but an empty line is an answer too: that to IAXnetstats.
	if from > 0 && from < len(s.packets) && s.packets[from].stray > 0 && !s.packets[from-1].isEvent() {
		answer.packets = append(answer.packets, tourPacket{"Response to " + step.name, make([]string, s.packets[from].stray)})
	}
	list := false
	for i := from; i < to; i++ {
		p := s.packets[i]
		if p.isEvent() {
			require.False(s.t, list, "an event inside the answer to %s: %q", step.name, p.lines)
			continue
		}
		list = strings.EqualFold(p.get("EventList"), "start") || list && p.get("EventList") == ""
		lines := slices.Clone(p.lines)
		if i+1 < len(s.packets) {
			lines = append(lines, make([]string, s.packets[i+1].stray)...)
		}
		answer.packets = append(answer.packets, tourPacket{step.packetName(p), lines})
	}
	return answer
}

// md5Key is the Key of a login by challenge.
func md5Key(challenge, secret string) string {
	sum := md5.Sum([]byte(challenge + secret))
	return hex.EncodeToString(sum[:])
}

// A sign is an event that shows a state: its name, then headers with patterns of
// their values: "Hangup Channel=Local/cA@callers-\w+;1".
type sign struct {
	event   string
	headers map[string]*regexp.Regexp
}

func parseSign(text string) sign {
	fields := strings.Fields(text)
	s := sign{event: fields[0], headers: map[string]*regexp.Regexp{}}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		s.headers[name] = regexp.MustCompile("^(?:" + value + ")$")
	}
	return s
}

func (s sign) seen(p wirePacket) bool {
	if !p.isEvent() || p.get("Event") != s.event {
		return false
	}
	for name, value := range s.headers {
		if !value.MatchString(p.get(name)) {
			return false
		}
	}
	return true
}
