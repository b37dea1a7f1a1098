package upstream

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"ampd/codec"
	"ampd/codec/native"
)

func TestLoginSendsNoSecretByDefault(t *testing.T) {
	onBench(t, newFake(), nil, func(t *testing.T, b *bench) {
		require.Equal(t, []string{"ready"}, b.take())
		logins := b.fake.logins()
		require.Len(t, logins, 4)
		for i, k := range logins {
			require.Empty(t, k.login.Get("Secret"))
			require.NotEmpty(t, k.login.Get("Key"))
			require.Equal(t, map[bool]string{true: "on", false: "off"}[i == 0], k.login.Get("Events"))
		}
	})
}

func TestLoginInPlainWhenToldSo(t *testing.T) {
	onBench(t, newFake(), func(cfg *Config) { cfg.Login = "plain" }, func(t *testing.T, b *bench) {
		b.start()
		for _, k := range b.fake.logins() {
			require.Equal(t, fakeSecret, k.login.Get("Secret"))
			require.Empty(t, k.login.Get("Key"))
		}
	})
}

func TestInfoIsWhatAsteriskSays(t *testing.T) {
	onBench(t, newFake(), nil, func(t *testing.T, b *bench) {
		b.start()
		info := b.infos[0]
		require.Equal(t, "11.0.0", info.Version)
		require.Equal(t, "fake", info.Settings.Get("SystemName"))
		require.Equal(t, fakeBooted, string(info.FullyBooted.Raw))
		require.Equal(t, time.Now().Add(-210*time.Second), info.Booted)
		require.Equal(t, time.Now().Add(-10*time.Second), info.Reloaded)
		require.Equal(t, []Command{
			{Name: "Ping", Text: "Keepalive command.  (Priv: <none>)"},
			{
				Name: "Status", Text: "List (Priv: odd) channel status.  (Priv: system,call,reporting,all)",
				Classes: codec.System | codec.Call | codec.Reporting,
			},
		}, info.Commands)
		status, ok := info.Command("status")
		require.True(t, ok)
		require.Equal(t, "Status", status.Name)
		_, ok = info.Command("Queues")
		require.False(t, ok)
	})
}

func TestReadyComesBehindFullyBooted(t *testing.T) {
	fake := newFake()
	fake.booting = true
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.sleep(90 * time.Second)
		require.Empty(t, b.take())
		require.Empty(t, b.fake.actionConns(), "lists are incomplete now")
		k := b.fake.events(t)
		k.send("Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: 1.1\r\n\r\n")
		k.send(fakeBooted)
		require.Equal(t, []string{"event Event: Newchannel|Privilege: call,all|Uniqueid: 1.1", "ready"}, b.take())
		require.Len(t, b.fake.actionConns(), 3)
	})
}

func TestBootTimeout(t *testing.T) {
	fake := newFake()
	fake.booting = true
	onBench(t, fake, func(cfg *Config) { cfg.BootTimeout = seconds(60) }, func(t *testing.T, b *bench) {
		b.sleep(61 * time.Second)
		require.Equal(t, []string{"ready"}, b.take())
		require.Nil(t, b.infos[0].FullyBooted)
		require.Equal(t, 1, b.logs.FilterMessage("Asterisk did not say FullyBooted: its lists may be incomplete").Len())
		k := b.fake.events(t)
		k.send(fakeBooted)
		require.Equal(t, []string{"changed"}, b.take())
		require.NotNil(t, b.infos[1].FullyBooted)
	})
}

func TestMissingReadRightsAreNamed(t *testing.T) {
	fake := newFake()
	fake.readPerm = "call,log,agent,all"
	fake.booting = true // it sends no FullyBooted to such an account
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		require.Equal(t, []string{"lost: the account in manager.conf does not read system,dialplan"}, b.take())
		require.Equal(t, 1, b.logs.FilterLevelExact(zapcore.ErrorLevel).Len())
		b.submit("a", 1, "Action: Status")
		require.Equal(t, []string{"a Response: Error|Message: Upstream not connected ."}, b.take())
		fake.set(func() { fake.readPerm, fake.booting = "system,call,agent,dialplan", false })
		b.sleep(31 * time.Second)
		require.Contains(t, b.take(), "ready")
	})
}

