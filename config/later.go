package config

import "errors"

// Later is the field of a key that is known and has no effect yet: a file that
// uses it has a problem, so that nobody relies on what is not there.
type Later struct{}

// UnmarshalTOML refuses whatever the value is.
func (*Later) UnmarshalTOML(any) error { return errors.New("is not supported by this version of ampd") }
