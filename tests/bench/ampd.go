package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// An ampd is a running one.
type ampd struct {
	*process
	port    int
	metrics string // URL
}

// settings are what a case wants of its ampd otherwise.
type settings struct {
	tls      bool
	sessions string // more lines of [sessions]
}

// startAmpd runs ampd in front of the Asterisk at upstream and waits until actions
// reach that.
func (w *workshop) startAmpd(upstream string, want settings) (*ampd, error) {
	dir, err := os.MkdirTemp(w.dir, "run-")
	if err != nil {
		return nil, err
	}
	certificate := ""
	if want.tls {
		if certificate, err = makeCertificate(dir); err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
	}
	config := fmt.Sprintf(`
[upstream]
address = %q
username = %q
secret = %q
[[listen]]
address = "127.0.0.1:0"
%s
[sessions]
max_unauthenticated = 100000
max_unauthenticated_per_address = 100000
%s
[state]
resync = "24h" # the events are no calls that its lists could show
[http]
address = "127.0.0.1:0"
[log]
level = "info"
format = "json"
`, upstream, account.Name, account.Secret, certificate, want.sessions)
	path := filepath.Join(dir, "ampd.toml")
	if err := errors.Join(
		os.WriteFile(path, []byte(config), 0o600),
		os.WriteFile(filepath.Join(dir, "profiles.toml"), []byte(profiles), 0o600),
	); err != nil {
		return nil, err
	}
	p, err := launch("ampd", true, w.ampd, "run", "-config", path)
	if err != nil {
		return nil, err
	}
	a := &ampd{process: p}
	if err := a.started(); err != nil {
		p.stop()
		return nil, err
	}
	return a, nil
}

// started reads from the log where ampd listens and that it is connected, which come
// in any order.
func (a *ampd) started() error {
	connected := false
	for !connected || a.port == 0 || a.metrics == "" {
		_, err := a.await(func(line string) (string, bool) {
			var l struct{ Msg, Address string }
			if json.Unmarshal([]byte(line), &l) != nil {
				return "", false
			}
			switch l.Msg {
			case "connected to Asterisk":
				connected = true
			case "listening":
				_, port, _ := net.SplitHostPort(l.Address) // 0 is waited for no longer than for none
				a.port, _ = strconv.Atoi(port)
			case "serving metrics":
				a.metrics = "http://" + l.Address + "/metrics"
			default:
				return "", false
			}
			return "", true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// values are ampd's metrics by name and labels.
func (a *ampd) values() (map[string]float64, error) {
	response, err := http.Get(a.metrics)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			if v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err == nil {
				values[line[:at]] = v
			}
		}
	}
	return values, nil
}
