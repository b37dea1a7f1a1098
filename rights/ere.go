package rights

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// compileERE compiles a POSIX extended regular expression as glibc's regcomp does
// with REG_EXTENDED and without REG_NEWLINE: "." and "[^a]" match line ends; \w \W
// \s \S \b \B \< \> \` \' are GNU's, any other character behind a backslash is
// itself; "{" always begins a repetition. "^" and "$" match the ends of the text
// and, a peculiarity of glibc's, beside a line feed that the expression itself
// matches: ".*^Channel:" finds the line.
//
// Not taken, though glibc does: references back to a group (\1), more than 1,000
// repetitions, \< before what need not begin with a letter, digit or underscore,
// \> behind what need not end with one. Letters, and so \w and [[:alpha:]], are
// ASCII's.
//
// That it says the same as glibc was tried with generated expressions and texts.
func compileERE(expr string) (*regexp.Regexp, error) {
	if !utf8.ValidString(expr) {
		return nil, errors.New("not UTF-8")
	}
	p := ereParser{rest: expr}
	n, err := p.alternatives(0)
	if err != nil {
		return nil, err
	}
	if n.size() > maxERE {
		return nil, errSize
	}
	var re strings.Builder
	re.WriteString("(?s)")
	if err := n.write(&re, edge{}, edge{}); err != nil {
		return nil, err
	}
	return regexp.Compile(re.String())
}

var (
	errRepeat   = errors.New("nothing to repeat")
	errInterval = errors.New("bad repetition count")
	errParen    = errors.New("unmatched parenthesis")
	errBracket  = errors.New("unmatched bracket")
	errRange    = errors.New("bad range")
	errClass    = errors.New("unknown character class")
	errElement  = errors.New("unknown collating element")
	errEscape   = errors.New("trailing backslash")
	errBackref  = errors.New("references to groups are not supported")
	errSize     = fmt.Errorf("more than %d characters and repetitions", maxERE)
	errWordEdge = errors.New(`\< must stand before a word and \> behind one`)
)

// maxERE bounds the size of an expression. Matching one character of an event takes
// up to so many steps, and all events wait meanwhile: the worst expressions
// found of this size took 3 ms for an event of 1 kB.
const maxERE = 500

// size counts the characters, repeated ones as often as they may be repeated. It
// stops counting beyond maxERE.
func (n *ereNode) size() int {
	size := 1
	for _, sub := range n.subs {
		each := sub.size()
		if n.op == opRepeat {
			each *= max(n.max, n.min+1)
		}
		if size += each; size > maxERE {
			return maxERE + 1
		}
	}
	return size
}

// An ereNode is a part of an expression.
type ereNode struct {
	op   ereOp
	text string     // opChar: in Go's syntax; opAnchor: its letter
	word bool       // opChar: matches letters, digits and underscores only
	feed bool       // opChar: may match a line feed
	subs []*ereNode // opSeq, opAlt; the one of opRepeat
	min  int        // opRepeat
	max  int        // opRepeat; -1 for no bound
}

type ereOp uint8

const (
	opChar ereOp = iota
	opAnchor
	opSeq
	opAlt
	opRepeat
)

// empty tells whether it may match nothing.
func (n *ereNode) empty() bool {
	switch n.op {
	case opChar:
		return false
	case opRepeat:
		return n.min == 0 || n.subs[0].empty()
	case opSeq:
		for _, s := range n.subs {
			if !s.empty() {
				return false
			}
		}
	case opAlt:
		for _, s := range n.subs {
			if s.empty() {
				return true
			}
		}
		return false
	}
	return true
}

// An edge is what is known of the character beside a place: that it is a letter,
// digit or underscore; that it may be a line feed which the expression matches.
type edge struct{ word, feed bool }

// edge returns what n begins with, or ends with, beyond being what it is next to.
func (n *ereNode) edge(beyond edge, last bool) edge {
	switch n.op {
	case opChar:
		return edge{n.word, n.feed}
	case opAnchor:
		return beyond
	case opRepeat:
		if n.max == 0 {
			return beyond
		}
		e := n.subs[0].edge(beyond, last)
		if n.min == 0 {
			e = edge{e.word && beyond.word, e.feed || beyond.feed}
		}
		return e
	case opSeq:
		return seqEdge(n.subs, beyond, last)
	}
	all := edge{word: true}
	for _, s := range n.subs {
		e := s.edge(beyond, last)
		all = edge{all.word && e.word, all.feed || e.feed}
	}
	return all
}

// seqEdge is edge of nodes one behind the other.
func seqEdge(nodes []*ereNode, beyond edge, last bool) edge {
	all := edge{word: true}
	for i := range nodes {
		n := nodes[i]
		if last {
			n = nodes[len(nodes)-1-i]
		}
		e := n.edge(edge{word: true}, last)
		all = edge{all.word && e.word, all.feed || e.feed}
		if !n.empty() {
			return all
		}
	}
	return edge{all.word && beyond.word, all.feed || beyond.feed}
}

