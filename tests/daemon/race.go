//go:build race

package daemon

// buildFlags has ampd built with the race detector where the tests have it.
var buildFlags = []string{"-race"}
