package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// A rightsError says what the account lacks.
type rightsError struct{ missing string }

func (e *rightsError) Error() string {
	return "the account in manager.conf does not read " + e.missing
}

// reconnect connects until ctx is done.
func (c *Client) reconnect(ctx context.Context) {
	var again retry
	for ctx.Err() == nil {
		wasReady, err := c.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		sentence, level := "Asterisk can't be reached", zap.WarnLevel
		switch {
		case wasReady:
			again = retry{}
			sentence = "lost Asterisk"
		case isRefusal(err):
			sentence, level = "Asterisk does not take ampd's account", zap.ErrorLevel
		}
		wait, news := again.failed(err)
		if !news {
			level = zap.DebugLevel
		}
		c.log.Log(level, sentence, zap.String("address", c.cfg.Load().Address), zap.Duration("again_in", wait), zap.Error(err))
		rest(ctx, wait)
	}
}

// connection keeps one event connection and what belongs to it, until that is lost
// or ctx is done. ready tells whether actions could be run.
func (c *Client) connection(ctx context.Context) (ready bool, err error) {
	events, err := c.connect(ctx, eventRole)
	if err != nil {
		c.metrics.Connects.WithLabelValues(connectResult(err)).Inc()
		return false, err
	}
	c.mu.Lock()
	c.boot = Info{}
	c.mu.Unlock()
	life, end := context.WithCancelCause(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	var ended error // the connection, why
	group.Go(func() {
		ended = c.serve(life, events)
		end(ended)
	})
	first, err := c.prepare(ctx, life, events)
	c.metrics.Connects.WithLabelValues(connectResult(err)).Inc()
	if err == nil {
		c.whileReady(ctx, life, end, &group, events, first)
	}
	c.unready()
	if ctx.Err() != nil {
		end(errShutdown)
	}
	end(err) // of no effect where life has ended already
	group.Wait()
	c.over()
	if ctx.Err() == nil {
		c.handler.Lost(ended)
	}
	return err == nil, ended
}

// over answers the Originates that still ring when all connections have ended.
func (c *Client) over() {
	c.mu.Lock()
	left := c.originates
	c.originates = make(map[string]*run)
	c.mu.Unlock()
	for _, r := range left {
		c.answerCalls(r, func(call *Call) *codec.Packet { return failure(call.Action, textLost) }, resultLost)
	}
}

func connectResult(err error) string {
	var rights *rightsError
	switch {
	case err == nil:
		return "ready"
	case errors.Is(err, errRefused):
		return "refused"
	case errors.As(err, &rights):
		return "rights"
	}
	return "failed"
}

// prepare does what comes between the login of the event connection and Ready. It
// ends early with ctx, which is Run's, and with life, which is the connection's. first
// is the first action connection, nil if actions share the event connection.
func (c *Client) prepare(ctx, life context.Context, events *conn) (first *conn, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(life, func() { cancel(context.Cause(life)) })()
	if err := c.checkAccount(ctx, events); err != nil {
		return nil, err
	}
	if c.cfg.Load().ActionConnections > 0 {
		first, err = c.connect(ctx, actionRole)
		switch {
		case errors.Is(err, errInUse):
			c.tellInUse.Do(func() {
				c.log.Warn("Asterisk allows the account one login: actions share the event connection", zap.Error(err))
			})
			err = nil
		case err != nil:
			return nil, fmt.Errorf("action connection: %w", err)
		}
	}
	select {
	case <-c.refresh: // is asked now
	default:
	}
	info := &Info{Version: events.version}
	err = c.learn(ctx, events, info)
	if err == nil {
		err = c.load(ctx, events, info)
	}
	if err != nil {
		if first != nil {
			_ = first.Close()
		}
		return nil, err
	}
	c.mu.Lock()
	c.boot.copyTo(info)
	c.info = info
	c.mu.Unlock()
	return first, nil
}

// learn asks what Asterisk can do and how it is set up.
func (c *Client) learn(ctx context.Context, events *conn, info *Info) error {
	commands, err := c.question(ctx, events, "ListCommands")
	if err != nil {
		return err
	}
	if !strings.EqualFold(commands.Name(), "Success") {
		return fmt.Errorf("ListCommands: %q", commands.Get("Message"))
	}
	info.setCommands(commands)
	settings, err := c.question(ctx, events, "CoreSettings")
	if err != nil {
		return err
	}
	if strings.EqualFold(settings.Name(), "Success") {
		info.Settings = kept(settings)
	}
	return nil
}

// load asks for the lists that make up the state.
func (c *Client) load(ctx context.Context, events *conn, info *Info) error {
	for _, q := range c.handler.Lists(info) {
		if _, err := c.ask(ctx, events, listAction(q), func(answer []*codec.Packet) { c.handler.Listed(q, answer) }); err != nil {
			return err
		}
	}
	return nil
}

func listAction(q pbx.Question) *codec.Packet {
	return native.NewPacket(append([]codec.Header{{Name: "Action", Value: q.Action}}, q.Headers...)...)
}

// whileReady has actions run until the connection is lost or ctx is done.
func (c *Client) whileReady(ctx, life context.Context, end context.CancelCauseFunc, group *sync.WaitGroup, events, first *conn) {
	if first == nil {
		close(events.enlist)
	} else {
		c.mu.Lock()
		c.events = events
		c.mu.Unlock()
		group.Go(func() { c.slot(life, end, group, first) })
		for range c.cfg.Load().ActionConnections - 1 {
			group.Go(func() { c.slot(life, end, group, nil) })
		}
	}
	c.mu.Lock()
	c.ready = true
	info := c.info
	c.mu.Unlock()
	c.metrics.Connected.Set(1)
	c.log.Info("connected to Asterisk", zap.String("address", c.cfg.Load().Address), zap.String("protocol", info.Version),
		zap.String("asterisk", info.asterisk()), zap.Int("actions", len(info.Commands)))
	c.handler.Ready(info)
	asking, cancel := context.WithCancel(life) // ends with ctx too, which life does not
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	for life.Err() == nil {
		select {
		case <-c.refresh:
			c.changed(asking)
		case <-ctx.Done():
			c.drain(life)
			return
		case <-life.Done():
		}
	}
}

// checkAccount finds out whether the account reads what ampd needs, and waits for
// FullyBooted. Asterisk tells an account's rights to those that may run Command only:
// to others it just does not send the events. But FullyBooted says that system is
// read.
func (c *Client) checkAccount(ctx context.Context, events *conn) error {
	missing, known := codec.Classes(0), false
	if name := c.cfg.Load().Username; !strings.ContainsAny(name, `"\`) {
		output, err := c.question(ctx, events, "Command", codec.Header{Name: "Command", Value: `manager show user "` + name + `"`})
		if err != nil {
			return err
		}
		missing, known = missingRead(output)
	}
	if missing != 0 {
		return &rightsError{missing.String()}
	}
	if !known { // before the wait: without system it is in vain
		c.tellRights.Do(func() {
			c.log.Warn("what the account reads can't be asked without write = command",
				zap.String("username", c.cfg.Load().Username), zap.Stringer("must_read", neededRead))
		})
	}
	timer := time.NewTimer(c.cfg.Load().BootTimeout.Std())
	defer timer.Stop()
	select {
	case <-events.booted:
	case <-timer.C:
		if !known {
			return &rightsError{"system (or Asterisk did not boot within boot_timeout)"}
		}
		c.log.Warn("Asterisk did not say FullyBooted: its lists may be incomplete")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// question runs an action of ampd's own as ask does, and returns the last packet of its
// answer.
func (c *Client) question(ctx context.Context, k *conn, action string, headers ...codec.Header) (*codec.Packet, error) {
	answer, err := c.ask(ctx, k, native.NewPacket(append([]codec.Header{{Name: "Action", Value: action}}, headers...)...), nil)
	if err != nil {
		return nil, err
	}
	return answer[len(answer)-1], nil
}

// ask runs an action of ampd's own, on the connection k or, if that is nil, on any
// that is free, and returns its whole answer. heard, if not nil, gets it before anything
// else that comes on the connection is dealt with.
func (c *Client) ask(ctx context.Context, k *conn, action *codec.Packet, heard func(answer []*codec.Packet)) ([]*codec.Packet, error) {
	type reply struct {
		answer []*codec.Packet
		err    error
	}
	replies := make(chan reply, 1)
	r := c.ownRun(action, func(answer []*codec.Packet, err error) {
		if err == nil && heard != nil {
			heard(answer)
		}
		replies <- reply{answer, err}
	})
	var over chan struct{}
	if k == nil {
		c.mu.Lock()
		if c.ready {
			c.sched.add(0, r)
			c.dispatch()
		} else {
			r.reply(nil, errUnconnected)
		}
		c.mu.Unlock()
	} else {
		over = k.over
		select {
		case k.work <- r:
		case <-over:
		case <-ctx.Done():
		}
	}
	select {
	case got := <-replies:
		if got.err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, got.err)
		}
		return got.answer, nil
	case <-over:
		return nil, fmt.Errorf("%s: %w", r.name, errLost)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// together is the time within which all connections are found lost when Asterisk goes:
// the loss of an action connection is none of its own then.
const together = 100 * time.Millisecond

// slot keeps one action connection for as long as life lasts. k is its first one, nil
// if that is yet to be made.
func (c *Client) slot(life context.Context, end context.CancelCauseFunc, group *sync.WaitGroup, k *conn) {
	var again retry
	for life.Err() == nil {
		if k == nil {
			var err error
			if k, err = c.connect(life, actionRole); err != nil {
				c.slotFailed(life, end, &again, err)
				continue
			}
			again = retry{}
		}
		serving, began := k, time.Now()
		k = nil
		close(serving.enlist)
		group.Go(func() {
			err := c.serve(life, serving)
			if rest(life, together); life.Err() == nil && !errors.Is(err, errRetired) {
				c.log.Info("action connection lost", zap.NamedError("cause", err))
			}
		})
		<-serving.vacated
		switch {
		case serving.retired:
		case time.Since(began) < retryFirst:
			rest(life, retryFirst) // Asterisk closes what it has just taken
		default:
			rest(life, together)
		}
	}
	if k != nil {
		_ = k.Close()
	}
}

// slotFailed waits before an action connection is tried again.
func (c *Client) slotFailed(life context.Context, end context.CancelCauseFunc, again *retry, err error) {
	if errors.Is(err, errInUse) {
		end(fmt.Errorf("action connection: %w", err)) // connect anew, without action connections
	}
	if life.Err() != nil {
		return
	}
	wait, news := again.failed(err)
	level := zap.DebugLevel
	if news {
		level = zap.WarnLevel
	}
	c.log.Log(level, "action connection can't be made", zap.Duration("again_in", wait), zap.Error(err))
	c.mu.Lock()
	if c.sched.working == 0 { // nothing would be run for as long as this lasts
		c.refuseWaiting(func(*run) bool { return true }, textUnconnected, resultUnconnected)
	}
	c.mu.Unlock()
	rest(life, wait)
}

// changed asks Asterisk again what it can do and tells the handler.
func (c *Client) changed(ctx context.Context) {
	commands, err := c.question(ctx, nil, "ListCommands")
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		c.askAgain()
		return
	}
	c.mu.Lock()
	info := *c.info
	c.boot.copyTo(&info)
	if strings.EqualFold(commands.Name(), "Success") {
		info.setCommands(commands)
	}
	c.info = &info
	c.mu.Unlock()
	c.handler.Changed(&info)
}

// fullyBooted notes the event and its times.
func (c *Client) fullyBooted(k *conn, p *codec.Packet) {
	c.mu.Lock()
	c.boot.setBooted(p, time.Now())
	c.mu.Unlock()
	select {
	case <-k.booted: // said twice
	default:
		close(k.booted)
	}
	c.askAgain() // of effect where it came after boot_timeout
}

// reloaded notes that Asterisk's actions may have changed. A successful reload of
// anything sets its time: observed with Asterisk 16 and 22.
func (c *Client) reloaded(p *codec.Packet) {
	if status := p.Get("Status"); p.Name() == "Reload" && (status == "" || status == "0") {
		c.mu.Lock()
		c.boot.Reloaded = time.Now()
		c.mu.Unlock()
	}
	c.askAgain()
}

func (c *Client) askAgain() {
	select {
	case c.refresh <- struct{}{}:
	default:
	}
}

// unready refuses what waits and what comes.
func (c *Client) unready() {
	c.metrics.Connected.Set(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready, c.events = false, nil
	c.refuseWaiting(func(*run) bool { return true }, textUnconnected, resultUnconnected)
}

// drain gives what was submitted its time to be answered.
func (c *Client) drain(life context.Context) {
	drained := make(chan struct{})
	c.mu.Lock()
	c.ready = false
	c.drained = func() { close(drained) }
	c.answered(0)
	c.mu.Unlock()
	timer := time.NewTimer(c.cfg.Load().ShutdownGrace.Std())
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	case <-life.Done():
	}
}