// write writes n in Go's syntax; left and right are what stands beside it.
func (n *ereNode) write(re *strings.Builder, left, right edge) error {
	switch n.op {
	case opChar:
		re.WriteString(n.text)
	case opAnchor:
		return n.writeAnchor(re, left, right)
	case opSeq:
		for i, s := range n.subs {
			if err := s.write(re, seqEdge(n.subs[:i], left, true), seqEdge(n.subs[i+1:], right, false)); err != nil {
				return err
			}
		}
	case opAlt:
		re.WriteString("(?:")
		for i, s := range n.subs {
			if i > 0 {
				re.WriteByte('|')
			}
			if err := s.write(re, left, right); err != nil {
				return err
			}
		}
		re.WriteByte(')')
	case opRepeat:
		sub := n.subs[0]
		if n.max != 1 { // it may stand beside itself
			before, behind := sub.edge(left, true), sub.edge(right, false)
			left = edge{left.word && before.word, left.feed || before.feed}
			right = edge{right.word && behind.word, right.feed || behind.feed}
		}
		re.WriteString("(?:")
		if err := sub.write(re, left, right); err != nil {
			return err
		}
		re.WriteString("){" + strconv.Itoa(n.min) + ",")
		if n.max >= 0 {
			re.WriteString(strconv.Itoa(n.max))
		}
		re.WriteByte('}')
	}
	return nil
}

func (n *ereNode) writeAnchor(re *strings.Builder, left, right edge) error {
	switch {
	case n.text == "^" && left.feed:
		re.WriteString(`(?m:^)`)
	case n.text == "$" && right.feed:
		re.WriteString(`(?m:$)`)
	case n.text == "^", n.text == "`":
		re.WriteString(`\A`)
	case n.text == "$", n.text == "'":
		re.WriteString(`\z`)
	case n.text == "<" && !right.word, n.text == ">" && !left.word:
		return errWordEdge
	case n.text == "B":
		re.WriteString(`\B`)
	default: // \b, and what is \b where a word is known to follow or precede
		re.WriteString(`\b`)
	}
	return nil
}

// An ereParser holds what is left to read of an expression.
type ereParser struct{ rest string }

// alternatives reads branches with "|" between them, up to the end or, at a depth,
// to the parenthesis that closes it.
func (p *ereParser) alternatives(depth int) (*ereNode, error) {
	alt := &ereNode{op: opAlt}
	for {
		b, err := p.branch(depth)
		if err != nil {
			return nil, err
		}
		alt.subs = append(alt.subs, b)
		if !p.skip("|") {
			return alt, nil
		}
	}
}

// branch reads parts one behind the other.
func (p *ereParser) branch(depth int) (*ereNode, error) {
	seq := &ereNode{op: opSeq}
	for p.rest != "" && p.rest[0] != '|' && (depth == 0 || p.rest[0] != ')') {
		n, err := p.repeated(depth)
		if err != nil {
			return nil, err
		}
		seq.subs = append(seq.subs, n)
	}
	return seq, nil
}

// repeated reads an atom and the repetitions behind it.
func (p *ereParser) repeated(depth int) (*ereNode, error) {
	n, err := p.atom(depth)
	if err != nil || n.op == opAnchor { // an anchor can't be repeated: "^*" is an error
		return n, err
	}
	for {
		r := &ereNode{op: opRepeat, subs: []*ereNode{n}}
		switch {
		case p.skip("*"):
			r.max = -1
		case p.skip("+"):
			r.min, r.max = 1, -1
		case p.skip("?"):
			r.max = 1
		case p.skip("{"):
			if r.min, r.max, err = p.interval(); err != nil {
				return nil, err
			}
		default:
			return n, nil
		}
		n = r
	}
}

// interval reads what stands behind "{": n}, n,}, n,m} or ,m}.
func (p *ereParser) interval() (least, most int, err error) {
	inside, rest, closed := strings.Cut(p.rest, "}")
	low, high, two := strings.Cut(inside, ",")
	if !closed {
		return 0, 0, errInterval
	}
	if low != "" || !two {
		if least, err = count(low); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case !two:
		most = least
	case high == "":
		most = -1
	default:
		if most, err = count(high); err != nil {
			return 0, 0, err
		}
		if most < least {
			return 0, 0, errInterval
		}
	}
	p.rest = rest
	return least, most, nil
}

func count(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > 1000 || strings.Trim(s, "0123456789") != "" {
		return 0, errInterval
	}
	return int(n), nil
}

// atom reads one character, class, group or anchor.
func (p *ereParser) atom(depth int) (*ereNode, error) {
	switch r := p.next(); r {
	case '*', '+', '?', '{':
		return nil, errRepeat
	case '^', '$':
		return anchor(r), nil
	case '.':
		return &ereNode{text: ".", feed: true}, nil
	case '[':
		return p.bracket()
	case '(':
		n, err := p.alternatives(depth + 1)
		if err == nil && !p.skip(")") {
			err = errParen
		}
		return n, err
	case '\\':
		return p.escaped()
	default:
		return character(r), nil
	}
}

