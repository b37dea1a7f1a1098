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
	"strings"
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
)

// A Store verifies logins. A secret that was verified is remembered as an HMAC
// under a key of this process, one for each profile, so that the profile's next
// login costs microseconds and waits for nobody; wrong guesses leave no trace.
// Everything else costs one argon2id, of which one is computed at a time: a wrong
// secret of any profile, hashed or not, an unknown name, and the first login of a
// profile with a secret_hash.
type Store struct {
	profiles []*Profile
	people   []*Person           // in the file's order
	agents   map[string]*Person  // by id in lower case
	accounts map[string]*account // by name in lower case
	nobody   *account            // stands in for unknown names
	key      [sha256.Size]byte   // of the HMACs
	hashing  chan struct{}       // holds one token while an argon2id is computed
	file     string              // where all comes from
	warnings config.Problems
}

// An account is a profile with its secret.
type account struct {
	*Profile
	secret string // "" if there is only a hash
	hash   *hash  // that of nobody if there is only a secret: it matches nothing

	verified atomic.Pointer[[sha256.Size]byte] // HMAC of the right secret, once known
}

func newStore(file string) *Store {
	s := &Store{
		file:     file,
		accounts: map[string]*account{},
		agents:   map[string]*Person{},
		nobody:   &account{hash: &hash{salt: make([]byte, saltLength), sum: make([]byte, hashLength)}},
		hashing:  make(chan struct{}, 1),
	}
	rand.Read(s.nobody.hash.salt)
	rand.Read(s.nobody.hash.sum)
	rand.Read(s.key[:])
	return s
}

// add takes a profile with its secret or its hash.
func (s *Store) add(p *Profile, secret string, h *hash) {
	a := &account{Profile: p, secret: secret, hash: h}
	if secret != "" {
		a.hash = s.nobody.hash
		a.verified.Store(s.mac(secret))
	} else {
		s.warnings = append(s.warnings, config.Problem{File: s.file, Text: fmt.Sprintf(
			"profile %q has only a secret_hash: its logins by MD5 challenge are refused", p.Name)})
	}
	s.profiles = append(s.profiles, p)
	s.accounts[strings.ToLower(p.Name)] = a
}

// Profiles returns all profiles in the file's order. They are not to be changed.
func (s *Store) Profiles() []*Profile { return s.profiles }

// Warnings are what is not a mistake and yet should be known.
func (s *Store) Warnings() config.Problems { return s.warnings }

// Lookup finds a profile by its name.
func (s *Store) Lookup(name string) (*Profile, bool) {
	a, ok := s.accounts[strings.ToLower(name)]
	if !ok {
		return nil, false
	}
	return a.Profile, true
}

// Verify returns the profile that may be used with this name and secret from addr,
// the zero Addr for a unix socket. It may wait for others' logins; ctx ends that.
// Its errors say in words for the log what was wrong.
func (s *Store) Verify(ctx context.Context, name, secret string, addr netip.Addr) (*Profile, error) {
	a, known := s.accounts[strings.ToLower(name)]
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
	a, known := s.accounts[strings.ToLower(name)]
	if !known {
		a = s.nobody
	}
	sum := md5.Sum([]byte(challenge + a.secret))
	right := subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(key)) == 1
	switch {
	case !known:
		return nil, errName
	case a.secret == "":
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
