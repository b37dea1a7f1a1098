package tests

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// attempt has a session try an action, and returns the words of the answer.
func (st *stage) attempt(v *seer, title, what string, lines ...string) (words string) {
	st.t.Helper()
	answer := v.ask(st.t, append(lines, fmt.Sprintf("X-Golden: %d", len(st.tries)))...)
	words = cmp.Or(header(answer[0], "Message"), header(answer[0], "Response"))
	if header(answer[0], "EventList") != "" {
		var items []string
		for _, p := range answer[1 : len(answer)-1] {
			var item []string
			for _, h := range []string{"Queue", "Name", "Channel"} {
				if value := header(p, h); value != "" {
					item = append(item, value)
				}
			}
			if text := strings.Join(item, " "); !strings.HasPrefix(text, "PJSIP/trunk-") {
				items = append(items, st.roles(text))
			}
		}
		slices.Sort(items)
		words = "[" + strings.Join(items, ", ") + "]"
	}
	words = st.roles(words)
	st.tries = append(st.tries, try{title, what, words})
	return words
}

// may has all sessions try everything on everybody's channels. What is sent to where it
// does no harm (a priority that is not there, a phone that has not registered) shows all
// the same whether it is let through; a Hangup is tried where a Redirect is not.
func (st *stage) may(step string) {
	st.t.Helper()
	for _, v := range st.sessions {
		title := step + ": " + v.name + " may"
		st.titles = append(st.titles, title)
		for _, whose := range []string{"customer", "alice", "bob"} {
			st.attempt(v, title, "QueuePause "+whose, "Action: QueuePause", "Queue: help", "Interface: "+member[whose], "Paused: true")
			st.attempt(v, title, "Originate "+whose, "Action: Originate", "Channel: PJSIP/"+whose, "Context: desk", "Exten: help", "Priority: 1")
			name, _ := st.channel("PJSIP/" + whose)
			if name == "" {
				continue
			}
			channel := "Channel: " + name
			redirect := st.attempt(v, title, "Redirect "+whose, "Action: Redirect", channel, "Context: desk", "Exten: help", "Priority: nowhere")
			if !strings.Contains(redirect, "Priority is invalid") {
				st.attempt(v, title, "Hangup "+whose, "Action: Hangup", channel)
			}
			st.attempt(v, title, "Park "+whose, "Action: Park", channel, "Timeout: none")
			st.attempt(v, title, "Getvar "+whose, "Action: Getvar", channel, "Variable: X")
			st.attempt(v, title, "Setvar "+whose, "Action: Setvar", channel, "Variable: X", "Value: 1")
			st.attempt(v, title, "Status "+whose, "Action: Status", channel)
		}
		st.attempt(v, title, "CoreShowChannels", "Action: CoreShowChannels")
		st.attempt(v, title, "QueueStatus", "Action: QueueStatus")
	}
}

