package config

import (
	"fmt"
	"reflect"
)

// hint says which known key an unknown one was probably meant to be, or to which
// table it belongs.
func (d *decoder) hint(name string, known []field) string {
	best, least := "", len(name)/3+2
	for _, f := range known {
		if n := distance(name, f.name); n < least {
			best, least = f.name, n
		}
	}
	if best != "" {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	if table, ok := tableOf(name, "", d.schema); ok && table != "" {
		return fmt.Sprintf(": it belongs to [%s]", table)
	}
	return ""
}

// tableOf finds the table that has a key of that name.
func tableOf(name, path string, of reflect.Type) (string, bool) {
	array := false
	for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
		array = array || of.Kind() == reflect.Slice
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return "", false
	}
	for f := range of.Fields() {
		key := f.Tag.Get("toml")
		if key == name {
			if array {
				path = "[" + path + "]"
			}
			return path, true
		}
		if table, ok := tableOf(name, join(path, key), f.Type); ok {
			return table, true
		}
	}
	return "", false
}

// distance counts the letters to be changed, put in or left out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
