package tests

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/tests/asterisk"
)

// matrixMark is a header of each action of the matrix: which cell it is.
const matrixMark = "X-Matrix"

const matrixLegend = `# What sessions may do: a line for each action and, where it names several, for each object
# of it that is inside or outside; then the commands of the classic protocol. Columns:
#
#   M, A         a monitor and an administrator without a scope (no admin, not dangerous)
#   M-in, M-out  a monitor whose scopes are queues, contexts and channels, on what is inside and outside
#   A-in, A-out  an administrator with these scopes
#   own, other   an agent, on what is its own and on another agent's; its contexts are "inner"
#   own-in, -out an agent with these scopes, on what is its own inside and outside
#
#   yes     it reached Asterisk, or ampd did it
#   all     a list with all that there is; part: with some of it; none: with nothing of it
#   empty   a list, and there is nothing to show to anybody
#   -       Permission denied, and nothing of it reached Asterisk
#   gone    what Asterisk says of an object that there is not, and nothing of it reached Asterisk
#   [n]     other words, which are the n-th at the end, Asterisk's behind them; nothing of it reached Asterisk
`

// TestRightsMatrix runs every action that Asterisk lists, and every command of the classic
// protocol, as each type, on what is inside a profile's scopes and what is outside. What
// becomes of it is in testdata/matrix-*.txt (-golden writes it). Whatever the file
// says: no monitor changes anything, nobody changes what is outside, nothing outside is told,
// what is refused does not arrive at Asterisk, and in the end nothing has changed.
//
// What may change something does not get further than a gate in front of Asterisk;
// the tour runs that.
func TestRightsMatrix(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version string) {
		m := &matrix{matrixWorld: newMatrixWorld(t, version), file: "testdata/matrix-" + version + ".txt", lines: map[string][]string{}}
		m.expect()
		m.gate.close(func(mark string) bool { return m.refuses[mark] })
		before := m.picture()
		listed := m.listed()
		for _, packet := range matrixPackets {
			if name := strings.ToLower(actionOf(packet)); listed[name] {
				m.fill("asterisk", packet)
			}
		}
		for name, open := range listed {
			require.True(t, !open || slices.ContainsFunc(matrixPackets, func(p string) bool { return strings.EqualFold(actionOf(p), name) }), "no packet for %s", name)
		}
		for _, packet := range matrixCommands {
			m.fill("ampd", packet)
		}
		for i := range actions.Commands {
			name := actions.Commands[i].Name
			require.True(t, slices.ContainsFunc(matrixCommands, func(p string) bool { return actionOf(p) == name }), name)
		}
		require.Equal(t, before, m.picture())
		refused := 0
		for _, action := range m.s.Actions() {
			if mark := action.Get(matrixMark); mark != "" {
				require.Contains(t, m.allowed, mark, "arrived at Asterisk:\n%s", action)
			}
		}
		for _, cells := range m.lines {
			for _, cell := range cells {
				if isRefusal(cell) {
					refused++
				}
			}
		}
		t.Logf("%d cells, %d of them refused; %d allowed that the gate kept", m.cells, refused, m.gate.answered)
		m.end()
	})
}

// A matrix is being filled.
type matrix struct {
	*matrixWorld
	file    string
	want    string
	refuses map[string]bool // by the mark, as the file has it
	allowed map[string]bool // by the mark, as it was seen

	order []string
	lines map[string][]string // by the line's title
	texts []string            // other words
	cells int
}

func actionOf(packet string) string {
	name, _, _ := strings.Cut(packet, "|")
	name, _, _ = strings.Cut(name, "/")
	return name
}

// expect reads the file, if it is there already.
func (m *matrix) expect() {
	m.refuses, m.allowed = map[string]bool{}, map[string]bool{}
	if *golden {
		return
	}
	text, err := os.ReadFile(m.file)
	require.NoError(m.t, err)
	m.want = string(text)
	for line := range strings.Lines(m.want) {
		if strings.HasPrefix(line, "#") || !strings.Contains(line, "  ") {
			continue
		}
		for i, cell := range strings.Fields(line[matrixIndent:]) {
			m.refuses[strings.TrimSpace(line[:matrixIndent])+fmt.Sprintf(" #%d", i)] = isRefusal(cell)
		}
	}
}

