package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"ampd/codec"
	"ampd/config"
)

// mostProfiles is how many there may be when one is made at run time: each change writes
// and reads the whole state file.
const mostProfiles = 10_000

// A Change is a profile that another takes the place of. One that is the same as before
// keeps its pointer and is in no change.
type Change struct {
	Old *Profile // nil if there was none of that name
	New *Profile // nil if there is none any more

	Roles []Role // all that a login of New can be
}

// OnChange has apply called with the profiles that change, once for each [Store.Update],
// [Store.Delete] or [Store.Reload] that changes any: on the goroutine of that call, when
// the change is on disk and before logins see it. A login that was verified just before
// may come out with a Change's Old even later. apply must not change profiles.
func (s *Store) OnChange(apply func([]Change)) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.apply = apply
}

// Reload reads both files again. With any mistake in them, which it returns, everything
// stays as it was. Secrets that were verified stay so where the profile did not change.
func (s *Store) Reload() config.Problems {
	s.changing.Lock()
	defer s.changing.Unlock()
	next, problems := s.load(s.now.Load())
	if len(problems) == 0 {
		s.swap(next)
	}
	return problems
}

// Check reads both files as Reload does and returns their mistakes. Nothing changes.
func (s *Store) Check() config.Problems {
	_, problems := s.load(s.now.Load())
	return problems
}

// Update changes the profile of that name, or makes it, as by asks, who must have admin
// and can't give what he has not himself. headers are keys of the file in any case with
// values as the file has them: a list's elements between commas, or in a header each;
// of filters only that. An empty value is the default's.
//
// The change is on disk when Update returns. Updates are made one at a time, each waits
// for its turn. The error is a [*Refusal] but where the state file can't be written.
func (s *Store) Update(by *Profile, name string, headers []codec.Header) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	now := s.now.Load()
	old, err := s.mayChange(by, name)
	switch {
	case err != nil:
		return err
	case !utf8.ValidString(name):
		return &Refusal{"name", "is not UTF-8"}
	}
	table := map[string]any{"name": name}
	if old != nil {
		table = old.entry.table()
	}
	if err := change(table, headers); err != nil {
		return err
	}
	next, err := s.with(name, table)
	if err != nil {
		return err
	}
	p, _ := next.account(name)
	if r := by.mayGive(p.Profile); r != nil {
		return r
	}
	if old != nil && old.Profile == p.Profile {
		return nil // nothing changes
	}
	if old == nil && len(now.profiles) >= mostProfiles {
		return &Refusal{"", fmt.Sprintf("There are %d profiles, and more are not made at run time", len(now.profiles))}
	}
	return s.commit(next)
}

// Delete takes the profile of that name away, as by asks, who must have admin and all
// that the profile has. It is on disk when Delete returns; errors are those of
// [Store.Update].
func (s *Store) Delete(by *Profile, name string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	old, err := s.mayChange(by, name)
	switch {
	case err != nil:
		return err
	case old == nil:
		return &Refusal{"", fmt.Sprintf("There is no profile %q", name)}
	}
	next, err := s.with(name, map[string]any{"name": old.Name, "deleted": true})
	if err != nil {
		return err
	}
	return s.commit(next)
}

// mayChange returns the account of that name, nil if there is none, unless by may not
// touch it.
func (s *Store) mayChange(by *Profile, name string) (*account, error) {
	now := s.now.Load()
	if s.state == "" {
		return nil, &Refusal{"", "There is no state_dir: profiles can't be changed at run time"}
	}
	if self, ok := now.account(by.Name); !ok || self.Profile != by || by.Disabled {
		return nil, &Refusal{"", "Your own profile was changed: log in again"}
	}
	if !by.Admin {
		return nil, &Refusal{"", "Only profiles with admin may change profiles"}
	}
	old, ok := now.account(name)
	if !ok {
		return nil, nil
	}
	if key := old.fixedBy(); key != "" {
		return nil, &Refusal{"", fmt.Sprintf("Profile %q has %s and is changed in profiles.toml only", old.Name, key)}
	}
	if r := by.mayGive(old.Profile); r != nil {
		return nil, &Refusal{"", fmt.Sprintf("Profile %q is not yours to change, its %s %s", old.Name, r.Key, r.Text)}
	}
	return old, nil
}

