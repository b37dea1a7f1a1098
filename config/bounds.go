package config

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// bounds holds a value that was just read against the tags of its field.
func (d *decoder) bounds(path string, f field) {
	if d.hasProblem(path) {
		return
	}
	if f.tag.Get("required") != "" && (f.value.Kind() == reflect.String || f.value.Kind() == reflect.Slice) && f.value.Len() == 0 {
		d.report(path, "must not be empty")
		return
	}
	if names := strings.Fields(f.tag.Get("oneof")); len(names) > 0 {
		d.oneOf(path, f.value, names)
	}
	low, high := f.tag.Get("min"), f.tag.Get("max")
	if low == "" && high == "" {
		return
	}
	if f.value.Kind() == reflect.Pointer {
		f.value = f.value.Elem()
	}
	if (low == "" || compare(f.value, low) >= 0) && (high == "" || compare(f.value, high) <= 0) {
		return
	}
	text := fmt.Sprintf("is %v and must be ", f.value.Interface())
	switch {
	case high == "":
		text += "at least " + low
	case low == "":
		text += "at most " + high
	default:
		text += "from " + low + " to " + high
	}
	d.report(path, text)
}

func (d *decoder) oneOf(path string, v reflect.Value, names []string) {
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			d.oneOf(element(path, i), v.Index(i), names)
		}
		return
	}
	for _, name := range names {
		if v.String() == name {
			return
		}
	}
	d.report(path, fmt.Sprintf("is %q and must be one of: %s", v.String(), strings.Join(names, ", ")))
}

// compare orders a value and a bound of its field's tag.
func compare(v reflect.Value, bound string) int {
	var limit int64
	var err error
	switch v.Interface().(type) {
	case Duration:
		var d Duration
		d, err = ParseDuration(bound)
		limit = int64(d)
	case Size:
		var s Size
		s, err = ParseSize(bound)
		limit = int64(s)
	default:
		if v.Kind() == reflect.Float64 {
			f, err := strconv.ParseFloat(bound, 64)
			if err != nil {
				panic(fmt.Sprintf("config: bound %q: %v", bound, err))
			}
			return cmp.Compare(v.Float(), f)
		}
		limit, err = strconv.ParseInt(bound, 10, 64)
	}
	if err != nil {
		panic(fmt.Sprintf("config: bound %q: %v", bound, err))
	}
	return cmp.Compare(v.Int(), limit)
}
