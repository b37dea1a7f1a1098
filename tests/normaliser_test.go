package tests

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names for what is not a header of its own.
const (
	strayLine = "(empty line)" // one too many behind a packet
	listOrder = "(order)"      // in which a list names its items
)

// A normalRow says where two answers to the same action may differ, and why. All
// patterns are whole: of a packet's name, of a header's name.
type normalRow struct {
	packets string // several apart by ", ": each must be met
	headers string // equally
	reason  string

	// One of these. varies: what of the value differs between any two runs.
	// removed: what of the value comes directly, not through ampd. only: the header
	// comes directly, not through ampd. untold: it is not compared at all.
	varies  string
	removed string
	only    bool
	untold  bool

	version string // the one Asterisk that has it, "" for each
}

// The reasons that come often.
const (
	itsClock  = "a point in time"
	itsSpan   = "a span of time"
	itsBridge = "a random id"
	itsPort   = "a port of this Asterisk's"
	itsStart  = "holds the time of its making; its counter is compared"
	repaired  = "documented (13): ampd repairs line ends"
)

// normalTable is all that need not be equal.
var normalTable = []normalRow{
	{packets: "FullyBooted", headers: "Uptime, LastReload", varies: `\d+`, reason: itsSpan},
	{packets: "Response to CoreStatus", headers: "CoreStartupTime, CoreReloadTime", varies: `\d\d:\d\d:\d\d`, reason: itsClock},
	{packets: "Response to CoreStatus", headers: "CoreStartupDate, CoreReloadDate", varies: `\d{4}-\d\d-\d\d`, reason: itsClock},
	{packets: "Response to Ping, Response to Ping by limited", headers: "Timestamp", varies: `\d{10}\.\d{6}`, reason: itsClock},
	{packets: "Response to Command core show uptime", headers: "Output", varies: `(\d+ minutes?, )?\d+ seconds?`, reason: itsSpan},
	{packets: "Response to Command queue show", headers: "Output", varies: `login was \d+ secs`, reason: itsSpan},
	{packets: "QueueMember, QueueMemberPause", headers: "LastPause, LoginTime", varies: `\d{10}`, reason: itsClock},
	{packets: "QueueMember", headers: "LastCall", varies: `\d{10}`, reason: itsClock},
	{packets: "QueueParams", headers: "Holdtime, TalkTime", varies: `\d+`, reason: itsSpan},
	{packets: "QueueSummary", headers: "HoldTime, TalkTime", varies: `\d+`, reason: itsSpan},
	{packets: "QueueEntry", headers: "Wait", varies: `\d+`, reason: itsSpan},
	{packets: "Agents", headers: "LoggedInTime", varies: `\d{10}`, reason: itsClock},
	{packets: "Status", headers: "Seconds", varies: `\d+`, reason: itsSpan},
	{packets: "ConfbridgeList", headers: "AnsweredTime", varies: `\d+`, reason: itsSpan},
	{packets: "ParkedCall", headers: "ParkingTimeout, ParkingDuration", varies: `\d+`, reason: itsSpan},
	{packets: "CoreShowChannel", headers: "Duration", varies: `\d\d:\d\d:\d\d`, reason: itsSpan},

	{packets: "Status, CoreShowChannel, BridgeInfoChannel, ConfbridgeList, Agents, UserEvent, QueueCallerJoin, Hangup", headers: "Uniqueid, Linkedid", varies: `-\d{10}\.`, reason: itsStart},
	{packets: "OriginateResponse, QueueEntry", headers: "Uniqueid", varies: `-\d{10}\.`, reason: itsStart},
	{packets: "ParkedCall", headers: "ParkeeUniqueid, ParkeeLinkedid", varies: `-\d{10}\.`, reason: itsStart},

	{packets: "CoreShowChannel", headers: "BridgeId", varies: aUUID, reason: itsBridge},
	{packets: "BridgeListItem, BridgeInfoComplete", headers: "BridgeUniqueid", varies: aUUID, reason: itsBridge},
	{packets: "BridgeListItem", headers: listOrder, reason: "sorted by their random ids"},
	{packets: "EndpointList, AorList, InboundRegistrationDetail", headers: "Contacts", varies: `:\d{5}`, reason: itsPort},
	{packets: "InboundRegistrationDetail", headers: "Contact", varies: `:\d{5}`, reason: itsPort},
	{packets: "TransportDetail", headers: "Bind", varies: `:\d{5}`, reason: itsPort},
	{packets: "PeerEntry", headers: "IPport", varies: `\d{5}`, version: "16", reason: itsPort},
	{packets: "DBGetTreeResponse", headers: "Val", varies: aUUID, reason: "of the installation"},
	{packets: "Response to Command database show", headers: "Output", varies: aUUID, reason: "of the installation"},

	{
		packets: "OriginateResponse", headers: `ChanVariable\(Local/cA@callers-\w+;1\)`, varies: "CAMPAIGN=(support)?",
		reason: "the dialplan sets it while Asterisk makes the event",
	},

	{packets: "Response to Challenge", headers: "Challenge", varies: `\d+`, reason: "documented (3): a random number"},
	{packets: "Response to Command manager show connected", headers: "Output", untold: true, reason: "documented (19)"},
	{
		packets: "Response to PJSIPShowContacts, Response to PJSIPShowResourceLists, Response to PJSIPShowEndpoint, " +
			"Response to PJSIPRegister, Response to PJSIPUnregister, Response to Park",
		headers: "Message", removed: `\n$`, reason: repaired,
	},
	{packets: "Response to CoreShowChannelMap", headers: "Message", removed: `\n$`, version: "22", reason: repaired},
	{packets: "Response to QueueRule", headers: strayLine, only: true, reason: repaired},
	{packets: "Response to SIPshowpeer", headers: strayLine, only: true, version: "16", reason: repaired},
	{
		packets: "Response to ListCommands by limited",
		headers: "BridgeDestroy, BridgeKick, BridgeTechnologySuspend, BridgeTechnologyUnsuspend, QueueChangePriorityCaller, QueueReload, QueueReset, QueueWithdrawCaller",
		only:    true, reason: "documented (7): asks a class of ampd's clients",
	},
}

