package native_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// decodeOne decodes a packet from Asterisk.
func decodeOne(t *testing.T, wire string) *codec.Packet {
	t.Helper()
	return decodeSide(t, wire, native.FromAsterisk)
}

func decodeSide(t *testing.T, wire string, side native.Side) *codec.Packet {
	t.Helper()
	p := &codec.Packet{}
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), side).Decode(p))
	return p
}

func TestWithActionID(t *testing.T) {
	tests := map[string]struct{ wire, id, want string }{
		"replaced in place": {
			"Response: Success\r\nActionID: ampd-1\r\nPing: Pong\r\n\r\n", "x",
			"Response: Success\r\nActionID: x\r\nPing: Pong\r\n\r\n",
		},
		"replaced where it is last": {
			"Event: QueueParams\r\nQueue: support\r\nActionID: ampd-1\r\n\r\n", "a b: c",
			"Event: QueueParams\r\nQueue: support\r\nActionID: a b: c\r\n\r\n",
		},
		"replaced by the same": {
			"Response: Success\r\nActionID: x\r\n\r\n", "x",
			"Response: Success\r\nActionID: x\r\n\r\n",
		},
		"removed": {
			"Response: Success\r\nActionID: ampd-1\r\nPing: Pong\r\n\r\n", "",
			"Response: Success\r\nPing: Pong\r\n\r\n",
		},
		"inserted": {
			"Response: Error\r\nMessage: Missing action in request\r\n\r\n", "x",
			"Response: Error\r\nActionID: x\r\nMessage: Missing action in request\r\n\r\n",
		},
		"nothing to remove": {
			"Event: Hangup\r\nUniqueid: 1.1\r\n\r\n", "",
			"Event: Hangup\r\nUniqueid: 1.1\r\n\r\n",
		},
		"only the first counts, its name's spelling stays": {
			"Event: X\r\nactionid: a\r\nActionID: b\r\n\r\n", "x",
			"Event: X\r\nactionid: x\r\nActionID: b\r\n\r\n",
		},
		"other lines stay to the byte": {
			"Event: X\r\nA:B\r\nEmpty:\r\nEmpty: \r\nActionID: a\r\nBlanks:   x  \r\nlone\rCR: \xff\r\n\r\n", "y",
			"Event: X\r\nA:B\r\nEmpty:\r\nEmpty: \r\nActionID: y\r\nBlanks:   x  \r\nlone\rCR: \xff\r\n\r\n",
		},
		"UserEvent, right behind its name": {
			"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\nActionID: ampd-1\r\nActionID: mine\r\n\r\n", "x",
			"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\nActionID: x\r\nActionID: mine\r\n\r\n",
		},
		"UserEvent whose sender wrote an ActionID of his own": {
			"Event: UserEvent\r\nUserEvent: X\r\nA: b\r\nActionID: mine\r\n\r\n", "",
			"Event: UserEvent\r\nUserEvent: X\r\nA: b\r\nActionID: mine\r\n\r\n",
		},
		"an id can't end its line": {
			"Response: Success\r\nActionID: a\r\n\r\n", "x\r\nEvent: y\x00",
			"Response: Success\r\nActionID: x  Event: y \r\n\r\n",
		},
		"Command in the framing of Asterisk 13": {
			"Response: Follows\r\nPrivilege: Command\r\nActionID: a\r\nActionID: b\n\nc--END COMMAND--\r\n\r\n", "x",
			"Response: Follows\r\nPrivilege: Command\r\nActionID: x\r\nActionID: b\n\nc--END COMMAND--\r\n\r\n",
		},
		"the same without an ActionID": {
			"Response: Follows\r\nPrivilege: Command\r\nActionID: b\n--END COMMAND--\r\n\r\n", "",
			"Response: Follows\r\nPrivilege: Command\r\n--END COMMAND--\r\n\r\n",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := decodeOne(t, tc.wire)
			before := string(p.Raw)
			got := native.WithActionID(p, tc.id)
			require.Equal(t, tc.want, string(got.Raw))
			require.Equal(t, decodeOne(t, tc.want).Headers, got.Headers)
			require.Equal(t, before, string(p.Raw))

			p.Headers = append(p.Headers[:0], codec.Header{Name: "Over", Value: "written"})
			require.Equal(t, decodeOne(t, tc.want).Headers, got.Headers, "the headers are its own")
		})
	}
}

func TestWithActionIDOfClientsPacket(t *testing.T) {
	p := decodeSide(t, "Action:\t Ping\nActionID:  7\nX: a\x00b\n\n", native.FromClient)
	got := native.WithActionID(p, "ampd-1")
	require.Equal(t, "Action:\t Ping\nActionID: ampd-1\r\nX: a\x00b\n\n", string(got.Raw))
	require.Equal(t, headers("Action", "Ping", "ActionID", "ampd-1", "X", "a"), got.Headers)

	empty := decodeSide(t, "\r\n", native.FromClient)
	require.Equal(t, "\r\n", string(native.WithActionID(empty, "x").Raw))
}

func TestRewrite(t *testing.T) {
	const wire = "Response: Success\r\nSecret: s3cret\r\nEmpty:\r\nListItems: 7\r\nsecret: again\r\n\r\n"
	tests := map[string]struct {
		edit func(i int, h codec.Header) (string, bool)
		want string
	}{
		"values replaced": {
			func(_ int, h codec.Header) (string, bool) {
				if strings.EqualFold(h.Name, "Secret") {
					return "********", true
				}
				return h.Value, true
			},
			"Response: Success\r\nSecret: ********\r\nEmpty:\r\nListItems: 7\r\nsecret: ********\r\n\r\n",
		},
		"lines left out": {
			func(i int, h codec.Header) (string, bool) { return h.Value, i != 0 && i != 3 },
			"Secret: s3cret\r\nEmpty:\r\nsecret: again\r\n\r\n",
		},
		"all at once": {
			func(i int, _ codec.Header) (string, bool) { return []string{"Error", "", "x", "8", "y"}[i], i != 1 },
			"Response: Error\r\nEmpty: x\r\nListItems: 8\r\nsecret: y\r\n\r\n",
		},
		"nothing": {
			func(_ int, h codec.Header) (string, bool) { return h.Value, true },
			wire,
		},
		"a value can't end its line": {
			func(i int, h codec.Header) (string, bool) {
				if i == 3 {
					return "7\r\n\r\nEvent: x", true
				}
				return h.Value, true
			},
			"Response: Success\r\nSecret: s3cret\r\nEmpty:\r\nListItems: 7    Event: x\r\nsecret: again\r\n\r\n",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := decodeOne(t, wire)
			got := native.Rewrite(p, tc.edit)
			require.Equal(t, tc.want, string(got.Raw))
			require.Equal(t, decodeOne(t, tc.want).Headers, got.Headers)
			require.Equal(t, wire, string(p.Raw))
			require.Equal(t, tc.want == wire, got == p)
		})
	}
}

// TestRewriteShowsEachHeaderOnce in its order, though it may begin anew inside.
func TestRewriteShowsEachHeaderOnce(t *testing.T) {
	var seen []int
	native.Rewrite(decodeOne(t, "Event: X\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n"), func(i int, h codec.Header) (string, bool) {
		seen = append(seen, i)
		return h.Value, i%2 == 0
	})
	require.Equal(t, []int{0, 1, 2, 3}, seen)
}
