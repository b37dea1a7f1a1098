package proxy

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/audit"
	"ampd/codec"
	"ampd/commands"
	"ampd/downstream"
	"ampd/profiles"
)

const inXML = "Type: administrator\nFormat: xml\n"

func TestEventsInXML(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		one, flash, plain := b.login("admin", inXML), b.login("admin", inXML+"isFlash: yes\n"), b.login("admin")
		b.event("Hold", "|Channel: SIP/<1>|Channel: again|Odd(x): y")
		const element = `<event event="Hold" Privilege="call,all" Channel="SIP/&lt;1&gt;"><header name="Channel">again</header><header name="Odd(x)">y</header></event>`
		require.Equal(t, element+"\n", one.text())
		require.Equal(t, element+"\x00", flash.text())
		require.Equal(t, "Hold", plain.sees())
		b.hub.do(func() { require.Len(t, b.hub.rendered, 2, "each form once") })
	})
}

func TestResumeInXML(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", inXML+"Resume: yes\n")
		var token string
		b.hub.do(func() {
			for token = range b.hub.tokens {
			}
		})
		b.event("A", "|AmpdSeq: 99")
		b.event("B")
		text := c.text()
		require.Contains(t, text, `<event event="A" AmpdSeq="`)
		c.conn.Close()
		b.settle()
		b.event("C")
		_, after, _ := strings.Cut(text, `<event event="A" AmpdSeq="`)
		seq, _, _ := strings.Cut(after, `"`)
		near, conn := net.Pipe()
		b.conns <- conn
		next := b.reads(near)
		next.send("Action: Login\nUsername: admin\nSecret: s\n" + inXML + "Resume: " + token + "\nAmpdSeq: " + seq)
		text = next.text()
		require.Contains(t, text, `AmpdResume="ok"`)
		require.NotContains(t, text, `event="A"`)
		require.Contains(t, text, `event="B"`)
		require.Contains(t, text, `event="C"`)
	})
}

func TestOwnEventsGoToTheAmpdDialect(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		classic, plain := b.login("admin", "Type: administrator\n"), b.login("admin")
		b.hub.Lost(nil)
		require.Equal(t, "AmpdUpstream", classic.sees())
		require.Empty(t, plain.sees())
		b.ready()
		require.Equal(t, "AmpdUpstream FullyBooted", classic.sees())
		require.Equal(t, "FullyBooted", plain.sees())
	})
}

func TestActionsPerSecond(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		c := b.login("paced")
		c.send("Action: Ping\nActionID: 1|Action: Ping\nActionID: 2|Action: Ping\nActionID: 3|Action: Ping\nActionID: 4|Action: Ping\nActionID: 5")
		require.Equal(t, "Success(1) Success(2)", c.sees())
		time.Sleep(time.Second)
		require.Equal(t, "Success(3) Success(4)", c.sees())
		time.Sleep(time.Second)
		require.Equal(t, "Success(5)", c.sees())
	})
}

