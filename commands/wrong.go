package commands

import (
	"bytes"
	"strconv"
	"strings"

	"ampd/actions"
	"ampd/codec"
)

// wrong says in words for the client what is wrong with a value of the command's
// parameters by itself, "" for nothing. Asterisk would take what is neither true nor false
// for one of them, and of a number what its beginning says.
func wrong(c *actions.Command, p *codec.Packet) (refusal string) {
	for _, param := range c.Params {
		value := p.Get(param.Name)
		switch {
		case value == "":
		case param.Kind == actions.Switch && !codec.IsTrue(value) && !codec.IsFalse(value):
			return param.Name + " must be true or false"
		case param.Kind == actions.Number && !isNumber(value, 0):
			return param.Name + " must be a whole number"
		}
	}
	if name := controlled(c, p); name != "" {
		return "The value of " + name + " holds a control character"
	}
	return ""
}

// isNumber tells whether text is a whole number from least on that C's int holds.
func isNumber(text string, least int64) bool {
	n, err := strconv.ParseInt(text, 10, 32)
	return err == nil && n >= least && text[0] != '+'
}

// controlled finds a parameter with a control character. Natively a value ends at its NUL,
// and those in front of it are no part of it: what is left would mean something else. No value in XML
// has any.
func controlled(c *actions.Command, p *codec.Packet) (name string) {
	for line := range bytes.SplitSeq(p.Raw, []byte("\n")) {
		before, value, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(":"))
		if bytes.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' }) < 0 {
			continue
		}
		for _, param := range c.Params {
			if strings.EqualFold(string(before), param.Name) {
				return param.Name
			}
		}
	}
	return ""
}
