package codec

import "strings"

// IsTrue tells whether a value means yes to Asterisk: ast_true in main/utils.c.
func IsTrue(value string) bool {
	switch strings.ToLower(value) {
	case "yes", "true", "y", "t", "1", "on":
		return true
	}
	return false
}

// IsFalse tells whether a value means no to Asterisk: ast_false in main/utils.c. Most
// values mean neither.
func IsFalse(value string) bool {
	switch strings.ToLower(value) {
	case "no", "false", "n", "f", "0", "off":
		return true
	}
	return false
}
