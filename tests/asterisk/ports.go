package asterisk

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// One instance has a block of ports on 127.0.0.1, of which it uses the first few:
// AMI, HTTP, AMI over TLS, PJSIP, chan_sip, IAX2, in this order. The blocks lie
// below the ports that the kernel gives to clients and above etc/rtp.conf's.
const (
	firstPort = 24000
	lastPort  = 31990
	blockSize = 10
	usedPorts = 6
)

// claimPorts returns the first port of a block that no other test on this machine
// has, whatever its cache, and nobody listens on. It is the caller's until the lock
// is closed.
func claimPorts() (port int, lock *os.File, err error) {
	dir := filepath.Join(os.TempDir(), "ampd-test-ports")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, nil, err
	}
	for port := firstPort; port < lastPort; port += blockSize {
		lock, err := lockFile(filepath.Join(dir, strconv.Itoa(port)), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		if free(port) {
			return port, lock, nil
		}
		lock.Close()
	}
	return 0, nil, errors.New("no free block of ports")
}

// free says whether all of a block's ports can be bound.
func free(port int) bool {
	for p := port; p < port+usedPorts; p++ {
		addr := fmt.Sprintf("127.0.0.1:%d", p)
		stream, err := net.Listen("tcp", addr)
		if err != nil {
			return false
		}
		stream.Close()
		packet, err := net.ListenPacket("udp", addr)
		if err != nil {
			return false
		}
		packet.Close()
	}
	return true
}

// lockFile opens a file and locks it; closing it unlocks it.
func lockFile(name string, how int) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		file.Close()
		return nil, &os.PathError{Op: "flock", Path: name, Err: err}
	}
	return file, nil
}
