package tests

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
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
			for range c.answers {
				continue // until it is closed
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

// A crowd is the same programs on several roads to one Asterisk: by client, which is
// a library and a login, and road.
type crowd struct {
	clients map[string]map[string]*client
}

// startCrowd starts every program with an account on each road and returns the
// answers to the login, by client and road.
func startCrowd(t *testing.T, roads map[string]string, account asterisk.Account) (*crowd, map[string]map[string]clientAnswer) {
	t.Helper()
	c := &crowd{clients: map[string]map[string]*client{}}
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
