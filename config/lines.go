package config

import (
	"strconv"
	"strings"
)

// keyLines returns the line of each key, table and array element of a text that
// is valid TOML, by its path ("listen[1].address", keys quoted as [quoted] does).
func keyLines(text string) map[string]int {
	s := scanner{text: strings.TrimPrefix(text, "\ufeff"), line: 1, lines: map[string]int{}, counts: map[string]int{}}
	table := ""
	for s.space(true); s.pos < len(s.text); s.space(true) {
		if s.peek() != '[' {
			s.pair(table)
			continue
		}
		s.pos++
		array := s.peek() == '['
		if array {
			s.pos++
		}
		table = s.header(array)
	}
	return s.lines
}

// A scanner walks through valid TOML and needs to know only where things end.
type scanner struct {
	text   string
	pos    int
	line   int
	lines  map[string]int
	counts map[string]int // elements so far of each array of tables, by its path
}

func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// space skips blanks, and with lines also line ends and comments.
func (s *scanner) space(lines bool) {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == ' ' || c == '\t' || c == '\r':
		case c == '\n' && lines:
			s.line++
		case c == '#' && lines:
			if n := strings.IndexByte(s.text[s.pos:], '\n'); n >= 0 {
				s.pos += n - 1
			} else {
				s.pos = len(s.text) - 1
			}
		default:
			return
		}
	}
}

func (s *scanner) mark(path string) {
	if _, ok := s.lines[path]; !ok {
		s.lines[path] = s.line
	}
}

// header reads [a.b] or [[a.b]] behind its opening brackets and returns the path
// of the table it begins.
func (s *scanner) header(array bool) string {
	path := ""
	for {
		path = join(path, s.key())
		last := s.peek() != '.'
		if last && array {
			s.mark(path)
			s.counts[path]++
		}
		if n := s.counts[path]; n > 0 {
			path = element(path, n-1)
		}
		s.mark(path)
		s.pos++ // the dot or the bracket
		if last {
			break
		}
	}
	if array {
		s.pos++
	}
	return path
}

// escapes turns what TOML has and Go has not, or not with that meaning, into Go's.
var escapes = strings.NewReplacer(`\\`, `\\`, `\e`, `\u001b`, `\x`, `\u00`)

// key reads one part of a dotted key and the blanks around it.
func (s *scanner) key() string {
	s.space(false)
	start := s.pos
	if c := s.peek(); c == '"' || c == '\'' {
		s.str()
		part := s.text[start:s.pos]
		s.space(false)
		if c == '\'' {
			return quoted(part[1 : len(part)-1])
		}
		if plain, err := strconv.Unquote(escapes.Replace(part)); err == nil {
			part = quoted(plain)
		}
		return part
	}
	for s.pos < len(s.text) && !strings.ContainsRune(".=] \t\r\n", rune(s.text[s.pos])) {
		s.pos++
	}
	part := s.text[start:s.pos]
	s.space(false)
	return quoted(part)
}

// pair reads key = value in the table of that path.
func (s *scanner) pair(path string) {
	for {
		path = join(path, s.key())
		s.mark(path)
		dot := s.peek() == '.'
		s.pos++
		if !dot {
			break
		}
	}
	s.space(false)
	s.value(path)
}

func (s *scanner) value(path string) {
	switch s.peek() {
	case '"', '\'':
		s.str()
	case '[':
		s.pos++
		s.space(true)
		for i := 0; s.pos < len(s.text) && s.peek() != ']'; i++ {
			at := element(path, i)
			s.mark(at)
			s.value(at)
			s.separator()
		}
		s.pos++
	case '{':
		s.pos++
		s.space(true)
		for s.pos < len(s.text) && s.peek() != '}' {
			s.pair(path)
			s.separator()
		}
		s.pos++
	default:
		for s.pos < len(s.text) && !strings.ContainsRune(",]}#\r\n", rune(s.text[s.pos])) {
			s.pos++
		}
	}
}

// separator skips what stands between the elements of an array or inline table.
func (s *scanner) separator() {
	s.space(true)
	if s.peek() == ',' {
		s.pos++
		s.space(true)
	}
}

// str skips a string of any of the four kinds.
func (s *scanner) str() {
	quote := s.text[s.pos : s.pos+1]
	end := quote
	if strings.HasPrefix(s.text[s.pos:], strings.Repeat(quote, 3)) {
		end = strings.Repeat(quote, 3)
	}
	for s.pos += len(end); s.pos < len(s.text); s.pos++ {
		switch {
		case s.text[s.pos] == '\\' && quote == `"`:
			s.pos++
			if s.peek() == '\n' {
				s.line++
			}
		case s.text[s.pos] == '\n':
			s.line++
		case strings.HasPrefix(s.text[s.pos:], end):
			s.pos += len(end)
			for len(end) == 3 && strings.HasPrefix(s.text[s.pos:], quote) {
				s.pos++ // up to two quotes before the closing three belong to the text
			}
			return
		}
	}
}