const aUUID = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

// A normalCell is one packet and one header of a row.
type normalCell struct {
	*normalRow
	packet, header string
	value          *regexp.Regexp // varies or removed
	names          *regexp.Regexp // header
	met            int            // headers it was applied to
	needed         int            // of them, those that were different
}

func (c *normalCell) String() string {
	return fmt.Sprintf("%s | %s | %s", c.packet, c.header, c.reason)
}

// A normaliser compares what two roads answered.
type normaliser struct {
	cells map[string][]*normalCell // by packet

	answers, packets, lines int // compared
}

func newNormaliser(version string) *normaliser {
	n := &normaliser{cells: map[string][]*normalCell{}}
	for i := range normalTable {
		row := &normalTable[i]
		if row.version != "" && row.version != version {
			continue
		}
		for packet := range strings.SplitSeq(row.packets, ", ") {
			for header := range strings.SplitSeq(row.headers, ", ") {
				names := header
				if header == strayLine || header == listOrder {
					names = regexp.QuoteMeta(header)
				}
				n.cells[packet] = append(n.cells[packet], &normalCell{
					normalRow: row, packet: packet, header: header,
					names: regexp.MustCompile("^(?:" + names + ")$"),
					value: regexp.MustCompile(row.varies + row.removed),
				})
			}
		}
	}
	return n
}

// A normalLine is a line as it is compared, and the cells that made it so.
type normalLine struct {
	text, raw string
	cells     []*normalCell
}

// line makes one line comparable; left says that it is left out.
func (n *normaliser) line(packet, line string, direct bool) (made normalLine, left bool) {
	name, value := cutHeader(line)
	if line == "" {
		name = strayLine
	}
	made = normalLine{text: line, raw: line}
	for _, c := range n.cells[packet] {
		if !c.names.MatchString(name) {
			continue
		}
		var now string
		switch {
		case c.untold, c.only && direct:
			c.met++
			c.needed++
			return made, true
		case c.only:
			continue
		case c.varies != "":
			now = c.value.ReplaceAllString(value, "*")
		case direct:
			now = c.value.ReplaceAllString(value, "")
		default:
			continue
		}
		if now != value {
			c.met++
			made.cells = append(made.cells, c)
			value = now
			made.text = name + ": " + now
		}
	}
	return made, false
}

