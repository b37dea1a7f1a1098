package downstream

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync/atomic"
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

	// Format is in which sessions are answered that don't say: "asterisk", or "xml".
	// A listener for XML does not greet.
	Format string `toml:"format" oneof:"asterisk xml"`

	// Flash ends each packet with a NUL, as XMLSocket wants it.
	Flash bool `toml:"flash"`

	// ResponseFirst has answers of the ampd dialect begin with their Response.
	ResponseFirst bool `toml:"response_first"`

	// PolicyFile is the cross-domain policy that is sent to whom asks for it, in XML.
	PolicyFile string `toml:"policy_file"`

	// CertFile and KeyFile are PEM files; with them the listener speaks TLS.
	// With ClientCAFile, the authorities of a PEM file, a client must show a
	// certificate of theirs.
	CertFile     string `toml:"tls_cert_file"`
	KeyFile      string `toml:"tls_key_file"`
	ClientCAFile string `toml:"tls_client_ca_file"`
}

// Defaults has the listener greet as Asterisk 22.
func (l *Listener) Defaults() {
	l.Greeting = "Asterisk Call Manager/11.0.0"
	l.Format = "asterisk"
}

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
	if _, err := l.policy(); err != nil {
		report("policy_file", err.Error())
	}
	if strings.ContainsAny(l.Greeting, "\r\n\x00") {
		report("greeting", "must be one line")
	}
}

// A Port is an open listener.
type Port struct {
	net.Listener
	now atomic.Pointer[Manner] // nil is the zero one
}

// A Manner is how the clients of a port are served: what a [Listener] says, and the files
// that it names hold, besides its address. The zero one is that of a listener with nothing
// but an address.
type Manner struct {
	greeting string
	voice    Voice       // of sessions that don't say
	policy   []byte      // what a Flash movie that asks is sent, empty for nothing
	tls      *tls.Config // nil without TLS
}

// Manner reads the files that the listener names.
func (l *Listener) Manner() (*Manner, error) {
	m := &Manner{greeting: l.Greeting, voice: Voice{XML: l.Format == "xml", NUL: l.Flash, ResponseFirst: l.ResponseFirst}}
	var err error
	if m.policy, err = l.policy(); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.Address, err)
	}
	if l.CertFile != "" {
		if m.tls, err = l.tls(); err != nil {
			return nil, fmt.Errorf("listen on %s: %w", l.Address, err)
		}
	}
	return m, nil
}

// Serve has the clients that connect from now on served so.
func (p *Port) Serve(m *Manner) { p.now.Store(m) }

func (p *Port) manner() *Manner {
	if m := p.now.Load(); m != nil {
		return m
	}
	return &Manner{}
}

// Open opens the listener's socket.
func (l *Listener) Open() (*Port, error) {
	m, err := l.Manner()
	if err != nil {
		return nil, err
	}
	p := &Port{}
	p.Serve(m)
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

// policyMost is the longest policy file, in bytes.
const policyMost = 64 << 10

// policy reads the policy file and ends it with a NUL.
func (l *Listener) policy() ([]byte, error) {
	if l.PolicyFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(l.PolicyFile)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the policy: %w", err)
	case len(text) > policyMost:
		return nil, fmt.Errorf("the policy is longer than %d bytes", policyMost)
	}
	return append(bytes.TrimSpace(text), 0), nil
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
