// Bench measures ampd against a relay that does next to nothing (relay/relay.c), and
// prints Markdown tables: docs/performance.md explains and keeps them.
//
//	go run ./tests/bench                       everything, some 30 minutes
//	go run ./tests/bench -short                everything, few and short rounds
//	go run ./tests/bench -run fanout/100x      cases whose names match a regexp
//	go run ./tests/bench -rounds 5 -seconds .5
//	go run ./tests/bench -anyway               ratios even to a relay that is slow here
//	go run ./tests/bench -ampd PATH            an ampd that is built already
//	go run ./tests/bench -awake=false          with processors that may sleep
//
// The names are fanout/CLIENTSxRATE, saturated/CLIENTS, filters/CLIENTSxRATE,
// actions/ACTION/CLIENTS, queuestatus/Asterisk and queuestatus/fake, idle/ampd,
// idle/ampd, TLS and idle/relay, slow, churn, gc/CLIENTSxRATE, upstream/CLIENTS,
// tls/CLIENTSxRATE and xml/CLIENTSxRATE, where a RATE is "flat out" too.
//
// One process plays the Asterisk and all clients, so that one clock times every
// event. It starts ampd and the relay as processes of their own and reads their CPU
// clocks. Where the two are compared both run, with the same clients connected to
// each, and are fed by turns.
//
// It needs Linux, a C compiler and, where it measures against a real Asterisk, what
// tests/asterisk needs.
package main
