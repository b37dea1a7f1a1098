package rights

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ampd/codec"
)

// MaxFilters is how many filters a session may add to its profile's.
const MaxFilters = 16

// A FilterError says why a filter was not taken.
type FilterError struct {
	Message string // Asterisk's words for it
	Reason  string
}

func (e *FilterError) Error() string { return e.Reason }

func formatError(reason string) error {
	return &FilterError{"Filter was formatted incorrectly.  Check the syntax of the filter given.", reason}
}

func compileError(err error) error {
	return &FilterError{"Filter did not compile.  Check the syntax of the filter given.", err.Error()}
}

// A Matcher is one filter, compiled.
type Matcher struct {
	exclude bool
	event   string // the event's name, "" for any
	header  string // with its colon; "" for the whole text
	method  method
	text    []byte

	regex   *regexp.Regexp
	literal []byte // what every text has that regex matches; nil where that can't be told
}

type method uint8

const (
	matchAll method = iota
	matchRegex
	matchExact
	matchStart
	matchEnd
	matchPart
)

// methods by the names that manager.conf gives them.
var methods = map[string]method{
	"none":        matchAll,
	"regex":       matchRegex,
	"exact":       matchExact,
	"starts_with": matchStart,
	"ends_with":   matchEnd,
	"contains":    matchPart,
}

// ParseFilter reads a filter as manager_add_filter in main/manager.c does: expr, a
// regular expression with "!" in front of what excludes, or, with criteria such as
// "name(VarSet),header(Channel),method(starts_with)", what their method says. Where
// the upstream does not know them (advanced is false: Asterisk 16) criteria mean
// nothing and an empty expr matches every event. The error is a [*FilterError].
func ParseFilter(criteria, expr string, advanced bool) (Matcher, error) {
	m := Matcher{method: matchRegex}
	expr, m.exclude = strings.CutPrefix(expr, "!")
	switch {
	case !advanced:
	case criteria != "":
		if err := m.parseCriteria(criteria, expr); err != nil {
			return Matcher{}, err
		}
	case expr == "":
		return Matcher{}, formatError("no filter pattern")
	}
	if m.method == matchRegex {
		if err := m.compile(expr); err != nil {
			return Matcher{}, compileError(err)
		}
	}
	m.text = []byte(expr)
	return m, nil
}

// parseCriteria reads criteria word by word; blanks, commas and closing parentheses
// end a word, its kind is how it begins, and the last of a kind counts.
func (m *Matcher) parseCriteria(criteria, expr string) error {
	m.method = matchAll
	words := strings.FieldsFunc(criteria, func(c rune) bool { return c == ' ' || c == ',' || c == ')' })
	for _, word := range words {
		_, value, open := strings.Cut(word, "(")
		value = strings.TrimRight(value, "\t\n\v\f\r")
		var ok bool
		switch {
		case strings.HasPrefix(word, "action"):
			m.exclude = value == "exclude"
			ok = m.exclude || value == "include"
		case strings.HasPrefix(word, "name"):
			m.event, ok = value, value != ""
		case strings.HasPrefix(word, "header"):
			m.header, ok = strings.TrimSuffix(value, ":")+":", value != ""
		case strings.HasPrefix(word, "method"):
			m.method, ok = methods[value]
		}
		if !ok || !open {
			return formatError("bad criterion " + word)
		}
	}
	switch {
	case len(words) == 0:
		return formatError("no criteria")
	case expr == "" && m.method != matchAll:
		return formatError("the method wants a filter pattern")
	case expr != "" && m.method == matchAll:
		return formatError("a filter pattern wants a method")
	case m.event == "" && m.header == "" && m.method == matchAll:
		return formatError("neither name nor header nor filter pattern")
	}
	return nil
}

// key is equal for filters that match the same events.
func (m *Matcher) key() string {
	return fmt.Sprintf("%t %q %q %d %q\n", m.exclude, m.event, m.header, m.method, m.text)
}

// matches tells whether the filter is about the event: filter_cmp_fn in
// main/manager.c.
func (m *Matcher) matches(p *codec.Packet) bool {
	if m.event != "" && m.event != p.Name() {
		return false
	}
	if m.header == "" {
		return m.matchesText(p.Raw)
	}
	for rest := p.Raw; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, crlf)
		if len(line) < len(m.header) || string(line[:len(m.header)]) != m.header {
			continue
		}
		value := line[len(m.header):]
		for len(value) > 0 && value[0] < 33 {
			value = value[1:]
		}
		if len(value) > 0 && m.matchesText(value) {
			return true
		}
	}
	return false
}

var crlf = []byte("\r\n")

func (m *Matcher) matchesText(text []byte) bool {
	switch m.method {
	case matchRegex:
		if m.literal != nil && !bytes.Contains(text, m.literal) {
			return false
		}
		return m.regex == nil || m.regex.Match(text)
	case matchExact:
		return bytes.Equal(text, m.text)
	case matchStart:
		return bytes.HasPrefix(text, m.text)
	case matchEnd:
		return bytes.HasSuffix(text, m.text)
	case matchPart:
		return bytes.Contains(text, m.text)
	}
	return true
}

// Filters are those of a session, which never change: [Filters.With] makes new ones.
type Filters struct {
	include, exclude []Matcher

	key    string // equal for equal filters
	costly bool   // there are regular expressions
}

// With returns the filters and one more.
func (f *Filters) With(m Matcher) *Filters {
	more := Filters{
		include: slices.Clip(f.include), exclude: slices.Clip(f.exclude),
		key:    f.key + m.key(),
		costly: f.costly || m.regex != nil,
	}
	if m.exclude {
		more.exclude = append(more.exclude, m)
	} else {
		more.include = append(more.include, m)
	}
	return &more
}

// Len is how many filters there are.
func (f *Filters) Len() int { return len(f.include) + len(f.exclude) }

// pass tells whether they let the event through: where any includes, one of those
// must match; none of those that exclude may (should_send_event in main/manager.c).
func (f *Filters) pass(p *codec.Packet) bool {
	included := len(f.include) == 0
	for i := range f.include {
		if f.include[i].matches(p) {
			included = true
			break
		}
	}
	if !included {
		return false
	}
	for i := range f.exclude {
		if f.exclude[i].matches(p) {
			return false
		}
	}
	return true
}
