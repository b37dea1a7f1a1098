package tests

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// visit logs in from 127.0.0.1, runs an action and logs off. It returns ampd's refusal, ""
// for none.
func visit(addr string, account asterisk.Account) (refusal string, err error) {
	w, err := dialWire("visitor", addr)
	if err != nil {
		return "", err
	}
	defer w.Close()
	if err := w.SetDeadline(time.Now().Add(2 * goodLimit)); err != nil {
		return "", err
	}
	visit := []struct {
		lines
		answer string
	}{
		{lines{"Action: Login", "Username: " + account.Name, "Secret: " + account.Secret, "Events: off"}, "Response: Success\r\n"},
		{lines{"Action: Ping"}, "Response: Success\r\nPing: Pong\r\n"},
		{lines{"Action: Logoff"}, "Response: Goodbye\r\n"},
	}
	for i, step := range visit {
		if err := w.send(step.lines...); err != nil {
			return "", err
		}
		answer, err := w.read()
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(answer, step.answer) {
			continue
		}
		if refusal = header(answer, "Message"); i > 0 || refusal == "" {
			return "", fmt.Errorf("%q was answered by %q", step.lines[0], answer)
		}
		break
	}
	if rest, err := w.read(); !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("instead of the end: %q, %w", rest, err)
	}
	return refusal, nil
}

// each calls f so many times, in that many goroutines, each n times.
func each(goroutines, n int, f func(goroutine, i int) error) error {
	failed := make(chan error, goroutines)
	for g := range goroutines {
		go func() {
			for i := range n {
				if err := f(g, i); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	var all []error
	for range goroutines {
		all = append(all, <-failed)
	}
	return errors.Join(all...)
}

const accepted = `ampd_downstream_logins_total{result="accepted"}`

var logins = []hostility{
	{
		name:    "a flood of wrong secrets",
		promise: "each is refused after a second, one line of the log each, and waits for its turn at one argon2id; known profiles log in at once",
		attack: func(t *testing.T, s *siege) {
			const guessers = 20
			guesses := longer(1, 10)
			accounts := []asterisk.Account{{Name: "ampd", Secret: "the-guessed-secret"}, {Name: "nobody", Secret: "the-guessed-secret"}, {Name: "elsewhere", Secret: "elsewheresecret"}}
			flood := make(chan error, 1)
			go func() {
				flood <- each(guessers, guesses, func(g, i int) error {
					began := time.Now()
					refusal, err := visit(s.Addr, accounts[(g+i)%len(accounts)])
					if err == nil && (refusal != "Authentication failed" || time.Since(began) < time.Second) {
						err = fmt.Errorf("refused with %q after %v", refusal, time.Since(began))
					}
					return err
				})
			}()
			s.awaitMetric(t, `ampd_downstream_logins_total{result="refused"}`, func(n int) bool { return n > 0 })
			for range 5 {
				refusal, err := visit(s.Addr, intruding)
				require.NoError(t, err)
				require.Empty(t, refusal)
			}
			s.good.carryOn(t, 5)
			require.NoError(t, <-flood)
			require.Equal(t, guessers*guesses, metric(t, s.Daemon, `ampd_downstream_logins_total{result="refused"}`))
			require.True(t, eventually(func() bool { return s.sentences("login refused") == guessers*guesses }, goodLimit))
			require.NotContains(t, s.Log(), "the-guessed-secret")
		},
	},
	{
		name:    "a flood of right logins",
		promise: "all succeed",
		attack: func(t *testing.T, s *siege) {
			visitors, visits := 8, longer(25, 500)
			before := metric(t, s.Daemon, accepted)
			require.NoError(t, each(visitors, visits, func(_, _ int) error {
				refusal, err := visit(s.Addr, intruding)
				if err == nil && refusal != "" {
					err = errors.New(refusal)
				}
				return err
			}))
			s.good.carryOn(t, 1)
			s.awaitMetricOf(t, accepted, before+visitors*visits)
			s.awaitMetricOf(t, gone("logoff"), visitors*visits)
		},
	},
	{
		name:    "more logins than max_sessions",
		promise: "a profile's sessions are no more than its max_sessions; one that leaves makes room",
		config: daemon.Config{Profiles: daemon.Profiles + `
[[profile]]
name = "few"
secret = "fewsecret"
max_sessions = 3
`},
		attack: func(t *testing.T, s *siege) {
			few := asterisk.Account{Name: "few", Secret: "fewsecret"}
			for round := range 2 {
				var mu sync.Mutex
				var in []*wire
				require.NoError(t, each(20, 1, func(_, _ int) error {
					w, err := dialWire("one of many", s.Addr)
					if err != nil {
						return err
					}
					_, answer, err := w.ask("Action: Login", "Username: "+few.Name, "Secret: "+few.Secret)
					switch header(answer, "Message") {
					case "Authentication accepted":
						mu.Lock()
						defer mu.Unlock()
						in = append(in, w)
						return err
					case "Login Already In Use":
					default:
						err = errors.Join(err, fmt.Errorf("answer %q", answer))
					}
					w.Close()
					return err
				}))
				require.Len(t, in, 3)
				for _, w := range in {
					w.Close()
				}
				s.good.carryOn(t, 1)
				s.awaitMetricOf(t, "ampd_sessions", goodOnes)
				require.Equal(t, 17*(round+1), metric(t, s.Daemon, `ampd_downstream_logins_total{result="busy"}`))
			}
		},
	},
	{
		name:    "a flood of connections",
		promise: "over max_unauthenticated_per_address an address's connections are closed without a byte; other addresses get in; the log has one line",
		config:  daemon.Config{Sessions: "max_unauthenticated_per_address = 10"},
		attack: func(t *testing.T, s *siege) {
			began := time.Now()
			var waiting []*wire
			for range 10 {
				waiting = append(waiting, s.stranger(t))
			}
			const more = 200
			for range more {
				conn := s.dial(t)
				got := make([]byte, 1)
				_, err := conn.Read(got)
				require.Error(t, err)
				var timeout net.Error
				require.False(t, errors.As(err, &timeout) && timeout.Timeout())
			}
			s.newcomer(t)
			s.good.carryOn(t, 1)
			s.awaitMetricOf(t, gone("too_many"), more)
			s.complained(t, "too many connections without a login", began)
			for _, w := range waiting {
				require.Regexp(t, "^"+challenged, upToChallenge(t, w, challenge))
				w.Close()
			}
			s.awaitMetricOf(t, "ampd_downstream_unauthenticated_connections", 0)
			require.Regexp(t, "^"+challenged, upToChallenge(t, s.stranger(t), challenge))
		},
	},
}
