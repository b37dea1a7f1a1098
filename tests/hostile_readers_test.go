package tests

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ampd/simulator"
	"ampd/tests/daemon"
)

// narrow connects an attacker whose kernel and ampd's together take some 40 KB
// for it: what it does not read soon waits in ampd.
func (s *siege) narrow(t *testing.T, headers ...string) *wire {
	t.Helper()
	dialer := net.Dialer{Timeout: goodLimit, Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if controlErr := raw.Control(func(fd uintptr) {
			if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 2<<10); err == nil {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1400)
			}
		}); controlErr != nil {
			return controlErr
		}
		return err
	}}
	conn, err := dialer.Dial("tcp", s.Addr)
	require.NoError(t, err)
	s.attackers = append(s.attackers, conn)
	w, err := newWire("narrow", conn)
	require.NoError(t, err)
	require.NoError(t, w.logIn(intruding, headers...))
	patient(t, w)
	return w
}

// The causes that the log gives of clients that were closed as too slow.
const (
	backlogFull = "the client reads too slowly: its backlog is full"
	backlogOld  = "the client reads too slowly: what waits for it is older than backlog_time"
)

// manyPhones are an Asterisk's whose PJSIPShowEndpoints is 600 KB.
func manyPhones() (c simulator.Config) {
	for n := range 2000 {
		c.Agents = append(c.Agents, simulator.Agent{Extension: strconv.Itoa(5000 + n), Name: fmt.Sprintf("Agent %d", n)})
	}
	return c
}

var readers = []hostility{
	{
		name:      "huge lists to a slow client",
		promise:   "it is closed when its backlog is full, the log says why; another gets its lists meanwhile",
		config:    daemon.Config{Sessions: "backlog_bytes = \"1MiB\"\nbacklog_time = \"10m\"\n"},
		simulated: manyPhones(),
		attack: func(t *testing.T, s *siege) {
			const slow = 5
			for range slow {
				w := s.narrow(t, "Events: off")
				require.NoError(t, w.text(strings.Repeat("Action: PJSIPShowEndpoints\r\n\r\n", 20)))
			}
			w := s.intruder(t, "Events: off")
			for range 3 {
				_, answer, err := w.ask("Action: PJSIPShowEndpoints", "ActionID: list")
				require.NoError(t, err)
				require.Equal(t, "start", header(answer, "EventList"))
				patient(t, w)
				items, packet := 0, ""
				for ; header(packet, "EventList") != "Complete"; items++ {
					packet, err = w.read()
					require.NoError(t, err)
					require.Equal(t, "list", header(packet, "ActionID"))
				}
				require.Equal(t, strconv.Itoa(items-1), header(packet, "ListItems"))
			}
			s.awaitMetricOf(t, gone("slow"), slow)
			s.left(t, backlogFull, slow)
			s.good.carryOn(t, 1)
		},
	},
	{
		name:    "events to a client that stops reading",
		promise: "it is closed when the oldest that waits is older than backlog_time, the log says why",
		config:  daemon.Config{Sessions: `backlog_time = "1s"`},
		attack: func(t *testing.T, s *siege) {
			const slow = 5
			for range slow {
				s.narrow(t, "Events: user")
			}
			require.NoError(t, s.events.send(20, 5))
			s.awaitMetricOf(t, gone("slow"), slow)
			s.left(t, backlogOld, slow)
			s.good.carryOn(t, 1)
		},
	},
	{
		name:    "actions without reading the answers",
		promise: "what waits within backlog_bytes and backlog_time comes whole and in order, as soon as the client reads",
		config:  daemon.Config{Sessions: `backlog_time = "10m"`},
		attack: func(t *testing.T, s *siege) {
			w := s.narrow(t, "Events: user")
			const actions = 3000
			var text strings.Builder
			for i := range actions {
				fmt.Fprintf(&text, "Action: Ping\r\nActionID: %d\r\n\r\n", i)
			}
			require.NoError(t, w.text(text.String()))
			s.good.carryOn(t, 3)
			answers := 0
			for next := -1; answers < actions; {
				packet, err := w.read()
				require.NoError(t, err)
				if n := number(t, packet); n >= 0 {
					require.True(t, next < 0 || n == next, packet)
					next = n + 1
					continue
				}
				require.Contains(t, packet, fmt.Sprintf("\r\nActionID: %d\r\nPing: Pong\r\n", answers))
				answers++
			}
			require.Zero(t, metric(t, s.Daemon, gone("slow")))
		},
	},
	{
		name:    "filters that take too long",
		promise: "who has them is closed, the log says why",
		config:  daemon.Config{Plain: true},
		attack: func(t *testing.T, s *siege) {
			w := s.intruder(t, "Events: user")
			for i := range 16 {
				_, answer, err := w.ask("Action: Filter", "Operation: Add", fmt.Sprintf("Filter: !(x|xx|xxx|x.x){1,20}[%dy]", i))
				require.NoError(t, err)
				require.Equal(t, "Success", header(answer, "Response"), answer)
			}
			patient(t, w)
			closed := make(chan bool, 1)
			go func() { closed <- untilClosed(w) }()
			require.NoError(t, s.events.send(20, 5)) // each takes a third of a second
			require.True(t, <-closed)
			s.awaitMetricOf(t, gone("filters"), 1)
			s.left(t, "the session's filters take too long", 1)
			s.good.carryOn(t, 1)
		},
	},
}

