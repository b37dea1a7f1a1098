package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"ampd/codec"
)

// maxHeaders is the number of headers that a message may have, its action counted. It is
// Asterisk's (AST_MAX_MANHEADERS in main/manager.c).
const maxHeaders = 128

// Parse reads one message, as Next has cut it off, into the headers of an action:
// attributes first to last, then children, in order. Its error is a [*SyntaxError].
//
// The first header is the attribute action, named "Action". Names are as the client
// spelled them. What stands before the blank is no part of a value's beginning, as
// in AMI, and white space around a child's text no part of its value. A TAB may stand in a
// value as "&#9;"; as it is it becomes a blank (section 3.3.3). No value holds another
// control character.
func Parse(message []byte) ([]codec.Header, error) {
	headers, reason := parse(message)
	if reason != "" {
		return nil, syntaxError(reason, message)
	}
	return headers, nil
}

func parse(message []byte) (headers []codec.Header, reason string) {
	if !utf8.Valid(message) {
		return nil, "it is not UTF-8"
	}
	if bytes.IndexByte(message, '\t') >= 0 {
		message = bytes.ReplaceAll(message, []byte{'\t'}, []byte{' '})
	}
	p := parser{xml: xml.NewDecoder(bytes.NewReader(message))}
	for !p.done {
		at := p.xml.InputOffset()
		token, err := p.xml.Token()
		if err != nil {
			return nil, reasonOf(err, p.xml.InputOffset())
		}
		if reason := p.take(token, at); reason != "" {
			return nil, reason
		}
	}
	if len(bytes.TrimRight(message[p.xml.InputOffset():], white)) > 0 {
		return nil, "something stands behind the element"
	}
	return p.headers, ""
}

// A parser is in the middle of a message.
type parser struct {
	xml     *xml.Decoder
	headers []codec.Header
	depth   int    // elements open
	name    string // of the child's header
	value   []byte // of the child
	done    bool   // the element has ended
}

// take takes the token at a byte of the message, and returns what is wrong with it or "".
func (p *parser) take(token xml.Token, at int64) (reason string) {
	switch t := token.(type) {
	case xml.StartElement:
		p.depth++
		switch p.depth {
		case 1:
			return p.command(t)
		case 2:
			return p.child(t)
		}
		return fmt.Sprintf("element %s stands too deep", quote(t.Name.Local))
	case xml.EndElement:
		p.depth--
		if p.depth == 0 {
			p.done = true
			return ""
		}
		return p.add(p.name, strings.Trim(string(p.value), white))
	case xml.CharData:
		if p.depth == 2 {
			p.value = append(p.value, t...)
		} else if len(bytes.Trim(t, white)) > 0 {
			return fmt.Sprintf("text at byte %d stands in no header", at)
		}
	case xml.ProcInst:
		switch {
		case t.Target != "xml" || at > 0:
			return "a processing instruction is not allowed"
		case !declaration.Match(t.Inst):
			return reasonDeclaration
		}
	case xml.Directive:
		return "a DTD is not allowed"
	}
	return ""
}

// command takes the start tag of the message's element.
func (p *parser) command(t xml.StartElement) (reason string) {
	switch {
	case t.Name.Space != "":
		return reasonNamespace
	case !strings.EqualFold(t.Name.Local, commandName):
		return fmt.Sprintf("the element is named %s, not command", quote(t.Name.Local))
	case len(t.Attr) > maxHeaders:
		return reasonTooMany
	}
	p.headers = make([]codec.Header, 1, 1+len(t.Attr))
	for i, a := range t.Attr {
		for _, earlier := range t.Attr[:i] {
			if strings.EqualFold(earlier.Name.Local, a.Name.Local) {
				return fmt.Sprintf("attribute %s is given twice", quote(a.Name.Local))
			}
		}
		if a.Name.Space != "" || a.Name.Local == "xmlns" {
			return reasonNamespace
		}
		if reason := p.add(a.Name.Local, a.Value); reason != "" {
			return reason
		}
	}
	if p.headers[0].Value == "" {
		return "it has no action"
	}
	return ""
}

