package simulator_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/simulator"
)

// quiet is a call centre where nothing happens unasked.
var quiet = simulator.Config{CallsPerMinute: -1, Quiet: true}

func TestGreetingComesFirstAndAlone(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		c.keep = true
		require.Equal(t, "Asterisk Call Manager/11.0.0\r\n", c.connect().received())
	})
}

func TestLogin(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		c.keep = true
		cl := c.login("ActionID: l")
		got := cl.received()
		require.Contains(t, got, "0\r\nResponse: Success\r\nActionID: l\r\nMessage: Authentication accepted\r\n\r\n"+
			"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 0\r\nLastReload: 0\r\nStatus: Fully Booted\r\n\r\n"+
			"Event: SuccessfulAuth\r\nPrivilege: security,all\r\nSystemName: callcentre\r\n")
		require.Equal(t, "Already authenticated", cl.answer("Action: Login", "Username: who").Get("Message"))

		md5 := c.connect()
		challenge := md5.answer("Action: Challenge", "AuthType: md5").Get("Challenge")
		require.NotEmpty(t, challenge)
		require.Equal(t, challenge, md5.answer("Action: Challenge", "AuthType: MD5").Get("Challenge"))
		require.NotEqual(t, challenge, c.connect().answer("Action: Challenge", "AuthType: MD5").Get("Challenge"))
		key := sum(challenge + "ampdsecret")
		require.Equal(t, "Authentication accepted",
			md5.answer("Action: Login", "AuthType: MD5", "Username: ampd", "Key: "+key).Get("Message"))
	})
}

func sum(s string) string {
	digest := md5.Sum([]byte(s))
	return hex.EncodeToString(digest[:])
}

func TestWrongSecretWaitsASecondAndCloses(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		for name, lines := range map[string][]string{
			"secret": {"Username: ampd", "Secret: wrong"},
			"user":   {"Username: who", "Secret: ampdsecret"},
			"none":   {},
			"key":    {"Username: ampd", "AuthType: MD5", "Key: 00"},
		} {
			cl := c.connect()
			cl.send(append([]string{"Action: Login", "ActionID: 7"}, lines...)...)
			time.Sleep(999 * time.Millisecond)
			require.Empty(t, cl.take(), name)
			time.Sleep(time.Millisecond)
			got := cl.take()
			require.Len(t, got, 1, name)
			require.Equal(t, "Response: Error\r\nActionID: 7\r\nMessage: Authentication failed\r\n\r\n", string(got[0].Raw))
			require.True(t, cl.ended(), name)
		}
	})
}

func TestStrangersAreCutAfterHalfAMinute(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		stranger, user := c.connect(), c.login()
		require.Equal(t, "Permission denied", stranger.answer("Action: Ping").Get("Message"))
		time.Sleep(31 * time.Second)
		require.True(t, stranger.ended())
		require.False(t, user.ended())
	})
}

func TestOddInput(t *testing.T) {
	tests := map[string]struct{ sent, want string }{
		"bare line feeds": {"Action: Ping\nActionID: 1\n\n", "Response: Success\r\nActionID: 1\r\nPing: Pong\r\n"},
		"any case":        {"aCTION:ping\r\nactionid:  1\r\n\r\n", "Response: Success\r\nActionID: 1\r\nPing: Pong\r\n"},
		"nothing":         {"\r\n", "Response: Error\r\nMessage: Missing action in request\r\n\r\n"},
		"no such":         {"Action: Ping \r\n\r\n", "Response: Error\r\nMessage: Invalid/unknown command: Ping . Use Action: ListCommands to show available commands.\r\n\r\n"},
		"long line":       {"X: " + strings.Repeat("y", 2000) + "\r\n\r\n", "Response: Error\r\nMessage: Failed to parse message: line too long\r\n\r\n"},
		"many lines":      {"Action: Ping\r\nActionID: 1\r\n" + strings.Repeat("X: y\r\n", 140) + "\r\n", "Response: Error\r\nActionID: 1\r\nMessage: Too many lines in message or allocation failure\r\n\r\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, quiet, func(t *testing.T, c *centre) {
				cl := c.login("Events: off")
				cl.take()
				_, err := io.WriteString(cl.conn, tc.sent)
				require.NoError(t, err)
				got := cl.take()
				require.Len(t, got, 1)
				require.True(t, strings.HasPrefix(string(got[0].Raw), tc.want), "%q", got[0].Raw)
				require.Equal(t, "Pong", cl.answer("Action: Ping").Get("Ping"), "the next one works")
			})
		})
	}
}

