package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// LogConfig says what is logged to standard error, and how.
type LogConfig struct {
	Level  string `toml:"level" oneof:"debug info warn error"`
	Format string `toml:"format" oneof:"json console" restart:"true"`
}

// A Logger is the log of the process.
type Logger struct {
	*zap.Logger
	level zap.AtomicLevel
}

// NewLogger returns the logger that c describes, which serves until the process
// ends. The caller syncs it.
func (c LogConfig) NewLogger() (*Logger, error) { return c.newLogger(os.Stderr) }

func (c LogConfig) newLogger(w io.Writer) (*Logger, error) {
	level, err := zap.ParseAtomicLevel(c.Level)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	format := zap.NewProductionEncoderConfig()
	format.TimeKey = "time"
	format.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder := zapcore.NewJSONEncoder(format)
	if c.Format == "console" {
		format.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		format.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(format)
	}
	lines := &lineWriter{w: w, entries: make(chan entry, waitingLines)}
	log := zap.New(zapcore.NewCore(encoder, lines, level)) // no sampling: each refused login is a line
	go lines.run(log)                                      // until the process ends
	return &Logger{log, level}, nil
}

// waitingLines is how many lines of the log may wait to be written.
const waitingLines = 4096

// syncWait is how long Sync waits for them.
const syncWait = time.Second

var errUnread = errors.New("nobody reads the log")

// A lineWriter writes lines on a goroutine of its own, so that nothing ever waits for
// a log that is not read. A line that finds no room is lost, and the log says so when
// all that waited was written.
type lineWriter struct {
	w       io.Writer
	entries chan entry
	lost    atomic.Uint64
}

// An entry is a line, or asks to be told that all before it were written.
type entry struct {
	line    []byte
	written chan struct{}
}

func (l *lineWriter) run(log *zap.Logger) {
	for e := range l.entries {
		if e.written != nil {
			close(e.written)
		} else {
			_, _ = l.w.Write(e.line) // there is nowhere to say that this failed
		}
		if len(l.entries) > 0 {
			continue
		}
		if lost := l.lost.Swap(0); lost > 0 {
			log.Warn("lines of the log were lost", zap.Uint64("lines", lost))
		}
	}
}

func (l *lineWriter) Write(line []byte) (int, error) {
	select {
	case l.entries <- entry{line: bytes.Clone(line)}:
	default:
		l.lost.Add(1)
	}
	return len(line), nil
}

func (l *lineWriter) Sync() error {
	timeout := time.After(syncWait)
	written := make(chan struct{})
	select {
	case l.entries <- entry{written: written}:
	case <-timeout:
		return errUnread
	}
	select {
	case <-written:
		return nil
	case <-timeout:
		return errUnread
	}
}
