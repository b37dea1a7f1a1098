package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A workshop holds what is built for a run, in a folder of its own, and keeps the
// processors awake.
type workshop struct {
	dir         string
	ampd, relay string   // the binaries
	awake       *process // nil where they may sleep
}

// newWorkshop builds the programs in C, and ampd as it is shipped, unless the path of
// one that is built already is given.
func newWorkshop(built string, awake bool) (*workshop, error) {
	dir, err := os.MkdirTemp("", "ampd-bench-")
	if err != nil {
		return nil, err
	}
	w := &workshop{dir: dir, ampd: built, relay: filepath.Join(dir, "relay")}
	if err := w.prepare(awake); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *workshop) prepare(awake bool) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	stayer := filepath.Join(w.dir, "awake")
	if err := errors.Join(
		build(root, "cc", "-O2", "-Wall", "-o", w.relay, "tests/bench/relay/relay.c"),
		build(root, "cc", "-O2", "-Wall", "-o", stayer, "tests/bench/awake/awake.c"),
	); err != nil {
		return err
	}
	if w.ampd == "" {
		w.ampd = filepath.Join(w.dir, "ampd")
		if err := build(root, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", w.ampd, "./cmd/ampd"); err != nil {
			return err
		}
	}
	if awake {
		w.awake, err = launch("awake", true, stayer)
	}
	return err
}

func build(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

func (w *workshop) close() {
	if w.awake != nil {
		w.awake.stop()
	}
	os.RemoveAll(w.dir)
}
