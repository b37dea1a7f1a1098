package tests

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
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

// The programs of the folder clients, by library. Those with two logins also log in
// by MD5 challenge.
var clientPrograms = []struct {
	library string
	command []string
	logins  []string
}{
	{"asterisk-manager", []string{"node", "clients/node/client.js"}, []string{"plain"}},
	{"asterisk-ami-client", []string{"node", "clients/node/client.js"}, []string{"plain"}},
	{"yana", []string{"node", "clients/node/client.js"}, []string{"plain"}},
	{"nami", []string{"node", "clients/node/client.js"}, []string{"plain"}},
	{"ami-io", []string{"node", "clients/node/client.js"}, []string{"plain"}},
	{"panoramisk", []string{"/usr/bin/python3", "clients/python/client.py"}, []string{"plain", "md5"}},
	{"ruby-ami", []string{"/usr/bin/ruby", "clients/ruby/client.rb"}, []string{"plain", "md5"}},
	{"telephony-asterisk-ami", []string{"/usr/bin/perl", "clients/perl/client.pl"}, []string{"plain"}},
}

// A clientStep is what clients/README.md calls a step.
type clientStep struct {
	Do      string            `json:"do"`
	Action  map[string]string `json:"action,omitempty"`
	Until   string            `json:"until,omitempty"`
	From    string            `json:"from,omitempty"`
	To      string            `json:"to,omitempty"`
	Seconds int               `json:"seconds,omitempty"`
}

// A clientAnswer is what a program answers, headers as its library hands them out.
type clientAnswer struct {
	Login    bool             `json:"login,omitempty"`
	Lost     bool             `json:"lost,omitempty"`
	Error    string           `json:"error,omitempty"`
	Response map[string]any   `json:"response,omitempty"`
	Events   []map[string]any `json:"events,omitempty"`
}

// client is one run of a program.
type client struct {
	name    string // library, login, road
	library string
	in      io.WriteCloser
	answers chan clientAnswer // closed with the program's standard output
}

// startClient runs a program; the test's cleanup ends it.
func startClient(t *testing.T, name, library string, command []string, addr string, account asterisk.Account, login string) *client {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	cmd := exec.Command(command[0], append(command[1:], library, host, port, account.Name, account.Secret, login)...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+nodeModules(t))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), name)
	c := &client{name: name, library: library, in: in, answers: make(chan clientAnswer, 1)}
	exited := make(chan struct{})
	go func() { // ends with the program
		defer close(exited)
		defer close(c.answers)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				break
			}
			var answer clientAnswer
			if err := json.Unmarshal(line, &answer); err != nil {
				answer.Error = fmt.Sprintf("not an answer: %q", line)
			}
			c.answers <- answer
		}
		_ = cmd.Wait() // a program that can't log in ends with 1
	}()
	t.Cleanup(func() {
		in.Close()
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			for range c.answers { //nolint:revive // until it is closed
			}
			<-exited
		}
	})
	return c
}

// nodeModules is where clients/install has put the npm packages.
func nodeModules(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("clients/node/package-lock.json")
	require.NoError(t, err)
	sum := sha256.Sum256(lock)
	cache, err := asterisk.Cache()
	require.NoError(t, err)
	return filepath.Join(cache, "node-"+hex.EncodeToString(sum[:])[:12], "node_modules")
}

// needClients installs what the programs need, where that is still to be done.
func needClients(t *testing.T) {
	t.Helper()
	out, err := exec.Command("clients/install").CombinedOutput()
	require.NoError(t, err, "%s", out)
	if strings.Contains(string(out), "tests that need them are skipped") {
		t.Skip(string(out))
	}
}

func (c *client) ask(step clientStep) error { return json.NewEncoder(c.in).Encode(step) }

func (c *client) answer() clientAnswer {
	select {
	case answer, open := <-c.answers:
		if !open {
			return clientAnswer{Error: "the program ended"}
		}
		return answer
	case <-time.After(90 * time.Second):
		return clientAnswer{Error: "the program does not answer"}
	}
}

// A crowd is the same programs on several roads to one Asterisk.
type crowd struct {
	roads   map[string]string // address by name
	clients map[string]map[string]*client
}

// startCrowd starts every program with an account on each road and returns the
// answers to the login, by client and road.
func startCrowd(t *testing.T, roads map[string]string, account asterisk.Account) (*crowd, map[string]map[string]clientAnswer) {
	t.Helper()
	c := &crowd{roads: roads, clients: map[string]map[string]*client{}}
	for _, program := range clientPrograms {
		for _, login := range program.logins {
			name := program.library + " " + login
			c.clients[name] = map[string]*client{}
			for road, addr := range roads {
				c.clients[name][road] = startClient(t, name+" "+road, program.library, program.command, addr, account, login)
			}
		}
	}
	t.Cleanup(func() { // before each is waited for
		for _, roads := range c.clients {
			for _, client := range roads {
				client.in.Close()
			}
		}
	})
	return c, c.collect()
}

