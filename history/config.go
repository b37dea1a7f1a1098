package history

import (
	"path/filepath"
	"time"

	"ampd/config"
)

// Config says what is kept, and where.
type Config struct {
	// File is the SQLite file; "" keeps nothing.
	File string `toml:"file"`

	// Retention is how long calls and what agents did are kept, in days; less than a day
	// is for ever. The figures of hours are kept in any case.
	Retention config.Duration `toml:"retention" min:"0s" max:"36500d"`
}

// DefaultConfig is in force where the file says nothing.
func DefaultConfig() Config {
	return Config{Retention: config.Duration(365 * 24 * time.Hour)}
}

// Check reports a file that would be another one wherever ampd is started.
func (c *Config) Check(report func(key, problem string)) {
	if c.File != "" && !filepath.IsAbs(c.File) {
		report("file", "must begin with /")
	}
}

// days is the retention in whole days, 0 for ever.
func (c *Config) days() int { return int(c.Retention.Std() / (24 * time.Hour)) }
