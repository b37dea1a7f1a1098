package proxy

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/audit"
	"ampd/profiles"
)

// A fail2ban is Fail2Ban with our filter, as far as it matters here.
type fail2ban struct {
	t           *testing.T
	dates, fail []*regexp.Regexp
}

// asGo has what Fail2Ban puts for its own tags, in this package's regular expressions.
var asGo = strings.NewReplacer(
	"<ADDR>", `(?P<addr>[0-9A-Fa-f:.]+)`, // takes more than Fail2Ban's
	"%Y", `\d{4}`, "%m", `\d\d`, "%d", `\d\d`, "%H", `\d\d`, "%M", `\d\d`, "%S", `\d\d`, "%z", `(?:Z|[+-]\d\d:\d\d)`,
)

func newFail2ban(t *testing.T) *fail2ban {
	read, err := os.ReadFile("../contrib/fail2ban/filter.d/ampd.conf")
	require.NoError(t, err)
	_, text, ok := strings.Cut(string(read), "[Definition]\n")
	require.True(t, ok)
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+) =(.*(?:\n[ \t]+.*)*)`).FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	require.Empty(t, strings.TrimSpace(values["ignoreregex"]))
	f := &fail2ban{t: t}
	compile := func(key string) (all []*regexp.Regexp) {
		value := regexp.MustCompile(`%\((\w+)\)s`).ReplaceAllStringFunc(values[key], func(name string) string {
			return strings.TrimSpace(values[name[2:len(name)-2]])
		})
		value = strings.ReplaceAll(value, "%%", "%")
		for line := range strings.Lines(strings.TrimSpace(value)) {
			line = strings.TrimSpace(line)
			require.True(t, strings.HasPrefix(line, "^"), line)
			all = append(all, regexp.MustCompile(asGo.Replace(line)))
		}
		return all
	}
	f.dates, f.fail = compile("datepattern"), compile("failregex")
	require.Len(t, f.dates, 2)
	require.Len(t, f.fail, 3)
	return f
}

// inFile returns the address that is found in a line of a file, "" for none. Fail2Ban takes
// the date out of the line first, and does not look further where there is none.
func (f *fail2ban) inFile(line string) string {
	for _, date := range f.dates {
		if at := date.FindStringSubmatchIndex(line); at != nil {
			require.NotContains(f.t, line[at[2]:at[3]], "01:02:03", "a date of the client's")
			return f.find(line[:at[2]] + line[at[3]:])
		}
	}
	return ""
}

// inJournal is for a line of the journal.
func (f *fail2ban) inJournal(line string) string { return f.find("pbx ampd[123]: " + line) }

func (f *fail2ban) find(line string) (address string) {
	for _, fail := range f.fail {
		if m := fail.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			require.Empty(f.t, address, "found twice: %s", line)
			address = m[fail.SubexpIndex("addr")]
		}
	}
	return address
}

// forgeries are names of clients that want somebody else to be banned, or not to be.
var forgeries = []string{
	`x","address":"192.0.2.66","profile":"y`,
	`x", "address": "192.0.2.66", "profile": "y`,
	`x\","address":"192.0.2.66","profile":"y`,
	`x","reason":"Login Already In Use"}`,
	`x", "reason": "Login Already In Use"}`,
	`x\`,
	`x"`,
	"x\t\"address\": \"192.0.2.66\"\x1b[2K\x01",
	"M\xfcller \u2028 \u0085",
	`2001-01-01T01:02:03Z`,
	`{"level":"warn","time":"2001-01-01T01:02:03Z","logger":"downstream","msg":"login refused","client":1,"address":"192.0.2.66","profile":"x","reason":"wrong secret"}`,
	`{"time":"2001-01-01T01:02:03Z","event":"login","result":"refused","rule":"wrong secret","client":1,"address":"192.0.2.66",`,
	`01:02:03.004	WARN	downstream	login refused	{"client": 1, "address": "192.0.2.66", "profile": "x", "reason": "wrong secret"}`,
}

const guessed = `
[[profile]]
name = "guessed"
secret = "right"
max_sessions = 1

[[profile]]
name = "elsewhere"
secret = "right"
permit = ["127.9.9.9"]

[[profile]]
name = "disabled"
secret = "right"
disabled = true

[[profile]]
name = "hashed"
secret_hash = "%s"
`

