package tests

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	channelName  = regexp.MustCompile(`(?i)(PJSIP|Local)/[^\s,;()]+-[0-9a-f]{8}(;[12])?`)
	numbers      = strings.NewReplacer("4001@desk", "alice", "4002@desk", "bob")
	goldenUnique = regexp.MustCompile(`rig\d+-\d+\.\d+|\b\d{10}\.\d+\b`)
)

// roles replaces names and Uniqueids of channels by whose they are, the first of them, the
// second.
func (st *stage) roles(text string) string {
	st.wall.mu.Lock()
	defer st.wall.mu.Unlock()
	byName, byID, count := map[string]string{}, map[string]string{}, map[string]int{}
	for _, p := range st.wall.events {
		name, id := header(p, "Channel"), header(p, "Uniqueid")
		if header(p, "Event") != "Newchannel" || byName[name] != "" {
			continue
		}
		whole, half, _ := strings.Cut(name, ";")
		role := whole[:strings.LastIndexByte(whole, '-')]
		role = strings.TrimPrefix(role, "PJSIP/")
		if half != "2" {
			count[role]++
		}
		if count[role] > 1 {
			role += fmt.Sprintf("#%d", count[role])
		}
		if half != "" {
			role += ";" + half
		}
		byName[name], byID[id] = role, role
	}
	text = channelName.ReplaceAllStringFunc(text, func(name string) string { return cmp.Or(byName[name], name) })
	text = goldenUnique.ReplaceAllStringFunc(text, func(id string) string {
		if byID[id] != "" {
			return "id of " + byID[id]
		}
		return id
	})
	return numbers.Replace(text)
}

// Of these it is left to chance how many there are, or when they come.
var unsteady = []string{"DeviceStateChange", "ExtensionStatus", "HangupRequest", "MessageWaiting", "OriginateResponse", "PeerStatus", "QueueMemberStatus", "NewConnectedLine", "UserEvent", "DialState", "SoftHangupRequest"}

// These keep their order. Of the rest Asterisk says only that they come: another thread, or another
// topic, sends them.
var inOrder = []string{"Newchannel", "Newstate", "DialBegin", "DialEnd", "BridgeEnter", "BridgeLeave", "Hold", "Unhold", "Hangup"}

// seen is what a session has seen since the step began: of each subject its events in
// their order, "+" before those that ampd has made. What a phone is behind the network is
// left out of what sees everything.
func (st *stage) seen(v *seer) string {
	v.mu.Lock()
	events := slices.Clone(v.events[v.done:])
	v.mu.Unlock()
	of := map[string][]string{}
	for _, p := range events {
		name := header(p, "Event")
		if slices.Contains(unsteady, name) || strings.Contains(p, "Channel: PJSIP/trunk-") {
			continue
		}
		if bridge := header(p, "BridgeUniqueid"); strings.Contains(name, "Bridge") && header(p, "Channel") == "" && st.behind(bridge) {
			continue
		}
		subject, word := "else", name
		for _, h := range []string{"Interface", "Agent", "ParkeeChannel", "LocalOneChannel", "Channel"} {
			if value := header(p, h); value != "" {
				subject = value
			}
		}
		for _, h := range []string{"DestChannel", "TargetChannel", "Cause", "Queue", "DialStatus", "ParkingSpace", "ParkerDialString", "Paused"} {
			if name == "AgentComplete" && h == "DestChannel" {
				continue // it may be gone already
			}
			if value := header(p, h); value != "" {
				word += " " + value
			}
		}
		if name == "Hangup" && header(p, "ChannelState") == "" {
			word += " (no more)"
		}
		if name == "Newstate" {
			word += " " + header(p, "ChannelStateDesc")
		}
		if header(p, "AmpdSynthetic") != "" {
			word = "+" + word
		}
		// How somebody else is when an agent is told of it first, and who leaves a bridge first, is left
		// to chance.
		own := subject == "else" || v.device == "" || strings.HasPrefix(subject, "PJSIP/"+v.name+"-") || strings.HasPrefix(subject, v.device)
		switch {
		case own:
		case name == "BridgeLeave", strings.HasPrefix(name, "Local"), name == "Newstate", name == "NewCallerid":
			continue
		}
		if !slices.Contains(inOrder, name) && subject != "else" {
			subject += " (beside)"
		}
		of[subject] = append(of[subject], word)
	}
	var text strings.Builder
	lines := []string{}
	for subject, words := range of {
		if subject == "else" || strings.HasSuffix(subject, " (beside)") {
			slices.Sort(words)
		}
		lines = append(lines, st.roles("  "+subject+": "+strings.Join(words, ", ")))
	}
	slices.Sort(lines)
	for _, l := range lines {
		text.WriteString(l + "\n")
	}
	return text.String()
}

// behind tells whether a bridge is one of the phones' own, behind the network.
func (st *stage) behind(bridge string) bool {
	st.wall.mu.Lock()
	defer st.wall.mu.Unlock()
	return slices.ContainsFunc(st.wall.events, func(p string) bool {
		return header(p, "BridgeUniqueid") == bridge && (strings.Contains(p, "Channel: PJSIP/trunk-") || strings.HasPrefix(header(p, "BridgeName"), "golden-"))
	})
}

// stable is how long nothing must come until a view is written to the file.
const stable = 1500 * time.Millisecond

// events waits until all sessions have seen what the file says, and no more.
func (st *stage) events(step string) {
	st.t.Helper()
	patience := time.Now().Add(wireLimit)
	for _, v := range st.sessions {
		title := step + ": " + v.name + " sees"
		st.titles = append(st.titles, title)
		if !*golden {
			eventually(func() bool { return st.seen(v) == st.want[title] }, time.Until(patience))
		}
	}
	if *golden {
		for n := -1; ; {
			st.wall.mu.Lock()
			now := len(st.wall.events)
			st.wall.mu.Unlock()
			if n == now {
				break
			}
			n = now
			<-time.After(stable)
		}
	}
	st.fence()
	for _, v := range st.sessions {
		title := step + ": " + v.name + " sees"
		st.met[title] = st.seen(v)
		if !*golden {
			require.Equal(st.t, st.want[title], st.met[title], title)
		}
		v.mu.Lock()
		v.done = len(v.events)
		v.mu.Unlock()
	}
}
