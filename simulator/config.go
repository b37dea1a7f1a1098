package simulator

import (
	"strconv"
	"time"

	"ampd/codec"
)

// Config describes a call centre. The zero value is the demo's: eight agents in
// three queues, two phones besides, twelve calls a minute.
type Config struct {
	// Seed decides everything that is left to chance.
	Seed uint64

	// SystemName is asterisk.conf's systemname: in every event and every Uniqueid.
	// Empty: "callcentre".
	SystemName string

	// Users may log in. None: [DefaultUser].
	Users []User

	// Queues, and the agents in them. No agents: those of the demo.
	// A queue that only an agent names is made with default values.
	Queues []Queue
	Agents []Agent

	// CallsPerMinute is how many callers come, on average. Zero: 12; negative: none.
	// An answered call is some 140 events.
	CallsPerMinute float64

	// Pace is how many times faster than in life rings, talks, patience and pauses
	// pass. Zero: 1, where a talk lasts 25 s on average.
	Pace float64

	// Quiet agents never pause by themselves.
	Quiet bool

	// Boot is the time from Serve to FullyBooted. Until then logins work and no
	// caller comes.
	Boot time.Duration

	// WriteTimeout ends a session whose client does not read. Zero: 100 ms, as in
	// Asterisk.
	WriteTimeout time.Duration
}

// A User is an account of manager.conf. Read are the classes whose events it sees,
// Write those whose actions it runs.
type User struct {
	Name, Secret string
	Read, Write  codec.Classes
}

// DefaultUser is the account of a Config without Users.
var DefaultUser = User{Name: "ampd", Secret: "ampdsecret", Read: codec.All, Write: codec.All}

// A Queue is a section of queues.conf. Calls to Extension join it.
type Queue struct {
	Name         string
	Extension    string // empty: 600, 601 ... in their order
	Strategy     string // rrmemory (also when empty), leastrecent, fewestcalls or random
	ServiceLevel int    // seconds; zero: 20
}

// An Agent is a phone, PJSIP/Extension, and the static members it is.
type Agent struct {
	Extension string // "1001"
	Name      string
	Queues    []string
	Penalty   int
}

func (cfg Config) withDefaults() Config {
	if cfg.SystemName == "" {
		cfg.SystemName = "callcentre"
	}
	if len(cfg.Users) == 0 {
		cfg.Users = []User{DefaultUser}
	}
	if len(cfg.Agents) == 0 {
		cfg.Agents = demoAgents
		if len(cfg.Queues) == 0 {
			cfg.Queues = demoQueues
		}
	}
	cfg.Queues = completeQueues(cfg.Queues, cfg.Agents)
	if cfg.CallsPerMinute == 0 {
		cfg.CallsPerMinute = 12
	}
	if cfg.Pace <= 0 {
		cfg.Pace = 1
	}
	if cfg.WriteTimeout <= 0 {
		cfg.WriteTimeout = 100 * time.Millisecond
	}
	return cfg
}

func completeQueues(queues []Queue, agents []Agent) []Queue {
	queues = append([]Queue(nil), queues...)
	known := make(map[string]bool)
	for _, q := range queues {
		known[q.Name] = true
	}
	for _, a := range agents {
		for _, name := range a.Queues {
			if !known[name] {
				known[name] = true
				queues = append(queues, Queue{Name: name})
			}
		}
	}
	for i := range queues {
		q := &queues[i]
		if q.Extension == "" {
			q.Extension = strconv.Itoa(600 + i)
		}
		if q.Strategy == "" {
			q.Strategy = "rrmemory"
		}
		if q.ServiceLevel == 0 {
			q.ServiceLevel = 20
		}
	}
	return queues
}

var demoQueues = []Queue{
	{Name: "support", Strategy: "rrmemory", ServiceLevel: 20},
	{Name: "sales", Strategy: "leastrecent", ServiceLevel: 10},
	{Name: "billing", Strategy: "fewestcalls", ServiceLevel: 30},
}

var demoAgents = []Agent{
	{Extension: "1001", Name: "Alice Archer", Queues: []string{"support"}},
	{Extension: "1002", Name: "Bob Baker", Queues: []string{"support", "billing"}},
	{Extension: "1003", Name: "Carol O'Dea", Queues: []string{"support"}, Penalty: 1},
	{Extension: "1004", Name: "Dave Dyer", Queues: []string{"support", "sales"}, Penalty: 1},
	{Extension: "1005", Name: "Eve Ebner", Queues: []string{"sales"}},
	{Extension: "1006", Name: "Frank Fiedler", Queues: []string{"sales", "billing"}},
	{Extension: "1007", Name: "Grace Hübner", Queues: []string{"billing"}},
	{Extension: "1008", Name: "Heidi Zoë", Queues: []string{"sales"}, Penalty: 2},
	{Extension: "1009", Name: "Front Desk"},
	{Extension: "1010", Name: "Meeting Room"},
}