func isRefusal(cell string) bool {
	return cell == "-" || cell == "gone" || strings.HasPrefix(cell, "[")
}

const matrixIndent = 46

// listed are the actions of this Asterisk, in lower case, and ampd's own.
func (m *matrix) listed() map[string]bool {
	m.t.Helper()
	all := map[string]bool{"ampdsnapshot": true}
	for line := range strings.SplitSeq(exchange(m.t, m.admin, "Action: ListCommands"), "\r\n") {
		if name, text, _ := strings.Cut(line, ": "); strings.Contains(text, "(Priv:") {
			all[strings.ToLower(name)] = true
		}
	}
	require.Greater(m.t, len(all), 100)
	return all
}

var object = regexp.MustCompile(`\{(\w+)\}`)

// fill fills the lines of an action, one for each object that it names.
func (m *matrix) fill(dialect, packet string) {
	m.t.Helper()
	title, _, _ := strings.Cut(packet, "|")
	if dialect == "ampd" {
		title = "ampd: " + title
	}
	var names []string
	for _, found := range object.FindAllStringSubmatch(packet, -1) {
		if !slices.Contains(names, found[1]) {
			names = append(names, found[1])
		}
	}
	if len(names) < 2 {
		m.fillLine(dialect, title, packet, strings.Join(names, ""))
		return
	}
	for _, name := range names {
		m.fillLine(dialect, title+", "+name, packet, name)
	}
}

// fillLine fills one, with that object inside and outside.
func (m *matrix) fillLine(dialect, title, packet, name string) {
	m.t.Helper()
	m.order = append(m.order, title)
	for _, v := range m.views {
		m.cell(title, dialect, packet, name, v, v.in)
		if v.out == nil {
			continue
		}
		mixed := maps.Clone(v.in)
		mixed[name] = v.out[name]
		m.cell(title, dialect, packet, name, v, mixed)
	}
}

// cell tries one.
func (m *matrix) cell(title, dialect, packet, name string, v *column, o things) {
	m.t.Helper()
	m.cells++
	mark := fmt.Sprintf("%s #%d", title, len(m.lines[title]))
	head, rest, _ := strings.Cut(packet, "|")
	head, _, _ = strings.Cut(head, "/")
	text := "Action: " + head
	if rest != "" {
		text += "|" + rest
	}
	w, all := v.asterisk, m.all.asterisk
	if dialect == "ampd" {
		w, all = v.ampd, m.all.ampd
	}
	if head == "Logoff" {
		w = openWire(m.t, v.profile, m.d.Addr, asterisk.Account{Name: v.profile, Secret: "s"}, "Events: off")
		_, answer, err := w.ask("Action: Logoff")
		require.NoError(m.t, err)
		require.Contains(m.t, answer, "Response: Goodbye")
		m.lines[title] = append(m.lines[title], "yes")
		return
	}
	filled := o.fill(text)
	before := m.gate.count()
	answer := exchange(m.t, w, strings.ReplaceAll(filled, "|", "\n")+"\n"+matrixMark+": "+mark+"\nActionID: cell")
	arrived := false
	for _, action := range m.gate.since(before) {
		known, ok := actions.Lookup(action.Get("Action"))
		changes := !ok || !known.ReadOnly
		arrived = arrived || changes || action.Get(matrixMark) == mark
		if !changes {
			continue
		}
		require.NotEqual(m.t, "monitor", v.kind, "%s\n%s", mark, action)
		if v.out != nil {
			for _, line := range action {
				// An agent without a scope names any queue beside its own interface.
				if header, _, _ := strings.Cut(line, ":"); header != matrixMark && (header != "Queue" || v.profile != "agent") {
					require.NotContains(m.t, line, "outer", "%s, %s", mark, v.profile)
				}
			}
		}
	}
	if v.out != nil {
		m.tellsNothing(v, o, mark, answer)
	}
	cell := m.outcome(arrived, answer, filled, text, name, o, all)
	if !isRefusal(cell) {
		m.allowed[mark] = true
	} else {
		require.False(m.t, arrived, "%s\n%s", mark, answer)
	}
	m.lines[title] = append(m.lines[title], cell)
}

