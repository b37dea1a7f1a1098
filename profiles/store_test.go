package profiles

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	here      = netip.MustParseAddr("127.0.0.1")
	elsewhere = netip.MustParseAddr("192.0.2.1")
)

func testStore(t *testing.T) *Store {
	t.Helper()
	hash, err := HashSecret("hunter2")
	require.NoError(t, err)
	store, problems := Parse("profiles.toml", `
[[profile]]
name = "Plain"
secret = "open sesame"
permit = ["127.0.0.0/8"]
[[profile]]
name = "hashed"
secret_hash = "`+hash+`"
[[profile]]
name = "off"
secret = "s"
disabled = true
`, nil)
	require.NoError(t, problems.Err())
	return store
}

func TestVerify(t *testing.T) {
	store := testStore(t)
	tests := []struct {
		name, secret string
		from         netip.Addr
		want         string // the profile, or the reason
	}{
		{"Plain", "open sesame", here, "Plain"},
		{"pLAIN", "open sesame", here, "Plain"},
		{"Plain", "open sesame", elsewhere, "address not permitted"},
		{"Plain", "open sesame", netip.Addr{}, "address not permitted"},
		{"Plain", "Open Sesame", here, "wrong secret"},
		{"Plain", "open sesame ", here, "wrong secret"},
		{"Plain", "", here, "wrong secret"},
		{"Plain", "wrong", elsewhere, "wrong secret"},
		{"Plain ", "open sesame", here, "no such profile"},
		{"", "", here, "no such profile"},
		{"off", "s", here, "profile is disabled"},
		{"off", "x", here, "wrong secret"},
		{"hashed", "hunter3", elsewhere, "wrong secret"},
		{"hashed", "hunter2", elsewhere, "hashed"},
		{"hashed", "hunter2", netip.Addr{}, "hashed"},
		{"hashed", "hunter3", elsewhere, "wrong secret"},
	}
	for _, tc := range tests {
		p, err := store.Verify(t.Context(), tc.name, tc.secret, tc.from)
		if err != nil {
			require.Nil(t, p)
			require.EqualError(t, err, tc.want, "%+v", tc)
		} else {
			require.Equal(t, tc.want, p.Name, "%+v", tc)
		}
	}
}

