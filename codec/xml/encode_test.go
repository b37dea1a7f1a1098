package xml_test

import (
	"bytes"
	stdxml "encoding/xml"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/xml"
)

func TestAppendElement(t *testing.T) {
	tests := map[string]struct {
		element string
		headers []codec.Header
		want    string
	}{
		"response": {
			"command", headers("Action", "login", "Response", "Success", "Message", "Authentication accepted"),
			`<command action="login" response="Success" Message="Authentication accepted" />`,
		},
		"event":                      {"event", headers("Event", "Hangup", "Channel", "SIP/1"), `<event event="Hangup" Channel="SIP/1" />`},
		"an event with a response":   {"event", headers("Event", "X", "Response", "Success"), `<event event="X" Response="Success" />`},
		"a response without action":  {"command", headers("Response", "Success", "Message", "a"), `<command response="Success" Message="a" />`},
		"a response further behind":  {"command", headers("Action", "X", "ActionID", "1", "Response", "Success"), `<command action="X" ActionID="1" Response="Success" />`},
		"no header":                  {"event", nil, `<event />`},
		"no value":                   {"event", headers("Event", "", "A", ""), `<event event="" A="" />`},
		"a name repeats":             {"event", headers("Event", "X", "A", "1", "B", "2", "a", "3", "A", "4"), `<event event="X" A="1" B="2"><header name="a">3</header><header name="A">4</header></event>`},
		"an attribute behind":        {"event", headers("Event", "X", "A", "1", "A", "2", "B", "3"), `<event event="X" A="1" B="3"><header name="A">2</header></event>`},
		"the first repeats":          {"event", headers("Event", "X", "event", "Y"), `<event event="X"><header name="event">Y</header></event>`},
		"response repeats":           {"command", headers("Action", "X", "Response", "A", "response", "B"), `<command action="X" response="A"><header name="response">B</header></command>`},
		"no name of XML":             {"event", headers("Event", "X", "ChanVariable(Local/x@y;1)", "a<b"), `<event event="X"><header name="ChanVariable(Local/x@y;1)">a&lt;b</header></event>`},
		"names that look like XML's": {"event", headers("Event", "X", "a-b.c_1", "1", "_", "2", "-a", "3", ".a", "4", "1a", "5", "a:b", "6", "a b", "7"), `<event event="X" a-b.c_1="1" _="2"><header name="-a">3</header><header name=".a">4</header><header name="1a">5</header><header name="a:b">6</header><header name="a b">7</header></event>`},
		"a namespace":                {"event", headers("Event", "X", "xmlns", "a", "XMLNS", "b", "xml", "c"), `<event event="X" xml="c"><header name="xmlns">a</header><header name="XMLNS">b</header></event>`},
		"lines without a name":       {"command", headers("Response", "Follows", "", "a & b", "", ""), `<command response="Follows"><header name="">a &amp; b</header><header name=""></header></command>`},
		"nothing but a line":         {"command", headers("", "No Callers"), `<command><header name="">No Callers</header></command>`},
		"letters beyond ASCII":       {"event", headers("Event", "X", "É", "é"), `<event event="X"><header name="É">é</header></event>`},
		"a name not UTF-8":           {"event", headers("Event", "X", "\xc9", "1"), `<event event="X"><header name="É">1</header></event>`},
		"what means something":       {"event", headers("Event", `<&>"'`), `<event event="&lt;&amp;&gt;&quot;'" />`},
		"line ends and TABs":         {"event", headers("Event", "\t\n\r", "(", "\t\n\r"), `<event event="&#9;&#10;&#13;"><header name="(">&#9;&#10;&#13;</header></event>`},
		"what XML can't carry":       {"event", headers("Event", "\x00\x1b\x1f \x7f\uFFFD\uFFFE\uFFFF\U0001FFFE"), "<event event=\"\uFFFD\uFFFD\uFFFD \x7f\uFFFD\uFFFD\uFFFD\U0001FFFE\" />"},
		"UTF-8":                      {"event", headers("Event", "é€\U0001F600\ue000\ud7ff"), "<event event=\"é€\U0001F600\ue000\ud7ff\" />"},
		"Latin-1":                    {"event", headers("Event", "M\xfcller & S\xf6hne\x80\x9f\xff"), "<event event=\"Müller &amp; Söhne\u0080\u009fÿ\" />"},
		"a surrogate is Latin-1":     {"event", headers("Event", "\xed\xa0\x80"), "<event event=\"í\u00a0\u0080\" />"},
		"each value for itself":      {"event", headers("Event", "\xfc", "A", "ü"), `<event event="ü" A="ü" />`},
		"blanks":                     {"event", headers("Event", " a  b ", "(", " a "), `<event event=" a  b "><header name="("> a </header></event>`},
		"the end of CDATA":           {"event", headers("Event", "X", "(", "]]>"), `<event event="X"><header name="(">]]&gt;</header></event>`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := xml.AppendElement([]byte("before"), tc.element, tc.headers)
			require.Equal(t, "before"+tc.want, string(got))
			requireReadsBack(t, tc.element, tc.headers)
		})
	}
}