func TestUnknowableReadRightsAreSaidToBe(t *testing.T) {
	fake := newFake()
	fake.readPerm = ""
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		require.Equal(t, 1, b.logs.FilterMessage("what the account reads can't be asked without write = command").Len())
	})
}

func TestWithoutFullyBootedSystemIsTakenToBeMissing(t *testing.T) {
	fake := newFake()
	fake.readPerm, fake.booting = "", true
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.sleep(time.Second)
		require.Equal(t, 1, b.logs.FilterMessage("what the account reads can't be asked without write = command").Len())
		b.sleep(DefaultConfig().BootTimeout.Std())
		require.Equal(t, []string{"lost: the account in manager.conf does not read system (or Asterisk did not boot within boot_timeout)"}, b.take())
	})
}

func TestRefusedLoginIsRetriedSlowlyAndLoggedOnce(t *testing.T) {
	fake := newFake()
	fake.refuses = true
	fake.loginTime = time.Second
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.sleep(10 * time.Minute)
		require.Empty(t, b.take())
		require.InDelta(t, 22, len(fake.dialled()), 3)
		require.Equal(t, 1, b.logs.FilterLevelExact(zapcore.ErrorLevel).Len())
		entry := b.logs.FilterLevelExact(zapcore.ErrorLevel).All()[0]
		require.Equal(t, "Asterisk does not take ampd's account", entry.Message)
		require.Contains(t, entry.ContextMap()["error"], `log in as "ampd": login refused: username`)
		fake.set(func() { fake.refuses = false })
		b.sleep(32 * time.Second)
		require.Equal(t, []string{"ready"}, b.take())
	})
}

func TestAsteriskThatComesLaterIsFound(t *testing.T) {
	fake := newFake()
	fake.down = true
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.sleep(50 * time.Second)
		dials := fake.dialled()
		for i := 1; i < len(dials); i++ {
			require.LessOrEqual(t, dials[i].Sub(dials[i-1]), 2*time.Second)
		}
		b.sleep(time.Hour)
		dials = fake.dialled()
		last := len(dials) - 1
		require.InDelta(t, 27, dials[last].Sub(dials[last-1]).Seconds(), 3)
		fake.set(func() { fake.down = false })
		b.sleep(30 * time.Second)
		require.Equal(t, []string{"ready"}, b.take())
	})
}

// Each attempt has another port of ampd's own in its error.
func TestOneTroubleIsLoggedOnce(t *testing.T) {
	for name, fails := range map[string]func(port int) error{
		"reset": func(port int) error {
			return &net.OpError{
				Op: "read", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port},
				Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5038}, Err: syscall.ECONNRESET,
			}
		},
		"no name server": func(port int) error {
			return &net.DNSError{Err: fmt.Sprintf("read udp 127.0.0.1:%d->127.0.0.1:53: i/o timeout", port), Name: "pbx.example", Server: "127.0.0.1:53"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				port := 40_000
				b := startBench(t, func(context.Context, string, string) (net.Conn, error) {
					port++
					return nil, fails(port)
				}, nil)
				b.sleep(10 * time.Minute)
				require.Greater(t, port, 40_020)
				warnings := b.logs.FilterLevelExact(zapcore.WarnLevel).All()
				require.Len(t, warnings, 1)
				require.Equal(t, "Asterisk can't be reached", warnings[0].Message)
				require.Contains(t, warnings[0].ContextMap()["error"], "127.0.0.1:40001->")
				require.Empty(t, b.take())
				b.submit("a", 1, "Action: CoreStatus", "ActionID: 1")
				require.Equal(t, []string{"a Response: Error|ActionID: 1|Message: Upstream not connected ."}, b.take())
				b.stop()
			})
		})
	}
}

