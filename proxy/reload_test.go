package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/config"
	"ampd/pbx"
)

func TestProtectedVariablesHoldForWhoIsLoggedIn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Events: off\n")
		waits, _, token := b.resume("admin", "yes", 0)
		waits.sees()
		getvar := func(c *testClient) string {
			c.send("Action: Getvar\nVariable: CRM_TOKEN")
			b.settle()
			if len(b.calls) > 0 {
				b.answer("Response: Success", true)
			}
			return c.sees()
		}
		require.Equal(t, "Success", getvar(c))
		b.hub.setRights(RightsConfig{})
		waits.conn.Close()
		b.event("A")
		waits, result, token := b.resume("admin", token, 1)
		require.Equal(t, "ok", result, "nothing has changed")
		require.Equal(t, "A FullyBooted", waits.sees())

		b.hub.setRights(RightsConfig{ProtectedVariables: []string{"CRM_*"}})
		require.Equal(t, "Error", getvar(c))
		require.Equal(t, "Error", getvar(b.login("admin", "Events: off\n")))
		b.login("desk", "Events: off\nType: agent\nAgentID: 1001\n") // an agent can log in yet
		b.event("B")
		require.Equal(t, "B", waits.sees(), "is seen as before")
		waits.conn.Close()
		b.settle()
		_, result, _ = b.resume("admin", token, 0)
		require.Equal(t, "gap", result, "as where its profile was changed")

		b.hub.setRights(RightsConfig{})
		require.Equal(t, "Success", getvar(c))
	})
}

func TestLimitsOfSessionsAreChanged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, _, token := b.resume("admin", "yes", 0)
		c.sees()
		cfg := *b.hub.limits.Get()
		cfg.OrderHold, cfg.ResumeWindow = config.Duration(10*time.Second), config.Duration(2*time.Minute)
		b.hub.limits.Set(cfg)
		c.send("Action: DBPut")
		b.started()
		b.event("A")
		time.Sleep(9 * time.Second)
		require.Empty(t, c.sees())
		time.Sleep(2 * time.Second)
		require.Equal(t, "A", c.sees())
		b.answer("Response: Success", true)
		require.Equal(t, "Success", c.sees())

		c.conn.Close()
		time.Sleep(119 * time.Second)
		_, result, _ := b.resume("admin", token, 2)
		require.Equal(t, "ok", result)
	})
}

func TestResyncIsChanged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.State.Resync = config.Duration(24 * time.Hour) })
		b.hub.Ready(listsChannels)
		var asked atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.hub.resync(ctx, listing(func(q pbx.Question) ([]*codec.Packet, error) {
				if q.Action != "GetConfig" {
					asked.Add(1)
				}
				return nil, errors.New("lost")
			}))
		}()
		time.Sleep(time.Hour)
		b.hub.setResync(24 * time.Hour)
		b.settle()
		require.Zero(t, asked.Load())
		b.hub.setResync(10 * time.Second)
		b.settle()
		require.EqualValues(t, 1, asked.Load(), "at once")
		time.Sleep(time.Minute + time.Second)
		b.settle()
		require.EqualValues(t, 7, asked.Load())
		stop()
		<-ended
	})
}

// A scene is a running ampd with files, in a folder of its own.
type scene struct {
	*running
	dir string
}

// baseConfig is the file of a scene, whose folder is DIR. Its last line may be followed by
// keys of a listener.
const baseConfig = `state_dir = 'DIR/state'
[upstream]
address = '127.0.0.1:1'
username = 'ampd'
secret = 'hunter2'
[audit]
file = 'DIR/audit.log'
[[listen]]
address = 'unix:DIR/goes'
[[listen]]
address = 'unix:DIR/stays'
`

func startScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{dir: t.TempDir()}
	s.write(t, baseConfig, goodProfiles)
	files, problems := Load(s.toml())
	require.NoError(t, problems.Err())
	s.running = runFiles(t, files)
	return s
}

func (s *scene) toml() string { return filepath.Join(s.dir, "ampd.toml") }

