package tests

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// docPages are those whose examples are run. Each block says by the language of its fence
// how:
//
//	ami, xml   a conversation: played
//	toml       profiles, or what STATE_DIR holds: ampd check takes it without a word
//	ini        the account in manager.conf, by which ampd is logged in here
//	json       lines of ampd's logs, which what they tell of makes
//	console    "$ " and a command, and what it prints
//	sh         a command that runs until it is interrupted
//	text       is not run: notRun says why
var docPages = []string{"README.md", "docs/protocol.md", "docs/profiles.md", "docs/operations.md"}

// notRun are the blocks that no test can run, by their first line, and why.
var notRun = map[string]string{
	"go build ./cmd/ampd":          "what it builds reads /etc/ampd: daemon.Start does the same with files of its own",
	"make test":                    "it runs this",
	"rule_files: [ampd.rules.yml]": "is for prometheus.yml: TestPrometheus runs one with the same lines",
	`{"level":"error",...,"msg":"the history is not written, what happens waits in memory","file":"/var/lib/ampd/history.sqlite","cause":"the disk is full (database or disk is full (13))"}`: "needs a full disk: the tests of package history have one",
	"useradd --system --no-create-home --shell /usr/sbin/nologin ampd": "makes a user of this machine's",
	"/var/log/ampd/audit.log {":                                        "belongs to logrotate, systemd and root",
	"fail2ban-regex systemd-journal ampd":                              "reads the machine's journal and /etc/fail2ban: proxy/fail2ban_test.go reads the filter",
}

// A block is one example.
type block struct {
	where    string // file and line of its fence
	language string
	text     string
}