func (c *crowd) collect() map[string]map[string]clientAnswer {
	answers := map[string]map[string]clientAnswer{}
	for name, roads := range c.clients {
		answers[name] = map[string]clientAnswer{}
		for road, client := range roads {
			answers[name][road] = client.answer()
		}
	}
	return answers
}

// do has all clients do a step at the same time.
func (c *crowd) do(t *testing.T, step clientStep) map[string]map[string]clientAnswer {
	t.Helper()
	for _, roads := range c.clients {
		for _, client := range roads {
			require.NoError(t, client.ask(step), client.name)
		}
	}
	return c.collect()
}

// The steps whose answers must be the same on all roads.
var clientSteps = []struct {
	name string
	step clientStep
	// What the answer must show, so that no road can be right by being silent.
	response map[string]string
	events   int
}{
	{
		"a list of queues",
		clientStep{Action: map[string]string{"Action": "QueueStatus", "Queue": "support"}, Until: "QueueStatusComplete"},
		map[string]string{"message": "Queue status will follow"}, 8,
	},
	{
		"a list of channels",
		clientStep{Action: map[string]string{"Action": "CoreShowChannels"}, Until: "CoreShowChannelsComplete"},
		map[string]string{"message": "Channels will follow"}, 5,
	},
	{
		"an empty list",
		clientStep{Action: map[string]string{"Action": "ParkedCalls"}, Until: "ParkedCallsComplete"},
		map[string]string{"message": "Parked calls will follow"}, 1,
	},
	{
		"a command",
		clientStep{Action: map[string]string{"Action": "Command", "Command": "queue show empty"}, Seconds: 4},
		map[string]string{"message": "Command output follows"}, 0,
	},
	{
		"a variable",
		clientStep{Action: map[string]string{"Action": "Getvar", "Variable": "TALK_MAX"}},
		map[string]string{"value": "8"}, 0,
	},
	{
		"an unknown action",
		clientStep{Action: map[string]string{"Action": "NoSuchAction"}},
		map[string]string{"message": "Invalid/unknown command: NoSuchAction. Use Action: ListCommands to show available commands."}, 0,
	},
	{
		"an asynchronous Originate that is answered",
		clientStep{Action: originate("c1", "true"), Until: "OriginateResponse"},
		map[string]string{"message": "Originate successfully queued"}, 1,
	},
	{
		"an asynchronous Originate that fails",
		clientStep{Action: originate("hangup", "true"), Until: "OriginateResponse"},
		map[string]string{"message": "Originate successfully queued"}, 1,
	},
	{
		"a synchronous Originate that is answered",
		clientStep{Action: originate("c1", "false")},
		map[string]string{"message": "Originate successfully queued"}, 0,
	},
	{
		"a synchronous Originate that fails",
		clientStep{Action: originate("hangup", "false")},
		map[string]string{"message": "Originate failed"}, 0,
	},
	{
		"a UserEvent",
		clientStep{Action: map[string]string{"Action": "UserEvent", "UserEvent": "Hello", "Key": "a: b"}},
		map[string]string{"message": "Event Sent"}, 0,
	},
}

func originate(exten, async string) map[string]string {
	return map[string]string{
		"Action": "Originate", "Channel": "Local/" + exten + "@callers/n",
		"Context": "misc", "Exten": "wait", "Priority": "1", "Timeout": "5000", "Async": async,
	}
}

// The libraries that take "Command output follows" for the beginning of a list and
// wait for its end, which never comes, from Asterisk neither.
var waitForCommands = []string{"nami", "ami-io"}

func TestClientsOfOtherPeople(t *testing.T) {
	needClients(t)
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := asterisk.Start(t, version)
			d := daemon.Start(t, s.Addr, daemon.Config{})
			d.WaitReady(t)
			roads := map[string]string{"direct": s.Addr, "ampd": d.Addr}

			t.Run("wrong secret", func(t *testing.T) {
				_, logins := startCrowd(t, roads, asterisk.Account{Name: "ampd", Secret: "wrong"})
				for name, answers := range logins {
					require.NotEmpty(t, answers["direct"].Error, name)
					require.NotEmpty(t, answers["ampd"].Error, name)
				}
			})
			t.Run("refused action", func(t *testing.T) {
				c, logins := startCrowd(t, roads, asterisk.Limited)
				requireLoggedIn(t, logins)
				answers := c.do(t, clientStep{Do: "run", Action: map[string]string{"Action": "Command", "Command": "core show uptime"}})
				requireSame(t, answers, map[string]string{"message": "Permission denied"}, 0)
			})
			t.Run("all else", func(t *testing.T) { testClients(t, s, d, roads) })
		})
	}
}

