package stats

import "time"

// An Outcome is how a caller's wait in a queue ended.
type Outcome string

// The outcomes. None is a caller who waits.
const (
	None      Outcome = ""
	Answered  Outcome = "answered"
	Abandoned Outcome = "abandoned"
	TimedOut  Outcome = "timed out"
	ExitedKey Outcome = "exited by key"
	LeftEmpty Outcome = "left empty"
	Withdrawn Outcome = "withdrawn"
	Unknown   Outcome = "unknown"
)

// outcomes are those that QUEUESTATUS tells, by its values (queue_results in
// apps/app_queue.c). CONTINUE, the word of a call that was answered, is none of them.
var outcomes = map[string]Outcome{
	"TIMEOUT": TimedOut, "LEAVEEMPTY": LeftEmpty, "LEAVEUNAVAIL": LeftEmpty, "WITHDRAW": Withdrawn,
}

// A Call is one caller's time in one queue. Who joins again begins another.
type Call struct {
	Queue    string
	Uniqueid string // of the caller's channel
	Linkedid string
	Number   string // the caller's, as Asterisk says it
	Name     string
	Joined   time.Time
	Position int // when the caller joined, from 1

	Outcome Outcome
	Wait    int64 // seconds, as Asterisk says; up to the outcome

	// Of an answered one.
	Answered  time.Time
	Agent     string // the member's name
	Interface string
	Channel   string // the Uniqueid of the agent's
	Ring      int64  // seconds
	Talk      int64  // seconds; 0 while they talk
	EndedBy   string // "" while they talk; agent, caller, transfer, unknown
}

// An openCall is a call that has not ended, or just has.
type openCall struct {
	Call
	hour      Hour      // in which the caller joined
	taken     Hour      // in which the agent took the call
	person    *person   // who took it, nil where that was before ampd started
	left      bool      // QueueCallerLeave was seen
	abandoned bool      // QueueCallerAbandon was seen
	guessed   bool      // an event was made up: what happened is not known
	parted    bool      // the agent's channel was gone when Asterisk was lost
	gone      time.Time // when neither channel was there any more, or it ended
}

func (c *openCall) waited(now time.Time) int64 {
	return max(0, int64(now.Sub(c.Joined)/time.Second))
}
