package stats

import (
	"fmt"
	"time"

	"ampd/config"
)

// Config says what a day is and what counts as what.
type Config struct {
	// Timezone is the name of the days' time zone; "" is the machine's own.
	Timezone string `toml:"timezone"`

	// ResetHour is the hour at which a day begins.
	ResetHour int `toml:"reset_hour" min:"0" max:"23"`

	// ShortAbandon is how long a caller must have waited to count as more than a short abandon.
	ShortAbandon config.Duration `toml:"short_abandon" min:"0s" max:"1h"`
}

// DefaultConfig is in force where the file says nothing.
func DefaultConfig() Config {
	return Config{ShortAbandon: config.Duration(5 * time.Second)}
}

// Check reports a time zone that this machine does not know.
func (c *Config) Check(report func(key, problem string)) {
	if _, err := c.Location(); err != nil {
		report("timezone", err.Error())
	}
}

// Location is the time zone of the days.
func (c *Config) Location() (*time.Location, error) {
	if c.Timezone == "" {
		return time.Local, nil
	}
	l, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone that this machine knows", c.Timezone)
	}
	return l, nil
}

// A Calendar divides time into days and hours.
type Calendar struct {
	location *time.Location
	reset    int // the hour at which a day begins
}

// NewCalendar is the calendar of a configuration that was checked.
func NewCalendar(c Config) Calendar {
	l, err := c.Location()
	if err != nil {
		l = time.Local
	}
	return Calendar{l, c.ResetHour}
}

// Hour is an hour of a day: Of is the clock's. The day is that on which the hours of a day
// began, so with a reset hour of 6 the hour 2 is one of the day before. Where the clock is
// put back an hour occurs twice and is one.
type Hour struct {
	Day string // "2006-01-02"
	Of  int    // 0 to 23
}

// Hour is the one of a moment.
func (c Calendar) Hour(t time.Time) Hour {
	t = t.In(c.location)
	day := t
	if t.Hour() < c.reset {
		day = time.Date(t.Year(), t.Month(), t.Day()-1, 12, 0, 0, 0, c.location)
	}
	return Hour{day.Format(time.DateOnly), t.Hour()}
}

// Begin is when a day, written as in Hour, begins. Where the clock is put forward over the
// reset hour it is the hour behind it.
func (c Calendar) Begin(day string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return d, fmt.Errorf("%q is no day, want YEAR-MONTH-DAY", day)
	}
	return c.begin(d), nil
}

// begin is the first moment that is of the day of a time, or behind it: the clock may show the reset
// hour twice, or not at all.
func (c Calendar) begin(of time.Time) time.Time {
	t := time.Date(of.Year(), of.Month(), of.Day(), c.reset, 0, 0, 0, c.location).Add(-2 * time.Hour)
	for day := of.Format(time.DateOnly); c.Hour(t).Day < day; {
		t = t.Add(30 * time.Minute)
	}
	return t
}

// End is when the day of Begin ends and the next one begins.
func (c Calendar) End(begin time.Time) time.Time {
	next, err := time.Parse(time.DateOnly, c.Hour(begin).Day)
	if err != nil {
		return begin
	}
	return c.begin(next.AddDate(0, 0, 1))
}

// next is the first moment of the next hour of the clock.
func (c Calendar) next(t time.Time) time.Time {
	l := t.In(c.location)
	past := time.Duration(l.Minute())*time.Minute + time.Duration(l.Second())*time.Second + time.Duration(l.Nanosecond())
	return t.Add(time.Hour - past)
}

// Before is the day before a day, "" for what is none.
func (c Calendar) Before(day string) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return d.AddDate(0, 0, -1).Format(time.DateOnly)
}

// Location is the time zone of the days.
func (c Calendar) Location() *time.Location { return c.location }

// Reset is the hour at which a day begins.
func (c Calendar) Reset() int { return c.reset }
