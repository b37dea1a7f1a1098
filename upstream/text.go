package upstream

import "strings"

// lineText returns s up to the first byte that no line of AMI can carry.
func lineText(s string) string {
	if i := strings.IndexAny(s, "\r\n\x00"); i >= 0 {
		return s[:i]
	}
	return s
}
