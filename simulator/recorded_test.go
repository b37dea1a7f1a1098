package simulator_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/simulator"
)

// recorded is what a real Asterisk 22 sent: the forms of its packets, the values
// of headers that know few, and the lines of ListCommands.
type recorded struct {
	forms    map[string]bool
	values   map[string]bool
	commands []string
}

// readRecorded reads the recorded traffic of tests/corpus and, for what is not in
// it, of testdata.
func readRecorded(t testing.TB) *recorded {
	rec := &recorded{forms: make(map[string]bool), values: make(map[string]bool)}
	files, err := filepath.Glob("../tests/corpus/22-*.s2c")
	require.NoError(t, err)
	more, err := filepath.Glob("testdata/22-*.s2c")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	require.NotEmpty(t, more)
	for _, file := range append(files, more...) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		dec := native.NewDecoder(bytes.NewReader(data), native.FromAsterisk)
		var p codec.Packet
		for dec.Decode(&p) == nil {
			if strings.HasPrefix(p.Headers[0].Value, "Asterisk Call Manager") {
				p.Headers = p.Headers[1:] // the greeting is a line of the first packet
			}
			if isListCommands(&p) {
				if n := len(p.Headers) - 2; n > len(rec.commands) {
					rec.commands = commandLines(&p)
				}
				continue
			}
			rec.forms[form(&p)] = true
			for _, v := range values(&p) {
				rec.values[v] = true
			}
		}
	}
	// The whole answer of actions that the simulator does not have (MuteAudio): each
	// of its own says something.
	delete(rec.forms, "Response=Success\nActionID\n")
	return rec
}

// texts are messages with a part that the client chose.
var texts = regexp.MustCompile(`^(Invalid/unknown command: ).*(\. Use Action: ListCommands to show available commands\.)$` +
	`|^(Regex compile failed on: ).*$`)

// form is what a packet is apart from values: kind and name, the Privilege, the
// EventList and Message to the letter, and the names of all headers in their order.
// Normalised are: the channel's name in ChanVariable(...), a run of Output or
// Variable (as long as there is something to say), the headers of a UserEvent that
// its sender chose, what the client chose in a Message (texts).
func form(p *codec.Packet) string {
	var b strings.Builder
	last := ""
	for i, h := range p.Headers {
		name := h.Name
		if strings.HasPrefix(name, "ChanVariable(") {
			name = "ChanVariable(...)"
		}
		if name == last && (name == "Output" || name == "Variable") {
			continue
		}
		last = name
		b.WriteString(name)
		switch {
		case i == 0, name == "Privilege", name == "EventList":
			b.WriteString("=" + h.Value)
		case name == "Message":
			b.WriteString("=" + texts.ReplaceAllString(h.Value, "$1$3*$2"))
		}
		b.WriteByte('\n')
		if p.Headers[0].Value == "UserEvent" && (name == "ActionID" || name == "UserEvent" && p.Index("ActionID") != i+1) {
			break
		}
	}
	return b.String()
}

// few are the headers that know few values, by event: each value, or pair of values
// of headers that belong together, must have been recorded.
var few = map[string][][]string{
	"Newchannel":        {{"ChannelState", "ChannelStateDesc"}},
	"Newstate":          {{"ChannelState", "ChannelStateDesc"}},
	"Newexten":          {{"Application"}},
	"NewCallerid":       {{"CID-CallingPres"}},
	"VarSet":            {{"Variable"}},
	"DialEnd":           {{"DialStatus"}},
	"DialState":         {{"DialStatus"}},
	"DeviceStateChange": {{"State"}},
	"ExtensionStatus":   {{"Status", "StatusText"}},
	"Hangup":            {{"Cause", "Cause-txt"}, {"TechCause"}},
	"HangupRequest":     {{"Cause"}, {"TechCause"}},
	"SoftHangupRequest": {{"Cause"}},
	"Cdr":               {{"Disposition"}, {"AMAFlags"}},
	"BridgeCreate":      {{"BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels", "BridgeVideoSourceMode"}},
	"BridgeEnter":       {{"BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels", "BridgeVideoSourceMode"}},
	"BridgeLeave":       {{"BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels", "BridgeVideoSourceMode"}},
	"BridgeDestroy":     {{"BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels", "BridgeVideoSourceMode"}},
	"MusicOnHoldStart":  {{"Class"}},
	"QueueMemberStatus": {{"Membership"}, {"Status"}, {"Wrapuptime"}},
	"QueueMember":       {{"Membership"}, {"Status"}, {"Wrapuptime"}},
	"AgentComplete":     {{"Reason"}},
	"OriginateResponse": {{"Response", "Reason"}},
	"LocalBridge":       {{"LocalOptimization"}},
	"EndpointList":      {{"ObjectType", "Transport"}, {"DeviceState"}},
	"Status":            {{"Type"}, {"Nativeformats", "Readformat", "Writeformat"}, {"Callgroup", "Pickupgroup"}},
	"SuccessfulAuth":    {{"Severity", "Service", "EventVersion", "UsingPassword"}},
	"InvalidPassword":   {{"Severity", "Service", "EventVersion", "SessionTV"}},
	"InvalidAccountID":  {{"Severity", "Service", "EventVersion", "SessionTV"}},
	"RequestNotAllowed": {{"Severity", "Service", "EventVersion"}},
	"RequestBadFormat":  {{"Severity", "Service", "EventVersion"}},
	"FullyBooted":       {{"Status"}},
	"Shutdown":          {{"Shutdown", "Restart"}},
}