// tellsNothing holds that an answer names nothing outside but what was asked for.
func (m *matrix) tellsNothing(v *column, o things, mark, answer string) {
	m.t.Helper()
	for _, value := range o {
		answer = strings.ReplaceAll(answer, value, "")
	}
	for _, outside := range []string{"outer", "support", "sales", "@agents", "PJSIP/10", "trunk", "queue-entry"} {
		require.NotContains(m.t, answer, outside, "%s, %s", mark, v.profile)
	}
}

// outcome is the word for what became of a cell.
func (m *matrix) outcome(arrived bool, answer, filled, text, name string, o things, all *wire) string {
	m.t.Helper()
	first, _, _ := strings.Cut("\r\n"+answer, "\r\n\r\n")
	message := header(first, "Message")
	switch {
	case strings.Contains(answer, "EventList: start\r\n"):
		full := exchange(m.t, all, strings.ReplaceAll(filled, "|", "\n")+"\nActionID: all")
		has, there := strings.Count(answer, "\r\nActionID: cell\r\n"), strings.Count(full, "\r\nActionID: all\r\n")
		require.NotContains(m.t, full, "Response: Error")
		switch {
		case there == 2: // the response and the end of the list
			return "empty"
		case has == there:
			return "all"
		case has == 2:
			return "none"
		}
		require.Less(m.t, has, there)
		return "part"
	case arrived, header(first, "Response") != "Error":
		return "yes"
	case message == "Permission denied":
		return "-"
	}
	words := ""
	if name != "" {
		absent := maps.Clone(o)
		absent[name] = missing[name]
		if strings.HasPrefix(text, "Action: QueueAdd|") || strings.HasPrefix(text, "Action: Park|") {
			absent = missing // Asterisk takes any Interface and TimeoutChannel
		}
		words = strings.TrimRight(m.asterisksWords(absent.fill(asAsterisks(text))), "\n")
		if strings.ReplaceAll(words, missing[name], o[name]) == message {
			return "gone"
		}
	}
	if value := o[name]; value != "" {
		message = strings.ReplaceAll(message, value, "{"+name+"}")
		words = strings.ReplaceAll(words, missing[name], "{"+name+"}")
	}
	message += ": " + words
	if !slices.Contains(m.texts, message) {
		m.texts = append(m.texts, message)
	}
	return fmt.Sprintf("[%d]", slices.Index(m.texts, message)+1)
}

// asAsterisks is what Asterisk calls a command of the classic protocol.
func asAsterisks(text string) string {
	name, rest, _ := strings.Cut(strings.TrimPrefix(text, "Action: "), "|")
	if strings.HasPrefix(name, "Custom") {
		return strings.TrimPrefix(rest, "C")
	}
	if known, _ := actions.Lookup(name); known.Like != "" {
		name = known.Like
	}
	return "Action: " + name + "|" + rest
}

// end compares with the file, or writes it.
func (m *matrix) end() {
	m.t.Helper()
	var b strings.Builder
	b.WriteString(matrixLegend)
	var titles []string
	for _, v := range m.views {
		titles = append(titles, v.title)
		if v.out != nil {
			titles = append(titles, map[string]string{"M-in": "M-out", "A-in": "A-out", "own": "other", "own-in": "own-out"}[v.title])
		}
	}
	line := func(title string, cells []string) string {
		text := fmt.Sprintf("%-*s", matrixIndent, title)
		for _, cell := range cells {
			text += fmt.Sprintf("%-8s", cell)
		}
		return strings.TrimRight(text, " ") + "\n"
	}
	b.WriteString("#" + line("", titles)[1:] + "\n")
	for _, title := range m.order {
		b.WriteString(line(title, m.lines[title]))
	}
	for i, text := range m.texts {
		fmt.Fprintf(&b, "\n# [%d] %s", i+1, text)
	}
	text := b.String() + "\n"
	if *golden {
		require.NoError(m.t, os.WriteFile(m.file, []byte(text), 0o644))
		return
	}
	require.Equal(m.t, m.want, text)
}
