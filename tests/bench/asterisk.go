package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/simulator"
)

// account is that of ampd at the fake Asterisk. Without class security it is not told
// of logins.
var account = simulator.User{Name: "ampd", Secret: "ampdsecret", Read: codec.All &^ codec.Security, Write: codec.All}

// A fakeAsterisk answers what ampd asks, and has its event connection. What matters to
// speed it does itself from prepared bytes: Ping, QueueStatus, ListCommands (a real
// Asterisk's) and events. All else it leaves to the simulator, with which each
// connection has one of its own behind it.
type fakeAsterisk struct {
	listener net.Listener
	stop     context.CancelFunc
	ended    sync.WaitGroup
	behind   string // address of the simulator

	list     *queueList
	commands []byte // the headers of the answer to ListCommands

	events chan *fakeConn // those that logged in with "Events: on"
}

type fakeConn struct {
	fake *fakeAsterisk
	net.Conn
	said chan struct{} // the simulator has greeted or answered
	mu   sync.Mutex    // of writing whole packets
}

func startFake() (*fakeAsterisk, error) {
	commands, err := recordedCommands()
	if err != nil {
		return nil, err
	}
	f := &fakeAsterisk{list: newQueueList(), commands: commands, events: make(chan *fakeConn, 16)}
	simulated, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		simulated.Close()
		return nil, err
	}
	f.behind = simulated.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.ended.Go(func() {
		config := simulator.Config{CallsPerMinute: -1, Quiet: true, Users: []simulator.User{account}}
		_ = simulator.New(config).Serve(ctx, simulated) // ampd's own words say what is missing then
	})
	f.ended.Go(f.serve)
	return f, nil
}

// recordedCommands is what a real Asterisk can do, as it says itself.
func recordedCommands() ([]byte, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	tour, err := os.ReadFile(filepath.Join(root, "tests", "corpus", "22-tour.s2c"))
	if err != nil {
		return nil, err
	}
	for packet := range bytes.SplitSeq(tour, []byte("\r\n\r\n")) {
		first, rest, _ := bytes.Cut(packet, []byte("-ListCommands\r\n"))
		if bytes.HasPrefix(first, []byte("Response: Success\r\nActionID: ")) && len(rest) > 1000 {
			return append(bytes.Clone(rest), "\r\n\r\n"...), nil
		}
	}
	return nil, errors.New("the corpus has no ListCommands")
}

func (f *fakeAsterisk) addr() string { return f.listener.Addr().String() }

func (f *fakeAsterisk) serve() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		c := &fakeConn{fake: f, Conn: conn, said: make(chan struct{}, 1)}
		f.ended.Go(c.serve)
	}
}

// serve answers until either side ends.
func (c *fakeConn) serve() {
	defer c.Close()
	behind, err := net.Dial("tcp", c.fake.behind)
	if err != nil {
		return
	}
	defer behind.Close()
	var back sync.WaitGroup
	defer back.Wait()
	defer behind.Close()
	back.Go(func() { c.bringBack(behind) })
	decoder := native.NewDecoder(c, native.FromClient)
	var out []byte
	for range c.said {
		for {
			var p codec.Packet
			if decoder.Decode(&p) != nil {
				return
			}
			if out = c.answer(out[:0], &p); len(out) == 0 {
				_, err = behind.Write(p.Raw)
				break // until the simulator has answered
			}
			if err = c.write(out); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// bringBack passes on what the simulator says, packet by packet.
func (c *fakeConn) bringBack(behind net.Conn) {
	defer close(c.said)
	defer c.Close()
	decoder := native.NewDecoder(behind, native.FromAsterisk)
	greeting, err := decoder.ReadLine()
	if err != nil || c.write([]byte(greeting+"\r\n")) != nil {
		return
	}
	c.said <- struct{}{}
	for {
		var p codec.Packet
		if decoder.Decode(&p) != nil || c.write(p.Raw) != nil {
			return
		}
		if p.Kind() == codec.Response {
			c.said <- struct{}{}
		}
	}
}

// answer appends what the fake answers itself.
func (c *fakeConn) answer(b []byte, p *codec.Packet) []byte {
	id := p.Get("ActionID")
	switch strings.ToLower(p.ActionName()) {
	case "ping":
		return pong(b, id)
	case "queuestatus":
		return c.fake.list.answer(b, id)
	case "listcommands":
		b = fmt.Appendf(b, "Response: Success\r\nActionID: %s\r\n", id)
		return append(b, c.fake.commands...)
	case "login":
		if strings.EqualFold(p.Get("Events"), "on") {
			c.fake.events <- c
		}
	}
	return b
}

func (c *fakeConn) write(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.Write(b)
	return err
}

// stream has events sent on ampd's event connection, which must be logged in.
func (f *fakeAsterisk) stream(r *recording) (*stream, error) {
	var c *fakeConn
	select {
	case c = <-f.events:
	default:
		return nil, errors.New("ampd has no event connection")
	}
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	s := newStream(r, nil)
	s.mu = &c.mu
	err = raw.Control(func(fd uintptr) { s.fd = int(fd) }) // it is open for as long as ampd runs
	return s, err
}

func (f *fakeAsterisk) close() {
	f.stop()
	f.listener.Close()
	f.ended.Wait()
}
