// Package profiles knows who may log in to ampd: the profiles of profiles.toml,
// their secrets and the networks they may come from. What a session may see and
// do with its profile is decided in package rights.
//
// A [Store] is filled by [Load] and its profiles do not change afterwards. All of
// its methods may be called at the same time; a login that has to compute an
// argon2id waits for its turn on the goroutine that asked.
//
// Logins follow authenticate in Asterisk's main/manager.c: names are compared
// without case, secrets and MD5 keys byte by byte (a key in capitals is refused:
// observed with Asterisk 22), and nothing but the log tells a wrong name from a
// wrong secret or a refused address.
package profiles
