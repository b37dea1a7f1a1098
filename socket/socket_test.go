package socket_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/socket"
)

// pair returns both ends of a connection, the near one as a socket.
func pair(t *testing.T, network, address string) (near *socket.Conn, far net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := l.Accept()
		accepted <- conn
	}()
	far, err = net.Dial(network, l.Addr().String())
	require.NoError(t, err)
	near = socket.New(<-accepted)
	require.NotNil(t, near)
	t.Cleanup(func() {
		near.Close()
		far.Close()
	})
	return near, far
}

func each(t *testing.T, f func(t *testing.T, near *socket.Conn, far net.Conn)) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		t.Run(network, func(t *testing.T) {
			near, far := pair(t, network, address)
			f(t, near, far)
		})
	}
}

func TestAllArrivesBothWays(t *testing.T) {
	each(t, func(t *testing.T, near *socket.Conn, far net.Conn) {
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
		var both sync.WaitGroup
		defer both.Wait()
		both.Go(func() { _, _ = io.Copy(far, io.LimitReader(far, int64(len(data)))) }) // an echo
		both.Go(func() { _, _ = near.Write(data) })
		got := make([]byte, len(data))
		_, err := io.ReadFull(near, got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
	})
}

func TestTryWriteTakesWhatFits(t *testing.T) {
	each(t, func(t *testing.T, near *socket.Conn, far net.Conn) {
		data := make([]byte, 1<<20)
		total := 0
		for {
			n, err := near.TryWrite(data)
			require.NoError(t, err)
			if total += n; n == 0 {
				break
			}
		}
		require.NoError(t, near.CloseWrite())
		n, err := io.Copy(io.Discard, far)
		require.NoError(t, err)
		require.EqualValues(t, total, n)
		_, err = near.TryWrite(data)
		require.ErrorIs(t, err, syscall.EPIPE)
	})
}

func TestErrorsAreThoseOfPackageNet(t *testing.T) {
	each(t, func(t *testing.T, near *socket.Conn, far net.Conn) {
		require.NoError(t, near.SetReadDeadline(time.Unix(1, 0)))
		_, err := near.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, near.SetReadDeadline(time.Time{}))

		require.NoError(t, far.Close())
		_, err = near.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)

		waiting := make(chan error, 1)
		other, _ := pair(t, "tcp", "127.0.0.1:0")
		go func() {
			_, err := other.Read(make([]byte, 1))
			waiting <- err
		}()
		require.NoError(t, other.Close())
		err = <-waiting
		require.ErrorIs(t, err, net.ErrClosed)
		var op *net.OpError
		require.ErrorAs(t, err, &op)
		require.Equal(t, "read", op.Op)
		require.Contains(t, err.Error(), "read tcp 127.0.0.1:")
		_, err = other.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestPipesAreNoSockets(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	require.Nil(t, socket.New(near))
}

// TestWritesGoOneAfterTheOther has many at the same time, none of which the kernel takes
// at once.
func TestWritesGoOneAfterTheOther(t *testing.T) {
	each(t, func(t *testing.T, near *socket.Conn, far net.Conn) {
		const size, writers, writes = 512 << 10, 8, 16
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				for range writes {
					_, _ = near.Write(bytes.Repeat([]byte{byte(i)}, size))
				}
			})
		}
		got := make([]byte, size)
		for range writers * writes {
			_, err := io.ReadFull(far, got)
			require.NoError(t, err)
			require.Equal(t, size, bytes.Count(got, got[:1]))
		}
		all.Wait()
	})
}
