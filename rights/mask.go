package rights

import (
	"path"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
)

// masked stands where a secret stood.
const masked = "********"

// Mask returns one packet of an answer as the session may read it: p itself where
// nothing in it is secret. action is the one that was run.
func (s *Subject) Mask(action, p *codec.Packet) *codec.Packet {
	if s.dangerous {
		return p
	}
	switch name := action.ActionName(); {
	case equalFold(name, "GetConfig"):
		return maskConfig(s.index, action, p)
	case equalFold(name, "GetConfigJSON"):
		return maskConfigJSON(s.index, action, p)
	case equalFold(name, "DBGet"), equalFold(name, "DBGetTree"):
		return maskDB(s.index, p)
	}
	return mask(s.index, p)
}

// mask masks by the names of headers.
func mask(x *index, p *codec.Packet) *codec.Packet {
	for i := range p.Headers {
		if x.masksHeader(p.Headers[i].Name) {
			return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
				if x.masksHeader(h.Name) && h.Value != "" {
					return masked, true
				}
				return h.Value, true
			})
		}
	}
	return p
}

// masksHeader is asked for every header of every event: most names have a length
// that none of the secret ones has.
func (x *index) masksHeader(name string) bool {
	if len(name) >= len(x.maskedHeaders) {
		return false
	}
	for _, secret := range x.maskedHeaders[len(name)] {
		if equalFold(secret, name) {
			return true
		}
	}
	return false
}

// matchesLast tells whether one of the patterns is the last part of a key, whose
// parts have "/" between them.
func matchesLast(patterns []pattern, key string) bool {
	key = key[strings.LastIndexByte(key, '/')+1:]
	for _, p := range patterns {
		if p.matches(key) {
			return true
		}
	}
	return false
}

// maskDB masks an item of DBGet or DBGetTree: a Key, the whole of it in DBGetTree,
// and its Val (manager_dbget and manager_db_tree_get in main/db.c).
func maskDB(x *index, p *codec.Packet) *codec.Packet {
	secret := matchesLast(x.maskedEntries, p.Get("Key"))
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		if h.Value != "" && (x.masksHeader(h.Name) || secret && equalFold(h.Name, "Val")) {
			return masked, true
		}
		return h.Value, true
	})
}

// A configFile masks the lines of one configuration file.
type configFile struct {
	index *index

	// voicemail is set for a file of mailboxes: each key outside of general and
	// zonemessages is one, whose value begins with its PIN.
	voicemail bool
}

func newConfigFile(x *index, action *codec.Packet) configFile {
	f := configFile{index: x}
	for name := range values(action, "Filename") {
		f.voicemail = f.voicemail || strings.Contains(toLower(path.Base(name)), "voicemail")
	}
	return f
}

// value returns the value as it may be read. category "" is one that is not known.
func (f *configFile) value(category, key, value string) string {
	switch {
	case value == "":
	case matchesLast(f.index.maskedKeys, key):
		return masked
	case f.isMailbox(category, key):
		_, rest, _ := strings.Cut(value, ",")
		if rest != "" {
			return masked + "," + rest
		}
		return masked
	}
	return value
}

// isMailbox tells whether the key is a mailbox's. In other files than voicemail's,
// which may be included by it, digits alone are.
func (f *configFile) isMailbox(category, key string) bool {
	if f.voicemail && !equalFold(category, "general") && !equalFold(category, "zonemessages") {
		return true
	}
	return key != "" && strings.Trim(key, "0123456789") == ""
}

// maskConfig masks an answer of GetConfig: headers Category-NNNNNN, and behind each
// its Line-NNNNNN-NNNNNN: KEY=VALUE (action_getconfig in main/manager.c).
func maskConfig(x *index, action, p *codec.Packet) *codec.Packet {
	f := newConfigFile(x, action)
	category := ""
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		switch {
		case x.masksHeader(h.Name) && h.Value != "":
			return masked, true
		case hasPrefixFold(h.Name, "Category-"):
			category = h.Value
		case hasPrefixFold(h.Name, "Line-"):
			key, value, _ := strings.Cut(h.Value, "=")
			if m := f.value(category, key, value); m != value {
				return key + "=" + m, true
			}
		}
		return h.Value, true
	})
}

// maskConfigJSON masks an answer of GetConfigJSON, whose one header is
// {"CATEGORY":{"KEY":"VALUE",...},...}. Asterisk writes each line of the file, so a
// key may stand there twice, and escapes nothing but quotes and backslashes
// (json_escape in main/manager.c): what is read here is that, not JSON. What can't
// be read is masked whole.
func maskConfigJSON(x *index, action, p *codec.Packet) *codec.Packet {
	f := newConfigFile(x, action)
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		switch {
		case x.masksHeader(h.Name) && h.Value != "":
			return masked, true
		case equalFold(h.Name, "JSON"):
			return f.json(h.Value), true
		}
		return h.Value, true
	})
}

func (f *configFile) json(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	var category, key string
	depth, behindColon := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{':
			depth++
			behindColon = false
		case '}':
			depth--
		case ',':
			behindColon = false
		case ':':
			behindColon = true
		case '"':
			s, end, ok := unquote(text, i)
			if !ok || depth < 1 || depth > 2 {
				return masked
			}
			switch {
			case depth == 1:
				category = s
			case !behindColon:
				key = s
			default:
				if m := f.value(category, key, s); m != s {
					out.WriteString(quote(m))
					i = end - 1
					continue
				}
			}
			out.WriteString(text[i:end])
			i = end - 1
			continue
		}
		out.WriteByte(text[i])
	}
	if depth != 0 {
		return masked
	}
	return out.String()
}

// unquote reads the string that begins with the quote at i; end is behind its
// closing one.
func unquote(text string, i int) (s string, end int, ok bool) {
	var b strings.Builder
	for i++; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), i + 1, true
		case '\\':
			if i++; i == len(text) {
				return "", 0, false
			}
		}
		b.WriteByte(text[i])
	}
	return "", 0, false
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && equalFold(s[:len(prefix)], prefix)
}
