// Package socket reads and writes TCP and unix sockets with system calls that never
// wait, as a [net.Conn]. A call that finds nothing to do parks the goroutine in Go's
// network poller as any other, so deadlines and Close work as they do there.
//
// What it saves: package net tells Go's scheduler before each system call that it may
// wait. That costs little by itself but wakes the runtime's monitor thread whenever the
// process was idle, which then wakes up every 20 microseconds for a while: a fifth of
// all processor time at some hundred events a second, and more than a Ping costs.
// Measured: docs/performance.md.
//
// Elsewhere than on Linux on amd64 and arm64 the calls are package syscall's own.
package socket
