package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"ampd/proxy"
)

func runCheck(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	path := configFlag(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	files, problems := proxy.Load(*path)
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	switch n := len(problems); n {
	case 0:
		for _, w := range files.Warnings {
			fmt.Fprintln(os.Stderr, "warning:", w)
		}
		fmt.Println("ok")
		return nil
	case 1:
		return errors.New("1 mistake")
	default:
		return fmt.Errorf("%d mistakes", n)
	}
}
