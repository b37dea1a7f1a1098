package tests

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// An oddInput is what a client may send that is not quite an action.
type oddInput struct {
	name   string
	writes []string // one after the other
	events string   // Events at login: "off" if empty
	raw    bool     // without a login before, and without a Logoff behind
	half   bool     // with the end of what the client sends instead of a Logoff
	until  string   // what must have come before the Logoff
}

// An oddRow is what ampd, as documented, answers otherwise than Asterisk: what
// matches the one in the direct answer is the other (as in regexp.Expand).
type oddRow struct {
	inputs          string // pattern of the whole name
	number          int    // in docs/protocol.md
	direct, through string
}

const (
	aHeader  = `(?:[^\r\n]+\r\n)`
	settings = `(Response: Success\r\n(?:ActionID: \w+\r\n)?)(AMIversion: ` + aHeader + `+\r\n)` // CoreSettings' answer
	tooLong  = "Response: Error\r\nMessage: Failed to parse message: line too long\r\n\r\n"
	tooMany  = "Response: Error\r\nMessage: Too many lines in message or allocation failure\r\n\r\n"
	noAction = "Response: Error\r\nMessage: Missing action in request\r\n\r\n"
)

// oddTable is all that need not be equal.
var oddTable = []oddRow{
	{`CR as line end \(\w+\)`, 10, `\rActionID: p1\r\r`, " ActionID: p1  "},
	{`CR inside a value \(Ping\)`, 10, `a\rb`, "a b"},
	{`CR inside a value \(CoreSettings\)`, 10, `Response: Success\r\nActionID: a\rb\r\n` + aHeader + `+\r\n`, "Response: Error\r\nActionID: a b\r\nMessage: Failed to parse message: invalid character\r\n\r\n"},
	{`a value of 1018 bytes, ended by LF \(CoreSettings\)`, 11, `^` + settings, tooLong},
	{`128 headers, no ActionID \(CoreSettings\)`, 11, `^` + settings, tooMany},
	{`an ActionID of 255 bytes \(CoreSettings\)`, 20, `(ActionID: x{139})AMI`, "${1}" + strings.Repeat("x", 255-139) + "\r\nAMI"},
	{`an ActionID of 1012 bytes \(CoreSettings\)`, 20, `(ActionID: x{139})AMI`, "${1}" + strings.Repeat("x", 1012-139) + "\r\nAMI"},
	{`a user event .*`, 21, `(UserEvent: \w+\r\n)(` + aHeader + `+?)(ActionID: u1\r\n)`, "${1}${3}${2}"},
	{`empty packets before the login`, 4, `^(?:` + noAction + `)+`, ""},
	{`telnet before the login`, 5, `^Response: Error\r\nActionID: t\r\nMessage: Missing action in request\r\n\r\nResponse: Goodbye\r\n`, "Response: Goodbye\r\nActionID: t\r\n"},
	{`telnet behind the login`, 5, `^Response: Error\r\nActionID: t\r\nMessage: Missing action in request\r\n`, "Response: Success\r\nActionID: t\r\nPing: Pong\r\nTimestamp: *\r\n"},
	{`XML`, 6, `^Response: Error\r\nMessage: Missing action in request\r\n`, "Response: Success\r\nPing: Pong\r\nTimestamp: *\r\n"},
}

