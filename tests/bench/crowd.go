package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A crowd is all clients of one server. One thread reads for all of them, into one
// buffer: [crowd.receive], which owns all that is here while it runs.
type crowd struct {
	recording *recording
	clients   []client
	lanes     []*lane
	tls       bool // they connect over TLS
	poller    int
	got       int64 // bytes of events, of all clients together
	buffer    []byte
	ready     []unix.EpollEvent
	least     []int64 // see floor
}

const (
	headroom = 64 << 10 // for a client's tail
	readSize = 512 << 10
)

func newCrowd(r *recording, lanes []*lane) (*crowd, error) {
	poller, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &crowd{
		recording: r, lanes: lanes, poller: poller,
		buffer: make([]byte, headroom+readSize), ready: make([]unix.EpollEvent, 512), least: make([]int64, len(lanes)),
	}, nil
}

// connect adds n clients, each of the next lane in turn. enter says to the server what
// it must know first; sent events were sent so far, and none is until connect returns.
func (c *crowd) connect(n, port, sent int, enter func(net.Conn, *lane) error) error {
	first := len(c.clients)
	for i := range n {
		c.clients = append(c.clients, client{fd: -1, lane: c.lanes[(first+i)%len(c.lanes)]})
	}
	var group sync.WaitGroup
	var next, failed atomic.Int64
	var failure error
	var once sync.Once
	for range 16 {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == 0; i = int(next.Add(1)) - 1 {
				if err := c.enter(&c.clients[first+i], port, first+i, enter); err != nil {
					failed.Store(1)
					once.Do(func() { failure = fmt.Errorf("client %d: %w", first+i, err) })
					return
				}
			}
		})
	}
	group.Wait()
	if failure != nil {
		return failure
	}
	for i := first; i < len(c.clients); i++ {
		client := &c.clients[i]
		client.join(sent)
		c.got += client.got
		if err := c.watch(client.fd, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) enter(client *client, port, number int, enter func(net.Conn, *lane) error) error {
	fd, err := dial(port, number)
	if err != nil {
		return err
	}
	client.fd = fd
	if !c.tls {
		return enter(conversation{fd: fd}, client.lane)
	}
	// The certificate is one of the bench's own making: no use in checking it.
	client.tls = tls.Client(conversation{fd: fd}, &tls.Config{InsecureSkipVerify: true})
	return enter(client.tls, client.lane)
}

// watch has the descriptor of the client with that number read from.
func (c *crowd) watch(fd, number int) error {
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("set non-blocking: %w", err)
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(number)}
	if err := unix.EpollCtl(c.poller, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// patience is how long nothing at all may come while something must.
const patience = 20 * time.Second

// receive reads until every client has what it must see of the events sent before
// end. That is negative while nobody knows it yet. Each event is checked and its time
// counted, or, where times is nil, all bytes are taken for good, unread: those clients
// must then be checked by what comes after. It returns when the last bytes came.
func (c *crowd) receive(s *stream, end *atomic.Int64, times *latencies) (last int64, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	target := int64(math.MaxInt64)
	last = now()
	published, publishedAt := c.got, last
	publish := func(t int64) {
		published, publishedAt = c.got, t
		s.floor.Store(int64(c.floor()))
	}
	for {
		if e := end.Load(); e >= 0 && target == math.MaxInt64 {
			target = c.mustHave(int(e))
		}
		if c.got >= target {
			return last, c.settle(int(end.Load()), times != nil)
		}
		n := c.poll()
		if n == 0 {
			publish(now())
			if n, err = c.sleep(); err != nil {
				return last, err
			}
		}
		for _, event := range c.ready[:n] {
			client := &c.clients[event.Fd]
			switch {
			case times == nil:
				err = c.discard(client)
			case client.tls != nil:
				err = c.readTLS(client, times)
			default:
				err = c.read(client, times)
			}
			if err != nil {
				return last, fmt.Errorf("client %d (%s, Events: %s): %w", event.Fd, client.lane.profile, client.lane.mask, err)
			}
		}
		t := now()
		if n > 0 {
			last = t
		} else if target != math.MaxInt64 && t-last > int64(patience) {
			return last, c.lacking(int(end.Load()))
		}
		if c.got-published > chunk*int64(len(c.clients)) || t-publishedAt > int64(time.Millisecond) {
			publish(t)
		}
	}
}

// poll returns how many clients are ready now, without telling Go's scheduler.
func (c *crowd) poll() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_WAIT, uintptr(c.poller), uintptr(unsafe.Pointer(&c.ready[0])), uintptr(len(c.ready)), 0, 0, 0)
	if errno != 0 {
		return 0 // sleep says so too
	}
	return int(n)
}

