package tests

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// rest returns what comes until the connection ends as it should: between two packets.
func (w *wire) rest() (packets []string, err error) {
	if err := w.SetReadDeadline(time.Now().Add(wireLimit)); err != nil {
		return nil, err
	}
	for {
		packet, err := w.read()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
		packets = append(packets, packet)
	}
}

// answersOf leaves events out.
func answersOf(packets []string) (answers []string) {
	for _, p := range packets {
		if !isEvent(p) || header(p, "Privilege") == "" {
			answers = append(answers, p)
		}
	}
	return answers
}

func TestTerminatedAmpdLeavesInOrder(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version, asterisk.LogActions())
		d := daemon.Start(t, s.Addr, daemon.Config{})
		d.WaitReady(t)
		idle := openWire(t, "idle", d.Addr, asterisk.Ampd)
		limited := openWire(t, "limited", d.Addr, asterisk.Limited)
		waits := openWire(t, "waits", d.Addr, asterisk.Ampd, "Events: off")
		rings := openWire(t, "rings", d.Addr, asterisk.Ampd)
		unnamed, err := dialWire("unnamed", d.Addr)
		require.NoError(t, err)
		defer unnamed.Close()
		require.NoError(t, waits.send("Action: WaitEvent", "ActionID: w", "Timeout: 60"))
		// A synchronous Originate that nobody answers, and an action behind it.
		require.NoError(t, rings.send("Action: Originate", "ActionID: rings", "Channel: Local/slow@callers/n",
			"Context: misc", "Exten: wait", "Priority: 1", "Timeout: 1500", "Variable: RINGFOR=60"))
		require.NoError(t, rings.send("Action: Getvar", "ActionID: behind", "Variable: TALK_MAX"))
		require.NoError(t, idle.SetReadDeadline(time.Now().Add(wireLimit)))
		for packet := ""; header(packet, "Event") != "Newchannel" || !strings.Contains(packet, "Local/slow@callers"); {
			packet, err = idle.read()
			require.NoError(t, err)
		}

		began := time.Now()
		code := d.Terminate(t)
		took := time.Since(began)
		require.Zero(t, code)
		require.Less(t, took, 8*time.Second)

		shutdown := "Event: Shutdown\r\nPrivilege: system,all\r\nSystemName: rig" + version + "\r\nShutdown: Cleanly\r\nRestart: False\r\n\r\n"
		got, err := idle.rest()
		require.NoError(t, err)
		require.Equal(t, shutdown, got[len(got)-1])
		require.Empty(t, answersOf(got))

		got, err = rings.rest()
		require.NoError(t, err)
		require.Equal(t, []string{
			"Response: Error\r\nActionID: rings\r\nMessage: Originate failed\r\n\r\n",
			"Response: Error\r\nActionID: behind\r\nMessage: Asterisk is shutting down\r\n\r\n",
		}, answersOf(got))
		require.Equal(t, shutdown, got[len(got)-1])

		got, err = waits.rest()
		require.NoError(t, err)
		require.Equal(t, []string{
			"Response: Success\r\nActionID: w\r\nMessage: Waiting for Event completed.\r\n\r\n",
			"Event: WaitEventComplete\r\nActionID: w\r\n\r\n",
		}, got)

		got, err = limited.rest()
		require.NoError(t, err)
		for _, packet := range got {
			require.NotEqual(t, "Shutdown", header(packet, "Event"), "class system")
		}
		got, err = unnamed.rest()
		require.NoError(t, err)
		require.Empty(t, got)

		_, err = net.Dial("tcp", d.Addr)
		require.Error(t, err)
		logoffs := 0
		for _, action := range s.Actions() {
			if action.Get("Action") == "Logoff" {
				logoffs++
			}
		}
		require.Equal(t, 4, logoffs, "the event connection and three action connections")
		require.NotContains(t, s.CLI("manager show connected"), "127.0.0.1")
		t.Logf("%s: with a call that rang for 1.5 s ampd ended %v behind SIGTERM", s.Version, round(took))
	})
}

