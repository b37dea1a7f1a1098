package config

import "os"

// Exposed returns a warning where every user of this machine can read the file,
// which holds secrets.
func Exposed(file string) Problems {
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return nil
	}
	return Problems{{File: file, Text: "can be read by every user of this machine: chmod o-r"}}
}
