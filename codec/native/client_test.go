package native_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec/native"
)

// TestDecodeFromClient holds what Asterisk 16 and 22 take from a client, byte for
// byte: the answers that showed it stand in the comments.
func TestDecodeFromClient(t *testing.T) {
	after := packet{Raw: "Action: Ping\r\nActionID: after\r\n\r\n", Headers: headers("Action", "Ping", "ActionID", "after")}
	tests := map[string]struct {
		wire    string
		want    []packet
		repairs native.Repairs
		end     error // io.EOF if nil
	}{
		"nothing": {},
		"CR LF": {
			wire: "Action: Ping\r\nActionID: p1\r\n\r\n",
			want: []packet{{Raw: "Action: Ping\r\nActionID: p1\r\n\r\n", Headers: headers("Action", "Ping", "ActionID", "p1")}},
		},
		"bare LF": {
			wire: "Action: Ping\nActionID: p1\n\n" + after.Raw,
			want: []packet{
				{Raw: "Action: Ping\nActionID: p1\n\n", Headers: headers("Action", "Ping", "ActionID", "p1")},
				after,
			},
		},
		// Response: Error, Message: Invalid/unknown command: Ping\rActionID: p1\r\rAction: Ping. ...
		"CR only is part of the line": {
			wire: "Action: Ping\rActionID: p1\r\rAction: Ping\r\nActionID: p1\r\n\r\n",
			want: []packet{{
				Raw:     "Action: Ping\rActionID: p1\r\rAction: Ping\r\nActionID: p1\r\n\r\n",
				Headers: headers("Action", "Ping\rActionID: p1\r\rAction: Ping", "ActionID", "p1"),
			}},
		},
		"a line that is a lone CR is not empty": {
			wire: "Action: Ping\r\n\r\r\nActionID: y\r\n\r\n",
			want: []packet{{Raw: "Action: Ping\r\n\r\r\nActionID: y\r\n\r\n", Headers: headers("Action", "Ping", "", "\r", "ActionID", "y")}},
		},
		"no space after the colon, and several": {
			wire: "Action:Ping\r\nActionID:   p1\r\n\r\n",
			want: []packet{{Raw: "Action:Ping\r\nActionID:   p1\r\n\r\n", Headers: headers("Action", "Ping", "ActionID", "p1")}},
		},
		// Answered as Ping, with ActionID q.
		"control bytes before a value": {
			wire: "Action:\x01\t\x1f Ping\r\nActionID:\r\x0b q\r\n\r\n",
			want: []packet{{Raw: "Action:\x01\t\x1f Ping\r\nActionID:\r\x0b q\r\n\r\n", Headers: headers("Action", "Ping", "ActionID", "q")}},
		},
		// Missing action in request
		"space before the colon is part of the name": {
			wire: "Action : Ping\r\n\r\n",
			want: []packet{{Raw: "Action : Ping\r\n\r\n", Headers: headers("Action ", "Ping")}},
		},
		"space before the name is part of it": {
			wire: " Action: Ping\r\n\r\n",
			want: []packet{{Raw: " Action: Ping\r\n\r\n", Headers: headers(" Action", "Ping")}},
		},
		// Invalid/unknown command: Ping .
		"trailing space is part of the value": {
			wire: "Action: Ping \r\nActionID: p1 \r\n\r\n",
			want: []packet{{Raw: "Action: Ping \r\nActionID: p1 \r\n\r\n", Headers: headers("Action", "Ping ", "ActionID", "p1 ")}},
		},
		"lower case": {
			wire: "action: ping\r\nactionid: p1\r\n\r\n",
			want: []packet{{Raw: "action: ping\r\nactionid: p1\r\n\r\n", Headers: headers("action", "ping", "actionid", "p1")}},
		},
		"a line without a colon, and one with nothing before it": {
			wire: "Action: Ping\r\ngarbage line\r\n: x\r\nActionID: p1\r\n\r\n",
			want: []packet{{
				Raw:     "Action: Ping\r\ngarbage line\r\n: x\r\nActionID: p1\r\n\r\n",
				Headers: headers("Action", "Ping", "", "garbage line", "", ": x", "ActionID", "p1"),
			}},
		},
		// Each one: Missing action in request
		"empty packets": {
			wire: "\r\n\n\r\n" + after.Raw,
			want: []packet{{Raw: "\r\n"}, {Raw: "\n"}, {Raw: "\r\n"}, after},
		},
		"empty values": {
			wire: "Action: \r\nActionID:\r\n\r\n",
			want: []packet{{Raw: "Action: \r\nActionID:\r\n\r\n", Headers: headers("Action", "", "ActionID", "")}},
		},
		"names twice": {
			wire: "Action: Ping\r\nAction: CoreStatus\r\nActionID: a\r\nActionID: b\r\n\r\n",
			want: []packet{{
				Raw:     "Action: Ping\r\nAction: CoreStatus\r\nActionID: a\r\nActionID: b\r\n\r\n",
				Headers: headers("Action", "Ping", "Action", "CoreStatus", "ActionID", "a", "ActionID", "b"),
			}},
		},
		"bytes of no encoding": {
			wire: "Action: Ping\r\nActionID: \xff\xfe\x80\x01 b\t\"c\" <d>: \xc3\xa9\r\n\r\n",
			want: []packet{{
				Raw:     "Action: Ping\r\nActionID: \xff\xfe\x80\x01 b\t\"c\" <d>: \xc3\xa9\r\n\r\n",
				Headers: headers("Action", "Ping", "ActionID", "\xff\xfe\x80\x01 b\t\"c\" <d>: \xc3\xa9"),
			}},
		},
		// ActionID: a
		"NUL cuts a value": {
			wire: "Action: Ping\r\nActionID: a\x00b\r\n\r\n" + after.Raw,
			want: []packet{{Raw: "Action: Ping\r\nActionID: a\x00b\r\n\r\n", Headers: headers("Action", "Ping", "ActionID", "a")}, after},
		},
		// ActionID: y
		"NUL cuts a name": {
			wire: "Action: Ping\r\nActi\x00onID: x\r\nActionID: y\r\n\r\n",
			want: []packet{{
				Raw:     "Action: Ping\r\nActi\x00onID: x\r\nActionID: y\r\n\r\n",
				Headers: headers("Action", "Ping", "", "Acti", "ActionID", "y"),
			}},
		},
		// Answered as two Pings.
		"a line that begins with NUL ends the packet": {
			wire: "Action: Ping\r\nActionID: n1\r\n\x00foo\r\n" + after.Raw,
			want: []packet{{Raw: "Action: Ping\r\nActionID: n1\r\n\x00foo\r\n", Headers: headers("Action", "Ping", "ActionID", "n1")}, after},
		},
		"an HTTP request": {
			wire: "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			want: []packet{{Raw: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", Headers: headers("", "GET / HTTP/1.1", "Host", "x")}},
		},
		"telnet commands at the start of lines": {
			wire:    "\xff\xfd\x03\xff\xfb\x18\xff\xf1Action: Ping\r\n\xff\xfe\nActionID: \xff\xfd\x03\r\n\xff\xfc\r\r\n\xff\xf6" + after.Raw,
			want:    []packet{{Raw: "Action: Ping\r\nActionID: \xff\xfd\x03\r\n\r\n", Headers: headers("Action", "Ping", "ActionID", "\xff\xfd\x03")}, after},
			repairs: native.Repairs{Telnet: 6},
		},
		"bytes that are no telnet commands": {
			wire: "\xff\xff\xfd\x03: a\r\n\xff: b\r\n\xff\xfa: c\r\n\xfd: d\r\n\r\n",
			want: []packet{{
				Raw:     "\xff\xff\xfd\x03: a\r\n\xff: b\r\n\xff\xfa: c\r\n\xfd: d\r\n\r\n",
				Headers: headers("\xff\xff\xfd\x03", "a", "\xff", "b", "\xff\xfa", "c", "\xfd", "d"),
			}},
		},
		"half a packet":             {wire: "Action: Ping\r\nActi", end: io.ErrUnexpectedEOF},
		"a packet without its end":  {wire: "Action: Ping\r\n", end: io.ErrUnexpectedEOF},
		"half a telnet command":     {wire: "\xff\xfd", end: io.ErrUnexpectedEOF},
		"a whole telnet command":    {wire: "\xff\xfd\x01", repairs: native.Repairs{Telnet: 1}},
		"too long without any end":  {wire: strings.Repeat("A", 5000), end: io.ErrUnexpectedEOF},
		"too long and then cut off": {wire: strings.Repeat("A", 1023) + "\r\nA: b\r\n", end: io.ErrUnexpectedEOF, want: []packet{{Over: native.LineTooLong}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.end == nil {
				tc.end = io.EOF
			}
			want := decoded{Packets: tc.want, Repairs: tc.repairs, End: tc.end}
			for way, r := range ways(tc.wire) {
				require.Equal(t, want, decodeAll(r, native.FromClient), way)
			}
		})
	}
}

