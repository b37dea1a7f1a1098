package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// A relay is a running relay/relay.c.
type relay struct {
	*process
	port     int
	upstream int // a descriptor
}

// ringSize is that of a lane's ring, in bytes; memory for many lanes is short in
// caches.
func ringSize(lanes int) int {
	if lanes > 16 {
		return 256 << 10
	}
	return 1 << 20
}

// startRelay runs the relay with so many lanes.
func (w *workshop) startRelay(lanes int) (*relay, error) {
	pongs, list := filepath.Join(w.dir, "pong"), filepath.Join(w.dir, "list")
	for path, text := range map[string][]byte{pongs: pong(nil, askedID), list: newQueueList().answer(nil, askedID)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, err
		}
	}
	p, err := launch("relay", false, w.relay, strconv.Itoa(lanes), strconv.Itoa(ringSize(lanes)), pongs, list)
	if err != nil {
		return nil, err
	}
	r := &relay{process: p, upstream: -1}
	line, err := p.await(func(line string) (string, bool) { return line, true })
	if err == nil {
		r.port, err = strconv.Atoi(line)
	}
	if err == nil {
		r.upstream, err = dial(r.port, 1)
	}
	if err == nil {
		err = unix.SetNonblock(r.upstream, true)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("relay: %w", err)
	}
	return r, nil
}

// enterLane is what a client says to the relay.
func enterLane(conn net.Conn, l *lane) error {
	if _, err := fmt.Fprintf(conn, "Lane: %d\r\n\r\n", l.number); err != nil {
		return err
	}
	buffer := make([]byte, 1024)
	if n, err := conn.Read(buffer); err != nil || !bytes.Contains(buffer[:n], []byte("Pong")) {
		return fmt.Errorf("relay said %q: %w", buffer[:n], err)
	}
	return nil
}
