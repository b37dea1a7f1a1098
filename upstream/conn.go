package upstream

import (
	"context"
	"crypto/md5" // the protocol's own
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/socket"
)

// Errors of a login that Asterisk refuses.
var (
	errRefused = errors.New("login refused: username, secret or address do not fit manager.conf")
	errInUse   = errors.New("second login of the account refused (allowmultiplelogin = no)")
)

// A role is what a connection is for.
type role uint8

const (
	eventRole  role = iota // brings the events
	actionRole             // runs actions
)

// batchMost is the greatest number of packets dealt with together.
const batchMost = 256

// A conn is a connection that is logged in. Two goroutines serve it: read deals with
// what comes, [Client.serve] begins runs and watches the time.
type conn struct {
	net.Conn
	role    role
	version string // from the banner

	// The reader's, before login the dialler's.
	dec      *native.Decoder
	packets  []codec.Packet // that have come together
	headers  []codec.Header // of all of them
	repaired uint64         // as counted so far

	work    chan *run     // the next run, room for one: given only while the connection is idle
	enlist  chan struct{} // closed when the connection shall take runs from the scheduler
	booted  chan struct{} // closed when FullyBooted has come
	vacated chan struct{} // closed when the connection takes no more runs
	over    chan struct{} // closed when the reader has ended, readErr says why
	readErr error

	// mu is held by whichever of the two is at work. It guards all below.
	mu       sync.Mutex
	answer   *answer // of the run under way
	out      []*codec.Packet
	takes    bool      // runs of the scheduler's
	offered  bool      // told the scheduler that it is idle
	retired  bool      // reads the rest of an answer nobody waits for, then ends
	ending   bool      // what comes is nobody's any more
	pinged   bool      // silent for so long that a Ping was sent
	pings    []string  // ActionIDs of Pings not answered yet
	deadline time.Time // when silence has a consequence
	timer    *time.Timer
	armed    time.Time // when timer fires
}

// connect dials, reads the banner and logs in.
func (c *Client) connect(ctx context.Context, role role) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Load().ConnectTimeout.Std())
	defer cancel()
	raw, err := c.dial(ctx, "tcp", c.cfg.Load().Address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if direct := socket.New(raw); direct != nil {
		raw = direct
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) }) // makes all I/O fail
	k, err := c.greet(ctx, raw, role)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return k, nil
}

func (c *Client) greet(ctx context.Context, raw net.Conn, role role) (*conn, error) {
	cfg := c.cfg.Load()
	if cfg.TLS {
		settings, err := cfg.tls()
		if err != nil {
			return nil, err
		}
		secured := tls.Client(raw, settings)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		raw = secured
	}
	k := &conn{
		Conn:    raw,
		role:    role,
		dec:     native.NewDecoder(raw, native.FromAsterisk),
		work:    make(chan *run, 1),
		enlist:  make(chan struct{}),
		booted:  make(chan struct{}),
		vacated: make(chan struct{}),
		over:    make(chan struct{}),
	}
	banner, err := k.dec.ReadLine()
	if err != nil {
		return nil, fmt.Errorf("read the greeting: %w", err)
	}
	version, ok := strings.CutPrefix(banner, "Asterisk Call Manager/")
	if !ok {
		return nil, errors.New("the greeting is not Asterisk's")
	}
	k.version = version
	if err := k.logIn(cfg); err != nil {
		return nil, fmt.Errorf("log in as %q: %w", cfg.Username, err)
	}
	return k, nil
}

