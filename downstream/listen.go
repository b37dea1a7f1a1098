package downstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"
)

// A Listener says where clients connect and how.
type Listener struct {
	// Address is "host:port", or "unix:" and the path of a socket, which only
	// ampd's own user and group may open.
	Address string `toml:"address" required:"true"`

	// Greeting is the first line sent while no Asterisk was ever seen; later
	// it is Asterisk's own.
	Greeting string `toml:"greeting"`

	// CertFile and KeyFile are PEM files; with them the listener speaks TLS.
	// With ClientCAFile, the authorities of a PEM file, a client must show a
	// certificate of theirs.
	CertFile     string `toml:"tls_cert_file"`
	KeyFile      string `toml:"tls_key_file"`
	ClientCAFile string `toml:"tls_client_ca_file"`
}

// Defaults has the listener greet as Asterisk 22.
func (l *Listener) Defaults() { l.Greeting = "Asterisk Call Manager/11.0.0" }

// Check reports what is wrong with the listener beyond the form of its values.
func (l *Listener) Check(report func(key, problem string)) {
	if path, unix := strings.CutPrefix(l.Address, "unix:"); unix {
		if path == "" {
			report("address", "the path of the unix socket is missing")
		}
		if l.CertFile != "" {
			report("tls_cert_file", "a unix socket does not speak TLS")
		}
	} else if _, port, err := net.SplitHostPort(l.Address); err != nil {
		report("address", `want "host:port" or "unix:/path/of/socket"`)
	} else if _, err := net.LookupPort("tcp", port); err != nil {
		report("address", fmt.Sprintf("no such port: %q", port))
	}
	if (l.CertFile == "") != (l.KeyFile == "") {
		report("tls_key_file", "tls_cert_file and tls_key_file go together")
	}
	if l.ClientCAFile != "" && l.CertFile == "" {
		report("tls_client_ca_file", "goes with tls_cert_file and tls_key_file")
	}
	if l.CertFile != "" && l.KeyFile != "" {
		if _, err := l.tls(); err != nil {
			report("tls_cert_file", err.Error())
		}
	}
	if strings.ContainsAny(l.Greeting, "\r\n\x00") {
		report("greeting", "must be one line")
	}
}

// A Port is an open listener.
type Port struct {
	net.Listener
	greeting string
	tls      *tls.Config // nil without TLS
}

// Open opens the listener's socket.
func (l *Listener) Open() (*Port, error) {
	p := &Port{greeting: l.Greeting}
	var err error
	if l.CertFile != "" {
		if p.tls, err = l.tls(); err != nil {
			return nil, fmt.Errorf("listen on %s: %w", l.Address, err)
		}
	}
	if path, unix := strings.CutPrefix(l.Address, "unix:"); unix {
		p.Listener, err = openUnix(path)
	} else {
		p.Listener, err = net.Listen("tcp", l.Address)
	}
	if err != nil {
		return nil, err // says "listen tcp 127.0.0.1:5038: ..." itself
	}
	return p, nil
}

// openUnix listens on path, in place of a socket there that nobody listens on any
// more.
func openUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			conn.Close()
			return nil, fmt.Errorf("listen unix %s: another process listens there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("listen unix %s: remove the old socket: %w", path, err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(fmt.Errorf("listen unix %s: %w", path, err), l.Close())
	}
	return l, nil
}

func (l *Listener) tls() (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(l.CertFile, l.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("load certificate and key: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if l.ClientCAFile != "" {
		pem, err := os.ReadFile(l.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("load client authorities: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("load client authorities: no certificate in %s", l.ClientCAFile)
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}