// oddActions are oddities around an action without parameters: once one that ampd
// answers itself, once one that goes to Asterisk.
func oddActions(action string) []oddInput {
	one := func(id string) string { return "Action: " + action + "\r\nActionID: " + id + "\r\n\r\n" }
	after := one("after")
	inputs := []oddInput{
		{name: "LF as line end", writes: []string{"Action: " + action + "\nActionID: p1\n\n"}},
		{name: "LF, then CRLF", writes: []string{"Action: " + action + "\nActionID: p1\n\n" + after}},
		{name: "CR as line end", writes: []string{"Action: " + action + "\rActionID: p1\r\r" + after}},
		{name: "CR inside a value", writes: []string{"Action: " + action + "\r\nActionID: a\rb\r\n\r\n" + after}},
		{name: "no blank after the colon", writes: []string{"Action:" + action + "\r\nActionID:p1\r\n\r\n"}},
		{name: "blanks after the colon", writes: []string{"Action:  " + action + "\r\nActionID:   p1\r\n\r\n"}},
		{name: "a tab after the colon", writes: []string{"Action:\t" + action + "\r\nActionID:\tp1\r\n\r\n"}},
		{name: "a blank before the colon", writes: []string{"Action : " + action + "\r\nActionID : p1\r\n\r\n"}},
		{name: "blanks at the end", writes: []string{"Action: " + action + " \r\nActionID: p1 \r\n\r\n"}},
		{name: "blanks at the end of the ActionID", writes: []string{"Action: " + action + "\r\nActionID: p1  \r\n\r\n"}},
		{name: "blanks before the name", writes: []string{" Action: " + action + "\r\n ActionID: p1\r\n\r\n"}},
		{name: "lower case", writes: []string{"action: " + strings.ToLower(action) + "\r\nactionid: p1\r\n\r\n"}},
		{name: "upper case", writes: []string{"ACTION: " + strings.ToUpper(action) + "\r\nACTIONID: P1\r\n\r\n"}},
		{name: "Action as the last header", writes: []string{"id: 7\r\nActionID: p1\r\nEmpty:\r\nAction: " + action + "\r\n\r\n"}},
		{name: "a line without a colon", writes: []string{"Action: " + action + "\r\nno colon\r\nActionID: p1\r\n\r\n"}},
		{name: "a line of blanks", writes: []string{"Action: " + action + "\r\n  \r\nActionID: p1\r\n\r\n"}},
		{name: "a header without a name", writes: []string{"Action: " + action + "\r\n: value\r\nActionID: p1\r\n\r\n"}},
		{name: "empty packets", writes: []string{"\r\n\r\n\r\n" + after}},
		{name: "empty packets of LF", writes: []string{"\n\n" + after}},
		{name: "two ActionIDs", writes: []string{"Action: " + action + "\r\nActionID: a\r\nActionID: b\r\n\r\n"}},
		{name: "an empty ActionID", writes: []string{"Action: " + action + "\r\nActionID: \r\n\r\n"}},
		{name: "an empty ActionID, then another", writes: []string{"Action: " + action + "\r\nActionID: \r\nActionID: b\r\n\r\n"}},
		{name: "no ActionID", writes: []string{"Action: " + action + "\r\n\r\n"}},
		{name: "two Actions", writes: []string{"Action: " + action + "\r\nAction: CoreStatus\r\nActionID: p1\r\n\r\n"}},
		{name: "an ActionID of odd characters", writes: []string{"Action: " + action + "\r\nActionID: a b\t\"c\" <d>: é%s\\n\r\n\r\n"}},
		{name: "an ActionID of ampd's kind", writes: []string{"Action: " + action + "\r\nActionID: ampd-1-1\r\n\r\n"}},
		{name: "a NUL in a value", writes: []string{"Action: " + action + "\r\nActionID: a\x00b\r\n\r\n" + after}},
		{name: "a NUL in the action's name", writes: []string{"Action: " + action + "\x00x\r\nActionID: p1\r\n\r\n" + after}},
		{name: "a NUL before the colon", writes: []string{"Action: " + action + "\r\nAction\x00ID: p1\r\n\r\n" + after}},
		{name: "high and control bytes", writes: []string{"Action: " + action + "\r\nActionID: \xff\xfe\x80\x01\x7f\r\n\r\n" + after}},
		{name: "byte by byte", writes: strings.Split("Action: "+action+"\r\nActionID: p1\r\n\r\n", "")},
		{name: "many in one write", writes: []string{one("1") + one("2") + one("3") + one("4") + one("5") + one("1")}},
		{name: "64 KiB without a line end", writes: []string{strings.Repeat("A", 65536) + "\r\n\r\n" + after}},
		{name: "a long line, then another packet", writes: []string{"Action: " + action + "\r\nX: " + strings.Repeat("y", 3000) + "\r\nActionID: p1\r\n\r\n" + after}},
		{name: "two long lines", writes: []string{"X: " + strings.Repeat("y", 1100) + "\r\nX: " + strings.Repeat("y", 5000) + "\r\n\r\n" + after}},
	}
	for _, n := range []int{137, 255, 1012, 1013, 1014, 1023, 1024, 1030, 2000, 5000} {
		inputs = append(inputs, oddInput{
			name:   fmt.Sprintf("an ActionID of %d bytes", n),
			writes: []string{"Action: " + action + "\r\nActionID: " + strings.Repeat("x", n) + "\r\n\r\n" + after},
		})
	}
	for _, n := range []int{1015, 1016, 1017, 1018, 1019, 1020, 1021} {
		inputs = append(inputs, oddInput{
			name:   fmt.Sprintf("a value of %d bytes, ended by LF", n),
			writes: []string{"Action: " + action + "\nXyz: " + strings.Repeat("x", n) + "\n\n" + after},
		})
	}
	for _, n := range []int{120, 126, 127, 128, 129, 140, 300} {
		var lines strings.Builder
		for i := range n - 2 {
			fmt.Fprintf(&lines, "H%d: %d\r\n", i, i)
		}
		inputs = append(inputs,
			oddInput{
				name:   fmt.Sprintf("%d headers, the ActionID last", n),
				writes: []string{"Action: " + action + "\r\n" + lines.String() + "ActionID: p1\r\n\r\n" + after},
			}, oddInput{
				name:   fmt.Sprintf("%d headers, the ActionID second", n),
				writes: []string{"Action: " + action + "\r\nActionID: p1\r\n" + lines.String() + "\r\n" + after},
			}, oddInput{
				name:   fmt.Sprintf("%d headers, no ActionID", n),
				writes: []string{"Action: " + action + "\r\nX: y\r\n" + lines.String() + "\r\n" + after},
			})
	}
	for i := range inputs {
		inputs[i].name += " (" + action + ")"
	}
	return inputs
}

