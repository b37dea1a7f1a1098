package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// An attack is one of rights/testdata/attacks.toml, which says what its keys mean.
type attack struct {
	ID       string
	Versions []int
	Classes  string
	Call     string
	Caller   string
	Until    string
	Setup    []string
	Ready    string
	Before   []string
	Packet   string
	After    []string
	Restore  []string
	Rule     string
	Masked   string

	File    string
	Answer  string
	Event   string
	CLI     string
	Shows   string
	Seconds int
}

// attackLimit is how long a harm may take to show.
const attackLimit = 20 * time.Second

// TestAttacks shows of each known road to harm that it works on a session of
// Asterisk's with the same classes, that it is refused through ampd by the rule that
// is said, and that nothing of it arrived at Asterisk.
func TestAttacks(t *testing.T) {
	attacks := readAttacks(t)
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			number, err := strconv.Atoi(version)
			require.NoError(t, err)
			mine := slices.DeleteFunc(slices.Clone(attacks), func(a attack) bool { return !slices.Contains(a.Versions, number) })
			server := asterisk.Start(t, version, asterisk.LogActions(), asterisk.Conf("manager.conf", attackerAccounts(mine)))
			t.Logf("%s: %d attacks", server.Version, len(mine))

			refuseAll(t, server, mine)
			field := newBattlefield(t, server)
			for i := range mine {
				field.fight(t, &mine[i])
			}
		})
	}
}

func readAttacks(t *testing.T) []attack {
	t.Helper()
	var file struct{ Attack []attack }
	meta, err := toml.DecodeFile("../rights/testdata/attacks.toml", &file)
	require.NoError(t, err)
	require.Empty(t, meta.Undecoded())
	require.NotEmpty(t, file.Attack)
	return file.Attack
}

// attacker is the account, and the profile, of all who have these classes.
func attacker(classes string) asterisk.Account {
	name := "attacker-" + strings.ReplaceAll(classes, ",", "-")
	return asterisk.Account{Name: name, Secret: name + "-secret"}
}

