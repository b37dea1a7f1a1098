package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// A command is one of ampd's subcommands. Its error is printed and makes ampd exit
// with 1; errUsage, which was explained already, with 2.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, args []string) error
}

var commands = []command{
	{"run", "serve clients (the default)", runDaemon},
	{"demo", "serve clients in front of a simulated call centre", runDemo},
	{"check", "name every mistake in ampd.toml and profiles.toml", runCheck},
	{"profiles", "list the profiles, and which file each comes from", runProfiles},
	{"report", "report from the history: queues, agents, or callers to call back", runReport},
	{"hash-secret", "read a secret from standard input, print its hash for secret_hash", runHashSecret},
	{"version", "print ampd's version", runVersion},
}

var errUsage = errors.New("usage")

func main() {
	if err := forbidCoreDumps(); err != nil {
		fmt.Fprintln(os.Stderr, "ampd:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	switch err := dispatch(ctx, os.Args[1:]); {
	case err == nil:
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "ampd:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string) error {
	name := "run"
	switch {
	case len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]):
		usage(os.Stdout)
		return nil
	case len(args) > 0 && args[0] != "" && args[0][0] != '-':
		name, args = args[0], args[1:]
	}
	for _, c := range commands {
		if c.name == name {
			return c.run(ctx, args)
		}
	}
	fmt.Fprintf(os.Stderr, "ampd: no such command: %s\n", name)
	usage(os.Stderr)
	return errUsage
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "Usage: ampd [COMMAND] [FLAGS]")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "ampd COMMAND -h names a command's flags.")
}

// parse reads the flags of a command that takes no further arguments.
func parse(fs *flag.FlagSet, args []string) error {
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		return errUsage // fs has said it
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "ampd %s: unexpected argument: %s\n", fs.Name(), fs.Arg(0))
		return errUsage
	}
	return nil
}

// configFlag is where ampd.toml is.
func configFlag(fs *flag.FlagSet) *string {
	return fs.String("config", "/etc/ampd/ampd.toml", "the `file` ampd.toml; profiles.toml lies beside it")
}
