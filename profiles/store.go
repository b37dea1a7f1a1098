package profiles

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"ampd/config"
)

// Why a login is refused, for the log; the client is not told.
var (
	errName     = errors.New("no such profile")
	errSecret   = errors.New("wrong secret")
	errDisabled = errors.New("profile is disabled")
	errNetwork  = errors.New("address not permitted")
	errNoSecret = errors.New("no MD5 login with a secret_hash")
	errChanged  = errors.New("profile was changed during the login")
)

// A Store verifies logins. A secret that was verified is remembered as an HMAC
// under a key of this process, one for each profile, so that the profile's next
// login costs microseconds and waits for nobody; wrong guesses leave no trace.
// Everything else costs one argon2id, of which one is computed at a time: a wrong
// secret of any profile, hashed or not, an unknown name, and the first login of a
// profile with a secret_hash.
type Store struct {
	nobody  *account          // stands in for unknown names
	key     [sha256.Size]byte // of the HMACs
	hashing chan struct{}     // holds one token while an argon2id is computed

	now atomic.Pointer[snapshot] // what is in force; replaced as a whole

	read  func(into any) config.Problems // profiles.toml
	file  string                         // its name
	state string                         // name of the state file, "" if nothing changes at run time
	more  Check
	disk  disk

	changing sync.Mutex     // held during a change, one at a time
	apply    func([]Change) // may be nil; guarded by changing
}

// A snapshot is what both files say together. It does not change.
type snapshot struct {
	people   *file
	state    *state
	profiles []*Profile
	accounts map[string]*account // by name in lower case
	warnings config.Problems
}

// An account is a profile with its secret.
type account struct {
	*Profile
	file  string
	entry *entry
	hash  *hash // that of nobody if there is only a secret: it matches nothing

	verified atomic.Pointer[[sha256.Size]byte] // HMAC of the right secret, once known
}

func newStore(file, state string, more Check) *Store {
	s := &Store{
		nobody:  &account{entry: new(entry), hash: &hash{salt: make([]byte, saltLength), sum: make([]byte, hashLength)}},
		hashing: make(chan struct{}, 1),
		read:    func(into any) config.Problems { return config.Read(file, into) },
		file:    file,
		state:   state,
		more:    more,
		disk:    realDisk,
	}
	rand.Read(s.nobody.hash.salt)
	rand.Read(s.nobody.hash.sum)
	rand.Read(s.key[:])
	return s
}

// Load is [Open] without a state file: nothing changes at run time.
func Load(name string, more Check) (*Store, config.Problems) { return Open(name, "", more) }

// Open reads profiles.toml and the state file, which need not be there yet, and returns
// the profiles of both, or all the mistakes in them; more may be nil. What the state
// file says of a name counts instead of what profiles.toml says, unless that has one of
// the keys that only people give.
func Open(name, stateFile string, more Check) (*Store, config.Problems) {
	return newStore(name, stateFile, more).open()
}

// Parse is [Load] for a text at hand; name stands for the file in problems.
func Parse(name, text string, more Check) (*Store, config.Problems) {
	s := newStore(name, "", more)
	s.read = func(into any) config.Problems { return config.Parse(name, text, into) }
	return s.open()
}

func (s *Store) open() (*Store, config.Problems) {
	first, problems := s.load(&snapshot{people: &file{}})
	if len(problems) > 0 {
		return nil, problems
	}
	s.now.Store(first)
	return s, nil
}

// load reads both files. Profiles and agents that are as they were before keep their
// pointers.
func (s *Store) load(before *snapshot) (*snapshot, config.Problems) {
	people := &file{name: s.file, more: s.more, before: before.people.callbacks}
	problems := s.read(people)
	known := people
	if len(problems) > 0 {
		known = nil
	}
	st, more := s.readState(known)
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, problems
	}
	return s.merge(people, st, before), nil
}

// merge puts together what both files say.
func (s *Store) merge(people *file, st *state, before *snapshot) *snapshot {
	next := &snapshot{people: people, state: st, accounts: map[string]*account{}}
	for _, w := range next.inForce() {
		a := s.account(w, before, slices.Equal(people.people, before.people.people))
		next.profiles = append(next.profiles, a.Profile)
		next.accounts[strings.ToLower(a.Name)] = a
		if a.entry.Secret == "" {
			next.warn(w.file, "profile %q has only a secret_hash: its logins by MD5 challenge are refused", a.Name)
		}
	}
	next.warnings = append(next.warnings, config.Exposed(people.name)...)
	next.warnings = append(next.warnings, config.Exposed(st.name)...)
	if before.hasAdmin() && !next.hasAdmin() {
		next.warn(people.name, "no profile has admin any more: nobody can change profiles at run time")
	}
	return next
}

// inForce are the profiles that count, and warns of those that do not.
func (s *snapshot) inForce() (all []written) {
	used := map[int]bool{} // of the state file's
	for _, w := range s.people.written {
		if i, changed := s.state.byName[strings.ToLower(w.entry.Name)]; changed {
			used[i] = true
			if key := w.profile.fixedBy(); key != "" {
				s.warn(s.state.name, "what it says of profile %q does not count: that has %s and is changed in %s only", w.entry.Name, key, w.file)
			} else {
				s.warn(w.file, "what it says of profile %q does not count: that was changed at run time and stands in %s", w.entry.Name, s.state.name)
				w = s.state.written[i]
			}
		}
		all = append(all, w)
	}
	for i, w := range s.state.written {
		if !used[i] {
			all = append(all, w)
		}
	}
	return slices.DeleteFunc(all, func(w written) bool { return w.deleted })
}

