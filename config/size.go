package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Size is a number of bytes, written with its unit: "512B", "64KiB", "4MiB",
// "1GiB", or in powers of ten "1kB", "1MB", "1GB".
type Size int64

var errSizeUnit = errors.New(`needs a unit: write "512B", "64KiB" or "4MiB"`)

var sizeUnits = map[string]int64{
	"b":  1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
}

// ParseSize reads a size: a whole number and a unit, in any case.
func ParseSize(s string) (Size, error) {
	digits := strings.TrimRight(s, "BbKkMmGgIi ")
	n, err := strconv.ParseUint(digits, 10, 63)
	name := strings.ToLower(strings.TrimSpace(s[len(digits):]))
	unit, known := sizeUnits[name]
	switch {
	case err == nil && name == "":
		return 0, errSizeUnit
	case err != nil || !known:
		return 0, fmt.Errorf(`%q is no size: write "512B", "64KiB" or "4MiB"`, s)
	case int64(n) > math.MaxInt64/unit:
		return 0, fmt.Errorf("%q is too large", s)
	}
	return Size(int64(n) * unit), nil
}

// Int64 returns the number of bytes.
func (s Size) Int64() int64 { return int64(s) }

// String writes s in the largest binary unit that leaves a whole number.
func (s Size) String() string {
	switch n := int64(s); {
	case n != 0 && n%(1<<30) == 0:
		return strconv.FormatInt(n>>30, 10) + "GiB"
	case n != 0 && n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + "MiB"
	case n != 0 && n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + "KiB"
	default:
		return strconv.FormatInt(n, 10) + "B"
	}
}

// UnmarshalTOML takes a TOML string.
func (s *Size) UnmarshalTOML(v any) error {
	text, err := withUnit(v, errSizeUnit)
	if err != nil {
		return err
	}
	*s, err = ParseSize(text)
	return err
}
