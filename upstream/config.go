package upstream

import (
	"net"
	"time"

	"ampd/config"
)

// Config says where Asterisk is and how long ampd waits for it.
type Config struct {
	// Address is host:port of manager.conf's bindaddr, or of its tlsbindaddr.
	Address  string        `toml:"address" required:"true" restart:"true"`
	Username string        `toml:"username" required:"true" restart:"true"`
	Secret   config.Secret `toml:"secret" required:"true"`

	// Login is "md5" (a challenge, so that the secret does not travel) or
	// "plain".
	Login string `toml:"login" oneof:"md5 plain"`

	// TLS has the connections encrypted. CAFile holds the certificates to trust
	// instead of the system's, ServerName the name that the certificate must
	// bear instead of Address's host; CertFile and KeyFile are ampd's own
	// certificate. All files are PEM, read at each connect.
	TLS        bool   `toml:"tls" restart:"true"`
	CAFile     string `toml:"tls_ca_file"`
	ServerName string `toml:"tls_server_name"`
	CertFile   string `toml:"tls_cert_file"`
	KeyFile    string `toml:"tls_key_file"`

	// ActionConnections is how many connections carry clients' actions beside
	// the one that brings the events; with 0 that one carries them too.
	ActionConnections int `toml:"action_connections" min:"0" max:"8" restart:"true"`

	// ConnectTimeout bounds dialling, TLS handshake, banner and login together.
	ConnectTimeout config.Duration `toml:"connect_timeout" min:"1s" max:"5m"`

	// BootTimeout is how long ampd waits for an Asterisk that boots to say
	// FullyBooted.
	BootTimeout config.Duration `toml:"boot_timeout" min:"1s" max:"1h"`

	// PingInterval is the silence after which an idle connection is pinged,
	// PingTimeout the further silence after which it is taken for lost.
	PingInterval config.Duration `toml:"ping_interval" min:"1s" max:"1h"`
	PingTimeout  config.Duration `toml:"ping_timeout" min:"500ms" max:"10m"`

	// ActionTimeout is how long an action may wait for each next packet of its
	// answer. Actions that say how long they last (Originate's Timeout,
	// PlayDTMF's Duration) get that on top.
	ActionTimeout config.Duration `toml:"action_timeout" min:"1s" max:"1h"`

	// ShutdownGrace is how long the actions under way may still be answered when
	// ampd stops.
	ShutdownGrace config.Duration `toml:"shutdown_grace" min:"0s" max:"5m"`
}

// DefaultConfig is in force where the configuration says nothing.
func DefaultConfig() Config {
	return Config{
		Login:             "md5",
		ActionConnections: 3,
		ConnectTimeout:    config.Duration(10 * time.Second),
		BootTimeout:       config.Duration(2 * time.Minute),
		PingInterval:      config.Duration(15 * time.Second),
		PingTimeout:       config.Duration(5 * time.Second),
		ActionTimeout:     config.Duration(30 * time.Second),
		ShutdownGrace:     config.Duration(3 * time.Second),
	}
}

// Check reports what is wrong between the keys.
func (c *Config) Check(report func(key, problem string)) {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		report("address", `must be host:port, "127.0.0.1:5038" say`)
	}
	if !isLine(c.Username) {
		report("username", "may not hold line ends or NUL")
	}
	if !isLine(string(c.Secret)) {
		report("secret", "may not hold line ends or NUL")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		report("tls_cert_file", "goes together with tls_key_file")
	}
	if !c.TLS && (c.CAFile != "" || c.ServerName != "" || c.CertFile != "") {
		report("tls", "must be true for the other tls keys to have a meaning")
	}
	if !c.TLS {
		return
	}
	if _, err := c.authorities(); err != nil {
		report("tls_ca_file", err.Error())
	}
	if c.KeyFile == "" {
		return
	}
	if _, err := c.own(); err != nil {
		report("tls_cert_file", err.Error())
	}
}
