package profiles

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// files are profiles.toml and the state file in a folder of the test's, with a store.
type files struct {
	t             *testing.T
	people, state string
	store         *Store
}

// build opens a store; no text is no state file.
func build(t *testing.T, people, state string, more Check) *files {
	t.Helper()
	h := &files{t: t, people: filepath.Join(t.TempDir(), "profiles.toml"), state: filepath.Join(t.TempDir(), "profiles.toml")}
	h.write(people)
	if state != "" {
		require.NoError(t, os.WriteFile(h.state, []byte(state), 0o600))
	}
	store, problems := Open(h.people, h.state, more)
	require.NoError(t, problems.Err())
	h.store = store
	return h
}

// write is a person's hand.
func (h *files) write(people string) {
	require.NoError(h.t, os.WriteFile(h.people, []byte(people), 0o600))
}

// open is what another ampd would read.
func (h *files) open() *Store {
	h.t.Helper()
	store, problems := Open(h.people, h.state, nil)
	require.NoError(h.t, problems.Err())
	return store
}

func (h *files) profile(name string) *Profile {
	h.t.Helper()
	p, ok := h.store.Lookup(name)
	require.True(h.t, ok, name)
	return p
}

func (h *files) names() (all []string) {
	for _, p := range h.store.Profiles() {
		all = append(all, p.Name)
	}
	return all
}

func (h *files) warnings() (all []string) {
	for _, w := range h.store.Warnings() {
		all = append(all, strings.NewReplacer(h.people, "PEOPLE", h.state, "STATE").Replace(w.String()))
	}
	return all
}

const small = `
[[profile]]
name = "root"
secret = "s"
types = ["administrator"]
read = "all"
write = "all"
admin = true

[[profile]]
name = "Wall"
secret = "s"
read = "call"

[[profile]]
name = "desk"
secret = "s"
types = ["agent"]

[[profile]]
name = "alice"
secret = "s"
types = ["agent"]
agent = "1001"

[[agent]]
id = "1001"
name = "Alice"
devices = ["PJSIP/alice"]
queues = ["support", "sales"]
penalty = 3

[[agent]]
id = "Bob"
`

func TestUpdate(t *testing.T) {
	h := build(t, small, "", nil)
	var told [][]Change
	h.store.OnChange(func(changes []Change) {
		told = append(told, changes)
		p, _ := h.store.Lookup("wall")
		require.Equal(t, changes[0].Old, p, "logins do not see it yet")
		require.FileExists(t, h.state)
	})
	root, wall := h.profile("root"), h.profile("wall")
	require.NoError(t, h.store.Update(root, "wall", headers("read: call")))
	require.NoFileExists(t, h.state, "nothing changes")

	require.NoError(t, h.store.Update(root, "WALL", headers("Read: agent", "Types: administrator,agent", "Secret: other", "queues: a b,c")))
	fresh := h.profile("Wall")
	require.Equal(t, &Profile{
		Name: "Wall", Types: []Type{Administrator, Agent}, Read: codec.Agent, Queues: []string{"a b", "c"},
		OnUpstreamLoss: "stay", Dialect: "asterisk",
	}, fresh)
	alice, _ := h.store.Callback("1001")
	bob, _ := h.store.Callback("BOB")
	require.Equal(t, [][]Change{{{Old: wall, New: fresh, Roles: []Role{
		{fresh, Administrator, nil}, {fresh, Agent, alice.Person}, {fresh, Agent, bob.Person},
	}}}}, told)
	require.Equal(t, []string{"root", "Wall", "desk", "alice"}, h.names())
	_, err := h.store.Verify(t.Context(), "wall", "s", here)
	require.Equal(t, errSecret, err)
	_, err = h.store.Verify(t.Context(), "wall", "other", here)
	require.NoError(t, err)
	text, err := os.ReadFile(h.state)
	require.NoError(t, err)
	require.Equal(t, stateHead+`
[[profile]]
name = "Wall"
secret = "other"
types = ["administrator", "agent"]
read = ["agent"]
queues = ["a b", "c"]
`, string(text))
	info, err := os.Stat(h.state)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	// What is not named stays, what is empty goes.
	require.NoError(t, h.store.Update(root, "wall", headers("types:", "max_sessions: 7")))
	require.Equal(t, []string{"a b", "c"}, h.profile("wall").Queues)
	require.Equal(t, []Type{Monitor}, h.profile("wall").Types)
	_, err = h.store.Verify(t.Context(), "wall", "other", here)
	require.NoError(t, err)
	require.Len(t, told, 2)

	// What is as it was already changes nothing.
	again := h.profile("wall")
	require.NoError(t, h.store.Update(root, "wall", headers("Max_Sessions: 7", "format:")))
	require.NoError(t, h.store.Update(root, "wall", nil))
	require.Same(t, again, h.profile("wall"))
	require.Len(t, told, 2)
	require.Equal(t, h.store.List(), h.open().List())
	require.Equal(t, []string{`PEOPLE: what it says of profile "Wall" does not count: that was changed at run time and stands in STATE`}, h.warnings())
}