// oddSessions are oddities of whole sessions.
var oddSessions = []oddInput{
	{name: "only an ActionID", writes: []string{"ActionID: p1\r\n\r\n"}},
	{name: "an empty Action", writes: []string{"Action: \r\nActionID: p1\r\n\r\n"}},
	{name: "an unknown action", writes: []string{"Action: No Such: Thing\r\nActionID: p1\r\n\r\n"}},
	{name: "a second login as another", writes: []string{"Action: Login\r\nUsername: limited\r\nSecret: limitedsecret\r\nActionID: l2\r\n\r\nAction: DBGetTree\r\nFamily: none\r\nActionID: d\r\n\r\n"}},
	{name: "Logoff, then Ping", writes: []string{"Action: Logoff\r\nActionID: bye\r\n\r\nAction: Ping\r\nActionID: p1\r\n\r\n"}},
	{
		name: "a user event with a header twice", events: "user", until: "Event: UserEvent\r\n",
		writes: []string{"Action: UserEvent\r\nUserEvent: Dup\r\nK: 1\r\nK: 2\r\nActionID: u1\r\nA:B\r\n\r\n"},
	},
	{
		name: "a user event with events of its own", events: "user", until: "Event: UserEvent\r\n",
		writes: []string{"Action: UserEvent\r\nUserEvent: Inner\r\nEvent: Hangup\r\nResponse: Error\r\nPrivilege: call,all\r\nActionID: u1\r\n\r\n"},
	},
	{name: "masks", writes: []string{
		"Action: Events\r\nActionID: e1\r\nEventMask: nosuch\r\n\r\nAction: Events\r\nActionID: e3\r\nEventMask: off\r\n\r\n" +
			"Action: Events\r\nActionID: e4\r\nEventMask: user\r\n\r\nAction: Events\r\nActionID: e5\r\n\r\nAction: Events\r\nActionID: e6\r\nEventMask:\r\n\r\n" +
			"Action: Events\r\nActionID: e7\r\nEventMask: aoc, nosuch\r\n\r\nAction: Events\r\nActionID: e8\r\nEventMask: 0\r\n\r\nAction: Events\r\nActionID: e9\r\nEventMask: no\r\n\r\n",
	}},
	{name: "filters", writes: oddFilters(
		"Operation: Add\r\nFilter: [", "Operation: Add\r\nFilter: !", "Operation: Add\r\nFilter: !(", "Operation: Add\r\nFilter: Event: Newchannel", "operation: add\r\nfilter: x",
		"Operation: Add\r\nFilter:", "Operation: Add", "Filter: x", "Operation: Remove\r\nFilter: x", "Operation:\r\nFilter: x", "Operation: Add\r\nFilter: a*b+c?(d|e){2}",
		"Operation: Add\r\nFilter: a{2,1}", "Operation: Add\r\nFilter: *", "Operation: Add\r\nFilter: \\d+(?:x)",
	)},
	{name: "filters by criteria", writes: oddFilters(
		"Operation: Add\r\nFilter(name(Hangup)):", "Operation: Add\r\nMatchCriteria: name(Hangup)", "Operation: Add\r\nMatchCriteria: name(Hangup),header(Channel),method(regex)\r\nFilter: PJSIP/.*",
		"Operation: Add\r\nMatchCriteria: action(exclude),name(VarSet)", "Operation: Add\r\nMatchCriteria: action(nope)\r\nFilter: x", "Operation: Add\r\nMatchCriteria: nope(x)\r\nFilter: x",
		"Operation: Add\r\nMatchCriteria: method(regex)\r\nFilter: [", "Operation: Add\r\nMatchCriteria: method(exact)\r\nFilter: x", "Operation: Add\r\nMatchCriteria:\r\nFilter: x",
		"Operation: Add\r\nMatchCriteria: method(regex)\r\nFilter:", "Operation: Add\r\nMatchCriteria: name(Hangup\r\nFilter: x", "Operation: Add\r\nMatchCriteria: header(Channel)\r\nFilter:",
	)},
	{name: "more filters by criteria", writes: oddFilters(
		"Operation: Add\r\nMatchCriteria: name(Hangup),name(Newchannel)\r\nFilter: x", "Operation: Add\r\nMatchCriteria: method(starts_with)\r\nFilter: x", "Operation: Add\r\nMatchCriteria: method(none),header(Channel)\r\nFilter: x",
		"Operation: Add\r\nMatchCriteria: header()\r\nFilter: x", "Operation: Add\r\nMatchCriteria: name()\r\nFilter: x", "Operation: Add\r\nMatchCriteria: method(nope)\r\nFilter: x", "Operation: Add\r\nMatchCriteria: x\r\nFilter: x",
	)},
	{name: "WaitEvent, then Ping", writes: []string{"Action: WaitEvent\r\nTimeout: 2\r\nActionID: w\r\n\r\nAction: Ping\r\nActionID: p\r\n\r\n"}},
	{name: "WaitEvent that times out", until: "WaitEventComplete", writes: []string{"Action: WaitEvent\r\nTimeout: 1\r\nActionID: w\r\n\r\n"}},
	{name: "WaitEvent of no time", until: "WaitEventComplete", writes: []string{"Action: WaitEvent\r\nTimeout: 0\r\nActionID: w\r\n\r\n"}},
	{name: "WaitEvent of odd times", writes: []string{"Action: WaitEvent\r\nTimeout: 0\r\nActionID: 1\r\n\r\nAction: WaitEvent\r\nTimeout: 1x\r\nActionID: 2\r\n\r\n"}},
	{name: "originate, then Ping", writes: []string{
		"Action: Originate\r\nActionID: 1\r\nChannel: Local/hangup@callers/n\r\nContext: misc\r\nExten: wait\r\nPriority: 1\r\n\r\nAction: Ping\r\nActionID: 2\r\n\r\n" +
			"Action: Originate\r\nActionID: 3\r\nChannel: Local/c1@callers/n\r\nApplication: Wait\r\nData: 1\r\nAsync: 0\r\n\r\nAction: Ping\r\nActionID: 4\r\n\r\n" +
			"Action: Originate\r\nActionID: 5\r\nChannel: Local/c1@callers/n\r\nContext: misc\r\nExten: wait\r\nPriority: x\r\n\r\nAction: Originate\r\nActionID: 6\r\nChannel: Local/c1@callers/n\r\n\r\n" +
			"Action: Originate\r\nActionID: 7\r\nChannel: Local/c1@callers/n\r\nTimeout: x\r\nApplication: Wait\r\n\r\nAction: Originate\r\nActionID: 8\r\nChannel: Nope/1\r\nApplication: Wait\r\n\r\n" +
			"Action: Originate\r\nActionID: 9\r\nChannel: Local/c1@callers/n\r\nApplication: NoSuchApp\r\n\r\nAction: Originate\r\nActionID: 10\r\nChannel: Local/c1@callers/n\r\nContext: misc\r\nExten: nope\r\nPriority: 1\r\n\r\n" +
			"Action: Originate\r\nActionID: 11\r\nChannel: /\r\nApplication: Wait\r\n\r\nAction: Originate\r\nActionID: 12\r\nChannel: Local/c1@callers/n\r\nApplication: Wait\r\nChannelId: a/b\r\nOtherChannelId: a/b\r\n\r\n" +
			"Action: Originate\r\nActionID: 13\r\nChannel: Local/c1@callers/n\r\nApplication: Wait\r\nCodecs: nope\r\n\r\nAction: Originate\r\nActionID: 14\r\nChannel: Local/noanswer@callers/n\r\nApplication: Wait\r\nTimeout: 200\r\n\r\n",
	}},
	{name: "ampd's own actions, wrong", writes: []string{
		"Action: Challenge\r\nAuthType: md5\r\n\r\nAction: Challenge\r\n\r\nAction: Login\r\n\r\nAction: Login\r\nUsername: ampd\r\nSecret: wrong\r\n\r\nAction: Ping\r\nX: y\r\n\r\n" +
			"Action: ListCommands\r\nActionID: l\r\n\r\n",
	}},
	{name: "a challenge in lower case", raw: true, writes: []string{"Action: challenge\r\nauthtype: md5\r\n\r\nAction: Challenge\r\n\r\nAction: Logoff\r\n\r\n"}},
	{name: "actions before the login", raw: true, writes: []string{"Action: Ping\r\nActionID: 1\r\n\r\nAction: NoSuch\r\nActionID: 2\r\n\r\nActionID: 3\r\n\r\nAction: Logoff\r\nActionID: 4\r\n\r\n"}},
	{name: "actions right behind the login", raw: true, writes: []string{
		"Action: Login\r\nUsername: ampd\r\nSecret: ampdsecret\r\nEvents: off\r\n\r\nAction: Ping\r\nActionID: 1\r\n\r\nAction: CoreSettings\r\nActionID: 2\r\n\r\nAction: Ping\r\nActionID: 3\r\n\r\nAction: Logoff\r\n\r\n",
	}},
	{name: "a login in pieces", raw: true, writes: append(strings.Split("Action: Login\r\nUsername: ampd\r\nSecret: ampdsecret\r\nEvents: off\r\n\r\n", ""), "Action: Logoff\r\n\r\n")},
	{name: "a login in odd case", raw: true, writes: []string{"aCTION: lOGIN\nuSERNAME: ampd\nsECRET: ampdsecret\neVENTS: off\n\nAction: Logoff\r\n\r\n"}},
	{name: "a login with a name too many", raw: true, writes: []string{"Action: Login\r\nUsername: ampd\r\nUsername: nobody\r\nSecret: ampdsecret\r\nEvents: off\r\n\r\nAction: Logoff\r\n\r\n"}},
	{name: "three wrong logins", raw: true, writes: []string{
		"Action: Login\r\nUsername: ampd\r\nSecret: no\r\n\r\n", "Action: Login\r\nUsername: ampd\r\nSecret: no\r\n\r\n", "Action: Login\r\nUsername: ampd\r\nSecret: no\r\n\r\n",
	}},
	{name: "a challenge and a wrong key", raw: true, writes: []string{"Action: Challenge\r\nAuthType: MD5\r\n\r\n", "Action: Login\r\nAuthType: MD5\r\nUsername: ampd\r\nKey: 00\r\n\r\n"}},
	{name: "a key without a challenge", raw: true, writes: []string{"Action: Login\r\nAuthType: MD5\r\nUsername: ampd\r\nKey: 00\r\n\r\n"}},
	{name: "an unknown AuthType", raw: true, writes: []string{"Action: Login\r\nAuthType: SHA9\r\nUsername: ampd\r\nSecret: ampdsecret\r\nKey: 00\r\nEvents: off\r\n\r\nAction: Logoff\r\n\r\n"}},
	{name: "HTTP", raw: true, writes: []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\nAction: Logoff\r\n\r\n"}},
	{name: "a long line before the login", raw: true, writes: []string{"Action: Ping\r\nX: " + strings.Repeat("y", 2000) + "\r\n\r\nAction: Logoff\r\n\r\n"}},
	{name: "130 headers before the login", raw: true, writes: []string{"Action: Ping\r\n" + strings.Repeat("X: y\r\n", 129) + "\r\nAction: Logoff\r\n\r\n"}},
	{name: "empty packets before the login", raw: true, writes: []string{"\r\n\r\nAction: Logoff\r\n\r\n"}},
	{name: "half a packet", half: true, writes: []string{"Action: Ping\r\nActi"}},
	{name: "an action, then no more", half: true, writes: []string{"Action: CoreSettings\r\nActionID: p1\r\n\r\n"}},
	{name: "many actions, then no more", half: true, writes: []string{"Action: QueueStatus\r\nActionID: 1\r\n\r\nAction: Ping\r\nActionID: 2\r\n\r\nAction: CoreSettings\r\nActionID: 3\r\n\r\n"}},
	{name: "TLS before the login", raw: true, half: true, writes: []string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + allBytes + allBytes}},
	{name: "telnet behind the login", writes: []string{"\xff\xfd\x03Action: Ping\r\nActionID: t\r\n\r\n"}},
	{name: "XML", writes: []string{"<command action=\"ping\"/>\r\n\r\n"}},
	{name: "telnet before the login", raw: true, writes: []string{"\xff\xfd\x03Action: Logoff\r\nActionID: t\r\n\r\n", "Action: Logoff\r\n\r\n"}},
}

