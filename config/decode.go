package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// A decoder puts the tree of one file into a struct.
type decoder struct {
	file     string
	lines    map[string]int // line of each key, by its path
	partial  bool           // lines with syntax errors were left out of the tree
	problems Problems
	bad      map[string]bool // paths that have a problem
	schema   reflect.Type    // of the struct that the whole file goes into
}

func (d *decoder) report(path, problem string) {
	d.bad[path] = true
	d.problems = append(d.problems, Problem{File: d.file, Line: d.line(path), Key: path, Text: problem})
}

// hasProblem tells whether a problem of the path or of something inside it is known.
func (d *decoder) hasProblem(path string) bool {
	for bad := range d.bad {
		if rest, ok := strings.CutPrefix(bad, path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// line finds the line of a path, or of the nearest table around it.
func (d *decoder) line(path string) int {
	for path != "" {
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// table puts a TOML table into a struct: all of its fields are visited, those
// that the table does not have for what they require.
func (d *decoder) table(path string, tree map[string]any, into reflect.Value) {
	self := into.Addr().Interface()
	if s, ok := self.(Defaulter); ok {
		s.Defaults()
	}
	known := fields(into)
	for _, f := range known {
		at := join(path, f.name)
		v, present := tree[f.name]
		switch {
		case present:
			d.value(at, v, f.value, f.tag)
			d.bounds(at, f)
		case f.tag.Get("required") != "" && !d.partial:
			d.report(at, "is required")
		case isTable(f.value):
			d.table(at, nil, f.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if _, ok := find(known, name); !ok {
			d.report(join(path, quoted(name)), "is not a known key"+d.hint(name, known))
		}
	}
	if s, ok := self.(Checker); ok && !d.partial {
		s.Check(func(key, problem string) {
			if at := join(path, key); !d.hasProblem(at) {
				d.report(at, problem)
			}
		})
	}
}

// value puts one TOML value into a field or an element of an array.
func (d *decoder) value(path string, v any, into reflect.Value, tag reflect.StructTag) {
	switch target := into.Addr().Interface().(type) {
	case toml.Unmarshaler:
		if err := target.UnmarshalTOML(v); err != nil {
			d.report(path, err.Error())
		}
		return
	case encoding.TextUnmarshaler:
		s, ok := v.(string)
		if !ok {
			d.report(path, "must be a string, not "+kind(v))
		} else if err := target.UnmarshalText([]byte(s)); err != nil {
			d.report(path, err.Error())
		}
		return
	}
	want := ""
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.value(path, v, into.Elem(), tag)
	case reflect.Struct:
		if t, ok := v.(map[string]any); ok {
			d.table(path, t, into)
		} else {
			want = "a table"
			if _, ok := v.([]map[string]any); ok {
				d.report(path, "begins with one bracket: ["+path+"]")
				return
			}
		}
	case reflect.Slice:
		want = d.slice(path, v, into, tag)
	case reflect.String:
		if s, ok := v.(string); ok {
			into.SetString(s)
		} else {
			want = "a string"
		}
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			into.SetBool(b)
		} else {
			want = "true or false"
		}
	case reflect.Int, reflect.Int64:
		if n, ok := v.(int64); ok {
			into.SetInt(n)
		} else {
			want = "a whole number"
		}
	case reflect.Float64:
		switch n := v.(type) {
		case float64:
			into.SetFloat(n)
		case int64:
			into.SetFloat(float64(n))
		default:
			want = "a number"
		}
	default:
		panic(fmt.Sprintf("config: key %s has a field of type %s", path, into.Type()))
	}
	if want != "" {
		d.report(path, "must be "+want+", not "+kind(v))
	}
}

// slice returns what the value must be, if it is something else.
func (d *decoder) slice(path string, v any, into reflect.Value, tag reflect.StructTag) (want string) {
	elements := reflect.ValueOf(v)
	if elements.Kind() != reflect.Slice {
		if _, ok := v.(map[string]any); ok && isStruct(into.Type().Elem()) {
			d.report(path, "begins with two brackets: [["+path+"]]")
			return ""
		}
		return "an array"
	}
	into.Set(reflect.MakeSlice(into.Type(), elements.Len(), elements.Len()))
	for i := range elements.Len() {
		d.value(element(path, i), elements.Index(i).Interface(), into.Index(i), tag)
	}
	return ""
}

// A field is a key that a table may have.
type field struct {
	name  string
	tag   reflect.StructTag
	value reflect.Value
}

func fields(of reflect.Value) []field {
	var all []field
	for i := range of.NumField() {
		f := of.Type().Field(i)
		name, tagged := f.Tag.Lookup("toml")
		switch {
		case tagged:
			all = append(all, field{name, f.Tag, of.Field(i)})
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			all = append(all, fields(of.Field(i))...)
		}
	}
	return all
}

func find(fields []field, name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func isStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

func isTable(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	switch v.Addr().Interface().(type) {
	case toml.Unmarshaler, encoding.TextUnmarshaler:
		return false
	}
	return true
}

// join and element make paths; quoted makes a key part of one.
func join(path, key string) string {
	switch {
	case path == "":
		return key
	case key == "":
		return path
	}
	return path + "." + key
}

func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func quoted(key string) string { return toml.Key{key}.String() }

// kind names the TOML type of a value.
func kind(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "an array"
	}
	return "a date or time"
}