// child takes the start tag of an element inside.
func (p *parser) child(t xml.StartElement) (reason string) {
	p.name, p.value = t.Name.Local, p.value[:0]
	switch {
	case t.Name.Space != "":
		return reasonNamespace
	case strings.EqualFold(p.name, commandName):
		return "a command stands inside another"
	case !strings.EqualFold(p.name, "header"):
		if len(t.Attr) > 0 {
			return fmt.Sprintf("element %s has attributes", quote(p.name))
		}
	case len(t.Attr) != 1 || t.Attr[0].Name.Space != "" || !strings.EqualFold(t.Attr[0].Name.Local, "name"):
		return "an element header needs the attribute name and no other"
	default:
		p.name = t.Attr[0].Value
	}
	if strings.EqualFold(p.name, "Action") {
		return "the action stands elsewhere than in the attribute action"
	}
	return ""
}

// add adds a header, at the first place if it is the action.
func (p *parser) add(name, value string) (reason string) {
	switch {
	case !isHeaderName(name):
		return "the name of a header may hold letters, digits and punctuation of ASCII, but no colon"
	case hasControl(value):
		return fmt.Sprintf("the value of %s holds a line break or another control character", quote(name))
	}
	value = trimLeft(value)
	if strings.EqualFold(name, "Action") {
		p.headers[0] = codec.Header{Name: "Action", Value: value}
		return ""
	}
	if len(p.headers) == maxHeaders {
		return reasonTooMany
	}
	p.headers = append(p.headers, codec.Header{Name: name, Value: value})
	return ""
}

// declaration is what "<?xml" may go on with (section 2.8, XMLDecl).
var declaration = regexp.MustCompile(
	`^version\s*=\s*["']1\.0["'](\s+encoding\s*=\s*["'](?i:utf-8)["'])?(\s+standalone\s*=\s*["'](yes|no)["'])?\s*$`)

const (
	reasonNamespace   = "namespaces are not allowed"
	reasonDeclaration = "the XML declaration may say version 1.0 and encoding UTF-8 only"
)

var reasonTooMany = fmt.Sprintf("it has more than %d headers", maxHeaders)

// reasons are what encoding/xml's messages mean, by their beginnings. The messages
// themselves quote what the client sent.
var reasons = []struct{ begins, reason string }{
	{"unexpected EOF", "something is not closed"},
	{"invalid character entity", "only &amp; &lt; &gt; &quot; &apos; and character references may follow an &"},
	{"illegal character code", "a control character or what is no character"},
	{"unescaped < inside quoted string", "a < in an attribute value"},
	{"invalid sequence \"--\"", "a -- in a comment"},
	{"unexpected end element", "an end tag without its start tag"},
	{"element <", "an end tag that belongs to another element"},
}

// reasonOf says what is wrong where encoding/xml has stopped at a byte.
func reasonOf(err error, at int64) string {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case !errors.As(err, &syntax):
		return reasonDeclaration
	}
	for _, r := range reasons {
		if strings.HasPrefix(syntax.Msg, r.begins) {
			return fmt.Sprintf("%s (byte %d)", r.reason, at)
		}
	}
	return fmt.Sprintf("it is no XML (byte %d)", at)
}

// isHeaderName tells whether AMI and ampd can say name: no colon, no blank.
func isHeaderName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == ':' {
			return false
		}
	}
	return name != ""
}

// hasControl tells whether value holds CR, LF, NUL or another byte below the blank
// but TAB.
func hasControl(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' {
			return true
		}
	}
	return false
}

// trimLeft leaves out what AMI does in front of a value (ast_skip_blanks).
func trimLeft(value string) string {
	for value != "" && value[0] <= ' ' {
		value = value[1:]
	}
	return value
}

// quote quotes a name for an error, up to a length that none really has.
func quote(name string) string { return fmt.Sprintf("%.64q", name) }
