// Package asterisk starts real Asterisks for tests: a [Server] is one process on
// loopback ports of its own, of a version named in the file versions, which is the
// one place where versions and Debian suites stand. The script install puts each
// version into a root folder in the cache; a Server is that root folder's Asterisk
// in a chroot, configured from etc and etc-VERSION.
//
// Several Servers run side by side, in one test process and in many: each holds a
// file lock on its block of ports, and a shared lock on its root folder. A Server's
// process is waited for by one goroutine, which also owns the thread that started
// it; when the test process dies the kernel ends its Asterisks.
//
// Methods belong on the test's own goroutine, but for those that say otherwise;
// what goes wrong in them fails the test that started the Server.
//
// What the configuration has to offer (queues, agents, dialplan) stands in etc;
// etc/extensions.conf is the place to begin.
package asterisk