func TestDelete(t *testing.T) {
	h := build(t, small, "", nil)
	var told []Change
	h.store.OnChange(func(changes []Change) { told = append(told, changes...) })
	root := h.profile("root")
	require.NoError(t, h.store.Update(root, "wall", headers("read: agent")))
	wall := h.profile("wall")
	told = nil
	require.NoError(t, h.store.Update(root, "crm", headers("secret: x")))
	crm := h.profile("crm")
	require.NoError(t, h.store.Delete(root, "WALL"))
	require.NoError(t, h.store.Delete(root, "Crm"))
	require.Equal(t, []Change{{New: crm, Roles: []Role{{crm, Monitor, nil}}}, {Old: wall}, {Old: crm}}, told)
	require.Equal(t, []string{"root", "desk", "alice"}, h.names())
	text, err := os.ReadFile(h.state)
	require.NoError(t, err)
	require.Equal(t, stateHead+"\n[[profile]]\nname = \"Wall\"\ndeleted = true\n", string(text), "of crm nothing is left")
	_, err = h.store.Verify(t.Context(), "wall", "s", here)
	require.Equal(t, errName, err)
	require.Empty(t, h.store.File(wall))
	_, known := h.open().Lookup("wall")
	require.False(t, known)
	require.EqualError(t, h.store.Delete(root, "wall"), `There is no profile "wall"`)

	// It can be made again, from nothing.
	require.NoError(t, h.store.Update(root, "wall", headers("secret: new")))
	require.Equal(t, &Profile{Name: "wall", Types: []Type{Monitor}, OnUpstreamLoss: "stay", Dialect: "asterisk"}, h.profile("wall"))
	require.Equal(t, []string{"root", "wall", "desk", "alice"}, h.names())
}

func TestNothingChangesWithoutStateFile(t *testing.T) {
	store, problems := Parse("p", small, nil)
	require.NoError(t, problems.Err())
	root, _ := store.Lookup("root")
	const want = "There is no state_dir: profiles can't be changed at run time"
	require.EqualError(t, store.Update(root, "wall", headers("read: call")), want)
	require.EqualError(t, store.Delete(root, "wall"), want)
	require.NoError(t, store.Reload().Err())
	require.Equal(t, "p", store.File(root))
}