func TestPipelinedActionsAreAnsweredInOrder(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		cl := c.connect()
		_, err := io.WriteString(cl.conn, "Action: Login\nUsername: ampd\nSecret: ampdsecret\nEvents: off\nActionID: 0\n\n"+
			"Action: Ping\nActionID: 1\n\nAction: QueueStatus\nQueue: none\nActionID: 2\n\nAction: Logoff\nActionID: 3\n\nAction: Ping\nActionID: 4\n\n")
		require.NoError(t, err)
		var ids []string
		for _, p := range cl.take() {
			ids = append(ids, p.Get("ActionID"))
		}
		require.Equal(t, []string{"0", "1", "2", "2", "3"}, ids)
		require.True(t, cl.ended())
	})
}

func TestMasks(t *testing.T) {
	cfg := quiet
	cfg.Users = []simulator.User{simulator.DefaultUser, {Name: "calls", Secret: "s", Read: codec.Call | codec.Dialplan, Write: codec.Call}}
	tests := map[string]struct {
		login []string
		want  []string
	}{
		"all":         {[]string{"Username: ampd", "Secret: ampdsecret"}, []string{"FullyBooted", "SuccessfulAuth", "VarSet", "UserEvent"}},
		"off":         {[]string{"Username: ampd", "Secret: ampdsecret", "Events: off"}, nil},
		"some":        {[]string{"Username: ampd", "Secret: ampdsecret", "Events: user,system"}, []string{"FullyBooted", "UserEvent"}},
		"nosuch":      {[]string{"Username: ampd", "Secret: ampdsecret", "Events: nosuch"}, nil},
		"rights":      {[]string{"Username: calls", "Secret: s", "Events: on"}, []string{"VarSet"}},
		"both narrow": {[]string{"Username: calls", "Secret: s", "Events: user,call"}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, cfg, func(t *testing.T, c *centre) {
				cl := c.connect()
				cl.send(append([]string{"Action: Login"}, tc.login...)...)
				c2 := c.login("Events: off")
				c2.do("Action: Setvar", "Variable: X", "Value: 1")
				c2.do("Action: UserEvent", "UserEvent: Mine")
				var got []string
				for _, p := range cl.take() {
					if p.Kind() == codec.Event && !slices.Contains(got, p.Name()) {
						got = append(got, p.Name())
					}
				}
				require.Equal(t, tc.want, got)
			})
		})
	}
}

func TestRights(t *testing.T) {
	cfg := quiet
	cfg.Users = []simulator.User{simulator.DefaultUser, {Name: "calls", Secret: "s", Read: codec.Call, Write: codec.Call}}
	inBubble(t, cfg, func(t *testing.T, c *centre) {
		admin := c.login()
		cl := c.connect()
		cl.send("Action: Login", "Username: calls", "Secret: s")
		admin.take()
		require.Equal(t, "Permission denied", cl.answer("Action: CoreSettings").Get("Message"))
		refused := named(admin.take(), "RequestNotAllowed")
		require.Len(t, refused, 1)
		require.Equal(t, "calls", refused[0].Get("AccountID"))
		require.Equal(t, "Action: CoreSettings", refused[0].Get("RequestType"))
		require.Equal(t, "No such channel", cl.answer("Action: Hangup", "Channel: x").Get("Message"))

		mine, all := cl.answer("Action: ListCommands"), admin.answer("Action: ListCommands")
		require.Empty(t, mine.Get("CoreSettings"))
		require.Equal(t, "Show PBX core settings (version etc).  (Priv: system,reporting,all)", all.Get("CoreSettings"))
		require.Equal(t, "Hangup channel.  (Priv: system,call,all)", mine.Get("Hangup"))
		require.Equal(t, "Show queue status.  (Priv: <none>)", mine.Get("QueueStatus"))
	})
}

