package tests

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// -update writes what is answered into the files of TestTranscripts. An old line stays
// where it fits: one with {names} in it.
var update = flag.Bool("update", false, "write testdata/transcripts anew, as the first version of Asterisk has it")

const transcripts = "testdata/transcripts"

// TestTranscripts holds whole conversations byte by byte, in front of each Asterisk. Those
// whose name begins with "asterisk" are held with that itself too.
//
// A transcript has these lines, and comments:
//
//	C connects: native   to that listener; C2, S2 ... are further connections
//	C: bytes             what the client writes, all lines up to another kind at once
//	S: bytes             what it reads: a line up to \n or \0
//	S waits              what comes next comes 1 s later, and not before
//	S closes             nothing more comes
//
// What can't be the same twice is a {name} of placeholders.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(transcripts + "/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	profiles, err := os.ReadFile(transcripts + "/profiles.toml")
	require.NoError(t, err)
	policy, err := filepath.Abs(transcripts + "/policy.xml")
	require.NoError(t, err)
	everyVersion(t, func(t *testing.T, version string) {
		if *update && version != asterisk.Versions()[0] {
			t.Skip("-update")
		}
		s := asterisk.Start(t, version)
		sockets := t.TempDir()
		d := daemon.Start(t, s.Addr, daemon.Config{
			Profiles: string(profiles),
			Head:     fmt.Sprintf("state_dir = %q\n", t.TempDir()),
			Listen: fmt.Sprintf("[[listen]]\naddress = \"unix:%[1]s/xml\"\nformat = \"xml\"\n"+
				"[[listen]]\naddress = \"unix:%[1]s/flash\"\nformat = \"xml\"\nflash = true\npolicy_file = %[2]q\n"+
				"[[listen]]\naddress = \"unix:%[1]s/first\"\nresponse_first = true\n", sockets, policy),
		})
		d.WaitReady(t)
		places := map[string]string{
			"native": d.Addr, "XML": "unix:" + sockets + "/xml", "Flash": "unix:" + sockets + "/flash", "response first": "unix:" + sockets + "/first",
		}
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), ".txt")
			t.Run(name, func(t *testing.T) { playTranscript(t, path, version, places, *update) })
			if strings.HasPrefix(name, "asterisk") {
				t.Run(name+" with Asterisk", func(t *testing.T) {
					playTranscript(t, path, version, map[string]string{"native": s.Addr}, false)
				})
			}
			require.Eventually(t, func() bool { return strings.HasPrefix(s.CLI("core show channels count"), "0 active channels") },
				wireLimit, 20*time.Millisecond, "calls of "+name)
		}
	})
}

// placeholders are patterns by their names; %s is the version of Asterisk.
var placeholders = map[string]string{
	"AMI":       `\d+\.\d+\.\d+`,
	"Asterisk":  `%s\.\d+\.\d+\S*?`,
	"hex":       `[0-9a-f]{8}`,
	"seconds":   `\d{1,5}`,
	"system":    `rig%s`,
	"timestamp": `\d{10}\.\d{6}`,
	"ampd":      `[\w.+-]+`,
	"time":      `\d{10}`,
	"file":      `/\S+/profiles\.toml`,
	"uniqueid":  `rig%s-\d{10}\.\d+`,
}

