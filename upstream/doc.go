// Package upstream keeps the connections to one Asterisk and runs actions on them.
package upstream
