package stats

// QueueTotals are a queue's figures of an hour, or the sum of several. Times are whole
// seconds.
type QueueTotals struct {
	Offered, Answered, AnsweredInTime                  int64
	Abandoned, ShortAbandoned                          int64
	TimedOut, ExitedKey, LeftEmpty, Withdrawn, Unknown int64
	RefusedFull, RefusedEmpty                          int64
	CompletedByAgent, CompletedByCaller, Transferred   int64
	HoldTime, LongestHold                              int64
	AbandonTime, LongestAbandon                        int64
	TalkTime, LongestTalk                              int64
}

// AgentTotals are an agent's figures of an hour, or the sum of several. Times are whole
// seconds.
type AgentTotals struct {
	Offered, Answered, NotAnswered int64
	TalkTime, LongestTalk, WrapUp  int64
	LoggedIn, Paused               int64

	PausedFor map[string]int64 // seconds by reason, "" for none; nil while there is none
}

// A Column is one figure of totals.
type Column[T any] struct {
	Name    string // in StatisticInfo: "ShortAbandoned"
	Word    string // in the history, reports and metrics: "short_abandoned", times end in "_seconds"
	Help    string
	Longest bool // several are added by taking the largest

	Of func(*T) *int64
}

// QueueColumns are all figures of a queue, in the order in which they are shown.
var QueueColumns = []Column[QueueTotals]{
	{"Offered", "offered", "callers who joined", false, func(t *QueueTotals) *int64 { return &t.Offered }},
	{"Answered", "answered", "callers whom an agent took", false, func(t *QueueTotals) *int64 { return &t.Answered }},
	{"AnsweredInTime", "answered_in_time", "of those: within the queue's service level", false, func(t *QueueTotals) *int64 { return &t.AnsweredInTime }},
	{"Abandoned", "abandoned", "callers who hung up while they waited", false, func(t *QueueTotals) *int64 { return &t.Abandoned }},
	{"ShortAbandoned", "short_abandoned", "of those: before short_abandon", false, func(t *QueueTotals) *int64 { return &t.ShortAbandoned }},
	{"TimedOut", "timed_out", "callers whose time in the queue was over", false, func(t *QueueTotals) *int64 { return &t.TimedOut }},
	{"ExitedKey", "exited_key", "callers who left by a key", false, func(t *QueueTotals) *int64 { return &t.ExitedKey }},
	{"LeftEmpty", "left_empty", "callers sent away because nobody was there any more", false, func(t *QueueTotals) *int64 { return &t.LeftEmpty }},
	{"Withdrawn", "withdrawn", "callers taken out of the queue by an action", false, func(t *QueueTotals) *int64 { return &t.Withdrawn }},
	{"Unknown", "unknown", "callers of whom nobody knows, because Asterisk was lost while they waited", false, func(t *QueueTotals) *int64 { return &t.Unknown }},
	{"RefusedFull", "refused_full", "callers who could not join: the queue was full", false, func(t *QueueTotals) *int64 { return &t.RefusedFull }},
	{"RefusedEmpty", "refused_empty", "callers who could not join: nobody was there", false, func(t *QueueTotals) *int64 { return &t.RefusedEmpty }},
	{"CompletedByAgent", "completed_by_agent", "answered calls that the agent ended", false, func(t *QueueTotals) *int64 { return &t.CompletedByAgent }},
	{"CompletedByCaller", "completed_by_caller", "answered calls that the caller ended", false, func(t *QueueTotals) *int64 { return &t.CompletedByCaller }},
	{"Transferred", "transferred", "answered calls that were transferred", false, func(t *QueueTotals) *int64 { return &t.Transferred }},
	{"HoldTime", "hold_seconds", "how long the answered waited", false, func(t *QueueTotals) *int64 { return &t.HoldTime }},
	{"LongestHold", "longest_hold_seconds", "the longest of these", true, func(t *QueueTotals) *int64 { return &t.LongestHold }},
	{"AbandonTime", "abandon_seconds", "how long the abandoned waited", false, func(t *QueueTotals) *int64 { return &t.AbandonTime }},
	{"LongestAbandon", "longest_abandon_seconds", "the longest of these", true, func(t *QueueTotals) *int64 { return &t.LongestAbandon }},
	{"TalkTime", "talk_seconds", "how long the answered talked", false, func(t *QueueTotals) *int64 { return &t.TalkTime }},
	{"LongestTalk", "longest_talk_seconds", "the longest of these", true, func(t *QueueTotals) *int64 { return &t.LongestTalk }},
}

