package pbx

import (
	"slices"
	"strings"

	"ampd/codec"
)

// A row is a header of an object of type T: what it is called in events (behind the
// prefix of its block) and in list items, and where its value is kept. Reading,
// writing and comparing objects follow from their tables of rows.
type row[T any] struct {
	event    string // "" where no event carries it
	list     string // "" where no list does
	of       func(*T) *string
	optional bool // not written where it is empty: not every version has it
}

// A column is a row as either events or lists have it.
type column[T any] struct {
	name     string
	of       func(*T) *string
	optional bool
}

type columns[T any] []column[T]

func eventColumns[T any](rows []row[T]) columns[T] {
	var c columns[T]
	for _, r := range rows {
		if r.event != "" {
			c = append(c, column[T]{r.event, r.of, r.optional})
		}
	}
	return c
}

func listColumns[T any](rows []row[T]) columns[T] {
	var c columns[T]
	for _, r := range rows {
		if r.list != "" {
			c = append(c, column[T]{r.list, r.of, r.optional})
		}
	}
	return c
}

// maxColumns is more than any object has.
const maxColumns = 24

// update sets what the headers say otherwise of t; it copies, for headers alias a
// decoder's memory. It returns how many headers there are up to the last of the
// columns', and whether anything has changed.
//
// Asterisk writes headers in the order of the columns, so each is looked for where it
// should be first.
func (c columns[T]) update(t *T, prefix string, headers []codec.Header) (end int, changed bool) {
	var to [maxColumns]*string
	var values [maxColumns]string
	n, size, next := 0, 0, 0
	var met uint32 // the first header of a name counts
	for i := range headers {
		name := headers[i].Name
		if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
			continue
		}
		at := c.index(name[len(prefix):], next)
		if at < 0 || met&(1<<at) != 0 {
			continue
		}
		met |= 1 << at
		end, next = i+1, at+1
		if old := c[at].of(t); *old != headers[i].Value {
			to[n], values[n] = old, headers[i].Value
			size += len(values[n])
			n++
		}
	}
	if n == 0 {
		return end, false
	}
	// One piece of memory for all that has changed.
	var b strings.Builder
	b.Grow(size)
	for _, v := range values[:n] {
		b.WriteString(v)
	}
	rest := b.String()
	for i, v := range values[:n] {
		*to[i], rest = rest[:len(v)], rest[len(v):]
	}
	return end, true
}

// index is that of the column of that name, looked for at next first, or -1.
func (c columns[T]) index(name string, next int) int {
	if next < len(c) && c[next].name == name {
		return next
	}
	for i := range c {
		if c[i].name == name {
			return i
		}
	}
	return -1
}

// write adds t's headers.
func (c columns[T]) write(b *builder, prefix string, t *T) {
	for i := range c {
		v := *c[i].of(t)
		if v != "" || !c[i].optional {
			b.header(prefix+c[i].name, v)
		}
	}
}

// same tells whether b is as a in the named columns, in all where none is named. What
// is optional and not known of b is no difference.
func (c columns[T]) same(a, b *T, names ...string) bool {
	for i := range c {
		if len(names) > 0 && !slices.Contains(names, c[i].name) {
			continue
		}
		x, y := *c[i].of(a), *c[i].of(b)
		if x != y && (y != "" || !c[i].optional) {
			return false
		}
	}
	return true
}

// keep sets *to to a copy of v where it is not that already, and tells whether it was not.
func keep(to *string, v string) bool {
	if *to == v {
		return false
	}
	*to = strings.Clone(v)
	return true
}
