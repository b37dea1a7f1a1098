// Package daemon starts ampd as its users do: the built binary, with files of its
// own, in front of whatever AMI server a test names. What it starts ends with the
// test.
package daemon