// attack has an agent that is in a call try what is not its: on a channel that it has
// nothing to do with.
func (st *stage) attack(step string, v *seer, own, foreign string) {
	st.t.Helper()
	title := step + ": " + v.name + " attacks"
	st.titles = append(st.titles, title)
	name, id := st.channel(foreign)
	mine, myID := st.channel(own)
	require.NotEmpty(st.t, name)
	require.NotEmpty(st.t, mine)
	there := "|Context: desk|Exten: help|Priority: 1"
	attacks := map[string]string{
		"own by Uniqueid":            "Getvar|Variable: X|Channel: " + myID,
		"own in odd case":            "Getvar|Variable: X|Channel: " + strings.ToUpper(mine),
		"Hangup by Uniqueid":         "Hangup|Channel: " + id,
		"Hangup in odd case":         "Hangup|Channel: " + strings.ToUpper(name),
		"Hangup, odd header":         "hAnGuP|cHANNEL: " + name,
		"Hangup by regex":            "Hangup|Channel: /^PJSIP/",
		"Hangup of two":              "Hangup|Channel: " + mine + "|Channel: " + name,
		"Hangup of two, odd header":  "Hangup|Channel: " + mine + "|CHANNEL: " + name,
		"Hangup with a blank":        "Hangup|Channel:  " + name,
		"Hangup of a part":           "Hangup|Channel: " + strings.TrimRight(name, "0123456789abcdef"),
		"PJSIPHangup":                "PJSIPHangup|Cause: 404|Channel: " + name,
		"Redirect by Uniqueid":       "Redirect|Channel: " + id + there,
		"Redirect, ExtraChannel":     "Redirect|Channel: " + mine + "|ExtraChannel: " + name + there,
		"Redirect, ExtraChannel, id": "Redirect|Channel: " + mine + "|ExtraChannel: " + id + there,
		"Redirect elsewhere":         "Redirect|Channel: " + mine + "|Context: misc|Exten: wait|Priority: 1",
		"Redirect elsewhere, EXTEN":  "Redirect|Channel: " + mine + "|Context: desk|Exten: wait@misc|Priority: 1",
		"Redirect, ExtraContext":     "Redirect|Channel: " + mine + "|ExtraChannel: " + mine + "|ExtraContext: misc|ExtraExten: wait|ExtraPriority: 1" + there,
		"Park by Uniqueid":           "Park|Channel: " + id,
		"Park, TimeoutChannel":       "Park|Channel: " + mine + "|TimeoutChannel: " + name,
		"Park, TimeoutChannel, id":   "Park|Channel: " + mine + "|TimeoutChannel: " + id,
		"Park, Channel2":             "Park|Channel: " + mine + "|Channel2: " + name,
		"Park, AnnounceChannel":      "Park|Channel: " + mine + "|AnnounceChannel: " + name,
		"Getvar by Uniqueid":         "Getvar|Variable: X|Channel: " + id,
		"Getvar in odd case":         "Getvar|Variable: X|Channel: " + strings.ToLower(name),
		"Getvar, global":             "Getvar|Variable: PHONES",
		"Getvar by a function":       "Getvar|Channel: " + mine + "|Variable: IMPORT(" + name + ",X)",
		"Getvar with an evaluation":  "Getvar|Channel: " + mine + "|Variable: ${IMPORT(" + name + ",X)}",
		"Setvar by Uniqueid":         "Setvar|Variable: X|Value: 2|Channel: " + id,
		"Setvar, global":             "Setvar|Variable: PHONES|Value: x",
		"Status by Uniqueid":         "Status|Channel: " + id,
		"Status, variables":          "Status|Variables: X",
		"Atxfer":                     "Atxfer|Channel: " + name + "|Context: desk|Exten: 4002",
		"BlindTransfer by Uniqueid":  "BlindTransfer|Channel: " + id + "|Context: desk|Exten: 4002",
		"MixMonitor by Uniqueid":     "MixMonitor|File: x.wav|Channel: " + id,
		"Bridge":                     "Bridge|Channel1: " + mine + "|Channel2: " + name,
		"PlayDTMF":                   "PlayDTMF|Digit: 1|Channel: " + name,
		"Originate to spy":           "Originate|Channel: PJSIP/" + v.name + "|Application: ChanSpy|Data: " + name,
		"Originate of two":           "Originate|Channel: PJSIP/" + v.name + "&PJSIP/customer" + there,
		"Originate over a context":   "Originate|Channel: Local/wait@misc/n" + there,
		"UserEvent":                  "UserEvent|UserEvent: Hangup|Channel: " + name,
		"QueueLog":                   "QueueLog|Queue: help|Event: X",
		"QueueRemove":                "QueueRemove|Queue: help|Interface: local/4002@DESK/n|Interface: Local/4001@desk/n",
		"Command":                    "Command|Command: channel request hangup all",
		"CoreShowChannelMap":         "CoreShowChannelMap|Channel: " + name,
	}
	for _, what := range slices.Sorted(maps.Keys(attacks)) {
		st.attempt(v, title, what, strings.Split("Action: "+attacks[what], "|")...)
	}
}