func values(p *codec.Packet) []string {
	var all []string
	for _, group := range few[p.Headers[0].Value] {
		v := p.Headers[0].Value
		for _, name := range group {
			v += "\n" + name + "=" + p.Get(name)
		}
		all = append(all, v)
	}
	return all
}

func isListCommands(p *codec.Packet) bool {
	return p.Kind() == codec.Response && strings.Contains(p.Headers[len(p.Headers)-1].Value, "(Priv: ")
}

func commandLines(p *codec.Packet) []string {
	var lines []string
	for _, h := range p.Headers[2:] {
		lines = append(lines, h.Name+": "+h.Value)
	}
	return lines
}

// knows returns an error for a packet that Asterisk never sent like this.
func (rec *recorded) knows(p *codec.Packet) error {
	if isListCommands(p) {
		if p.Headers[0].Value != "Success" || p.Headers[1].Name != "ActionID" {
			return fmt.Errorf("head of ListCommands: %q", p.Raw)
		}
		from := 0
		for _, line := range commandLines(p) {
			i := slices.Index(rec.commands[from:], line)
			if i < 0 {
				return fmt.Errorf("line of ListCommands, or its place: %q", line)
			}
			from += i + 1
		}
		return nil
	}
	if f := form(p); !rec.forms[f] {
		return fmt.Errorf("form %q of %q", f, p.Raw)
	}
	for _, v := range values(p) {
		if !rec.values[v] {
			return fmt.Errorf("values %q in %q", v, p.Raw)
		}
	}
	return nil
}

