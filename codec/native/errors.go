package native

import "ampd/codec"

// A Limit is what a packet was over.
type Limit uint8

// The limits. The first two are those of clients, the last that of Asterisk.
const (
	LineTooLong   Limit = iota + 1 // a line over MaxLine bytes
	TooManyLines                   // more than MaxLines lines
	PacketTooLong                  // more than MaxPacket bytes
)

// A LimitError is returned for a packet over a limit, which was skipped whole: the
// decoder stands at the next one. It matches [codec.ErrTooLong].
type LimitError struct {
	Limit Limit

	// ActionID is that of the skipped packet where it was read: it stood in one
	// of a client's first MaxLines lines. Else it is empty.
	ActionID string
}

func (e *LimitError) Error() string {
	switch e.Limit {
	case LineTooLong:
		return "line too long"
	case TooManyLines:
		return "too many lines"
	default:
		return "packet too long"
	}
}

// Is makes the error match [codec.ErrTooLong].
func (e *LimitError) Is(target error) bool { return target == codec.ErrTooLong }
