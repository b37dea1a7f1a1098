package tests

import (
	"fmt"
	"os"
	"testing"

	"ampd/tests/daemon"
)

func TestMain(m *testing.M) {
	if os.Getenv(crowdPort) != "" {
		if err := runCrowd(); err != nil {
			fmt.Fprintln(os.Stderr, "crowd:", err)
			os.Exit(1)
		}
		return
	}
	// The race detector has each ampd wait for a second before it exits.
	if os.Getenv("GORACE") == "" {
		os.Setenv("GORACE", "atexit_sleep_ms=50")
	}
	daemon.Main(m)
}
