//go:build !linux || !(amd64 || arm64)

package socket

import "syscall"

func receive(fd uintptr, data []byte) (n int, err error) { return call(syscall.Read, fd, data) }
func send(fd uintptr, data []byte) (n int, err error)    { return call(syscall.Write, fd, data) }

func call(f func(int, []byte) (int, error), fd uintptr, data []byte) (n int, err error) {
	for {
		if n, err = f(int(fd), data); err != syscall.EINTR {
			return max(0, n), err
		}
	}
}