// A normalPacket is a packet as it is compared.
type normalPacket struct {
	name  string
	lines []normalLine
	text  string // of all lines
}

func newNormalPacket(name string, lines []normalLine) normalPacket {
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l.text + "\r\n")
	}
	return normalPacket{name, lines, text.String()}
}

// packet makes a packet comparable.
func (n *normaliser) packet(p tourPacket, direct bool) normalPacket {
	lines := make([]normalLine, 0, len(p.lines))
	for _, line := range p.lines {
		if l, left := n.line(p.name, line, direct); !left {
			lines = append(lines, l)
		}
	}
	return newNormalPacket(p.name, lines)
}

// answer makes an answer comparable: a list whose order says nothing is sorted.
func (n *normaliser) answer(a tourAnswer, direct bool) []normalPacket {
	made := make([]normalPacket, len(a.packets))
	for i, p := range a.packets {
		made[i] = n.packet(p, direct)
	}
	n.sort(made)
	return made
}

func (n *normaliser) sort(packets []normalPacket) {
	for from := 0; from < len(packets); {
		to := from + 1
		for to < len(packets) && packets[to].name == packets[from].name {
			to++
		}
		if c := n.unordered(packets[from].name); c != nil && to-from > 1 {
			c.met++
			slices.SortFunc(packets[from:to], func(a, b normalPacket) int { return strings.Compare(a.text, b.text) })
		}
		from = to
	}
}

func (n *normaliser) unordered(packet string) *normalCell {
	for _, c := range n.cells[packet] {
		if c.header == listOrder {
			return c
		}
	}
	return nil
}

// compare returns what differs between the direct answers and those through ampd.
func (n *normaliser) compare(direct, through []tourAnswer) (differences []string) {
	if len(direct) != len(through) {
		return []string{fmt.Sprintf("%d answers directly, %d through ampd", len(direct), len(through))}
	}
	for i := range direct {
		n.answers++
		if direct[i].step.String() != through[i].step.String() {
			return append(differences, fmt.Sprintf("answers to different steps: %q, %q", direct[i].step, through[i].step))
		}
		for _, d := range n.compareAnswer(n.answer(direct[i], true), n.answer(through[i], false)) {
			differences = append(differences, fmt.Sprintf("%s: %s", direct[i].step, d))
		}
	}
	return differences
}

func (n *normaliser) compareAnswer(direct, through []normalPacket) (differences []string) {
	if len(direct) != len(through) {
		return []string{fmt.Sprintf("%d packets directly, %d through ampd", len(direct), len(through))}
	}
	for i := range direct {
		n.packets++
		if direct[i].name != through[i].name {
			differences = append(differences, fmt.Sprintf("packet %d is %q directly, %q through ampd", i, direct[i].name, through[i].name))
			continue
		}
		for _, d := range n.comparePacket(direct[i].lines, through[i].lines) {
			differences = append(differences, fmt.Sprintf("packet %d, %s: %s", i, direct[i].name, d))
		}
	}
	return differences
}

func (n *normaliser) comparePacket(direct, through []normalLine) (differences []string) {
	for i := range max(len(direct), len(through)) {
		n.lines++
		switch {
		case i >= len(direct):
			differences = append(differences, fmt.Sprintf("only through ampd: %q", through[i].raw))
		case i >= len(through):
			differences = append(differences, fmt.Sprintf("only directly: %q", direct[i].raw))
		case direct[i].text != through[i].text:
			differences = append(differences, fmt.Sprintf("%q directly, %q through ampd", direct[i].raw, through[i].raw))
		case direct[i].raw != through[i].raw:
			for _, c := range direct[i].cells {
				c.needed++
			}
		}
	}
	return differences
}