// TestReload: what did not change keeps its pointer, its remembered secret and its
// agents'; what did is told.
func TestReload(t *testing.T) {
	hash, err := HashSecret("hunter2")
	require.NoError(t, err)
	people := small + "[[profile]]\nname = 'hashed'\nsecret_hash = '" + hash + "'\n"
	h := build(t, people, "", nil)
	_, err = h.store.Verify(t.Context(), "hashed", "hunter2", here)
	require.NoError(t, err)
	remembers := func() bool {
		a, _ := h.store.now.Load().account("hashed")
		return a.remembers(h.store.mac("hunter2"))
	}
	var told []Change
	h.store.OnChange(func(changes []Change) { told = append(told, changes...) })
	before := map[string]*Profile{}
	for _, name := range h.names() {
		before[name] = h.profile(name)
	}
	same := func(changed ...string) {
		t.Helper()
		var want []Change
		for _, name := range changed {
			require.NotSame(t, before[name], h.profile(name))
			want = append(want, Change{before[name], h.profile(name), h.store.now.Load().roles(h.profile(name))})
			before[name] = h.profile(name)
		}
		for name, p := range before {
			require.Same(t, p, h.profile(name))
		}
		require.Equal(t, want, told)
		told = nil
	}

	require.NoError(t, h.store.Reload().Err())
	same()
	h.write(strings.Replace(people, `read = "call"`, `read = "agent"`, 1))
	require.NoError(t, h.store.Reload().Err())
	same("Wall")
	people = strings.Replace(people, `read = "call"`, `read = "agent"`, 1)
	h.write(strings.Replace(people, `name = "Wall"`+"\nsecret = \"s\"", `name = "Wall"`+"\nsecret = \"t\"", 1))
	require.NoError(t, h.store.Reload().Err())
	same("Wall")
	require.True(t, remembers())

	// Queues and penalty of an agent are of its next callback login.
	alice, _ := h.store.Callback("1001")
	require.Equal(t, []string{"support", "sales"}, alice.Queues)
	people = strings.NewReplacer(`"sales"`, `"other"`, "penalty = 3", "penalty = 4", `name = "Wall"`+"\nsecret = \"s\"", `name = "Wall"`+"\nsecret = \"t\"").Replace(people)
	h.write(people)
	require.NoError(t, h.store.Reload().Err())
	same()
	later, _ := h.store.Callback("1001")
	require.Same(t, alice.Person, later.Person)
	require.Equal(t, []string{"support", "other"}, later.Queues)
	require.Equal(t, 4, later.Penalty)

	// Who an agent is, and which there are, is of the profiles that can be it.
	people = strings.Replace(people, "PJSIP/alice", "PJSIP/alice2", 1)
	h.write(people)
	require.NoError(t, h.store.Reload().Err())
	same("desk", "alice")
	h.write(people + "[[agent]]\nid = '1003'\n")
	require.NoError(t, h.store.Reload().Err())
	same("desk")
	role, refusal := h.store.Role(h.profile("desk"), "", "1001")
	require.Empty(t, refusal)
	require.Same(t, h.profile("alice").Agent, role.Agent)

	// A mistake changes nothing, in whichever file it is.
	now := h.store.now.Load()
	h.write(strings.Replace(people, `read = "agent"`, `read = "agents"`, 1))
	require.EqualError(t, h.store.Reload().Err(), h.people+`:13: profile[1].read: has "agents", which is no class`)
	require.NoError(t, os.Remove(h.people))
	require.EqualError(t, h.store.Reload().Err(), h.people+": cannot be read: no such file or directory")
	h.write(people)
	require.NoError(t, os.WriteFile(h.state, []byte("[[profile]]\nname = 'x'\nsecret = 's'\nqueue = 1\n"), 0o600))
	require.EqualError(t, h.store.Reload().Err(), h.state+":4: profile[0].queue: is not a known key: did you mean queues?")
	require.Same(t, now, h.store.now.Load())
	same()
	require.True(t, remembers())
}

// TestUpdateLeavesOthersAlone: an update of one profile is none of the others.
func TestUpdateLeavesOthersAlone(t *testing.T) {
	hash, err := HashSecret("hunter2")
	require.NoError(t, err)
	h := build(t, small+"[[profile]]\nname = 'hashed'\nsecret_hash = '"+hash+"'\n", "", nil)
	_, err = h.store.Verify(t.Context(), "hashed", "hunter2", here)
	require.NoError(t, err)
	before := h.store.Profiles()
	require.NoError(t, h.store.Update(h.profile("root"), "Wall", headers("read: agent")))
	for i, p := range h.store.Profiles() {
		require.Equal(t, p.Name != "Wall", p == before[i], p.Name)
	}
	require.NoError(t, h.store.Update(h.profile("root"), "hashed", headers("read: agent")))
	a, _ := h.store.now.Load().account("hashed")
	require.False(t, a.remembers(h.store.mac("hunter2")), "another profile now: it proves itself anew")
	_, err = h.store.Verify(t.Context(), "hashed", "hunter2", here)
	require.NoError(t, err)

	other, err := HashSecret("hunter3")
	require.NoError(t, err)
	old := h.profile("hashed")
	require.NoError(t, h.store.Update(h.profile("root"), "hashed", headers("secret_hash: "+other)))
	require.NotSame(t, old, h.profile("hashed"))
	_, err = h.store.Verify(t.Context(), "hashed", "hunter2", here)
	require.Equal(t, errSecret, err)
}

