package downstream

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnixSocketIsTakenOverFromTheDeadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ami.sock")
	l := Listener{Address: "unix:" + path}

	first, err := l.Open()
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o660), info.Mode().Perm(), "only for its user and group")

	_, err = l.Open()
	require.EqualError(t, err, "listen unix "+path+": another process listens there")

	first.Listener.(*net.UnixListener).SetUnlinkOnClose(false) // as after a kill -9
	require.NoError(t, first.Close())
	second, err := l.Open()
	require.NoError(t, err)
	require.NoError(t, second.Close())

	require.NoError(t, os.WriteFile(path, []byte("not a socket"), 0o600))
	_, err = l.Open()
	require.Error(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "not a socket", string(text), "a file that is no socket is nobody's to remove")
}

func TestTakenPortIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = (&Listener{Address: taken.Addr().String()}).Open()
	require.EqualError(t, err, "listen tcp "+taken.Addr().String()+": bind: address already in use")
}
