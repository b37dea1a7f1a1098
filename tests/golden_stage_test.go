package tests

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

// A stage is an Asterisk, an ampd, and the sessions whose views are written down.
type stage struct {
	t        *testing.T
	s        *asterisk.Server
	control  *wire
	sessions []*seer
	wall     *seer             // sees everything
	want     map[string]string // sections of the file, by their titles
	titles   []string          // of the sections that were met
	met      map[string]string
	fences   int
	tries    []try
}

// A try is an action that a session has tried: where it stands in the file, and the words
// of the answer.
type try struct{ title, what, words string }

// fence waits until all sessions have all that Asterisk has sent.
func (st *stage) fence() {
	st.t.Helper()
	st.fences++
	mark := fmt.Sprintf("golden-%d", st.fences)
	st.do("Action: UserEvent", "UserEvent: "+mark)
	st.wall.find(st.t, mark, func(p string) bool { return header(p, "UserEvent") == mark })
	for _, v := range st.sessions {
		v.ask(st.t, "Action: Ping")
	}
}

func (st *stage) do(lines ...string) {
	st.t.Helper()
	_, answer, err := st.control.ask(lines...)
	require.NoError(st.t, err)
	require.Contains(st.t, answer, "Response: Success", "%q", lines)
}

// channel is the last channel whose name begins so that there is, as who sees everything
// knows; "" where there is none. Of a Local channel it is the first half.
func (st *stage) channel(device string) (name, id string) {
	st.wall.mu.Lock()
	defer st.wall.mu.Unlock()
	for _, p := range st.wall.events {
		channel := header(p, "Channel")
		switch {
		case !strings.HasPrefix(channel, device+"-") || strings.HasSuffix(channel, ";2"):
		case header(p, "Event") == "Newchannel":
			name, id = channel, header(p, "Uniqueid")
		case header(p, "Event") == "Hangup" && channel == name:
			name, id = "", ""
		}
	}
	return name, id
}

// phone has somebody's phone, which rings or is in a call, do something.
func (st *stage) phone(whose, exten string) {
	st.t.Helper()
	var far string
	require.True(st.t, st.wall.until(func() bool {
		for _, p := range st.wall.events {
			if header(p, "Event") == "Newchannel" && strings.HasPrefix(header(p, "Channel"), "PJSIP/trunk-") && header(p, "Exten") == whose {
				far = header(p, "Channel")
			}
			if header(p, "Event") == "Hangup" && header(p, "Channel") == far {
				far = "" // it was in another call
			}
		}
		return far != ""
	}), "%s's phone", whose)
	name, _ := st.channel("PJSIP/" + whose)
	require.True(st.t, st.wall.until(func() bool { // that it rings has come back to who called it
		return slices.ContainsFunc(st.wall.events, func(p string) bool {
			return header(p, "Event") == "Newstate" && header(p, "Channel") == name
		})
	}), "%s's phone rings", whose)
	st.do("Action: Redirect", "Channel: "+far, "Context: from-trunk", "Exten: "+exten, "Priority: 1")
}

// dial originates a call from somebody's phone.
func (st *stage) dial(whose, exten, context string, more ...string) {
	st.t.Helper()
	st.do(append(more, "Action: Originate", "Channel: PJSIP/"+whose+"/sip:"+whose+"@"+st.s.PJSIP, "Exten: "+exten, "Context: "+context, "Priority: 1", "Async: true")...)
}

// consistent holds what is true of each agent's events, whatever they are: of a channel in
// a call or with a state come first its Newchannel, and last, once, its Hangup; devices and members
// are its own.
func (st *stage) consistent(v *seer, own ...string) {
	st.t.Helper()
	alive := map[string]bool{} // by Uniqueid; false when hung up
	for _, p := range v.events {
		name, id := header(p, "Event"), header(p, "Uniqueid")
		known, told := alive[id]
		switch name {
		case "Newchannel":
			require.False(st.t, told, p)
			alive[id] = true
		case "Hangup":
			require.True(st.t, known, p)
			alive[id] = false
		case "Newstate", "BridgeEnter", "BridgeLeave", "Hold", "Unhold", "MusicOnHoldStart", "MusicOnHoldStop":
			require.True(st.t, known, p)
		case "DeviceStateChange", "QueueMemberStatus":
			require.Contains(st.t, own, cmp.Or(header(p, "Device"), header(p, "Interface")), p)
		}
		require.NotContains(st.t, p, "PJSIP/trunk-")
	}
}

// outcomes writes down what was tried, and whether it arrived at Asterisk.
func (st *stage) outcomes() {
	st.t.Helper()
	arrived, names := map[string]bool{}, map[string]bool{}
	for _, p := range st.wall.events {
		names[header(p, "Channel")] = true
	}
	for _, action := range st.s.Actions() {
		n := action.Get("X-Golden")
		arrived[n] = true
		if channel := action.Get("Channel"); n != "" && strings.Contains(channel, "-0") {
			require.Contains(st.t, names, channel, "not a channel's name:\n%s", action)
		}
	}
	outcomes := map[string][]string{} // by title and words
	for i, try := range st.tries {
		key := "no: "
		if arrived[fmt.Sprint(i)] {
			key = "yes: "
		}
		key = try.title + "\n  " + key + try.words
		outcomes[key] = append(outcomes[key], try.what)
	}
	for _, key := range slices.Sorted(maps.Keys(outcomes)) {
		title, words, _ := strings.Cut(key, "\n")
		st.met[title] += words + ": " + strings.Join(outcomes[key], ", ") + "\n"
	}
}

// end compares all that was met, or writes the file.
func (st *stage) end(path string) {
	st.t.Helper()
	if !*golden {
		for _, title := range st.titles {
			require.Equal(st.t, st.want[title], st.met[title], title)
		}
		require.Len(st.t, st.want, len(st.titles))
		return
	}
	var text strings.Builder
	for _, title := range st.titles {
		text.WriteString(title + "\n" + st.met[title])
	}
	require.NoError(st.t, os.MkdirAll("testdata", 0o755))
	require.NoError(st.t, os.WriteFile(path, []byte(text.String()), 0o644))
}

// read reads the sections of a file: a title, and lines with blanks in front.
func (st *stage) read(path string) {
	st.t.Helper()
	text, err := os.ReadFile(path)
	if *golden && os.IsNotExist(err) {
		return
	}
	require.NoError(st.t, err)
	title := ""
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "  ") {
			title = strings.TrimSuffix(line, "\n")
			st.want[title] = ""
			continue
		}
		st.want[title] += line
	}
}