// TestLoginDuringAChange: a secret that was right when the login began to wait is not
// what counts when its turn comes.
func TestLoginDuringAChange(t *testing.T) {
	hash, err := HashSecret("hunter2")
	require.NoError(t, err)
	for name, change := range map[string]func(h *files) error{
		"another secret": func(h *files) error { return h.store.Update(h.profile("root"), "hashed", headers("secret: new")) },
		"deleted":        func(h *files) error { return h.store.Delete(h.profile("root"), "hashed") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t, small+"[[profile]]\nname = 'hashed'\nsecret_hash = '"+hash+"'\n", "", nil)
				h.store.hashing <- struct{}{}
				done := make(chan error)
				go func() {
					_, err := h.store.Verify(t.Context(), "hashed", "hunter2", here)
					done <- err
				}()
				synctest.Wait() // until it waits for its turn
				require.NoError(t, change(h))
				<-h.store.hashing
				require.Equal(t, errChanged, <-done)
			})
		})
	}
}

// TestStateFileCounts shows what wins where both files name a profile.
func TestStateFileCounts(t *testing.T) {
	people := small + `
[[profile]]
name = "till"
secret = "s"
trust = ["10.0.0.1"]
`
	h := build(t, people, `
[[profile]]
name = "crm"
secret = "c"
[[profile]]
name = "ALICE"
secret = "run"
types = ["administrator"]
[[profile]]
name = "root"
deleted = true
[[profile]]
name = "Till"
secret = "run"
read = "all"
[[profile]]
name = "DESK"
deleted = true
[[profile]]
name = "gone"
deleted = true
`, nil)
	require.Equal(t, []string{"root", "Wall", "ALICE", "till", "crm"}, h.names())
	for name, file := range map[string]string{"root": h.people, "wall": h.people, "alice": h.state, "till": h.people, "crm": h.state} {
		require.Equal(t, file, h.store.File(h.profile(name)), name)
	}
	_, err := h.store.Verify(t.Context(), "till", "s", here)
	require.NoError(t, err)
	require.Equal(t, []string{
		`STATE: what it says of profile "root" does not count: that has admin and is changed in PEOPLE only`,
		`PEOPLE: what it says of profile "desk" does not count: that was changed at run time and stands in STATE`,
		`PEOPLE: what it says of profile "alice" does not count: that was changed at run time and stands in STATE`,
		`STATE: what it says of profile "till" does not count: that has trust and is changed in PEOPLE only`,
	}, h.warnings())

	// A change writes all of it, also what does not count now.
	root := h.profile("root")
	require.NoError(t, h.store.Update(root, "crm", headers("read: call")))
	require.Equal(t, h.store.List(), h.open().List())
	require.Equal(t, h.warnings(), (&files{t, h.people, h.state, h.open()}).warnings())
	h.write(strings.Replace(people, "trust =", "permit =", 1))
	require.NoError(t, h.store.Reload().Err())
	require.Equal(t, h.state, h.store.File(h.profile("till")), "as long as nothing of it is for people only")
}

// TestAdminOfPeople: who is given admin by hand is changed by hand, whatever was changed
// before, and ampd starts.
func TestAdminOfPeople(t *testing.T) {
	h := build(t, small, "", nil)
	root := h.profile("root")
	require.NoError(t, h.store.Update(root, "wall", headers("read: agent")))
	wall := "\nname = \"Wall\"\ntypes = [\"administrator\"]\nadmin = true\n"
	h.write(strings.Replace(small, "\nname = \"Wall\"\n", wall, 1))
	require.NoError(t, h.store.Reload().Err())
	require.Equal(t, codec.Call, h.profile("wall").Read)
	require.Equal(t, h.store.List(), h.open().List())
	require.EqualError(t, h.store.Update(root, "wall", headers("read: agent")), `Profile "Wall" has admin and is changed in profiles.toml only`)

	// The last that may change profiles can be taken away by hand alone, and that is said.
	h.write(strings.Replace(small, "admin = true", "admin = true\ndisabled = true", 1))
	require.NoError(t, h.store.Reload().Err())
	require.Contains(t, h.warnings(), "PEOPLE: no profile has admin any more: nobody can change profiles at run time")
	require.NoError(t, h.store.Reload().Err())
	require.NotContains(t, h.warnings(), "PEOPLE: no profile has admin any more: nobody can change profiles at run time", "was said")
}

