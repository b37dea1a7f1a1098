package commands

import (
	"slices"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// Asterisk 21 has lost Monitor, ChangeMonitor and StopMonitor (res/res_monitor.c before). They
// are made of MixMonitor, which can write what a channel says (r) and hears (t) to
// files of their own (mixmonitor_exec in apps/app_mixmonitor.c). Texts are those of
// res_monitor.c.

// A Recordings knows which channels are being recorded so. The zero value is ready.
type Recordings struct {
	of map[string]recording // by Uniqueid
}

// A recording is one under way.
type recording struct {
	id     string // its MixMonitorID
	format string
	mix    bool
}

// forgetEnded drops those of channels that are gone.
func (r *Recordings) forgetEnded(s *pbx.State) {
	for id := range r.of {
		if c := s.Channel(id); c == nil || c.Uniqueid != id {
			delete(r.of, id)
		}
	}
}

// mix gives Combine the name that Monitor has for it.
func mix(_ *Env, a *codec.Packet) *codec.Packet {
	if a.Get("Combine") == "" {
		return a
	}
	return with(built(codec.Header{Name: "Action", Value: a.ActionName()}, others(a, "Action", "Combine")...), "Mix", a.Get("Combine"))
}

// onChannel finds the channel that a command names and what is recorded of it.
func onChannel(env *Env, a *codec.Packet) (c *pbx.Channel, r recording, running bool) {
	if env.State == nil {
		return nil, r, false
	}
	env.Recordings.forgetEnded(env.State)
	if c = env.State.Channel(a.Get("Channel")); c != nil {
		r, running = env.Recordings.of[c.Uniqueid]
	}
	return c, r, running
}

// refusing answers with an error.
func refusing(a *codec.Packet, text string) Script {
	return func(Ask) []byte { return native.Answer(a, "Error", text) }
}

func monitor(_ *State, env *Env, a *codec.Packet) Script {
	if env.lists(a.ActionName()) {
		return monitorItself(env, a)
	}
	c, _, running := onChannel(env, a)
	switch {
	case c == nil:
		return refusing(a, "No such channel")
	case running:
		return refusing(a, "Could not start monitoring channel")
	}
	file, r := a.Get("File"), recording{format: a.Get("Format"), mix: codec.IsTrue(a.Get("Combine")) || codec.IsTrue(a.Get("Mix"))}
	if file == "" {
		file = strings.ReplaceAll(c.Name, "/", "-")
	}
	if r.format == "" {
		r.format = "wav"
	}
	return func(ask Ask) []byte {
		if !writes(ask, a.Get("Format")) {
			return native.Answer(a, "Error", "Format "+r.format+" is none that Asterisk can write")
		}
		if text := env.Recordings.start(ask, c, file, r); text != "" {
			return native.Answer(a, "Error", text)
		}
		return native.Answer(a, "Success", "Started monitoring channel")
	}
}

// writes tells whether Asterisk can write files of a format that was asked for, "" for none.
// MixMonitor would say that it does, and then not. What can't be asked is taken for true.
func writes(ask Ask, format string) bool {
	if format == "" {
		return true
	}
	answer := ask(newAction("Command", "Command", "core show file formats"))
	if !succeeded(answer) {
		return true
	}
	for _, h := range answer[0].Headers { // "slin       wav        wav|WAV": the last two are the name and the file's endings
		fields := strings.Fields(h.Value)
		if h.Name != "" && !strings.EqualFold(h.Name, "Output") || len(fields) < 3 {
			continue
		}
		if fields[1] == format || slices.Contains(strings.Split(fields[2], "|"), format) {
			return true
		}
	}
	return false
}

// monitorItself is for an Asterisk that has Monitor. That says of a format which there is not that it
// writes it, too (start_monitor_action in res/res_monitor.c).
func monitorItself(env *Env, a *codec.Packet) Script {
	if a.Get("Format") == "" {
		return nil
	}
	return func(ask Ask) []byte {
		if !writes(ask, a.Get("Format")) {
			return native.Answer(a, "Error", "Format "+a.Get("Format")+" is none that Asterisk can write")
		}
		answer := ask(mix(env, a))
		if !succeeded(answer) {
			return native.Answer(a, "Error", message(answer))
		}
		return native.Answer(a, "Success", message(answer))
	}
}

// start begins a recording and tells what went wrong, "" for nothing.
func (r *Recordings) start(ask Ask, c *pbx.Channel, file string, it recording) (wrong string) {
	headers := []string{"Channel", c.Name, "Options", "r(" + file + "-in." + it.format + ")t(" + file + "-out." + it.format + ")"}
	if it.mix {
		headers = append(headers, "File", file+"."+it.format)
	}
	answer := ask(newAction("MixMonitor", headers...))
	if !succeeded(answer) {
		return message(answer)
	}
	it.id = answer[0].Get("MixMonitorID")
	if r.of == nil {
		r.of = map[string]recording{}
	}
	r.of[c.Uniqueid] = it
	return ""
}

// stop ends a recording and tells what went wrong, "" for nothing.
func (r *Recordings) stop(ask Ask, c *pbx.Channel, it recording) (wrong string) {
	headers := []string{"Channel", c.Name}
	if it.id != "" {
		headers = append(headers, "MixMonitorID", it.id)
	}
	if answer := ask(newAction("StopMixMonitor", headers...)); !succeeded(answer) {
		return message(answer)
	}
	delete(r.of, c.Uniqueid)
	return ""
}

// changeMonitor ends one file and begins the next.
func changeMonitor(_ *State, env *Env, a *codec.Packet) Script {
	c, r, running := onChannel(env, a)
	switch {
	case c == nil:
		return refusing(a, "No such channel")
	case !running:
		return refusing(a, "Could not change monitored filename of channel")
	}
	return func(ask Ask) []byte {
		wrong := env.Recordings.stop(ask, c, r)
		if wrong == "" {
			wrong = env.Recordings.start(ask, c, a.Get("File"), r)
		}
		if wrong != "" {
			return native.Answer(a, "Error", wrong)
		}
		return native.Answer(a, "Success", "Changed monitor filename")
	}
}

func stopMonitor(_ *State, env *Env, a *codec.Packet) Script {
	c, r, running := onChannel(env, a)
	switch {
	case c == nil:
		return refusing(a, "No such channel")
	case !running:
		return refusing(a, "Could not stop monitoring channel")
	}
	return func(ask Ask) []byte {
		if wrong := env.Recordings.stop(ask, c, r); wrong != "" {
			return native.Answer(a, "Error", wrong)
		}
		return native.Answer(a, "Success", "Stopped monitoring channel")
	}
}
