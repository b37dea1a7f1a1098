// Package audit writes down who did what: one line of JSON for each action and login,
// in a file of its own.
//
// A [Log] has one goroutine, which alone touches the file. [Log.Write] puts a line into a
// bounded queue in memory and returns, so nobody waits for a disk. A line that finds no
// room there, or that the disk does not take, is lost and counted; the log of the process
// says when that begins and when it is over. [Log.Reopen], [Log.Apply] and
// [Log.Close] ask the goroutine to do so.
//
// What a client chose is escaped, so that it can't end a string or a line, and cut. What
// may be a secret is masked by its name, see [Log.Params].
package audit