// tour are actions that between them make the simulator send every packet it can.
// Each gets an ActionID.
var tour = [][]string{
	{"Action: Ping"},
	{"Action: Challenge", "AuthType: MD5"},
	{"Action: Challenge", "AuthType: SHA9"},
	{"Action: Login", "Username: ampd", "Secret: ampdsecret"},
	{"Action: ListCommands"},
	{"Action: CoreSettings"},
	{"Action: CoreStatus"},
	{"Action: CoreShowChannels"},
	{"Action: Status"},
	{"Action: Status", "Variables: CAMPAIGN,CALLERID(num),CHANNEL(state)"},
	{"Action: Status", "Channel: none"},
	{"Action: QueueStatus"},
	{"Action: QueueStatus", "Queue: support", "Member: PJSIP/1001"},
	{"Action: QueueStatus", "Queue: nope"},
	{"Action: QueueSummary"},
	{"Action: DeviceStateList"},
	{"Action: Agents"},
	{"Action: ParkedCalls"},
	{"Action: PresenceStateList"},
	{"Action: BridgeList"},
	{"Action: BridgeInfo", "BridgeUniqueid: none"},
	{"Action: ExtensionStateList"},
	{"Action: ExtensionState", "Exten: 1001", "Context: internal"},
	{"Action: ExtensionState", "Exten: 1", "Context: internal"},
	{"Action: ExtensionState"},
	{"Action: PJSIPShowEndpoints"},
	{"Action: PJSIPShowContacts"},
	{"Action: MailboxCount", "Mailbox: 1001@default"},
	{"Action: MailboxCount"},
	{"Action: MailboxStatus", "Mailbox: 1001@default"},
	{"Action: MailboxStatus"},
	{"Action: Setvar", "Variable: TALK_MIN", "Value: 4"},
	{"Action: Setvar"},
	{"Action: Setvar", "Channel: none", "Variable: TALK_MIN"},
	{"Action: Getvar", "Variable: TALK_MIN"},
	{"Action: Getvar", "Variable: DEVICE_STATE(PJSIP/1001)"},
	{"Action: Getvar"},
	{"Action: Getvar", "Channel: none", "Variable: X"},
	{"Action: DBPut", "Family: f", "Key: k", "Val: v"},
	{"Action: DBPut", "Family: f"},
	{"Action: DBPut"},
	{"Action: DBGet", "Family: f", "Key: k"},
	{"Action: DBGet", "Family: f", "Key: none"},
	{"Action: DBGet"},
	{"Action: DBGetTree"},
	{"Action: DBGetTree", "Family: f"},
	{"Action: DBDel", "Family: f", "Key: k"},
	{"Action: DBDel", "Family: f", "Key: k"},
	{"Action: DBDel"},
	{"Action: DBPut", "Family: f", "Key: k", "Val: v"},
	{"Action: DBDelTree", "Family: f"},
	{"Action: DBDelTree", "Family: f"},
	{"Action: DBDelTree"},
	{"Action: Command", "Command: core show version"},
	{"Action: Command", "Command: core show uptime"},
	{"Action: Command", "Command: core show uptime seconds"},
	{"Action: Command", "Command: core show channels"},
	{"Action: Command", "Command: core show channels concise"},
	{"Action: Command", "Command: core show calls"},
	{"Action: Command", "Command: queue show"},
	{"Action: Command", "Command: queue show support"},
	{"Action: Command", "Command: queue show nope"},
	{"Action: Command", "Command: no such"},
	{"Action: Command"},
	{"Action: QueueAdd", "Queue: sales", "Interface: PJSIP/1001", "MemberName: Dyn", "Penalty: 2"},
	{"Action: QueueAdd", "Queue: sales", "Interface: PJSIP/1001"},
	{"Action: QueueAdd", "Queue: nope", "Interface: PJSIP/1001"},
	{"Action: QueueAdd", "Queue: sales"},
	{"Action: QueueAdd"},
	{"Action: QueuePenalty", "Interface: PJSIP/1001", "Penalty: 3", "Queue: sales"},
	{"Action: QueuePenalty", "Interface: none", "Penalty: 3"},
	{"Action: QueuePenalty"},
	{"Action: QueueMemberRingInUse", "Interface: PJSIP/1001", "RingInUse: true"},
	{"Action: QueueMemberRingInUse", "Interface: none", "RingInUse: true"},
	{"Action: QueueMemberRingInUse"},
	{"Action: QueuePause", "Interface: PJSIP/1001", "Paused: true", "Reason: Lunch"},
	{"Action: QueuePause", "Interface: PJSIP/1001", "Paused: false"},
	{"Action: QueuePause", "Interface: none", "Paused: false"},
	{"Action: QueuePause"},
	{"Action: QueueRemove", "Queue: sales", "Interface: PJSIP/1001"},
	{"Action: QueueRemove", "Queue: sales", "Interface: PJSIP/1001"},
	{"Action: QueueRemove", "Queue: support", "Interface: PJSIP/1001"},
	{"Action: QueueRemove", "Queue: nope", "Interface: PJSIP/1001"},
	{"Action: QueueRemove"},
	{"Action: QueueReset"},
	{"Action: UserEvent", "UserEvent: Mine", "Key: value"},
	{"Action: Events", "EventMask: call"},
	{"Action: Events", "EventMask: nosuch"},
	{"Action: Events", "EventMask: off"},
	{"Action: Events"},
	{"Action: Events", "EventMask: on"},
	{"Action: Originate", "Channel: PJSIP/1009", "Context: internal", "Exten: 1010", "Priority: 1", "Async: true", "Account: acc", "CallerID: X <123>", "Variable: PATIENCE=1,CALLNO=7"},
	{"Action: Originate", "Channel: PJSIP/1010", "Application: Echo", "Async: true"},
	{"Action: Originate", "Channel: PJSIP/1009", "Application: Echo", "Async: true"}, // busy
	{"Action: Originate", "Channel: Local/echo@internal/n", "Context: internal", "Exten: moh", "Priority: 1", "Async: true"},
	{"Action: Originate", "Channel: Local/5551234@internal/n", "Context: internal", "Exten: 600", "Priority: 1", "Async: true", "Account: acc", "CallerID: \"Zoë\" <77>", "Variable: PATIENCE=3"},
	{"Action: Originate", "Channel: Local/1001@internal", "Context: internal", "Exten: echo", "Priority: 1", "Async: true"},
	{"Action: Originate", "Channel: Local/noanswer@internal/n", "Context: internal", "Exten: wait", "Priority: 1", "Async: true", "Timeout: 1500"},
	{"Action: Originate", "Channel: Local/busy@internal/n", "Context: internal", "Exten: wait", "Priority: 1", "Async: true"},
	{"Action: Originate", "Channel: Local/congestion@internal/n", "Context: internal", "Exten: wait", "Priority: 1", "Async: true"},
	{"Action: Originate", "Channel: PJSIP/5551234@trunk", "Context: internal", "Exten: 601", "Priority: 1", "Async: true"},
	{"Action: Originate", "Channel: PJSIP/5551234@trunk", "Application: Queue", "Data: billing", "Async: true"},
	{"Action: Originate", "Channel: PJSIP/5551234@trunk", "Application: MusicOnHold", "Async: true"},
	{"Action: Originate", "Channel: PJSIP/1004", "Context: internal", "Exten: 1001", "Priority: 1", "Async: true", "Timeout: 400"},
	{"Action: Originate", "Channel: PJSIP/none", "Application: Echo", "Async: true"},
	{"Action: Originate", "Channel: PJSIP/none", "Context: internal", "Exten: echo", "Priority: 1", "Async: true"},
	{"Action: Originate", "Channel: PJSIP/none", "Context: internal", "Exten: echo", "Priority: 1"},
	{"Action: Originate", "Channel: PJSIP/1009", "Context: internal", "Exten: none", "Priority: 1"},
	{"Action: Originate", "Channel: PJSIP/1009", "Context: internal", "Exten: echo", "Priority: x"},
	{"Action: Originate", "Channel: PJSIP/1009", "Timeout: x"},
	{"Action: Originate", "Channel: PJSIP/1009"},
	{"Action: Originate", "Channel: none"},
	{"Action: Originate"},
	{"Action: Hangup", "Channel: none"},
	{"Action: Hangup", "Channel: /nothing/"},
	{"Action: Hangup", "Channel: /(/"},
	{"Action: Hangup"},
	{"Action: NoSuch"},
	{"NoAction: 1"},
}