func TestUserEventIsCopiedToAllBehindItsResponse(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		cl, other := c.login("Events: user"), c.login("Events: user")
		other.take()
		got := cl.do("Action: UserEvent", "A:B", "ActionID: 5", "UserEvent: Mine", "Key: 1", "no colon", "Key: 2", "Empty:")
		require.Len(t, got, 2)
		require.Equal(t, "Response: Success\r\nActionID: 5\r\nMessage: Event Sent\r\n\r\n", string(got[0].Raw))
		want := "Event: UserEvent\r\nPrivilege: user,all\r\nSystemName: callcentre\r\nUserEvent: Mine\r\nActionID: 5\r\nA:B\r\nKey: 1\r\nKey: 2\r\nEmpty:\r\n\r\n"
		require.Equal(t, want, string(got[1].Raw))
		got = other.take()
		require.Len(t, got, 1)
		require.Equal(t, want, string(got[0].Raw))
	})
}

func TestBootingServerSaysWhenItIsReady(t *testing.T) {
	cfg := quiet
	cfg.Boot = 2 * time.Second
	inBubble(t, cfg, func(t *testing.T, c *centre) {
		cl := c.login()
		require.Empty(t, named(cl.take(), "FullyBooted"))
		time.Sleep(2 * time.Second)
		booted := named(cl.take(), "FullyBooted")
		require.Len(t, booted, 1)
		require.Equal(t, "callcentre", booted[0].Get("SystemName"))
		late := c.connect().do("Action: Login", "Username: ampd", "Secret: ampdsecret")
		require.Equal(t, "Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 2\r\nLastReload: 2\r\nStatus: Fully Booted\r\n\r\n", string(late[1].Raw))
	})
}

func TestShutdownIsToldAndServingAgainIsARestart(t *testing.T) {
	inBubble(t, simulator.Config{Seed: 1}, func(t *testing.T, c *centre) {
		cl, off := c.login(), c.login("Events: off")
		time.Sleep(time.Minute)
		cl.take()
		c.stop()
		got := cl.take()
		require.Equal(t, "Shutdown", got[len(got)-1].Name())
		require.True(t, cl.ended())
		require.Empty(t, off.take())
		require.True(t, off.ended())
		c.serve()
		require.Equal(t, "System uptime: 0 seconds", c.login("Events: off").answer("Action: Command", "Command: core show uptime").Get("Output"))
	})
}

func TestDropCutsAll(t *testing.T) {
	inBubble(t, quiet, func(t *testing.T, c *centre) {
		a, b := c.login(), c.connect()
		a.take()
		c.Drop()
		require.True(t, a.ended())
		require.True(t, b.ended())
		require.Empty(t, a.take())
		c.login()
	})
}

func TestStalledServerCatchesUp(t *testing.T) {
	inBubble(t, simulator.Config{Seed: 2}, func(t *testing.T, c *centre) {
		cl := c.login()
		cl.take()
		c.Stall(20 * time.Second)
		cl.send("Action: Ping", "ActionID: 1")
		late := c.connect()
		time.Sleep(19 * time.Second)
		require.Empty(t, cl.take())
		require.Empty(t, late.take())
		time.Sleep(time.Second)
		got := cl.take()
		require.NotEmpty(t, named(got, "QueueCallerJoin"))
		require.True(t, slices.ContainsFunc(got, func(p *codec.Packet) bool { return p.Get("Ping") == "Pong" }))
		late.send("Action: Login", "Username: ampd", "Secret: ampdsecret")
		require.Equal(t, "Authentication accepted", late.take()[0].Get("Message"))
	})
}

