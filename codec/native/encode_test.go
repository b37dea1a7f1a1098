package native_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec/native"
)

func TestAppend(t *testing.T) {
	tests := map[string]struct{ name, value, want string }{
		"header":                   {"Response", "Success", "Response: Success\r\n"},
		"empty value":              {"Message", "", "Message: \r\n"},
		"blanks stay":              {"Output", "  x ", "Output:   x \r\n"},
		"line without a name":      {"", "   No Callers", "   No Callers\r\n"},
		"nothing":                  {"", "", ""},
		"a value can't end a line": {"Message", "a\r\nEvent: b\n\nc\x00\rd", "Message: a  Event: b  c  d\r\n"},
		"neither can a name":       {"A\r\nB", "c", "A  B: c\r\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "before"+tc.want, string(native.AppendHeader([]byte("before"), tc.name, tc.value)))
		})
	}
	require.Equal(t, "Event: X\r\n\r\n", string(native.AppendEnd(native.AppendHeader(nil, "Event", "X"))))
}

// TestEncodedDecodesFromBothSides spells out the law of FuzzEncode once.
func TestEncodedDecodesFromBothSides(t *testing.T) {
	want := headers("Action", "Originate", "Variable", "a=1", "Variable", "b= 2 ", "Empty", "", "ChanVariable(Local/x@y;1)", "c:d", "", "text")
	var wire []byte
	for _, h := range want {
		wire = native.AppendHeader(wire, h.Name, h.Value)
	}
	wire = native.AppendEnd(wire)
	for _, side := range []native.Side{native.FromAsterisk, native.FromClient} {
		require.Equal(t, want, decodeAll(strings.NewReader(string(wire)), side).Packets[0].Headers)
	}
}

func TestAnswer(t *testing.T) {
	with := decodeSide(t, "Action: Foo\r\nActionID: a: 1\r\n\r\n", native.FromClient)
	require.Equal(t, "Response: Error\r\nActionID: a: 1\r\nMessage: Permission denied\r\n\r\n",
		string(native.Answer(with, "Error", "Permission denied")))

	empty := decodeSide(t, "ActionID: \r\nActionID: b\r\nAction: Foo\r\n\r\n", native.FromClient)
	require.Equal(t, "Response: Success\r\nMessage: ok\r\n\r\n", string(native.Answer(empty, "Success", "ok")))

	none := decodeSide(t, "\r\n", native.FromClient)
	require.Equal(t, "Response: Goodbye\r\n", string(native.AppendAnswer(nil, none, "Goodbye")))
}