// requireReadsBack checks that a strict parser gives the same headers back.
func requireReadsBack(t testing.TB, element string, hs []codec.Header) {
	t.Helper()
	wire := xml.AppendElement(nil, element, hs)
	name, got := readElement(t, wire)
	if want := written(element, hs); name != element || !slices.Equal(want, got) {
		require.Equal(t, want, got, "%q", wire)
	}
	if bytes.ContainsAny(wire, "\r\n\x00") {
		require.Failf(t, "a message in more than one line", "%q", wire)
	}
}

// As many headers as a packet of Asterisk's may have: the configuration in one answer.
func TestAppendElementOfManyHeaders(t *testing.T) {
	for _, n := range []int{127, 128, 129, 130, 70000} {
		hs := headers("Response", "Success", "line-5", "first", "Output", "")
		for i := range n - len(hs) {
			name := "Output"
			if i%2 == 0 {
				name = fmt.Sprintf("Line-%d", i/2)
			}
			hs = append(hs, codec.Header{Name: name, Value: fmt.Sprint(i)})
		}
		requireReadsBack(t, "command", hs)
	}
}

func TestAppendError(t *testing.T) {
	tests := map[string]struct{ id, text, want string }{
		"without ActionID": {"", "No such command", `<command action="Unknown" Response="Error">No such command</command>`},
		"with ActionID":    {"a\"1", "<x>", `<command action="Unknown" Response="Error" ActionID="a&quot;1">&lt;x&gt;</command>`},
		"no text":          {"1", "", `<command action="Unknown" Response="Error" ActionID="1"></command>`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "before"+tc.want, string(xml.AppendError([]byte("before"), tc.id, tc.text)))
			requireErrorReadsBack(t, tc.id, tc.text)
		})
	}
}

func requireErrorReadsBack(t testing.TB, id, text string) {
	t.Helper()
	type command struct {
		Action   string `xml:"action,attr"`
		Response string `xml:"Response,attr"`
		ActionID string `xml:"ActionID,attr"`
		Text     string `xml:",chardata"`
	}
	var got command
	require.NoError(t, stdxml.Unmarshal(xml.AppendError(nil, id, text), &got))
	require.Equal(t, command{"Unknown", "Error", carried(id), carried(text)}, got)
}

// Every packet that both versions were recorded to send, and to be sent.
func TestRecordedTrafficReadsBack(t *testing.T) {
	for _, path := range corpus(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			packets := readPackets(t, path)
			require.NotEmpty(t, packets)
			for _, p := range packets {
				requireReadsBack(t, elementOf(p), p.Headers)
			}
		})
	}
}

func elementOf(p *codec.Packet) string {
	if p.Kind() == codec.Event {
		return "event"
	}
	return "command"
}

// Every action that was recorded reads back as the client sent it, by the Splitter and
// Parse.
func TestRecordedActionsAreRead(t *testing.T) {
	read := 0
	for _, path := range corpus(t) {
		if !strings.HasSuffix(path, ".c2s") {
			continue
		}
		for _, p := range readPackets(t, path) {
			if p.ActionName() == "" || !readable(p.Headers) {
				continue
			}
			c := readAll(t, xml.AppendElement(nil, "command", p.Headers))
			want := written("command", p.Headers)
			for i := range want {
				if strings.EqualFold(want[i].Name, "Action") {
					want[i].Name = "Action"
					want[0], want[i] = want[i], want[0]
				}
			}
			require.Equal(t, []message{{Headers: want}}, c.messages)
			read++
		}
	}
	require.Greater(t, read, 400)
}

// readable tells whether a client may say these headers in XML.
func readable(hs []codec.Header) bool {
	seen := 0
	for i, h := range hs {
		if h.Name == "" || strings.ContainsAny(h.Name, " \t") || strings.TrimSpace(h.Value) != h.Value {
			return false
		}
		if strings.EqualFold(h.Name, "Action") {
			seen++
			if i > 0 {
				return false
			}
		}
	}
	return seen == 1
}

func TestAppendDoesNotAllocate(t *testing.T) {
	hs := nHeaders(127)
	hs[3].Value = "a < b \xfc"
	hs[4].Name = "A3"
	b := make([]byte, 0, 8<<10)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		xml.AppendElement(b, "event", hs)
		xml.AppendError(b, "1", "no & no")
	}))
}