func (k *conn) logIn(cfg *Config) error {
	mask := "off"
	if k.role == eventRole {
		mask = "on"
	}
	headers := []codec.Header{
		{Name: "Action", Value: "Login"},
		{Name: "Username", Value: cfg.Username},
	}
	if cfg.Login == "plain" {
		headers = append(headers, codec.Header{Name: "Secret", Value: string(cfg.Secret)})
	} else {
		answer, err := k.exchange(codec.Header{Name: "Action", Value: "Challenge"}, codec.Header{Name: "AuthType", Value: "MD5"})
		if err != nil {
			return err
		}
		challenge := answer.Get("Challenge")
		if challenge == "" {
			return fmt.Errorf("asked for a challenge: %q", answer.Get("Message"))
		}
		sum := md5.Sum([]byte(challenge + string(cfg.Secret)))
		headers = append(headers,
			codec.Header{Name: "AuthType", Value: "MD5"},
			codec.Header{Name: "Key", Value: hex.EncodeToString(sum[:])})
	}
	answer, err := k.exchange(append(headers, codec.Header{Name: "Events", Value: mask})...)
	if err != nil {
		return err
	}
	message := answer.Get("Message")
	switch {
	case strings.EqualFold(answer.Name(), "Success"):
		return nil
	case strings.EqualFold(message, "Login Already In Use"):
		return errInUse
	case strings.EqualFold(message, "Authentication failed"):
		return errRefused
	}
	return fmt.Errorf("login refused: %q", message)
}

// exchange writes an action and reads its response, before the connection is served.
func (k *conn) exchange(headers ...codec.Header) (*codec.Packet, error) {
	if _, err := k.Write(native.NewPacket(headers...).Raw); err != nil {
		return nil, err
	}
	for {
		p := new(codec.Packet)
		if err := k.dec.Decode(p); err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		if p.Kind() == codec.Response {
			return p, nil
		}
	}
}

// tls reads the certificates, so that renewed ones count at the next connect.
func (c *Config) tls() (*tls.Config, error) {
	settings := &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if settings.ServerName == "" {
		settings.ServerName, _, _ = net.SplitHostPort(c.Address)
	}
	var err error
	if settings.RootCAs, err = c.authorities(); err != nil {
		return nil, fmt.Errorf("read tls_ca_file: %w", err)
	}
	if settings.Certificates, err = c.own(); err != nil {
		return nil, fmt.Errorf("read tls_cert_file: %w", err)
	}
	return settings, nil
}

// authorities are those of CAFile, nil for the system's.
func (c *Config) authorities() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", c.CAFile)
	}
	return pool, nil
}

// own is ampd's own certificate, if it has one.
func (c *Config) own() ([]tls.Certificate, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, err
	}
	return []tls.Certificate{cert}, nil
}

// read deals with what comes, as much at a time as has come together, until the
// connection ends.
func (c *Client) read(k *conn) {
	defer close(k.over)
	for {
		k.packets, k.headers = k.packets[:0], k.headers[:0]
		for len(k.packets) == 0 || k.dec.Whole() && len(k.packets) < batchMost {
			err := k.decode()
			if err == nil {
				continue
			}
			if errors.Is(err, codec.ErrTooLong) && k.role == eventRole {
				c.metrics.Dropped.WithLabelValues("oversize").Inc()
				continue
			}
			k.readErr = fmt.Errorf("read: %w", err)
			break
		}
		repairs := k.dec.Repairs()
		now := repairs.EmptyLines + repairs.Values
		c.metrics.Repairs.Add(float64(now - k.repaired))
		k.repaired = now
		if err := c.take(k); err != nil {
			k.readErr = err
		}
		clear(k.packets) // an idle connection keeps nothing of them
		clear(k.headers)
		if k.readErr != nil {
			return
		}
	}
}

// decode reads one more packet. It is good until all that have come with it have been
// dealt with; Raw outlives that.
func (k *conn) decode() error {
	n := len(k.headers)
	p := codec.Packet{Headers: k.headers[n:]}
	if err := k.dec.Decode(&p); err != nil {
		return err
	}
	if n+len(p.Headers) <= cap(k.headers) {
		k.headers = k.headers[:n+len(p.Headers)]
	} else {
		k.headers = make([]codec.Header, 0, 2*cap(k.headers)+len(p.Headers)) // for those to come
	}
	p.Headers = slices.Clip(p.Headers)
	k.packets = append(k.packets, p)
	return nil
}
