package proxy

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"

	"ampd/config"
	"ampd/downstream"
)

const (
	goodConfig   = "[upstream]\naddress = '127.0.0.1:5038'\nusername = 'ampd'\nsecret = 's'\n[[listen]]\naddress = '127.0.0.1:0'\n"
	goodProfiles = "[[profile]]\nname = 'a'\nsecret = 's'\n"
)

// load writes both files into a folder of their own and loads them.
func load(t *testing.T, ampd, profiles string) (*Config, config.Problems) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "ampd.toml")
	require.NoError(t, os.WriteFile(file, []byte(ampd), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ProfilesFile), []byte(profiles), 0o600))
	files, problems := Load(file)
	for i := range problems {
		problems[i].File = filepath.Base(problems[i].File)
	}
	return files.Config, problems
}

// TestBadFiles loads each file of testdata/bad as the one that its name begins
// with. Its last lines say what must be told of it, no more and no less:
//
//	# want LINE: KEY: TEXT
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 30)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			read, err := os.ReadFile(file)
			require.NoError(t, err)
			text := string(read)

			var problems config.Problems
			name := "ampd.toml"
			if strings.HasPrefix(filepath.Base(file), "ampd-") {
				_, problems = load(t, text, goodProfiles)
			} else {
				name = ProfilesFile
				_, problems = load(t, goodConfig, text)
			}
			var got, want []string
			for _, p := range problems {
				got = append(got, p.String())
				require.NotContains(t, p.Text, "hunter")
			}
			for _, w := range regexp.MustCompile(`(?m)^# want (.*)$`).FindAllStringSubmatch(text, -1) {
				separator := ":"
				if w[1][0] < '0' || w[1][0] > '9' {
					separator = ": " // of the file as a whole
				}
				want = append(want, name+separator+w[1])
			}
			require.NotEmpty(t, want)
			require.Equal(t, want, got)
		})
	}
}

func TestMissingFilesAreNamed(t *testing.T) {
	_, problems := Load("nowhere/ampd.toml")
	require.EqualError(t, problems.Err(), "nowhere/ampd.toml: cannot be read: no such file or directory\n"+
		"nowhere/profiles.toml: cannot be read: no such file or directory")
}

func TestStateDirIsNotThatOfTheFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ampd.toml")
	require.NoError(t, os.WriteFile(file, []byte("\nstate_dir = '"+dir+"/.'\n"+goodConfig), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ProfilesFile), []byte(goodProfiles), 0o600))
	_, problems := Load(file)
	require.EqualError(t, problems.Err(), file+":2: state_dir: must be another folder than that of this file: ampd would write over profiles.toml")
}

func TestExampleLoads(t *testing.T) {
	text, err := os.ReadFile("../ampd.toml.example")
	require.NoError(t, err)
	cfg, problems := load(t, string(text), goodProfiles)
	require.NoError(t, problems.Err())

	want := DefaultConfig()
	want.Upstream.Address = "127.0.0.1:5038"
	want.Upstream.Username = "ampd"
	want.Upstream.Secret = "change me"
	listener := downstream.Listener{}
	listener.Defaults()
	listener.Address = "127.0.0.1:5039"
	want.Listen = []downstream.Listener{listener}
	require.Equal(t, want, cfg)
}

// TestExampleShowsEveryKeyWithItsDefault takes the lines that are commented out in.
func TestExampleShowsEveryKeyWithItsDefault(t *testing.T) {
	read, err := os.ReadFile("../ampd.toml.example")
	require.NoError(t, err)
	text := regexp.MustCompile(`(?m)^#([a-z\[])`).ReplaceAllString(string(read), "$1")
	cfg, problems := load(t, text, goodProfiles)
	require.NoError(t, problems.Err())

	require.Len(t, cfg.Listen, 2)
	listener := downstream.Listener{}
	listener.Defaults()
	listener.Address = "127.0.0.1:5039"
	require.Equal(t, listener, cfg.Listen[0])
	listener.Address = "unix:/run/ampd/ami.sock"
	require.Equal(t, listener, cfg.Listen[1])

	defaults := DefaultConfig()
	defaults.Upstream.Address, defaults.Upstream.Username, defaults.Upstream.Secret = cfg.Upstream.Address, cfg.Upstream.Username, cfg.Upstream.Secret
	require.Equal(t, defaults.Upstream, cfg.Upstream)
	require.Equal(t, defaults.Sessions, cfg.Sessions)
	require.Empty(t, cfg.Rights.ProtectedVariables)
	require.Equal(t, defaults.Statistics, cfg.Statistics)
	require.Equal(t, defaults.History, cfg.History)
	require.Equal(t, defaults.Audit, cfg.Audit)
	require.Equal(t, defaults.HTTP, cfg.HTTP)
	require.Equal(t, defaults.Log, cfg.Log)

	var tree map[string]any
	_, err = toml.Decode(text, &tree)
	require.NoError(t, err)
	requireKeys(t, reflect.TypeFor[Config](), tree)
}

// requireKeys finds every key of a struct in the table.
func requireKeys(t *testing.T, of reflect.Type, table map[string]any) {
	for f := range of.Fields() {
		key := f.Tag.Get("toml")
		require.Contains(t, table, key)
		switch v := table[key].(type) {
		case map[string]any:
			requireKeys(t, f.Type, v)
		case []map[string]any:
			requireKeys(t, f.Type.Elem(), v[0])
		}
	}
}
