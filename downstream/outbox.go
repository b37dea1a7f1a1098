package downstream

import (
	"sync"
	"time"
)

// writeSize is how much the writer hands to the kernel at once, in bytes, when
// that much waits.
const writeSize = 64 << 10

// An outbox holds what a client has yet to be sent. Everybody may add to it, the
// session's writer takes from it.
type outbox struct {
	wake chan struct{} // holds a token when there may be something to take

	mu       sync.Mutex
	frames   []frame
	bytes    int  // of frames and of what the writer has taken but not yet written
	finished bool // nothing is added any more
	dropped  bool // what waits is not written either
}

// A frame is whole packets, never changed once they are here.
type frame struct {
	data  []byte
	since time.Time // when it came here
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// add puts frames behind what waits and returns the bytes that wait then.
func (o *outbox) add(now time.Time, frames ...[]byte) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return 0
	}
	for _, data := range frames {
		o.frames = append(o.frames, frame{data, now})
		o.bytes += len(data)
	}
	o.signal()
	return o.bytes
}

// size is how many bytes wait.
func (o *outbox) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

// finish lets nothing more in. With drop, what waits is forgotten.
func (o *outbox) finish(drop bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	if drop {
		o.dropped, o.frames, o.bytes = true, nil, 0
	}
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// wait returns true when there is something to take, false when nothing is left
// and nothing will follow.
func (o *outbox) wait() bool {
	for {
		o.mu.Lock()
		some, done := len(o.frames) > 0, o.finished
		o.mu.Unlock()
		if some || done {
			return some
		}
		<-o.wake
	}
}

// take appends up to writeSize bytes of what waits to buf, more only when the
// first frame alone is larger, and says when the oldest of it came. Only the
// writer calls it, after wait.
func (o *outbox) take(buf []byte) (_ []byte, since time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(o.frames) && (n == 0 || len(buf)+len(o.frames[n].data) <= writeSize) {
		if n == 0 {
			since = o.frames[0].since
		}
		buf = append(buf, o.frames[n].data...)
		o.frames[n].data = nil
		n++
	}
	o.frames = o.frames[n:]
	if len(o.frames) == 0 {
		o.frames = nil // an idle session holds no memory here
	}
	return buf, since
}

// wrote says that n bytes taken have reached the kernel.
func (o *outbox) wrote(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dropped {
		o.bytes -= n
	}
}
