package proxy

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ampd/actions"
	"ampd/audit"
	"ampd/config"
	"ampd/downstream"
	"ampd/history"
	"ampd/profiles"
	"ampd/rights"
	"ampd/stats"
	"ampd/upstream"
)

// Config is ampd.toml. A SIGHUP puts all of it in force but for the keys whose field has
// the tag restart:"true", or is inside a table whose field has it.
type Config struct {
	// StateDir is the folder for what ampd itself writes: the profiles that are changed at
	// run time. "" for none.
	StateDir string `toml:"state_dir" restart:"true"`

	Upstream   upstream.Config       `toml:"upstream"`
	Listen     []downstream.Listener `toml:"listen" required:"true"`
	Sessions   downstream.Config     `toml:"sessions"`
	Rights     RightsConfig          `toml:"rights"`
	State      StateConfig           `toml:"state"`
	Statistics stats.Config          `toml:"statistics" restart:"true"`
	History    history.Config        `toml:"history" restart:"true"`
	Audit      audit.Config          `toml:"audit"`
	HTTP       HTTPConfig            `toml:"http" restart:"true"`
	Log        LogConfig             `toml:"log"`
}

// StateConfig says how what is tracked of Asterisk is kept true.
type StateConfig struct {
	// Resync is how often Asterisk's lists are asked again, for what no event tells.
	Resync config.Duration `toml:"resync" min:"10s" max:"24h"`
}

// HTTPConfig says where /metrics, /healthz and /readyz are served.
type HTTPConfig struct {
	// Address is "host:port"; "" serves nothing.
	Address string `toml:"address"`
}

// Check reports an address that is none.
func (c *HTTPConfig) Check(report func(key, problem string)) {
	if c.Address == "" {
		return
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		report("address", `want "host:port"`)
	}
}

// DefaultConfig is in force where the file says nothing.
func DefaultConfig() *Config {
	return &Config{
		Upstream:   upstream.DefaultConfig(),
		Sessions:   downstream.DefaultConfig(),
		State:      StateConfig{Resync: config.Duration(time.Minute)},
		Statistics: stats.DefaultConfig(),
		History:    history.DefaultConfig(),
		Audit:      audit.DefaultConfig(),
		Log:        LogConfig{Level: "info", Format: "json"},
	}
}

// ProfilesFile is the name of the file with the profiles, which lies beside
// ampd.toml.
const ProfilesFile = "profiles.toml"

// Files are ampd.toml and what lies beside it, read.
type Files struct {
	Config   *Config
	Profiles *profiles.Store

	// Path is that of ampd.toml. Without one they are not read again.
	Path string

	// Warnings are what is not a mistake and yet should be known.
	Warnings config.Problems
}

// Load reads ampd.toml at path, and the profiles beside it. problems are all the
// mistakes in both; with any, the files must not be used.
func Load(path string) (files Files, problems config.Problems) {
	files.Path, files.Config = path, DefaultConfig()
	problems = config.Read(path, files.Config)
	check := func(p *profiles.Profile, report func(key, problem string)) {
		for i, f := range p.Filters {
			if _, err := rights.ParseFilter(f.Criteria, f.Expr, true); err != nil {
				report(fmt.Sprintf("filters[%d]", i), err.Error())
			}
		}
	}
	state := ""
	if dir := files.Config.StateDir; dir != "" {
		state = filepath.Join(dir, ProfilesFile)
		if sameFile(dir, filepath.Dir(path)) {
			problems = append(problems, config.Find(path, "state_dir", "must be another folder than that of this file: ampd would write over "+ProfilesFile))
			state = ""
		}
	}
	var more config.Problems
	files.Profiles, more = profiles.Open(filepath.Join(filepath.Dir(path), ProfilesFile), state, check)
	if problems = append(problems, more...); len(problems) == 0 {
		files.Warnings = warnings(path, files.Profiles)
	}
	return files, problems
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// warnings are what should be known of ampd.toml at path and of the profiles.
func warnings(path string, store *profiles.Store) config.Problems {
	all := append(config.Exposed(path), store.Warnings()...)
	for _, p := range store.Profiles() {
		all = append(all, unknownActions(p)...)
	}
	return all
}

// unknownActions warns of names in allow and deny that are no action of Asterisk's:
// a module of yours may bring it, or it is misspelt.
func unknownActions(p *profiles.Profile) (warnings config.Problems) {
	for _, name := range slices.Concat(p.Allow, p.Deny) {
		if _, known := actions.Lookup(name); !known && !strings.Contains(name, "*") {
			warnings = append(warnings, config.Problem{File: ProfilesFile, Text: fmt.Sprintf(
				"profile %q names the action %q, which Asterisk 16 and 22 do not have", p.Name, name)})
		}
	}
	return warnings
}

// Check reports what the parts can't see alone.
func (c *Config) Check(report func(key, problem string)) {
	seen := map[string]int{}
	for i, l := range c.Listen {
		if first, twice := seen[l.Address]; twice {
			report(fmt.Sprintf("listen[%d].address", i), fmt.Sprintf("is also that of listen[%d]", first))
			continue
		}
		seen[l.Address] = i
	}
}