// docBlocks reads the fenced blocks of a page.
func docBlocks(t *testing.T, page string) (blocks []block) {
	t.Helper()
	text, err := os.ReadFile("../" + page)
	require.NoError(t, err)
	var b *block
	for i, line := range strings.SplitAfter(string(text), "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimRight(line, "\n"), "```")
		switch {
		case isFence && b == nil:
			b = &block{where: fmt.Sprintf("%s:%d", page, i+1), language: fence}
		case isFence:
			blocks, b = append(blocks, *b), nil
		case b != nil:
			b.text += line
		}
	}
	require.Nil(t, b, "%s: a block has no end", page)
	return blocks
}

// TestDocs runs the examples of the documentation as they stand.
func TestDocs(t *testing.T) {
	t.Parallel()
	pages := map[string][]block{}
	left := maps.Clone(notRun)
	for _, page := range docPages {
		pages[page] = docBlocks(t, page)
		require.NotEmpty(t, pages[page], page)
		for _, b := range pages[page] {
			require.Contains(t, []string{"ami", "xml", "toml", "ini", "json", "console", "sh", "text"}, b.language, b.where)
			if first, _, _ := strings.Cut(b.text, "\n"); b.language == "text" {
				require.Contains(t, left, first, "%s: not run, and notRun does not say why", b.where)
				delete(left, first)
			}
		}
	}
	require.Empty(t, left, "in notRun and not in the documentation")

	g := newGuide(t, pages)
	for _, page := range docPages {
		g.conversation = nil
		for _, b := range pages[page] {
			t.Run(b.where, func(t *testing.T) {
				switch g.t = t; b.language {
				case "ami", "xml":
					g.play(b)
				case "toml":
					g.check(b)
				case "json":
					g.logs(b)
				case "console":
					g.types(b)
				case "sh":
					g.interrupts(b)
				}
			})
		}
	}
}

// docAccount is who makes what the examples tell of. No page tells of it.
const docAccount = `
[[profile]]
name = "elsewhere"
secret = "s"
types = ["administrator"]
read = "all"
write = "all"
`

// A guide runs examples in front of an Asterisk that they have configured.
type guide struct {
	t        *testing.T
	s        *asterisk.Server
	d        *daemon.Daemon
	profiles string // all of docs/profiles.md
	audit    string // the file
	others   *wire  // who makes what the examples tell of
	channel  string // of the one call that there is, its first half

	conversation *speaker          // the one under way
	given        map[string]string // what stands in the documentation for what was given anew
}

func newGuide(t *testing.T, pages map[string][]block) *guide {
	t.Helper()
	g := &guide{t: t, given: map[string]string{}, audit: filepath.Join(t.TempDir(), "audit.log")}
	for _, b := range pages["docs/profiles.md"] {
		if b.language == "toml" && !isStateFile(b) {
			g.profiles += b.text
		}
	}
	g.s = asterisk.Start(t, "22", asterisk.Conf("manager.conf", "[general](+)\nchannelvars =\n"), asterisk.Conf("extensions.conf",
		"[globals](+)\nCAMPAIGN=spring\n[internal](+)\nexten => 100,1,Answer()\n same => n,Wait(600)\nexten => 200,1,Answer()\n same => n,Wait(600)\n"))
	for _, b := range pages["README.md"] {
		if b.language == "ini" {
			g.account(b)
		}
	}
	g.d = daemon.Start(t, g.s.Addr, daemon.Config{
		Username: "ampd", Secret: "a long secret",
		Profiles: g.profiles + docAccount,
		Head:     fmt.Sprintf("state_dir = %q\n", t.TempDir()),
		Listen:   fmt.Sprintf("[audit]\nfile = %q\n", g.audit),
	})
	g.d.WaitReady(t)
	g.others = openWire(t, "others", g.d.Addr, asterisk.Account{Name: "elsewhere", Secret: "s"})
	g.call()
	return g
}

// account puts a block in the place of the account that manager.conf has.
func (g *guide) account(b block) {
	file := filepath.Join(g.s.Dir, "etc", "manager.conf")
	text, err := os.ReadFile(file)
	require.NoError(g.t, err)
	name, _, _ := strings.Cut(b.text, "\n")
	before, after, found := strings.Cut(string(text), "\n"+name+"\n")
	require.True(g.t, found, "%s: %s", b.where, name)
	_, after, _ = strings.Cut(after, "\n[")
	require.NoError(g.t, os.WriteFile(file, []byte(before+"\n"+b.text+"\n["+after), 0o644))
	g.s.CLI("manager reload")
}

// do runs an action of the others' and reads until a packet shows it done.
func (g *guide) do(done func(packet string) bool, lines ...string) {
	g.t.Helper()
	require.NoError(g.t, g.others.SetDeadline(time.Now().Add(wireLimit)))
	require.NoError(g.t, g.others.send(lines...))
	for {
		p, err := g.others.read()
		require.NoError(g.t, err, "%q", lines)
		if done(p) {
			return
		}
	}
}

// call makes the call, which is up then.
func (g *guide) call() {
	g.t.Helper()
	g.channel = ""
	channels := 0 // both halves: Asterisk tells of the response beside them
	g.do(func(p string) bool {
		switch header(p, "Event") {
		case "Newchannel":
			channels++
		case "OriginateResponse":
			require.Equal(g.t, "Success", header(p, "Response"), p)
			g.channel = header(p, "Channel")
		}
		return g.channel != "" && channels == 2
	}, "Action: Originate", "Channel: Local/100@internal/n", "Application: Wait", "Data: 600", "Async: true")
}

// hangUp ends the call, which all sessions have been told of then, for the others' has; and
// makes another.
func (g *guide) hangUp() {
	g.t.Helper()
	ended := 0
	g.do(func(p string) bool {
		if header(p, "Event") == "Hangup" {
			ended++
		}
		return ended == 2
	}, "Action: Hangup", "Channel: "+g.channel)
	g.call()
}

// paragraphs are a conversation's packets: natively there are empty lines between them, in
// XML each is a line.
func paragraphs(b block) (all []string) {
	between := "\n\n"
	if b.language == "xml" {
		between = "\n"
	}
	for p := range strings.SplitSeq(strings.Trim(b.text, "\n"), between) {
		if p = strings.Trim(p, "\n"); p != "" {
			all = append(all, p)
		}
	}
	return all
}

var (
	comes    = regexp.MustCompile(`(?i)^(<event |<command[^>]* response=)|^Event: |(^|\n)Response: `)
	logsIn   = regexp.MustCompile(`(?i)^(Action: Login\n|<command action="(login|register)")`)
	resumes  = regexp.MustCompile(`\nResume: [0-9a-f]{32}`)
	anew     = regexp.MustCompile(`(?m)^\.\.\.$\n?|\.\.\.|^AmpdSeq: \d+|\b[0-9a-f]{32}\b|-[0-9a-f]{8}\b`)
	isNumber = regexp.MustCompile(`[0-9a-f]+$`)
)

const anything = "..."

// play holds a conversation. What the documentation does not show must not come, but for events
// of other calls.
func (g *guide) play(b block) {
	t := g.t
	all := paragraphs(b)
	if logsIn.MatchString(all[0]) {
		g.connect(b.language == "xml", resumes.MatchString(all[0]))
	}
	c := g.conversation
	require.NotNil(t, c, "nobody is logged in")
	require.Equal(t, b.language == "xml", c.xml, "the conversation before is in the other format")
	c.t = t
	skipping := false
	for _, p := range all {
		switch {
		case p == anything:
			skipping = true
		case comes.MatchString(p):
			if isHangup(p) && !resumes.MatchString(all[0]) {
				g.hangUp()
			}
			g.expect(p, skipping)
			skipping = false
		default:
			require.False(t, skipping, "%q: no answer can be left out", p)
			text := strings.ReplaceAll(g.known(p), "\n", "\r\n") + "\r\n"
			if !c.xml {
				text += "\r\n"
			}
			require.NoError(t, c.SetDeadline(time.Now().Add(wireLimit)))
			_, err := c.Write([]byte(text))
			require.NoError(t, err)
		}
	}
	g.ends(skipping)
}

func isHangup(p string) bool {
	return strings.HasPrefix(p, "Event: Hangup") || strings.HasPrefix(p, `<event event="Hangup"`)
}

// connect begins a conversation. One that is resumed misses the end of a call.
func (g *guide) connect(xml, resumed bool) {
	if g.conversation != nil {
		g.conversation.Close()
	}
	if resumed {
		g.hangUp()
	}
	w, err := dialWire("documentation", g.d.Addr)
	require.NoError(g.t, err)
	g.conversation = &speaker{wire: w, xml: xml}
}

// known is a text of the client's with what was given anew in it.
func (g *guide) known(text string) string {
	for stands, is := range g.given {
		text = strings.ReplaceAll(text, stands, is)
	}
	return text
}

// expect reads up to what is shown: just that, or behind others where these are left out.
func (g *guide) expect(shown string, skipping bool) {
	g.t.Helper()
	for {
		packet := g.packet()
		if g.matches(shown, packet) {
			return
		}
		require.True(g.t, skipping || isElsewhere(packet), "the documentation shows\n%s\n\nwhat comes is\n%s", shown, packet)
	}
}

// isElsewhere tells an event that the conversation has not caused: no item of a list, and not what
// the login brings. Those of a call may come late.
func isElsewhere(packet string) bool {
	return regexp.MustCompile(`^(Event: |<event )`).MatchString(packet) && !strings.Contains(packet, "ActionID") && !strings.Contains(packet, "FullyBooted")
}

// packet reads one as it would stand on a page.
func (g *guide) packet() string {
	g.t.Helper()
	require.NoError(g.t, g.conversation.SetDeadline(time.Now().Add(wireLimit)))
	text := strings.ReplaceAll(g.conversation.packet(), "\r\n", "\n")
	return strings.TrimRight(strings.ReplaceAll(text, ": \n", ":\n"), "\n") // no blank ends a line of a page
}

// matches compares, and learns what was given anew.
func (g *guide) matches(shown, packet string) bool {
	pattern := strings.Builder{}
	var stands []string // what the groups are
	last := 0
	for _, at := range anew.FindAllStringIndex(shown, -1) {
		pattern.WriteString(regexp.QuoteMeta(shown[last:at[0]]))
		last = at[1]
		switch token := shown[at[0]:at[1]]; {
		case strings.HasSuffix(token, "\n"), token == anything && at[1] == len(shown) && shown[at[0]-1] == '\n':
			pattern.WriteString(`(?s:.*)`)
		case token == anything:
			pattern.WriteString(`[^\n]*`)
		default:
			number := isNumber.FindString(token)
			pattern.WriteString(regexp.QuoteMeta(strings.TrimSuffix(token, number)) + `([0-9a-f]+)`)
			stands = append(stands, number)
		}
	}
	pattern.WriteString(regexp.QuoteMeta(shown[last:]))
	m := regexp.MustCompile(`^` + pattern.String() + `$`).FindStringSubmatch(packet)
	if m == nil {
		return false
	}
	learnt := maps.Clone(g.given)
	for i, number := range stands {
		if is, known := learnt[number]; known && is != m[i+1] && len(number) != 8 {
			return false
		}
		learnt[number] = m[i+1]
	}
	g.given = learnt
	return true
}

// ends shows that nothing else has come, but where more is left out.
func (g *guide) ends(skipping bool) {
	g.t.Helper()
	c := g.conversation
	c.count++
	fence := fmt.Sprintf("end-%d", c.count)
	text := "Action: Ping\r\nActionID: " + fence + "\r\n\r\n"
	if c.xml {
		text = `<command action="ping" actionid="` + fence + `" />`
	}
	_, err := c.Write([]byte(text))
	require.NoError(g.t, err)
	for {
		packet := g.packet()
		if strings.Contains(packet, fence) {
			return
		}
		require.True(g.t, skipping || isElsewhere(packet), "the documentation does not show\n%s", packet)
	}
}

const stateFile = "# STATE_DIR/profiles.toml\n"

func isStateFile(b block) bool { return strings.HasPrefix(b.text, stateFile) }

// check has ampd check say that there is nothing to say.
func (g *guide) check(b block) {
	t := g.t
	dir, state := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ampd.toml"), fmt.Appendf(nil,
		"state_dir = %q\n[upstream]\naddress = \"127.0.0.1:5038\"\nusername = \"ampd\"\nsecret = \"s\"\n[[listen]]\naddress = \"127.0.0.1:5039\"\n", state), 0o600))
	to, text := filepath.Join(dir, "profiles.toml"), b.text
	if isStateFile(b) {
		require.NoError(t, os.WriteFile(to, []byte(g.profiles), 0o600))
		to = filepath.Join(state, "profiles.toml")
	}
	require.NoError(t, os.WriteFile(to, []byte(text), 0o600))
	out, err := exec.Command(daemon.Binary(t), "check", "-config", filepath.Join(dir, "ampd.toml")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	if isStateFile(b) { // says what docs/profiles.md says of it
		require.Contains(t, string(out), "does not count: that was changed at run time")
		_, out, _ = bytes.Cut(out, []byte("\n"))
	}
	require.Equal(t, "ok\n", string(out))
}

var (
	loggedAnew = regexp.MustCompile(`("client":|"latency_ms":|"address":"|"time":")[0-9][0-9a-fTZ:.+-]*|(internal-)[0-9a-f]{8}|(SIGHUP: )/\S+/ampd\.toml:\d+: listen\[\d+\]|(listen tcp 127\.0\.0\.1:)\d+`)
	pair       = regexp.MustCompile(`\["(\w+)","([^"]*)"\]`)
)

