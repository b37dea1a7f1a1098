package upstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"time"
)

// How long ampd waits before it tries again, up to a quarter more by chance. Within
// the first minute it is never more than two seconds, so that an Asterisk that was
// restarted is found soon.
const (
	retryFirst  = 500 * time.Millisecond
	retryEarly  = 1600 * time.Millisecond
	early       = time.Minute
	retryMost   = 24 * time.Second
	retryRefuse = 24 * time.Second // each refused login costs Asterisk a second and an entry in its log
)

// retry says when to try again. Its zero value is that of something that has not
// failed yet.
type retry struct {
	count int
	since time.Time
	text  string
}

// ownAddress is ampd's end of a connection in an error's text. Its port is another one
// each time.
var ownAddress = regexp.MustCompile(`\S+->`)

// failed notes a failure and tells how long to wait, and whether the failure is
// another than the last one.
func (r *retry) failed(err error) (wait time.Duration, news bool) {
	if r.since.IsZero() {
		r.since = time.Now()
	}
	text := ownAddress.ReplaceAllString(err.Error(), "")
	news = text != r.text
	r.text = text
	wait = pause(r.count, time.Since(r.since), isRefusal(err))
	r.count++
	return wait, news
}

// pause is how long to wait after so many failures before this one, the first of
// which is so long ago.
func pause(count int, since time.Duration, refused bool) time.Duration {
	wait := retryFirst << min(count, 8)
	switch {
	case refused:
		wait = retryRefuse
	case since < early:
		wait = min(wait, retryEarly)
	default:
		wait = min(wait, retryMost)
	}
	return wait + rand.N(wait/4)
}

func isRefusal(err error) bool {
	var rights *rightsError
	return errors.Is(err, errRefused) || errors.As(err, &rights)
}

// rest waits, unless ctx ends before.
func rest(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
