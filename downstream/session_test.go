package downstream

import (
	"context"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/config"
	"ampd/profiles"
)

// echo is a handler that answers each action with its name, and keeps what it was
// told.
type echo struct {
	mu      sync.Mutex
	session *Session
	voice   Voice
	told    []string
	inputs  int
}

func (e *echo) Greeting() string { return "" }

func (e *echo) Displace(Login) *Session { return nil }

func (e *echo) Join(s *Session, login Login) {
	e.note("join " + login.Profile.Name)
	e.mu.Lock()
	e.session = s
	e.voice = login.Voice
	e.mu.Unlock()
	tell(s, login.Voice.Append(nil, "Login", native.Answer(login.Action, "Success", "Authentication accepted")))
}

func (e *echo) Request(s *Session, r Request) {
	defer s.Done()
	switch {
	case errors.Is(r.Err, io.EOF):
		s.Finish(ErrClientLeft)
		s.Flush()
	case r.Err != nil:
		tell(s, e.voice.Append(nil, Unknown, Malformed(r.Err)))
	default:
		e.note(r.Packet.Get("Action"))
		tell(s, e.voice.Append(nil, r.Packet.Get("Action"), native.Answer(r.Packet, "Success", r.Packet.Get("Action"))))
	}
}

// manyAttributes are n of them.
func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d="1"`, i)
	}
	return b.String()
}

func (e *echo) Input(*Session) { e.inputs++ }
func (e *echo) Leave(*Session) { e.note("leave") }

func (e *echo) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, what)
}

// tell sends a packet and tells whether the session is still open then.
func tell(s *Session, packet []byte) bool {
	s.Send(time.Now(), slices.Clone(packet))
	s.Flush()
	select {
	case <-s.closed:
		return false
	default:
		return true
	}
}

func newTestServer(t *testing.T, handler Handler, edit func(*Config)) *Server {
	t.Helper()
	return newTestServerOf(1, t, handler, edit)
}

// newTestServerOf returns a server with that many senders.
func newTestServerOf(senders int, t *testing.T, handler Handler, edit func(*Config)) *Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "profiles.toml")
	require.NoError(t, os.WriteFile(file, []byte(`
[[profile]]
name = "wall"
secret = "wallsecret"
types = ["monitor"]
read = ["all"]
max_sessions = 1

[[profile]]
name = "agent"
secret = "agentsecret"
types = ["agent"]

