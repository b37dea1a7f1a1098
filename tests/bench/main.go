package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A bench is one run of it.
type bench struct {
	*workshop
	out     io.Writer
	only    *regexp.Regexp
	rounds  int
	lasting time.Duration // of a round, or as long as that takes

	descriptors int // that this process may have

	ratios bool // mean something
}

// cases are all there are, in the order in which they run.
var cases = []struct {
	name string
	run  func(*bench) error
}{
	{"fanout", (*bench).fanout},
	{"saturated", (*bench).saturated},
	{"filters", (*bench).filters},
	{"actions", (*bench).actions},
	{"queuestatus", (*bench).queueStatus},
	{"idle", (*bench).idle},
	{"slow", (*bench).slow},
	{"churn", (*bench).churn},
	{"gc", (*bench).collector},
	{"upstream", (*bench).reading},
	{"tls", (*bench).tls},
	{"xml", (*bench).xml},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	only := flag.String("run", "", "only cases whose name matches the `regexp`")
	rounds := flag.Int("rounds", 15, "rounds of each case, `N`")
	seconds := flag.Float64("seconds", 1, "how long a round lasts, `S`")
	anyway := flag.Bool("anyway", false, "print ratios even where the relay is not good enough to be a reference")
	built := flag.String("ampd", "", "measure the ampd at this `path`, not one built now")
	awake := flag.Bool("awake", true, "keep the processors from going to sleep")
	short := flag.Bool("short", false, "3 rounds of 0.3 s")
	flag.Parse()
	if *short {
		*rounds, *seconds = 3, 0.3
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	b, err := newBench(os.Stdout, *built, *awake, pattern, *rounds, time.Duration(*seconds*1e9))
	if err != nil {
		return err
	}
	defer b.close()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process, and so do those that it started
		<-interrupted
		os.RemoveAll(b.dir)
		os.Exit(1)
	}()
	if err := b.environment(); err != nil {
		return err
	}
	if err := b.judgeRelay(); err != nil {
		return err
	}
	b.ratios = b.ratios || *anyway
	var failed []string
	for _, c := range cases {
		began := time.Now()
		if err := c.run(b); err != nil {
			fmt.Fprintf(b.out, "\n**%s failed: %v**\n", c.name, err)
			failed = append(failed, c.name)
		}
		if took := time.Since(began); took > time.Second {
			fmt.Fprintf(os.Stderr, "%s: %v\n", c.name, took.Round(time.Second))
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// newBench prepares this process and builds what it measures; built is the path of an
// ampd, "" for that of the tree.
func newBench(out io.Writer, built string, awake bool, only *regexp.Regexp, rounds int, lasting time.Duration) (*bench, error) {
	descriptors, err := raiseDescriptors()
	if err != nil {
		return nil, err
	}
	// The collector runs between cases, and no goroutine waits for a processor while
	// a thread is in the kernel.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(2 << 30)
	runtime.GOMAXPROCS(8)
	w, err := newWorkshop(built, awake)
	if err != nil {
		return nil, err
	}
	return &bench{workshop: w, out: out, only: only, rounds: rounds, lasting: lasting, descriptors: descriptors}, nil
}

// raiseDescriptors has this process, and those it starts, have as many descriptors as
// may be. 10,000 clients of ampd's and as many of the relay's take 20,000 here.
func raiseDescriptors() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of descriptors: %w", err)
	}
	const wanted = 25_000
	more := syscall.Rlimit{Cur: max(wanted, limit.Max), Max: max(wanted, limit.Max)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &more) == nil {
		return int(more.Cur), nil
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("raise the limit of descriptors: %w", err)
	}
	return int(limit.Cur), nil
}

// most is how many clients of n can be connected to each of so many servers.
func (b *bench) most(n, servers int) int { return min(n, (b.descriptors-200)/servers/100*100) }

// wants tells whether the case with that name is to run.
func (b *bench) wants(format string, args ...any) bool {
	wanted := b.only.MatchString(fmt.Sprintf(format, args...))
	if wanted {
		runtime.GC()
	}
	return wanted
}

// environment prints on what all this runs.
func (b *bench) environment() error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	cpu := "unknown CPU"
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(info)) {
		if _, model, found := strings.Cut(line, "model name\t: "); found {
			cpu = strings.TrimSpace(model)
			break
		}
	}
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	awake := "kept awake"
	if b.awake == nil {
		awake = "free to sleep"
	}
	fmt.Fprintf(b.out, "Linux %s, %d × %s %s, %s; %d recorded events of %d bytes on average; %d rounds of %v.\n",
		unix.ByteSliceToString(name.Release[:]), runtime.NumCPU(), cpu, awake, runtime.Version(),
		len(r.events), r.mean(), b.rounds, b.lasting)
	return nil
}
