package xml

import "fmt"

// MaxMessage is the longest message taken from a client, in bytes: 64 KiB.
const MaxMessage = 64 << 10

// The reasons for which a Splitter cuts something off that is no message.
const (
	reasonNUL     = "a NUL stands before the end of the message"
	reasonCommand = "the next command begins before the end of this one"
	reasonText    = "text stands where an element must"
)

var reasonTooLong = fmt.Sprintf("the message is longer than %d bytes", MaxMessage)

// A Splitter finds where a message ends in what has come, a byte at a time or many
// at once. The zero value is ready. It keeps a few words of state, no bytes.
//
// A message is one element with the comments and the declaration in front of it. White
// space and NUL between messages are the caller's to skip. A message that is none is
// cut off where the next one can begin:
//
//   - A NUL ends any message, and belongs to none.
//   - A start tag of another command ends a message in front of it: inside an element,
//     a tag or an attribute value it can't stand.
//   - </command> ends a message, whatever else was left open.
//   - Text where an element must be ends a message in front of it. That text is for the
//     caller: it may be native.
//   - Of a message over MaxMessage the first MaxMessage bytes are cut off. Its rest
//     goes up to a NUL, or up to a line that begins with "<", see [Splitter.Skipping].
type Splitter struct {
	pos   int // how many bytes of the message were looked at
	state state
	back  state // where to go on when what was behind a "<" is no command
	depth int   // elements open
	nest  int   // in a DTD: "<" without their ">"
	match int   // how much of a fixed string the last bytes are
	quote byte  // in a quoted string: what ends it
	slash bool  // in a tag: the last byte was a "/"

	skipping bool // what comes is the rest of a message over MaxMessage
	newLine  bool // skipping, and the last byte was a LF
}

type state uint8

const (
	begin    state = iota // at the "<" of a message
	outside               // before the element: white space or "<"
	text                  // in an element: text or "<"
	open                  // behind a "<"
	name                  // in the name of a start tag
	tag                   // in a start tag, behind its name
	endName               // in the name of an end tag
	endTag                // in an end tag, behind its name
	stray                 // behind a "<" that can't stand there
	bang                  // behind "<!"
	dash                  // behind "<!-"
	bracket               // behind "<![" or some more of "<![CDATA["
	comment               // behind "<!--"
	cdata                 // behind "<![CDATA["
	declared              // in a DTD, or what looks like one
	question              // behind "<?"
)

// commandName is what the start tags have behind their "<" that end a bad message.
const commandName = "command"

const cdataMark = "[CDATA["

// Next looks at data: all bytes of one message that have come, beginning with its
// "<". Each call passes the same bytes as before and perhaps more; Next goes on
// where it stopped looking. n is the length of the message, 0 while it has not
// ended; then the Splitter is ready for the next message, and err says what was
// cut off:
//
//   - nil: a message for [Parse].
//   - a [*SyntaxError]: no message, and the client is to be told.
//   - [ErrSkipped]: nothing, nobody is to be told.
func (s *Splitter) Next(data []byte) (n int, err error) {
	if s.skipping {
		if n := s.skip(data); n > 0 {
			return n, ErrSkipped
		}
	}
	for ; s.pos < min(len(data), MaxMessage); s.pos++ {
		if data[s.pos] == 0 && s.state != begin {
			return s.bad(data[:s.pos], reasonNUL)
		}
		if n, reason := s.step(data[s.pos]); reason != "" {
			return s.bad(data[:n], reason)
		} else if n > 0 {
			*s = Splitter{}
			return n, nil
		}
	}
	if s.pos == MaxMessage {
		last := data[MaxMessage-1]
		_, err := s.bad(data[:MaxMessage], reasonTooLong)
		s.skipping, s.newLine = true, last == '\n'
		return MaxMessage, err
	}
	return 0, nil
}

// Skipping tells whether the rest of a message over MaxMessage is still to come. Then Next
// takes whatever comes, as it comes: nothing of it may be skipped by the caller, or be
// taken for something else than XML, before Next has returned [ErrSkipped] for it.
func (s *Splitter) Skipping() bool { return s.skipping }

// skip returns how much of data is the rest of a message that is too long.
func (s *Splitter) skip(data []byte) int {
	for i, c := range data {
		if c == 0 {
			*s = Splitter{}
			return i + 1
		}
		if c == '<' && s.newLine {
			*s = Splitter{}
			return i
		}
		s.newLine = c == '\n'
	}
	return len(data)
}

