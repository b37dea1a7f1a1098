package tests

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// A way is one to say an action. write returns bytes for the wire, "" where there is
// no such way to say this one. The words are what is answered, where that is not
// "Permission denied" because of the action's rule.
type way struct {
	name  string
	write func(d *dangerous) string
	xml   bool
	words string // of the refusal, "|" between several; {decides} is the deciding header
	why   string // not "": nothing is refused, since it is harmless: what of it arrives at Asterisk is nothing of the kind
}

// TestRoadsToHarm tries what must be refused on every road that leads to it: what words
// can be said in another way, and what runs one action under the name of another. All of
// it is refused by the rule that refuses the plain one, or harmless for the reason that
// the road gives, and Asterisk's log has nothing of it.
func TestRoadsToHarm(t *testing.T) {
	t.Parallel()
	attacks := readAttacks(t)
	everyVersion(t, func(t *testing.T, version string) {
		server := asterisk.Start(t, version, asterisk.LogActions())
		number, err := strconv.Atoi(version)
		require.NoError(t, err)
		var all []dangerous
		for i := range attacks {
			if attacks[i].Rule != "" && slices.Contains(attacks[i].Versions, number) {
				all = append(all, takenApart(&attacks[i]))
			}
		}
		seen := len(all)
		all = append(all, crossed()...)
		w := newWayfarer(t, server, all)
		for i := range all {
			some := func(roads []way) (taken []way) {
				for j := range roads {
					if i < seen || !testing.Short() || (i+j)%4 == 0 { // else each goes on some of the roads
						taken = append(taken, roads[j])
					}
				}
				return taken
			}
			for _, dialect := range []string{"asterisk", "ampd"} {
				w.try(&all[i], dialect, some(slices.Concat(nativeRoads(), customRoads())))
			}
			w.try(&all[i], "XML", some(xmlRoads()))
		}
		require.Empty(t, strings.Join(w.wrong[:min(len(w.wrong), 10)], "\n"))
		w.prove(server)
		t.Logf("%d dangerous actions, %d roads refused, %d harmless", len(all), w.refused, len(w.tries)-w.refused)
	})
}

// A wayfarer tries roads.
type wayfarer struct {
	t        *testing.T
	d        *daemon.Daemon
	audit    string // the path of the file
	sessions map[string]*wire
	tries    map[string]*aTry // by its mark
	refused  int
	wrong    []string // what was answered otherwise
}

type aTry struct {
	d    *dangerous
	road *way
	sent string
}

