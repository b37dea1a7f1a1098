package asterisk

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Log is what the Asterisk logged so far, in all its runs, security events apart.
func (s *Server) Log() string {
	out, _ := os.ReadFile(filepath.Join(s.Dir, "log", "out.log"))  // empty but for crashes
	log, _ := os.ReadFile(filepath.Join(s.Dir, "log", "full.log")) // not there before Asterisk opened it
	return string(out) + string(log)
}

// fencePrefix begins the ActionIDs of the actions by which Actions knows how far
// the log has come.
const fencePrefix = "asterisk-fence-"

var fences atomic.Int64

// Actions are the actions that reached the Asterisk so far, whole and in order, on
// any connection, refused and unknown ones included; a Secret's value is not in
// them. The Server must have been started with [LogActions]. Actions sends one of
// its own and waits until that is logged, so every action that Asterisk took before
// the call is there.
func (s *Server) Actions() []Packet {
	s.t.Helper()
	fence := fencePrefix + strconv.FormatInt(fences.Add(1), 10)
	conn, err := Dial(s.Addr)
	if err != nil {
		s.t.Fatalf("connect to Asterisk %s for a fence: %v", s.Name, err)
	}
	defer conn.Close()
	// An action is logged before it is judged, so no login is needed.
	if err := conn.Send("Action: Ping", "ActionID: "+fence); err != nil {
		s.t.Fatalf("send a fence to Asterisk %s: %v", s.Name, err)
	}
	timeout := time.After(30 * time.Second)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		var actions []Packet
		for _, action := range loggedActions(s.Log()) {
			id := action.Get("ActionID")
			if id == fence {
				return actions
			}
			if !strings.HasPrefix(id, fencePrefix) {
				actions = append(actions, action)
			}
		}
		select {
		case <-again.C:
		case <-timeout:
			s.t.Fatalf("Asterisk %s does not log its actions", s.Name)
		}
	}
}

// loggedActions are the actions in a log. See process_message in main/manager.c:
// behind a line of its own stands the action as it was read.
func loggedActions(log string) []Packet {
	var actions []Packet
	var action Packet
	inside := false
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasSuffix(line, "<--- Examining AMI action: -->"):
			inside, action = true, nil
		case inside && line == "":
			actions, inside = append(actions, action), false
		case inside:
			action = append(action, line)
		}
	}
	return actions
}