func (s *Splitter) bad(message []byte, reason string) (int, error) {
	*s = Splitter{}
	return len(message), syntaxError(reason, message)
}

// step looks at the byte at pos. n is the length of what has ended with it or before it,
// which is no message if there is a reason.
func (s *Splitter) step(c byte) (n int, reason string) {
	switch s.state {
	case begin:
		s.state = open
	case outside:
		switch {
		case c == '<':
			s.state = open
		case !isWhite(c):
			return s.pos, reasonText
		}
	case text:
		if c == '<' {
			s.state = open
		}
	case open:
		return s.stepOpen(c)
	case name, endName, stray:
		return s.stepName(c)
	case tag:
		return s.stepTag(c), ""
	case endTag:
		switch c {
		case '>':
			s.depth--
			return s.closed(), ""
		case '<':
			s.state, s.back, s.match = stray, endTag, 0
		}
	case bang, dash, bracket:
		s.stepBang(c)
	case comment:
		s.untilMark(c, '-')
	case cdata:
		s.untilMark(c, ']')
	case declared:
		s.stepDeclared(c)
	case question:
		// In a declaration a ">" stands at its end only, and nothing else is taken.
		if c == '>' {
			s.content()
		}
	}
	return 0, ""
}

func (s *Splitter) stepOpen(c byte) (n int, reason string) {
	switch {
	case c == '!':
		s.state = bang
	case c == '?':
		s.state = question
	case s.nest > 0:
		s.nest++
		s.state = declared
		s.stepDeclared(c)
	case c == '/':
		s.state, s.match = endName, 0
	default:
		s.state, s.match = name, 0
		return s.stepName(c)
	}
	return 0, ""
}

// stepName looks for the name "command" behind a "<" or "</".
func (s *Splitter) stepName(c byte) (n int, reason string) {
	if s.match < len(commandName) && lower(c) == commandName[s.match] {
		s.match++
		return 0, ""
	}
	isCommand := s.match == len(commandName) && (isWhite(c) || c == '/' || c == '>')
	if isCommand && (s.state == stray || s.state == name && s.depth > 0) {
		return s.pos - len("<") - len(commandName), reasonCommand
	}
	switch s.state {
	case name:
		s.state = tag
	case endName:
		s.state = endTag
		if isCommand {
			s.depth = 1
		}
	default:
		s.state = s.back
	}
	return s.step(c)
}

func (s *Splitter) stepTag(c byte) (n int) {
	slash := s.slash
	s.slash = false
	switch {
	case c == '<':
		s.state, s.back, s.match = stray, tag, 0
	case s.quote != 0:
		if c == s.quote {
			s.quote = 0
		}
	case c == '"' || c == '\'':
		s.quote = c
	case c == '/':
		s.slash = true
	case c == '>':
		if !slash {
			s.depth++
		}
		return s.closed()
	}
	return 0
}

// stepBang tells comments, CDATA and DTDs apart.
func (s *Splitter) stepBang(c byte) {
	switch {
	case s.state == bang && c == '-':
		s.state = dash
	case s.state == dash && c == '-':
		s.state, s.match = comment, 0
	case s.state == bang && c == '[':
		s.state, s.match = bracket, 1
	case s.state == bracket && c == cdataMark[s.match]:
		if s.match++; s.match == len(cdataMark) {
			s.state, s.match = cdata, 0
		}
	default:
		s.nest++
		s.state = declared
		s.stepDeclared(c)
	}
}

func (s *Splitter) stepDeclared(c byte) {
	switch {
	case s.quote != 0:
		if c == s.quote {
			s.quote = 0
		}
	case c == '"' || c == '\'':
		s.quote = c
	case c == '<':
		s.state = open
	case c == '>':
		s.nest--
		s.content()
	}
}

// untilMark waits for mark twice and a ">".
func (s *Splitter) untilMark(c, mark byte) {
	switch {
	case c == mark:
		s.match = min(s.match+1, 2)
	case c == '>' && s.match == 2:
		s.content()
	default:
		s.match = 0
	}
}

// content goes on behind a comment and its like.
func (s *Splitter) content() {
	switch {
	case s.nest > 0:
		s.state = declared
	case s.depth > 0:
		s.state = text
	default:
		s.state = outside
	}
}

// closed goes on behind a tag, and returns the length of the message if that was its last.
func (s *Splitter) closed() (n int) {
	if s.depth <= 0 {
		return s.pos + 1
	}
	s.state = text
	return 0
}

// white is white space in XML (section 2.3, S).
const white = " \t\r\n"

func isWhite(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
