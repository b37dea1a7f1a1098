package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ampd/tests/asterisk"
)

// queueStatus has 20 clients ask for a list of 50 items in a loop, through ampd and
// without it, of a real Asterisk and of the fake one.
func (b *bench) queueStatus() error {
	t := &table{
		title: "QueueStatus: 20 clients ask for a list of 50 items in a loop",
		columns: []string{
			"of", "answers/s through ampd", "directly", "ratio", "goal",
		},
	}
	defer t.print(b.out)
	if b.wants("queuestatus/Asterisk") {
		if err := b.withAsterisk(func(addr string) error { return b.throughAndDirectly(t, "Asterisk 22", addr, true) }); err != nil {
			return err
		}
	}
	if b.wants("queuestatus/fake") {
		fake, err := startFake()
		if err != nil {
			return err
		}
		defer fake.close()
		return b.throughAndDirectly(t, "the fake", fake.addr(), false)
	}
	return nil
}

// throughAndDirectly asks the Asterisk at addr. The goal is of a real one.
func (b *bench) throughAndDirectly(t *table, name, addr string, isReal bool) error {
	const clients = 20
	r, err := newRecording(nil)
	if err != nil {
		return err
	}
	a, err := b.startAmpd(addr, settings{})
	if err != nil {
		return err
	}
	defer a.stop()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	direct, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	enter := func(profile string, port int) (*crowd, error) {
		s := nothing()
		s.profile = profile
		c, err := newCrowd(r, newLanes(r, []subscription{s}))
		if err == nil {
			err = c.connect(clients, port, 0, func(conn net.Conn, l *lane) error { return logIn(conn, &l.subscription) })
		}
		return c, err
	}
	through, err := enter("all", a.port)
	if err != nil {
		return err
	}
	defer through.close()
	without, err := enter(account.Name, direct)
	if err != nil {
		return err
	}
	defer without.close()
	var answers, directly spread
	turn := func(c *crowd, perSecond *spread) func(bool) error {
		return func(counts bool) error {
			began := time.Now()
			n, err := c.ask(askList, b.lasting)
			if err == nil && counts {
				*perSecond = append(*perSecond, float64(n)/time.Since(began).Seconds())
			}
			return err
		}
	}
	if err := alternate(b.rounds, turn(through, &answers), turn(without, &directly)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	ratio := ratios(answers, directly)
	goal := "-"
	if isReal {
		goal = atLeast(ratio.median(), 1)
	}
	t.add(name, answers.String(), directly.String(), ratio.String(), goal)
	return nil
}

// queueConf is a queue whose status is a list of 50 items.
func queueConf() string {
	var b strings.Builder
	b.WriteString("[bench](rigq)\nstrategy = rrmemory\n")
	for i := range listItems - 1 {
		fmt.Fprintf(&b, "member => Local/2%03d@agents/n,0,Agent %[1]d\n", i)
	}
	return b.String()
}

// withAsterisk starts a real Asterisk for as long as use runs.
func (b *bench) withAsterisk(use func(addr string) error) (err error) {
	t := &bystander{}
	defer func() {
		over := recover()
		for _, cleanup := range slices.Backward(t.cleanups) {
			cleanup()
		}
		if over != nil && over != t {
			panic(over)
		}
		err = errors.Join(err, t.failure)
	}()
	s := asterisk.Start(t, "22", asterisk.Conf("queues.conf", queueConf()))
	return use(s.Addr)
}

// A bystander is as much of a [testing.TB] as it takes to start an Asterisk.
type bystander struct {
	testing.TB // nil
	cleanups   []func()
	failure    error
}

func (t *bystander) Helper()             {}
func (t *bystander) Logf(string, ...any) {}
func (t *bystander) Cleanup(f func())    { t.cleanups = append(t.cleanups, f) }
func (t *bystander) Failed() bool        { return t.failure != nil }

func (t *bystander) Errorf(format string, args ...any) {
	t.failure = errors.Join(t.failure, fmt.Errorf(format, args...))
}

func (t *bystander) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	panic(t)
}

func (t *bystander) Skipf(format string, args ...any) { t.Fatalf(format, args...) }
