package profiles

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// steps are those of a write, in their order.
var steps = []string{"create", "write half", "write", "sync", "rename", "sync folder"}

// interrupted is realDisk, but what comes after each step (or, of "write half", in the
// middle of it) is asked first: an error of then ends the step without its effect.
func interrupted(then func(step string) error) disk {
	d := realDisk
	synced := false
	return disk{
		create: func(name string) (*os.File, error) {
			if err := then("create"); err != nil {
				return nil, err
			}
			synced = false
			return d.create(name)
		},
		write: func(f *os.File, text []byte) error {
			half := len(text) / 2
			if err := d.write(f, text[:half]); err != nil {
				return err
			}
			if err := then("write half"); err != nil {
				return err
			}
			if err := d.write(f, text[half:]); err != nil {
				return err
			}
			return then("write")
		},
		sync: func(f *os.File) error {
			step := "sync folder"
			if !synced {
				step, synced = "sync", true
			}
			if err := then(step); err != nil {
				return err
			}
			return d.sync(f)
		},
		rename: func(from, to string) error {
			if err := then("rename"); err != nil {
				return err
			}
			return d.rename(from, to)
		},
	}
}

// TestWriteThatFails has each step fail: nothing has changed then, in memory and on disk,
// and the next update works. Only when the folder can't be synced it is too late for that.
func TestWriteThatFails(t *testing.T) {
	for _, failing := range steps {
		t.Run(failing, func(t *testing.T) {
			h := build(t, small, "", nil)
			root := h.profile("root")
			require.NoError(t, h.store.Update(root, "wall", headers("read: agent")))
			before := h.store.now.Load()
			old, err := os.ReadFile(h.state)
			require.NoError(t, err)
			told := 0
			h.store.OnChange(func([]Change) { told++ })

			h.store.disk = interrupted(func(step string) error {
				if step == failing {
					return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
				}
				return nil
			})
			err = h.store.Update(root, "wall", headers("read: call", "secret: hunter2"))
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.NotErrorAs(t, err, new(*Refusal))
			text, readErr := os.ReadFile(h.state)
			require.NoError(t, readErr)
			if failing == "sync folder" {
				require.EqualError(t, err, "the change is in force but may be lost when power fails: write "+h.state+": no space left on device")
				require.Contains(t, string(text), "hunter2")
				require.Equal(t, 1, told)
			} else {
				require.EqualError(t, err, "nothing was changed: write "+h.state+": no space left on device")
				require.Equal(t, string(old), string(text))
				require.Same(t, before, h.store.now.Load())
				require.Zero(t, told)
			}
			require.Equal(t, h.store.List(), h.open().List())
			left, err := os.ReadDir(filepath.Dir(h.state))
			require.NoError(t, err)
			require.Len(t, left, 1, "nothing else lies there")

			h.store.disk = realDisk
			require.NoError(t, h.store.Update(root, "wall", headers("read: all")))
			require.Equal(t, h.store.List(), h.open().List())
		})
	}
}

// TestWriteIsDurable: the text is synced before it gets its name, and the name before
// Update returns.
func TestWriteIsDurable(t *testing.T) {
	h := build(t, small, "", nil)
	var done []string
	h.store.disk = interrupted(func(step string) error { done = append(done, step); return nil })
	sync := h.store.disk.sync
	h.store.disk.sync = func(f *os.File) error {
		done = append(done, f.Name())
		return sync(f)
	}
	require.NoError(t, h.store.Update(h.profile("root"), "wall", headers("read: agent")))
	require.Equal(t, []string{"create", "write half", "write", h.state + ".new", "sync", "rename", filepath.Dir(h.state), "sync folder"}, done)
}

