package asterisk_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
)

// each runs a test against every version, side by side.
func each(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

// banner is the line with which conn begins.
func banner(t *testing.T, conn net.Conn) string {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	return line
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestServerAnswersOnBothPorts(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		require.Contains(t, s.Version, "Asterisk "+version+".")
		require.Contains(t, s.CLI("core show version"), s.Version)
		require.Regexp(t, `^Asterisk Call Manager/[0-9.]+\r\n$`, banner(t, dial(t, s.Addr)))

		ca, err := os.ReadFile(s.CAFile)
		require.NoError(t, err)
		roots := x509.NewCertPool()
		require.True(t, roots.AppendCertsFromPEM(ca))
		conn, err := tls.Dial("tcp", s.TLSAddr, &tls.Config{RootCAs: roots})
		require.NoError(t, err)
		defer conn.Close()
		require.Regexp(t, `^Asterisk Call Manager/[0-9.]+\r\n$`, banner(t, conn))
	})
}

func TestServersRunSideBySide(t *testing.T) {
	version := asterisk.Versions()[0]
	first, second := asterisk.Start(t, version), asterisk.Start(t, version)
	require.NotEqual(t, first.Addr, second.Addr)
	first.Kill()
	require.Contains(t, second.CLI("core show version"), "Asterisk")
}

func TestKilledServerStartsAgainOnItsPorts(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		conn, addr, pid := dial(t, s.Addr), s.Addr, s.PID()
		banner(t, conn)
		s.Kill()
		_, err := conn.Read(make([]byte, 1))
		require.Error(t, err)
		_, err = net.Dial("tcp", addr)
		require.Error(t, err)
		s.Restart()
		require.Equal(t, addr, s.Addr)
		require.NotEqual(t, pid, s.PID())
		banner(t, dial(t, addr))
	})
}

func TestRestartByCommandKeepsTheProcess(t *testing.T) {
	each(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		conn, pid := dial(t, s.Addr), s.PID()
		banner(t, conn)
		s.CLI("core restart now")
		_, err := conn.Read(make([]byte, 1))
		require.Error(t, err)
		s.WaitBooted()
		require.Equal(t, pid, s.PID())
		s.CLI("core stop now")
		<-s.Exited()
		s.Run()
		s.WaitBooted()
	})
}

func TestStoppedServerGoesOn(t *testing.T) {
	s := asterisk.Start(t, asterisk.Versions()[0])
	s.Stop()
	conn := dial(t, s.Addr) // the kernel accepts it
	require.NoError(t, conn.SetDeadline(time.Now().Add(200*time.Millisecond)))
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	s.Cont()
	banner(t, conn)
}
