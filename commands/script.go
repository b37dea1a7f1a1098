package commands

import (
	"iter"

	"ampd/codec"
)

// A Script is a command that takes several actions: it asks Asterisk one after the other
// and returns the whole answer to the client, native packets. It runs a piece at a time,
// whenever its [Program] is resumed, under the same lock as everything here.
type Script func(ask Ask) (packets []byte)

// Ask runs one action and returns the whole answer, its response first.
type Ask func(a *codec.Packet) (answer []*codec.Packet)

// A Program is a Script under way.
type Program struct {
	next   func() (*codec.Packet, bool)
	stop   func()
	answer []*codec.Packet
	result []byte
}

// Start makes a program of a script, which Resume begins.
func (script Script) Start() *Program {
	p := &Program{}
	p.next, p.stop = iter.Pull(func(yield func(*codec.Packet) bool) {
		p.result = script(func(a *codec.Packet) []*codec.Packet {
			yield(a)
			return p.answer
		})
	})
	return p
}

// Resume goes on with the answer to the action that was asked for last, nil at the
// beginning, and returns the next one; or, where that is nil, what the client gets. A
// program is always resumed to its end.
func (p *Program) Resume(answer []*codec.Packet) (next *codec.Packet, packets []byte) {
	p.answer = answer
	if next, ok := p.next(); ok {
		return next, nil
	}
	p.stop()
	return nil, p.result
}

// succeeded tells whether an answer says so.
func succeeded(answer []*codec.Packet) bool {
	return len(answer) > 0 && answer[0].Name() == "Success"
}

// message is what an answer says in words.
func message(answer []*codec.Packet) string {
	if len(answer) == 0 {
		return ""
	}
	return answer[0].Get("Message")
}
