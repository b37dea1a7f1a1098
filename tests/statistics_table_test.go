package tests

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/queuelog"
)

// A table has figures of queue_log beside ampd's, added up for all queues and all agents,
// and what is wrong with those of one of them.
type table struct {
	rows  map[string]*row
	order []string
	wrong []string
}

type row struct {
	logged, told, got int
	off               int // how many seconds it may be off
}

func newTable() *table { return &table{rows: map[string]*row{}} }

// add adds a figure: as queue_log has it, as it is when Asterisk's events tell the seconds,
// and as ampd says it, which is to be the second but for the seconds that it may be off.
func (t *table) add(what, figure, whose string, logged, told int, got string, off int) {
	name := what + " " + figure
	r := t.rows[name]
	if r == nil {
		r = &row{}
		t.rows[name] = r
		t.order = append(t.order, name)
	}
	n, err := strconv.Atoi(got)
	if err != nil || n < told-off || n > told+off {
		t.wrong = append(t.wrong, fmt.Sprintf("%s of %s: ampd says %q, queue_log %d, with the seconds of events %d, ± %d", figure, whose, got, logged, told, off))
	}
	if strings.Contains(figure, "Longest") {
		r.logged, r.told, r.got = max(r.logged, logged), max(r.told, told), max(r.got, n)
	} else {
		r.logged, r.told, r.got, r.off = r.logged+logged, r.told+told, r.got+n, r.off+off
	}
}

// addQueue adds all figures of a queue. The headers of ampd's answer have the names of
// queuelog's fields.
func (t *table) addQueue(name string, logged, told *queuelog.Queue, got asterisk.Packet) {
	l, w := reflect.ValueOf(*logged), reflect.ValueOf(*told)
	for i := range w.NumField() {
		field := w.Type().Field(i).Name
		t.add("queue", field, name, int(l.Field(i).Int()), int(w.Field(i).Int()), got.Get(field), 0)
	}
	t.add("queue", "Unknown", name, 0, 0, got.Get("Unknown"), 0)
	t.rounded("AverageHold", name, told.HoldTime, told.Answered, got)
	t.rounded("AverageTalk", name, told.TalkTime, told.Answered, got)
	t.rounded("ServiceLevelPercent", name, 100*told.AnsweredInTime, told.Decided(), got)
}

// rounded checks a quotient, "" or 0 of nothing.
func (t *table) rounded(figure, whose string, sum, n int, got asterisk.Packet) {
	quotient := float64(sum) / float64(max(n, 1))
	said, err := strconv.ParseFloat(got.Get(figure), 64)
	if (err != nil || said < quotient-0.501 || said > quotient+0.501) && (n > 0 || got.Get(figure) != "") {
		t.wrong = append(t.wrong, fmt.Sprintf("%s of %s: ampd says %q, it is %f", figure, whose, got.Get(figure), quotient))
	}
}

// addAgent adds all figures of an agent, who was called so often. A login or a pause that
// ampd has seen in parts of seconds may be a second off.
func (t *table) addAgent(name string, logged, told *queuelog.Agent, offered int, got asterisk.Packet) {
	t.add("agent", "Offered", name, logged.Answered+logged.NotAnswered+logged.Cancelled, offered, got.Get("Offered"), 0)
	t.add("agent", "Answered", name, logged.Answered, told.Answered, got.Get("Answered"), 0)
	t.add("agent", "NotAnswered", name, logged.NotAnswered, told.NotAnswered, got.Get("NotAnswered"), 0)
	t.add("agent", "TalkTime", name, logged.TalkTime, told.TalkTime, got.Get("TalkTime"), 0)
	t.add("agent", "LongestTalk", name, logged.LongestTalk, told.LongestTalk, got.Get("LongestTalk"), 0)
	t.add("agent", "LoggedIn", name, logged.LoggedIn, told.LoggedIn, got.Get("LoggedIn"), told.Logins)
	t.add("agent", "Paused", name, logged.Paused, told.Paused, got.Get("Paused"), told.Pauses)
	said := map[string]string{}
	for _, line := range got {
		if text, ok := strings.CutPrefix(line, "PausedFor: "); ok {
			seconds, reason, _ := strings.Cut(text, " ")
			said[reason] = seconds
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(told.PausedBy)) {
		if told.PausedBy[reason] <= told.Pauses && said[reason] == "" {
			said[reason] = "0" // shorter than a second
		}
		t.add("agent", "Paused for "+strconv.Quote(reason), name, logged.PausedBy[reason], told.PausedBy[reason], said[reason], told.Pauses)
	}
}

func (t *table) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "all queues and agents\tqueue_log\tby events\tampd\tmay be off by\t")
	for _, name := range t.order {
		r := t.rows[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", name, r.logged, r.told, r.got, r.off)
	}
	w.Flush()
	return text.String()
}

// TestTheTableFindsWhatIsWrong changes one figure at a time.
func TestTheTableFindsWhatIsWrong(t *testing.T) {
	q := &queuelog.Queue{Offered: 3, Answered: 2, Abandoned: 1, HoldTime: 9, LongestHold: 7, AnsweredInTime: 1}
	a := &queuelog.Agent{Answered: 2, LoggedIn: 100, Logins: 2, Paused: 20, PausedBy: map[string]int{"lunch": 20}, Pauses: 1}
	queue := asterisk.Packet{"Unknown: 0", "AverageHold: 5", "AverageTalk: 0", "ServiceLevelPercent: 33.3"}
	for _, name := range []string{
		"Offered: 3", "Answered: 2", "Abandoned: 1", "HoldTime: 9", "LongestHold: 7", "AnsweredInTime: 1", "ShortAbandoned: 0", "TimedOut: 0", "ExitedKey: 0",
		"LeftEmpty: 0", "Withdrawn: 0", "RefusedFull: 0", "RefusedEmpty: 0", "Transferred: 0", "CompletedByAgent: 0", "CompletedByCaller: 0",
		"AbandonTime: 0", "LongestAbandon: 0", "TalkTime: 0", "LongestTalk: 0",
	} {
		queue = append(queue, name)
	}
	agent := asterisk.Packet{"Offered: 2", "Answered: 2", "NotAnswered: 0", "TalkTime: 0", "LongestTalk: 0", "LoggedIn: 102", "Paused: 19", "PausedFor: 19 lunch"}
	judge := func(queue, agent asterisk.Packet) []string {
		table := newTable()
		table.addQueue("q", q, q, queue)
		table.addAgent("ann", a, a, 2, agent)
		return table.wrong
	}
	require.Empty(t, judge(queue, agent))
	for i, line := range queue {
		wrong := slices.Clone(queue)
		wrong[i], _, _ = strings.Cut(line, ":")
		wrong[i] += ": 48"
		require.Len(t, judge(wrong, agent), 1, line)
	}
	for i, line := range agent {
		wrong := slices.Clone(agent)
		wrong[i], _, _ = strings.Cut(line, ":")
		wrong[i] += ": 104 lunch"
		require.Len(t, judge(queue, wrong), 1, line)
	}
}
