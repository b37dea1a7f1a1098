package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"ampd/config"
)

// state is the state file: what was changed at run time.
type state struct {
	Profiles []changed `toml:"profile"`

	name   string // "" if there is no such file
	text   []byte // of the file, nil if it is not there
	people *file  // profiles.toml, nil if it has mistakes
	more   Check

	// Filled by Check.
	written []written      // in the file's order
	byName  map[string]int // where each is, by name in lower case
}

// changed is one [[profile]] of the state file: a whole profile, or that there is none.
type changed struct {
	entry
	Deleted bool `toml:"deleted"`
}

// readState reads the state file, which need not be there. people is profiles.toml, nil
// if it has mistakes.
func (s *Store) readState(people *file) (*state, config.Problems) {
	if s.state == "" {
		return &state{}, nil
	}
	text, err := os.ReadFile(s.state)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, config.Problems{{File: s.state, Text: "cannot be read: " + withoutPath(err).Error()}}
	}
	return s.parseState(text, people)
}

// parseState is readState for a text at hand.
func (s *Store) parseState(text []byte, people *file) (*state, config.Problems) {
	st := &state{name: s.state, text: text, people: people, more: s.more}
	return st, config.Parse(s.state, string(text), st)
}

// withoutPath is for where the file is named beside the error.
func withoutPath(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

// Check names what is wrong between the keys, and with profiles.toml.
func (st *state) Check(report func(key, problem string)) {
	st.byName = map[string]int{}
	for i := range st.Profiles {
		st.byName[strings.ToLower(st.Profiles[i].Name)] = i
	}
	whose, fixed := st.claims()
	seen := map[string]bool{}
	for i := range st.Profiles {
		c := &st.Profiles[i]
		here := func(key, problem string) { report(fmt.Sprintf("profile[%d].%s", i, key), problem) }
		c.checkName(seen, here)
		if c.Deleted {
			if len(c.table()) > 1 {
				here("deleted", "stands beside other keys than name")
			}
			st.written = append(st.written, written{file: st.name, entry: &c.entry, deleted: true})
			continue
		}
		w := c.judge(st.name, st.agents(), st.more, here)
		if key := w.profile.fixedBy(); key != "" {
			here(key, "is given in profiles.toml only")
		}
		if !fixed[strings.ToLower(c.Name)] { // it does not count
			whose.claimEntry(&c.entry, st.agents(), here)
		}
		st.written = append(st.written, w)
	}
}

// agents are those of profiles.toml, nil if that has mistakes.
func (st *state) agents() map[string]Callback {
	if st.people == nil {
		return nil
	}
	return st.people.callbacks
}

// claims are whose the names and devices are that profiles.toml has. fixed are the names
// of those of its profiles over which the state file has no say, in lower case.
func (st *state) claims() (whose claims, fixed map[string]bool) {
	whose, fixed = claims{}, map[string]bool{}
	if st.people == nil {
		return whose, fixed
	}
	nothing := func(string, string) {} // was reported there
	st.people.claimAgents(whose, nothing)
	for _, w := range st.people.written {
		name := strings.ToLower(w.entry.Name)
		fixed[name] = w.profile.fixedBy() != ""
		if _, changed := st.byName[name]; !changed || fixed[name] {
			whose.claimEntry(w.entry, st.agents(), nothing)
		}
	}
	return whose, fixed
}

const stateHead = `# Profiles that were changed while ampd ran. ampd writes this file anew with each change. What
# it says of a name counts instead of what profiles.toml says.
`

// encodeState writes the state file: each table is a profile, its values by their keys.
func encodeState(tables []map[string]any) ([]byte, error) {
	text := bytes.NewBufferString(stateHead)
	encoder := toml.NewEncoder(text)
	for _, table := range tables {
		text.WriteString("\n[[profile]]\n")
		for _, key := range append(slices.Clone(keys), "deleted") {
			if value, has := table[key]; has {
				if err := encoder.Encode(map[string]any{key: value}); err != nil {
					return nil, fmt.Errorf("write %s: %w", key, err)
				}
			}
		}
	}
	return text.Bytes(), nil
}

// tables is the file as encodeState takes it.
func (st *state) tables() []map[string]any {
	all := make([]map[string]any, len(st.Profiles))
	for i := range st.Profiles {
		all[i] = st.Profiles[i].table()
		if st.Profiles[i].Deleted {
			all[i]["deleted"] = true
		}
	}
	return all
}
