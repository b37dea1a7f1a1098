package profiles

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ampd/codec"
)

// keys are those of a [[profile]], in the order of entry.
var keys = func() (names []string) {
	for f := range reflect.TypeFor[entry]().Fields() {
		names = append(names, f.Tag.Get("toml"))
	}
	return names
}()

// field is the field of e that a key is put into.
func (e *entry) field(key string) (reflect.StructField, reflect.Value) {
	i := slices.Index(keys, key)
	return reflect.TypeFor[entry]().Field(i), reflect.ValueOf(e).Elem().Field(i)
}

// texts are a key's values as the file has them: one, or those of a list.
func texts(v reflect.Value) (all []string) {
	switch x := v.Interface().(type) {
	case classes:
		if x.Classes == 0 {
			return nil
		}
		return strings.Split(x.String(), ",")
	case fmt.Stringer:
		if v.Kind() == reflect.Struct {
			return []string{x.String()}
		}
	}
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			all = append(all, texts(v.Index(i))...)
		}
		return all
	case reflect.Bool:
		return []string{strconv.FormatBool(v.Bool())}
	case reflect.Int:
		return []string{strconv.FormatInt(v.Int(), 10)}
	default:
		return []string{v.String()} // of a string: also of a Secret, which does not print itself
	}
}

// isList tells which keys have lists in the file.
func isList(t reflect.Type) bool { return t.Kind() == reflect.Slice || t == reflect.TypeFor[classes]() }

// table is the entry as the TOML reader would have it: what differs from the default, and
// the name.
func (e *entry) table() map[string]any {
	var plain entry
	plain.Defaults()
	table := map[string]any{}
	for _, key := range keys {
		f, v := e.field(key)
		_, standard := plain.field(key)
		values := texts(v)
		switch {
		case slices.Equal(values, texts(standard)) && key != "name":
		case isList(f.Type):
			table[key] = values
		case f.Type.Kind() == reflect.Bool:
			table[key] = v.Bool()
		case f.Type.Kind() == reflect.Int:
			table[key] = v.Int()
		default:
			table[key] = values[0]
		}
	}
	return table
}

// headers is the entry as ProfileGet shows it: without its secret.
func (e *entry) headers(file string) []codec.Header {
	form := "plain"
	if e.Secret == "" {
		form = "hash"
	}
	shown := []codec.Header{{Name: "Profile", Value: e.Name}, {Name: "file", Value: file}, {Name: "secret_form", Value: form}}
	for _, key := range keys {
		_, v := e.field(key)
		values := texts(v)
		switch {
		case key == "name", key == "secret", key == "secret_hash":
			continue
		case key != "filters", len(values) == 0:
			values = []string{strings.Join(values, ",")}
		}
		for _, value := range values {
			shown = append(shown, codec.Header{Name: key, Value: strings.Map(printable, value)})
		}
	}
	return shown
}

// printable makes blanks of control characters: a header's value is one line.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// change puts what a client says into the table of a profile. Headers are the file's keys
// in any case, with a list's elements between commas or in one header each; an empty value
// takes the key out.
func change(table map[string]any, headers []codec.Header) error {
	given := map[string][]string{}
	for _, h := range headers {
		key := strings.ToLower(h.Name)
		switch {
		case key == "name":
			return &Refusal{key, "is what Profile says: a profile keeps its name"}
		case slices.Contains(onlyInFile, key):
			return &Refusal{key, "is given in profiles.toml only"}
		case !slices.Contains(keys, key):
			return &Refusal{"", fmt.Sprintf("%q is no key of a profile", h.Name)}
		case !utf8.ValidString(h.Value):
			return &Refusal{key, "is not UTF-8"}
		case strings.ContainsFunc(h.Value, unicode.IsControl):
			return &Refusal{key, "holds a control character"}
		}
		given[key] = append(given[key], h.Value)
	}
	for _, key := range keys {
		values, ok := given[key]
		if !ok {
			continue
		}
		value, err := tomlValue(key, values)
		switch {
		case err != nil:
			return err
		case value == nil:
			delete(table, key)
			continue
		case key == "secret" && given["secret_hash"] == nil:
			delete(table, "secret_hash")
		case key == "secret_hash" && given["secret"] == nil:
			delete(table, "secret")
		}
		table[key] = value
	}
	return nil
}

// tomlValue is what the file has for a key whose headers have these values, nil if it has
// nothing. Whether it may have that is judged when the file is read.
func tomlValue(key string, values []string) (any, error) {
	var e entry
	f, _ := e.field(key)
	if f.Tag.Get("oneof") != "" {
		for i := range values {
			values[i] = strings.ToLower(values[i])
		}
	}
	only := values[0]
	if key != "secret" {
		only = strings.TrimSpace(only)
	}
	switch {
	case len(values) == 1 && only == "":
		return nil, nil
	case key == "filters":
		return values, nil
	case isList(f.Type):
		var all []string
		for _, value := range values {
			for element := range strings.SplitSeq(value, ",") {
				all = append(all, strings.TrimSpace(element))
			}
		}
		return all, nil
	case len(values) > 1:
		return nil, &Refusal{key, "is given more than once"}
	}
	switch f.Type.Kind() {
	case reflect.Bool:
		switch strings.ToLower(only) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
		return nil, &Refusal{key, fmt.Sprintf("is %q and must be true or false", only)}
	case reflect.Int:
		n, err := strconv.ParseInt(only, 10, 64)
		if err != nil {
			return nil, &Refusal{key, fmt.Sprintf("is %q and must be a whole number", only)}
		}
		return n, nil
	default:
		return only, nil
	}
}
