// Package history keeps what package stats has counted: calls one by one, what agents did, and
// the figures of each hour, in one SQLite file that people read with the sqlite3 shell and Grafana.
// docs/history.md has its tables.
//
// A [History] has one goroutine, which alone writes to the file. [History.Put] hands it what happened and
// returns: nobody waits for a disk. What the file does not take is kept in memory within bounds and
// tried again; what finds no room there is lost and counted. Figures of an hour are written whole, in place
// of what was there, so they lose nothing by waiting.
//
// A [Reader] reads the file, also while another process writes it, and changes nothing.
//
// What SQLite promises of its write-ahead log, and which files belong together, follows
// https://www.sqlite.org/wal.html and https://www.sqlite.org/howtocorrupt.html.
package history