func testClients(t *testing.T, s *asterisk.Server, d *daemon.Daemon, roads map[string]string) {
	t.Helper()
	control, events := controlSession(t, s)
	// Two calls that last, so that there are channels to list.
	for range 2 {
		require.NoError(t, control.Send("Action: Originate", "Channel: Local/c9@callers/n", "Context: misc", "Exten: echo",
			"Priority: 1", "Async: true", "Variable: PATIENCE=600"))
		events.until(t, func(p asterisk.Packet) bool { return p.Get("Event") == "OriginateResponse" })
	}

	c, logins := startCrowd(t, roads, asterisk.Ampd)
	requireLoggedIn(t, logins)
	for _, tc := range clientSteps {
		t.Run(tc.name, func(t *testing.T) {
			tc.step.Do = "run"
			answers := c.do(t, tc.step)
			if tc.step.Action["Action"] == "Command" {
				for _, library := range waitForCommands {
					require.Equal(t, map[string]clientAnswer{"direct": {Error: "no answer"}, "ampd": {Error: "no answer"}}, answers[library+" plain"])
					delete(answers, library+" plain")
				}
			}
			requireSame(t, answers, tc.response, tc.events)
		})
	}

	t.Run("all events of a traffic run", func(t *testing.T) {
		calls := 20
		if testing.Short() {
			calls = 10
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		want := between(t, control, events, "calls", func() {
			_, err := s.Calls(ctx, calls, 10)
			require.NoError(t, err)
		})
		require.Greater(t, len(want), 20*calls)
		requireEvents(t, c, "calls", want)
	})

	t.Run("a restart of Asterisk", func(t *testing.T) {
		s.Kill()
		waitReadyz(t, d, http.StatusServiceUnavailable)
		s.Run()
		s.WaitBooted()
		waitReadyz(t, d, http.StatusOK)
		for name, answers := range c.do(t, clientStep{Do: "again"}) {
			require.Equal(t, clientAnswer{Lost: true}, answers["direct"], name)
			require.Equal(t, clientAnswer{}, answers["ampd"], name)
		}
		requireSame(t, c.do(t, clientStep{Do: "run", Action: map[string]string{"Action": "QueueStatus", "Queue": "support"}, Until: "QueueStatusComplete"}),
			map[string]string{"message": "Queue status will follow"}, 8)
		control, events := controlSession(t, s)
		want := between(t, control, events, "again", func() {
			require.NoError(t, control.Send("Action: UserEvent", "UserEvent: Once more"))
			require.NoError(t, control.Send(packetOf(originate("c1", "false"))...))
		})
		requireEvents(t, c, "again", want)
	})
}

// waitReadyz waits until ampd's /readyz answers with a status.
func waitReadyz(t *testing.T, d *daemon.Daemon, status int) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(60 * time.Second)
	for {
		answer, err := http.Get("http://" + d.HTTP + "/readyz")
		require.NoError(t, err)
		answer.Body.Close()
		if answer.StatusCode == status {
			return
		}
		select {
		case <-again.C:
		case <-timeout:
			require.FailNow(t, "/readyz", "%d instead of %d", answer.StatusCode, status)
		}
	}
}

func packetOf(action map[string]string) []string {
	lines := []string{"Action: " + action["Action"]}
	for _, name := range slices.Sorted(maps.Keys(action)) {
		if name != "Action" {
			lines = append(lines, name+": "+action[name])
		}
	}
	return lines
}

func requireLoggedIn(t *testing.T, logins map[string]map[string]clientAnswer) {
	t.Helper()
	for name, answers := range logins {
		for road, answer := range answers {
			require.Equal(t, clientAnswer{Login: true}, answer, "%s %s", name, road)
		}
	}
}

// requireSame holds that each client got the same answer on each road, and that the
// answer is what Asterisk says.
func requireSame(t *testing.T, answers map[string]map[string]clientAnswer, response map[string]string, events int) {
	t.Helper()
	for name, roads := range answers {
		direct := normalAnswer(roads["direct"])
		require.Empty(t, direct.Error, name)
		for header, value := range response {
			// ruby-ami writes its actions in lower case.
			require.Equal(t, strings.ToLower(value), strings.ToLower(fmt.Sprint(direct.Response[header])), "%s: %s", name, header)
		}
		require.Len(t, direct.Events, events, name)
		require.Equal(t, direct, normalAnswer(roads["ampd"]), name)
	}
}