// A name that begins to resolve, and one that does no more.
func TestNamesThatResolveLater(t *testing.T) {
	fake := newFake()
	var resolves atomic.Bool
	noHost := &net.DNSError{Err: "no such host", Name: "pbx.example", IsNotFound: true}
	synctest.Test(t, func(t *testing.T) {
		b := startBench(t, func(ctx context.Context, network, address string) (net.Conn, error) {
			require.Equal(t, "pbx.example:5038", address)
			if !resolves.Load() {
				return nil, noHost
			}
			return fake.dial(ctx, network, address)
		}, func(cfg *Config) { cfg.Address = "pbx.example:5038" })
		b.fake = fake
		b.sleep(30 * time.Second)
		require.Empty(t, b.take())
		resolves.Store(true)
		b.sleep(2 * time.Second)
		require.Equal(t, []string{"ready"}, b.take())
		resolves.Store(false)
		fake.cut()
		b.sleep(5 * time.Minute)
		require.Equal(t, []string{"lost: read: EOF"}, b.take())
		resolves.Store(true)
		b.sleep(30 * time.Second)
		require.Equal(t, []string{"ready"}, b.take())
		var said []string
		for _, entry := range b.logs.FilterLevelExact(zapcore.WarnLevel).All() {
			said = append(said, fmt.Sprint(entry.Message, ": ", entry.ContextMap()["error"]))
		}
		require.Equal(t, []string{
			"Asterisk can't be reached: dial: lookup pbx.example: no such host",
			"lost Asterisk: read: EOF",
			"Asterisk can't be reached: dial: lookup pbx.example: no such host",
		}, said)
		b.stop()
	})
}

func TestPause(t *testing.T) {
	for failed := range 100 {
		for _, since := range []time.Duration{0, early - 1, early, time.Hour} {
			for _, refused := range []bool{false, true} {
				wait := pause(failed, since, refused)
				require.GreaterOrEqual(t, wait, 500*time.Millisecond)
				require.LessOrEqual(t, wait, 30*time.Second)
				if since < early && !refused {
					require.LessOrEqual(t, wait, 2*time.Second)
				}
			}
		}
	}
}

func TestCommandsAreAskedAgain(t *testing.T) {
	for _, event := range []string{
		"Event: Load\r\nPrivilege: system,all\r\nModule: x.so\r\nStatus: Success\r\n\r\n",
		"Event: Unload\r\nPrivilege: system,all\r\nModule: x.so\r\nStatus: Success\r\n\r\n",
		"Event: Reload\r\nPrivilege: system,all\r\nModule: All\r\nStatus: 0\r\n\r\n",
	} {
		onBench(t, newFake(), nil, func(t *testing.T, b *bench) {
			b.start()
			b.fake.set(func() { b.fake.commands = "Pong: New.  (Priv: call,quantum,all)\r\n" })
			b.sleep(time.Minute)
			b.fake.events(t).send(event)
			heard := b.take()
			require.Len(t, heard, 2)
			require.Contains(t, heard, "changed")
			info := b.infos[1]
			require.Equal(t, []Command{{Name: "Pong", Text: "New.  (Priv: call,quantum,all)", Classes: codec.Call, Unknown: "quantum"}}, info.Commands)
			require.Equal(t, b.infos[0].Booted, info.Booted)
			if event[len("Event: ")] == 'R' {
				require.Equal(t, time.Now(), info.Reloaded)
			} else {
				require.Equal(t, b.infos[0].Reloaded, info.Reloaded)
			}
		})
	}
}