// write writes both files.
func (s *scene) write(t *testing.T, ampd, people string) {
	t.Helper()
	for name, text := range map[string]string{"ampd.toml": ampd, ProfilesFile: people} {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(strings.ReplaceAll(text, "DIR", s.dir)), 0o600))
	}
}

// hangUp sends a SIGHUP and returns what is said about it, without the folder's name.
func (s *scene) hangUp(t *testing.T) (said []string) {
	t.Helper()
	s.hangups <- syscall.SIGHUP
	for {
		select {
		case line := <-s.lines:
			var read struct{ Level, Msg string }
			require.NoError(t, json.Unmarshal([]byte(line), &read))
			text, ok := strings.CutPrefix(read.Msg, "SIGHUP: ")
			if !ok {
				continue
			}
			said = append(said, read.Level+" "+strings.ReplaceAll(text, s.dir+"/", ""))
			if text == stays || text == wasRead {
				return said
			}
		case <-time.After(time.Minute):
			require.FailNow(t, "the SIGHUP does not come to its end", "%q", said)
		}
	}
}

// The last thing that is said about a SIGHUP.
const (
	stays   = "all stays as it was"
	wasRead = "ampd.toml and the profiles were read again"
)

// A guest is a client of a unix socket in the scene's folder.
type guest struct {
	net.Conn
	in       *bufio.Reader
	greeting string
}

func (s *scene) guest(t *testing.T, socket string) *guest {
	t.Helper()
	conn, err := net.Dial("unix", filepath.Join(s.dir, socket))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	g := &guest{Conn: conn, in: bufio.NewReader(conn)}
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	g.greeting = g.line(t)
	return g
}

func (g *guest) line(t *testing.T) string {
	t.Helper()
	line, err := g.in.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\r\n")
}

// ask sends an action and returns its answer's first line.
func (g *guest) ask(t *testing.T, action string) string {
	t.Helper()
	_, err := fmt.Fprintf(g, "%s\r\n\r\n", action)
	require.NoError(t, err)
	first := g.line(t)
	for g.line(t) != "" {
	}
	return first
}

// nobodyAt holds that there is no such socket.
func (s *scene) nobodyAt(t *testing.T, socket string) {
	t.Helper()
	_, err := net.Dial("unix", filepath.Join(s.dir, socket))
	require.ErrorIs(t, err, syscall.ENOENT)
}

// otherConfig changes whatever in baseConfig can be changed, and has one listener more.
func otherConfig(edit ...string) string {
	return strings.NewReplacer(append(edit,
		"unix:DIR/goes", "unix:DIR/comes",
		"DIR/audit.log", "DIR/other.log",
		"hunter2", "hunter3")...).Replace(baseConfig) +
		"greeting = 'Asterisk Call Manager/12.0.0'\n[log]\nlevel = 'debug'\n[sessions]\nmax_unauthenticated = 1\n"
}

const otherProfiles = "[[profile]]\nname = 'a'\nsecret = 's'\n[[profile]]\nname = 'b'\nsecret = 's'\n"

const loginOfB = "Action: Login\r\nUsername: b\r\nSecret: s"

func TestReload(t *testing.T) {
	s := startScene(t)
	goes, stays := s.guest(t, "goes"), s.guest(t, "stays")
	for _, g := range []*guest{goes, stays} {
		require.Equal(t, "Response: Success", g.ask(t, "Action: Login\r\nUsername: a\r\nSecret: s"))
	}
	s.write(t, otherConfig(), otherProfiles)
	require.Equal(t, []string{"info " + wasRead}, s.hangUp(t))
	s.nobodyAt(t, "goes")
	comes := s.guest(t, "comes")
	require.Equal(t, "Response: Success", comes.ask(t, loginOfB))
	require.Equal(t, "Asterisk Call Manager/11.0.0", comes.greeting)
	require.Equal(t, "Asterisk Call Manager/12.0.0", s.guest(t, "stays").greeting)
	for _, g := range []*guest{goes, stays, comes} {
		require.Equal(t, "Response: Success", g.ask(t, "Action: Ping"))
	}
	conn, err := net.Dial("unix", filepath.Join(s.dir, "stays")) // one without a login is there
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "one more is too many")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(s.dir, "other.log"))
		return err == nil && strings.Contains(string(text), `"profile":"b"`)
	}, time.Minute, time.Millisecond)

	require.Equal(t, []string{"info " + wasRead}, s.hangUp(t), "and once more")
	s.write(t, baseConfig, goodProfiles)
	require.Equal(t, []string{"info " + wasRead}, s.hangUp(t), "and back")
	s.nobodyAt(t, "comes")
	require.Equal(t, "Asterisk Call Manager/11.0.0", s.guest(t, "goes").greeting)
}

