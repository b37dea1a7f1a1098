package history

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/stats"
)

// callsAtOnce are in each batch of the process that is killed, which mostly is inside a transaction.
const callsAtOnce = 10

// TestMain is also the process that is killed: it hands over batches as ampd does, but 40 times
// as many, and says of each when that was.
func TestMain(m *testing.M) {
	path := os.Getenv("HISTORY_TEST_WRITES")
	if path == "" {
		os.Exit(m.Run())
	}
	cfg := DefaultConfig()
	cfg.File = path
	h, _ := Open(cfg, calendar(), time.Now(), zap.Must(zap.NewDevelopment()), NewMetrics(prometheus.NewRegistry()))
	n := 0
	for range time.Tick(25 * time.Millisecond) {
		n++
		b := &stats.Batch{Queues: []stats.QueueRow{queueRow(9, int64(n))}}
		for i := range callsAtOnce {
			b.Calls = append(b.Calls, call(fmt.Sprint(os.Getpid(), ".", n, ".", i), time.Now(), stats.Abandoned))
		}
		at := time.Now()
		h.Put(b, at)
		fmt.Println(n, at.UnixMilli())
	}
}

func TestKilledProcessLosesAtMostTheLastSecond(t *testing.T) {
	path := fileOf(t)
	for range 3 {
		helper := exec.Command(os.Args[0])
		helper.Env = append(os.Environ(), "HISTORY_TEST_WRITES="+path)
		helper.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		helper.Stderr = os.Stderr
		out, err := helper.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, helper.Start())
		put := map[int]time.Time{}
		lines := bufio.NewScanner(out)
		var first time.Time
		for lines.Scan() {
			n, ms, _ := strings.Cut(lines.Text(), " ")
			number, err := strconv.Atoi(n)
			require.NoError(t, err)
			at, err := strconv.ParseInt(ms, 10, 64)
			require.NoError(t, err)
			put[number] = time.UnixMilli(at)
			if first.IsZero() {
				first = put[number]
			}
			if put[number].Sub(first) > 1500*time.Millisecond {
				break
			}
		}
		require.NoError(t, helper.Process.Kill())
		killed := time.Now()
		require.Error(t, helper.Wait())

		require.Equal(t, "ok", query(t, path, "PRAGMA quick_check"))
		found := map[string]int{}
		for uniqueid := range strings.SplitSeq(query(t, path, "SELECT uniqueid FROM calls"), "\n") {
			found[uniqueid[:strings.LastIndexByte(uniqueid, '.')]]++
		}
		whole, early := 0, 0
		for n, at := range put {
			got := found[fmt.Sprint(helper.Process.Pid, ".", n)]
			if killed.Sub(at) > time.Second {
				early++
				require.Equal(t, callsAtOnce, got, "handed over %v before the end", killed.Sub(at))
			}
			if got > 0 {
				whole++
				require.Equal(t, callsAtOnce, got, "all of a batch or nothing")
			}
		}
		require.Positive(t, early)
		require.GreaterOrEqual(t, whole, early)
	}
}