// A command that takes several actions is answered in its turn, and its events wait.
func TestCommandOfSeveralActions(t *testing.T) {
	const login = "Action: AgentCallbackLogin\nActionID: 1\nAgent: 1001\nExten: 7\nContext: desk"
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Type: administrator\n")
		c.send(login + "|Action: Ping\nActionID: 2")
		b.started()
		require.Equal(t, "sales", b.calls[0].Action.Get("Queue"))
		require.Equal(t, "PJSIP/alice", b.calls[0].Action.Get("StateInterface"))
		b.event("QueueMemberAdded")
		b.answer("Response: Success", true)
		b.started()
		require.Equal(t, "support", b.calls[0].Action.Get("Queue"))
		require.Empty(t, c.text())
		b.answer("Response: Success", true)
		require.Equal(t, "AgentCallbackLogin(1) QueueMemberAdded Ping(2)", c.sees())
	})
	t.Run("undone where a queue refuses", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.ready()
			c := b.login("admin", "Type: administrator\n")
			c.send(login)
			b.answer("Response: Success", true)
			b.answer("Response: Error|Message: Unable to add interface to queue: No such queue", true)
			b.settle()
			require.Equal(t, "QueueRemove sales", b.calls[0].Action.ActionName()+" "+b.calls[0].Action.Get("Queue"))
			b.answer("Response: Success", true)
			require.Contains(t, c.text(), "Message: Queue support: Unable to add interface to queue: No such queue\r\n")
		})
	})
	t.Run("ends before ampd does", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.ready()
			c := b.login("admin", "Type: administrator\n")
			c.send(login)
			b.started()
			b.hub.drain()
			ended := false
			go func() {
				b.hub.programs.Wait()
				ended = true
			}()
			b.answer("Response: Success", true)
			b.settle()
			require.False(t, ended)
			require.Equal(t, "support", b.calls[0].Action.Get("Queue"))
			b.answer("Response: Success", true)
			b.settle()
			require.True(t, ended)
			require.Equal(t, "AgentCallbackLogin(1) Shutdown EOF", c.sees())
		})
	})
	t.Run("goes on when its client has left", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.ready()
			c := b.login("admin", "Type: administrator\n")
			c.send(login)
			b.started()
			c.conn.Close()
			b.settle()
			b.answer("Response: Success", true)
			b.settle()
			require.Equal(t, "support", b.calls[0].Action.Get("Queue"))
			b.answer("Response: Success", true)
			b.hub.do(func() { require.Empty(t, b.hub.calls) })
		})
	})
}

// Changes of profiles reach the sessions that are logged in.
func TestChangedProfile(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, gone := b.login("wall"), b.login("single", "Resume: yes\n")
		b.event("A")
		require.Equal(t, "A", c.sees())
		wall, _ := b.hub.profiles.Lookup("wall")
		single, _ := b.hub.profiles.Lookup("single")
		less := *wall
		less.Read = codec.Agent
		b.hub.changed([]profiles.Change{
			{Old: wall, New: &less, Roles: []profiles.Role{{Profile: &less, Type: profiles.Monitor}}},
			{Old: single},
		})
		b.event("B")
		require.Empty(t, c.sees())
		require.Contains(t, gone.sees(), "EOF")
		b.hub.do(func() {
			require.Empty(t, b.hub.tokens)
			for role := range b.hub.subjects {
				require.NotSame(t, wall, role.Profile)
			}
		})
		c.send("Action: Ping\nActionID: 1")
		require.Equal(t, "Success(1)", c.sees())
	})
}

// regrant changes a profile.
func (b *bench) regrant(name string, edit func(*profiles.Profile)) {
	old, _ := b.hub.profiles.Lookup(name)
	changed := *old
	edit(&changed)
	change := profiles.Change{Old: old, New: &changed}
	for _, t := range changed.Types {
		change.Roles = append(change.Roles, profiles.Role{Profile: &changed, Type: t})
	}
	b.hub.changed([]profiles.Change{change})
}

func readsAgents(p *profiles.Profile) { p.Read |= codec.Agent }

func TestWaitEventGoesOnUnderAChangedProfile(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("wall")
		c.send("Action: WaitEvent\nActionID: w")
		b.settle()
		b.regrant("wall", readsAgents)
		b.event("A")
		require.Equal(t, "Success(w) A WaitEventComplete(w)", c.sees())
	})
}

// What goes on of a command keeps the session that waits for its client as it is.
func TestResumeWindowOfACommandThatGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c := b.login("admin", "Type: administrator\nResume: yes\n")
		c.send("Action: AgentCallbackLogin\nAgent: 1001\nExten: 7\nContext: desk")
		b.started()
		c.conn.Close()
		b.event("A")
		time.Sleep(3 * time.Second) // beyond order_hold: the event is written
		b.settle()
		require.Equal(t, 1, int(testutil.ToFloat64(b.hub.metrics.parked)))
		b.answer("Response: Success", true)
		b.answer("Response: Success", true)
		time.Sleep(time.Minute)
		b.settle()
		require.Equal(t, 0, int(testutil.ToFloat64(b.hub.metrics.parked)))
	})
}

