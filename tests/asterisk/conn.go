package asterisk

import (
	"bufio"
	"fmt"
	"net"
	"strings"
)

// Conn is a conversation with any AMI server. It shares no code with ampd, so that
// it can judge it. One goroutine may send while another reads.
type Conn struct {
	net.Conn
	Banner string // the server's first line, without its line end
	reader *bufio.Reader
}

// Packet is the lines of one packet without their line ends.
type Packet []string

// Get returns the first value of a header, whatever its case; "" if there is none.
func (p Packet) Get(name string) string {
	for _, line := range p {
		key, value, found := strings.Cut(line, ":")
		if found && strings.EqualFold(key, name) {
			return strings.TrimPrefix(value, " ")
		}
	}
	return ""
}

func (p Packet) String() string { return strings.Join(p, "\n") }

// Dial connects and reads the banner.
func Dial(addr string) (*Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: conn, reader: bufio.NewReader(conn)}
	if c.Banner, err = c.line(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("read banner: %w", err)
	}
	return c, nil
}

// Login logs in by secret, with further headers if wanted: "Events: off".
func (c *Conn) Login(account Account, headers ...string) error {
	login := append([]string{"Action: Login", "Username: " + account.Name, "Secret: " + account.Secret}, headers...)
	if err := c.Send(login...); err != nil {
		return err
	}
	answer, err := c.Read()
	if err != nil {
		return fmt.Errorf("read the answer to Login: %w", err)
	}
	if answer.Get("Response") != "Success" {
		return fmt.Errorf("log in as %q: %s", account.Name, answer.Get("Message"))
	}
	return nil
}

// Send writes one packet from its lines.
func (c *Conn) Send(lines ...string) error {
	_, err := c.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	return err
}

// Read returns the next packet. Empty lines in front of it are skipped: Asterisk
// ends some packets with one too many.
func (c *Conn) Read() (Packet, error) {
	var packet Packet
	for {
		line, err := c.line()
		if err != nil {
			return packet, err
		}
		if line != "" {
			packet = append(packet, line)
		} else if len(packet) > 0 {
			return packet, nil
		}
	}
}

// line reads up to CRLF. A lone LF belongs to the value.
func (c *Conn) line() (string, error) {
	var line strings.Builder
	for {
		part, err := c.reader.ReadString('\n')
		line.WriteString(part)
		if err != nil {
			return line.String(), err
		}
		if text, found := strings.CutSuffix(line.String(), "\r\n"); found {
			return text, nil
		}
	}
}