// TestOnlyAKnownSecretDoesNotWait takes the turn of whoever computes an argon2id
// and sees who has to wait for it: that is who pays for one.
func TestOnlyAKnownSecretDoesNotWait(t *testing.T) {
	store := testStore(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	waits := func(name, secret string) bool {
		store.hashing <- struct{}{}
		defer func() { <-store.hashing }()
		_, err := store.Verify(gone, name, secret, here)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		return err != nil
	}
	require.False(t, waits("plain", "open sesame"))
	require.True(t, waits("plain", "wrong"))
	require.True(t, waits("hashed", "hunter2"), "never verified")
	require.True(t, waits("hashed", "wrong"))
	require.True(t, waits("nobody", "wrong"))

	_, err := store.Verify(t.Context(), "hashed", "hunter2", here)
	require.NoError(t, err)
	require.False(t, waits("hashed", "hunter2"), "verified before")
	_, err = store.Verify(t.Context(), "hashed", "hunter3", here)
	require.Error(t, err)
	require.False(t, waits("hashed", "hunter2"), "a wrong guess later")
	require.True(t, waits("hashed", "hunter3"))
	require.True(t, waits("plain", "hunter2"), "another profile's secret")

	require.True(t, func() bool {
		again := testStore(t)
		again.hashing <- struct{}{}
		_, err := again.Verify(gone, "hashed", "hunter2", here)
		return err != nil
	}(), "a store loaded anew has forgotten")
}

// TestLoginsOfOneProfileTogetherCostOneHash has many log in at once while nobody's
// secret is known yet: all but the first find it remembered.
func TestLoginsOfOneProfileTogetherCostOneHash(t *testing.T) {
	store := testStore(t)
	store.hashing <- struct{}{} // all of them wait
	var all sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		all.Go(func() { _, errs[i] = store.Verify(t.Context(), "hashed", "hunter2", here) })
	}
	hashed, _ := store.now.Load().account("hashed")
	hashed.verified.Store(store.mac("hunter2")) // as the first of them does
	hashed.hash.sum = nil                       // whoever computes one now fails
	<-store.hashing
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func TestVerifyMD5(t *testing.T) {
	store := testStore(t)
	const challenge = "25279432"
	key := func(secret string) string {
		sum := md5.Sum([]byte(challenge + secret))
		return hex.EncodeToString(sum[:])
	}
	tests := []struct {
		name, challenge, key string
		from                 netip.Addr
		want                 string // the profile, or the reason
	}{
		{"plain", challenge, key("open sesame"), here, "Plain"},
		{"PLAIN", challenge, key("open sesame"), here, "Plain"},
		{"plain", challenge, strings.ToUpper(key("open sesame")), here, "wrong secret"}, // as Asterisk 22 does
		{"plain", challenge, key("open sesame"), elsewhere, "address not permitted"},
		{"plain", challenge, key("wrong"), elsewhere, "wrong secret"},
		{"plain", challenge, "", here, "wrong secret"},
		{"plain", "1", key("open sesame"), here, "wrong secret"},
		{"plain", "", "8a7be91e7ea7ca1a14e6b5ec0de5cb01", here, "wrong secret"},
		{"off", challenge, key("s"), here, "profile is disabled"},
		{"nobody", challenge, key(""), here, "no such profile"},
		{"hashed", challenge, key("hunter2"), here, "no MD5 login with a secret_hash"},
		{"hashed", challenge, key(""), here, "no MD5 login with a secret_hash"},
	}
	for _, tc := range tests {
		p, err := store.VerifyMD5(tc.name, tc.challenge, tc.key, tc.from)
		if err != nil {
			require.Nil(t, p)
			require.EqualError(t, err, tc.want, "%+v", tc)
		} else {
			require.Equal(t, tc.want, p.Name, "%+v", tc)
		}
	}
	// No Challenge was asked for: even the MD5 of the bare secret opens nothing.
	sum := md5.Sum([]byte("open sesame"))
	_, err := store.VerifyMD5("plain", "", hex.EncodeToString(sum[:]), here)
	require.EqualError(t, err, "wrong secret")
}

func TestHashSecret(t *testing.T) {
	a, err := HashSecret("hunter2")
	require.NoError(t, err)
	b, err := HashSecret("hunter2")
	require.NoError(t, err)
	require.NotEqual(t, a, b, "salted")
	require.True(t, strings.HasPrefix(a, hashPrefix))
	h, err := parseHash(a)
	require.NoError(t, err)
	require.True(t, h.matches("hunter2"))
	require.False(t, h.matches("hunter3"))

	for secret, want := range map[string]string{
		"":                        "the secret must not be empty",
		" x":                      "the secret begins with a blank, which no client can send",
		"x\r":                     "the secret holds a line end or NUL, which no client can send",
		strings.Repeat("x", 1015): "the secret is too long for the line that a client sends",
	} {
		_, err := HashSecret(secret)
		require.EqualError(t, err, want)
	}
}

func TestParseHash(t *testing.T) {
	const salt, sum = "YW1wZC10ZXN0LXNhbHQhIQ", "MSDJTWbHgGK77KRx8B3CSuqjXgrQqL1MWdrtEImA5fo"
	_, err := parseHash(hashPrefix + salt + "$" + sum)
	require.NoError(t, err)
	for _, s := range []string{
		"", "hunter2", hashPrefix, hashPrefix + salt, hashPrefix + salt + "$" + sum + "$", hashPrefix + salt + "$" + sum[1:],
		hashPrefix + "c2hvcnQ$" + sum, hashPrefix + "!!$" + sum, hashPrefix + salt + "=$" + sum,
		"$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + sum, // would take its own time
		"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + sum,
		"$2y$10$abcdefghijklmnopqrstuv",
	} {
		_, err := parseHash(s)
		require.ErrorIs(t, err, errHash, "%q", s)
	}
}