// traffic collects all kinds of packets: twenty minutes of calls and the tour, twice,
// then hanging up all there is, strangers, and the end.
func traffic(t *testing.T) []*codec.Packet {
	var all []*codec.Packet
	cfg := simulator.Config{Seed: 7, Users: []simulator.User{
		simulator.DefaultUser, {Name: "limited", Secret: "s", Read: codec.Call, Write: codec.Call},
	}}
	inBubble(t, cfg, func(t *testing.T, c *centre) {
		cl := c.connect()
		cl.send("Action: Ping", "ActionID: early")
		cl.send("Action: Login", "Username: ampd", "Secret: ampdsecret", "ActionID: login")
		for range 2 {
			for i, lines := range tour {
				cl.send(append(lines, fmt.Sprintf("ActionID: tour-%d", i))...)
				time.Sleep(3 * time.Second)
			}
			time.Sleep(4 * time.Minute)
		}
		all = cl.take()
		bridges := cl.do("Action: BridgeList", "ActionID: b")
		all = append(all, bridges...)
		for _, p := range bridges {
			if id := p.Get("BridgeUniqueid"); id != "" {
				cl.send("Action: BridgeInfo", "BridgeUniqueid: "+id, "ActionID: b")
			}
		}
		list := append(cl.take(), cl.do("Action: CoreShowChannels", "ActionID: c")...)
		all = append(all, list...)
		for _, p := range list {
			if name := p.Get("Channel"); p.Name() == "CoreShowChannel" && strings.HasSuffix(name, "e") {
				cl.send("Action: Hangup", "Channel: "+name, "Cause: 17", "ActionID: h")
				time.Sleep(time.Second)
			}
		}
		cl.send("Action: Hangup", "Channel: /./", "ActionID: h")

		wrong := c.connect()
		wrong.send("Action: Login", "Username: ampd", "Secret: no", "ActionID: x")
		stranger := c.connect()
		stranger.send("Action: Login", "Username: who", "Secret: no", "ActionID: x")
		limited := c.connect()
		limited.send("Action: Login", "Username: limited", "Secret: s", "ActionID: x")
		limited.send("Action: CoreStatus", "ActionID: x")
		limited.send("Action: Logoff", "ActionID: x")
		time.Sleep(2 * time.Second)
		for _, other := range []*client{wrong, stranger, limited} {
			require.True(t, other.ended())
			all = append(all, other.take()...)
		}
		c.end()
		require.True(t, cl.ended())
		all = append(all, cl.take()...)
	})
	return all
}

