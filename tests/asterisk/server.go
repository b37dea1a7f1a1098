package asterisk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bootTimeout is the longest that an Asterisk may take from its start to
// FullyBooted. It takes half a second on an idle machine.
const bootTimeout = 60 * time.Second

// Server is an Asterisk that runs for one test.
type Server struct {
	Name    string // of the file versions: "22"
	Version string // as it says itself: "Asterisk 22.10.1+dfsg"
	Addr    string // host and port of AMI
	TLSAddr string // host and port of AMI over TLS
	CAFile  string // PEM file of the certificate that TLSAddr shows; good for 127.0.0.1 and localhost
	PJSIP   string // host and port of PJSIP, over UDP
	SIP     string // the same of chan_sip, where this version has it
	Dir     string // the instance's folder: etc, log, spool
	PIDFile string // written by Start and Restart

	t       testing.TB
	root    string
	port    int
	process *os.Process
	exited  chan struct{} // closed when process has been waited for
}

// Account is a user of etc/manager.conf.
type Account struct{ Name, Secret string }

// The accounts of etc/manager.conf.
var (
	Ampd      = Account{"ampd", "ampdsecret"}           // all classes, read and write
	Limited   = Account{"limited", "limitedsecret"}     // reads call and agent, writes call
	Filtered  = Account{"filtered", "filteredsecret"}   // all classes; no VarSet and Newexten events
	Elsewhere = Account{"elsewhere", "elsewheresecret"} // refused: another address is permitted
)

// Option changes how a Server is set up.
type Option func(*setup)

type setup struct{ appended map[string]string }

// Conf appends text to a configuration file, "manager.conf" say. A category that
// is there already is continued with a plus: "[general](+)"; the last value wins.
func Conf(file, text string) Option {
	return func(s *setup) { s.appended[file] += "\n" + text + "\n" }
}

// LogActions makes Asterisk log each action that reaches it, for [Server.Actions].
// All events then carry the headers SequenceNumber, File, Line and Func too.
func LogActions() Option {
	return Conf("manager.conf", "[general](+)\ndebug = on")
}

// Start starts an Asterisk, installs it first where it is not yet in the cache, and
// returns when it is fully booted. The test's cleanup ends it. The test is skipped
// on a machine that can't have it, but fails when the environment has CI.
func Start(t testing.TB, version string, options ...Option) *Server {
	t.Helper()
	s, err := start(t, version, options...)
	if err != nil {
		t.Fatalf("start Asterisk %s: %v", version, err)
	}
	t.Logf("%s on %s", s.Version, s.Addr)
	return s
}

func start(t testing.TB, version string, options ...Option) (*Server, error) {
	t.Helper()
	root := installed(t, version)
	rootLock, err := lockFile(root+".lock", syscall.LOCK_SH)
	if err != nil {
		return nil, err
	}
	port, portLock, err := claimPorts()
	if err != nil {
		rootLock.Close()
		return nil, err
	}
	met, _ := os.ReadFile(filepath.Join(root, "version"))
	dir := filepath.Join(root, "instances", strconv.Itoa(port))
	s := &Server{
		Name:    version,
		Version: strings.TrimSpace(string(met)),
		Addr:    fmt.Sprintf("127.0.0.1:%d", port),
		TLSAddr: fmt.Sprintf("127.0.0.1:%d", port+2),
		CAFile:  filepath.Join(dir, "etc", "cert.pem"),
		PJSIP:   fmt.Sprintf("127.0.0.1:%d", port+3),
		SIP:     fmt.Sprintf("127.0.0.1:%d", port+4),
		Dir:     dir,
		PIDFile: filepath.Join(dir, "pid"),
		t:       t,
		root:    root,
		port:    port,
	}
	t.Cleanup(func() {
		s.end()
		if t.Failed() {
			t.Logf("the log of Asterisk %s on %s ends:\n%s", version, s.Addr, lastLines(s.Log(), 30))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the instance's folder: %v", err)
		}
		portLock.Close()
		rootLock.Close()
	})
	set := &setup{appended: map[string]string{}}
	for _, option := range options {
		option(set)
	}
	if err := s.configure(set); err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	return s, s.booted(bootTimeout)
}

// inRoot is the instance's folder as Asterisk sees it.
func (s *Server) inRoot() string { return fmt.Sprintf("/instances/%d", s.port) }