func TestMistakesOfTheStateFile(t *testing.T) {
	tests := map[string]struct {
		state string
		want  []string
	}{
		"what people give": {"[[profile]]\nname='x'\nsecret='s'\ntypes=['administrator']\nadmin=true\n[[profile]]\nname='y'\nsecret='s'\ndangerous=true\n[[profile]]\nname='z'\nsecret='s'\ntrust=['unix']\ntrust_administrators=true\n[[profile]]\nname='a'\nsecret='s'\nadmin=false", []string{
			"STATE:5: profile[0].admin: is given in profiles.toml only",
			"STATE:9: profile[1].dangerous: is given in profiles.toml only",
			"STATE:13: profile[2].trust: is given in profiles.toml only",
		}},
		"deleted and not": {"[[profile]]\nname='x'\ndeleted=true\nread='call'\n[[profile]]\nname='X'\ndeleted=true\n[[profile]]\ndeleted=true", []string{
			"STATE:3: profile[0].deleted: stands beside other keys than name",
			`STATE:6: profile[1].name: is "X", which another profile has; names are compared without case`,
			"STATE:8: profile[2].name: is required",
		}},
		"agents": {"[[agent]]\nid='1'\n[[profile]]\nname='x'\nsecret='s'\ntypes=['agent']\nagent='1001'\ndevices=['PJSIP/x']\n[[profile]]\nname='y'\nsecret='s'\ntypes=['agent']\nagent='1002'\ndevices=['PJSIP/alice']\n[[profile]]\nname='z'\nsecret='s'\ntypes=['agent']\nagent='1003'\ndevices=['PJSIP/z']", []string{
			"STATE:1: agent: is not a known key: it belongs to [profile]",
			`STATE:8: profile[0].devices: are those of [[agent]] "1001": name them there`,
			`STATE:14: profile[1].devices[0]: is "pjsip/alice", which is that of agent "1001", too`,
		}},
		"of both files": {"[[profile]]\nname='x'\nsecret=1\n", []string{
			"PEOPLE:1: profile[0].secret: must not be empty: set a secret or a secret_hash",
			"STATE:3: profile[0].secret: must be a string, not a whole number",
		}},
		"no TOML": {"[[profile]\n", []string{
			"STATE:2: is not TOML",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := build(t, small, "", nil)
			if name == "of both files" {
				h.write("[[profile]]\nname='a'\n")
			}
			require.NoError(t, os.WriteFile(h.state, []byte(tc.state), 0o600))
			store, problems := Open(h.people, h.state, nil)
			require.Nil(t, store)
			var got []string
			for _, p := range problems {
				got = append(got, strings.NewReplacer(h.people, "PEOPLE", h.state, "STATE").Replace(p.String()))
			}
			require.Equal(t, tc.want, got)
		})
	}
}

// TestNamesOfTwoFilesAreApart: an agent of a profile that counts no more has left its
// devices to others.
func TestNamesOfTwoFilesAreApart(t *testing.T) {
	const carol = "[[profile]]\nname = 'carol'\nsecret = 's'\ntypes = ['agent']\nagent = '1003'\ndevices = ['PJSIP/carol']\n"
	h := build(t, small+carol, "", nil)
	root := h.profile("root")
	dave := headers("secret: s", "types: agent", "agent: 1004", "devices: PJSIP/carol")
	require.EqualError(t, h.store.Update(root, "dave", dave), `devices[0]: is "pjsip/carol", which is that of agent "1003", too`)
	require.NoError(t, h.store.Delete(root, "carol"))
	require.NoError(t, h.store.Update(root, "dave", dave))
	require.Equal(t, &Person{ID: "1004", Devices: []string{"PJSIP/carol"}}, h.profile("dave").Agent)

	// Whose mistake it would be is told where it is another's.
	require.NoError(t, h.store.Update(root, "erin", headers("secret: s", "types: agent", "agent: 1005")))
	require.NoError(t, h.store.Delete(root, "dave"))
	require.NoError(t, h.store.Update(root, "frank", headers("secret: s", "types: agent", "agent: 1006", "devices: PJSIP/carol")))
	require.EqualError(t, h.store.Update(root, "erin", headers("devices: PJSIP/carol")),
		h.state+` would have a mistake: profile[2].devices[0]: is "pjsip/carol", which is that of agent "1005", too`)
}