func TestLoginAlreadyInUseSharesTheEventConnection(t *testing.T) {
	fake := newFake()
	fake.single = true
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		for range 2 {
			b.start()
			b.submit("a", 1, "Action: Status", "ActionID: 1")
			require.Equal(t, []string{"a started", "a Response: Success|ActionID: 1 ."}, b.take())
			require.Len(t, b.fake.logins(), 1)
			b.fake.cut()
			b.sleep(time.Second)
		}
		require.Equal(t, 1, b.logs.FilterMessage("Asterisk allows the account one login: actions share the event connection").Len())
	})
}

func TestLoginThatIsAllowedOnceOnlyFromNowOn(t *testing.T) {
	fake := newFake()
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		conns := fake.actionConns()
		fake.set(func() { fake.single = true })
		_ = conns[0].Close()
		b.sleep(2 * time.Second)
		require.Equal(t, []string{
			`lost: action connection: log in as "ampd": second login of the account refused (allowmultiplelogin = no)`,
			"ready",
		}, b.take())
		require.Len(t, fake.logins(), 1)
	})
}

func TestConnectionThatIsClosedAtOnceIsNotMadeInALoop(t *testing.T) {
	fake := newFake()
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		fake.set(func() {
			fake.answer = func(k *fakeConn, _ *codec.Packet) bool {
				_ = k.Close()
				return true
			}
		})
		before := len(fake.dialled())
		for range 20 { // each costs a connection
			b.submit("a", 1, "Action: Getvar")
		}
		b.sleep(4 * time.Second)
		require.LessOrEqual(t, len(fake.dialled())-before, 10)
	})
}

func TestKeepalive(t *testing.T) {
	onBench(t, newFake(), func(cfg *Config) { cfg.PingInterval, cfg.PingTimeout = seconds(15), seconds(5) }, func(t *testing.T, b *bench) {
		b.start()
		b.sleep(50 * time.Second)
		for _, k := range b.fake.logins() {
			require.Equal(t, 3, k.pings)
		}
		k := b.fake.events(t)
		for range 60 { // speaks, so it need not be asked
			b.sleep(time.Second)
			k.send("Event: Newchannel\r\nPrivilege: call,all\r\n\r\n")
		}
		require.Len(t, b.take(), 60)
		require.Equal(t, 3, k.pings)
		b.fake.set(func() { k.deaf = true })
		b.sleep(19 * time.Second)
		require.Empty(t, b.take())
		b.sleep(3 * time.Second)
		require.Equal(t, []string{"lost: no answer to a Ping", "ready"}, b.take())
	})
}

func TestKeepaliveOfAnActionConnection(t *testing.T) {
	onBench(t, newFake(), nil, func(t *testing.T, b *bench) {
		b.start()
		k := b.fake.actionConns()[0]
		b.fake.set(func() { k.deaf = true })
		b.sleep(21 * time.Second)
		require.Empty(t, b.take())
		require.Len(t, b.fake.actionConns(), 3)
		require.NotContains(t, b.fake.actionConns(), k)
	})
}

func TestShutdownAnswersWhatItCanAndLogsOff(t *testing.T) {
	fake := newFake()
	var late *fakeConn
	var slow *codec.Packet
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		if action.Get("Action") == "QueueAdd" {
			late, slow = k, action
		}
		return true
	}
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 2 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: GetConfig", "ActionID: 1")
		b.submit("b", 2, "Action: GetConfig", "ActionID: 2") // waits: slow ones leave one connection
		b.submit("c", 3, "Action: QueueAdd", "ActionID: 3")
		b.submit("d", 4, "Action: QueueAdd", "ActionID: 4") // waits for the connection
		b.take()
		logins := fake.logins()
		go func() {
			for range 2 {
				time.Sleep(time.Second)
				fake.set(func() { late.reply(slow, "Response: Success", "Message: Added") })
			}
			time.Sleep(time.Second / 2)
			b.submit("e", 5, "Action: QueueAdd", "ActionID: 5") // too late
		}()
		began := time.Now()
		b.stop()
		require.Equal(t, 3*time.Second, time.Since(began).Truncate(time.Second))
		require.Equal(t, []string{
			"c Response: Success|ActionID: 3|Message: Added .",
			"d started",
			"d Response: Success|ActionID: 4|Message: Added .",
			"e Response: Error|ActionID: 5|Message: Upstream not connected .",
			"b Response: Error|ActionID: 2|Message: Upstream not connected .",
			"a Response: Error|ActionID: 1|Message: " + textLost + " .",
		}, b.take())
		for _, k := range logins {
			require.True(t, k.goodbye)
		}
	})
}

