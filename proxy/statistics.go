package proxy

import (
	"context"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"ampd/codec"
	"ampd/commands"
	"ampd/history"
	"ampd/pbx"
	"ampd/stats"
)

// tick has the statistics go on with the time, and once a second tells the sessions that take
// events of ampd's own which figures have changed, and hands the history what happened, until
// ctx ends. It has a goroutine of its own.
func (h *Hub) tick(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			h.do(func() {
				h.statistics.Tick(now)
				h.tellStatistics(now)
			})
			h.fanout.Send()
			h.keep(now)
		case <-ctx.Done():
			return
		}
	}
}

// goOnWith has the statistics go on with what the history knows, and the history with them;
// kept is nil for none.
func (h *Hub) goOnWith(kept *history.History, past *stats.Past) {
	h.do(func() {
		h.history = kept
		h.statistics.Restore(past)
		if kept != nil {
			h.statistics.Take() // from now on it collects
		}
	})
}

// keep hands the history what happened since it was done last.
func (h *Hub) keep(now time.Time) {
	if h.history == nil {
		return
	}
	var batch *stats.Batch
	var known time.Time
	h.do(func() { batch, known = h.statistics.Take(), h.statistics.Known(now) })
	h.history.Put(batch, known)
}

// readWrapUps asks how long queues leave their members alone after a call.
func (h *Hub) readWrapUps(ctx context.Context, up lister) {
	answer, err := up.List(ctx, pbx.Question{Action: "GetConfig", Headers: []codec.Header{{Name: "Filename", Value: "queues.conf"}}})
	if err != nil || len(answer) == 0 {
		h.log.Debug("wrapuptime of queues not read", zap.Error(err))
		return
	}
	h.do(func() { h.statistics.WrapUps(wrapUps(answer[0])) })
}

// wrapUps takes what GetConfig says of each queue (action_getconfig in main/manager.c).
func wrapUps(config *codec.Packet) map[string]int64 {
	of, queue := map[string]int64{}, ""
	for _, h := range config.Headers {
		if strings.HasPrefix(h.Name, "Category-") {
			queue = strings.ToLower(h.Value)
		}
		name, value, _ := strings.Cut(h.Value, "=")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && strings.HasPrefix(h.Name, "Line-") && strings.EqualFold(name, "wrapuptime") {
			of[queue] = n
		}
	}
	return of
}

// tellStatistics tells what has changed since it did so last.
func (h *Hub) tellStatistics(now time.Time) {
	queues, agents := h.statistics.Changed(now)
	if !h.loaded || !h.takesOwn() {
		return
	}
	env := h.env(now)
	for _, name := range queues {
		h.tellOwn(now, h.state.NewEvent("QueueStatistic", "reporting", now, commands.QueueStatistic(env, name)...))
	}
	for i := range agents {
		h.tellOwn(now, h.state.NewEvent("AgentStatistic", "reporting", now, commands.AgentStatistic(&agents[i])...))
	}
}