// TestAgentOfPeople: a profile that people took back has its devices again, whatever the
// state file says of it.
func TestAgentOfPeople(t *testing.T) {
	const carol = "[[profile]]\nname = 'carol'\nsecret = 's'\ntypes = ['agent']\nagent = '1003'\ndevices = ['PJSIP/carol']\n"
	h := build(t, small+carol, "", nil)
	root := h.profile("root")
	require.NoError(t, h.store.Update(root, "carol", headers("agent: 1009")))
	h.write(small + carol + "trust = ['unix']\n")
	require.NoError(t, h.store.Reload().Err())
	require.Equal(t, "1003", h.profile("carol").Agent.ID)
	require.EqualError(t, h.store.Update(root, "dave", headers("secret: s", "types: agent", "agent: 1004", "devices: PJSIP/carol")),
		`devices[0]: is "pjsip/carol", which is that of agent "1003", too`)
	require.NoError(t, h.store.Update(root, "wall", headers("read: agent")))
	require.Equal(t, h.store.List(), h.open().List())
}

// TestHandsOffTheStateFile: what somebody else wrote there is not overwritten unread.
func TestHandsOffTheStateFile(t *testing.T) {
	h := build(t, small, "", nil)
	root := h.profile("root")
	want := h.state + " was changed by somebody else: have ampd read it first (SIGHUP)"
	const other = "[[profile]]\nname = 'other'\nsecret = 's'\n"

	require.NoError(t, os.WriteFile(h.state, []byte(other), 0o600))
	require.EqualError(t, h.store.Update(root, "wall", headers("read: agent")), want)
	require.EqualError(t, h.store.Delete(root, "wall"), want)
	text, err := os.ReadFile(h.state)
	require.NoError(t, err)
	require.Equal(t, other, string(text))
	require.NoError(t, h.store.Reload().Err())
	require.NoError(t, h.store.Update(root, "wall", headers("read: agent")))
	require.Equal(t, []string{"root", "Wall", "desk", "alice", "other"}, h.names())

	require.NoError(t, os.Remove(h.state))
	require.EqualError(t, h.store.Update(root, "wall", headers("read: call")), want)
}

