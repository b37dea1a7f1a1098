package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
)

// release is ampd's version.
const release = "0.1.0"

func version() string { return release }

func runVersion(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("version", flag.ContinueOnError)
	if err := parse(fs, args); err != nil {
		return err
	}
	fmt.Printf("ampd %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
