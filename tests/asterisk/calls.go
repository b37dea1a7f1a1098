package asterisk

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Traffic is what became of the calls that [Server.Calls] made.
type Traffic struct {
	Answered int // calls whose caller was there
	Failed   int
}

// entries are the extensions of etc/extensions.conf's queue-entry that ten calls go
// to in turn: the queues support, sales and pool, and the menu in front of them.
var entries = []string{"600", "600", "600", "600", "600", "601", "601", "601", "602", "650"}

var runs atomic.Int64

// Calls sends n calls, rate a second, through the queues and returns when the last
// of them is over, or as ctx ends. Callers wait for some seconds, agents answer,
// talk, or don't answer, as etc/extensions.conf has it: some 20 seconds after the
// last call all is quiet. First it adds agents to sales and logs in those of pool,
// who stay. It uses AMI on a connection of its own, and is safe on any goroutine.
func (s *Server) Calls(ctx context.Context, n int, rate float64) (Traffic, error) {
	conn, err := Dial(s.Addr)
	if err != nil {
		return Traffic{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	run := strconv.FormatInt(runs.Add(1), 10)
	traffic, err := calls(ctx, conn, run, n, rate)
	if err == nil {
		err = s.callersLeft(ctx, run)
	}
	return traffic, errors.Join(ctx.Err(), err)
}

func calls(ctx context.Context, conn *Conn, run string, n int, rate float64) (Traffic, error) {
	if err := conn.Login(Ampd, "Events: call"); err != nil {
		return Traffic{}, err
	}
	// A filter without ! lets nothing else through.
	if err := conn.Send("Action: Filter", "Operation: Add", "Filter: Event: OriginateResponse"); err != nil {
		return Traffic{}, err
	}
	for _, agent := range []string{"1007", "1008", "1009"} {
		if err := conn.Send("Action: QueueAdd", "Queue: sales", "Interface: Local/"+agent+"@agents/n", "MemberName: Dyn "+agent); err != nil {
			return Traffic{}, err
		}
	}
	for _, agent := range []string{"1101", "1102", "1103"} {
		if err := conn.Send("Action: Originate", "Channel: Local/"+agent+"@agent-phone/n", "Context: agent-login",
			"Exten: "+agent, "Priority: 1", "Async: true", "Variable: PATIENCE=3600"); err != nil {
			return Traffic{}, err
		}
	}
	type outcome struct {
		traffic Traffic
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		traffic, err := count(conn, run, n)
		if err != nil {
			conn.Close() // so that the sender ends too
		}
		done <- outcome{traffic, err}
	}()
	if err := send(ctx, conn, run, n, rate); err != nil {
		conn.Close()
		return (<-done).traffic, err
	}
	end := <-done
	return end.traffic, end.err
}

func send(ctx context.Context, conn *Conn, run string, n int, rate float64) error {
	pace := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer pace.Stop()
	for i := range n {
		err := conn.Send("Action: Originate", fmt.Sprintf("ActionID: calls-%s-%d", run, i),
			fmt.Sprintf("Channel: Local/%s%d@callers/n", caller(run), i),
			"Context: queue-entry", "Exten: "+entries[i%len(entries)], "Priority: 1", "Timeout: 15000",
			fmt.Sprintf(`CallerID: "Caller %d" <555%05d>`, i, i%100_000), fmt.Sprintf("Variable: CALLNO=%d", i),
			"Account: calls", "Async: true")
		if err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// caller begins the extensions of a run's callers, see [callers] in the dialplan.
func caller(run string) string { return "c" + run + "x" }

// count reads until n originations have ended.
func count(conn *Conn, run string, n int) (traffic Traffic, err error) {
	prefix := "calls-" + run + "-"
	for traffic.Answered+traffic.Failed < n {
		packet, err := conn.Read()
		if err != nil {
			return traffic, err
		}
		if packet.Get("Event") != "OriginateResponse" || !strings.HasPrefix(packet.Get("ActionID"), prefix) {
			continue
		}
		if packet.Get("Response") == "Success" {
			traffic.Answered++
		} else {
			traffic.Failed++
		}
	}
	return traffic, nil
}

// callersLeft waits until no caller of a run has a channel any more.
func (s *Server) callersLeft(ctx context.Context, run string) error {
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for {
		channels, err := s.console(ctx, "core show channels concise")
		if err != nil {
			return fmt.Errorf("ask for the channels: %w", err)
		}
		if !strings.Contains(channels, "Local/"+caller(run)) {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