// TestUpdatesTogetherLoseNothing has many change profiles at once, one key of one profile
// each, while others log in and read.
func TestUpdatesTogetherLoseNothing(t *testing.T) {
	h := build(t, small, "", nil)
	root := h.profile("root")
	var told sync.Map
	h.store.OnChange(func(changes []Change) {
		for _, c := range changes {
			told.Store(c.New.Name, c.New)
		}
	})
	keys := []string{"max_sessions: %d", "queues: q%d", "contexts: c%d", "channels: x%d", "permit: 10.0.0.%d", "filters: !f%d", "allow: A%d", "actions_per_second: %d"}
	var all sync.WaitGroup
	errs := make([]error, len(keys)+20)
	for i := range errs {
		all.Go(func() {
			if i < len(keys) {
				errs[i] = h.store.Update(root, "wall", headers(fmt.Sprintf(keys[i], i+1)))
			} else {
				errs[i] = h.store.Update(root, fmt.Sprint("new", i), headers("secret: s"))
			}
		})
		all.Go(func() {
			_, err := h.store.Verify(t.Context(), "root", "s", here)
			if err != nil {
				errs[i] = err
			}
			h.store.List()
			for range h.store.Roles {
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	for _, store := range []*Store{h.store, h.open()} {
		require.Len(t, store.Profiles(), 4+20)
		p, _ := store.Lookup("wall")
		require.Equal(t, &Profile{
			Name: "Wall", Types: []Type{Monitor}, Read: codec.Call, OnUpstreamLoss: "stay", Dialect: "asterisk",
			MaxSessions: 1, Queues: []string{"q2"}, Contexts: []string{"c3"}, Channels: []string{"x4"},
			Networks: Networks{Permit: networks(t, "10.0.0.5")}, Filters: []Filter{{Expr: "!f6"}}, Allow: []string{"A7"}, ActionsPerSecond: 8,
		}, p)
	}
	last, _ := told.Load("Wall")
	require.Same(t, h.profile("wall"), last, "told in the order in which they came about")
}

// TestAsManyAsThereMayBe: who may make profiles can't fill the memory with them.
func TestAsManyAsThereMayBe(t *testing.T) {
	var text strings.Builder
	text.WriteString(small)
	for i := range mostProfiles - 5 {
		fmt.Fprintf(&text, "[[profile]]\nname = 'p%d'\nsecret = 's'\n", i)
	}
	h := build(t, text.String(), "", nil)
	root := h.profile("root")
	require.NoError(t, h.store.Update(root, "last", headers("secret: s")))
	require.EqualError(t, h.store.Update(root, "more", headers("secret: s")), "There are 10000 profiles, and more are not made at run time")
	require.NoError(t, h.store.Update(root, "last", headers("read: call")))
	require.NoError(t, h.store.Delete(root, "wall"))
	require.NoError(t, h.store.Update(root, "more", headers("secret: s")))
}

func TestGetShowsAllButSecrets(t *testing.T) {
	const salt, sum = "YW1wZC10ZXN0LXNhbHQhIQ", "MSDJTWbHgGK77KRx8B3CSuqjXgrQqL1MWdrtEImA5fo"
	h := build(t, `
[[profile]]
name = "Wall"
secret = "hunter2"
[[profile]]
name = "all"
secret_hash = "`+hashPrefix+salt+"$"+sum+`"
types = ["administrator", "agent"]
agent = "1001"
devices = ["PJSIP/a", "PJSIP/b"]
read = "call,agent"
write = "all"
permit = ["10.0.0.0/8", "unix"]
deny = ["Getvar", "10.1.2.3"]
allow = ["Queue*", "Status"]
filters = ["!Event: VarSet\r\n", "eventfilter(name(A),method(exact)) = x,y"]
max_sessions = 3
actions_per_second = 4
disabled = true
dangerous = true
applications = ["Read"]
commands = ["core show"]
admin = true
trust = ["127.0.0.1"]
`, "", nil)
	got, ok := h.store.Get("ALL")
	require.True(t, ok)
	all := headers("Profile: all", "file: "+h.people, "secret_form: hash", "types: administrator,agent", "agent: 1001", "devices: PJSIP/a,PJSIP/b",
		"read: call,agent", "write: all", "permit: 10.0.0.0/8,unix", "deny: Getvar,10.1.2.3/32", "allow: Queue*,Status",
		"filters: !Event: VarSet", "filters: eventfilter(name(A),method(exact)) = x,y", "max_sessions: 3", "actions_per_second: 4",
		"on_upstream_loss: stay", "disabled: true", "dangerous: true", "applications: Read", "commands: core show",
		"queues:", "contexts:", "channels:", "dialect: asterisk", "format:", "command_framing:", "ampd_events: false",
		"admin: true", "trust: 127.0.0.1/32", "trust_administrators: false")
	require.Equal(t, all, got)
	wall, ok := h.store.Get("wall")
	require.True(t, ok)
	require.Equal(t, headers("Profile: Wall", "file: "+h.people, "secret_form: plain", "types: monitor", "agent:", "devices:", "read:", "write:"), wall[:8])
	require.Contains(t, wall, codec.Header{Name: "filters"})
	require.Equal(t, [][]codec.Header{wall, all}, h.store.List())
	_, ok = h.store.Get("nobody")
	require.False(t, ok)
}

func TestTrusts(t *testing.T) {
	store, problems := Parse("p", `
[[profile]]
name = "Till"
secret = "s"
types = ["monitor", "administrator"]
trust = ["10.0.0.0/8", "unix"]
permit = ["10.0.0.0/8", "11.0.0.0/8", "unix"]
deny = ["10.1.0.0/16"]
[[profile]]
name = "ops"
secret = "s"
types = ["administrator"]
trust = ["10.0.0.0/8"]
trust_administrators = true
[[profile]]
name = "shy"
secret = "s"
types = ["administrator"]
trust = ["10.0.0.0/8"]
[[profile]]
name = "off"
secret = "s"
trust = ["10.0.0.0/8"]
disabled = true
[[profile]]
name = "plain"
secret = "s"
`, nil)
	require.NoError(t, problems.Err())
	tests := map[string]struct {
		name, asked, from string
		want              bool
	}{
		"from there":                    {"TILL", "", "10.0.0.1", true},
		"from there, mapped":            {"till", "Monitor", "::ffff:10.0.0.1", true},
		"by a unix socket":              {"till", "", "", true},
		"permitted, from elsewhere":     {"till", "", "11.0.0.1", false},
		"from where nobody may":         {"till", "", "10.1.0.1", false},
		"an administrator":              {"till", "Administrator", "10.0.0.1", false},
		"an administrator by default":   {"shy", "", "10.0.0.1", false},
		"a type that it has not":        {"till", "agent", "10.0.0.1", false},
		"a type that is none":           {"till", " monitor", "10.0.0.1", false},
		"administrators, too":           {"ops", "", "10.0.0.1", true},
		"administrators, asked":         {"ops", "ADMINISTRATOR", "10.0.0.1", true},
		"administrators, elsewhere":     {"ops", "", "11.0.0.1", false},
		"administrators, a unix socket": {"ops", "", "", false},
		"disabled":                      {"off", "", "10.0.0.1", false},
		"nobody is trusted":             {"plain", "", "10.0.0.1", false},
		"unknown":                       {"x", "", "10.0.0.1", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var from netip.Addr
			if tc.from != "" {
				from = netip.MustParseAddr(tc.from)
			}
			p, ok := store.Trusts(tc.name, tc.asked, from)
			require.Equal(t, tc.want, ok)
			if ok {
				require.Equal(t, strings.ToLower(tc.name), strings.ToLower(p.Name))
			} else {
				require.Nil(t, p)
			}
		})
	}
}

// FuzzUpdate: whatever a client says is refused, or the state file has it, of no more than
// that profile, and its administrator has all of it. Each two bytes of script are a
// header's key and value, or a value goes on.
func FuzzUpdate(f *testing.F) {
	names := append([]string{"name", "deleted", "READ", "x"}, keys...)
	values := []string{
		"", ",", " ", "*", "all", "call", "originate", "<none>", "true", "no", "0", "-1", "7", "Queue*", "Originate,DB*", "Status", "10.0.0.0/8", "10.9.0.0/16",
		"0.0.0.0/0", "unix", "::ffff:10.0.0.0/104", "monitor", "agent", "administrator", "1001", "1002", "PJSIP/x", "support", "internal", "!Event: VarSet",
		"eventfilter(name(A)) =", "eventfilter = ", "(", ")", `"`, `\`, "'''", "[[profile]]", "#", "\n", "\x00", "\xff", "\u2028", "asterisk", "AMPD", "disconnect",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		script := make([]byte, 2+2*random.IntN(4))
		for i := range script {
			script[i] = byte(random.Uint32())
		}
		f.Add([]string{"friend", "ward", "nobody", "x\"]\n"}[random.IntN(4)], script, "x")
	}
	f.Fuzz(func(t *testing.T, name string, script []byte, free string) {
		var said []codec.Header
		for i := 0; i+1 < len(script); i += 2 {
			value := free
			if v := int(script[i+1]); v < 5*len(values) {
				value = values[v%len(values)]
			}
			if k := int(script[i]); k < 200 || len(said) == 0 {
				said = append(said, codec.Header{Name: names[k%len(names)], Value: value})
			} else {
				said[len(said)-1].Value += value
			}
		}
		h := build(t, house, "", nil)
		h.store.disk.sync = func(*os.File) error { return nil } // takes too long here
		for _, admin := range []*Profile{h.profile("root"), h.profile("Chief")} {
			for _, more := range [][]codec.Header{nil, headers("secret: s"), byChief} {
				before := h.store.now.Load()
				if err := h.store.Update(admin, name, append(slices.Clone(more), said...)); err != nil {
					var refusal *Refusal
					require.ErrorAs(t, err, &refusal)
					require.Same(t, before, h.store.now.Load())
					continue
				}
				require.Equal(t, h.store.List(), h.open().List())
				p := h.profile(name)
				require.Nil(t, admin.mayGive(p))
				require.Empty(t, p.fixedBy())
				for _, c := range h.store.now.Load().since(before) {
					require.Same(t, p, c.New)
				}
			}
		}
	})
}
