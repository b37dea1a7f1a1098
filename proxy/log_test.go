package proxy

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestNobodyWaitsForALogThatIsNotRead(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	log, err := LogConfig{Level: "info", Format: "json"}.newLogger(w)
	require.NoError(t, err)
	for i := range waitingLines + 100 {
		log.Info("a line", zap.Int("n", i))
		log.Debug("not asked for")
	}
	require.ErrorIs(t, log.Sync(), errUnread)

	in := bufio.NewReader(r)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^\{"level":"info","time":"[^"]+","msg":"a line","n":0\}\n$`, line)
	for strings.Contains(line, `"msg":"a line"`) {
		line, err = in.ReadString('\n')
		require.NoError(t, err)
	}
	require.Regexp(t, `"msg":"lines of the log were lost","lines":(99|100)\}`, line)
	log.Info("the last")
	go func() { _, _ = io.Copy(io.Discard, in) }()
	require.NoError(t, log.Sync())
}
