package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"ampd/profiles"
	"ampd/proxy"
)

func runProfiles(_ context.Context, args []string) error {
	fs := flag.NewFlagSet("profiles", flag.ContinueOnError)
	path := configFlag(fs)
	state := fs.String("state", "", "another `file` with the changes made at run time")
	if err := parse(fs, args); err != nil {
		return err
	}
	files, problems := proxy.Load(*path)
	store := files.Profiles
	if *state != "" && len(problems) == 0 {
		store, problems = profiles.Open(filepath.Join(filepath.Dir(*path), proxy.ProfilesFile), *state, nil)
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return printProfiles(os.Stdout, store)
}

// printProfiles writes a table with a line for each profile, without any secret.
func printProfiles(w io.Writer, store *profiles.Store) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tTYPES\tFLAGS\tFILE")
	for _, p := range store.Profiles() {
		types := make([]string, len(p.Types))
		for i, t := range p.Types {
			types[i] = string(t)
		}
		var flags []string
		for _, f := range []struct {
			name string
			has  bool
		}{
			{"disabled", p.Disabled},
			{"admin", p.Admin},
			{"dangerous", p.Dangerous},
			{"trust", len(p.Trust) > 0},
			{"limited", len(p.Queues)+len(p.Contexts)+len(p.Channels) > 0},
		} {
			if f.has {
				flags = append(flags, f.name)
			}
		}
		if len(flags) == 0 {
			flags = []string{"-"}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", p.Name, strings.Join(types, ","), strings.Join(flags, ","), store.File(p))
	}
	return table.Flush()
}