// TestDiskFull fills a small file system.
func TestDiskFull(t *testing.T) {
	h := build(t, small, "", nil)
	folder := t.TempDir()
	if err := syscall.Mount("none", folder, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	h.state = filepath.Join(folder, "profiles.toml")
	h.store = h.open()
	root := h.profile("root")
	require.NoError(t, h.store.Update(root, "wall", headers("read: agent")))
	filler := filepath.Join(folder, "filler")
	require.ErrorIs(t, os.WriteFile(filler, make([]byte, 1<<20), 0o600), syscall.ENOSPC)

	want := "nothing was changed: write " + h.state + ": no space left on device"
	require.EqualError(t, h.store.Update(root, "wall", headers("read: all")), want)
	require.EqualError(t, h.store.Delete(root, "wall"), want)
	require.Equal(t, h.store.List(), h.open().List())
	require.NoError(t, os.Remove(filler))
	require.NoError(t, h.store.Update(root, "wall", headers("read: all")))
	require.Equal(t, h.store.List(), h.open().List())
}

func TestFolderThatIsNotThere(t *testing.T) {
	h := build(t, small, "", nil)
	h.state = filepath.Join(t.TempDir(), "none", "profiles.toml")
	h.store = h.open()
	require.EqualError(t, h.store.Update(h.profile("root"), "wall", headers("read: all")),
		"nothing was changed: write "+h.state+": no such file or directory")
	require.NoError(t, os.WriteFile(filepath.Dir(h.state), nil, 0o600))
	_, problems := Open(h.people, h.state, nil)
	require.EqualError(t, problems.Err(), h.state+": cannot be read: not a directory")
}

// Environment of a child of these tests: its files, and the step at which it dies.
const (
	childPeople = "AMPD_TEST_PEOPLE"
	childState  = "AMPD_TEST_STATE"
	childDies   = "AMPD_TEST_DIES"
)

func TestMain(m *testing.M) {
	if os.Getenv(childPeople) != "" {
		fmt.Fprintln(os.Stderr, child())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child updates a profile in a loop, its max_sessions one more each time, and says each
// number when Update has returned. It ends by a kill, or the error.
func child() error {
	store, problems := Open(os.Getenv(childPeople), os.Getenv(childState), nil)
	if err := problems.Err(); err != nil {
		return err
	}
	root, _ := store.Lookup("root")
	if step := os.Getenv(childDies); step != "" {
		store.disk = interrupted(func(now string) error {
			if now == step {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // until it has come
			}
			return nil
		})
	}
	wall, _ := store.Lookup("wall")
	for n := wall.MaxSessions + 1; ; n++ {
		if err := store.Update(root, "wall", headers("max_sessions: "+strconv.Itoa(n), "queues: "+strings.Repeat("q", 1+n%5000))); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// start runs a child on h's files.
func (h *files) start(step string) (*exec.Cmd, *bufio.Scanner) {
	h.t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childPeople+"="+h.people, childState+"="+h.state, childDies+"="+step)
	c.Stderr = os.Stderr
	said, err := c.StdoutPipe()
	require.NoError(h.t, err)
	require.NoError(h.t, c.Start())
	h.t.Cleanup(func() { _ = c.Process.Kill() })
	return c, bufio.NewScanner(said)
}

// reached is what the files have of what a child did.
func (h *files) reached() int {
	h.t.Helper()
	p, ok := h.open().Lookup("wall")
	require.True(h.t, ok)
	return p.MaxSessions
}

func requireKilled(t *testing.T, c *exec.Cmd) {
	t.Helper()
	failed, ok := errors.AsType[*exec.ExitError](c.Wait())
	require.True(t, ok)
	require.Equal(t, syscall.SIGKILL, failed.Sys().(syscall.WaitStatus).Signal())
}

// TestKilledAtEachStep leaves the old file or the new one, and what was left half done is
// in nobody's way.
func TestKilledAtEachStep(t *testing.T) {
	h := build(t, small, "", nil)
	require.NoError(t, h.store.Update(h.profile("root"), "wall", headers("max_sessions: 1")))
	for _, step := range steps {
		before := h.reached()
		c, said := h.start(step)
		require.False(t, said.Scan(), "nothing is said before it is done")
		requireKilled(t, c)
		want := before
		if step == "sync folder" {
			want++
		}
		require.Equal(t, want, h.reached(), step)
	}
}

// TestKilledAtAnyTime kills a process again and again while it updates: what Update had
// returned is there, and the file can be read.
func TestKilledAtAnyTime(t *testing.T) {
	h := build(t, small, "", nil)
	for round := range 20 {
		before := h.reached()
		c, said := h.start("")
		for range round % 4 {
			require.True(t, said.Scan())
		}
		require.NoError(t, c.Process.Kill())
		last := before
		for more := true; more; more = said.Scan() {
			if n, err := strconv.Atoi(said.Text()); err == nil {
				last = n
			}
		}
		requireKilled(t, c)
		require.Contains(t, []int{last, last + 1}, h.reached())
	}
	require.Greater(t, h.reached(), 20)
}
