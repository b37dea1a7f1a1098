package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process is one that the bench started and measures.
type process struct {
	name   string
	lines  chan string // the first lines it printed
	exited chan struct{}

	cmd *exec.Cmd

	mu   sync.Mutex
	tail []string // the last lines it printed, but for those of level info
}

const tailLines = 5

// launch starts a process that ends with the bench. What it prints on out (its
// standard output or error) is kept in part.
func launch(name string, errors bool, path string, args ...string) (*process, error) {
	p := &process{name: name, lines: make(chan string, 64), exited: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe := p.cmd.StdoutPipe
	p.cmd.Stderr = os.Stderr
	if errors {
		p.cmd.Stderr = nil
		pipe = p.cmd.StderrPipe
	}
	out, err := pipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error)
	go func() { // the kernel kills the process when the thread ends that started it
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.exited)
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.read(out)
			_ = p.cmd.Wait() // whether it should have ended is for others to say
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

func (p *process) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		select {
		case p.lines <- lines.Text():
		default: // nobody waits for so many
		}
		if strings.Contains(lines.Text(), `"level":"info"`) {
			continue
		}
		p.mu.Lock()
		p.tail = append(p.tail, lines.Text())
		p.tail = p.tail[max(0, len(p.tail)-tailLines):]
		p.mu.Unlock()
	}
}

// await returns the next line that find accepts, and what it made of it.
func (p *process) await(find func(line string) (string, bool)) (string, error) {
	limit := time.After(30 * time.Second)
	for {
		select {
		case line := <-p.lines:
			if found, ok := find(line); ok {
				return found, nil
			}
		case <-p.exited:
			return "", fmt.Errorf("%s ended: %s", p.name, p.last())
		case <-limit:
			return "", fmt.Errorf("%s does not start: %s", p.name, p.last())
		}
	}
}

// last is what the process printed last.
func (p *process) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may be gone already
	<-p.exited
}

// cpu is what the process has used so far, all its threads together.
func (p *process) cpu() (time.Duration, error) {
	clock := int32(^p.cmd.Process.Pid<<3 | 2) // MAKE_PROCESS_CPUCLOCK, CPUCLOCK_SCHED in the kernel's posix-timers.h
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, fmt.Errorf("CPU clock of %s: %w", p.name, err)
	}
	return time.Duration(ts.Nano()), nil
}

// rss is the memory of the process that is in RAM, in bytes.
func (p *process) rss() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(status), "VmRSS:")
	if !found {
		return 0, errors.New("no VmRSS")
	}
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	return kb * 1024, err
}