// line returns a header of n bytes, its line end included.
func line(n int, end string) string {
	return "X: " + strings.Repeat("x", n-len("X: ")-len(end)) + end
}

func TestLimitsOfClients(t *testing.T) {
	const after = "Action: Ping\r\nActionID: after\r\n\r\n"
	var many strings.Builder
	for i := range 140 {
		fmt.Fprintf(&many, "H%d: %d\r\n", i, i)
	}
	lines := func(n int) string { return strings.Repeat("K: v\r\n", n) }
	const (
		fine    native.Limit = 0
		long                 = native.LineTooLong
		tooMany              = native.TooManyLines
	)
	type outcome struct {
		over native.Limit
		id   string // of the LimitError or the packet
	}
	ok := outcome{fine, "after"}
	// The outcomes are Asterisk 22's to the same bytes: "Failed to parse message: line
	// too long", "Too many lines in message or allocation failure", each with or
	// without ActionID, else the answer to a Ping or "Missing action in request".
	tests := map[string]struct {
		wire string
		want []outcome
	}{
		"line of 1,023 bytes":        {"Action: Ping\r\n" + line(1023, "\r\n") + "ActionID: a1\r\n\r\n", []outcome{{fine, "a1"}, ok}},
		"line of 1,024 bytes":        {"Action: Ping\r\n" + line(1024, "\r\n") + "ActionID: a1\r\n\r\n", []outcome{{fine, "a1"}, ok}},
		"line of 1,024 bytes, LF":    {"Action: Ping\n" + line(1024, "\n") + "ActionID: a1\n\n", []outcome{{fine, "a1"}, ok}},
		"line of 1,025 bytes, LF":    {"Action: Ping\n" + line(1025, "\n") + "ActionID: a1\n\n", []outcome{{long, "a1"}, ok}},
		"line of 1,026 bytes":        {"Action: Ping\r\n" + line(1026, "\r\n") + "ActionID: a1\r\n\r\n", []outcome{{long, "a1"}, ok}},
		"line of 64 KiB":             {"Action: Ping\r\n" + line(65536, "\r\n") + "ActionID: a1\r\n\r\n", []outcome{{long, "a1"}, ok}},
		"ActionID before":            {"Action: Ping\r\nActionID: a1\r\n" + line(1500, "\r\n") + "\r\n", []outcome{{long, "a1"}, ok}},
		"the ActionID itself":        {"Action: Ping\r\nActionID: " + line(1500, "\r\n") + "\r\n", []outcome{{long, ""}, ok}},
		"the first line":             {line(3000, "\r\n") + "Action: Ping\r\nActionID: a1\r\n\r\n", []outcome{{long, "a1"}, ok}},
		"two long lines":             {line(3000, "\r\n") + line(3000, "\r\n") + "\r\n", []outcome{{long, ""}, ok}},
		"the first ActionID counts":  {"ActionID: \r\n" + line(3000, "\r\n") + "ActionID: a1\r\n\r\n", []outcome{{long, ""}, ok}},
		"1,025 bytes end the packet": {"Action: Ping\r\n" + line(1025, "\r\n") + "ActionID: a1\r\n\r\n", []outcome{{long, ""}, {fine, "a1"}, ok}},
		"2,048 bytes end the packet": {"Action: Ping\r\n" + line(2048, "\r\n") + "ActionID: a1\r\n\r\n", []outcome{{long, ""}, {fine, "a1"}, ok}},
		"the rest of a long line is a line": {
			"Action: Ping\r\n" + line(1023, "") + "ActionID: tail\r\n\r\n", []outcome{{long, "tail"}, ok},
		},
		"128 lines": {"Action: Ping\r\n" + lines(126) + "ActionID: m\r\n\r\n", []outcome{{fine, "m"}, ok}},
		"128 lines, most without a colon": {
			"Action: Ping\r\nActionID: m\r\n" + strings.Repeat("junk\r\n", 126) + "\r\n", []outcome{{fine, "m"}, ok},
		},
		"129 lines, most without a colon": {
			"Action: Ping\r\nActionID: m\r\n" + strings.Repeat("junk\r\n", 127) + "\r\n", []outcome{{tooMany, "m"}, ok},
		},
		"129 lines, ActionID the 128th": {"Action: Ping\r\n" + lines(126) + "ActionID: m\r\nX: 1\r\n\r\n", []outcome{{tooMany, "m"}, ok}},
		"129 lines, ActionID the 129th": {"Action: Ping\r\n" + lines(127) + "ActionID: m\r\n\r\n", []outcome{{tooMany, ""}, ok}},
		"142 lines":                     {"Action: Ping\r\nActionID: m\r\n" + many.String() + "\r\n", []outcome{{tooMany, "m"}, ok}},
		"too many, then too long: the next is refused for the second": {
			"Action: Ping\r\nActionID: m\r\n" + many.String() + line(1500, "\r\n") + "\r\nActionID: next\r\n\r\n",
			[]outcome{{tooMany, "m"}, {long, "next"}, ok},
		},
		"too long, then too many": {
			"Action: Ping\r\nActionID: m\r\n" + line(1500, "\r\n") + many.String() + "\r\nActionID: next\r\n\r\n",
			[]outcome{{tooMany, "m"}, {long, "next"}, ok},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for way, r := range ways(tc.wire + after) {
				all := decodeAll(r, native.FromClient)
				require.Equal(t, io.EOF, all.End, way)
				var got []outcome
				for _, p := range all.Packets {
					o := outcome{p.Over, p.ID}
					for _, h := range p.Headers {
						if h.Name == "ActionID" {
							o.id = h.Value
						}
					}
					got = append(got, o)
				}
				require.Equal(t, tc.want, got, way)
			}
		})
	}
}

func TestLimitErrorNamesItsLimit(t *testing.T) {
	require.EqualError(t, &native.LimitError{Limit: native.LineTooLong}, "line too long")
	require.EqualError(t, &native.LimitError{Limit: native.TooManyLines}, "too many lines")
	require.EqualError(t, &native.LimitError{Limit: native.PacketTooLong}, "packet too long")
}
