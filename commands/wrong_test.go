package commands

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/codec"
)

// TestWrongValuesAreRefused gives commands values that they can't have. What Asterisk says of
// those that ampd lets through stands in tests/testdata/wrong-values-*.txt.
func TestWrongValuesAreRefused(t *testing.T) {
	j := newJudge(t)
	for lines, want := range map[string]string{
		"AbsoluteTimeout|Channel: x|Timeout: soon":                           "Timeout must be a number of seconds",
		"AbsoluteTimeout|Channel: x|Timeout: -1":                             "Timeout must be a number of seconds",
		"AbsoluteTimeout|Channel: x|Timeout: 1.5":                            "Timeout must be a number of seconds",
		"AbsoluteTimeout|Channel: x|Timeout: NaN":                            "Timeout must be a number of seconds",
		"AbsoluteTimeout|Channel: x|Timeout: 1000000001":                     "Timeout has passed",
		"AbsoluteTimeout|Channel: x|Timeout: 1772352000000":                  "Timeout must be a number of seconds, or a Unix time", // in milliseconds
		"AbsoluteTimeout|Channel: x|Timeout: 99999999999999999999":           "Timeout must be a number of seconds",
		"AbsoluteTimeout|Channel: x|Timeout: 1000000000":                     "",
		"AgentCallbackLogin|Agent: 1001|Exten: 7@evil/n|Context: desk":       "Exten must be without @ and /",
		"AgentCallbackLogin|Agent: 1001|Exten: 7|Context: desk/n@evil":       "Context must be without @ and /",
		"AgentCallbackLogin|Agent: 1001|Exten: 7|Context: x|WrapupTime: 1s":  "WrapupTime must be a whole number",
		"AgentCallbackLogin|Agent: 1001|Exten: 7|Context: x|WrapupTime: -1":  "WrapupTime must be a whole number",
		"AgentCallbackLogin|Agent: 1001|Exten: 7|Context: x|WrapupTime: 1e3": "WrapupTime must be a whole number",
		"AgentCallbackLogin|Agent: 1001|Exten: 7|Context: x|WrapupTime: 10":  "",
		"MailboxCount|Mailbox: @default":                                     "Mailbox must be like 1001@default, or 1001 with a Context",
		"MailboxStatus|Mailbox: 1001@":                                       "Mailbox must be like 1001@default, or 1001 with a Context",
		"MailboxStatus|Mailbox: 1001|Context: a@b":                           "Context must be without @",
		"Originate|Channel: x|Timeout: 30s":                                  "Timeout must be a number of milliseconds",
		"Originate|Channel: x|Timeout: -1":                                   "Timeout must be a number of milliseconds",
		"Originate|Channel: x|Timeout: 3000000000":                           "Timeout must be a number of milliseconds", // an int of Asterisk's
		"Originate|Channel: x|Timeout: 30000":                                "",
		"Originate|Channel: x|Priority: 0":                                   "Priority must be a number from 1 on, or a label",
		"Originate|Channel: x|Priority: 1x":                                  "Priority must be a number from 1 on, or a label",
		"Originate|Channel: x|Priority: begin":                               "",
		"Redirect|Channel: x|Context: c|Exten: e|Priority: -1":               "Priority must be a number from 1 on, or a label",
		"Redirect|Channel: x|Context: c|Exten: e|Priority: 1":                "",
		"Hangup|Channel: \x00":                                               "Missing required parameter: Channel",
		"Hangup|Channel: PJSIP/alice\x00-1":                                  "The value of Channel holds a control character",
		"Hangup|channel: PJSIP/alice\x1b-1":                                  "The value of Channel holds a control character",
		"Hangup|Channel: PJSIP/alice\r-1":                                    "The value of Channel holds a control character",
		"Hangup|Channel: PJSIP/alice\t-1":                                    "",
		"Hangup|Channel: PJSIP/alice-1|Odd: \x01":                            "",
		"DBDelTree|Family: x|Key: \x00a":                                     "The value of Key holds a control character", // would be all of x
		"DBDelTree|Family: x|Key: ":                                          "",
	} {
		request := Prepare(j.env, true, action(t, "Action: "+strings.ReplaceAll(lines, "|", "\n")))
		require.Equal(t, want, request.Refusal, "%q", lines)
	}
}

// TestWrongSwitchesAreRefused gives each parameter that is true or false something else, and each word
// of Asterisk's.
func TestWrongSwitchesAreRefused(t *testing.T) {
	j := newJudge(t)
	count := 0
	for i := range actions.Commands {
		c := &actions.Commands[i]
		for _, p := range c.Params {
			if p.Kind != actions.Switch {
				continue
			}
			count++
			for value, want := range map[string]string{"maybe": p.Name + " must be true or false", "2": p.Name + " must be true or false", "yes": "", "OFF": "", "0": "", "": ""} {
				pairs := []string{p.Name, value}
				for _, other := range c.Params {
					if other.Required {
						pairs = append(pairs, other.Name, "1")
					}
				}
				request := Prepare(j.env, true, newAction(c.Name, pairs...))
				require.Equal(t, want, request.Refusal, "%s %s: %s", c.Name, p.Name, value)
			}
		}
	}
	require.Equal(t, 6, count)
}

func TestAsterisksDialectTakesWhatAsteriskTakes(t *testing.T) {
	request := Prepare(newJudge(t).env, false, newAction("QueuePause", "Queue", "support", "Interface", "x", "Paused", "maybe"))
	require.Empty(t, request.Refusal)
}

// TestMonitorAsksForItsFormat shows that MixMonitor is not sent for a format that there is
// not.
func TestMonitorAsksForItsFormat(t *testing.T) {
	j := newJudge(t)
	formats := []codec.Header{
		{Name: "Response", Value: "Success"},
		{Name: "Output", Value: "Format     Name       Extensions"},
		{Name: "Output", Value: "slin       wav        wav"},
		{Name: "Output", Value: "gsm        wav49      WAV|wav49"},
	}
	for format, want := range map[string]string{
		"wav": "MixMonitor", "wav49": "MixMonitor", "WAV": "MixMonitor", "mp3": "Format mp3 is none that Asterisk can write",
	} {
		p := newAction("Monitor", "Channel", "1.0", "File", "x", "Format", format)
		request := Prepare(j.env, true, p)
		program := request.Begin(&State{Rights: j.subjects["admin"]}, j.env, p).Script.Start()
		next, _ := program.Resume(nil)
		require.Equal(t, "core show file formats", next.Get("Command"))
		next, packets := program.Resume([]*codec.Packet{built(formats[0], formats[1:]...)})
		if next != nil {
			require.Equal(t, want, next.ActionName())
			program.Resume([]*codec.Packet{packetOf("Response: Error|Message: busy")})
			continue
		}
		require.Contains(t, string(packets), want)
	}
}