func TestBadReloadChangesNothing(t *testing.T) {
	const noCert = "tls_cert_file = 'DIR/cert.pem'\ntls_key_file = 'DIR/key.pem'\n"
	tests := map[string]struct {
		ampd, people string // "" for those that are good
		want         []string
	}{
		"syntax":           {ampd: otherConfig("'ampd'", "ampd"), want: []string{`ampd.toml:4: upstream.username: has no value that can be read: text needs quotes, an array its closing bracket`}},
		"unknown key":      {ampd: otherConfig("secret", "secert = 's'\nsecret"), want: []string{`ampd.toml:5: upstream.secert: is not a known key: did you mean secret?`}},
		"wrong type":       {ampd: otherConfig("'ampd'", "5"), want: []string{`ampd.toml:4: upstream.username: must be a string, not a whole number`}},
		"bad value":        {ampd: otherConfig() + "auth_timeout = '1ms'\n", want: []string{`ampd.toml:17: sessions.auth_timeout: is 1ms and must be from 1s to 10m`}},
		"certificate":      {ampd: otherConfig("[audit]", "[[listen]]\naddress = '127.0.0.1:0'\n"+noCert+"[audit]"), want: []string{`ampd.toml:8: listen[0].tls_cert_file: load certificate and key: open cert.pem: no such file or directory`}},
		"address in use":   {ampd: otherConfig() + "[[listen]]\naddress = 'unix:DIR/taken'\n", want: []string{`ampd.toml:18: listen[2].address: listen unix taken: another process listens there`}},
		"two addresses":    {ampd: otherConfig() + "[[listen]]\naddress = 'unix:DIR/taken'\n[[listen]]\naddress = 'unix:DIR/no/where'\n", want: []string{`ampd.toml:18: listen[2].address: listen unix taken: another process listens there`, `ampd.toml:20: listen[3].address: listen unix no/where: bind: no such file or directory`}},
		"audit log":        {ampd: otherConfig("DIR/audit.log", "DIR/no/audit.log"), want: []string{`ampd.toml:7: audit.file: open no/audit.log: no such file or directory`}},
		"profiles":         {people: otherProfiles + "[[profile]]\nname = 'c'\n", want: []string{`profiles.toml:7: profile[2].secret: must not be empty: set a secret or a secret_hash`}},
		"both":             {ampd: otherConfig("'ampd'", "5"), people: "[[profile]]\nname = 'c'\n", want: []string{`ampd.toml:4: upstream.username: must be a string, not a whole number`, `profiles.toml:1: profile[0].secret: must not be empty: set a secret or a secret_hash`}},
		"address and both": {ampd: otherConfig() + "[[listen]]\naddress = 'unix:DIR/taken'\n", people: "[[profile]]\nname = 'c'\n", want: []string{`ampd.toml:18: listen[2].address: listen unix taken: another process listens there`, `profiles.toml:1: profile[0].secret: must not be empty: set a secret or a secret_hash`}},
	}
	s := startScene(t)
	taken, err := net.Listen("unix", filepath.Join(s.dir, "taken"))
	require.NoError(t, err)
	defer taken.Close()
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.ampd == "" {
				tc.ampd = otherConfig()
			}
			if tc.people == "" {
				tc.people = otherProfiles
			}
			s.write(t, tc.ampd, tc.people)
			var want []string
			for _, text := range tc.want {
				want = append(want, "error "+text)
			}
			require.Equal(t, append(want, "error "+stays), s.hangUp(t))
			s.nobodyAt(t, "comes")
			for _, socket := range []string{"goes", "stays"} {
				require.Equal(t, "Asterisk Call Manager/11.0.0", s.guest(t, socket).greeting)
			}
			require.Equal(t, "Response: Error", s.guest(t, "stays").ask(t, loginOfB))
			text, err := os.ReadFile(filepath.Join(s.dir, "other.log"))
			require.True(t, err != nil || len(text) == 0, "nothing is written there")
		})
	}
	s.write(t, otherConfig(), otherProfiles)
	require.Equal(t, []string{"info " + wasRead}, s.hangUp(t))
	require.Equal(t, "Response: Success", s.guest(t, "comes").ask(t, loginOfB))
}

