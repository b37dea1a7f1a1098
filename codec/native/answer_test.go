package native

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

func TestPackets(t *testing.T) {
	b := AppendEnd(AppendHeader(AppendHeader(nil, "Response", "Success"), "Message", "a: b"))
	b = AppendEnd(AppendHeader(b, "Event", "X"))
	var got []codec.Packet
	for p := range Packets(b) {
		got = append(got, *p.Clone())
	}
	require.Len(t, got, 2)
	require.Equal(t, []codec.Header{{Name: "Response", Value: "Success"}, {Name: "Message", Value: "a: b"}}, got[0].Headers)
	require.Equal(t, "Response: Success\r\nMessage: a: b\r\n\r\n", string(got[0].Raw))
	require.Equal(t, "Event: X\r\n\r\n", string(got[1].Raw))
	for p := range Packets(nil) {
		t.Fatal(p)
	}
}

func TestUnframed(t *testing.T) {
	for name, tc := range map[string]struct{ from, want string }{
		"output":   {"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\na  b\n\nc: d\n--END COMMAND--\r\n\r\n", "Response: Success\r\nActionID: 7\r\nMessage: Command output follows\r\nOutput: a  b\r\nOutput: \r\nOutput: c: d\r\n\r\n"},
		"an error": {"Response: Error\r\nMessage: no\r\n\r\n", "Response: Error\r\nMessage: no\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := new(codec.Packet)
			require.NoError(t, NewDecoder(strings.NewReader(tc.from), FromAsterisk).Decode(p))
			require.Equal(t, tc.want, string(Unframed(p).Raw))
		})
	}
}

func TestFramed(t *testing.T) {
	for name, tc := range map[string]struct{ from, want string }{
		"output":    {"Response: Success\r\nActionID: 7\r\nMessage: Command output follows\r\nOutput: a  b\r\nOutput: \r\nOutput: c: d\r\n\r\n", "Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\na  b\n\nc: d\n--END COMMAND--\r\n\r\n"},
		"no output": {"Response: Success\r\nMessage: Command output follows\r\n\r\n", "Response: Follows\r\nPrivilege: Command\r\n--END COMMAND--\r\n\r\n"},
		"headers":   {"Response: Success\r\nActionID: 7\r\nVariable: A\r\nValue: b: c\r\n\r\n", "Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\nVariable: A\nValue: b: c\n--END COMMAND--\r\n\r\n"},
		"message":   {"Response: Success\r\nMessage: Variable Set\r\n\r\n", "Response: Follows\r\nPrivilege: Command\r\nMessage: Variable Set\n--END COMMAND--\r\n\r\n"},
		"an error":  {"Response: Error\r\nMessage: no\r\n\r\n", "Response: Error\r\nMessage: no\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for p := range Packets([]byte(tc.from)) {
				require.Equal(t, tc.want, string(Framed(p).Raw))
			}
		})
	}
}
