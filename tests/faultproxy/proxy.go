package faultproxy

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// A Side is one end of a link: a direction is named by the side that sends.
type Side int

// The sides.
const (
	Client Side = iota // ampd, which connected
	Server             // Asterisk
)

// A Line says how bytes pass in a direction. The zero value lets them pass at once.
type Line struct {
	Delay time.Duration // between a byte's arrival and its passing
	Rate  int           // bytes a second; 0: any
	Chunk int           // bytes written at a time; 0: any

	// Still lets nothing pass, not even the sender's end; what it sends waits. With
	// both directions still the link is half-open to whichever side goes on.
	Still bool
}

// A Trap waits for a place in what a side sends and has Do run when all before it has
// passed and nothing behind it. It does so once.
type Trap struct {
	// Link is the link's number, -1 for any.
	Link int
	From Side

	// Bytes is how far the place is from the end of After's first occurrence behind
	// what had passed when the trap was set, or from the link's beginning where After
	// is "".
	After string
	Bytes int

	Do func(*Link)

	sprung chan struct{}
	from   map[*Link]int // where to look for After
}

// A Proxy passes what clients and a server say to each other.
type Proxy struct {
	// Addr is where clients connect, "" without Listen.
	Addr string

	group sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change of a line
	lines   [2]Line       // of new links
	links   []*Link
	traps   []*Trap
	refuses bool
	closed  bool
}

// New makes a proxy for connections that the test makes.
func New() *Proxy { return &Proxy{changed: make(chan struct{})} }

// Listen makes a proxy that takes connections on loopback and makes one to the server
// for each. The test's cleanup closes it.
func Listen(t testing.TB, server string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	p.Addr = l.Addr().String()
	p.group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.connect(client, server) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.Close()
	})
	return p
}

func (p *Proxy) connect(client net.Conn, server string) {
	p.mu.Lock()
	refuses := p.refuses
	p.mu.Unlock()
	if refuses {
		reset(client)
		return
	}
	conn, err := net.Dial("tcp", server)
	if err != nil {
		reset(client)
		return
	}
	p.Join(client, conn)
}

// Join passes what comes on one connection to the other, until either ends.
func (p *Proxy) Join(client, server net.Conn) *Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &Link{proxy: p, Number: len(p.links), conns: [2]net.Conn{client, server}, lines: p.lines, ended: make(chan struct{})}
	p.links = append(p.links, l)
	if p.closed {
		l.end(false)
		return l
	}
	for _, from := range []Side{Client, Server} {
		queue := make(chan parcel, queued)
		p.group.Go(func() { l.take(from, queue) })
		p.group.Go(func() { l.pass(from, queue) })
	}
	return l
}

// Set changes a direction of all links, those to come included.
func (p *Proxy) Set(from Side, line Line) {
	p.change(func() {
		p.lines[from] = line
		for _, l := range p.links {
			l.lines[from] = line
		}
	})
}

// Refuse has connections reset as soon as they are made, or not any more.
func (p *Proxy) Refuse(refuses bool) { p.change(func() { p.refuses = refuses }) }

func (p *Proxy) change(what func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what()
	close(p.changed)
	p.changed = make(chan struct{})
}

// Trap sets a trap. The channel is closed when its Do has run.
func (p *Proxy) Trap(t Trap) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.sprung = make(chan struct{})
	t.from = make(map[*Link]int)
	for _, l := range p.links {
		t.from[l] = len(l.sent[t.From])
	}
	p.traps = append(p.traps, &t)
	return t.sprung
}

// Links are those made so far.
func (p *Proxy) Links() []*Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.links)
}

// Open is how many links have not ended.
func (p *Proxy) Open() (open int) {
	for _, l := range p.Links() {
		select {
		case <-l.ended:
		default:
			open++
		}
	}
	return open
}

// Cut ends all links at once.
func (p *Proxy) Cut() {
	for _, l := range p.Links() {
		l.Cut()
	}
}

// Close ends all links and waits for their goroutines.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
	p.group.Wait()
}

// next takes as much of b, which a side sends on a link, as may pass before a trap is
// to run; trap is nil where that is all. It is called with mu held.
func (p *Proxy) next(l *Link, from Side, b []byte) (part []byte, trap *Trap) {
	sent := len(l.sent[from])
	all := append(l.sent[from], b...)
	part = b
	for _, t := range p.traps {
		if t.From != from || t.Link >= 0 && t.Link != l.Number {
			continue
		}
		if place, found := t.place(l, all, sent); found && place <= sent+len(part) {
			part, trap = b[:place-sent], t
		}
	}
	if trap != nil {
		p.traps = slices.DeleteFunc(p.traps, func(t *Trap) bool { return t == trap })
	}
	return part, trap
}

// place is where a trap waits on a link, whose text is all, the first bytes of which, so
// many, have passed.
func (t *Trap) place(l *Link, all []byte, sent int) (place int, found bool) {
	if t.After == "" {
		return t.Bytes, sent <= t.Bytes
	}
	for {
		at := bytes.Index(all[t.from[l]:], []byte(t.After))
		if at < 0 {
			t.from[l] = max(t.from[l], len(all)-len(t.After)+1)
			return 0, false
		}
		if place = t.from[l] + at + len(t.After) + t.Bytes; place >= sent {
			return place, true
		}
		t.from[l] += at + 1 // it was passing when the trap was set
	}
}