func attackerClasses(attacks []attack) []string {
	var classes []string
	for _, a := range attacks {
		classes = append(classes, a.Classes)
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

func attackerAccounts(attacks []attack) string {
	var conf strings.Builder
	for _, classes := range attackerClasses(attacks) {
		account := attacker(classes)
		fmt.Fprintf(&conf, "[%s]\nsecret = %s\nread = %s\nwrite = %[3]s\n", account.Name, account.Secret, classes)
	}
	return conf.String()
}

// refuseAll tries every attack through ampd.
func refuseAll(t *testing.T, server *asterisk.Server, attacks []attack) {
	t.Helper()
	var profiles strings.Builder
	for _, classes := range attackerClasses(attacks) {
		account := attacker(classes)
		fmt.Fprintf(&profiles, "[[profile]]\nname = %q\nsecret = %q\ntypes = [\"administrator\"]\nread = %q\nwrite = %[3]q\n",
			account.Name, account.Secret, classes)
	}
	d := daemon.Start(t, server.Addr, daemon.Config{Profiles: profiles.String()})
	d.WaitReady(t)
	sessions := map[string]*wire{}
	for _, classes := range attackerClasses(attacks) {
		sessions[classes] = openWire(t, "ampd", d.Addr, attacker(classes), "Events: off")
	}
	admin := openWire(t, "admin", server.Addr, asterisk.Ampd, "Events: off")
	defer admin.Close()
	refused := 0
	for _, a := range attacks {
		if a.Masked != "" {
			for _, action := range a.Setup {
				exchange(t, admin, a.fill(action, ""))
			}
		}
		// A header of its own shows in Asterisk's log whether the packet arrived.
		packet := a.fill(a.Packet, "Local/wait@misc-00000001;1") + "\nX-Attack: " + a.ID
		answer := exchange(t, sessions[a.Classes], packet)
		if a.Masked != "" {
			require.True(t, strings.HasPrefix(answer, "Response: Success"), "%s: %s", a.ID, answer)
			require.NotContains(t, answer, a.Masked, a.ID)
			continue
		}
		require.Contains(t, answer, "Message: Permission denied\r\n", a.ID)
		refused++
		lines := 0
		refusal := d.Wait(t, "the refusal of "+a.ID, func(l daemon.Line) bool {
			if l["msg"] == "action refused" {
				lines++
			}
			return lines == refused
		})
		require.Equal(t, a.Rule, refusal["rule"], a.ID)
		require.Equal(t, attacker(a.Classes).Name, refusal["profile"], a.ID)
	}
	for _, action := range server.Actions() {
		if id := action.Get("X-Attack"); id != "" {
			i := slices.IndexFunc(attacks, func(a attack) bool { return a.ID == id })
			require.NotEmpty(t, attacks[i].Masked, "arrived at Asterisk:\n%s", action)
		}
	}
}

// exchange sends one packet and returns all that comes up to the answer of a Ping
// behind it.
func exchange(t *testing.T, w *wire, packet string) string {
	t.Helper()
	require.NoError(t, w.SetDeadline(time.Now().Add(time.Minute)))
	require.NoError(t, w.send(strings.Split(packet, "\n")...))
	require.NoError(t, w.send("Action: Ping", "ActionID: behind"))
	var all strings.Builder
	for {
		p, err := w.read()
		require.NoError(t, err, "%s", packet)
		if strings.Contains(p, "ActionID: behind\r\n") {
			return all.String()
		}
		all.WriteString(p)
	}
}

func (a *attack) mark() string { return "/tmp/ampd-attack-" + a.ID }

func (a *attack) fill(text, channel string) string {
	return strings.NewReplacer("{mark}", a.mark(), "{channel}", channel).Replace(strings.TrimSuffix(text, "\n"))
}

// A battlefield is an Asterisk on which attacks are shown to do harm.
type battlefield struct {
	server  *asterisk.Server
	admin   *wire // may do everything, gets no events
	watcher *wire // sees everything

	mu   sync.Mutex
	seen strings.Builder // by watcher
}

func newBattlefield(t *testing.T, server *asterisk.Server) *battlefield {
	t.Helper()
	f := &battlefield{
		server:  server,
		admin:   openWire(t, "admin", server.Addr, asterisk.Ampd, "Events: off"),
		watcher: openWire(t, "watcher", server.Addr, asterisk.Ampd),
	}
	go func() { // ends with the connection
		for {
			p, err := f.watcher.read()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.seen.WriteString(p)
			f.mu.Unlock()
		}
	}()
	return f
}

// mark returns how much was seen, for since.
func (f *battlefield) mark() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen.Len()
}

func (f *battlefield) since(mark int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen.String()[mark:]
}

// fight has one attack do its harm on a direct session.
func (f *battlefield) fight(t *testing.T, a *attack) {
	t.Helper()
	root := filepath.Dir(filepath.Dir(f.server.Dir))
	clean := func() {
		for _, pattern := range []string{a.mark(), a.File} {
			if pattern == "" {
				continue
			}
			old, err := filepath.Glob(filepath.Join(root, a.fill(pattern, "")) + "*")
			require.NoError(t, err)
			for _, file := range old {
				require.NoError(t, os.RemoveAll(file))
			}
		}
	}
	clean()
	defer clean()
	defer f.hangUpAll(t, a.ID)
	defer func() {
		for _, action := range a.Restore {
			exchange(t, f.admin, a.fill(action, ""))
		}
	}()
	from := f.mark()
	for _, action := range a.Setup {
		exchange(t, f.admin, f.fill(t, a, action, ""))
	}
	if a.Ready != "" {
		f.await(t, a, a.Ready, from)
	}
	channel := f.call(t, a)
	session := openWire(t, a.ID, f.server.Addr, attacker(a.Classes), "Events: off")
	defer session.Close()
	for _, action := range a.Before {
		exchange(t, session, f.fill(t, a, action, channel))
	}

	from = f.mark()
	began := time.Now()
	answers := exchange(t, session, f.fill(t, a, a.Packet, channel))
	took := time.Since(began)
	if a.Until != "" && a.Call == "" && a.Caller == "" {
		f.await(t, a, a.Until, from)
	}
	shows := func() bool {
		switch {
		case a.Masked != "":
			return strings.Contains(answers, a.Masked)
		case a.File != "":
			found, err := filepath.Glob(filepath.Join(root, a.fill(a.File, channel)) + "*")
			return err == nil && len(found) > 0
		case a.Answer != "":
			return strings.Contains(answers, a.Answer)
		case a.Event != "":
			return strings.Contains(f.since(from), a.Event) || strings.Contains(answers, a.Event)
		case a.CLI != "":
			return strings.Contains(f.server.CLI(a.CLI), a.Shows)
		}
		return took > time.Duration(a.Seconds)*time.Second
	}
	for after := a.After; ; after = after[1:] {
		patience := 300 * time.Millisecond // what comes after may be needed for it to show
		if len(after) == 0 {
			patience = attackLimit
		}
		if eventually(shows, patience) {
			return
		}
		switch {
		case len(after) == 0:
			require.FailNow(t, "no harm was seen: "+a.ID, "answers:\n%s\nevents:\n%s", answers, f.since(from))
		case after[0] == "hangup":
			f.hangUpAll(t, a.ID)
		default:
			answers += exchange(t, session, f.fill(t, a, after[0], channel))
		}
	}
}

// eventually asks until the answer is yes, or patience is over.
func eventually(shows func() bool, patience time.Duration) bool {
	for end := time.Now().Add(patience); !shows(); {
		if time.Now().After(end) {
			return false
		}
		<-time.After(20 * time.Millisecond)
	}
	return true
}

// call makes the attack's call, if it wants one, and returns its channel.
func (f *battlefield) call(t *testing.T, a *attack) string {
	t.Helper()
	if a.Call == "" && a.Caller == "" {
		return ""
	}
	from := f.mark()
	id := "ActionID: call-" + a.ID
	originate := "Action: Originate\n" + id + "\nAsync: true\nTimeout: 10000\nChannel: Local/" + a.Call + "/n\nApplication: Wait\nData: 60"
	if a.Caller != "" {
		exten, context, _ := strings.Cut(a.Caller, "@")
		originate = "Action: Originate\n" + id + "\nAsync: true\nTimeout: 10000\nChannel: Local/cA@callers/n\nVariable: PATIENCE=60\nContext: " +
			context + "\nExten: " + exten + "\nPriority: 1"
	}
	exchange(t, f.admin, originate)
	var channel string
	require.Eventually(t, func() bool {
		_, rest, found := strings.Cut(f.since(from), id+"\r\n")
		if !found || !strings.Contains(rest, "\r\n\r\n") {
			return false
		}
		channel = header("\r\n"+rest, "Channel")
		return true
	}, attackLimit, 10*time.Millisecond, "%s: the call", a.ID)
	if a.Until != "" {
		f.await(t, a, a.Until, from)
	}
	return channel
}

func (f *battlefield) await(t *testing.T, a *attack, event string, from int) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(f.since(from), "Event: "+event+"\r\n") },
		attackLimit, 10*time.Millisecond, "%s: %s", a.ID, event)
}

