package downstream

import (
	"sync/atomic"
	"time"

	"ampd/config"
)

// Config bounds what clients may take of this machine.
type Config struct {
	// AuthTimeout is how long a connection may stay without a login.
	AuthTimeout config.Duration `toml:"auth_timeout" min:"1s" max:"10m"`

	// MaxUnauthenticated is how many connections may be without a login at
	// once, in all and for each address; one more is closed without a byte.
	MaxUnauthenticated           int `toml:"max_unauthenticated" min:"1" max:"100000"`
	MaxUnauthenticatedPerAddress int `toml:"max_unauthenticated_per_address" min:"1" max:"100000"`

	// MaxQueued is how many actions of one session may wait behind the one that
	// runs before ampd stops reading that client.
	MaxQueued int `toml:"max_queued" min:"1" max:"10000"`

	// OrderHold is how long a session's events wait for the answer to its action
	// to begin, so that the answer comes first.
	OrderHold config.Duration `toml:"order_hold" min:"0s" max:"1m"`

	// Coalesce is how long an event may wait for others, so that one write takes
	// them all to a client.
	Coalesce config.Duration `toml:"coalesce" min:"0s" max:"1s"`

	// BacklogBytes and BacklogTime bound what waits for a client to read: a
	// session over one of them is closed. BacklogBytes bounds, with that, what one
	// that can be resumed keeps of what it has written.
	BacklogBytes config.Size     `toml:"backlog_bytes" min:"64KiB" max:"1GiB"`
	BacklogTime  config.Duration `toml:"backlog_time" min:"100ms" max:"10m"`

	// ResumeWindow is how long a session that can be resumed outlives its
	// connection. Within BacklogBytes each and parkedBacklogs times that together
	// such sessions go on collecting.
	ResumeWindow config.Duration `toml:"resume_window" min:"1s" max:"1h"`
}

// Check reports what one key can't tell.
func (c *Config) Check(report func(key, problem string)) {
	if 2*c.Coalesce >= c.BacklogTime {
		report("coalesce", "must be less than half of backlog_time")
	}
}

// DefaultConfig is in force where the configuration says nothing.
func DefaultConfig() Config {
	return Config{
		AuthTimeout:                  config.Duration(30 * time.Second),
		MaxUnauthenticated:           200,
		MaxUnauthenticatedPerAddress: 50,
		MaxQueued:                    100,
		OrderHold:                    config.Duration(2 * time.Second),
		BacklogBytes:                 16 << 20,
		BacklogTime:                  config.Duration(20 * time.Second),
		ResumeWindow:                 config.Duration(time.Minute),
	}
}

// Limits are the [Config] in force, which another may take the place of while clients are
// served. What AuthTimeout and MaxQueued say holds for connections that come later,
// everything else for those that are there too.
type Limits struct{ now atomic.Pointer[limits] }

type limits struct {
	Config
	since time.Time // when BacklogTime was changed, zero where it never was
}

// NewLimits returns limits that are as cfg says.
func NewLimits(cfg Config) *Limits {
	l := &Limits{}
	l.now.Store(&limits{Config: cfg})
	return l
}

// Get returns what is in force, which is not to be changed.
func (l *Limits) Get() *Config { return &l.now.Load().Config }

// Set puts cfg in force.
func (l *Limits) Set(cfg Config) {
	next := &limits{Config: cfg, since: l.now.Load().since}
	if cfg.BacklogTime != l.Get().BacklogTime {
		next.since = time.Now()
	}
	l.now.Store(next)
}

// deadline is when what waits since then waits too long. What waited already when
// BacklogTime was changed counts from that moment: how long it had waited is known only
// as exactly as the old BacklogTime asked for.
func (l *Limits) deadline(since time.Time) time.Time {
	now := l.now.Load()
	if since.Before(now.since) {
		since = now.since
	}
	return since.Add(now.BacklogTime.Std())
}
