package proxy

import (
	"fmt"
	"net"
	"path/filepath"

	"ampd/config"
	"ampd/downstream"
	"ampd/profiles"
	"ampd/rights"
	"ampd/upstream"
)

// Config is ampd.toml.
type Config struct {
	Upstream upstream.Config       `toml:"upstream"`
	Listen   []downstream.Listener `toml:"listen" required:"true"`
	Sessions downstream.Config     `toml:"sessions"`
	Rights   RightsConfig          `toml:"rights"`
	HTTP     HTTPConfig            `toml:"http"`
	Log      LogConfig             `toml:"log"`
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
		Upstream: upstream.DefaultConfig(),
		Sessions: downstream.DefaultConfig(),
		Log:      LogConfig{Level: "info", Format: "json"},
	}
}

// ProfilesFile is the name of the file with the profiles, which lies beside
// ampd.toml.
const ProfilesFile = "profiles.toml"

// Load reads ampd.toml at path, and the profiles beside it. With problems, which
// are all those of both files, neither may be used.
func Load(path string) (*Config, *profiles.Store, config.Problems) {
	cfg := DefaultConfig()
	problems := config.Read(path, cfg)
	store, more := profiles.Load(filepath.Join(filepath.Dir(path), ProfilesFile),
		func(p *profiles.Profile, report func(key, problem string)) {
			if _, err := rights.New(cfg.Rights.grant(p)); err != nil {
				report("filters", err.Error())
			}
		})
	problems = append(problems, more...)
	return cfg, store, problems
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