// unmet are the rows that no header had.
func (n *normaliser) unmet() (rows []string) {
	for _, cells := range n.cells {
		for _, c := range cells {
			if c.met == 0 {
				rows = append(rows, c.String())
			}
		}
	}
	slices.Sort(rows)
	return rows
}

// report says what was compared and what the table was good for.
func (n *normaliser) report() string {
	var rows []string
	for _, cells := range n.cells {
		for _, c := range cells {
			rows = append(rows, fmt.Sprintf("%6d of %6d  %s", c.needed, c.met, c))
		}
	}
	slices.SortFunc(rows, func(a, b string) int { return strings.Compare(a[18:], b[18:]) })
	return fmt.Sprintf("%d answers, %d packets, %d headers compared; rows of the table, with how many headers differed of those they were applied to:\n%s",
		n.answers, n.packets, n.lines, strings.Join(rows, "\n"))
}

// A normalProof counts what was done to recorded answers and noticed.
type normalProof struct {
	altered, dropped, swapped, packetsDropped, packetsDoubled, packetsSwapped int
}

// prove does harm to each header and packet of an answer that is equal to the direct
// one, and fails where the comparison does not notice.
func (n *normaliser) prove(t *testing.T, direct, through tourAnswer, proof *normalProof) {
	t.Helper()
	want := texts(n.answer(direct, true))
	made := n.answer(through, false)
	require.Equal(t, want, texts(made))
	noticed := func(packets []normalPacket, what string, args ...any) {
		packets = slices.Clone(packets)
		n.sort(packets)
		if slices.Equal(want, texts(packets)) {
			require.Fail(t, "not noticed", "%s: %s", direct.step, fmt.Sprintf(what, args...))
		}
	}
	for i, p := range made {
		harm := func(lines []normalLine, what string, line int) {
			damaged := newNormalPacket(p.name, lines)
			if damaged.text != p.text && n.unordered(p.name) == nil {
				return // as the whole answer says too
			}
			packets := slices.Clone(made)
			packets[i] = damaged
			noticed(packets, "packet %d, %s: %s %q", i, p.name, what, p.lines[line].raw)
		}
		for k, line := range p.lines {
			altered := slices.Clone(p.lines)
			altered[k], _ = n.line(p.name, line.raw+"x", false)
			harm(altered, "altered", k)
			proof.altered++
			harm(slices.Delete(slices.Clone(p.lines), k, k+1), "dropped", k)
			proof.dropped++
			if k+1 < len(p.lines) && line.text != p.lines[k+1].text {
				swapped := slices.Clone(p.lines)
				swapped[k], swapped[k+1] = swapped[k+1], swapped[k]
				harm(swapped, "swapped with the next one:", k)
				proof.swapped++
			}
		}
		noticed(slices.Delete(slices.Clone(made), i, i+1), "packet %d, %s dropped", i, p.name)
		proof.packetsDropped++
		noticed(slices.Insert(slices.Clone(made), i, p), "packet %d, %s doubled", i, p.name)
		proof.packetsDoubled++
		if i+1 < len(made) && p.text != made[i+1].text && (p.name != made[i+1].name || n.unordered(p.name) == nil) {
			swapped := slices.Clone(made)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			noticed(swapped, "packet %d, %s swapped with the next one", i, p.name)
			proof.packetsSwapped++
		}
	}
}

func texts(packets []normalPacket) []string {
	made := make([]string, len(packets))
	for i, p := range packets {
		made[i] = p.name + "\r\n" + p.text
	}
	return made
}

// TestDifferencesAreDocumented holds that what the tables call documented stands in
// the list of docs/protocol.md.
func TestDifferencesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/protocol.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(text), "## Differences to a direct connection")
	require.True(t, found)
	var numbers []string
	for _, row := range normalTable {
		if found := regexp.MustCompile(`^documented \((\d+)\)`).FindStringSubmatch(row.reason); found != nil {
			numbers = append(numbers, found[1])
		}
	}
	for _, row := range oddTable {
		numbers = append(numbers, strconv.Itoa(row.number))
	}
	require.NotEmpty(t, numbers)
	for _, number := range numbers {
		require.Regexp(t, `(?m)^`+number+`\. `, list)
	}
}
