package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"ampd/config"
	"ampd/history"
	"ampd/proxy"
	"ampd/report"
	"ampd/stats"
)

func runReport(ctx context.Context, args []string) error {
	return printReport(ctx, os.Stdout, args, time.Now())
}

// printReport writes a report, whole or not at all.
func printReport(ctx context.Context, w io.Writer, args []string, now time.Time) error {
	request := report.Request{Subject: "queues"}
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	path := configFlag(fs)
	from := fs.String("from", "", "the first `day`: YEAR-MONTH-DAY, today (the default) or yesterday")
	to := fs.String("to", "", "the last `day`; by default today, with \"-from yesterday\" that one")
	fs.StringVar(&request.Queue, "queue", "", "only this `queue`")
	fs.StringVar(&request.Agent, "agent", "", "only this `agent` (MemberName)")
	fs.StringVar(&request.By, "by", "", "\"hour\" or \"day\": figures of each instead of those of all days together")
	fs.StringVar(&request.Format, "format", "table", "table, csv or json")
	fs.Usage = func() {
		fmt.Fprintln(fs.Output(), "Usage: ampd report [FLAGS] [queues|agents|abandoned]")
		fs.PrintDefaults()
	}
	for rest := args; ; {
		switch err := fs.Parse(rest); {
		case errors.Is(err, flag.ErrHelp):
			return nil
		case err != nil:
			return errUsage // fs has said it
		}
		if fs.NArg() == 0 {
			break
		}
		request.Subject, rest = fs.Arg(0), fs.Args()[1:] // flags may stand behind it
		if !slices.Contains(report.Subjects, request.Subject) {
			return misused("there is no report of %q: want %s", request.Subject, strings.Join(report.Subjects, ", "))
		}
	}
	if err := checkRequest(&request); err != nil {
		return err
	}

	cfg := proxy.DefaultConfig()
	if problems := config.Read(*path, cfg); len(problems) > 0 {
		return problems.Err()
	}
	if cfg.History.File == "" {
		return fmt.Errorf("no history is kept: [history] file of %s is not set", *path)
	}
	calendar := stats.NewCalendar(cfg.Statistics)
	if err := days(&request, *from, *to, calendar, now); err != nil {
		return err
	}
	reader, err := history.OpenReader(ctx, cfg.History.File)
	if err != nil {
		return err
	}
	defer reader.Close()
	var b bytes.Buffer
	if err := report.Write(ctx, &b, reader, calendar, request); err != nil {
		return err
	}
	_, err = b.WriteTo(w)
	return err
}

// misused explains what is wrong with the arguments.
func misused(format string, args ...any) error {
	fmt.Fprintf(os.Stderr, "ampd report: "+format+"\n", args...)
	return errUsage
}

func checkRequest(r *report.Request) error {
	switch {
	case !slices.Contains(report.Formats, r.Format):
		return misused("-format is %q: want %s", r.Format, strings.Join(report.Formats, ", "))
	case r.By != "" && r.By != "day" && r.By != "hour":
		return misused("-by is %q: want hour or day", r.By)
	case r.By != "" && r.Subject == "abandoned":
		return misused("-by has no meaning for abandoned")
	case r.Agent != "" && r.Subject != "agents":
		return misused("-agent has a meaning only for agents")
	}
	return nil
}

// days says of which days the report is: today where none is given, up to today where only -from is
// (but yesterday alone is that day), and that day alone where only -to is.
func days(r *report.Request, from, to string, calendar stats.Calendar, now time.Time) error {
	for text, day := range map[*string]*string{&from: &r.From, &to: &r.To} {
		var err error
		if *day, err = dayCalled(*text, calendar, now); err != nil {
			return misused("%v", err)
		}
	}
	switch {
	case from == "yesterday" && to == "":
		r.To = r.From
	case from == "":
		r.From = r.To
	}
	if r.To < r.From {
		return misused("-to %s is before -from %s", r.To, r.From)
	}
	return nil
}

// dayCalled is a day as it is written, today for "".
func dayCalled(text string, calendar stats.Calendar, now time.Time) (string, error) {
	today := calendar.Hour(now).Day
	switch text {
	case "", "today":
		return today, nil
	case "yesterday":
		return calendar.Before(today), nil
	}
	begin, err := calendar.Begin(text)
	if err != nil {
		return "", err
	}
	return calendar.Hour(begin).Day, nil
}
