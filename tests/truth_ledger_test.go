package tests

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ampd/pbx"
)

// differ are the differences in what who asks for is told. Moments that lists tell as
// whole seconds that have passed, and events not at all, may be two seconds apart.
func differ(have, want *pbx.State, told func(pbx.Field) bool) []pbx.Difference {
	fields := fieldsByName()
	return slices.DeleteFunc(have.Differences(want), func(d pbx.Difference) bool {
		return !told(fields[[2]string{d.Object, d.Field}]) || momentFields[d.Object+" "+d.Field] && nearly(d.Have, d.Want) || isOvertaken(d)
	})
}

// isOvertaken tells a member in a call that an event older than the call says not to be in
// one, so that the call is not counted when it ends: docs/state.md.
func isOvertaken(d pbx.Difference) bool {
	have, _ := strconv.Atoi(d.Have)
	want, _ := strconv.Atoi(d.Want)
	switch d.Object + " " + d.Field {
	case "member InCall", "member CallsTaken":
		return want == have+1
	case "member LastCall":
		return want > have
	}
	return false
}

func fieldsByName() map[[2]string]pbx.Field {
	fields := map[[2]string]pbx.Field{}
	for _, f := range pbx.Fields() {
		fields[[2]string{f.Object, f.Name}] = f
	}
	return fields
}

// momentFields are the fields that are moments.
var momentFields = map[string]bool{
	"channel Duration":            true,
	"queue Wait":                  true,
	"member LastCall":             true,
	"agent LoggedInTime":          true,
	"agent CallStarted":           true,
	"parked call ParkingDuration": true,
	"parked call ParkingTimeout":  true,
}

// nearly tells whether a and b are as many numbers of seconds, each at most two apart.
func nearly(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		m, err1 := strconv.Atoi(x[i])
		n, err2 := strconv.Atoi(y[i])
		if err1 != nil || err2 != nil || m-n > 2 || n-m > 2 {
			return false
		}
	}
	return true
}

// What is asked of states.
func toldByLists(f pbx.Field) bool { return f.List }

func toldByBoth(f pbx.Field) bool { return f.Event && f.List }

// toldWithoutLists leaves out what hangs on objects that only a list makes known.
func toldWithoutLists(f pbx.Field) bool {
	return toldByBoth(f) && slices.Contains([]string{"channel", "bridge", "parked call"}, f.Object)
}

// A ledger counts what was compared and found the same. The test's own goroutine has it.
type ledger struct {
	points   int
	late     int // of them, those that agreed at a second look only
	compared map[[2]string]int
	most     map[string]int // objects at a point
}

func newLedger() *ledger {
	return &ledger{compared: map[[2]string]int{}, most: map[string]int{}}
}

// add notes that a state was found to be as it should be in what is told.
func (l *ledger) add(want *pbx.State, told func(pbx.Field) bool) {
	count := objects(want)
	for _, f := range pbx.Fields() {
		if told(f) {
			l.compared[[2]string{f.Object, f.Name}] += count[f.Object]
		}
	}
	for object, n := range count {
		l.most[object] = max(l.most[object], n)
	}
}

// objects counts what there is of each kind.
func objects(s *pbx.State) map[string]int {
	count := map[string]int{}
	for range s.Channels() {
		count["channel"]++
	}
	for range s.Bridges() {
		count["bridge"]++
	}
	for q := range s.Queues() {
		count["queue"]++
		count["member"] += len(q.Members)
	}
	for range s.Agents() {
		count["agent"]++
	}
	for p := range s.Peers() {
		count["peer"]++
		count["contact"] += len(p.Contacts)
	}
	for range s.ParkedCalls() {
		count["parked call"]++
	}
	return count
}

// report logs what was compared, and which events ampd has made.
func (l *ledger) report(t *testing.T, who string, made map[string]int) {
	t.Helper()
	t.Logf("%s: the tracked state was what Asterisk's lists say at %d quiet points (at %d of them at a second look)", who, l.points, l.late)
	var object string
	var line []string
	flush := func() {
		if len(line) > 0 {
			t.Logf("%s: %s, at most %d at a time; comparisons without a difference: %s", who, object, l.most[object], strings.Join(line, ", "))
		}
		line = nil
	}
	for _, f := range pbx.Fields() {
		if f.Object != object {
			flush()
			object = f.Object
		}
		if n := l.compared[[2]string{f.Object, f.Name}]; n > 0 {
			name := f.Name
			if name == "" {
				name = "existence"
			}
			line = append(line, fmt.Sprintf("%s %d", name, n))
		}
	}
	flush()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(made)) {
		names = append(names, fmt.Sprintf("%s %d", name, made[name]))
	}
	t.Logf("%s: synthetic events: %s", who, strings.Join(names, ", "))
}
