package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"ampd/proxy"
)

func runDaemon(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	path := configFlag(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	files, problems := proxy.Load(*path)
	if err := problems.Err(); err != nil {
		return err
	}
	log, err := files.Config.Log.NewLogger()
	if err != nil {
		return err
	}
	defer log.Sync()
	for _, w := range files.Warnings {
		log.Warn(w.String())
	}

	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	log.Info("ampd starts", zap.String("version", version()), zap.String("config", *path))
	return proxy.Run(ctx, version(), files, log, hangups, nil)
}
