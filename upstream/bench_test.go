package upstream

import (
	"net"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"ampd/codec"
)

// A counter counts the events it is given.
type counter struct {
	Handler
	left int
	done chan struct{}
}

func (c *counter) Events(batch []*codec.Packet) {
	if c.left -= len(batch); c.left <= 0 {
		close(c.done)
		c.left = 1 << 62
	}
}

func (c *counter) Rest() {}

// BenchmarkEvents is the way of one recorded event from the socket to the Handler.
func BenchmarkEvents(b *testing.B) {
	recorded, err := os.ReadFile("../tests/corpus/22-queue-hour.s2c")
	require.NoError(b, err)
	fake := newFake()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	cfg := DefaultConfig()
	cfg.Address, cfg.Username, cfg.Secret = l.Addr().String(), "ampd", fakeSecret
	h := &counter{left: b.N, done: make(chan struct{})}
	c := New(cfg, h, zap.NewNop(), NewMetrics(prometheus.NewRegistry()))
	go func() {
		far, err := l.Accept()
		if err != nil {
			return
		}
		defer far.Close()
		k := &fakeConn{Conn: far, fake: fake, queue: make(chan string, 1000), gone: make(chan struct{})}
		k.send("Asterisk Call Manager/11.0.0\r\n")
		go k.write()
		k.serve()
	}()
	k, err := c.connect(b.Context(), eventRole)
	require.NoError(b, err)
	far := fake.conns[0]
	b.ReportAllocs()
	b.ResetTimer()
	go func() { _ = c.serve(b.Context(), k) }()
	go func() {
		for {
			if _, err := far.Write(recorded); err != nil {
				return
			}
		}
	}()
	<-h.done
}
