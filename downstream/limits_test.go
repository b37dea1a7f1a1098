package downstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/config"
)

// change has the limits be other ones from now on.
func (l *Limits) change(edit func(*Config)) {
	cfg := *l.Get()
	edit(&cfg)
	l.Set(cfg)
}

func TestLowerBacklogBytesHoldForWhoIsLoggedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, _ := following(t, nil)
		event := []byte(strings.Repeat("x", 1000))
		for range 200 {
			feed.Append(time.Now(), event)
		}
		feed.fanout.Send()
		require.False(t, isClosed(s))
		feed.fanout.limits.change(func(c *Config) { c.BacklogBytes = config.Size(300 * len(event)) })
		feed.Append(time.Now(), event)
		feed.fanout.Send()
		require.False(t, isClosed(s), "keeps less")
		feed.fanout.limits.change(func(c *Config) { c.BacklogBytes = config.Size(100 * len(event)) })
		feed.Append(time.Now(), event)
		feed.fanout.Send()
		require.True(t, isClosed(s))
	})
}

// TestBacklogTimeIsChanged has a client that reads nothing for so long, then reads all. Over TLS
// and where a client is slow what waits has a time, which is known only about as exactly as
// the old backlog_time asked for.
func TestBacklogTimeIsChanged(t *testing.T) {
	tests := map[string]struct {
		old, next config.Duration
		waited    time.Duration // before the change
		left      time.Duration // for which the client may go on waiting
	}{
		"shorter": {old: config.Duration(10 * time.Minute), next: config.Duration(time.Second), waited: time.Minute, left: time.Second},
		"longer":  {old: config.Duration(time.Second), next: config.Duration(10 * time.Minute), waited: time.Second / 2, left: 10 * time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				feed, s, client := following(t, func(c *Config) { c.BacklogTime = tc.old })
				for range 2 { // the first is being written
					feed.Append(time.Now(), []byte(strings.Repeat("x", 1000)))
					feed.fanout.Send()
					synctest.Wait()
				}
				time.Sleep(tc.waited)
				feed.fanout.limits.change(func(c *Config) { c.BacklogTime = tc.next })
				read(t, client, 1000) // what is being written keeps its time, the next begins
				time.Sleep(tc.left - time.Millisecond)
				synctest.Wait()
				require.False(t, isClosed(s))
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				require.True(t, isClosed(s))
			})
		})
	}
}

func TestOtherLimitsThanBacklogTimeGiveNoMoreTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, s, client := following(t, nil)
		for range 2 {
			feed.Append(time.Now(), []byte(strings.Repeat("x", 1000)))
			feed.fanout.Send()
			synctest.Wait()
		}
		time.Sleep(15 * time.Second)
		feed.fanout.limits.change(func(c *Config) { c.MaxQueued = 7 })
		read(t, client, 1000)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.True(t, isClosed(s))
	})
}

func TestLimitsOfConnectionsAreChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t, &echo{}, func(c *Config) { c.MaxUnauthenticated = 2 })
		first := connect(t.Context(), t, server)
		read(t, first, len(greeting))
		server.limits.change(func(c *Config) {
			c.MaxUnauthenticated, c.MaxQueued, c.AuthTimeout = 1, 7, config.Duration(time.Second)
		})
		_, err := connect(t.Context(), t, server).Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "one too many by now")
		server.limits.change(func(c *Config) { c.MaxUnauthenticated = 2 })
		s, second := joined(t, server)
		require.Equal(t, 8, cap(s.slots))
		began := time.Now()
		_, err = io.ReadAll(first)
		require.NoError(t, err)
		require.Equal(t, 30*time.Second, time.Since(began), "as it was when it came")
		third := connect(t.Context(), t, server)
		began = time.Now()
		_, err = io.ReadAll(third)
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(began))
		second.Close()
	})
}

// certified writes a certificate for a name, signed by itself, and its key to the two files.
func certified(t *testing.T, name, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
}

// TestPortServesInAnotherManner has the certificate of a listener, and what it says, change
// under clients that are there.
func TestPortServesInAnotherManner(t *testing.T) {
	dir := t.TempDir()
	l := Listener{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	l.Defaults()
	l.Address = "127.0.0.1:0"
	certified(t, "old.example", l.CertFile, l.KeyFile)
	port, err := l.Open()
	require.NoError(t, err)
	server := newTestServer(t, &echo{}, nil)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { server.Run(ctx, only(port)) })
	defer running.Wait()
	defer port.Close()
	defer stop()
	greeted := func() (conn *tls.Conn, name, greeting string) {
		conn, err := tls.Dial("tcp", port.Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the test looks at what is shown
		require.NoError(t, err)
		line := read(t, conn, len(l.Greeting+"\r\n"))
		return conn, conn.ConnectionState().PeerCertificates[0].DNSNames[0], strings.TrimSpace(line)
	}
	first, name, greeting := greeted()
	defer first.Close()
	require.Equal(t, []string{"old.example", "Asterisk Call Manager/11.0.0"}, []string{name, greeting})

	certified(t, "new.example", l.CertFile, l.KeyFile)
	l.Greeting = "Asterisk Call Manager/12.0.0"
	manner, err := l.Manner()
	require.NoError(t, err)
	port.Serve(manner)
	second, name, greeting := greeted()
	defer second.Close()
	require.Equal(t, []string{"new.example", "Asterisk Call Manager/12.0.0"}, []string{name, greeting})

	const denied = "Response: Error\r\nMessage: Permission denied\r\n\r\n"
	for _, conn := range []net.Conn{first, second} {
		_, err := io.WriteString(conn, "Action: Ping\r\n\r\n")
		require.NoError(t, err)
		require.Equal(t, denied, read(t, conn, len(denied)))
	}
}