// nap is how long it may take to see that all has been sent already, in ms.
const nap = 5

// sleep waits until some are ready, or for a nap.
func (c *crowd) sleep() (int, error) {
	n, err := unix.EpollWait(c.poller, c.ready, nap)
	switch {
	case errors.Is(err, unix.EINTR):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("epoll: %w", err)
	}
	return n, nil
}

// read takes what has come for a client.
func (c *crowd) read(client *client, times *latencies) error {
	for {
		from := headroom - len(client.tail)
		copy(c.buffer[from:], client.tail)
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(client.fd), uintptr(unsafe.Pointer(&c.buffer[headroom])), readSize, unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EAGAIN:
			return nil
		case errno != 0:
			return errno
		case n == 0:
			return errClosed
		}
		if err := c.take(client, c.buffer[from:headroom+int(n)], int(n), times); err != nil || n < readSize {
			return err
		}
	}
}

// readTLS does the same for a client over TLS.
func (c *crowd) readTLS(client *client, times *latencies) error {
	for {
		from := headroom - len(client.tail)
		copy(c.buffer[from:], client.tail)
		n, err := client.tls.Read(c.buffer[headroom:])
		if errors.Is(err, notYet{}) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.take(client, c.buffer[from:headroom+n], n, times); err != nil {
			return err
		}
	}
}

// take checks b, whose last n bytes are new.
func (c *crowd) take(client *client, b []byte, n int, times *latencies) error {
	client.got += int64(n)
	c.got += int64(n)
	rest, err := client.take(b, now(), times)
	client.tail = append(client.tail[:0], rest...)
	return err
}

// discard has the kernel throw away what has come for a client.
func (c *crowd) discard(client *client) error {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(client.fd), 0, 1<<30, unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
	switch {
	case errno == unix.EAGAIN:
		return nil
	case errno != 0:
		return errno
	case n == 0:
		return errClosed
	}
	client.got += int64(n)
	c.got += int64(n)
	return nil
}

// mustHave is how many bytes all clients have when end events were sent.
func (c *crowd) mustHave(end int) (bytes int64) {
	of := make([]int64, len(c.lanes))
	for _, lane := range c.lanes {
		of[lane.number] = lane.bytesBefore(end)
	}
	for i := range c.clients {
		bytes += of[c.clients[i].lane.number]
	}
	return bytes
}

// floor is how many events no client lacks.
func (c *crowd) floor() int {
	for i := range c.least {
		c.least[i] = math.MaxInt64
	}
	for i := range c.clients {
		client := &c.clients[i]
		c.least[client.lane.number] = min(c.least[client.lane.number], client.got)
	}
	floor := never
	for i, got := range c.least {
		if got != math.MaxInt64 {
			floor = min(floor, c.lanes[i].sentFor(got))
		}
	}
	return floor
}

// settle holds each client to what it must have. Clients whose bytes were not looked
// at go on with the event that comes next.
func (c *crowd) settle(end int, checked bool) error {
	for i := range c.clients {
		client := &c.clients[i]
		if must := client.lane.bytesBefore(end); client.got != must {
			return fmt.Errorf("client %d has %d bytes, not %d", i, client.got, must)
		}
		if !checked {
			client.join(end)
		}
	}
	return nil
}

// lacking says who lacks most.
func (c *crowd) lacking(end int) error {
	var most int64
	var who int
	for i := range c.clients {
		client := &c.clients[i]
		if lacks := client.lane.bytesBefore(end) - client.got; lacks > most {
			most, who = lacks, i
		}
	}
	return fmt.Errorf("events lost: client %d lacks %d bytes %v after the last came", who, most, patience)
}

func (c *crowd) close() {
	for _, client := range c.clients {
		if client.fd >= 0 {
			unix.Close(client.fd)
		}
	}
	unix.Close(c.poller)
}
