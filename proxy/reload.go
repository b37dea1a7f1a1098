package proxy

import (
	"fmt"

	"go.uber.org/zap"

	"ampd/audit"
	"ampd/config"
	"ampd/downstream"
	"ampd/profiles"
	"ampd/upstream"
)

// parts are what a SIGHUP changes. They belong to the goroutine of Run.
type parts struct {
	path string  // of ampd.toml
	cfg  *Config // in force

	store    *profiles.Store
	log      *Logger
	limits   *downstream.Limits
	hub      *Hub
	upstream *upstream.Client
	trail    *audit.Log
	open     map[string]*downstream.Port // by the addresses in the file
	ports    chan *downstream.Port       // to the server
}

// reload does what a SIGHUP asks for: it reads ampd.toml and the profiles and puts all in
// force, or names every mistake and leaves all as it was. The audit log is opened again in
// any case.
func (p *parts) reload() {
	p.trail.Reopen()
	next := DefaultConfig()
	problems := config.Read(p.path, next)
	late := config.Keep(next, p.cfg)
	var r *ready
	if len(problems) == 0 {
		r, problems = p.prepare(next)
	}
	if len(problems) > 0 {
		problems = append(problems, p.store.Check()...)
	} else if problems = p.store.Reload(); len(problems) > 0 {
		r.drop()
	}
	if len(problems) > 0 {
		for _, problem := range problems {
			p.log.Error("SIGHUP: " + problem.String())
		}
		p.log.Error("SIGHUP: all stays as it was", zap.Int("mistakes", len(problems)))
		return
	}
	p.use(r)
	for _, key := range late {
		p.log.Warn("SIGHUP: " + key + " changes only with a restart")
	}
	for _, w := range warnings(p.path, p.store) {
		p.log.Warn("SIGHUP: " + w.String())
	}
	p.log.Info("SIGHUP: ampd.toml and the profiles were read again")
}

// ready is a configuration of which nothing can fail any more. It is used or dropped.
type ready struct {
	cfg     *Config
	opened  map[string]*downstream.Port   // listeners that there were not
	manners map[string]*downstream.Manner // of those that stay
	trail   *audit.Change
}

func (r *ready) drop() {
	closeAll(r.opened)
	if r.trail != nil {
		r.trail.Drop()
	}
}

// prepare opens and reads what next names. With any problem nothing is left of that.
func (p *parts) prepare(next *Config) (*ready, config.Problems) {
	r := &ready{cfg: next, opened: map[string]*downstream.Port{}, manners: map[string]*downstream.Manner{}}
	var problems config.Problems
	failed := func(key string, err error) {
		problems = append(problems, config.Find(p.path, key, err.Error()))
	}
	for i := range next.Listen {
		l := &next.Listen[i]
		var err error
		if _, open := p.open[l.Address]; open {
			r.manners[l.Address], err = l.Manner()
		} else if port, cause := l.Open(); cause == nil {
			r.opened[l.Address] = port
		} else {
			err = cause
		}
		if err != nil {
			failed(fmt.Sprintf("listen[%d].address", i), err)
		}
	}
	var err error
	if r.trail, err = p.trail.Prepare(next.Audit, next.Rights.ProtectedVariables); err != nil {
		failed("audit.file", err)
	}
	if len(problems) > 0 {
		r.drop()
		return nil, problems
	}
	return r, nil
}

// use puts what is ready in force, each part at a moment that suits it.
func (p *parts) use(r *ready) {
	p.cfg = r.cfg
	_ = p.log.level.UnmarshalText([]byte(r.cfg.Log.Level)) // is one of its names
	p.trail.Apply(r.trail)
	p.hub.setRights(r.cfg.Rights)
	p.hub.setResync(r.cfg.State.Resync.Std())
	p.limits.Set(r.cfg.Sessions)
	p.upstream.Configure(r.cfg.Upstream)
	for address, port := range p.open {
		if m, stays := r.manners[address]; stays {
			port.Serve(m)
			continue
		}
		delete(p.open, address)
		port.Close()
		p.log.Info("not listening any more", zap.Stringer("address", port.Addr()))
	}
	for address, port := range r.opened {
		p.open[address] = port
		p.ports <- port
		p.log.Info("listening", zap.Stringer("address", port.Addr()))
	}
}

// closePorts has no more clients come.
func (p *parts) closePorts() { closeAll(p.open) }