// field is a string of a line of JSON, "" where it has none of that name.
func field(line, name string) string {
	_, after, _ := strings.Cut(line, `"`+name+`":"`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

// logs does what lines of a log tell of, and looks for these lines.
func (g *guide) logs(b block) {
	t := g.t
	if strings.Contains(b.text, "SIGHUP") {
		g.takesTwice()
	}
	for line := range strings.Lines(b.text) {
		line = strings.TrimSuffix(line, "\n")
		if profile := field(line, "profile"); profile != "" {
			g.does(profile, line)
		}
		shown := regexp.QuoteMeta(loggedAnew.ReplaceAllString(line, "$1$2$3$4"))
		pattern := regexp.MustCompile(`^` + strings.ReplaceAll(shown, `\.\.\.`, `.*`) + `$`)
		var all string
		require.True(t, eventually(func() bool {
			audit, err := os.ReadFile(g.audit)
			require.NoError(t, err)
			all = string(audit) + g.d.Log()
			return slices.ContainsFunc(strings.Split(all, "\n"), func(met string) bool {
				return pattern.MatchString(loggedAnew.ReplaceAllString(met, "$1$2$3$4"))
			})
		}, 5*time.Second), "no line like\n%s\nin\n%s", line, all)
	}
}

// takesTwice has ampd listen where it listens already.
func (g *guide) takesTwice() {
	t := g.t
	file := filepath.Join(g.d.Dir, "ampd.toml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, fmt.Appendf(text, "\n[[listen]]\naddress = %q\n", g.d.HTTP), 0o600))
	require.NoError(t, syscall.Kill(g.d.PID(), syscall.SIGHUP))
	t.Cleanup(func() { require.NoError(t, os.WriteFile(file, text, 0o600)) })
}

// does does what a line tells of a profile.
func (g *guide) does(profile, line string) {
	t := g.t
	t.Helper()
	w, err := dialWire("documentation", g.d.Addr)
	require.NoError(t, err)
	defer w.Close()
	account := asterisk.Account{Name: profile, Secret: "guessed"}
	action := field(line, "action")
	if action == "" {
		require.Contains(t, line, "wrong secret")
		require.ErrorContains(t, w.logIn(account), "Authentication failed")
		return
	}
	account.Secret = g.secret(profile)
	require.NoError(t, w.logIn(account, "Events: off"))
	lines := []string{"Action: " + action}
	for _, p := range pair.FindAllStringSubmatch(line, -1) {
		value := p[2]
		if p[1] == "Channel" {
			value = g.channel
		}
		lines = append(lines, p[1]+": "+value)
	}
	_, _, err = w.ask(lines...)
	require.NoError(t, err)
}

// secret is a profile's.
func (g *guide) secret(profile string) string {
	_, after, found := strings.Cut(g.profiles, `name = "`+profile+`"`+"\n"+`secret = "`)
	require.True(g.t, found, profile)
	secret, _, _ := strings.Cut(after, `"`)
	return secret
}

// types runs commands where ampd is in the path, and compares what they print.
func (g *guide) types(b block) {
	t := g.t
	bin := t.TempDir()
	require.NoError(t, os.Symlink(daemon.Binary(t), filepath.Join(bin, "ampd")))
	var script, shown strings.Builder
	for line := range strings.Lines(b.text) {
		if command, typed := strings.CutPrefix(line, "$ "); typed {
			script.WriteString(command)
		} else {
			shown.WriteString(line)
		}
	}
	cmd := exec.Command("bash", "-c", script.String())
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	out, _ := cmd.CombinedOutput() // mistakes end it with 1
	require.True(t, g.matches(strings.TrimSuffix(shown.String(), "\n"), strings.TrimSuffix(string(out), "\n")), "%s", out)
}

// interrupts runs a command until it tells how to stop it.
func (g *guide) interrupts(b block) {
	t := g.t
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", b.text)
	cmd.Dir = ".."
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	told := false
	for !told && lines.Scan() {
		told = strings.HasPrefix(lines.Text(), "Ctrl-C stops")
	}
	require.True(t, told, "%s", &stderr)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	for lines.Scan() {
	}
	_ = cmd.Wait() // go run ends with 1 when it is interrupted
	require.NotContains(t, stderr.String(), "panic")
}