// TestWhatARestartAsksForIsNamed with each SIGHUP until then.
func TestWhatARestartAsksForIsNamed(t *testing.T) {
	s := startScene(t)
	s.write(t, "state_dir = '/tmp'\n[http]\naddress = '127.0.0.1:0'\n"+strings.TrimPrefix(otherConfig("127.0.0.1:1", "127.0.0.1:2", "'ampd'", "'other'"), "state_dir = 'DIR/state'\n")+
		"[upstream]\n", otherProfiles)
	require.Equal(t, "error "+stays, s.hangUp(t)[1], "[upstream] twice")
	s.write(t, "state_dir = '/tmp'\n[http]\naddress = '127.0.0.1:0'\n"+
		strings.TrimPrefix(otherConfig("127.0.0.1:1", "127.0.0.1:2", "'ampd'", "'other'", "[audit]", "tls = true\naction_connections = 1\n[audit]", "level = 'debug'", "level = 'debug'\nformat = 'console'"), "state_dir = 'DIR/state'\n"), otherProfiles)
	for range 2 {
		require.Equal(t, []string{
			"warn state_dir changes only with a restart",
			"warn upstream.address changes only with a restart",
			"warn upstream.username changes only with a restart",
			"warn upstream.tls changes only with a restart",
			"warn upstream.action_connections changes only with a restart",
			"warn http.address changes only with a restart",
			"info " + wasRead,
		}, s.hangUp(t))
	}
	require.Equal(t, "Response: Success", s.guest(t, "comes").ask(t, loginOfB), "all else has changed")
	s.write(t, baseConfig, otherProfiles)
	require.Equal(t, []string{"info " + wasRead}, s.hangUp(t))
}

func TestLogLevelIsChanged(t *testing.T) {
	var out strings.Builder
	log, err := LogConfig{Level: "warn", Format: "json"}.newLogger(&out)
	require.NoError(t, err)
	log.Named("part").Info("one")
	require.NoError(t, log.level.UnmarshalText([]byte("debug")))
	log.Named("part").Debug("two")
	require.NoError(t, log.Sync())
	require.NotContains(t, out.String(), "one")
	require.Contains(t, out.String(), "two")
}

// TestDocumentSaysOfEachKeyWhatASIGHUPDoes holds the table of docs/operations.md against the
// configuration: no key of either is missing in the other, and those that change only with a
// restart are marked so in both.
func TestDocumentSaysOfEachKeyWhatASIGHUPDoes(t *testing.T) {
	text, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## SIGHUP\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	told := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| (live|restart)\\b.*\\|$").FindAllStringSubmatch(section, -1) {
		require.NotContains(t, told, row[1])
		told[row[1]] = row[2] == "restart"
	}
	is := map[string]bool{}
	keysOf(reflect.TypeFor[Config](), "", false, is)
	require.NotEmpty(t, is)
	require.Equal(t, is, told)
}

// keysOf tells of each key whether it changes only with a restart.
func keysOf(of reflect.Type, path string, restart bool, is map[string]bool) {
	for f := range of.Fields() {
		key, restart := path+f.Tag.Get("toml"), restart || f.Tag.Get("restart") != ""
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keysOf(inner, key+".", restart, is)
		} else {
			is[key] = restart
		}
	}
}
