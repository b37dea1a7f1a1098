package tests

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/simulator"
	"ampd/tests/daemon"
)

// simulated starts a simulated call centre without calls and returns its address.
func simulated(t testing.TB, config simulator.Config) string {
	t.Helper()
	config.CallsPerMinute, config.Quiet = -1, true
	config.WriteTimeout = goodLimit // ampd is not to be cut on a busy machine
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- simulator.New(config).Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return l.Addr().String()
}

// amiClient is a client that costs little.
type amiClient struct {
	net.Conn
	*native.Decoder
}

func login(b *testing.B, addr, name string) amiClient {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	b.Cleanup(func() { conn.Close() })
	c := amiClient{conn, native.NewDecoder(conn, native.FromAsterisk)}
	_, err = c.ReadLine()
	require.NoError(b, err)
	c.say(b, "Action: Login\r\nUsername: "+name+"\r\nSecret: "+name+"secret\r\nEvents: off\r\n\r\n")
	require.Equal(b, "Authentication accepted", c.hear(b).Get("Message"))
	return c
}

func (c amiClient) say(b *testing.B, action string) {
	_, err := c.Write([]byte(action))
	require.NoError(b, err)
}

func (c amiClient) hear(b *testing.B) *codec.Packet {
	var p codec.Packet
	require.NoError(b, c.Decode(&p))
	return &p
}

// BenchmarkAction is the time from an action to its whole answer, one after the
// other on one session: what ampd answers itself, and what a simulated Asterisk
// answers, directly and through ampd.
func BenchmarkAction(b *testing.B) {
	pbx := simulated(b, simulator.Config{})
	d := daemon.Start(b, pbx, daemon.Config{})
	d.WaitReady(b)
	for _, to := range []struct{ name, addr string }{{"direct", pbx}, {"ampd", d.Addr}} {
		for _, action := range []struct{ name, end string }{{"Ping", ""}, {"CoreStatus", ""}, {"QueueStatus", "QueueStatusComplete"}} {
			b.Run(to.name+"/"+action.name, func(b *testing.B) {
				c := login(b, to.addr, "ampd")
				for b.Loop() {
					c.say(b, "Action: "+action.name+"\r\nActionID: 1\r\n\r\n")
					for p := c.hear(b); action.end != "" && p.Name() != action.end; {
						p = c.hear(b)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "actions/s")
			})
		}
	}
}

// BenchmarkIdleClients is what 1,000 clients that are logged in and idle take of
// ampd's memory.
func BenchmarkIdleClients(b *testing.B) {
	const clients = 1000
	d := daemon.Start(b, simulated(b, simulator.Config{}), daemon.Config{Sessions: "max_unauthenticated = 2000\nmax_unauthenticated_per_address = 2000"})
	d.WaitReady(b)
	login(b, d.Addr, "ampd")
	runtime.GC()
	before := rss(b, d.PID())
	for b.Loop() {
		for range clients {
			login(b, d.Addr, "ampd")
		}
	}
	b.ReportMetric(float64(rss(b, d.PID())-before)/float64(clients*b.N)/1000, "kB/client")
}

// rss is a process's resident memory in bytes.
func rss(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	_, rest, found := strings.Cut(string(status), "VmRSS:")
	require.True(b, found)
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(b, err)
	return kb * 1024
}