func TestWhoDoesNotReadIsCut(t *testing.T) {
	inBubble(t, simulator.Config{Seed: 3}, func(t *testing.T, c *centre) {
		near, far := net.Pipe()
		defer near.Close()
		c.ln.conns <- far
		buffer := make([]byte, 1000)
		_, err := near.Read(buffer)
		require.NoError(t, err)
		_, err = io.WriteString(near, "Action: Login\r\nUsername: ampd\r\nSecret: ampdsecret\r\n\r\n")
		require.NoError(t, err)
		other := c.login()
		time.Sleep(time.Minute)
		_, err = io.ReadFull(near, buffer)
		require.Error(t, err)
		require.NotEmpty(t, named(other.take(), "QueueCallerJoin"), "others go on")
	})
}

// Same seed, same actions at the same times: same bytes. Another seed, other bytes.
func TestSameSeedSameBytes(t *testing.T) {
	run := func(seed uint64) (got string) {
		inBubble(t, simulator.Config{Seed: seed}, func(_ *testing.T, c *centre) {
			c.keep = true
			cl := c.login()
			for i := range 20 {
				time.Sleep(17 * time.Second)
				cl.send("Action: QueueStatus", fmt.Sprint("ActionID: ", i))
				cl.send("Action: Originate", "Channel: Local/1009@internal", "Context: internal", "Exten: 600", "Priority: 1", "Async: true")
				cl.send("Action: QueuePause", "Interface: PJSIP/1001", fmt.Sprint("Paused: ", i%2))
			}
			got = cl.received()
		})
		return got
	}
	first := run(5)
	require.Equal(t, first, run(5))
	require.NotEqual(t, first, run(6))
	require.Greater(t, len(first), 500_000)
}

// A call centre can be as busy as a test needs.
func TestThousandsOfEventsASecond(t *testing.T) {
	cfg := simulator.Config{Seed: 1, CallsPerMinute: 1500, Pace: 10}
	for i := range 150 {
		cfg.Agents = append(cfg.Agents, simulator.Agent{
			Extension: fmt.Sprint(1000 + i), Name: fmt.Sprint("Agent ", i), Queues: []string{fmt.Sprint("q", i%10)},
		})
	}
	inBubble(t, cfg, func(t *testing.T, c *centre) {
		cl := c.login()
		time.Sleep(5 * time.Second)
		cl.take()
		time.Sleep(3 * time.Second)
		got := cl.take()
		require.Greater(t, len(got), 3*2_000)
		require.Greater(t, len(named(got, "AgentConnect")), 50)
	})
}

// Over loopback, with real time and many clients at once, all goroutines end.
func TestServeOverLoopback(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := simulator.New(simulator.Config{CallsPerMinute: 1200, Pace: 50, WriteTimeout: time.Minute})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, ln) }()
	answered := make(chan error, 4)
	for i := range cap(answered) {
		go func() { answered <- talk(ln.Addr().String(), i) }()
	}
	for range cap(answered) {
		require.NoError(t, <-answered)
	}
	stop()
	require.NoError(t, <-done)
	_, err = net.Dial("tcp", ln.Addr().String())
	require.Error(t, err)
}

// talk logs in, follows ten calls and asks for lists.
func talk(addr string, i int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	dec := native.NewDecoder(conn, native.FromAsterisk)
	if _, err := dec.ReadLine(); err != nil {
		return err
	}
	fmt.Fprintf(conn, "Action: Login\r\nUsername: ampd\r\nSecret: ampdsecret\r\n\r\n")
	var p codec.Packet
	for calls, pongs := 0, 0; calls < 10 || pongs < 10; {
		if err := dec.Decode(&p); err != nil {
			return err
		}
		switch {
		case p.Name() == "QueueCallerJoin":
			calls++
			fmt.Fprintf(conn, "Action: QueueStatus\r\nActionID: %d\r\n\r\nAction: Ping\r\n\r\n", i)
		case p.Get("Ping") == "Pong":
			pongs++
		}
	}
	return nil
}
