package tests

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ampd/tests/asterisk"
)

// A wire is a connection to any AMI server that keeps what it reads to the byte. One
// goroutine may read while another sends; both return errors, for any goroutine.
type wire struct {
	net.Conn
	name   string
	banner string // with its line end
	reader *bufio.Reader
	stray  int // empty lines between packets so far
}

// wireLimit bounds what a working server does at once, on a machine that has more to
// do than this test.
const wireLimit = 30 * time.Second

// newWire reads the greeting. name is for errors.
func newWire(name string, conn net.Conn) (*wire, error) {
	w := &wire{Conn: conn, name: name, reader: bufio.NewReaderSize(conn, 64<<10)}
	_ = conn.SetReadDeadline(time.Now().Add(wireLimit)) // an error shows in the read
	var err error
	if w.banner, err = w.reader.ReadString('\n'); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: read the greeting: %w", name, err)
	}
	return w, conn.SetReadDeadline(time.Time{})
}

// dialWire connects over TCP or, with "unix:" in front, to a unix socket.
func dialWire(name, addr string) (*wire, error) {
	network := "tcp"
	if path, unix := strings.CutPrefix(addr, "unix:"); unix {
		network, addr = "unix", path
	}
	conn, err := net.DialTimeout(network, addr, wireLimit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return newWire(name, conn)
}

// openWire connects and logs in, with further headers of Login if wanted. The test's
// cleanup closes it.
func openWire(t testing.TB, name, addr string, account asterisk.Account, login ...string) *wire {
	t.Helper()
	w, err := dialWire(name, addr)
	if err == nil {
		t.Cleanup(func() { w.Close() })
		err = w.logIn(account, login...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *wire) logIn(account asterisk.Account, headers ...string) error {
	_, answer, err := w.ask(append([]string{"Action: Login", "Username: " + account.Name, "Secret: " + account.Secret}, headers...)...)
	if err == nil && !strings.HasPrefix(answer, "Response: Success\r\n") {
		err = fmt.Errorf("%s: log in as %q: %q", w.name, account.Name, answer)
	}
	return err
}

// send writes one packet from its lines.
func (w *wire) send(lines ...string) error {
	if _, err := w.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n")); err != nil {
		return fmt.Errorf("%s: send %q: %w", w.name, lines[0], err)
	}
	return nil
}

// read returns the next packet, its line ends included: io.EOF between packets,
// io.ErrUnexpectedEOF inside one. Empty lines in front of it are counted.
func (w *wire) read() (string, error) {
	var packet strings.Builder
	for {
		part, err := w.reader.ReadSlice('\n')
		packet.Write(part)
		switch {
		case err == nil && packet.Len() == 2 && packet.String() == "\r\n":
			w.stray++
			packet.Reset()
		case err == nil && strings.HasSuffix(packet.String(), "\r\n\r\n"):
			return packet.String(), nil
		case err == nil || errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && packet.Len() == 0:
			return "", io.EOF
		case errors.Is(err, io.EOF):
			return packet.String(), fmt.Errorf("%s: %w after %q", w.name, io.ErrUnexpectedEOF, packet.String())
		default:
			return packet.String(), fmt.Errorf("%s: read: %w", w.name, err)
		}
	}
}

// ask sends an action and returns the packets up to its response, which has to come
// within wireLimit, and the response.
func (w *wire) ask(lines ...string) (before []string, response string, err error) {
	if err := w.SetDeadline(time.Now().Add(wireLimit)); err != nil {
		return nil, "", err
	}
	if err := w.send(lines...); err != nil {
		return nil, "", err
	}
	for {
		packet, err := w.read()
		if err != nil {
			return before, "", fmt.Errorf("answer to %q: %w", lines, err)
		}
		if strings.HasPrefix(packet, "Response:") {
			return before, packet, w.SetDeadline(time.Time{})
		}
		before = append(before, packet)
	}
}

// header returns the first value of a header in a packet, "" if there is none. The
// name's case counts.
func header(packet, name string) string {
	rest, found := strings.CutPrefix(packet, name+": ")
	if !found {
		if _, rest, found = strings.Cut(packet, "\r\n"+name+": "); !found {
			return ""
		}
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// isEvent tells an event, or a list's item, from a response.
func isEvent(packet string) bool { return strings.HasPrefix(packet, "Event:") }

// oneVersionAtATime runs a test against each Asterisk, one after the other: where it
// measures times or makes much traffic.
func oneVersionAtATime(t *testing.T, test func(t *testing.T, version string)) {
	for _, version := range asterisk.Versions() {
		t.Run(version, func(t *testing.T) { test(t, version) })
	}
}
