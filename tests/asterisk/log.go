package asterisk

import (
	"os"
	"path/filepath"
)

// Log is what the Asterisk logged so far, all its runs, security events apart.
func (s *Server) Log() string {
	out, _ := os.ReadFile(filepath.Join(s.Dir, "log", "out.log")) // empty but for crashes
	log, err := os.ReadFile(filepath.Join(s.Dir, "log", "full.log"))
	if err != nil {
		return string(out)
	}
	return string(out) + string(log)
}
