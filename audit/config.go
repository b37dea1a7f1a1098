package audit

import "path/filepath"

// Config says what is written down, and where.
type Config struct {
	// File takes the lines; "" for nowhere.
	File string `toml:"file"`

	// Actions says which actions get a line: "changes" those that change
	// something and those that were refused, "refused" only these, "all" every
	// one. Logins have theirs in any case.
	Actions string `toml:"actions" oneof:"changes refused all"`
}

// Check reports a file that would be another one wherever ampd is started.
func (c *Config) Check(report func(key, problem string)) {
	if c.File != "" && !filepath.IsAbs(c.File) {
		report("file", "must begin with /")
	}
}

// DefaultConfig is in force where the configuration says nothing.
func DefaultConfig() Config { return Config{Actions: "changes"} }