// What differs from one action to the next on the same Asterisk.
var (
	channelNumber = regexp.MustCompile(`-[0-9a-f]{8}(;[12])?$`)
	namedChannel  = regexp.MustCompile(`\(.*\)$`) // of ChanVariable(Local/...)
	volatile      = []string{"actionid", "uniqueid", "duration"}
)

// normalAnswer has lower case names, and nothing that differs from one action to the next.
func normalAnswer(a clientAnswer) clientAnswer {
	a.Response = normalHeaders(a.Response)
	for i := range a.Events {
		a.Events[i] = normalHeaders(a.Events[i])
	}
	return a
}

func normalHeaders(packet map[string]any) map[string]any {
	headers := map[string]any{}
	for name, value := range packet {
		name = namedChannel.ReplaceAllString(strings.ToLower(name), "")
		if slices.Contains(volatile, name) {
			continue
		}
		if text, ok := value.(string); ok && name == "channel" {
			value = channelNumber.ReplaceAllString(text, "")
		}
		headers[name] = value
	}
	return headers
}

// eventLog is what a session has received, read by a goroutine that ends with the
// connection.
type eventLog struct{ packets chan asterisk.Packet }

// until returns the packets up to the first that is as asked, that one included.
func (l *eventLog) until(t *testing.T, is func(asterisk.Packet) bool) []asterisk.Packet {
	t.Helper()
	timeout := time.After(2 * time.Minute)
	var packets []asterisk.Packet
	for {
		select {
		case packet, open := <-l.packets:
			require.True(t, open, "the connection ended")
			packets = append(packets, packet)
			if is(packet) {
				return packets
			}
		case <-timeout:
			require.FailNow(t, "no such event")
		}
	}
}

// controlSession is a direct session that sees everything.
func controlSession(t *testing.T, s *asterisk.Server) (*asterisk.Conn, *eventLog) {
	t.Helper()
	conn, err := asterisk.Dial(s.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.Login(asterisk.Ampd))
	log := &eventLog{make(chan asterisk.Packet, 100_000)}
	go func() {
		defer close(log.packets)
		for {
			packet, err := conn.Read()
			if err != nil {
				return
			}
			log.packets <- packet
		}
	}()
	return conn, log
}

// between returns the events that the control session sees while run runs, between
// two UserEvents of the name and "-from" and "-to".
func between(t *testing.T, control *asterisk.Conn, log *eventLog, name string, run func()) []string {
	t.Helper()
	marker := func(name string) func(asterisk.Packet) bool {
		return func(p asterisk.Packet) bool { return p.Get("Event") == "UserEvent" && p.Get("UserEvent") == name }
	}
	require.NoError(t, control.Send("Action: UserEvent", "UserEvent: "+name+"-from"))
	run()
	require.NoError(t, control.Send("Action: UserEvent", "UserEvent: "+name+"-to"))
	log.until(t, marker(name+"-from"))
	var digests []string
	for _, packet := range log.until(t, marker(name+"-to")) {
		if packet.Get("Event") != "" {
			digests = append(digests, digest(packet.Get))
		}
	}
	return digests[:len(digests)-1] // without the marker
}

// requireEvents holds that each client saw just these events, in this order.
func requireEvents(t *testing.T, c *crowd, name string, want []string) {
	t.Helper()
	for client, roads := range c.do(t, clientStep{Do: "events", From: name + "-from", To: name + "-to"}) {
		for road, answer := range roads {
			require.Empty(t, answer.Error, "%s %s", client, road)
			var got []string
			for _, event := range answer.Events {
				headers := map[string]string{}
				for header, value := range event {
					headers[strings.ToLower(header)] = fmt.Sprint(value)
				}
				got = append(got, digest(func(header string) string { return headers[strings.ToLower(header)] }))
			}
			requireSameOrder(t, want, got, client+" "+road)
		}
	}
}

// requireSameOrder says where two runs of events part, which are too long to print.
func requireSameOrder(t *testing.T, want, got []string, name string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		from := max(0, i-3)
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			require.Equal(t, want[min(from, len(want)):min(i+3, len(want))], got[min(from, len(got)):min(i+3, len(got))],
				"%s: from event %d of %d, got %d", name, from, len(want), len(got))
		}
	}
}

// digested are the headers by which events are compared: those that no library
// takes apart.
var digested = []string{
	"Event", "Privilege", "Uniqueid", "Linkedid", "Channel", "ChannelStateDesc", "DestUniqueid", "BridgeUniqueid", "Exten",
	"Application", "Queue", "Interface", "Position", "Cause", "UserEvent", "Device",
}

func digest(get func(header string) string) string {
	var values []string
	for _, header := range digested {
		values = append(values, strings.TrimSpace(get(header)))
	}
	return strings.Join(values, "|")
}