// with is what will be in force with this profile in the state file.
func (s *Store) with(name string, table map[string]any) (*snapshot, error) {
	now := s.now.Load()
	tables := now.state.tables()
	key := strings.ToLower(name)
	i, changed := now.state.byName[key]
	_, deleted := table["deleted"]
	switch {
	case changed && deleted && !now.people.names[key]:
		tables = slices.Delete(tables, i, i+1)
	case changed:
		tables[i] = table
	default:
		i = len(tables)
		tables = append(tables, table)
	}
	text, err := encodeState(tables)
	if err != nil {
		return nil, err
	}
	st, problems := s.parseState(text, now.people)
	if len(problems) > 0 {
		return nil, st.refusal(problems, i)
	}
	return s.merge(now.people, st, now), nil
}

// refusal tells of mistakes in the state file as it would be: one of the i-th profile's,
// if it has any.
func (st *state) refusal(problems config.Problems, i int) *Refusal {
	own := fmt.Sprintf("profile[%d].", i)
	for _, p := range problems {
		if key, ok := strings.CutPrefix(p.Key, own); ok {
			return &Refusal{key, p.Text}
		}
	}
	return &Refusal{"", fmt.Sprintf("%s would have a mistake: %s: %s", st.name, problems[0].Key, problems[0].Text)}
}

// commit writes the state file and puts next in force.
func (s *Store) commit(next *snapshot) error {
	text, err := os.ReadFile(s.state)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: %w", s.state, withoutPath(err))
	case !bytes.Equal(text, s.now.Load().state.text):
		return fmt.Errorf("%s was changed by somebody else: have ampd read it first (SIGHUP)", s.state)
	}
	replaced, err := s.disk.replace(s.state, next.state.text)
	if replaced {
		s.swap(next)
	}
	switch {
	case replaced && err != nil:
		return fmt.Errorf("the change is in force but may be lost when power fails: write %s: %w", s.state, withoutPath(err))
	case err != nil:
		return fmt.Errorf("nothing was changed: write %s: %w", s.state, withoutPath(err))
	}
	return nil
}

// swap puts next in force. The caller holds changing.
func (s *Store) swap(next *snapshot) {
	if changes := next.since(s.now.Load()); len(changes) > 0 && s.apply != nil {
		s.apply(changes)
	}
	s.now.Store(next)
}

// since tells what is other than before.
func (s *snapshot) since(before *snapshot) (changes []Change) {
	for _, old := range before.profiles {
		a, ok := s.account(old.Name)
		switch {
		case !ok:
			changes = append(changes, Change{Old: old})
		case a.Profile != old:
			changes = append(changes, Change{Old: old, New: a.Profile, Roles: s.roles(a.Profile)})
		}
	}
	for _, p := range s.profiles {
		if _, known := before.account(p.Name); !known {
			changes = append(changes, Change{New: p, Roles: s.roles(p)})
		}
	}
	return changes
}

// Get returns a profile as ProfileGet shows it: Profile (its name), file, secret_form
// (plain or hash), then each key with its value, a list's elements between commas, each
// filter in a header of its own. Control characters are blanks. It never has a secret.
func (s *Store) Get(name string) ([]codec.Header, bool) {
	a, ok := s.now.Load().account(name)
	if !ok {
		return nil, false
	}
	return a.entry.headers(a.file), true
}

// List returns all profiles as [Store.Get] does, in the order of [Store.Profiles].
func (s *Store) List() (all [][]codec.Header) {
	now := s.now.Load()
	for _, p := range now.profiles {
		a, _ := now.account(p.Name)
		all = append(all, a.entry.headers(a.file))
	}
	return all
}