var (
	scriptLine  = regexp.MustCompile(`^([CS]\d?)(: ?| connects: | waits| closes)(.*)$`)
	placeholder = regexp.MustCompile(`\\\{(\w+)\\\}`) // as QuoteMeta writes it
	unescape    = strings.NewReplacer(`\\`, `\`, `\r`, "\r", `\n`, "\n", `\0`, "\x00", `\t`, "\t", `\xfc`, "\xfc", `\x1b`, "\x1b")
	escape      = strings.NewReplacer(`\`, `\\`, "\r", `\r`, "\n", `\n`, "\x00", `\0`, "\t", `\t`, "\xfc", `\xfc`, "\x1b", `\x1b`)
)

// A reading is one connection of a transcript.
type reading struct {
	net.Conn
	in      *bufio.Reader
	unsent  string
	written time.Time
}

// line reads up to a \n or \0. The error comes with what there is before it.
func (r *reading) line() (string, error) {
	var line []byte
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			return string(line), err
		}
		if line = append(line, c); c == '\n' || c == 0 {
			return string(line), nil
		}
	}
}

func (r *reading) flush(t *testing.T) {
	if r.unsent == "" {
		return
	}
	r.written = time.Now()
	_, err := io.WriteString(r, r.unsent)
	require.NoError(t, err)
	r.unsent = ""
}

// playTranscript holds the conversation of a file with the servers at places.
func playTranscript(t *testing.T, path, version string, places map[string]string, update bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	all := map[string]*reading{}
	var met []string // the file as it should be
	for i := 0; i < len(lines); i++ {
		where := fmt.Sprintf("%s:%d", path, i+1)
		m := scriptLine.FindStringSubmatch(lines[i])
		for name, r := range all {
			if m == nil || name != m[1][1:] || m[1][0] == 'S' || !strings.HasPrefix(m[2], ":") {
				r.flush(t)
			}
		}
		if m == nil {
			require.Regexp(t, `^(#|$)`, lines[i], where)
			met = append(met, lines[i])
			continue
		}
		r, kind := all[m[1][1:]], m[1][:1]+strings.TrimSpace(m[2])
		if kind == "Cconnects:" {
			require.Nil(t, r, where)
			require.Contains(t, places, m[3], where)
			conn, err := dialTranscript(places[m[3]])
			require.NoError(t, err, where)
			defer conn.Close()
			all[m[1][1:]] = &reading{Conn: conn, in: bufio.NewReader(conn), written: time.Now()}
			met = append(met, lines[i])
			continue
		}
		require.NotNil(t, r, where)
		require.NoError(t, r.SetDeadline(time.Now().Add(wireLimit)))
		switch kind {
		case "C:":
			r.unsent += unescape.Replace(m[3])
		case "Swaits":
			_, err := r.in.Peek(1)
			require.NoError(t, err, where)
			require.GreaterOrEqual(t, time.Since(r.written), time.Second, where)
		case "Scloses":
			got, err := r.line()
			require.Truef(t, errors.Is(err, io.EOF) && got == "", "%s: want the end, got %q, %v", where, got, err)
			delete(all, m[1][1:])
		case "S:":
			if update {
				old := i
				for i+1 < len(lines) && strings.HasPrefix(lines[i+1], m[1]+":") {
					i++
				}
				met = append(met, r.rest(t, m[1], version, lines[old:i+1])...)
				continue
			}
			got, err := r.line()
			require.Truef(t, transcriptPattern(t, m[3], version).MatchString(got), "%s:\nwant %s\ngot  %s (%v)", where, m[3], escape.Replace(got), err)
		default:
			require.Fail(t, "not a line of a transcript", where)
		}
		met = append(met, lines[i])
	}
	require.Empty(t, all, "%s: a connection is not closed", path)
	if update {
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(met, "\n")+"\n"), 0o644))
	}
}

func dialTranscript(addr string) (net.Conn, error) {
	if path, unix := strings.CutPrefix(addr, "unix:"); unix {
		return net.Dial("unix", path)
	}
	return net.Dial("tcp", addr)
}

// transcriptPattern is what a line of the file matches.
func transcriptPattern(t *testing.T, line, version string) *regexp.Regexp {
	t.Helper()
	return regexp.MustCompile(`(?s)^` + placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(unescape.Replace(line)), func(name string) string {
		pattern, known := placeholders[name[2:len(name)-2]]
		require.True(t, known, name)
		return strings.ReplaceAll(pattern, "%s", version)
	}) + `$`)
}

// rest reads all that comes, for -update; old are the lines that stood there.
func (r *reading) rest(t *testing.T, who, version string, old []string) (lines []string) {
	for {
		require.NoError(t, r.SetReadDeadline(time.Now().Add(500*time.Millisecond)))
		got, err := r.line()
		if got == "" {
			return lines
		}
		line := who + ": " + escape.Replace(got)
		for _, o := range old {
			if transcriptPattern(t, strings.TrimPrefix(o[len(who)+1:], " "), version).MatchString(got) {
				line = o
			}
		}
		lines = append(lines, line)
		if err != nil {
			return lines
		}
	}
}