// oddFilters are Filter actions, one behind the other, in one write.
func oddFilters(bodies ...string) []string {
	var text strings.Builder
	for i, body := range bodies {
		fmt.Fprintf(&text, "Action: Filter\r\nActionID: %d\r\n%s\r\n\r\n", i, body)
	}
	return []string{text.String()}
}

var allBytes = func() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}()

// oddTimes is what differs between any two runs.
var oddTimes = regexp.MustCompile(`Timestamp: \d{10}\.\d{6}\r\n|Challenge: \d+\r\n`)

// answer sends the input at one address and returns all that came behind the banner
// and, unless it is raw, the login, up to the end of the connection.
func (o oddInput) answer(t *testing.T, addr string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(tourWait)))
	var got bytes.Buffer
	until := func(text string) {
		t.Helper()
		piece := make([]byte, 64<<10)
		for !strings.Contains(got.String(), text) {
			n, err := conn.Read(piece)
			got.Write(piece[:n])
			require.NoError(t, err, "before %q came: %q", text, got.String())
		}
	}
	write := func(text string) {
		t.Helper()
		_, err := conn.Write([]byte(text))
		require.NoError(t, err)
	}
	until("\r\n")
	if !o.raw {
		events := o.events
		if events == "" {
			events = "off"
		}
		write("Action: Login\r\nUsername: ampd\r\nSecret: ampdsecret\r\nEvents: " + events + "\r\n\r\n")
		until("Authentication accepted\r\n\r\n")
	}
	got.Reset()
	for _, text := range o.writes {
		if _, err := conn.Write([]byte(text)); err != nil {
			break // it has closed: what it said is what counts
		}
	}
	if o.until != "" {
		until(o.until)
	}
	switch {
	case o.half:
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	case !o.raw && !strings.Contains(strings.Join(o.writes, ""), "Logoff"):
		write("Action: Logoff\r\nActionID: end\r\n\r\n")
	}
	_, err = io.Copy(&got, conn)
	if err != nil {
		require.ErrorContains(t, err, "connection reset", "%s: %q", o.name, got.String())
	}
	return oddTimes.ReplaceAllStringFunc(got.String(), func(line string) string {
		name, _ := cutHeader(line)
		return name + ": *\r\n"
	})
}