[[agent]]
id = "1001"
`), 0o600))
	store, problems := profiles.Load(file, nil)
	require.NoError(t, problems.Err())
	cfg := DefaultConfig()
	if edit != nil {
		edit(&cfg)
	}
	limits := NewLimits(cfg)
	return NewServer(limits, store, handler, newFanout(limits, senders), zap.NewNop(), NewMetrics(prometheus.NewRegistry()), nil)
}

// portOf is a listener's port whose clients are served so.
func portOf(l net.Listener, m *Manner) *Port {
	p := &Port{Listener: l}
	p.Serve(m)
	return p
}

// only is the channel of a server that gets this port and no other.
func only(p *Port) <-chan *Port {
	ports := make(chan *Port, 1)
	ports <- p
	close(ports)
	return ports
}

// connect runs a session and returns the client's end of its connection.
func connect(ctx context.Context, t *testing.T, server *Server) net.Conn {
	t.Helper()
	client, conn := net.Pipe()
	go server.serve(ctx, portOf(nil, &Manner{greeting: "Asterisk Call Manager/5.0.4"}), conn)
	t.Cleanup(func() { client.Close() })
	return client
}

const (
	greeting = "Asterisk Call Manager/5.0.4\r\n"
	accepted = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
	failed   = "Response: Error\r\nMessage: Authentication failed\r\n\r\n"
	login    = "Action: Login\r\nUsername: wall\r\nSecret: wallsecret\r\n\r\n"

	xmlLogin    = `<command action="register" user="wall" secret="wallsecret" type="monitor" format="xml"/>`
	xmlAccepted = `<command action="login" response="Success" Message="Authentication accepted" />` + "\n"
	pinged      = `<command action="ping" response="Success" Message="ping" />` + "\n"
)

func TestConversation(t *testing.T) {
	tests := map[string]struct {
		says  string
		wants string // all that comes until the end
		after time.Duration
	}{
		"login and an action in one write": {
			says:  login + "Action: Ping\r\nActionID: 1\r\n\r\n",
			wants: greeting + accepted + "Response: Success\r\nActionID: 1\r\nMessage: Ping\r\n\r\n",
		},
		"bare line feeds, any case": {
			says:  "action:login\nUSERNAME: WALL\nsecret:  wallsecret\n\n",
			wants: greeting + accepted,
		},
		"empty packets before the login": {
			says:  "\r\n\r\n\n" + login,
			wants: greeting + accepted,
		},
		"telnet negotiation": {
			says:  "\xff\xfd\x03\xff\xfb\x18" + login,
			wants: greeting + accepted,
		},
		"wrong secret": {
			says:  "Action: Login\r\nUsername: wall\r\nSecret: wrong\r\n\r\nAction: Ping\r\n\r\n",
			wants: greeting + failed, after: time.Second,
		},
		"unknown name": {
			says:  "Action: Login\r\nActionID: a\r\nUsername: nobody\r\nSecret: wallsecret\r\n\r\n",
			wants: greeting + "Response: Error\r\nActionID: a\r\nMessage: Authentication failed\r\n\r\n", after: time.Second,
		},
		"no name at all": {
			says:  "Action: Login\r\n\r\n",
			wants: greeting + failed, after: time.Second,
		},
		"a challenge that was never asked for": {
			says:  "Action: Login\r\nAuthType: MD5\r\nUsername: wall\r\nKey: " + key("", "wallsecret") + "\r\n\r\n",
			wants: greeting + failed, after: time.Second,
		},
		"an action before the login": {
			says:  "Action: Ping\r\nActionID: 7\r\n\r\n" + login,
			wants: greeting + "Response: Error\r\nActionID: 7\r\nMessage: Permission denied\r\n\r\n" + accepted,
		},
		"HTTP": {
			says:  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			wants: greeting + "Response: Error\r\nMessage: Missing action in request\r\n\r\n",
		},
		"a line too long, then a login": {
			says:  "Action: Ping\r\nActionID: 9\r\nX: " + strings.Repeat("x", 2000) + "\r\n\r\n" + login,
			wants: greeting + "Response: Error\r\nActionID: 9\r\nMessage: Failed to parse message: line too long\r\n\r\n" + accepted,
		},
		"too many lines": {
			says:  "ActionID: 9\r\n" + strings.Repeat("X: y\r\n", 128) + "\r\n",
			wants: greeting + "Response: Error\r\nActionID: 9\r\nMessage: Too many lines in message or allocation failure\r\n\r\n",
		},
		"logoff before the login": {
			says:  "Action: Logoff\r\nActionID: 2\r\n\r\nAction: Ping\r\n\r\n",
			wants: greeting + "Response: Goodbye\r\nActionID: 2\r\nMessage: Thanks for all the fish.\r\n\r\n",
		},
		"challenge of another kind": {
			says:  "Action: Challenge\r\nAuthType: SHA9\r\n\r\n",
			wants: greeting + "Response: Error\r\nMessage: Must specify AuthType\r\n\r\n",
		},
		"XML": {
			says:  " \r\n" + xmlLogin + "\x00\n<command action=\"ping\"/>\n",
			wants: greeting + xmlAccepted + pinged,
		},
		"XML with cmd: in front": {
			says:  "cmd: " + xmlLogin + "CMD:<command action=\"ping\"/>",
			wants: greeting + xmlAccepted + pinged,
		},
		"XML and native by turns": {
			says:  xmlLogin + "\r\n\r\nAction: Ping\r\n\r\n\r\n<command action=\"ping\"/>Action: Ping\r\n\r\n<command action=\"ping\"/>\n",
			wants: greeting + xmlAccepted + strings.Repeat(strings.Replace(pinged, `"ping" />`, `"Ping" />`, 1)+pinged, 2),
		},
		"XML that wants native answers": {
			says:  strings.Replace(xmlLogin, `"xml"`, `"Asterisk"`, 1) + "<command action=\"ping\"/>",
			wants: greeting + "Action: Login\r\n" + accepted + "Action: ping\r\nResponse: Success\r\nMessage: ping\r\n\r\n",
		},
		"XML for Flash": {
			says:  strings.Replace(xmlLogin, "type", "isFlash=\"true\" type", 1) + "\x00<command action=\"ping\"/>\x00",
			wants: greeting + strings.ReplaceAll(xmlAccepted+pinged, "\n", "\x00"),
		},
		"native for Flash": {
			says:  strings.Replace(login, "\r\n\r\n", "\r\nisFlash: true\r\n\r\n\x00", 1) + "Action: Ping\r\n\r\n\x00Action: Pong\r\n\r\n\x00",
			wants: greeting + accepted + "\x00" + "Response: Success\r\nMessage: Ping\r\n\r\n\x00Response: Success\r\nMessage: Pong\r\n\r\n\x00",
		},
		"XML without a Type": {
			says:  "<command action='register' user='wall' secret='wallsecret'/>",
			wants: greeting + "<command action=\"login\" response=\"Error\" Message=\"Missing required parameter: Type\" />\n",
			after: time.Second,
		},
		"XML with a wrong secret": {
			says:  "<command action='register' user='wall' secret='x' type='monitor'/>",
			wants: greeting + "<command action=\"login\" response=\"Error\" Message=\"Authentication failed\" />\n",
			after: time.Second,
		},
		"a bad message in XML": {
			says:  "<command action=\"ping\" ActionID=\"7\" x=\"1\" X=\"2\"/>" + xmlLogin + "<command/><command action=\"ping\"/>",
			wants: greeting + "<command action=\"Unknown\" Response=\"Error\" ActionID=\"7\">Failed to parse message: attribute &quot;X&quot; is given twice</command>\n" + xmlAccepted + "<command action=\"Unknown\" Response=\"Error\">Failed to parse message: it has no action</command>\n" + pinged,
		},
		"another action before the login, in XML": {
			says:  "<command action=\"ping\"/>" + xmlLogin,
			wants: greeting + "<command action=\"Unknown\" Response=\"Error\">Permission denied</command>\n" + xmlAccepted,
		},
		"too many headers in XML": {
			says:  "<command action=\"ping\"" + manyAttributes(200) + "/>" + xmlLogin,
			wants: greeting + "<command action=\"Unknown\" Response=\"Error\">Failed to parse message: it has more than 128 headers</command>\n" + xmlAccepted,
		},
		"too long a value in XML": {
			says:  "<command action=\"ping\" x=\"" + strings.Repeat("y", 1100) + "\"/>" + xmlLogin,
			wants: greeting + "<command action=\"Unknown\" Response=\"Error\">Failed to parse message: line too long</command>\n" + xmlAccepted,
		},
		"a policy file that there is not": {
			says:  "<policy-file-request/>\x00" + xmlLogin,
			wants: greeting + "<command action=\"Unknown\" Response=\"Error\">Failed to parse message: the element is named &quot;policy-file-request&quot;, not command</command>\n" + xmlAccepted,
		},
		"a login with a Type": {
			says:  "Action: Login\r\nUsername: wall\r\nSecret: wallsecret\r\nType: Monitor\r\n\r\n",
			wants: greeting + "Action: Login\r\n" + accepted,
		},
		"a login with a Type, for XML": {
			says:  "Action: Register\r\nUser: wall\r\nSecret: wallsecret\r\nType: Monitor\r\nFormat: xml\r\n\r\nAction: ping\r\n\r\n",
			wants: greeting + xmlAccepted + pinged,
		},
		"a format without a Type": {
			says:  "Action: Login\r\nUsername: wall\r\nSecret: wallsecret\r\nFormat: xml\r\n\r\n",
			wants: greeting + accepted,
		},
		"a format that there is not": {
			says:  "Action: Login\r\nUsername: wall\r\nSecret: wallsecret\r\nType: Monitor\r\nFormat: json\r\n\r\n",
			wants: greeting + "Action: Login\r\nResponse: Error\r\nMessage: Format must be XML or Asterisk\r\n\r\n",
			after: time.Second,
		},
		"an isFlash that is neither": {
			says:  "<command action='login' user='wall' secret='wallsecret' type='monitor' isFlash='maybe'/>",
			wants: greeting + "<command action=\"login\" response=\"Error\" Message=\"isFlash must be true or false\" />\n",
			after: time.Second,
		},
		"a Type that is not permitted": {
			says:  "Action: Login\r\nUsername: wall\r\nSecret: wallsecret\r\nType: administrator\r\n\r\n",
			wants: greeting + "Action: Login\r\nResponse: Error\r\nMessage: Type not permitted\r\n\r\n",
			after: time.Second,
		},
		"an agent that does not say who it is": {
			says:  "Action: Login\r\nUsername: agent\r\nSecret: agentsecret\r\n\r\n",
			wants: greeting + "Response: Error\r\nMessage: Missing required parameter: AgentID\r\n\r\n",
			after: time.Second,
		},
		"an agent": {
			says:  "Action: Login\r\nUsername: agent\r\nSecret: agentsecret\r\nType: agent\r\nAgentID: 1001\r\n\r\n",
			wants: greeting + "Action: Login\r\n" + accepted,
		},
		"a Type without the right secret": {
			says:  "Action: Login\r\nUsername: agent\r\nSecret: wallsecret\r\nType: administrator\r\n\r\n",
			wants: greeting + "Action: Login\r\nResponse: Error\r\nMessage: Authentication failed\r\n\r\n",
			after: time.Second,
		},
		"half a packet": {
			says:  login + "Action: Pi",
			wants: greeting + accepted,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			server := newTestServer(t, &echo{}, nil)
			var running sync.WaitGroup
			running.Go(func() {
				server.Run(t.Context(), only(portOf(l, &Manner{greeting: strings.TrimSpace(greeting)})))
			})
			conn, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			began := time.Now()
			_, err = io.WriteString(conn, tc.says)
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite()) // the answers come all the same
			got, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.Equal(t, tc.wants, string(got))
			require.GreaterOrEqual(t, time.Since(began), tc.after)
			l.Close()
			running.Wait()
		})
	}
}

func key(challenge, secret string) string {
	sum := md5.Sum([]byte(challenge + secret))
	return hex.EncodeToString(sum[:])
}

// read returns the next n bytes.
func read(t *testing.T, conn net.Conn, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(conn, b)
	require.NoError(t, err)
	return string(b)
}

func TestChallenge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t, &echo{}, nil)
		conn := connect(t.Context(), t, server)
		dec := native.NewDecoder(conn, native.FromAsterisk)
		_, err := dec.ReadLine()
		require.NoError(t, err)
		var challenges []string
		for range 2 {
			p := ask(t, conn, dec, "Action: Challenge\r\nAuthType: md5\r\n\r\n")
			require.Regexp(t, `^[0-9]+$`, p["Challenge"])
			challenges = append(challenges, p["Challenge"])
		}
		require.Equal(t, challenges[0], challenges[1], "asked again, the challenge is the same")
		p := ask(t, conn, dec, "Action: Login\r\nAuthType: MD5\r\nUsername: wall\r\nKey: "+key(challenges[0], "wallsecret")+"\r\n\r\n")
		require.Equal(t, "Authentication accepted", p["Message"])
		conn.Close()

		other := connect(t.Context(), t, server)
		dec = native.NewDecoder(other, native.FromAsterisk)
		_, err = dec.ReadLine()
		require.NoError(t, err)
		p = ask(t, other, dec, "Action: Challenge\r\nAuthType: MD5\r\n\r\n")
		require.NotEqual(t, challenges[0], p["Challenge"], "each session has its own")
	})
}

// ask sends an action and returns the headers of the next packet.
func ask(t *testing.T, conn net.Conn, dec *native.Decoder, action string) map[string]string {
	t.Helper()
	_, err := io.WriteString(conn, action)
	require.NoError(t, err)
	return next(t, dec)
}

func TestBusyProfileIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t, &echo{}, nil)
		first := connect(t.Context(), t, server)
		read(t, first, len(greeting))
		_, err := io.WriteString(first, login)
		require.NoError(t, err)
		read(t, first, len(accepted))

		second := connect(t.Context(), t, server)
		read(t, second, len(greeting))
		_, err = io.WriteString(second, login)
		require.NoError(t, err)
		began := time.Now()
		got, err := io.ReadAll(second)
		require.NoError(t, err)
		require.Equal(t, "Response: Error\r\nMessage: Login Already In Use\r\n\r\n", string(got))
		require.Equal(t, loginDelay, time.Since(began))

		first.Close()
		synctest.Wait()
		third := connect(t.Context(), t, server)
		read(t, third, len(greeting))
		_, err = io.WriteString(third, login)
		require.NoError(t, err)
		require.Equal(t, accepted, read(t, third, len(accepted)), "the place is free again")
	})
}

func TestSilentConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t, &echo{}, nil)
		conn := connect(t.Context(), t, server)
		began := time.Now()
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Equal(t, greeting, string(got))
		require.Equal(t, 30*time.Second, time.Since(began))
		synctest.Wait()
		require.Equal(t, 1, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("auth_timeout"))))
	})
}

func TestSilentTLSConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t, &echo{}, nil)
		client, conn := net.Pipe()
		go server.serve(t.Context(), portOf(nil, &Manner{tls: &tls.Config{MinVersion: tls.VersionTLS12}}), conn)
		_, err := client.Write([]byte("\x16\x03")) // a handshake that does not go on
		require.NoError(t, err)
		began := time.Now()
		_, err = io.ReadAll(client)
		require.NoError(t, err)
		require.Equal(t, 30*time.Second, time.Since(began))
		synctest.Wait()
		require.Equal(t, 1, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("auth_timeout"))))
	})
}

func TestTooManyUnauthenticated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t, &echo{}, func(c *Config) { c.MaxUnauthenticated = 1 })
		first := connect(t.Context(), t, server)
		read(t, first, len(greeting))
		second := connect(t.Context(), t, server)
		got, err := io.ReadAll(second)
		require.NoError(t, err)
		require.Empty(t, got, "closed without a byte")

		_, err = io.WriteString(first, login)
		require.NoError(t, err)
		read(t, first, len(accepted))
		third := connect(t.Context(), t, server)
		require.Equal(t, greeting, read(t, third, len(greeting)), "who has logged in does not count")
	})
}

func TestSlowClientIsClosed(t *testing.T) {
	packet := []byte("Event: X\r\nPad: " + strings.Repeat("x", 1000) + "\r\n\r\n")
	join := func(t *testing.T, edit func(*Config)) (*echo, *Server, net.Conn) {
		e := &echo{}
		server := newTestServer(t, e, edit)
		conn := connect(t.Context(), t, server)
		read(t, conn, len(greeting))
		_, err := io.WriteString(conn, login)
		require.NoError(t, err)
		read(t, conn, len(accepted))
		synctest.Wait()
		return e, server, conn
	}
	t.Run("over its bytes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, server, _ := join(t, func(c *Config) { c.BacklogBytes = config.Size(100 * len(packet)) })
			sent := 0
			for tell(e.session, packet) {
				sent++
			}
			require.Equal(t, 100, sent)
			synctest.Wait()
			require.Equal(t, 1, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("slow"))))
			require.Equal(t, []string{"join wall", "leave"}, e.told)
		})
	})
	t.Run("what is held counts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, server, _ := join(t, func(c *Config) { c.BacklogBytes = config.Size(100 * len(packet)) })
			feed := server.fanout.NewFeed(Voice{})
			e.session.Follow(feed)
			e.session.Hold()
			for range 100 {
				feed.Append(time.Now(), packet)
			}
			require.True(t, tell(e.session, nil))
			feed.Append(time.Now(), packet)
			require.False(t, tell(e.session, nil))
		})
	})
	t.Run("over its time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, server, _ := join(t, nil)
			tell(e.session, packet)
			time.Sleep(19 * time.Second)
			require.Equal(t, 0, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("slow"))))
			time.Sleep(2 * time.Second)
			synctest.Wait()
			require.Equal(t, 1, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("slow"))))
		})
	})
	t.Run("slow and yet in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, _, conn := join(t, nil)
			for range 200 {
				require.True(t, tell(e.session, packet))
			}
			for range 200 { // a packet every 90 ms: the last after 18 s
				require.Equal(t, string(packet), read(t, conn, len(packet)))
				time.Sleep(90 * time.Millisecond)
			}
		})
	})
}

// TestClientThatNeverReads writes and reads nothing, not even the greeting.
func TestClientThatNeverReads(t *testing.T) {
	t.Run("before its login", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := newTestServer(t, &echo{}, nil)
			conn := connect(t.Context(), t, server)
			_, err := io.WriteString(conn, strings.Repeat("Action: Ping\n\n", 20_000))
			require.ErrorIs(t, err, io.ErrClosedPipe)
			synctest.Wait()
			require.Equal(t, 1, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("slow"))))
		})
	})
	t.Run("and logs in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := newTestServer(t, &echo{}, nil)
			conn := connect(t.Context(), t, server)
			synctest.Wait() // the greeting is being written
			_, err := io.WriteString(conn, login)
			require.NoError(t, err)
			time.Sleep(server.limits.Get().BacklogTime.Std() + time.Second)
			synctest.Wait()
			require.Equal(t, 1, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("slow"))))
		})
	})
}

func TestReadingStopsWhenTooMuchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &patient{}
		server := newTestServer(t, h, func(c *Config) { c.MaxQueued = 3 })
		conn := connect(t.Context(), t, server)
		read(t, conn, len(greeting))
		go func() {
			_, _ = io.WriteString(conn, login)
			for range 20 {
				_, _ = io.WriteString(conn, "Action: Ping\r\n\r\n")
			}
		}()
		read(t, conn, len(accepted))
		synctest.Wait()
		require.Len(t, h.requests, 1+3, "one runs")
		h.session.Done()
		synctest.Wait()
		require.Len(t, h.requests, 1+4)
	})
}

// patient is a handler that never answers.
type patient struct {
	echo
	requests []Request
}

func (h *patient) Request(_ *Session, r Request) { h.requests = append(h.requests, r) }

func TestWatchTellsOfBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &echo{}
		conn := connect(t.Context(), t, newTestServer(t, e, nil))
		read(t, conn, len(greeting))
		_, err := io.WriteString(conn, login)
		require.NoError(t, err)
		read(t, conn, len(accepted))
		synctest.Wait()
		for _, part := range []string{"Act", "ion", ": Ping"} {
			e.session.Watch(part == "ion")
			_, err = io.WriteString(conn, part)
			require.NoError(t, err)
			synctest.Wait()
		}
		require.Equal(t, 1, e.inputs, "once, and part of an action is enough")
	})
}

func TestShutdownEndsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		e := &echo{}
		server := newTestServer(t, e, nil)
		conn := connect(ctx, t, server)
		read(t, conn, len(greeting))
		_, err := io.WriteString(conn, login)
		require.NoError(t, err)
		read(t, conn, len(accepted))
		stop()
		_, err = io.ReadAll(conn)
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 1, int(testutil.ToFloat64(server.metrics.disconnects.WithLabelValues("shutdown"))))
	})
}

// next returns the headers of the next packet.
func next(t *testing.T, dec *native.Decoder) map[string]string {
	t.Helper()
	var p codec.Packet
	require.NoError(t, dec.Decode(&p))
	headers := map[string]string{}
	for _, h := range p.Headers {
		headers[h.Name] = h.Value
	}
	return headers
}
