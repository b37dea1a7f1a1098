//go:build race

package main

// underRace tells that this process is slowed down by the race detector.
const underRace = true