// fill replaces what stands for what there is now.
func (f *battlefield) fill(t *testing.T, a *attack, text, channel string) string {
	t.Helper()
	text = a.fill(text, channel)
	for _, name := range []string{"{newest}", "{bridge}", "{inbridge}"} {
		if !strings.Contains(text, name) {
			continue
		}
		var value string
		require.Eventually(t, func() bool {
			list := exchange(t, f.admin, "Action: CoreShowChannels")
			for item := range strings.SplitSeq(list, "\r\n\r\n") {
				local := strings.HasPrefix(header(item, "Channel"), "Local/") && strings.HasSuffix(header(item, "Channel"), ";1")
				bridge := header(item, "BridgeId")
				switch {
				case name == "{newest}" && local:
					value = max(value, header(item, "Channel"))
				case name == "{bridge}" && bridge != "":
					value = bridge
				case name == "{inbridge}" && bridge != "":
					value = header(item, "Channel")
				}
			}
			return value != ""
		}, attackLimit, 20*time.Millisecond, "%s: %s", a.ID, name)
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// hangUpAll ends all calls and waits until they have ended.
func (f *battlefield) hangUpAll(t *testing.T, id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		exchange(t, f.admin, "Action: Hangup\nChannel: /^.*$/")
		return strings.Contains(exchange(t, f.admin, "Action: CoreShowChannels"), "\r\nListItems: 0\r\n")
	}, attackLimit, 20*time.Millisecond, "%s: the calls do not end", id)
}