// run starts the process. A goroutine starts it and waits for it, for as long as
// it lives, on a thread of its own: the kernel kills it when that thread ends.
func (s *Server) run() error {
	out, err := os.OpenFile(filepath.Join(s.Dir, "log", "out.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	cmd := exec.Command("/bin/sh", "-c", `ulimit -c 0; exec /usr/sbin/asterisk -f -C "$0/etc/asterisk.conf"`, s.inRoot())
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: s.root, Setsid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	exited := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(exited)
		defer out.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is the test's own doing
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.exited = cmd.Process, exited
	return os.WriteFile(s.PIDFile, fmt.Appendln(nil, s.PID()), 0o644)
}

// booted waits until the Asterisk is fully booted. AMI is asked first, since an
// Asterisk that shuts down closes it before its console.
func (s *Server) booted(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	for !s.answers() || !s.waited(ctx) {
		select {
		case <-s.exited:
			return fmt.Errorf("it ended while it booted; its log:\n%s", lastLines(s.Log(), 30))
		case <-ctx.Done():
			return fmt.Errorf("it did not boot within %v; its log:\n%s", timeout, lastLines(s.Log(), 30))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// answers says whether AMI takes connections.
func (s *Server) answers() bool {
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// waited says whether the console waited until it was fully booted; it can't when
// its socket is not there yet.
func (s *Server) waited(ctx context.Context) bool {
	out, err := s.console(ctx, "core waitfullybooted")
	return err == nil && strings.Contains(out, "fully booted")
}

// PID is the process's id. It stays the same over "core restart now".
func (s *Server) PID() int { return s.process.Pid }

// Exited is closed when the process that runs now has ended. Safe from any goroutine
// that does not race with Restart.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Kill ends the process with SIGKILL and returns when it is gone.
func (s *Server) Kill() {
	s.signal(syscall.SIGKILL)
	<-s.exited
}

// Stop stops the process with SIGSTOP and returns when each of its threads stands:
// its connections stay, nothing answers.
func (s *Server) Stop() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	timeout := time.After(bootTimeout)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !s.stands() {
		select {
		case <-again.C:
		case <-timeout:
			s.t.Fatalf("Asterisk %s does not stop", s.Name)
		}
	}
}

// stands tells whether all threads are stopped: proc_pid_stat(5).
func (s *Server) stands() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.PID()))
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		_, state, _ := strings.Cut(string(stat), ") ") // behind the name, which is in parentheses
		if err == nil && !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

// Cont lets a stopped process go on.
func (s *Server) Cont() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatalf("%v to Asterisk %s: %v", signal, s.Name, err)
	}
}

// Run starts a new process on the same ports and with the same configuration
// after the old one has ended, and does not wait until it is booted.
func (s *Server) Run() {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(bootTimeout):
		s.t.Fatalf("Asterisk %s still runs", s.Name)
	}
	if err := s.run(); err != nil {
		s.t.Fatalf("start Asterisk %s again: %v", s.Name, err)
	}
}

// Restart is Kill, Run and WaitBooted.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	s.Run()
	s.WaitBooted()
}

// WaitBooted returns when the process is fully booted. After "core restart now" it
// is to be called when the connections to the Asterisk have ended: until then it
// still is the old one.
func (s *Server) WaitBooted() {
	s.t.Helper()
	if err := s.booted(bootTimeout); err != nil {
		s.t.Fatalf("Asterisk %s: %v", s.Name, err)
	}
}

// CLI runs a command on the console ("core show channels concise") and returns
// what it prints.
func (s *Server) CLI(command string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := s.console(ctx, command)
	if err != nil {
		s.t.Fatalf("console command %q on Asterisk %s: %v: %s", command, s.Name, err, out)
	}
	return out
}

func (s *Server) console(ctx context.Context, command string) (string, error) {
	cmd := exec.CommandContext(ctx, "/usr/sbin/asterisk", "-C", s.inRoot()+"/etc/asterisk.conf", "-rx", command)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: s.root}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// end ends the process whatever state it is in.
func (s *Server) end() {
	if s.process == nil {
		return
	}
	_ = s.process.Signal(syscall.SIGKILL) // it may be gone already
	<-s.exited
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
