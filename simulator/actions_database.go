package simulator

import (
	"sort"
	"strings"
)

// databaseKey is the path of Family and Key, or "" when r was answered.
func databaseKey(r *request, dot string) string {
	family, key := r.get("Family"), r.get("Key")
	switch {
	case family == "":
		r.fail("No family specified" + dot)
	case key == "":
		r.fail("No key specified" + dot)
	default:
		return "/" + family + "/" + key
	}
	return ""
}

func dbPut(r *request) {
	if path := databaseKey(r, ""); path != "" {
		r.c.database[path] = r.get("Val")
		r.succeed("Updated database successfully")
	}
}

func dbGet(r *request) {
	path := databaseKey(r, ".")
	if path == "" {
		return
	}
	value, ok := r.c.database[path]
	if !ok {
		r.fail("Database entry not found")
		return
	}
	r.beginList("Result will follow")
	r.add("Event", "DBGetResponse")
	r.add("Family", r.get("Family"))
	r.add("Key", r.get("Key"))
	r.add("Val", value)
	r.endItem()
	r.endList("DBGetComplete", 1)
	r.end()
}

func dbDel(r *request) {
	path := databaseKey(r, ".")
	if path == "" {
		return
	}
	if _, ok := r.c.database[path]; !ok {
		r.fail("Database entry could not be deleted")
		return
	}
	delete(r.c.database, path)
	r.succeed("Key deleted successfully")
}

// tree lists the paths of the database below Family and Key, in order.
func tree(r *request) []string {
	prefix := ""
	if family := r.get("Family"); family != "" {
		prefix = "/" + family
		if key := r.get("Key"); key != "" {
			prefix += "/" + key
		}
	}
	var paths []string
	for path := range r.c.database {
		if prefix == "" || path == prefix || strings.HasPrefix(path, prefix+"/") {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	return paths
}

func dbGetTree(r *request) {
	paths := tree(r)
	if len(paths) == 0 {
		r.fail("Database entry not found")
		return
	}
	r.beginList("Result will follow")
	for _, path := range paths {
		r.add("Event", "DBGetTreeResponse")
		r.add("Key", path)
		r.add("Val", r.c.database[path])
		r.endItem()
	}
	r.endList("DBGetTreeComplete", len(paths))
	r.end()
}

func dbDelTree(r *request) {
	if r.get("Family") == "" {
		r.fail("No family specified.")
		return
	}
	paths := tree(r)
	if len(paths) == 0 {
		r.fail("Database entry not found")
		return
	}
	for _, path := range paths {
		delete(r.c.database, path)
	}
	r.succeed("Key tree deleted successfully")
}
