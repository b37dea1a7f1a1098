// Command ampd stands between one Asterisk and everything that talks to its
// Manager Interface. Each subcommand has a file of its own; main owns the one
// goroutine here and passes the end of the process (SIGTERM, SIGINT) on as a
// context.
package main