// untilClosed reads until ampd closes the connection, and reports whether it did so in time.
func untilClosed(w *wire) bool {
	for {
		if _, err := w.read(); err != nil {
			return !errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
}

// TestHostileSlowReaders has clients that stop reading and others that read 1 kB/s beside
// 100 good ones, all of the same events. Promised: the good ones lose nothing, the others
// are closed and the log says why; what waits for them is bounded, and kept once for all.
func TestHostileSlowReaders(t *testing.T) {
	const good, never, little = 100, 20, 20
	pbx := simulated(t, simulator.Config{})
	s := besiege(t, daemon.Config{Plain: true, Sessions: "backlog_bytes = \"256KiB\"\nbacklog_time = \"10m\"\n"}, pbx, pbx, good)
	before, peak := s.holds(t), s.peak(t)
	for wave := 1; wave <= longer(1, 10); wave++ {
		var nibblers []*wire
		for range never {
			s.narrow(t, "Events: user")
		}
		for range little {
			nibblers = append(nibblers, s.narrow(t, "Events: user"))
		}
		closed, nibbled := make(chan struct{}), make(chan error, little)
		for _, w := range nibblers {
			go func() { nibbled <- nibble(w, closed) }() // until ampd closes it
		}
		s.bulk(t, wave*(never+little))
		close(closed)
		for range nibblers {
			require.NoError(t, <-nibbled)
		}
		s.left(t, backlogFull, wave*(never+little))
	}
	require.Less(t, s.peak(t)-peak, 16<<20, "bytes for %d backlogs of 256 KiB", never+little)
	s.lift(t, before)
}

// bulk sends events until so many clients in all have been closed as too slow.
func (s *siege) bulk(t *testing.T, slow int) {
	t.Helper()
	for sent := 0; metric(t, s.Daemon, gone("slow")) < slow; sent++ {
		require.Less(t, sent, 50, "times 100 kB, and no end")
		require.NoError(t, s.events.send(20, 5))
	}
	require.Equal(t, slow, metric(t, s.Daemon, gone("slow")))
}

// nibble reads 1 kB/s until ampd has closed the connection, and then the rest. It holds that
// what came until then is each event, in order.
func nibble(w *wire, closed <-chan struct{}) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var got strings.Builder
	piece := make([]byte, 100)
	for {
		n, err := w.reader.Read(piece)
		got.Write(piece[:n])
		if err != nil {
			break
		}
		select {
		case <-tick.C:
		case <-closed:
		}
	}
	packets := strings.SplitAfter(got.String(), "\r\n\r\n")
	next := -1
	for _, packet := range packets[:len(packets)-1] { // the last is a part
		n, err := strconv.Atoi(header(packet, "Number"))
		if err != nil || next >= 0 && n != next {
			return fmt.Errorf("%s: not event %d: %q", w.name, next, packet)
		}
		next = n + 1
	}
	if next < 0 {
		return fmt.Errorf("%s: no event", w.name)
	}
	return nil
}

// peak is the most memory that ampd has had resident, in bytes.
func (s *siege) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	require.True(t, found)
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kilobytes << 10
}
