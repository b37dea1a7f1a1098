package config

import (
	"fmt"
	"io"
)

// A Secret is text that no log, error or dump may show: it prints as "[secret]"
// with every verb of fmt, in JSON and in zap's fields. string(s) is the text.
//
// A struct that holds one must export the field: fmt reads unexported fields
// without asking them how they want to be shown.
type Secret string

const hidden = "[secret]"

// Format prints "[secret]" whatever the verb.
func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, hidden) }

// String returns "[secret]".
func (Secret) String() string { return hidden }

// MarshalText returns "[secret]".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
