package simulator

import (
	"math/rand/v2"
	"strings"
	"time"

	"ampd/codec"
)

// A centre is the call centre and the Asterisk it runs on. All of it is guarded by
// Server.mu.
type centre struct {
	cfg  Config
	emit func(class codec.Classes, raw []byte) // to every session; copies raw

	schedule schedule
	clock    time.Time // the moment that is happening
	started  time.Time
	booted   bool
	chance   *rand.Rand // who calls, and bridges' ids

	uniqueids int64
	names     map[string]int // by technology
	scratch   []byte

	channels  []*channel // the oldest first
	bridges   []*bridge
	queues    []*queue
	phones    []*phone
	trunk     *phone
	devices   []*device
	globals   map[string]string
	database  map[string]string // by /family/key
	processed int               // calls since the start
}

func newCentre(cfg Config, now time.Time, emit func(codec.Classes, []byte)) *centre {
	c := &centre{
		cfg: cfg, emit: emit, clock: now, started: now,
		chance:  newChance(cfg.Seed, 0),
		names:   make(map[string]int),
		globals: make(map[string]string), database: make(map[string]string),
	}
	c.trunk = c.newPhone("trunk", "")
	for _, q := range cfg.Queues {
		c.newQueue(q)
	}
	for i, a := range cfg.Agents {
		p := c.newPhone(a.Extension, a.Name)
		for _, name := range a.Queues {
			q := c.queue(name)
			q.members = append(q.members, &member{
				queue: q, name: a.Name, iface: p.device.name, stateInterface: p.device.name,
				membership: "static", penalty: a.Penalty, login: now.Unix(), phone: p,
			})
		}
		if !cfg.Quiet && len(a.Queues) > 0 {
			w := &worker{c: c, phone: p, chance: newChance(cfg.Seed, uint64(i)+1)}
			c.after(cfg.Boot, w.work)
		}
	}
	for _, q := range c.queues {
		q.update()
		for _, m := range q.members {
			m.updatePause()
		}
	}
	if cfg.CallsPerMinute > 0 {
		c.after(cfg.Boot, c.nextCaller)
	}
	return c
}

// newChance is the n-th source of chance of a seed.
func newChance(seed, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(scatter(seed), scatter(n)))
}

// scatter spreads small numbers over all bits (the finalizer of SplitMix64): the
// first numbers of a PCG hardly tell neighbouring seeds apart.
func scatter(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// advance lets everything happen that is due by now.
func (c *centre) advance(now time.Time) {
	for t := c.schedule.due(now); t != nil; t = c.schedule.due(now) {
		c.clock = t.at
		do := t.do
		t.do = nil
		do()
	}
	if now.After(c.clock) {
		c.clock = now
	}
}

// after has something happen later, at once if d is not positive but never inside
// the caller.
func (c *centre) after(d time.Duration, do func()) *task {
	return c.schedule.add(c.clock.Add(max(d, 0)), do)
}

// paced is how long something takes here that takes d in life.
func (c *centre) paced(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.cfg.Pace)
}

// between is a duration from low to high, paced.
func (c *centre) between(r *rand.Rand, low, high time.Duration) time.Duration {
	return c.paced(low + time.Duration(r.Int64N(int64(high-low))))
}

// some is a duration of mean on average and at least a tenth of that, paced.
func (c *centre) some(r *rand.Rand, mean time.Duration) time.Duration {
	return c.paced(mean/10 + time.Duration(r.ExpFloat64()*float64(mean)*0.9))
}

// fullyBooted says so, once.
func (c *centre) fullyBooted() {
	c.booted = true
	c.event("FullyBooted", codec.System).int("Uptime", c.uptime()).int("LastReload", c.uptime()).
		add("Status", "Fully Booted").send()
}

// uptime is in seconds.
func (c *centre) uptime() int64 { return int64(c.clock.Sub(c.started) / time.Second) }

func (c *centre) setGlobal(name, value string) {
	c.globals[name] = value
	c.event("VarSet", codec.Dialplan).add("Channel", "none").add("Uniqueid", "none").
		add("Variable", name).add("Value", value).send()
}

func (c *centre) queue(name string) *queue {
	for _, q := range c.queues {
		if strings.EqualFold(q.Name, name) {
			return q
		}
	}
	return nil
}

func (c *centre) queueAt(exten string) *queue {
	for _, q := range c.queues {
		if q.Extension == exten {
			return q
		}
	}
	return nil
}

func (c *centre) phoneAt(exten string) *phone {
	for _, p := range c.phones {
		if p.exten == exten && p != c.trunk {
			return p
		}
	}
	return nil
}

// phoneOf finds the phone of an interface such as PJSIP/1001.
func (c *centre) phoneOf(iface string) *phone {
	for _, p := range c.phones {
		if strings.EqualFold(p.device.name, iface) {
			return p
		}
	}
	return nil
}
