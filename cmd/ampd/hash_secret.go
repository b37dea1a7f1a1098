package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"ampd/profiles"
)

func runHashSecret(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("hash-secret", flag.ContinueOnError)
	if err := parse(fs, args); err != nil {
		return err
	}
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprint(os.Stderr, "Secret (it is shown): ")
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimRight(line, "\r\n")
	if secret == "" {
		return errors.New("no secret on standard input")
	}
	hash, err := profiles.HashSecret(secret)
	if err != nil {
		return err
	}
	fmt.Println(hash)
	return nil
}
