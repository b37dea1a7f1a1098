package native_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

func TestSmoke(t *testing.T) {
	d := native.NewDecoder(strings.NewReader("A: 1\r\nB:  2\n\r\n\r\n\r\nEvent: X\r\nC:d\r\n\r\n"), native.FromAsterisk)
	var p codec.Packet
	require.NoError(t, d.Decode(&p))
	require.Equal(t, "A: 1\r\nB:  2\r\n\r\n", string(p.Raw))
	require.Equal(t, headers("A", "1", "B", " 2"), p.Headers)
	q := native.WithActionID(&p, "x")
	require.Equal(t, "A: 1\r\nActionID: x\r\nB:  2\r\n\r\n", string(q.Raw))
	require.Equal(t, headers("A", "1", "ActionID", "x", "B", " 2"), q.Headers)
	require.Equal(t, string(p.Raw), string(native.WithActionID(q, "").Raw))
	require.NoError(t, d.Decode(&p))
	require.Equal(t, headers("Event", "X", "C", "d"), p.Headers)
	require.Equal(t, io.EOF, d.Decode(&p))

	d = native.NewDecoder(strings.NewReader("\r\nAction:Ping\nX: "+strings.Repeat("x", 2000)+"\nActionID: 7\n\nAction: a\x00\r\n\r\n"), native.FromClient)
	require.NoError(t, d.Decode(&p))
	require.Empty(t, p.Headers)
	var over *native.LimitError
	require.ErrorAs(t, d.Decode(&p), &over)
	require.ErrorIs(t, over, codec.ErrTooLong)
	require.Equal(t, "7", over.ActionID)
	require.NoError(t, d.Decode(&p))
	require.Equal(t, "Action: a\x00\r\n\r\n", string(p.Raw))
	require.Equal(t, headers("Action", "a"), p.Headers)
	require.Equal(t, io.EOF, d.Decode(&p))
}
