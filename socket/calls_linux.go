//go:build linux && (amd64 || arm64)

package socket

import (
	"syscall"
	"unsafe"
)

const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL

func receive(fd uintptr, data []byte) (n int, err error) { return call(syscall.SYS_RECVFROM, fd, data) }

func send(fd uintptr, data []byte) (n int, err error) { return call(syscall.SYS_SENDTO, fd, data) }

// call does not tell the scheduler: the calls never wait, and take a few microseconds.
func call(number, fd uintptr, data []byte) (n int, err error) {
	for {
		r, _, errno := syscall.RawSyscall6(number, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), flags, 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
