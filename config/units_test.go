package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseDuration(t *testing.T) {
	tests := map[string]struct {
		want    time.Duration
		written string // how String writes it, when not as it was read
		err     string
	}{
		"500ms":    {want: 500 * time.Millisecond},
		"2s":       {want: 2 * time.Second},
		"1.5s":     {want: 1500 * time.Millisecond},
		"1m30s":    {want: 90 * time.Second},
		"1h":       {want: time.Hour},
		"1h30m":    {want: 90 * time.Minute},
		"1h0m5s":   {want: time.Hour + 5*time.Second},
		"7d":       {want: 7 * 24 * time.Hour},
		"1d12h":    {want: 36 * time.Hour},
		"24h":      {want: 24 * time.Hour, written: "1d"},
		"90m":      {want: 90 * time.Minute, written: "1h30m"},
		"0s":       {},
		"30":       {err: "needs a unit"},
		"0":        {err: "needs a unit"},
		"-1.5":     {err: "needs a unit"},
		"":         {err: `"" is no duration`},
		"d":        {err: "is no duration"},
		"1x":       {err: `"1x" is no duration`},
		"-2s":      {err: "is no duration"},
		"+2s":      {err: "is no duration"},
		"1d-48h":   {err: "is no duration"},
		"-1d":      {err: "is no duration"},
		"1h1d":     {err: "is no duration"},
		"1d5":      {err: "is no duration"},
		"1 h":      {err: "is no duration"},
		"1H":       {err: "is no duration"},
		"9999999h": {err: "is no duration"},
		"70000d":   {err: "is no duration"},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := ParseDuration(text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got.Std())
			if tc.written == "" {
				tc.written = text
			}
			require.Equal(t, tc.written, got.String())
		})
	}
}

func TestParseSize(t *testing.T) {
	tests := map[string]struct {
		want    int64
		written string // how String writes it, when not as it was read
		err     string
	}{
		"512B":                 {want: 512},
		"64KiB":                {want: 65536},
		"4MiB":                 {want: 4 << 20},
		"1GiB":                 {want: 1 << 30},
		"1MB":                  {want: 1e6, written: "1000000B"},
		"1kB":                  {want: 1000, written: "1000B"},
		"2 mib":                {want: 2 << 20, written: "2MiB"},
		"1024KiB":              {want: 1 << 20, written: "1MiB"},
		"0B":                   {},
		"65536":                {err: "needs a unit"},
		"":                     {err: `"" is no size`},
		"MiB":                  {err: "is no size"},
		"1.5MiB":               {err: "is no size"},
		"-1B":                  {err: "is no size"},
		"1M":                   {err: "is no size"},
		"1bib":                 {err: "is no size"},
		"9999999999GiB":        {err: "is too large"},
		"99999999999999999999": {err: "is no size"},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := ParseSize(text)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got.Int64())
			if tc.written == "" {
				tc.written = text
			}
			require.Equal(t, tc.written, got.String())
		})
	}
}

// FuzzUnits: a duration or size that is read is not negative, and what String
// writes is read as the same.
func FuzzUnits(f *testing.F) {
	for _, s := range []string{"1d2h3m4s5ms", "0s", "1.5h", "64KiB", "1000B", "7", "99999d99999h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDuration(s); err == nil {
			again, err := ParseDuration(d.String())
			require.NoError(t, err)
			require.Equal(t, d, again)
			require.GreaterOrEqual(t, d, Duration(0))
		}
		if n, err := ParseSize(s); err == nil {
			again, err := ParseSize(n.String())
			require.NoError(t, err)
			require.Equal(t, n, again)
			require.GreaterOrEqual(t, n, Size(0))
		}
	})
}
