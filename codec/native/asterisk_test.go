package native_test

import (
	"crypto/sha256"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// TestDecodeFromAsterisk holds what was observed with Asterisk 16 and 22, byte for
// byte, and what could yet come.
func TestDecodeFromAsterisk(t *testing.T) {
	tests := map[string]struct {
		wire    string
		want    []packet
		repairs native.Repairs
		end     error // io.EOF if nil
	}{
		"nothing": {},
		"response": {
			wire: "Response: Success\r\nActionID: p1\r\nPing: Pong\r\nTimestamp: 1795255561.088690\r\n\r\n",
			want: []packet{{
				Raw:     "Response: Success\r\nActionID: p1\r\nPing: Pong\r\nTimestamp: 1795255561.088690\r\n\r\n",
				Headers: headers("Response", "Success", "ActionID", "p1", "Ping", "Pong", "Timestamp", "1795255561.088690"),
			}},
		},
		"two packets": {
			wire: "Event: Hangup\r\nUniqueid: 1.1\r\n\r\nEvent: Reload\r\n\r\n",
			want: []packet{
				{Raw: "Event: Hangup\r\nUniqueid: 1.1\r\n\r\n", Headers: headers("Event", "Hangup", "Uniqueid", "1.1")},
				{Raw: "Event: Reload\r\n\r\n", Headers: headers("Event", "Reload")},
			},
		},
		"QueueRule ends with one CR LF too many": {
			wire: "Response: Success\r\nActionID: main-41-QueueRule\r\nRuleList: rule1\r\nRule: 5,3,1\r\nRule: 10,5,+0\r\n\r\n\r\nResponse: Success\r\n\r\n",
			want: []packet{
				{
					Raw:     "Response: Success\r\nActionID: main-41-QueueRule\r\nRuleList: rule1\r\nRule: 5,3,1\r\nRule: 10,5,+0\r\n\r\n",
					Headers: headers("Response", "Success", "ActionID", "main-41-QueueRule", "RuleList", "rule1", "Rule", "5,3,1", "Rule", "10,5,+0"),
				},
				{Raw: "Response: Success\r\n\r\n", Headers: headers("Response", "Success")},
			},
			repairs: native.Repairs{EmptyLines: 1},
		},
		"IAXnetstats without calls answers with an empty line": {
			wire:    "\r\nResponse: Success\r\n\r\n",
			want:    []packet{{Raw: "Response: Success\r\n\r\n", Headers: headers("Response", "Success")}},
			repairs: native.Repairs{EmptyLines: 1},
		},
		"empty lines, then the end": {
			wire:    "Event: X\r\n\r\n\r\n\n\r\n",
			want:    []packet{{Raw: "Event: X\r\n\r\n", Headers: headers("Event", "X")}},
			repairs: native.Repairs{EmptyLines: 3},
		},
		"LF at the end of the last value": {
			wire: "Response: Success\r\nActionID: main-210-Park\r\nMessage: Park successful\n\r\n\r\nEvent: X\r\n\r\n",
			want: []packet{
				{
					Raw:     "Response: Success\r\nActionID: main-210-Park\r\nMessage: Park successful\r\n\r\n",
					Headers: headers("Response", "Success", "ActionID", "main-210-Park", "Message", "Park successful"),
				},
				{Raw: "Event: X\r\n\r\n", Headers: headers("Event", "X")},
			},
			repairs: native.Repairs{Values: 1},
		},
		"LF inside a value, several at its end": {
			wire:    "Event: X\r\nA: 1\n2\n\n3\n\n\r\nB: 4\r\n\r\n",
			want:    []packet{{Raw: "Event: X\r\nA: 1 2  3\r\nB: 4\r\n\r\n", Headers: headers("Event", "X", "A", "1 2  3", "B", "4")}},
			repairs: native.Repairs{Values: 1},
		},
		"LF that looks like a packet's end to others": {
			wire:    "Event: X\r\nA: 1\n\nEvent: Y\n\r\n\r\n",
			want:    []packet{{Raw: "Event: X\r\nA: 1  Event: Y\r\n\r\n", Headers: headers("Event", "X", "A", "1  Event: Y")}},
			repairs: native.Repairs{Values: 1},
		},
		"line of LFs only": {
			wire:    "Event: X\r\n\n\n\r\nA: 1\r\n\r\n",
			want:    []packet{{Raw: "Event: X\r\nA: 1\r\n\r\n", Headers: headers("Event", "X", "A", "1")}},
			repairs: native.Repairs{EmptyLines: 1},
		},
		"LF, then the packet": {
			wire:    "\n\nEvent: X\r\n\r\n",
			want:    []packet{{Raw: "Event: X\r\n\r\n", Headers: headers("Event", "X")}},
			repairs: native.Repairs{EmptyLines: 2},
		},
		"lone CRs stay": {
			wire: "Response: Error\r\nMessage: Invalid/unknown command: Ping\rActionID: p1\r\rAction: Ping\r\r\n\r\n",
			want: []packet{{
				Raw:     "Response: Error\r\nMessage: Invalid/unknown command: Ping\rActionID: p1\r\rAction: Ping\r\r\n\r\n",
				Headers: headers("Response", "Error", "Message", "Invalid/unknown command: Ping\rActionID: p1\r\rAction: Ping\r"),
			}},
		},
		"a line that is a lone CR": {
			wire: "Event: X\r\n\r\r\nA: 1\r\n\r\n",
			want: []packet{{Raw: "Event: X\r\n\r\r\nA: 1\r\n\r\n", Headers: headers("Event", "X", "", "\r", "A", "1")}},
		},
		"bytes of no encoding": {
			wire: "Event: X\r\nA: \xff\xfe\x80\x01 b\t\"c\" <d>: \xc3\xa9\r\n\r\n",
			want: []packet{{
				Raw:     "Event: X\r\nA: \xff\xfe\x80\x01 b\t\"c\" <d>: \xc3\xa9\r\n\r\n",
				Headers: headers("Event", "X", "A", "\xff\xfe\x80\x01 b\t\"c\" <d>: \xc3\xa9"),
			}},
		},
		"UserEvent with a value without a blank, empty ones and one of blanks": {
			wire: "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\nA:B\r\nEmpty:\r\nEmpty: \r\nBlanks:   x  \r\n\r\n",
			want: []packet{{
				Raw: "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\nA:B\r\nEmpty:\r\nEmpty: \r\nBlanks:   x  \r\n\r\n",
				Headers: headers("Event", "UserEvent", "Privilege", "user,all", "UserEvent", "X",
					"A", "B", "Empty", "", "Empty", "", "Blanks", "  x  "),
			}},
		},
		"names that are no words, and twice": {
			wire: "Event: OriginateResponse\r\nChanVariable(Local/cA@callers-00000001;1): CAMPAIGN=\r\nChanVariable(Local/cA@callers-00000001;1): CALLNO=1\r\nNamed Callgroup: \r\n\r\n",
			want: []packet{{
				Raw: "Event: OriginateResponse\r\nChanVariable(Local/cA@callers-00000001;1): CAMPAIGN=\r\nChanVariable(Local/cA@callers-00000001;1): CALLNO=1\r\nNamed Callgroup: \r\n\r\n",
				Headers: headers("Event", "OriginateResponse", "ChanVariable(Local/cA@callers-00000001;1)", "CAMPAIGN=",
					"ChanVariable(Local/cA@callers-00000001;1)", "CALLNO=1", "Named Callgroup", ""),
			}},
		},
		"PresenceState has two Messages": {
			wire: "Response: Success\r\nMessage: Presence State\r\nState: away\r\nMessage: back at one\r\n\r\n",
			want: []packet{{
				Raw:     "Response: Success\r\nMessage: Presence State\r\nState: away\r\nMessage: back at one\r\n\r\n",
				Headers: headers("Response", "Success", "Message", "Presence State", "State", "away", "Message", "back at one"),
			}},
		},
		"Command in its present framing": {
			wire: "Response: Success\r\nActionID: e-5-Command\r\nMessage: Command output follows\r\nOutput: empty has 0 calls\r\nOutput:    No Members\r\nOutput: \r\n\r\n",
			want: []packet{{
				Raw: "Response: Success\r\nActionID: e-5-Command\r\nMessage: Command output follows\r\nOutput: empty has 0 calls\r\nOutput:    No Members\r\nOutput: \r\n\r\n",
				Headers: headers("Response", "Success", "ActionID", "e-5-Command", "Message", "Command output follows",
					"Output", "empty has 0 calls", "Output", "   No Members", "Output", ""),
			}},
		},
		"Command in the framing of Asterisk 13": {
			wire: "Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\nName: one\n\nNo such: thing\r\n\r\n--END COMMAND--\r\nend\n--END COMMAND--\r\n\r\nEvent: X\r\n\r\n",
			want: []packet{
				{
					Raw: "Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\nName: one\n\nNo such: thing\r\n\r\n--END COMMAND--\r\nend\n--END COMMAND--\r\n\r\n",
					Headers: headers("Response", "Follows", "Privilege", "Command", "ActionID", "7",
						"", "Name: one", "", "", "", "No such: thing", "", "", "", "--END COMMAND--", "", "end", "", "--END COMMAND--"),
				},
				{Raw: "Event: X\r\n\r\n", Headers: headers("Event", "X")},
			},
		},
		"Command in the framing of Asterisk 13, its output without a line end": {
			wire: "Response: Follows\r\nPrivilege: Command\r\nno such command--END COMMAND--\r\n\r\n",
			want: []packet{{
				Raw:     "Response: Follows\r\nPrivilege: Command\r\nno such command--END COMMAND--\r\n\r\n",
				Headers: headers("Response", "Follows", "Privilege", "Command", "", "no such command--END COMMAND--"),
			}},
		},
		"Command in the framing of Asterisk 13, without output": {
			wire: "Response: Follows\r\nPrivilege: Command\r\n--END COMMAND--\r\n\r\n",
			want: []packet{{
				Raw:     "Response: Follows\r\nPrivilege: Command\r\n--END COMMAND--\r\n\r\n",
				Headers: headers("Response", "Follows", "Privilege", "Command", "", "--END COMMAND--"),
			}},
		},
		"Follows is no framing elsewhere": {
			wire: "Event: X\r\nResponse: Follows\r\n\r\nResponse: Follows on\r\n\r\n",
			want: []packet{
				{Raw: "Event: X\r\nResponse: Follows\r\n\r\n", Headers: headers("Event", "X", "Response", "Follows")},
				{Raw: "Response: Follows on\r\n\r\n", Headers: headers("Response", "Follows on")},
			},
		},
		"free text, as Queues gives it": {
			wire: "support has 0 calls (max unlimited) in 'ringall' strategy\r\n   No Callers\r\n\r\nempty has 0 calls\r\n\r\n\r\n",
			want: []packet{
				{
					Raw:     "support has 0 calls (max unlimited) in 'ringall' strategy\r\n   No Callers\r\n\r\n",
					Headers: headers("", "support has 0 calls (max unlimited) in 'ringall' strategy", "", "   No Callers"),
				},
				{Raw: "empty has 0 calls\r\n\r\n", Headers: headers("", "empty has 0 calls")},
			},
			repairs: native.Repairs{EmptyLines: 1},
		},
		"a line that begins with a colon": {
			wire: "Event: X\r\n: a\r\n:\r\n\r\n",
			want: []packet{{Raw: "Event: X\r\n: a\r\n:\r\n\r\n", Headers: headers("Event", "X", "", ": a", "", ":")}},
		},
		"NUL ends a value, and a name's line": {
			wire: "Event: X\r\nA: b\x00c\r\nD\x00: e\r\n\x00F: g\r\n\r\n",
			want: []packet{{
				Raw:     "Event: X\r\nA: b\x00c\r\nD\x00: e\r\n\x00F: g\r\n\r\n",
				Headers: headers("Event", "X", "A", "b", "", "D", "", ""),
			}},
		},
		"NUL and LF": {
			wire:    "Event: X\r\nA: b\x00c\n\r\n\r\n",
			want:    []packet{{Raw: "Event: X\r\nA: b\x00c\r\n\r\n", Headers: headers("Event", "X", "A", "b")}},
			repairs: native.Repairs{Values: 1},
		},
		"cut short in a line":         {wire: "Event: Han", end: io.ErrUnexpectedEOF},
		"cut short between lines":     {wire: "Event: Hangup\r\n", end: io.ErrUnexpectedEOF},
		"cut short in the empty line": {wire: "Event: Hangup\r\n\r", end: io.ErrUnexpectedEOF},
		"cut short in a stray CR LF":  {wire: "\r", end: io.ErrUnexpectedEOF},
		"cut short in an old Command": {wire: "Response: Follows\r\nPrivilege: Command\r\n\r\n", end: io.ErrUnexpectedEOF},
		"bare LFs never end a packet": {wire: "Event: X\n\n", end: io.ErrUnexpectedEOF},
		"Follows ended by a bare LF": {
			wire: "Response: Follows\n--END COMMAND--\r\n\r\n",
			want: []packet{{
				Raw:     "Response: Follows\n--END COMMAND--\r\n\r\n",
				Headers: headers("Response", "Follows", "", "--END COMMAND--"),
			}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.end == nil {
				tc.end = io.EOF
			}
			want := decoded{Packets: tc.want, Repairs: tc.repairs, End: tc.end}
			for way, r := range ways(tc.wire) {
				require.Equal(t, want, decodeAll(r, native.FromAsterisk), way)
			}
		})
	}
}

func TestKindOfFreeTextIsText(t *testing.T) {
	var p codec.Packet
	d := native.NewDecoder(strings.NewReader("support has 0 calls\r\n\r\n"), native.FromAsterisk)
	require.NoError(t, d.Decode(&p))
	require.Equal(t, codec.Text, p.Kind())
}

// TestPacketsFromAsteriskHaveNoLimit but that of memory: GetConfigJSON has lines of
// more than 2,000 bytes, "core show help" more than 300 of them.
func TestPacketsFromAsteriskHaveNoLimit(t *testing.T) {
	wire := "Response: Success\r\nJSON: " + strings.Repeat("x", 1<<20) + "\r\n" +
		strings.Repeat("Output: y\r\n", 100_000) + "\r\n"
	got := decodeAll(strings.NewReader(wire), native.FromAsterisk)
	require.Equal(t, io.EOF, got.End)
	require.Len(t, got.Packets, 1)
	require.Equal(t, sha256.Sum256([]byte(wire)), sha256.Sum256([]byte(got.Packets[0].Raw)), "too long to be shown")
	require.Len(t, got.Packets[0].Headers, 100_002)
}

func TestPacketOverMemoryIsSkipped(t *testing.T) {
	const after = "Event: After\r\n\r\n"
	tests := map[string]string{
		"many lines":     strings.Repeat("Output: "+strings.Repeat("x", 190)+"\r\n", native.MaxPacket/200+1) + "\r\n",
		"one line":       "Event: " + strings.Repeat("x", native.MaxPacket) + "\r\n\r\n",
		"an old Command": "Response: Follows\r\n" + strings.Repeat("x\r\n\r\n", native.MaxPacket/5) + "--END COMMAND--\r\n\r\n",
	}
	for name, wire := range tests {
		t.Run(name, func(t *testing.T) {
			d := native.NewDecoder(strings.NewReader(wire+after), native.FromAsterisk)
			var p codec.Packet
			var over *native.LimitError
			require.ErrorAs(t, d.Decode(&p), &over)
			require.Equal(t, &native.LimitError{Limit: native.PacketTooLong}, over)
			require.NoError(t, d.Decode(&p))
			require.Equal(t, headers("Event", "After"), p.Headers)
			require.Equal(t, io.EOF, d.Decode(&p))

			d = native.NewDecoder(strings.NewReader(wire[:len(wire)-1]), native.FromAsterisk)
			require.Equal(t, io.ErrUnexpectedEOF, d.Decode(&p))
		})
	}
}

// TestEndlessPacketTakesBoundedMemory reads 64 MiB that never end a packet.
func TestEndlessPacketTakesBoundedMemory(t *testing.T) {
	source := &endless{left: 64 << 20}
	d := native.NewDecoder(source, native.FromAsterisk)
	var p codec.Packet
	require.Equal(t, io.ErrUnexpectedEOF, d.Decode(&p))
	require.LessOrEqual(t, source.most, 4*native.MaxPacket)
	require.Less(t, d.Buffered(), 1<<10)
}

// An endless reader gives the letter x and notes the most room it was offered.
type endless struct{ left, most int }

func (e *endless) Read(b []byte) (int, error) {
	e.most = max(e.most, cap(b))
	n := min(len(b), e.left)
	if n == 0 {
		return 0, io.EOF
	}
	e.left -= n
	for i := range b[:n] {
		b[i] = 'x'
	}
	return n, nil
}
