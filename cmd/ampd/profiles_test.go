package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/profiles"
)

func TestPrintProfiles(t *testing.T) {
	people, state := filepath.Join(t.TempDir(), "profiles.toml"), filepath.Join(t.TempDir(), "profiles.toml")
	require.NoError(t, os.WriteFile(people, []byte(`
[[profile]]
name = "root"
secret = "hunter2"
types = ["administrator", "monitor"]
admin = true
dangerous = true
trust = ["unix"]
[[profile]]
name = "wall"
secret = "hunter2"
[[profile]]
name = "old"
secret = "hunter2"
`), 0o600))
	require.NoError(t, os.WriteFile(state, []byte(`
[[profile]]
name = "crm 2"
secret = "hunter2"
disabled = true
queues = ["support"]
[[profile]]
name = "Wall"
secret = "hunter2"
[[profile]]
name = "old"
deleted = true
`), 0o600))
	store, problems := profiles.Open(people, state, nil)
	require.NoError(t, problems.Err())
	var out strings.Builder
	require.NoError(t, printProfiles(&out, store))
	require.Equal(t, `NAME   TYPES                  FLAGS                  FILE
root   administrator,monitor  admin,dangerous,trust  `+people+`
Wall   monitor                -                      `+state+`
crm 2  monitor                disabled,limited       `+state+`
`, out.String())
}
