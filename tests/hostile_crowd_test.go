package tests

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ampd/simulator"
	"ampd/tests/daemon"
)

// A crowd of connections that never log in is a process of its own: this test's program,
// started with these in its environment.
const (
	crowdPort = "AMPD_TEST_CROWD_PORT" // on 127.0.0.1
	crowdSize = "AMPD_TEST_CROWD_SIZE"
)

// runCrowd is that process: it connects so many times from 127.0.0.1, says how many were
// greeted and how many closed without a byte, and stays until its standard input ends.
func runCrowd() error {
	port, err := strconv.Atoi(os.Getenv(crowdPort))
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(os.Getenv(crowdSize))
	if err != nil {
		return err
	}
	fds := make([]int, size)
	for i := range fds {
		if fds[i], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return fmt.Errorf("socket %d: %w", i, err)
		}
		if err := unix.Connect(fds[i], &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			return fmt.Errorf("connect %d: %w", i, err)
		}
	}
	greeted, closed := 0, 0
	for _, fd := range fds {
		var greeting [128]byte
		n, err := unix.Read(fd, greeting[:])
		switch {
		case n > 0:
			greeted++
		case err == nil || errors.Is(err, unix.ECONNRESET):
			closed++
		default:
			return fmt.Errorf("read: %w", err)
		}
	}
	fmt.Printf("greeted %d, closed %d\n", greeted, closed)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// A crowdProcess is such a process.
type crowdProcess struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

func (s *siege) startCrowd(t *testing.T, size int) *crowdProcess {
	t.Helper()
	_, port, found := strings.Cut(s.Addr, ":")
	require.True(t, found)
	c := &crowdProcess{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), crowdPort+"="+port, fmt.Sprintf("%s=%d", crowdSize, size))
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.in, c.out = in, bufio.NewReader(out)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() { c.in.Close(); _ = c.cmd.Wait() }) // the test has asked how it ended
	return c
}

// says returns what the crowd says when all have been greeted or closed.
func (c *crowdProcess) says(t *testing.T) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// leave ends the crowd's process.
func (c *crowdProcess) leave(t *testing.T) {
	t.Helper()
	c.in.Close()
	require.NoError(t, c.cmd.Wait())
}

// TestHostileCrowd has 10,000 connections that never log in. Promised: what is over
// max_unauthenticated or max_unauthenticated_per_address is closed without a byte, and
// another address's clients log in meanwhile; where those allow them all they are kept,
// for a few kilobytes each, until auth_timeout; nobody else notices.
func TestHostileCrowd(t *testing.T) {
	const size = 10_000
	t.Run("refused", func(t *testing.T) {
		pbx := simulated(t, simulator.Config{})
		s := besiege(t, daemon.Config{Plain: true, Sessions: `auth_timeout = "10m"`}, pbx, pbx, goodOnes)
		before := s.holds(t)
		crowd := s.startCrowd(t, size)
		s.newcomer(t)
		require.Equal(t, fmt.Sprintf("greeted %d, closed %d", 50, size-50), crowd.says(t))
		s.newcomer(t)
		s.good.carryOn(t, 2)
		require.Equal(t, size-50, metric(t, s.Daemon, gone("too_many")))
		require.LessOrEqual(t, s.sentences("too many connections without a login"), 3, "one a minute")
		crowd.leave(t)
		s.lift(t, before)
	})
	t.Run("kept", func(t *testing.T) {
		pbx := simulated(t, simulator.Config{})
		s := besiege(t, daemon.Config{Plain: true, Sessions: fmt.Sprintf(
			"auth_timeout = \"10m\"\nmax_unauthenticated = %d\nmax_unauthenticated_per_address = %d\n", 2*size, 2*size)}, pbx, pbx, goodOnes)
		before, peak := s.holds(t), s.peak(t)
		crowd := s.startCrowd(t, size)
		require.Equal(t, fmt.Sprintf("greeted %d, closed 0", size), crowd.says(t))
		require.Equal(t, size, metric(t, s.Daemon, "ampd_downstream_unauthenticated_connections"))
		s.newcomer(t)
		s.good.carryOn(t, 2)
		each := (s.peak(t) - peak) / size
		t.Logf("%d bytes for each of %d", each, size)
		require.Less(t, each, 32<<10)
		crowd.leave(t)
		s.lift(t, before)
	})
}