func TestFail2banFindsGuesses(t *testing.T) {
	filter := newFail2ban(t)
	hash, err := profiles.HashSecret("right")
	require.NoError(t, err)
	for _, format := range []string{"json", "console"} {
		t.Run(format, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Log.Format = format
			r := run(t, cfg, fmt.Sprintf(guessed, hash), "127.0.0.1:0", "unix:"+filepath.Join(t.TempDir(), "socket"))
			tcp, unix := r.addrs[0], r.addrs[1]

			says := func(to net.Addr, packet string) net.Conn {
				conn, err := net.Dial(to.Network(), to.String())
				require.NoError(t, err)
				t.Cleanup(func() { conn.Close() })
				require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
				_, err = conn.Write([]byte(packet))
				require.NoError(t, err)
				return conn
			}
			// nothingUntil wants that nothing is found up to the line with that text, which
			// it returns.
			nothingUntil := func(text string) string {
				t.Helper()
				lines := r.logs(text)
				for _, line := range lines[:len(lines)-1] {
					require.Empty(t, filter.inFile(line)+filter.inJournal(line), line)
				}
				return lines[len(lines)-1]
			}
			refused := func(to net.Addr, name, rest, want string) {
				t.Helper()
				says(to, "Action: Login\r\nUsername: "+name+"\r\n"+rest+"\r\n\r\n")
				line := nothingUntil("login refused")
				require.Equal(t, want, filter.inFile(line), line)
				require.Equal(t, want, filter.inJournal(line), line)
			}

			member := says(tcp, "Action: Login\r\nUsername: guessed\r\nSecret: right\r\n\r\n")
			nothingUntil("client logged in")
			refused(tcp, "guessed", "Secret: right", "")
			refused(tcp, "guessed", "Secret: right\r\nType: administrator", "")
			refused(tcp, "elsewhere", "Secret: right", "")
			refused(tcp, "disabled", "Secret: right", "")
			refused(unix, "guessed", "Secret: wrong", "")

			refused(tcp, "guessed", "Secret: wrong", "127.0.0.1")
			refused(tcp, "guessed", "AuthType: MD5\r\nKey: 00", "127.0.0.1")
			refused(tcp, "hashed", "AuthType: MD5\r\nKey: 00", "127.0.0.1")
			refused(tcp, "nobody", "", "127.0.0.1")
			for _, name := range forgeries {
				refused(tcp, name, "AuthType: MD5\r\nKey: 00", "127.0.0.1") // costs no argon2id
			}
			for _, name := range forgeries {
				_, err := fmt.Fprintf(member, "Action: %s\r\n\r\n", name)
				require.NoError(t, err)
				line := nothingUntil("action refused")
				require.Empty(t, filter.inFile(line)+filter.inJournal(line), line)
			}
			_, err := fmt.Fprint(member, "Action: Logoff\r\n\r\n")
			require.NoError(t, err)
			line := nothingUntil("client left")
			require.Empty(t, filter.inFile(line)+filter.inJournal(line), line)
		})
	}
}

func TestFail2banFindsGuessesInTheAuditLog(t *testing.T) {
	filter := newFail2ban(t)
	file := filepath.Join(t.TempDir(), "audit.log")
	l, err := audit.Open(audit.Config{File: file}, nil, zap.NewNop(), audit.NewMetrics(prometheus.NewRegistry()))
	require.NoError(t, err)
	var want []string
	write := func(found string, line audit.Line) {
		line.Time, line.Client, line.Address = time.Now(), 7, "2001:db8::7"
		l.Write(line)
		want = append(want, found)
	}
	for _, name := range append(forgeries, "x\n", "\r\n"+forgeries[10]) {
		write("2001:db8::7", audit.Line{Event: "login", Profile: name, Result: "refused", Rule: "wrong secret"})
		write("2001:db8::7", audit.Line{Event: "login", Profile: name, Result: "refused", Rule: "no such profile"})
		write("", audit.Line{Event: "login", Profile: name, Result: "refused", Rule: "Login Already In Use"})
		write("", audit.Line{Event: "login", Profile: name, Result: "allowed"})
		write("", audit.Line{Event: "action", Profile: name, Action: name, Result: "error: " + name, Rule: name})
		write("", audit.Line{Event: "logout", Profile: name, Result: name})
	}
	l.Close()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var found []string
	for line := range strings.Lines(string(text)) {
		found = append(found, filter.inFile(line))
	}
	require.Equal(t, want, found)
}
