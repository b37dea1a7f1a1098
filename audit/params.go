package audit

import (
	"strconv"
	"strings"

	"ampd/codec"
)

// mostParams is how many headers of an action are written: more than there are mainHeaders,
// so that no others can push those out.
const mostParams = 32

// mainHeaders say what an action is about. The first of each that is not empty is written
// whatever else the client sent, its other headers where there is room.
var mainHeaders = set(
	"agent", "application", "bridgeuniqueid", "caction", "callerid", "channel", "channel1", "channel2",
	"command", "conference", "context", "data", "endpoint", "exten", "extrachannel", "family", "file",
	"filename", "interface", "key", "mailbox", "module", "peer", "priority", "profile", "queue", "to",
	"uniqueid", "val", "value", "variable",
)

func set(names ...string) map[string]bool {
	s := map[string]bool{}
	for _, name := range names {
		s[name] = true
	}
	return s
}

// masked stands where a secret stood.
const masked = "********"

// Params returns the headers of an action that are worth writing down, without Action and
// ActionID: at most [mostParams], the main ones first, then the others in their order, and
// one "..." that says how many more there were. The strings are views into the packet.
//
// Masked are:
//   - headers whose names tell of a secret: of a password, token, key (but for those that
//     name an entry of the database), of a session to be resumed;
//   - Value and Val where Variable, Family or Key tells of one, or names a protected
//     variable; what UpdateConfig writes;
//   - what follows the = behind such a name in any value, and such a word in Command;
//   - the secret of SIP/USER:SECRET@HOST.
//
// A secret that nothing names can't be recognised.
func (l *Log) Params(p *codec.Packet) []codec.Header {
	if l == nil {
		return nil
	}
	var params, others []codec.Header
	seen := map[string]bool{}
	for _, h := range p.Headers {
		switch name := lower(h.Name); {
		case name == "action" || name == "actionid":
		case mainHeaders[name] && !seen[name] && h.Value != "":
			seen[name] = true
			params = append(params, h)
		default:
			others = append(others, h)
		}
	}
	room := min(len(others), mostParams-len(params))
	params = append(params, others[:room]...)
	m := l.newMask(p)
	for i := range params {
		params[i].Value = m.value(lower(params[i].Name), params[i].Value)
	}
	if left := len(others) - room; left > 0 {
		params = append(params, codec.Header{Name: "...", Value: strconv.Itoa(left) + " more"})
	}
	return params
}

// A mask knows of an action what decides about the values of its headers.
type mask struct {
	log     *Log
	action  string // its name in lower case
	written bool   // what it writes is a secret: the name of that tells, or is too long to ask
}

func (l *Log) newMask(p *codec.Packet) mask {
	m := mask{log: l, action: lower(p.ActionName())}
	if m.action == "custom" || m.action == "customfreeform" {
		m.action = lower(p.Get("CAction"))
	}
	for _, h := range p.Headers {
		switch lower(h.Name) {
		case "variable", "family", "key":
			m.written = m.written || len(h.Value) > mostValue || l.endOfSecret(h.Value) >= 0
		}
	}
	return m
}

// start is as much of a value as can be written, and the byte that shows that there was
// more.
func start(value string) string { return value[:min(len(value), mostValue+1)] }

// value returns the value of the header with that name, which is in lower case, as it may
// be written.
func (m *mask) value(name, value string) string {
	entry := name == "key" && strings.HasPrefix(m.action, "db")
	switch {
	case value == "":
		return ""
	case tellsOfSecret(name) && !entry, name == "resume":
		return masked
	case m.written && (name == "value" || name == "val"):
		return masked
	case m.action == "updateconfig" && (strings.HasPrefix(name, "value-") || strings.HasPrefix(name, "match-")):
		return masked
	}
	value = start(maskDialled(value))
	end := m.log.endOfSecret(value)
	if end < 0 || end == len(value) {
		return value
	}
	if name == "command" {
		return value[:end] + " " + masked
	}
	if equals := strings.IndexByte(value[end:], '='); equals >= 0 {
		return value[:end+equals+1] + masked
	}
	return value
}

// maskDialled masks what stands between a user's name and the host in what is dialled,
// and in URLs: SIP/USER:SECRET@HOST. A SIP URI has its scheme in the name's place.
func maskDialled(value string) string {
	if !strings.Contains(value, "@") {
		return value
	}
	var b strings.Builder
	for {
		end := strings.IndexAny(value, ",&@")
		if end < 0 {
			b.WriteString(value)
			return b.String()
		}
		part := value[:end]
		if value[end] == '@' {
			part = maskUser(part)
		}
		b.WriteString(part)
		b.WriteByte(value[end])
		value = value[end+1:]
	}
}

// maskUser masks what stands behind the user's name.
func maskUser(part string) string {
	slash := -1
	for i := range len(part) {
		switch part[i] {
		case '/':
			slash = i
		case ':':
			if slash < 0 {
				continue
			}
			if name := lower(part[slash+1 : i]); name != "sip" && name != "sips" {
				return part[:i+1] + masked
			}
		}
	}
	return part
}

// endOfSecret returns where the first word of the text ends that tells of a secret or is
// the name of a protected variable, -1 where there is none.
func (l *Log) endOfSecret(text string) int {
	text = lower(text)
	begin := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isWordByte(text[i]) {
			continue
		}
		if word := text[begin:i]; tellsOfSecret(word) || l.protects(word) {
			return i
		}
		begin = i + 1
	}
	return -1
}

// lower lowers ASCII letters only: names have no others, and each byte keeps its place.
func lower(text string) string {
	for i := 0; i < len(text); i++ {
		if 'A' <= text[i] && text[i] <= 'Z' {
			b := []byte(text)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return text
}

// isWordByte tells whether names of variables, in lower case, have such bytes.
func isWordByte(c byte) bool { return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' }

// tellsOfSecret judges a name in lower case. It rather takes one too many for a secret's.
func tellsOfSecret(name string) bool {
	if len(name) < len("pin") {
		return false
	}
	for _, part := range []string{"secret", "passw", "passphrase", "pwd", "token", "md5", "cred", "key", "pincode", "authoriz"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	for _, end := range []string{"pin", "pass", "auth"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// protects tells whether the configuration protects the variable of that name, in lower
// case. Underscores in front are no part of it.
func (l *Log) protects(name string) bool {
	protected := l.now.Load().protected
	if len(protected) == 0 || name == "" {
		return false
	}
	name = strings.TrimLeft(name, "_")
	for _, pattern := range protected {
		start, end, open := strings.Cut(pattern, "*")
		if name == pattern || open && len(name) >= len(start)+len(end) && strings.HasPrefix(name, start) && strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