// account makes one of w, with the profile that there was before if w says nothing new.
func (s *Store) account(w written, before *snapshot, sameAgents bool) *account {
	a := &account{Profile: w.profile, file: w.file, entry: w.entry, hash: w.hash}
	if w.hash == nil {
		a.hash = s.nobody.hash
		a.verified.Store(s.mac(string(w.entry.Secret)))
	}
	anyAgent := w.profile.Agent == nil && slices.Contains(w.profile.Types, Agent)
	old, known := before.account(w.entry.Name)
	if !known || !reflect.DeepEqual(old.Profile, w.profile) || anyAgent && !sameAgents ||
		old.entry.Secret != w.entry.Secret || old.entry.SecretHash != w.entry.SecretHash {
		return a
	}
	a.Profile = old.Profile
	a.verified.Store(old.verified.Load())
	return a
}

func (s *snapshot) warn(file, format string, args ...any) {
	s.warnings = append(s.warnings, config.Problem{File: file, Text: fmt.Sprintf(format, args...)})
}

// hasAdmin tells whether somebody can log in who may change profiles.
func (s *snapshot) hasAdmin() bool {
	return slices.ContainsFunc(s.profiles, func(p *Profile) bool { return p.Admin && !p.Disabled })
}

// account finds one by the profile's name.
func (s *snapshot) account(name string) (*account, bool) {
	a, ok := s.accounts[strings.ToLower(name)]
	return a, ok
}

// Profiles returns all profiles, those of profiles.toml first, in the files' order. They
// are not to be changed.
func (s *Store) Profiles() []*Profile { return s.now.Load().profiles }

// Warnings are what is not a mistake and yet should be known.
func (s *Store) Warnings() config.Problems { return s.now.Load().warnings }

// Lookup finds a profile by its name.
func (s *Store) Lookup(name string) (*Profile, bool) {
	a, ok := s.now.Load().account(name)
	if !ok {
		return nil, false
	}
	return a.Profile, true
}

// File is the name of the file that a profile stands in, "" if it is not in force.
func (s *Store) File(p *Profile) string {
	if a, ok := s.now.Load().account(p.Name); ok && a.Profile == p {
		return a.file
	}
	return ""
}

// Callback finds an agent of [[agent]] by its id, whose case does not matter.
func (s *Store) Callback(id string) (Callback, bool) {
	c, ok := s.now.Load().people.callbacks[strings.ToLower(id)]
	return c, ok
}

// Trusts returns the profile whose logins from addr, the zero Addr for a unix socket,
// need no secret when they ask for this type, "" for the profile's first.
func (s *Store) Trusts(name, asked string, addr netip.Addr) (*Profile, bool) {
	a, known := s.now.Load().account(name)
	if !known {
		return nil, false
	}
	t := a.typeOf(asked)
	if !slices.Contains(a.Types, t) || t == Administrator && !a.TrustAdministrators ||
		longest(a.Trust, addr.Unmap().WithZone("")) < 0 {
		return nil, false
	}
	p, err := a.usableFrom(addr)
	return p, err == nil
}

// Verify returns the profile that may be used with this name and secret from addr,
// the zero Addr for a unix socket. It may wait for others' logins; ctx ends that.
// Its errors say in words for the log what was wrong.
func (s *Store) Verify(ctx context.Context, name, secret string, addr netip.Addr) (*Profile, error) {
	a, known := s.now.Load().account(name)
	if !known {
		a = s.nobody
	}
	right, err := s.right(ctx, a, secret)
	switch {
	case err != nil:
		return nil, fmt.Errorf("wait for other logins: %w", err)
	case !known:
		return nil, errName
	case !right:
		return nil, errSecret
	}
	if p, ok := s.Lookup(name); !ok || p != a.Profile { // while this one waited
		return nil, errChanged
	}
	return a.usableFrom(addr)
}

// right tells whether the secret is a's, at the cost of an argon2id unless it is
// the one that is remembered.
func (s *Store) right(ctx context.Context, a *account, secret string) (bool, error) {
	mac := s.mac(secret)
	if a.remembers(mac) {
		return true, nil
	}
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if a.remembers(mac) { // another login of the profile was verified meanwhile
		return true, nil
	}
	if !a.hash.matches(secret) {
		return false, nil
	}
	a.verified.Store(mac)
	return true, nil
}

func (a *account) remembers(mac *[sha256.Size]byte) bool {
	verified := a.verified.Load()
	return verified != nil && hmac.Equal(verified[:], mac[:])
}

func (s *Store) mac(secret string) *[sha256.Size]byte {
	h := hmac.New(sha256.New, s.key[:])
	h.Write([]byte(secret))
	return (*[sha256.Size]byte)(h.Sum(nil))
}

// VerifyMD5 is [Store.Verify] for a login by challenge: key is the MD5 of the
// challenge and the secret, as hexadecimal digits in lower case. It waits for
// nobody.
func (s *Store) VerifyMD5(name, challenge, key string, addr netip.Addr) (*Profile, error) {
	a, known := s.now.Load().account(name)
	if !known {
		a = s.nobody
	}
	sum := md5.Sum([]byte(challenge + string(a.entry.Secret)))
	right := subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(key)) == 1
	switch {
	case !known:
		return nil, errName
	case a.entry.Secret == "":
		return nil, errNoSecret
	case !right || challenge == "":
		return nil, errSecret
	}
	return a.usableFrom(addr)
}

// usableFrom judges a login whose secret was right.
func (a *account) usableFrom(addr netip.Addr) (*Profile, error) {
	switch {
	case a.Disabled:
		return nil, errDisabled
	case !a.Networks.Permits(addr):
		return nil, errNetwork
	}
	return a.Profile, nil
}
