package audit

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"ampd/codec"
)

// A Line is what is written of one action, or of one login or its end.
type Line struct {
	Time    time.Time // written in its own time zone
	Client  uint64    // the connection's number
	Profile string    // "" before a login; as the client named it where that was refused
	Address string
	Event   string         // "action", "login", "logout"
	Action  string         // "" for none
	Params  []codec.Header // as [Log.Params] returns them
	Result  string         // "allowed", "refused", "error: <Message>", "lost" ...
	Latency time.Duration  // until the last packet of the answer, 0 where there is none
	Rule    string         // what decided, where refused
}

// timeFormat is RFC 3339 with microseconds, always six digits of them.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

// How many bytes of a text are written.
const (
	mostName  = 80 // of a profile, an action, a header; profiles have at most 79
	mostValue = 256
)

// append appends the line as JSON, its line end included. The keys have a fixed order.
// Before the address of a login stands nothing that its client chose: who looks for
// refused ones can rely on the beginning of the line.
func (l *Line) append(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = l.Time.AppendFormat(b, timeFormat)
	b = append(b, `","event":`...)
	b = appendText(b, l.Event, mostName)
	b = append(b, `,"result":`...)
	b = appendText(b, l.Result, mostValue)
	if l.Rule != "" {
		b = append(b, `,"rule":`...)
		b = appendText(b, l.Rule, mostValue)
	}
	b = append(b, `,"client":`...)
	b = strconv.AppendUint(b, l.Client, 10)
	b = append(b, `,"address":`...)
	b = appendText(b, l.Address, mostName)
	b = append(b, `,"profile":`...)
	b = appendText(b, l.Profile, mostName)
	if l.Action != "" {
		b = append(b, `,"action":`...)
		b = appendText(b, l.Action, mostName)
	}
	if len(l.Params) > 0 {
		b = append(b, `,"params":`...)
		b = appendParams(b, l.Params)
	}
	if l.Latency > 0 {
		b = append(b, `,"latency_ms":`...)
		b = strconv.AppendFloat(b, l.Latency.Seconds()*1000, 'f', 3, 64)
	}
	return append(b, "}\n"...)
}

// appendParams appends a pair for each header: as keys of an object names could be there
// twice.
func appendParams(b []byte, params []codec.Header) []byte {
	for i, h := range params {
		if i == 0 {
			b = append(b, "[["...)
		} else {
			b = append(b, ",["...)
		}
		b = appendText(b, h.Name, mostName)
		b = append(b, ',')
		b = appendText(b, h.Value, mostValue)
		b = append(b, ']')
	}
	return append(b, ']')
}

// appendText appends at most so many bytes of the text as a string of JSON. What is not
// UTF-8 is taken for Latin-1. What a terminal does not print is escaped, that is, also
// what would move its cursor or turn the direction of writing.
func appendText(b []byte, text string, most int) []byte {
	b = append(b, '"')
	for i := 0; i < len(text); {
		if i >= most {
			b = append(b, "..."...)
			break
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			r = rune(text[i])
		}
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = appendEscaped(appendEscaped(b, high), low)
		default:
			b = appendEscaped(b, r)
		}
		i += size
	}
	return append(b, '"')
}

// appendEscaped appends a code unit of UTF-16.
func appendEscaped(b []byte, unit rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}