func TestShutdownDoesNotWaitForListCommands(t *testing.T) {
	fake := newFake()
	fake.answer = func(*fakeConn, *codec.Packet) bool { return true } // never
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: GetConfig", "ActionID: 1")
		b.fake.events(t).send("Event: Reload\r\nPrivilege: system,all\r\nModule: All\r\nStatus: 0\r\n\r\n")
		b.sleep(time.Second) // ListCommands is to be asked again, and waits for a connection
		began := time.Now()
		b.stop()
		require.Less(t, time.Since(began), 6*time.Second)
	})
}

func TestShutdownWhileConnecting(t *testing.T) {
	fake := newFake()
	fake.booting = true
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		began := time.Now()
		b.stop()
		synctest.Wait()
		require.Less(t, time.Since(began), 2*time.Second)
		require.Empty(t, b.take())
	})
}

func TestPacketsOverTheLimit(t *testing.T) {
	huge := strings.Repeat("x", native.MaxPacket+1)
	fake := newFake()
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		k.reply(action, "Response: Success", "Value: "+huge)
		return true
	}
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		k := fake.events(t)
		k.send("Event: A\r\nPrivilege: call,all\r\nX: " + huge + "\r\n\r\n")
		k.send("Event: B\r\nPrivilege: call,all\r\n\r\n")
		require.Equal(t, []string{"event Event: B|Privilege: call,all"}, b.take())
		require.InDelta(t, 1, testutil.ToFloat64(b.c.metrics.Dropped.WithLabelValues("oversize")), 0)
		b.submit("a", 1, "Action: Getvar")
		require.Equal(t, []string{"a started", "a Response: Error|Message: " + textLost + " ."}, b.take())
		b.sleep(time.Second)
		require.Len(t, fake.actionConns(), 1, "replaced")
	})
}

func TestWithoutListCommandsNothingIsReady(t *testing.T) {
	fake := newFake()
	fake.commands = ""
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		require.Equal(t, []string{`lost: ListCommands: "Permission denied"`}, b.take())
	})
}

// TestConfigureHoldsFromTheNextConnectionAndWaitOn changes the secret under a client that is
// connected, and how long it waits.
func TestConfigureHoldsFromTheNextConnectionAndWaitOn(t *testing.T) {
	onBench(t, newFake(), func(cfg *Config) { cfg.PingInterval, cfg.PingTimeout = seconds(15), seconds(5) }, func(t *testing.T, b *bench) {
		b.start()
		cfg := *b.c.cfg.Load()
		cfg.Secret, cfg.PingInterval, cfg.ActionTimeout = "another", seconds(60), seconds(2)
		b.c.Configure(cfg)
		b.sleep(16 * time.Second)
		k := b.fake.events(t)
		require.Equal(t, 1, k.pings, "that silence had begun")
		b.sleep(50 * time.Second)
		require.Equal(t, 1, k.pings)
		require.Empty(t, b.take(), "all connections are there yet")

		b.submit("a", 1, "Action: Getvar")
		b.sleep(3 * time.Second)
		require.Len(t, b.take(), 2, "began, and timed out")

		_ = k.Close()
		b.sleep(time.Second)
		require.Contains(t, b.take()[0], "lost")
		b.sleep(time.Minute)
		require.Empty(t, b.take(), "Asterisk knows another secret")
		cfg.Secret = fakeSecret
		b.c.Configure(cfg)
		b.sleep(31 * time.Second)
		require.Equal(t, []string{"ready"}, b.take())
	})
}