// A session that is about to be resumed follows the feed of the one before it.
func TestProfileChangedWhileASessionIsResumed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.login("wall")
		var c *client
		var from *subscription
		b.hub.do(func() {
			for _, c = range b.hub.clients {
				c.joining, from = true, c.from
			}
		})
		b.regrant("wall", readsAgents)
		b.hub.do(func() {
			require.ErrorIs(t, c.expelled, downstream.ErrProfile)
			require.Same(t, from, c.from)
			c.joining = false
			b.hub.dismiss(c, c.expelled)
		})
	})
}

// Each action gets one line, which says what became of it.
func TestAuditOfCommands(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "audit.log")
		trail, err := audit.Open(audit.Config{File: file, Actions: "all"}, nil, zap.NewNop(), audit.NewMetrics(prometheus.NewRegistry()))
		require.NoError(t, err)
		b := newBench(t, nil)
		b.hub.audit = trail
		b.ready()
		c := b.login("admin", "Type: administrator\n")
		c.send("Action: Hangup|Action: Nonsense|Action: AgentCallbackLogin\nAgent: 1001\nExten: 7\nContext: desk")
		b.answer("Response: Success", true)
		b.answer("Response: Success", true)
		b.settle()
		c.send("Action: WaitEvent\nTimeout: 1|Action: Logoff")
		b.settle()
		trail.Close()
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var got []string
		for line := range strings.Lines(string(text)) {
			var l struct{ Event, Action, Result string }
			require.NoError(t, json.Unmarshal([]byte(line), &l))
			if l.Event == "action" {
				got = append(got, l.Action+": "+l.Result)
			}
		}
		require.Equal(t, []string{
			"Hangup: error: Missing required parameter: Channel", "Nonsense: refused", "AgentCallbackLogin: allowed", "WaitEvent: allowed", "Logoff: allowed",
		}, got)
	})
}

// Whoever has scopes touches no member or call outside by an agent's name.
func TestAgentsOutsideTheScopes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		b.hub.loaded = true
		b.event("Newchannel", "|Channel: PJSIP/alice-00000001|Uniqueid: 1.1|ChannelState: 6")
		for _, queue := range []string{"sales", "support"} {
			b.event("QueueMemberAdded", "|Queue: "+queue+"|MemberName: 1001|Interface: Local/7@desk/n|Membership: dynamic")
		}
		c := b.login("support", "Type: administrator\n")
		c.send("Action: AgentCallbackLogin\nAgent: 1001\nExten: 7\nContext: desk")
		require.Contains(t, c.text(), "Message: No such agent\r\n")
		c.sees()
		c.send("Action: AgentLogoff\nAgent: 1001")
		b.settle()
		require.Equal(t, "QueueStatus support", b.calls[0].Action.ActionName()+" "+b.calls[0].Action.Get("Queue"))
		b.answer("Response: Success|EventList: start", false)
		b.answer("Event: QueueMember|Queue: support|Name: 1001|Location: Local/7@desk/n|StateInterface: |Membership: dynamic", false)
		b.answer("Event: QueueStatusComplete|EventList: Complete", true)
		b.settle()
		require.Equal(t, "QueueRemove support", b.calls[0].Action.ActionName()+" "+b.calls[0].Action.Get("Queue"))
		b.answer("Response: Success", true)
		require.Contains(t, c.text(), "Message: Agent logged out\r\n")
		require.Empty(t, b.calls)
	})
}

// The upstream does not wait while a profile is written to disk.
func TestUpstreamDoesNotWaitForWork(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		c, other := b.login("admin"), b.login("wall")
		c.send("Action: DBPut\nActionID: 1")
		b.settle()
		written := make(chan struct{})
		b.hub.do(func() { // as if behind that action's answer
			client := b.hub.calls[b.calls[0]]
			delete(b.hub.calls, b.calls[0])
			b.hub.work(client, func() func(*commands.Env) []byte {
				<-written
				return func(*commands.Env) []byte { return []byte("Response: Success\r\nActionID: 2\r\n\r\n") }
			})
		})
		b.event("A")
		require.Equal(t, "A", other.sees())
		close(written)
		require.Contains(t, c.sees(), "Success(2)")
	})
}
