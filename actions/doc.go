// Package actions is the table of the actions that Asterisk 16 and 22 know: which
// authorization classes each asks, whether it changes anything, how its answer
// ends.
//
// The table is data: actions.tsv was read off running Asterisks (ListCommands, the
// answers of every action, "manager show command") and, where its note says so, off
// their sources; answers.go adds what has no column there. Nothing here changes
// after start, so it may be read from anywhere.
package actions