func TestClientThatNeverReadsDisturbsNobody(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		const clients, events = 20, 16_000
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{Plain: true, Sessions: `backlog_bytes = "2MiB"`})
		d.WaitReady(t)
		never := openWire(t, "never reads", d.Addr, asterisk.Ampd, "Events: user")
		require.NoError(t, never.Conn.(*net.TCPConn).SetReadBuffer(4<<10))
		failed := make(chan error, clients)
		for i := range clients {
			w := openWire(t, fmt.Sprintf("client %d", i), d.Addr, asterisk.Ampd, "Events: user")
			go func() { failed <- readNumbered(w, events) }() // ends with the last event or the deadline
		}
		sender := openWire(t, "sender", s.Addr, asterisk.Ampd, "Events: off")
		began := time.Now()
		pad := strings.Repeat("x", 900)
		sent := make(chan error, 1)
		go func() { // ends with its last event, or as the test closes the connection
			for n := range events {
				if _, _, err := sender.ask("Action: UserEvent", "UserEvent: Numbered", fmt.Sprintf("Number: %d", n), "Pad: "+pad); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		closed := d.Wait(t, "the client that never reads is closed", func(l daemon.Line) bool {
			return l["msg"] == "client left" && strings.Contains(fmt.Sprint(l["cause"]), "reads too slowly")
		})
		require.NoError(t, <-sent)
		for range clients {
			require.NoError(t, <-failed)
		}
		took := time.Since(began)
		require.Equal(t, 1, strings.Count(d.Log(), "reads too slowly"))
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(closed["time"]))
		require.NoError(t, err)
		t.Logf("%s: %d clients had all %d events of 1 KB after %.1f s (%.0f/s); the one that never reads was closed after %.1f s",
			s.Version, clients, events, took.Seconds(), events/took.Seconds(), at.Sub(began).Seconds())
	})
}

// readNumbered reads n UserEvents and holds that none is missing, doubled or out of
// order.
func readNumbered(w *wire, n int) error {
	if err := w.SetReadDeadline(time.Now().Add(3 * time.Minute)); err != nil {
		return err
	}
	for next := range n {
		packet, err := w.read()
		if err != nil {
			return fmt.Errorf("before event %d: %w", next, err)
		}
		if header(packet, "Number") != fmt.Sprint(next) {
			return fmt.Errorf("%s: not event %d: %q", w.name, next, packet)
		}
	}
	return nil
}

// halfClosed logs in, sends actions, closes its side at once, and returns all that
// comes.
func halfClosed(t *testing.T, name, addr string) []string {
	t.Helper()
	w, err := dialWire(name, addr)
	require.NoError(t, err)
	t.Cleanup(func() { w.Close() })
	actions := []lines{
		{"Action: Login", "Username: ampd", "Secret: ampdsecret", "Events: off"},
		{"Action: Getvar", "ActionID: 1", "Variable: TALK_MAX"},
		{"Action: QueueStatus", "ActionID: 2", "Queue: empty"},
		{"Action: Originate", "ActionID: 3", "Channel: Local/slow@callers/n", "Context: misc", "Exten: wait", "Priority: 1", "Timeout: 1000", "Variable: RINGFOR=60"},
		{"Action: NoSuch", "ActionID: 4"},
		{"Action: Getvar", "ActionID: 5", "Variable: TALK_MIN"},
	}
	var all strings.Builder
	for _, a := range actions {
		all.WriteString(strings.Join(a, "\r\n") + "\r\n\r\n")
	}
	_, err = io.WriteString(w, all.String())
	require.NoError(t, err)
	half, ok := w.Conn.(interface{ CloseWrite() error })
	require.True(t, ok)
	require.NoError(t, half.CloseWrite())
	got, err := w.rest()
	require.NoError(t, err)
	return got
}

func TestClientThatHalfClosesGetsItsAnswers(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		d := daemon.Start(t, s.Addr, daemon.Config{})
		d.WaitReady(t)
		got := strings.Join(halfClosed(t, "tcp", d.Addr), "")
		require.Regexp(t, `^Response: Success\r\nMessage: Authentication accepted\r\n\r\n`+
			`Response: Success\r\nActionID: 1\r\nVariable: TALK_MAX\r\nValue: 8\r\n\r\n`+
			`Response: Success\r\nActionID: 2\r\nEventList: start\r\nMessage: Queue status will follow\r\n\r\n`+
			`Event: QueueParams\r\n(?s:.*)Event: QueueStatusComplete\r\nActionID: 2\r\nEventList: Complete\r\nListItems: 1\r\n\r\n`+
			`Response: Error\r\nActionID: 3\r\nMessage: Originate failed\r\n\r\n`+
			`Response: Error\r\nActionID: 4\r\nMessage: Invalid/unknown command: NoSuch. [^\r]*\r\n\r\n`+
			`Response: Success\r\nActionID: 5\r\nVariable: TALK_MIN\r\nValue: 2\r\n\r\n$`, got)
		require.Equal(t, got, strings.Join(halfClosed(t, "unix", "unix:"+d.Unix), ""))
	})
}

