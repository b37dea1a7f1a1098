package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A certificate for one name, signed by itself, and the files that hold it.
type testCertificate struct {
	tls.Certificate
	pool              *x509.CertPool
	certFile, keyFile string
}

func certificateFor(t *testing.T, name string) testCertificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	c := testCertificate{
		Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pool:        x509.NewCertPool(),
		certFile:    filepath.Join(dir, "cert.pem"),
		keyFile:     filepath.Join(dir, "key.pem"),
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	c.pool.AppendCertsFromPEM(encoded)
	require.NoError(t, os.WriteFile(c.certFile, encoded, 0o600))
	require.NoError(t, os.WriteFile(c.keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	return c
}

func TestTLSShowsItsOwnCertificateAndChecksAsterisks(t *testing.T) {
	server, own := certificateFor(t, "pbx.example"), certificateFor(t, "ampd.example")
	tests := map[string]struct {
		change func(*Config)
		want   string // "" for ready
	}{
		"all as it should be": {change: func(*Config) {}},
		"the address is the name": {change: func(cfg *Config) {
			cfg.Address, cfg.ServerName = "pbx.example:5039", ""
		}},
		"another name":       {change: func(cfg *Config) { cfg.ServerName = "other.example" }, want: "TLS handshake: tls: failed to verify"},
		"another CA":         {change: func(cfg *Config) { cfg.CAFile = own.certFile }, want: "TLS handshake: tls: failed to verify"},
		"no own certificate": {change: func(cfg *Config) { cfg.CertFile, cfg.KeyFile = "", "" }, want: "certificate required"},
		"no file":            {change: func(cfg *Config) { cfg.CAFile += "x" }, want: "read tls_ca_file: open "},
		"no certificate":     {change: func(cfg *Config) { cfg.CAFile = own.keyFile }, want: "read tls_ca_file: no certificate in "},
		"the wrong key":      {change: func(cfg *Config) { cfg.KeyFile = server.keyFile }, want: "read tls_cert_file: tls: private key does not match"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			fake := newFake()
			fake.wrap = func(far net.Conn) net.Conn {
				return tls.Server(far, &tls.Config{
					Certificates: []tls.Certificate{server.Certificate},
					ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: own.pool,
				})
			}
			onBench(t, fake, func(cfg *Config) {
				cfg.TLS, cfg.CAFile, cfg.ServerName = true, server.certFile, "pbx.example"
				cfg.CertFile, cfg.KeyFile = own.certFile, own.keyFile
				tc.change(cfg)
			}, func(t *testing.T, b *bench) {
				if tc.want == "" {
					require.Equal(t, []string{"ready"}, b.take())
					return
				}
				require.Empty(t, b.take())
				entry := b.logs.FilterMessage("Asterisk can't be reached").All()[0]
				require.Contains(t, entry.ContextMap()["error"], tc.want)
			})
		})
	}
}

func TestConfigNamesItsMistakes(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"none":            {change: func(*Config) {}},
		"no port":         {change: func(cfg *Config) { cfg.Address = "localhost" }, want: "address"},
		"a key too few":   {change: func(cfg *Config) { cfg.TLS, cfg.CertFile = true, "a" }, want: "tls_cert_file"},
		"TLS not on":      {change: func(cfg *Config) { cfg.CAFile = "a" }, want: "tls"},
		"a line too many": {change: func(cfg *Config) { cfg.Username = "a\r\nAction: Logoff" }, want: "username"},
		"the secret's":    {change: func(cfg *Config) { cfg.Secret = "a\n" }, want: "secret"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Address, cfg.Username, cfg.Secret = "127.0.0.1:5038", "ampd", "secret"
			tc.change(&cfg)
			var keys []string
			cfg.Check(func(key, _ string) { keys = append(keys, key) })
			require.Equal(t, tc.want, strings.Join(keys, " "))
		})
	}
}

func TestConnectIsBounded(t *testing.T) {
	greetings := map[string]struct{ greeting, want string }{
		"silence":        {"", "read the greeting: "},
		"another server": {"220 mail.example ESMTP\r\n", "the greeting is not Asterisk's"},
		"endless line":   {strings.Repeat("x", 5000), "read the greeting: line too long"},
		"no login":       {"Asterisk Call Manager/11.0.0\r\n", `log in as "ampd": read the answer: `},
	}
	for name, tc := range greetings {
		t.Run(name, func(t *testing.T) {
			onBench(t, newFake(), nil, func(t *testing.T, b *bench) {
				b.start()
				b.c.dial = func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					go func() {
						_, _ = far.Write([]byte(tc.greeting))
						buf := make([]byte, 1000)
						for {
							if _, err := far.Read(buf); err != nil {
								return
							}
						}
					}()
					return near, nil
				}
				began := time.Now()
				_, err := b.c.connect(t.Context(), actionRole)
				require.ErrorContains(t, err, tc.want)
				require.LessOrEqual(t, time.Since(began), 10*time.Second)
			})
		})
	}
}