func (p *ereParser) next() rune {
	r, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	return r
}

func (p *ereParser) skip(s string) (skipped bool) {
	p.rest, skipped = strings.CutPrefix(p.rest, s)
	return skipped
}

func anchor(r rune) *ereNode { return &ereNode{op: opAnchor, text: string(r)} }

func character(r rune) *ereNode {
	return &ereNode{text: regexp.QuoteMeta(string(r)), word: isWordRune(r), feed: r == '\n'}
}

func isWordRune(r rune) bool {
	return r == '_' || r < utf8.RuneSelf && (isLetter(byte(r)) || isDigit(byte(r)))
}

// escaped reads what stands behind a backslash.
func (p *ereParser) escaped() (*ereNode, error) {
	if p.rest == "" {
		return nil, errEscape
	}
	switch r := p.next(); r {
	case 'w':
		return &ereNode{text: `\w`, word: true}, nil
	case 'W':
		return &ereNode{text: `\W`, feed: true}, nil
	case 's':
		return &ereNode{text: `[[:space:]]`, feed: true}, nil
	case 'S':
		return &ereNode{text: `[^[:space:]]`}, nil
	case 'b', 'B', '<', '>', '`', '\'':
		return anchor(r), nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return nil, errBackref
	default:
		return character(r), nil
	}
}

// classes of characters: whether they are letters, digits or underscores only, and
// whether line feed is one of them.
var classes = map[string]edge{
	"alnum": {word: true}, "alpha": {word: true}, "digit": {word: true},
	"lower": {word: true}, "upper": {word: true}, "xdigit": {word: true},
	"cntrl": {feed: true}, "space": {feed: true},
	"blank": {}, "graph": {}, "print": {}, "punct": {},
}

// bracket reads what stands behind "[", up to its "]".
func (p *ereParser) bracket() (*ereNode, error) {
	var re strings.Builder
	not := p.skip("^")
	all := edge{word: true}
	for first := true; first || !strings.HasPrefix(p.rest, "]"); first = false {
		if !first && p.atRange() {
			return nil, errRange // "-" is itself only in front and at the end
		}
		if p.skip("[:") {
			name, rest, closed := strings.Cut(p.rest, ":]")
			class, known := classes[name]
			switch {
			case !closed:
				return nil, errBracket
			case !known:
				return nil, errClass
			}
			p.rest = rest
			re.WriteString("[:" + name + ":]")
			all = edge{all.word && class.word, all.feed || class.feed}
			continue
		}
		from, to, err := p.span()
		if err != nil {
			return nil, err
		}
		re.WriteString(`\x{` + strconv.FormatInt(int64(from), 16) + `}-\x{` + strconv.FormatInt(int64(to), 16) + `}`)
		all = edge{all.word && isWordSpan(from, to), all.feed || from <= '\n' && '\n' <= to}
	}
	p.rest = p.rest[1:]
	if not {
		return &ereNode{text: "[^" + re.String() + "]", feed: !all.feed}, nil
	}
	return &ereNode{text: "[" + re.String() + "]", word: all.word, feed: all.feed}, nil
}

// atRange tells whether a "-" stands there that is not the bracket's last character.
func (p *ereParser) atRange() bool {
	return strings.HasPrefix(p.rest, "-") && !strings.HasPrefix(p.rest, "-]")
}

// span reads one character or a range of them.
func (p *ereParser) span() (from, to rune, err error) {
	from, equivalence, err := p.element()
	if err != nil || !p.atRange() {
		return from, from, err
	}
	p.rest = p.rest[1:]
	if equivalence || strings.HasPrefix(p.rest, "[:") || strings.HasPrefix(p.rest, "[=") {
		return 0, 0, errRange
	}
	to, _, err = p.element()
	if err == nil && from > to {
		err = errRange
	}
	return from, to, err
}

// element reads one character, or one as [.x.] or [=x=]; equivalence tells the
// latter, which can't bound a range.
func (p *ereParser) element() (r rune, equivalence bool, err error) {
	for _, sign := range []string{".", "="} {
		if !p.skip("[" + sign) {
			continue
		}
		name, rest, closed := strings.Cut(p.rest, sign+"]")
		r, size := utf8.DecodeRuneInString(name)
		switch {
		case !closed:
			return 0, false, errBracket
		case size == 0 || size != len(name):
			return 0, false, errElement
		}
		p.rest = rest
		return r, sign == "=", nil
	}
	if p.rest == "" {
		return 0, false, errBracket
	}
	return p.next(), false, nil
}

func isWordSpan(from, to rune) bool {
	for r := from; r <= to; r++ {
		if !isWordRune(r) {
			return false
		}
	}
	return true
}