func TestTLSAndUnixSockets(t *testing.T) {
	everyVersion(t, func(t *testing.T, version string) {
		s := asterisk.Start(t, version)
		key := filepath.Join(s.Dir, "etc", "tls.pem")
		own := clientCertificate(t)
		d := daemon.Start(t, s.TLSAddr, daemon.Config{
			Upstream: fmt.Sprintf("tls = true\ntls_ca_file = %q", s.CAFile),
			Listen: fmt.Sprintf("[[listen]]\naddress = \"localhost:0\"\ntls_cert_file = %q\ntls_key_file = %q\n"+
				"[[listen]]\naddress = \"127.0.0.2:0\"\ntls_cert_file = %q\ntls_key_file = %q\ntls_client_ca_file = %q\n",
				key, key, key, key, own.file),
		})
		d.WaitReady(t)
		secured := address(t, d, func(addr string) bool {
			return addr != d.Addr && !strings.HasPrefix(addr, "/") && !strings.HasPrefix(addr, "127.0.0.2:")
		})
		asked := address(t, d, func(addr string) bool { return strings.HasPrefix(addr, "127.0.0.2:") })
		ca, err := os.ReadFile(s.CAFile)
		require.NoError(t, err)
		roots := x509.NewCertPool()
		require.True(t, roots.AppendCertsFromPEM(ca))

		// Who shows no certificate is not let in where one is asked for.
		conn, err := tls.Dial("tcp", asked, &tls.Config{RootCAs: roots, ServerName: "localhost"})
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
			conn.Close()
		}
		require.ErrorContains(t, err, "certificate required")

		dials := map[string]func() (net.Conn, error){
			"tcp":  func() (net.Conn, error) { return net.Dial("tcp", d.Addr) },
			"unix": func() (net.Conn, error) { return net.Dial("unix", d.Unix) },
			"tls": func() (net.Conn, error) {
				return tls.Dial("tcp", secured, &tls.Config{RootCAs: roots, ServerName: "localhost"})
			},
			"tls with a client's certificate": func() (net.Conn, error) {
				return tls.Dial("tcp", asked, &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{own.Certificate}})
			},
		}
		const actions = 2000
		type outcome struct {
			road string
			err  error
		}
		outcomes := make(chan outcome, len(dials))
		var watchers, askers []*wire
		for road, dial := range dials {
			for _, mask := range []string{"user", "off"} {
				conn, err := dial()
				require.NoError(t, err, road)
				w, err := newWire(road, conn)
				require.NoError(t, err, road)
				t.Cleanup(func() { w.Close() })
				require.NoError(t, w.logIn(asterisk.Ampd, "Events: "+mask))
				if mask == "user" {
					watchers = append(watchers, w)
				} else {
					askers = append(askers, w)
				}
			}
		}
		for session, w := range askers {
			_, put, err := w.ask("Action: DBPut", fmt.Sprintf("Family: own-%d", session), "Key: key", fmt.Sprintf("Val: value of %d", session))
			require.NoError(t, err)
			require.Equal(t, "Success", header(put, "Response"), put)
			go func() { // ends with its actions or their deadline
				_, err := askAll(w, session, actions)
				outcomes <- outcome{w.name, err}
			}()
		}
		for range dials {
			o := <-outcomes
			require.NoError(t, o.err, o.road)
		}
		// One action in ten was a UserEvent.
		want := len(dials) * actions / 10
		for _, w := range watchers {
			require.NoError(t, w.SetReadDeadline(time.Now().Add(wireLimit)))
			for range want {
				packet, err := w.read()
				require.NoError(t, err)
				require.Equal(t, "UserEvent", header(packet, "Event"))
			}
		}

		// A loss is noticed there as everywhere.
		s.Restart()
		booted := time.Now()
		for _, w := range watchers {
			var answer string
			for header(answer, "Response") != "Success" {
				_, answer, err = w.ask("Action: CoreStatus")
				require.NoError(t, err, w.name)
			}
		}
		back := time.Since(booted)
		require.Less(t, back, 3*time.Second)
		t.Logf("%s: TLS to Asterisk; %d actions and %d events on each road; back %v behind FullyBooted", s.Version, actions, want, round(back))
	})
}

// An authority is a client's certificate and its authority in one.
type authority struct {
	tls.Certificate
	file string // PEM
}

func clientCertificate(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "client of a test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "client.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return authority{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file}
}

// address waits until ampd listens on an address that is as asked.
func address(t *testing.T, d *daemon.Daemon, is func(string) bool) string {
	t.Helper()
	return fmt.Sprint(d.Wait(t, "listening", func(l daemon.Line) bool {
		return l["msg"] == "listening" && is(fmt.Sprint(l["address"]))
	})["address"])
}
