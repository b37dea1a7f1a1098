package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"ampd/audit"
	"ampd/downstream"
	"ampd/history"
	"ampd/stats"
	"ampd/upstream"
)

// drainTimeout bounds how long ampd, when it is told to stop, waits for clients to take
// what is theirs, once the actions in flight are answered (see upstream's shutdown_grace).
const drainTimeout = 5 * time.Second

// Run is the daemon: it serves clients until ctx ends, then stops in order: no new
// clients, the actions in flight answered and the upstream logged off, every client told
// and let go. The error is one of starting; started is called with the
// addresses of the listeners, in their order, once all are open. hangups brings the
// process's SIGHUPs, nil for none: with each the files are read again.
func Run(ctx context.Context, version string, files Files, log *Logger, hangups <-chan os.Signal, started func([]net.Addr)) error {
	cfg, store := files.Config, files.Profiles
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	subjects, err := cfg.Rights.subjects(store)
	if err != nil {
		return err
	}
	trail, err := audit.Open(cfg.Audit, cfg.Rights.ProtectedVariables, log.Named("audit"), audit.NewMetrics(registry))
	if err != nil {
		return err
	}
	defer trail.Close()
	limits := downstream.NewLimits(cfg.Sessions)
	fanout := downstream.NewFanout(limits)
	hub := newHub(limits, subjects, fanout, log.Named("hub"), newHubMetrics(registry))
	began := time.Now()
	kept, past := history.Open(cfg.History, stats.NewCalendar(cfg.Statistics), began, log.Named("history"), history.NewMetrics(registry))
	defer kept.Close()
	hub.statistics = stats.NewBook(cfg.Statistics, subjects.state, began)
	hub.goOnWith(kept, past)
	hub.version, hub.profiles, hub.rights, hub.every, hub.audit = version, store, cfg.Rights, cfg.State.Resync.Std(), trail
	store.OnChange(hub.changed)
	defer store.OnChange(nil)
	registry.MustRegister(gauges{hub})
	up := upstream.New(cfg.Upstream, hub, log.Named("upstream"), upstream.NewMetrics(registry))
	hub.upstream = up
	server := downstream.NewServer(limits, store, hub, fanout, log.Named("downstream"), downstream.NewMetrics(registry), trail)

	open, addrs, err := openAll(cfg.Listen)
	if err != nil {
		return err
	}
	p := &parts{
		path: files.Path, cfg: cfg, store: store, log: log,
		limits: limits, hub: hub, upstream: up, trail: trail,
		open: open, ports: make(chan *downstream.Port),
	}
	defer p.closePorts()
	if cfg.HTTP.Address != "" {
		l, err := net.Listen("tcp", cfg.HTTP.Address)
		if err != nil {
			return err
		}
		h := newHTTPServer(registry, hub.ready.Load)
		defer h.Close()
		go func() { // ends with Close
			if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				log.Error("HTTP server ended", zap.Error(err))
			}
		}()
		log.Info("serving metrics", zap.Stringer("address", l.Addr()))
	}
	for _, a := range addrs {
		log.Info("listening", zap.Stringer("address", a))
	}

	var upDone, serverDone sync.WaitGroup
	upCtx, stopUp := context.WithCancel(context.Background())
	defer stopUp()
	upDone.Go(func() { _ = up.Run(upCtx) }) // ends with upCtx, without error
	serverCtx, stopServer := context.WithCancel(context.Background())
	defer stopServer()
	serverDone.Go(func() { server.Run(serverCtx, p.ports) })
	for _, l := range cfg.Listen {
		p.ports <- open[l.Address]
	}
	upDone.Go(func() { hub.resync(upCtx, up) })
	upDone.Go(func() { hub.tick(upCtx) })
	if started != nil {
		started(addrs)
	}

	for ctx.Err() == nil {
		select {
		case <-hangups:
			p.reload()
		case <-ctx.Done():
		}
	}
	log.Info("stopping")
	p.closePorts()
	close(p.ports)
	left := hub.drain() // from here on only commands under way submit their next actions
	ended := make(chan struct{})
	go func() { // ends with the last of them: each gets its answers also when the upstream has stopped
		hub.programs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(p.cfg.Upstream.ShutdownGrace.Std()):
	}
	stopUp()
	select {
	case <-left:
	case <-time.After(p.cfg.Upstream.ShutdownGrace.Std() + drainTimeout):
		log.Warn("clients are closed although answers or events still wait for them")
	}
	stopServer()
	serverDone.Wait()
	upDone.Wait()
	hub.keep(time.Now())
	log.Info("stopped")
	return nil
}

// openAll opens the listeners; open has them by their addresses in the file.
func openAll(listeners []downstream.Listener) (open map[string]*downstream.Port, addrs []net.Addr, err error) {
	open = map[string]*downstream.Port{}
	for i := range listeners {
		port, err := listeners[i].Open()
		if err != nil {
			closeAll(open)
			return nil, nil, fmt.Errorf("listener %d: %w", i+1, err)
		}
		open[listeners[i].Address] = port
		addrs = append(addrs, port.Addr())
	}
	return open, addrs, nil
}

func closeAll(open map[string]*downstream.Port) {
	for _, p := range open {
		p.Close()
	}
}
