package config

import "reflect"

// Keep gives the struct that next points to those values of before, of the same type, that
// only a restart changes, and returns their keys where next had others, in the order of
// the fields. Those are the ones with the tag restart:"true", and all that is inside a table
// with it.
func Keep(next, before any) (keys []string) {
	return keep("", reflect.ValueOf(next).Elem(), reflect.ValueOf(before).Elem(), false)
}

func keep(path string, next, before reflect.Value, restart bool) (keys []string) {
	old := fields(before)
	for i, f := range fields(next) {
		key, restart := join(path, f.name), restart || f.tag.Get("restart") != ""
		switch {
		case isTable(f.value):
			keys = append(keys, keep(key, f.value, old[i].value, restart)...)
		case restart && !reflect.DeepEqual(f.value.Interface(), old[i].value.Interface()):
			f.value.Set(old[i].value)
			keys = append(keys, key)
		}
	}
	return keys
}
