package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeep(t *testing.T) {
	type inner struct {
		Live    string   `toml:"live"`
		Fixed   []string `toml:"fixed" restart:"true"`
		Outside string
	}
	type embedded struct {
		Secret Secret `toml:"secret" restart:"true"`
	}
	type all struct {
		embedded
		Name  string   `toml:"name"`
		Some  inner    `toml:"some"`
		Whole inner    `toml:"whole" restart:"true"`
		List  []inner  `toml:"list" restart:"true"`
		Wait  Duration `toml:"wait" restart:"true"`
	}
	before := all{
		embedded: embedded{Secret: "a"},
		Name:     "a", Some: inner{Live: "a", Fixed: []string{"a"}, Outside: "a"}, Whole: inner{Live: "a"}, List: []inner{{Live: "a"}}, Wait: 1,
	}
	next := before
	require.Empty(t, Keep(&next, &before))
	require.Equal(t, before, next)

	next = all{
		embedded: embedded{Secret: "b"},
		Name:     "b", Some: inner{Live: "b", Fixed: []string{"b"}, Outside: "b"}, Whole: inner{Live: "b"}, List: nil, Wait: 1,
	}
	require.Equal(t, []string{"secret", "some.fixed", "whole.live", "list"}, Keep(&next, &before))
	want := before
	want.Name, want.Some.Live, want.Some.Outside = "b", "b", "b"
	require.Equal(t, want, next)
	require.Equal(t, "a", before.Name, "is left alone")
}
