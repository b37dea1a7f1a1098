package faultproxy_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/faultproxy"
)

// onPipes runs a test in a bubble, with a proxy between two pipes.
func onPipes(t *testing.T, test func(t *testing.T, p *faultproxy.Proxy, client, server net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		p := faultproxy.New()
		defer p.Close()
		client, left := net.Pipe()
		right, server := net.Pipe()
		p.Join(left, right)
		defer client.Close()
		defer server.Close()
		test(t, p, client, server)
	})
}

// write writes in the background: a pipe has no room.
func write(conn net.Conn, text string) { go func() { _, _ = io.WriteString(conn, text) }() }

func read(t *testing.T, conn net.Conn, n int) string {
	t.Helper()
	buf := make([]byte, n)
	_, err := io.ReadFull(conn, buf)
	require.NoError(t, err)
	return string(buf)
}

func TestTrapsSpringToTheByte(t *testing.T) {
	const text = "one two one two"
	for name, tc := range map[string]struct {
		trap faultproxy.Trap
		want string
	}{
		"at the beginning":      {faultproxy.Trap{}, ""},
		"behind so many bytes":  {faultproxy.Trap{Bytes: 6}, "one tw"},
		"at the end":            {faultproxy.Trap{Bytes: len(text)}, text},
		"behind a text":         {faultproxy.Trap{After: "two", Link: -1}, "one two"},
		"some bytes behind it":  {faultproxy.Trap{After: "two", Bytes: 3}, "one two on"},
		"of a link that isn't":  {faultproxy.Trap{Link: 1}, text},
		"behind an absent text": {faultproxy.Trap{After: "three"}, text},
		"of the other side":     {faultproxy.Trap{From: faultproxy.Server}, text},
	} {
		for _, chunk := range []int{0, 1, 4} {
			t.Run(name, func(t *testing.T) {
				onPipes(t, func(t *testing.T, p *faultproxy.Proxy, client, server net.Conn) {
					tc.trap.Do = (*faultproxy.Link).Cut
					p.Trap(tc.trap)
					p.Set(faultproxy.Client, faultproxy.Line{Chunk: chunk})
					go func() {
						_, _ = io.WriteString(client, text)
						synctest.Wait()
						client.Close()
					}()
					got, err := io.ReadAll(server)
					require.NoError(t, err)
					require.Equal(t, tc.want, string(got))
					require.Equal(t, tc.want, string(p.Links()[0].Sent(faultproxy.Client)))
					<-p.Links()[0].Ended()
					require.Zero(t, p.Open())
				})
			})
		}
	}
}

func TestTextThatHadPassedSpringsNothing(t *testing.T) {
	onPipes(t, func(t *testing.T, p *faultproxy.Proxy, client, server net.Conn) {
		write(client, "one ")
		require.Equal(t, "one ", read(t, server, 4))
		synctest.Wait()
		sprung := p.Trap(faultproxy.Trap{After: "one", Do: (*faultproxy.Link).Hush})
		write(client, "two one ")
		require.Equal(t, "two one", read(t, server, 7))
		<-sprung
		write(server, "three")
		synctest.Wait()
		require.Equal(t, "one two one", string(p.Links()[0].Sent(faultproxy.Client)))
		require.Empty(t, p.Links()[0].Sent(faultproxy.Server))
		client.Close()
		synctest.Wait()
		require.Equal(t, 1, p.Open(), "the server does not hear of the end")
		p.Set(faultproxy.Client, faultproxy.Line{})
		rest, err := io.ReadAll(server)
		require.NoError(t, err)
		require.Equal(t, " ", string(rest))
	})
}

func TestLinesDelayAndThrottle(t *testing.T) {
	text := strings.Repeat("0123456789", 300)
	for name, tc := range map[string]struct {
		line faultproxy.Line
		want time.Duration
	}{
		"at once":   {faultproxy.Line{}, 0},
		"delayed":   {faultproxy.Line{Delay: 200 * time.Millisecond}, 200 * time.Millisecond},
		"throttled": {faultproxy.Line{Rate: 1000}, 2900 * time.Millisecond},
		"in bytes":  {faultproxy.Line{Chunk: 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onPipes(t, func(t *testing.T, p *faultproxy.Proxy, client, server net.Conn) {
				p.Set(faultproxy.Server, tc.line)
				began := time.Now()
				write(server, text)
				require.Equal(t, text, read(t, client, len(text)))
				require.Equal(t, tc.want, time.Since(began))
			})
		})
	}
}

func TestSockets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	p := faultproxy.Listen(t, l.Addr().String())
	client, err := net.Dial("tcp", p.Addr)
	require.NoError(t, err)
	defer client.Close()
	server, err := l.Accept()
	require.NoError(t, err)
	defer server.Close()
	write(client, "to")
	require.Equal(t, "to", read(t, server, 2))
	write(server, "fro")
	require.Equal(t, "fro", read(t, client, 3))
	p.Trap(faultproxy.Trap{Link: -1, From: faultproxy.Server, After: "he", Do: (*faultproxy.Link).Reset})
	write(server, "there")
	require.Equal(t, "the", read(t, client, 3))
	_, err = client.Read(make([]byte, 1))
	require.ErrorContains(t, err, "connection reset by peer")
	<-p.Links()[0].Ended()

	p.Refuse(true)
	refused, err := net.Dial("tcp", p.Addr)
	if err == nil { // else it was reset already
		defer refused.Close()
		_, err = refused.Read(make([]byte, 1))
	}
	require.ErrorContains(t, err, "connection reset by peer")
	require.Zero(t, p.Open())
}
