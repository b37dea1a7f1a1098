package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"ampd/config"
	"ampd/downstream"
	"ampd/profiles"
	"ampd/proxy"
	"ampd/simulator"
)

// demoProfiles are those who may log in to the demo.
const demoProfiles = `
[[profile]]
name = "demo"
secret = "demo"
types = ["administrator"]
read = ["all"]
write = ["all"]

[[profile]]
name = "wall"
secret = "wall"
types = ["monitor"]
read = ["call", "agent"]
`

const demoHelp = `
A simulated call centre is running, and ampd stands in front of it.

  Clients connect to   %[1]s
  and log in as        demo / demo  (administrator: sees and does everything)
                       wall / wall  (monitor: sees calls and agents, changes nothing)
%[3]s
Try, each line in a terminal of its own:

  1. Who waits, who talks: all queues, their members and callers

     printf 'Action: Login\r\nUsername: wall\r\nSecret: wall\r\nEvents: off\r\n\r\nAction: QueueStatus\r\n\r\nAction: Logoff\r\n\r\n' | nc -N %[2]s

  2. What happens, as it happens (Ctrl-C ends it)

     (printf 'Action: Login\r\nUsername: wall\r\nSecret: wall\r\nEvents: agent\r\n\r\n'; cat) | nc %[2]s

  3. Call somebody into a queue, and watch it in the second terminal

     printf 'Action: Login\r\nUsername: demo\r\nSecret: demo\r\nEvents: off\r\n\r\nAction: Originate\r\nChannel: %[4]s\r\nContext: %[5]s\r\nExten: %[6]s\r\nPriority: 1\r\nAsync: true\r\n\r\nAction: Logoff\r\n\r\n' | nc -N %[2]s

  4. The first in XML, as clients of the classic ampd protocol have it

     printf '<command action="login" user="wall" secret="wall" type="monitor" format="xml" events="off" /><command action="QueueInfo" queue="sales" /><command action="logoff" />' | nc -N %[2]s

Ctrl-C stops the demo.

`

func runDemo(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	listen := fs.String("listen", "127.0.0.1:5038", "`host:port` where clients connect; another port is taken if that is in use")
	web := fs.String("http", "", "`host:port` of /metrics, /healthz and /readyz; none by default")
	seed := fs.Uint64("seed", 1, "what decides who calls when")
	calls := fs.Float64("calls", 12, "callers a minute, on average")
	pace := fs.Float64("pace", 1, "how many times faster than in life rings, talks and patience pass")
	level := fs.String("log", "warn", "log `level`: debug, info, warn or error")
	if err := parse(fs, args); err != nil {
		return err
	}

	centre, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address, err := freeAddress(*listen)
	if err != nil {
		return err
	}
	store, problems := profiles.Parse("demo", demoProfiles, nil)
	if err := problems.Err(); err != nil {
		return err
	}
	cfg := proxy.DefaultConfig()
	cfg.Upstream.Address = centre.Addr().String()
	cfg.Upstream.Username = simulator.DefaultUser.Name
	cfg.Upstream.Secret = config.Secret(simulator.DefaultUser.Secret)
	listener := downstream.Listener{Address: address}
	listener.Defaults()
	cfg.Listen = []downstream.Listener{listener}
	cfg.HTTP.Address = *web
	cfg.Log = proxy.LogConfig{Level: *level, Format: "console"}
	log, err := cfg.Log.NewLogger()
	if err != nil {
		return err
	}
	defer log.Sync()

	// The call centre outlives ampd, which logs off from it.
	centreCtx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		s := simulator.New(simulator.Config{Seed: *seed, CallsPerMinute: *calls, Pace: *pace, WriteTimeout: time.Second})
		if err := s.Serve(centreCtx, centre); err != nil {
			log.Error("the simulated call centre ended", zap.Error(err))
		}
	})
	defer running.Wait()
	defer stop()

	return proxy.Run(ctx, version(), proxy.Files{Config: cfg, Profiles: store}, log, nil, func(addrs []net.Addr) {
		host, port, _ := net.SplitHostPort(addrs[0].String()) // is an address of a socket
		var metrics string
		if *web != "" {
			metrics = fmt.Sprintf("  Metrics are at       http://%s/metrics\n", *web)
		}
		fmt.Fprintf(os.Stdout, demoHelp, addrs[0], host+" "+port, metrics,
			"Local/caller@callers", "queue-entry", "600")
	})
}

// freeAddress returns address, or one with a port of the kernel's choice where
// somebody listens there already.
func freeAddress(address string) (string, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return address, l.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		host, _, err := net.SplitHostPort(address)
		return net.JoinHostPort(host, "0"), err
	default:
		return "", err
	}
}
