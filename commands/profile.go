package commands

import (
	"fmt"

	"ampd/codec"
	"ampd/codec/native"
)

// profileList lists what profiles may do; their secrets the store does not tell.
func profileList(_ *State, env *Env, a *codec.Packet) Answer {
	l := newList(a, "Profiles will follow")
	for _, headers := range env.Profiles.List() {
		l.item("ProfileEntry", pairs(headers)...)
	}
	return l.end("ProfileListComplete")
}

func profileGet(_ *State, env *Env, a *codec.Packet) Answer {
	headers, ok := env.Profiles.Get(a.Get("Profile"))
	if !ok {
		return whole(native.Answer(a, "Error", fmt.Sprintf("There is no profile %q", a.Get("Profile"))))
	}
	b := native.AppendAnswer(nil, a, "Success")
	for _, h := range headers {
		b = native.AppendHeader(b, h.Name, h.Value)
	}
	return whole(native.AppendEnd(b))
}

func pairs(headers []codec.Header) (all []string) {
	for _, h := range headers {
		all = append(all, h.Name, h.Value)
	}
	return all
}

func profileUpdate(_ *State, env *Env, a *codec.Packet) func() func(*Env) []byte {
	a = a.Copy()
	return func() func(*Env) []byte {
		if err := env.Profiles.Update(env.Profile, a.Get("Profile"), others(a, "Action", "ActionID", "Profile")); err != nil {
			return always(native.Answer(a, "Error", err.Error()))
		}
		return always(native.Answer(a, "Success", "Profile updated"))
	}
}

func profileDelete(_ *State, env *Env, a *codec.Packet) func() func(*Env) []byte {
	a = a.Copy()
	return func() func(*Env) []byte {
		if err := env.Profiles.Delete(env.Profile, a.Get("Profile")); err != nil {
			return always(native.Answer(a, "Error", err.Error()))
		}
		return always(native.Answer(a, "Success", "Profile deleted"))
	}
}

// always is an answer whatever is true when it is given.
func always(packets []byte) func(*Env) []byte { return func(*Env) []byte { return packets } }
