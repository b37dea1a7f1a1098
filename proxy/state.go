package proxy

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"

	"ampd/codec"
	"ampd/commands"
	"ampd/pbx"
	"ampd/upstream"
)

// Lists says what to ask for the state of an Asterisk that is new.
func (h *Hub) Lists(info *upstream.Info) []pbx.Question {
	h.do(func() { h.loading = h.state.Clone() })
	return questions(info)
}

func questions(info *upstream.Info) []pbx.Question { return pbx.Questions(availableAt(info)) }

// availableAt tells whether Asterisk has an action.
func availableAt(info *upstream.Info) func(action string) bool {
	return func(action string) bool {
		_, ok := info.Command(action)
		return ok
	}
}

// Listed takes the answer to one of them.
func (h *Hub) Listed(q pbx.Question, answer []*codec.Packet) {
	h.do(func() {
		if err := h.loading.Load(q, answer, time.Now()); err != nil {
			h.later = append(h.later, func() {
				h.log.Warn("a list of Asterisk's can't be read: its objects are tracked from their events only", zap.Error(err))
			})
		}
	})
}

// repair tells the sessions what they missed while Asterisk was lost.
func (h *Hub) repair(now time.Time) {
	if h.loading == nil {
		return
	}
	missed := h.state.Missed(h.loading, now)
	for _, p := range missed {
		h.fanOut(now, p)
	}
	h.state.Become(h.loading)
	h.loading = nil
	h.statistics.Loaded(now)
	if h.loaded {
		h.metrics.missed.WithLabelValues("loss").Add(float64(len(missed)))
	}
	h.loaded = true
}

// beginWithSnapshot sends the state to a session whose login asks for it, or that has
// missed events. The session sees all that comes after it.
func (h *Hub) beginWithSnapshot(c *client, login *codec.Packet) {
	asked := login.Get("Snapshot")
	if gap := c.numbered && isToken(login); asked == "" && !gap {
		return
	}
	objects, unknown := pbx.ParseObjects(asked)
	if unknown != "" && objects == 0 { // "yes"
		objects = pbx.AllObjects
	}
	env := h.env(time.Now())
	env.State = h.state
	h.send(c, commands.AppendSnapshot(nil, &c.state, env, objects, login.Get("ActionID")))
}

// between is the least time between two lists that say the same, before that is believed.
const between = 2 * time.Second

// A lister asks Asterisk: the upstream.
type lister interface {
	List(ctx context.Context, q pbx.Question) ([]*codec.Packet, error)
}

// setResync has resync begin each every, and now.
func (h *Hub) setResync(every time.Duration) {
	h.do(func() {
		if every != h.every {
			h.every = every
			h.resyncSoon()
		}
	})
}

// resync corrects what no event has told, one list after the other, every so often and
// when something was reloaded, and reads the configuration of queues, until ctx ends. It has
// a goroutine of its own: the only one that asks for lists.
func (h *Hub) resync(ctx context.Context, up lister) {
	for {
		var every time.Duration
		h.do(func() { every = h.every })
		timer := time.NewTimer(every)
		select {
		case <-timer.C:
		case <-h.configured:
			timer.Stop()
			h.readWrapUps(ctx, up)
			continue
		case <-h.reloaded:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
		var info *upstream.Info
		h.do(func() {
			if h.connected {
				info = h.info
			}
		})
		if info == nil {
			continue
		}
		h.readCallerIDs(ctx, up, info)
		for _, q := range questions(info) {
			if err := h.recheck(ctx, up, q); err != nil && ctx.Err() == nil {
				h.log.Debug("state not rechecked", zap.Error(err))
			}
		}
	}
}

// pace is the least time between two questions for a caller ID.
const pace = 50 * time.Millisecond

// readCallerIDs asks for those of peers that are not known yet, one after the other.
func (h *Hub) readCallerIDs(ctx context.Context, up lister, info *upstream.Info) {
	for ctx.Err() == nil {
		var q pbx.Question
		var peer string
		h.do(func() { q, peer = h.state.AskCallerID(availableAt(info)) })
		if peer == "" {
			return
		}
		answer, err := up.List(ctx, q)
		if err != nil {
			h.log.Debug("caller ID not read", zap.String("peer", peer), zap.Error(err))
			return
		}
		h.do(func() { h.state.LoadCallerID(peer, answer) })
		select {
		case <-time.After(pace):
		case <-ctx.Done():
		}
	}
}

// recheck asks one question twice and tells the sessions what was missed.
func (h *Hub) recheck(ctx context.Context, up lister, q pbx.Question) error {
	var r *pbx.Recheck
	h.do(func() { r = h.state.Recheck(q) })
	for first := true; ; first = false {
		answer, err := up.List(ctx, q)
		if err != nil {
			return err
		}
		h.do(func() {
			now := time.Now()
			var missed []*codec.Packet
			missed, err = r.Answer(answer, now)
			for _, p := range missed {
				h.statistics.Observe(p, now)
				h.tell(now, p)
			}
			h.metrics.missed.WithLabelValues("resync").Add(float64(len(missed)))
		})
		h.fanout.Send()
		if err != nil || !first {
			return err
		}
		select {
		case <-time.After(between):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// reloads tells whether an event or an action may change what no event tells.
func reloads(name string) bool {
	return strings.EqualFold(name, "Reload") || strings.EqualFold(name, "QueueReload")
}

// resyncSoon has resync begin, and caller IDs be read again.
func (h *Hub) resyncSoon() {
	h.state.ForgetCallerIDs()
	signal(h.configured)
	signal(h.reloaded)
}

// signal says something to who waits for it, or will.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