// Every packet that the simulator sends is one that Asterisk 22 sent, up to values.
// The test sees what is invented: see "invented".
func TestEveryPacketWasRecorded(t *testing.T) {
	rec := readRecorded(t)
	sent := traffic(t)
	t.Run("sent", func(t *testing.T) { allRecorded(t, rec, sent) })
	t.Run("invented", func(t *testing.T) { inventedRefused(t, rec, sent) })
}

func allRecorded(t *testing.T, rec *recorded, sent []*codec.Packet) {
	forms, failed := make(map[string]bool), make(map[string]bool)
	for _, p := range sent {
		f := form(p)
		forms[f] = true
		if err := rec.knows(p); err != nil && !failed[f] {
			failed[f] = true // one of a form is enough to read
			t.Error(err)
		}
	}
	t.Logf("%d packets of %d forms", len(sent), len(forms))

	// The tour leaves no action out.
	toured := map[string]bool{"Logoff": true, "BridgeInfo": true}
	for _, lines := range tour {
		toured[strings.TrimPrefix(lines[0], "Action: ")] = true
	}
	for _, p := range sent {
		if isListCommands(p) {
			for _, h := range p.Headers[2:] {
				require.True(t, toured[h.Name], h.Name)
			}
		}
	}
}

// inventedRefused changes all there is in a packet of each form but for values: none
// may be taken for recorded.
func inventedRefused(t *testing.T, rec *recorded, sent []*codec.Packet) {
	seen := make(map[string]bool)
	changes := 0
	for _, p := range sent {
		f := form(p)
		if seen[f] {
			continue
		}
		seen[f] = true
		refused := func(change string, headers []codec.Header) {
			changes++
			changed := &codec.Packet{Raw: p.Raw, Headers: headers}
			if rec.knows(changed) == nil && !alsoRecorded[change] {
				t.Errorf("%s is taken for recorded: %q", change, p.Raw)
			}
		}
		kind := p.Headers[0].Value
		for i, h := range p.Headers {
			if p.Name() == "UserEvent" && i > 4 {
				break // its sender's headers
			}
			name := kind + " " + h.Name
			changed := slices.Clone(p.Headers)
			changed[i].Name = "Invented"
			refused(name+" renamed", changed)
			if h.Name != "Output" && h.Name != "Variable" { // of which there may be more or less
				refused(name+" doubled", slices.Insert(slices.Clone(p.Headers), i, h))
				if !isListCommands(p) || i < 2 {
					refused(name+" left out", slices.Delete(slices.Clone(p.Headers), i, i+1))
				}
			}
			if i+1 < len(p.Headers) && p.Headers[i+1].Name != h.Name {
				changed := slices.Clone(p.Headers)
				changed[i], changed[i+1] = changed[i+1], changed[i]
				refused(name+" and "+p.Headers[i+1].Name+" swapped", changed)
			}
			switch h.Name {
			case "Event", "Response", "Privilege", "EventList", "Message":
				if strings.HasPrefix(h.Value, "Regex compile failed on: ") {
					break // the client's own
				}
				changed := slices.Clone(p.Headers)
				changed[i].Value += "x"
				refused(name+" changed", changed)
			}
		}
		for _, group := range few[kind] {
			i := p.Index(group[0])
			if i < 0 {
				continue
			}
			changed := slices.Clone(p.Headers)
			changed[i].Value += "x"
			refused(kind+" "+group[0]+" changed", changed)
		}
	}
	t.Logf("%d changes", changes)
	require.Greater(t, changes, 3000)
}

// alsoRecorded are the changes that lead to another packet that Asterisk sends.
var alsoRecorded = map[string]bool{
	// The client sent none.
	"Success ActionID left out":                  true,
	"Error ActionID left out":                    true,
	"CoreShowChannelsComplete ActionID left out": true,
	"QueueSummary ActionID left out":             true,
	"QueueSummaryComplete ActionID left out":     true,
	// The second one is the sender's own.
	"UserEvent ActionID doubled": true,
	// Hung up without a reason, and not by SIP.
	"HangupRequest Cause left out":     true,
	"HangupRequest TechCause left out": true,
	"Hangup TechCause left out":        true,
}
