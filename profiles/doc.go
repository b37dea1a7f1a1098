// Package profiles knows who may log in to ampd: the profiles of profiles.toml,
// their secrets and the networks they may come from. What a session may see and
// do with its profile is decided in package rights.
//
// A [Store] is filled by [Open] from two files: profiles.toml, which people write,
// and the state file, which has what [Store.Update] and [Store.Delete] changed. What
// is in force is replaced as a whole: a [Profile] never changes, another takes its
// place, and one that stays as it is keeps its pointer.
//
// All methods of a Store may be called at the same time. A login that has to compute
// an argon2id waits for its turn on the goroutine that asked, and so does a change,
// which writes and syncs the state file there. No goroutine is started here.
//
// Logins follow authenticate in Asterisk's main/manager.c: names are compared
// without case, secrets and MD5 keys byte by byte (a key in capitals is refused:
// observed with Asterisk 22), and nothing but the log tells a wrong name from a
// wrong secret or a refused address.
package profiles
