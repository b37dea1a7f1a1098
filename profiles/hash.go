package profiles

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of one argon2id. Every hash has it, so that all logins that need one
// take the same time.
const (
	hashTime    = 2
	hashMemory  = 19 * 1024 // KiB
	hashThreads = 1
	hashLength  = 32
	saltLength  = 16

	hashPrefix = "$argon2id$v=19$m=19456,t=2,p=1$"
)

// longestSecret is what fits behind "Secret: " in a line of the 1,024 bytes that
// Asterisk reads, its CRLF counted.
const longestSecret = 1024 - len("Secret: ") - len("\r\n")

// A hash is a secret's argon2id.
type hash struct {
	salt, sum []byte
}

var errHash = errors.New("is not a hash that ampd can use: make one with \"ampd hash-secret\"")

// parseHash reads the PHC form "$argon2id$v=19$m=19456,t=2,p=1$SALT$SUM". Its
// errors do not show the text, which may be a secret put in the wrong place.
func parseHash(s string) (*hash, error) {
	rest, ok := strings.CutPrefix(s, hashPrefix)
	if !ok {
		return nil, errHash
	}
	before, after, _ := strings.Cut(rest, "$")
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(before)
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(after)
	if err1 != nil || err2 != nil || len(salt) < 8 || len(salt) > 64 || len(sum) != hashLength {
		return nil, errHash
	}
	return &hash{salt, sum}, nil
}

// matches computes one argon2id.
func (h *hash) matches(secret string) bool {
	sum := argon2.IDKey([]byte(secret), h.salt, hashTime, hashMemory, hashThreads, hashLength)
	return subtle.ConstantTimeCompare(sum, h.sum) == 1
}

// HashSecret returns what a profile takes as its secret_hash.
func HashSecret(secret string) (string, error) {
	if problem := secretProblem(secret); problem != "" {
		return "", errors.New("the secret " + problem)
	}
	salt := make([]byte, saltLength)
	rand.Read(salt)
	sum := argon2.IDKey([]byte(secret), salt, hashTime, hashMemory, hashThreads, hashLength)
	encode := base64.RawStdEncoding.EncodeToString
	return hashPrefix + encode(salt) + "$" + encode(sum), nil
}

// secretProblem says why no client could log in with the secret, or "".
func secretProblem(secret string) string {
	switch {
	case secret == "":
		return "must not be empty"
	case len(secret) > longestSecret:
		return "is too long for the line that a client sends"
	case strings.ContainsAny(secret, "\r\n\x00"):
		return "holds a line end or NUL, which no client can send"
	case strings.TrimLeft(secret, " \t") != secret:
		return "begins with a blank, which no client can send"
	}
	return ""
}
