package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// A Problem is one mistake in a file.
type Problem struct {
	File string
	Line int    // counted from 1; 0 where it is the file as a whole
	Key  string // dotted, elements counted from 0 ("listen[1].address"), or ""
	Text string // a sentence without its subject, which is the key; never a secret
}

// String writes the problem as "ampd.toml:12: listen[1].address: is required".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Text)
	return b.String()
}

// Problems are the mistakes in one file or several, in the order of their lines.
type Problems []Problem

// Err returns the problems as one error with a line for each, nil if there are
// none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return errors.New(strings.Join(lines, "\n"))
}

// A Checker is a struct that judges its own values after they were read, beyond
// what tags can say. It is asked even when some of its keys have problems and
// hold their defaults then; what it reports of those, or of keys whose elements have
// problems, is dropped.
//
// key is relative to the struct ("tls.key", "permit[2]", "" for the struct
// itself), problem is a sentence without its subject and must show no secret.
type Checker interface {
	Check(report func(key, problem string))
}

// A Defaulter is a struct that fills in its defaults before it is read. The
// structs of an array of tables need it; others may as well be filled before.
type Defaulter interface {
	Defaults()
}

// Read reads the TOML file into the struct that into points to and returns every
// problem it has. With problems the struct is filled as far as it could be, and
// must not be used.
//
// Field types are string, bool, int, float64 and types made of them, [Duration],
// [Size], [Secret], whatever implements toml.Unmarshaler or
// encoding.TextUnmarshaler, structs (tables), slices and pointers (nil when the
// key is not there) of all these. Besides toml:"name" their tags may say
//
//	required:"true"           must be there, and not be empty
//	min:"1s" max:"1h"         bounds, in the field's own notation
//	oneof:"disconnect stay"   the only values of a string
//	restart:"true"            see [Keep]
func Read(file string, into any) Problems {
	text, err := os.ReadFile(file)
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err // the problem names the file itself
		}
		return Problems{{File: file, Text: "cannot be read: " + err.Error()}}
	}
	return Parse(file, string(text), into)
}

// Parse is [Read] for a text at hand; file names it in problems.
func Parse(file, text string, into any) Problems {
	root := reflect.ValueOf(into).Elem()
	d := decoder{file: file, bad: map[string]bool{}, schema: root.Type()}
	if isUTF16(text) {
		return Problems{{File: file, Line: 1, Text: "is not UTF-8 but UTF-16: save it as UTF-8"}}
	}
	text, d.problems = withoutSyntaxErrors(file, text)
	var tree map[string]any
	if _, err := toml.Decode(text, &tree); err != nil {
		return d.problems
	}
	d.partial = len(d.problems) > 0
	d.lines = keyLines(text)
	d.table("", tree, root)
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return d.problems
}

// Find returns the problem of a key that shows itself only when the value is used, long
// after Read: its line is that of the key in the file as it is now, 0 where that is no
// TOML any more.
func Find(file, key, text string) Problem {
	d := decoder{lines: map[string]int{}}
	read, err := os.ReadFile(file)
	var tree map[string]any
	if err == nil && toml.Unmarshal(read, &tree) == nil {
		d.lines = keyLines(string(read))
	}
	return Problem{File: file, Line: d.line(key), Key: key, Text: text}
}
