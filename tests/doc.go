// Package tests holds the tests of the whole daemon, from outside: in front of the
// real Asterisks of package asterisk, with plain connections and with the AMI
// clients of other people in the folder clients. It also holds the test of the
// house: which package may import which.
//
// With -short the long ones run short, as in make test; make soak runs them whole.
package tests