func newWayfarer(t *testing.T, server *asterisk.Server, all []dangerous) *wayfarer {
	t.Helper()
	w := &wayfarer{t: t, audit: filepath.Join(t.TempDir(), "audit.log"), sessions: map[string]*wire{}, tries: map[string]*aTry{}}
	var profiles strings.Builder
	var classes []string
	for _, d := range all {
		classes = append(classes, d.classes)
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	for _, c := range classes {
		account := attacker(c)
		fmt.Fprintf(&profiles, "[[profile]]\nname = %q\nsecret = %q\ntypes = [\"administrator\"]\nread = %q\nwrite = %[3]q\n", account.Name, account.Secret, c)
	}
	w.d = daemon.Start(t, server.Addr, daemon.Config{
		Profiles: profiles.String(), Listen: fmt.Sprintf("[audit]\nfile = %q\nactions = \"refused\"\n", w.audit),
	})
	w.d.WaitReady(t)
	for _, c := range classes {
		w.sessions["asterisk "+c] = openWire(t, c, w.d.Addr, attacker(c), "Events: off")
		w.sessions["ampd "+c] = newSpeaker(t, w.d.Addr, false, attacker(c), "administrator").wire
		w.sessions["XML "+c] = newSpeaker(t, w.d.Addr, true, attacker(c), "administrator").wire
	}
	return w
}

// marked adds a header by which the log tells whose an action is.
func marked(text, mark string, xml bool) string {
	switch {
	case xml && strings.HasPrefix(text, "cmd:"):
		return "cmd:" + marked(text[len("cmd:"):], mark, xml)
	case xml:
		return "<command x-road=\"" + mark + "\" actionid=\"" + mark + "\"" + strings.TrimPrefix(text, "<command")
	case strings.HasSuffix(text, "\r\n\r\n"):
		return strings.TrimSuffix(text, "\r\n") + "X-Road: " + mark + "\r\nActionID: " + mark + "\r\n\r\n"
	}
	return strings.TrimSuffix(text, "\n") + "X-Road: " + mark + "\nActionID: " + mark + "\n\n"
}

// try sends an action on all roads at once, and takes the answers.
func (w *wayfarer) try(d *dangerous, dialect string, roads []way) {
	w.t.Helper()
	conn := w.sessions[dialect+" "+d.classes]
	var all strings.Builder
	var order []string
	for i := range roads {
		text := roads[i].write(d)
		if text == "" || d.calls && roads[i].why != "" && roads[i].why != theFirst {
			continue
		}
		mark := fmt.Sprintf("road-%s-%d", dialect, len(w.tries))
		text = marked(text, mark, roads[i].xml)
		w.tries[mark] = &aTry{d, &roads[i], text}
		order = append(order, mark)
		all.WriteString(text)
	}
	fence := fmt.Sprintf("behind-%d", len(w.tries))
	if dialect == "XML" {
		all.WriteString("<command action=\"ping\" actionid=\"" + fence + "\"/>\n")
	} else {
		all.WriteString("Action: Ping\r\nActionID: " + fence + "\r\n\r\n")
	}
	require.NoError(w.t, conn.SetDeadline(time.Now().Add(wireLimit)))
	_, err := conn.Write([]byte(all.String()))
	require.NoError(w.t, err)
	for {
		answer := w.read(conn, dialect)
		if strings.Contains(answer, fence) {
			require.Empty(w.t, order, "not answered")
			return
		}
		order = w.judge(order, answer)
	}
}

// read reads a packet. The Message of the general error in XML is "Unknown".
func (w *wayfarer) read(conn *wire, dialect string) string {
	w.t.Helper()
	if dialect != "XML" {
		answer, err := conn.read()
		require.NoError(w.t, err)
		return answer
	}
	line, err := conn.reader.ReadString('\n')
	require.NoError(w.t, err)
	answer := "\r\n" + attributes(line)
	if strings.Contains(line, "ction=\"Unknown\"") {
		answer += "Message: " + generalError + "\r\n"
	}
	return answer
}

// judge looks at one packet; the first of order is whose answer is awaited.
func (w *wayfarer) judge(order []string, answer string) []string {
	w.t.Helper()
	mark := header(answer, "ActionID")
	if mark == "" && len(order) > 0 {
		mark = order[0]
	}
	try := w.tries[mark]
	require.NotNil(w.t, try, answer)
	if try.road.why == "" {
		words := try.road.words
		if words == "" {
			words = "Permission denied"
		}
		if got := header(answer, "Message"); !slices.Contains(strings.Split(strings.ReplaceAll(words, "{decides}", try.d.decides), "|"), got) {
			w.wrong = append(w.wrong, fmt.Sprintf("%s, %s: %q, not %q:\n%s%s", try.road.name, try.d.id, got, words, try.sent, answer))
		}
		w.refused++
	}
	if i := slices.Index(order, mark); i >= 0 {
		require.Zero(w.t, i, "answers out of order: %s", answer)
		return order[1:]
	}
	return order
}

// prove looks into the audit log for what refused, and into Asterisk's for what arrived.
func (w *wayfarer) prove(server *asterisk.Server) {
	w.t.Helper()
	arrived := 0
	for _, action := range server.Actions() {
		mark := action.Get("X-Road")
		if mark == "" {
			continue
		}
		try := w.tries[mark]
		require.NotNil(w.t, try, action)
		require.True(w.t, try.road.why != "" && try.road.why != theFirst && try.d.decides != "", "%s, %s: arrived at Asterisk:\n%s", try.d.id, try.road.name, action)
		require.False(w.t, slices.ContainsFunc(action, func(line string) bool {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimLeft(value, " ")
			return slices.ContainsFunc(try.d.headers, func(h codec.Header) bool {
				return strings.EqualFold(h.Name, try.d.decides) && strings.EqualFold(h.Name, name) && h.Value == value
			})
		}), "%s, %s: arrived at Asterisk:\n%s", try.d.id, try.road.name, action)
		arrived++
	}
	w.d.Terminate(w.t)
	file, err := os.Open(w.audit)
	require.NoError(w.t, err)
	defer file.Close()
	rules := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Event, Rule string
			Params      [][2]string
		}
		require.NoError(w.t, json.Unmarshal(lines.Bytes(), &line))
		for _, p := range line.Params {
			if strings.EqualFold(p[0], "X-Road") {
				rules[p[1]] = line.Rule
			}
		}
	}
	for mark, try := range w.tries {
		if try.road.why == "" && try.road.words == "" {
			require.True(w.t, strings.HasPrefix(rules[mark], try.d.rule), "%s, %s: refused by %q, not by %q", try.d.id, try.road.name, rules[mark], try.d.rule)
		}
	}
	w.t.Logf("%d harmless ones arrived", arrived)
}