// AgentColumns are all figures of an agent but PausedFor, in the order in which they are
// shown.
var AgentColumns = []Column[AgentTotals]{
	{"LoggedIn", "logged_in_seconds", "how long the agent was logged in", false, func(t *AgentTotals) *int64 { return &t.LoggedIn }},
	{"Paused", "paused_seconds", "how long of it the agent was paused in all queues", false, func(t *AgentTotals) *int64 { return &t.Paused }},
	{"Offered", "offered", "calls that the agent was rung for", false, func(t *AgentTotals) *int64 { return &t.Offered }},
	{"Answered", "answered", "calls that the agent took", false, func(t *AgentTotals) *int64 { return &t.Answered }},
	{"NotAnswered", "not_answered", "calls that rang until they were taken away", false, func(t *AgentTotals) *int64 { return &t.NotAnswered }},
	{"TalkTime", "talk_seconds", "how long the agent talked", false, func(t *AgentTotals) *int64 { return &t.TalkTime }},
	{"LongestTalk", "longest_talk_seconds", "the longest call", true, func(t *AgentTotals) *int64 { return &t.LongestTalk }},
	{"WrapUp", "wrap_up_seconds", "how long the agent was left alone after calls", false, func(t *AgentTotals) *int64 { return &t.WrapUp }},
}

// Add adds other.
func (t *QueueTotals) Add(other *QueueTotals) { add(QueueColumns, t, other) }

// Add adds other.
func (t *AgentTotals) Add(other *AgentTotals) {
	add(AgentColumns, t, other)
	if t.PausedFor == nil && len(other.PausedFor) > 0 {
		t.PausedFor = map[string]int64{}
	}
	for reason, seconds := range other.PausedFor {
		t.PausedFor[reason] += seconds
	}
}

// reasonsMost is how many reasons of pauses are told apart in an hour; what comes after these is
// "other". Whoever pauses chooses the text.
const reasonsMost = 50

func (t *AgentTotals) pausedFor(reason string, seconds int64) {
	if t.PausedFor == nil {
		t.PausedFor = map[string]int64{}
	}
	if _, known := t.PausedFor[reason]; !known && len(t.PausedFor) >= reasonsMost {
		reason = "other"
	}
	t.PausedFor[reason] += seconds
}

func add[T any](columns []Column[T], t, other *T) {
	for _, c := range columns {
		if c.Longest {
			*c.Of(t) = max(*c.Of(t), *c.Of(other))
		} else {
			*c.Of(t) += *c.Of(other)
		}
	}
}

// ServiceLevel is the share, 0 to 100, of those who were answered in time among all who
// waited and whose fate is known, short abandons left out; ok is false where there were none.
func (t *QueueTotals) ServiceLevel() (percent float64, ok bool) {
	decided := t.decided()
	if decided <= 0 {
		return 0, false
	}
	return 100 * float64(t.AnsweredInTime) / float64(decided), true
}

func (t *QueueTotals) decided() int64 {
	return t.Answered + t.Abandoned - t.ShortAbandoned + t.TimedOut + t.ExitedKey + t.LeftEmpty + t.Withdrawn
}

// Completed is how many answered calls are known to have ended.
func (t *QueueTotals) Completed() int64 {
	return t.CompletedByAgent + t.CompletedByCaller + t.Transferred
}

// Occupancy is the share, 0 to 100, of the time in which the agent was there that went into
// calls; ok is false while there was no such time.
func (t *AgentTotals) Occupancy() (percent float64, ok bool) {
	there := t.LoggedIn - t.Paused
	if there <= 0 {
		return 0, false
	}
	return min(100, 100*float64(t.TalkTime+t.WrapUp)/float64(there)), true
}

// Average is a total by a number, rounded; 0 where the number is.
func Average(total, number int64) int64 {
	if number <= 0 {
		return 0
	}
	return (total + number/2) / number
}
