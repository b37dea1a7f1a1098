package tests

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/actions"
	"ampd/tests/asterisk"
)

// A gate stands between ampd and Asterisk. Once it is closed it answers what changes
// something itself, so that what is allowed is seen to leave ampd, and the world stays as
// it is; what must not leave ampd it lets through, for Asterisk to log.
type gate struct {
	addr string // where ampd connects

	mu       sync.Mutex
	closed   bool
	forbids  func(mark string) bool
	actions  []asterisk.Packet // that came from ampd while closed, but for those of a session
	answered int               // by the gate
}

const gateClosed = "The gate is closed"

// openGate listens until the test's cleanup.
func openGate(t *testing.T, server string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{addr: l.Addr().String()}
	var all sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			conn, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			all.Go(func() {
				defer client.Close()
				_, _ = io.Copy(client, conn) // whichever side ends it
			})
			all.Go(func() {
				defer conn.Close()
				_ = g.pass(client, conn) // whichever side ends it
			})
		}
	})
	return g
}

// pass passes what ampd says. An action connection says nothing while an action is under
// way, so what the gate answers stands between Asterisk's own packets.
func (g *gate) pass(client, server net.Conn) error {
	in := bufio.NewReader(client)
	for {
		var text strings.Builder
		for !strings.HasSuffix(text.String(), "\r\n\r\n") {
			line, err := in.ReadString('\n')
			text.WriteString(line)
			if err != nil {
				return err
			}
		}
		action := asterisk.Packet(strings.Split(strings.TrimSuffix(text.String(), "\r\n\r\n"), "\r\n"))
		to, answer := server, text.String()
		if g.keeps(action) {
			to, answer = client, "Response: Error\r\nActionID: "+action.Get("ActionID")+"\r\nMessage: "+gateClosed+"\r\n\r\n"
		}
		if _, err := io.WriteString(to, answer); err != nil {
			return errors.Join(err, client.Close())
		}
	}
}

// keeps tells whether the gate answers the action itself.
func (g *gate) keeps(action asterisk.Packet) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, ok := actions.Lookup(action.Get("Action"))
	if !g.closed || ok && known.SessionBound {
		return false
	}
	g.actions = append(g.actions, action)
	mark := action.Get(matrixMark)
	if ok && known.ReadOnly || mark != "" && g.forbids(mark) {
		return false
	}
	g.answered++
	return true
}

// close has the gate keep what changes something, but for the forbidden.
func (g *gate) close(forbids func(mark string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed, g.forbids = true, forbids
}

// since returns the actions that came since the n-th.
func (g *gate) since(n int) []asterisk.Packet {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.actions[n:len(g.actions):len(g.actions)]
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.actions)
}
