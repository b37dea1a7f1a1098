package tests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"ampd/simulator"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// limit sets a limit of the kernel's for ampd, as the service manager would.
func (s *siege) limit(t *testing.T, resource, most int) {
	t.Helper()
	require.NoError(t, unix.Prlimit(s.PID(), resource, &unix.Rlimit{Cur: uint64(most), Max: uint64(most)}, nil))
}

// TestHostileDescriptors has clients take all of ampd's file descriptors. Promised: those
// who are connected go on, new ones wait and are served when there are descriptors again,
// and the log says so once.
func TestHostileDescriptors(t *testing.T) {
	const left, strangers = 10, 40
	pbx := simulated(t, simulator.Config{})
	s := besiege(t, daemon.Config{Sessions: `auth_timeout = "10m"`}, pbx, pbx, goodOnes)
	before, began := s.holds(t), time.Now()
	s.limit(t, unix.RLIMIT_NOFILE, before["process_open_fds"]+left)
	for range strangers {
		s.dial(t) // the kernel takes all of them
	}
	s.Wait(t, "no descriptors", func(l daemon.Line) bool {
		return l["msg"] == cannotAccept && strings.Contains(fmt.Sprint(l["error"]), "too many open files")
	})
	s.good.carryOn(t, longer(10, 100)) // a second, ten seconds, in which ampd tries ten times as often
	s.complained(t, cannotAccept, began)

	last := s.attackers[strangers-1]
	for _, conn := range s.attackers[:strangers-1] {
		conn.Close()
	}
	w, err := newWire("waited", last)
	require.NoError(t, err)
	require.NoError(t, w.logIn(asterisk.Ampd, "Events: off"))
	s.newcomer(t)
	s.complained(t, "clients are accepted again", began)
	s.lift(t, before)
}

const cannotAccept = "cannot accept clients: those connected go on, new ones wait"

// TestHostileMemory has clients make ampd keep as much for them as they can, under a limit
// of the kernel's (RLIMIT_DATA, as a container has one) and GOMEMLIMIT below it. Promised:
// each takes at most backlog_bytes for what it does not read, and max_queued packets of
// what it sends, so ampd lives on what the limits allow.
func TestHostileMemory(t *testing.T) {
	const (
		each   = 10
		memory = 256 << 20
	)
	t.Setenv("GOMEMLIMIT", "128MiB")
	pbx := simulated(t, manyPhones())
	s := besiege(t, daemon.Config{Plain: true, Sessions: "backlog_bytes = \"512KiB\"\nbacklog_time = \"10m\"\nmax_queued = 10\n"}, pbx, pbx, goodOnes)
	before, peak := s.holds(t), s.peak(t)
	s.limit(t, unix.RLIMIT_DATA, memory)
	list := strings.Repeat("Action: PJSIPShowEndpoints\r\n\r\n", 20)
	large := "Action: Getvar\r\nVariable: X\r\n" + strings.Repeat("Pad: "+strings.Repeat("x", 1000)+"\r\n", 120) + "\r\n"
	for wave := 1; wave <= longer(2, 10); wave++ {
		for i := range each {
			// Lists that are not read.
			require.NoError(t, s.narrow(t, "Events: off").text(list))
			// Events that are not read, in a subscription of its own.
			w := s.narrow(t, "Events: user")
			_, answer, err := w.ask("Action: Filter", "Operation: Add", fmt.Sprintf("Filter: !Number: no-%d", i))
			require.NoError(t, err)
			require.Equal(t, "Success", header(answer, "Response"))
			// Actions that wait behind one that takes its time.
			conn := s.dial(t)
			w, err = newWire("queue", conn)
			require.NoError(t, err)
			require.NoError(t, w.logIn(asterisk.Ampd, "Events: off"))
			go func() { // until it is closed: ampd stops reading
				_ = w.text("Action: Originate\r\nChannel: Local/noanswer@callers/n\r\nContext: misc\r\nExten: wait\r\nPriority: 1\r\nTimeout: 3000\r\n\r\n" + strings.Repeat(large, 50))
			}()
		}
		s.bulk(t, 2*each*wave)
		s.good.carryOn(t, 3)
		for _, conn := range s.attackers {
			conn.Close()
		}
		s.awaitMetricOf(t, "ampd_sessions", goodOnes)
	}
	t.Logf("ampd had at most %d MB, %d MB before", s.peak(t)>>20, peak>>20)
	require.Less(t, s.peak(t), 128<<20)
	s.lift(t, before)
}
