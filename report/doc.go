// Package report makes reports of a history: the figures of queues or agents, or the callers who
// are to be called back, as a table, CSV or JSON. It has no goroutine and no state.
package report
