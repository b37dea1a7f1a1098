package upstream

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"ampd/config"
	"ampd/simulator"
)

// A nameServer is what Go's own resolver asks. What it says is an answer's RCODE, or one of
// these.
type nameServer struct{ says atomic.Int32 }

const (
	loopback = -1 // the address is 127.0.0.1
	nothing  = -2
)

// dial makes a stream, not datagrams: a question, and its answer, follows its length.
func (s *nameServer) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		for {
			question := make([]byte, 2)
			if _, err := io.ReadFull(far, question); err != nil {
				return
			}
			question = make([]byte, binary.BigEndian.Uint16(question))
			if _, err := io.ReadFull(far, question); err != nil {
				return
			}
			if answer := s.answer(question); answer != nil {
				_, _ = far.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)) // an error shows in the read
			}
		}
	}()
	return near, nil
}

// answer follows RFC 1035, section 4.1.
func (s *nameServer) answer(question []byte) []byte {
	says := s.says.Load()
	if says == nothing {
		return nil
	}
	end := 12
	for question[end] != 0 {
		end += 1 + int(question[end])
	}
	end += 5
	isA := binary.BigEndian.Uint16(question[end-4:]) == 1
	answer := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end]...)
	switch {
	case says > 0:
		answer[3] |= byte(says)
	case isA:
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1)
	}
	return answer
}

// Whatever becomes of the name's resolution, ampd says it once and goes on trying.
func TestNameServers(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serving, end := context.WithCancel(t.Context())
	var served sync.WaitGroup
	served.Go(func() { _ = simulator.New(simulator.Config{CallsPerMinute: -1}).Serve(serving, l) }) // ends without an error
	defer served.Wait()
	defer end()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)

	var names nameServer
	names.says.Store(nothing)
	cfg := DefaultConfig()
	cfg.Address, cfg.Username, cfg.Secret = "pbx.example:"+port, simulator.DefaultUser.Name, config.Secret(simulator.DefaultUser.Secret)
	cfg.ConnectTimeout = seconds(1)
	core, logs := observer.New(zapcore.InfoLevel)
	c := New(cfg, &heard{names: map[*Call]string{}}, zap.New(core), NewMetrics(prometheus.NewRegistry()))
	c.dial = (&net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: names.dial}}).DialContext
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()

	logged := func(message, text string) (times int) {
		for _, entry := range logs.FilterMessage(message).All() {
			if found, _ := entry.ContextMap()["error"].(string); strings.Contains(found, text) {
				times++
			}
		}
		return times
	}
	const unreachable = "Asterisk can't be reached"
	for _, trouble := range []struct {
		says int32
		text string
	}{
		{nothing, "lookup pbx.example: i/o timeout"},
		{2, "server misbehaving"}, // a failure of the server's
		{3, "no such host"},
	} {
		names.says.Store(trouble.says)
		require.Eventually(t, func() bool { return logged(unreachable, trouble.text) == 1 }, 20*time.Second, time.Millisecond)
	}
	names.says.Store(loopback)
	require.Eventually(t, func() bool { return logged("connected to Asterisk", "") == 1 }, 20*time.Second, time.Millisecond)
	names.says.Store(nothing)
	end() // it is lost, and can't be found again
	require.Eventually(t, func() bool { return logged(unreachable, "lookup pbx.example: i/o timeout") == 2 }, 20*time.Second, time.Millisecond)
	stop()
	select {
	case err := <-ran:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		require.Fail(t, "Run does not return while a name is looked up")
	}
}
