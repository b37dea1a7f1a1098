package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Duration is written with its unit: "500ms", "2s", "1m30s", "1h", "7d".
type Duration time.Duration

const day = 24 * time.Hour

var errDurationUnit = errors.New(`needs a unit: write "30s", "500ms", "2m", "1h" or "7d"`)

// ParseDuration reads a duration. A day is 24 hours and stands first: "1d12h".
func ParseDuration(s string) (Duration, error) {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, errDurationUnit
	}
	bad := fmt.Errorf(`%q is no duration: write "30s", "500ms", "2m", "1h" or "7d"`, s)
	var days time.Duration
	rest := s
	if n, after, ok := strings.Cut(s, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 16) // 65,535 days do not overflow
		if err != nil {
			return 0, bad
		}
		days, rest = time.Duration(count)*day, after
	}
	if rest == "" && s != "" {
		return Duration(days), nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d+days < 0 || strings.HasPrefix(rest, "+") {
		return 0, bad
	}
	return Duration(days + d), nil
}

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes d as a file would: "1m30s", "1h", "7d".
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	var days string
	if n := d.Std() / day; n > 0 {
		days = strconv.FormatInt(int64(n), 10) + "d"
		if d %= Duration(day); d == 0 {
			return days
		}
	}
	s := d.Std().String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return days + s
}

// UnmarshalTOML takes a TOML string.
func (d *Duration) UnmarshalTOML(v any) error {
	s, err := withUnit(v, errDurationUnit)
	if err != nil {
		return err
	}
	*d, err = ParseDuration(s)
	return err
}

// withUnit returns the TOML string v, and noUnit for a bare number.
func withUnit(v any, noUnit error) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64, float64:
		return "", noUnit
	}
	return "", fmt.Errorf("must be a string, not %s", kind(v))
}