func TestOddInputIsAnsweredAsByAsterisk(t *testing.T) {
	inputs := append(append(oddActions("Ping"), oddActions("CoreSettings")...), oddSessions...)
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := asterisk.Start(t, version)
			d := daemon.Start(t, server.Addr, daemon.Config{})
			d.WaitReady(t)
			watcher := openWire(t, "watcher", d.Addr, asterisk.Ampd, "Events: user")
			used := map[oddRow]int{}
			for _, input := range inputs {
				// ampd first: its client has gone when the direct one sends a user event,
				// and the next one comes when that has been to ampd.
				through := input.answer(t, d.Addr)
				direct := input.answer(t, server.Addr)
				require.NoError(t, watcher.SetReadDeadline(time.Now().Add(wireLimit)))
				for range strings.Count(through+direct, "Event: UserEvent\r\n") {
					_, err := watcher.read()
					require.NoError(t, err, input.name)
				}
				want := direct
				for _, row := range oddTable {
					if regexp.MustCompile("^(?:" + row.inputs + ")$").MatchString(input.name) {
						before := want
						want = regexp.MustCompile(row.direct).ReplaceAllString(before, row.through)
						require.NotEqual(t, want, before, "the row of %s changes nothing", row.inputs)
						used[row]++
					}
				}
				if want != through {
					t.Errorf("%s\ndirect  %q\nwant    %q\nthrough %q", input.name, direct, want, through)
				}
			}
			equal := len(inputs)
			for _, row := range oddTable {
				require.Positive(t, used[row], "no such input: %s", row.inputs)
				equal -= used[row]
				t.Logf("documented (%d): %s, %d inputs", row.number, row.inputs, used[row])
			}
			t.Logf("%d inputs, %d of them answered alike", len(inputs), equal)
		})
	}
}
