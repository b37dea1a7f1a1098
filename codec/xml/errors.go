package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
)

// ErrSkipped is what [Splitter.Next] returns for bytes that are the rest of a message over
// MaxMessage: the client has had its error, they are to be dropped.
var ErrSkipped = errors.New("rest of an XML message that is too long")

// A SyntaxError says why a message is none. Its text is for the client: one sentence that
// holds nothing of the message but the names of headers and elements.
type SyntaxError struct {
	Reason string // what is wrong, and where

	// ActionID is the message's attribute of that name where it could be read,
	// else empty.
	ActionID string
}

func (e *SyntaxError) Error() string { return "Failed to parse message: " + e.Reason }

func syntaxError(reason string, message []byte) error {
	return &SyntaxError{Reason: reason, ActionID: actionID(message)}
}

// actionID finds the attribute ActionID in what may be no XML: the first quoted string
// behind "ActionID=" that is not in another one.
func actionID(message []byte) string {
	for i := 0; i < len(message); i++ {
		quote := message[i]
		if quote != '"' && quote != '\'' {
			continue
		}
		length := bytes.IndexByte(message[i+1:], quote)
		if length < 0 {
			continue
		}
		end := i + 1 + length + 1
		if isValueOf("actionid", message[:i]) {
			return unquote(string(message[i:end]))
		}
		i = end - 1
	}
	return ""
}

// isValueOf tells whether a quoted string behind before is the value of that attribute.
func isValueOf(name string, before []byte) bool {
	before, found := bytes.CutSuffix(bytes.TrimRight(before, white), []byte("="))
	before = bytes.TrimRight(before, white)
	at := len(before) - len(name)
	return found && at > 0 && isWhite(before[at-1]) && strings.EqualFold(string(before[at:]), name)
}

// unquote reads a quoted attribute value, and gives "" for one that may not be.
func unquote(quoted string) string {
	token, err := xml.NewDecoder(strings.NewReader("<a b=" + quoted + "/>")).RawToken()
	start, ok := token.(xml.StartElement)
	if err != nil || !ok || len(start.Attr) != 1 || hasControl(start.Attr[0].Value) {
		return ""
	}
	return trimLeft(start.Attr[0].Value)
}
