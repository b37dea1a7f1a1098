package xml

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"ampd/codec"
)

// AppendElement appends `<element name="value" ... />` or, with children, `<element
// ...><header name="...">...</header></element>`; no line end. It allocates nothing if b has
// room and there are at most 128 headers.
//
// A header is an attribute, unless it has the name of an earlier one, whatever its
// case, or a name that no attribute may have: it is a child then. Either kind
// stands in the order of headers. The name of the first is written in lower case, as is that of
// the second in "command" if it is Response.
//
// Any XML parser gives back every name and value. But what XML can't carry becomes
// U+FFFD, and what is not UTF-8 is taken as Latin-1.
func AppendElement(b []byte, element string, headers []codec.Header) []byte {
	b = append(b, '<')
	b = append(b, element...)
	var few [256]int32
	seen := names(few[:])
	if len(headers) > len(few)/2 {
		seen = make(names, 1<<bits.Len(uint(2*len(headers))))
	}
	child := len(headers) // the first
	for i := range headers {
		if seen.first(headers, i) != i {
			child = min(child, i)
			continue
		}
		b = append(b, ' ')
		from := len(b)
		b = append(b, headers[i].Name...)
		if i == 0 || i == 1 && element == commandName && strings.EqualFold(headers[i].Name, "Response") {
			toLower(b[from:])
		}
		b = append(b, '=', '"')
		b = appendEscaped(b, headers[i].Value)
		b = append(b, '"')
	}
	if child == len(headers) {
		return append(b, " />"...)
	}
	b = append(b, '>')
	for i := child; i < len(headers); i++ {
		if seen.first(headers, i) == i {
			continue
		}
		b = append(b, `<header name="`...)
		b = appendEscaped(b, headers[i].Name)
		b = append(b, `">`...)
		b = appendEscaped(b, headers[i].Value)
		b = append(b, "</header>"...)
	}
	b = append(b, "</"...)
	b = append(b, element...)
	return append(b, '>')
}

// AppendError appends `<command action="Unknown" Response="Error">text</command>`, the
// general error; no line end. actionID "" leaves that attribute out; else it stands as
// ActionID behind Response.
func AppendError(b []byte, actionID, text string) []byte {
	b = append(b, `<command action="Unknown" Response="Error"`...)
	if actionID != "" {
		b = append(b, ` ActionID="`...)
		b = appendEscaped(b, actionID)
		b = append(b, '"')
	}
	b = append(b, '>')
	b = appendEscaped(b, text)
	return append(b, "</command>"...)
}

// names is a hash table of the headers whose names were met first: their indexes + 1, 0
// where there is none. Its length is a power of two and twice theirs or more.
type names []int32

// first returns the index of the attribute that has the name of the i-th header, which is i
// for the first of that name, or -1 if no attribute may have it.
func (s names) first(headers []codec.Header, i int) int {
	name := headers[i].Name
	hash, ok := hashName(name)
	if !ok {
		return -1
	}
	for at := int(hash) & (len(s) - 1); ; at = (at + 1) & (len(s) - 1) {
		other := int(s[at]) - 1
		if other < 0 {
			s[at] = int32(i + 1)
			return i
		}
		if other == i || len(headers[other].Name) == len(name) && strings.EqualFold(headers[other].Name, name) {
			return other
		}
	}
}

// hashName hashes the name of an attribute, whatever its case. ok is false for a name that
// no attribute may have: it is no NCName ("Namespaces in XML 1.0", section 3), not of
// ASCII, or declares a namespace.
func hashName(name string) (hash uint64, ok bool) {
	if name == "" || kinds[name[0]]&nameStart == 0 {
		return 0, false
	}
	kind := uint8(inName)
	for i := range len(name) {
		c := name[i]
		kind &= kinds[c]
		hash = bits.RotateLeft64(hash, 5) ^ uint64(c|0x20)
	}
	if kind == 0 || len(name) == len("xmlns") && strings.EqualFold(name, "xmlns") {
		return 0, false
	}
	return hash * 0x9E3779B97F4A7C15 >> 32, true // 2^64 / the golden ratio
}

// What a byte is in a name and in a value.
const (
	nameStart = 1 << iota
	inName
	special // is not written as it is, or has to be looked at closer
)

var kinds = func() (kinds [256]uint8) {
	for c := range kinds {
		switch c := byte(c); {
		case c < ' ', c >= utf8.RuneSelf:
			kinds[c] = special
		case 'a' <= lower(c) && lower(c) <= 'z', c == '_':
			kinds[c] = nameStart | inName
		case '0' <= c && c <= '9', c == '-', c == '.':
			kinds[c] = inName
		}
		if escapes[c] != "" {
			kinds[c] |= special
		}
	}
	return kinds
}()

// escapes are for attribute values and text alike. Line ends and TABs would be
// changed by parsers as they are (sections 2.11 and 3.3.3).
var escapes = [256]string{
	'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\t': "&#9;", '\n': "&#10;", '\r': "&#13;",
}

func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		if kinds[s[i]]&special != 0 {
			return appendSpecial(append(b, s[:i]...), s[i:], utf8.ValidString(s))
		}
	}
	return append(b, s...)
}

// appendSpecial appends what may hold anything. What is not UTF-8 is Latin-1, whose
// bytes are the code points of Unicode.
func appendSpecial(b []byte, s string, isUTF8 bool) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case kinds[c]&special == 0:
			b = append(b, c)
		case escapes[c] != "":
			b = append(b, escapes[c]...)
		case c < ' ':
			b = append(b, replacement...)
		case !isUTF8:
			b = utf8.AppendRune(b, rune(c))
		case strings.HasPrefix(s[i:], "\uFFFE") || strings.HasPrefix(s[i:], "\uFFFF"):
			b = append(b, replacement...)
			i += len("\uFFFE") - 1
		default:
			b = append(b, c)
		}
	}
	return b
}

// replacement stands for what is no character in XML (section 2.2, Char).
const replacement = "\uFFFD"

func toLower(b []byte) {
	for i, c := range b {
		b[i] = lower(c)
	}
}
