package upstream

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"ampd/codec"
)

// queuedFake answers Originates as Asterisk does with Async, and keeps their ActionIDs.
func queuedFake() (fake *fakeAsterisk, originates *[]*codec.Packet) {
	fake, originates = newFake(), new([]*codec.Packet)
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		if action.Get("Action") != "Originate" {
			return false
		}
		*originates = append(*originates, action)
		if codec.IsTrue(action.Get("Async")) {
			k.reply(action, "Response: Success", "Message: Originate successfully queued")
		}
		return true
	}
	return fake, originates
}

func originateResponse(action *codec.Packet, word string) string {
	return "Event: OriginateResponse\r\nPrivilege: call,all\r\n" + idLine(action) + "Response: " + word + "\r\nReason: 4\r\n\r\n"
}

func TestSynchronousOriginateHoldsNothing(t *testing.T) {
	fake, originates := queuedFake()
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		b.start()
		b.submit("ok", 1, "Action: Originate", "ActionID: 1", "Channel: PJSIP/1", "Application: Echo")
		b.submit("bad", 2, "Action: Originate", "Channel: PJSIP/2", "Application: Echo")
		b.submit("after", 3, "Action: Getvar", "ActionID: 3")
		require.Equal(t, []string{"after started", "after Response: Success|ActionID: 3 ."}, b.take(), "no Started, no answer, no wait")
		require.Len(t, *originates, 2)
		k := fake.events(t)
		k.send("Event: A\r\nPrivilege: call,all\r\n\r\n")
		k.send(originateResponse((*originates)[1], "Failure"))
		k.send("Event: B\r\nPrivilege: call,all\r\n\r\n")
		k.send(originateResponse((*originates)[0], "Success"))
		require.Equal(t, []string{
			"event Event: A|Privilege: call,all",
			"bad Response: Error|Message: Originate failed .",
			"event Event: B|Privilege: call,all",
			"ok Response: Success|ActionID: 1|Message: Originate successfully queued .",
		}, b.take(), "nobody sees their OriginateResponse")
		require.Empty(t, b.c.originates)
	})
}

func TestOriginateResponseMayComeBeforeTheResponse(t *testing.T) {
	fake, _ := queuedFake()
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		fake.conns[0].send(originateResponse(action, "Success"))
		go func() {
			time.Sleep(time.Second)
			k.reply(action, "Response: Success", "Message: Originate successfully queued")
		}()
		return true
	}
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo")
		b.sleep(time.Minute)
		require.Equal(t, []string{"a Response: Success|ActionID: 1|Message: Originate successfully queued ."}, b.take())
		require.Len(t, fake.actionConns(), 3)
	})
}

func TestOriginateThatAsteriskRefuses(t *testing.T) {
	fake := newFake()
	fake.answer = func(k *fakeConn, action *codec.Packet) bool {
		k.reply(action, "Response: Error", "Message: Invalid channel")
		return true
	}
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo")
		require.Equal(t, []string{"a Response: Error|ActionID: 1|Message: Invalid channel ."}, b.take())
		require.Empty(t, b.c.originates)
		require.Empty(t, b.c.ids.byID)
	})
}

func TestOriginatesDeadline(t *testing.T) {
	tests := map[string]struct {
		timeout string
		want    time.Duration
	}{
		"its own":  {"5000", 35 * time.Second},
		"none":     {"", 60 * time.Second},
		"nonsense": {"x", 60 * time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			fake, originates := queuedFake()
			onBench(t, fake, nil, func(t *testing.T, b *bench) {
				b.start()
				b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo", "Timeout: "+tc.timeout)
				b.sleep(tc.want - time.Millisecond)
				require.Empty(t, b.take())
				b.sleep(time.Millisecond)
				require.Equal(t, []string{"a Response: Error|ActionID: 1|Message: Timeout waiting for Asterisk ."}, b.take())
				fake.events(t).send(originateResponse((*originates)[0], "Success"))
				require.Empty(t, b.take(), "nobody sees it, late or not")
				require.Len(t, fake.actionConns(), 3)
			})
		})
	}
}

// The connection that does not answer an Originate is replaced; the Originate itself
// waits for its OriginateResponse.
func TestOriginateWhoseResponseDoesNotCome(t *testing.T) {
	fake := newFake()
	var originate *codec.Packet
	fake.answer = func(_ *fakeConn, action *codec.Packet) bool {
		originate = action
		return true
	}
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo")
		b.sleep(31 * time.Second)
		require.Empty(t, b.take())
		require.Len(t, fake.actionConns(), 4)
		fake.events(t).send(originateResponse(originate, "Success"))
		require.Equal(t, []string{"a Response: Success|ActionID: 1|Message: Originate successfully queued ."}, b.take())
	})
}

func TestOriginateAndLoss(t *testing.T) {
	lost := "a Response: Error|ActionID: 1|Message: " + textLost + " ."
	t.Run("of the upstream", func(t *testing.T) {
		fake, originates := queuedFake()
		onBench(t, fake, nil, func(t *testing.T, b *bench) {
			b.start()
			b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo")
			b.take()
			fake.cut()
			require.Equal(t, []string{lost, "lost: read: EOF"}, b.take())
			b.sleep(time.Second)
			b.start()
			fake.events(t).send(originateResponse((*originates)[0], "Success"))
			require.Empty(t, b.take())
		})
	})
	t.Run("of the action connection that has done with it", func(t *testing.T) {
		fake, originates := queuedFake()
		onBench(t, fake, nil, func(t *testing.T, b *bench) {
			b.start()
			b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo")
			b.take()
			for _, k := range fake.actionConns() {
				_ = k.Close()
			}
			require.Empty(t, b.take())
			fake.events(t).send(originateResponse((*originates)[0], "Failure"))
			require.Equal(t, []string{"a Response: Error|ActionID: 1|Message: Originate failed ."}, b.take())
		})
	})
	t.Run("of the action connection that has not", func(t *testing.T) {
		fake := newFake()
		fake.answer = func(k *fakeConn, _ *codec.Packet) bool {
			_ = k.Close()
			return true
		}
		onBench(t, fake, nil, func(t *testing.T, b *bench) {
			b.start()
			b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo")
			require.Equal(t, []string{lost}, b.take())
		})
	})
}

func TestOriginateAsTheClientSentIt(t *testing.T) {
	fake, originates := queuedFake()
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		b.start()
		b.submit("a", 1, "Action: Originate", "ActionID: 1", "Application: Echo", "Async: true")
		require.Equal(t, []string{"a started", "a Response: Success|ActionID: 1|Message: Originate successfully queued ."}, b.take())
		fake.events(t).send(originateResponse((*originates)[0], "Success"))
		require.Equal(t, []string{"event Event: OriginateResponse|Privilege: call,all|ActionID: 1|Response: Success|Reason: 4"}, b.take())
		b.submit("b", 1, "Action: Originate", "ActionID: 2", "Application: Echo", "PreDialGoSub: x,1,1", "Timeout: 60000")
		require.Equal(t, []string{"b started"}, b.take())
		b.sleep(89 * time.Second)
		require.Empty(t, b.take())
		b.sleep(time.Second)
		require.Equal(t, []string{"b Response: Error|ActionID: 2|Message: Timeout waiting for Asterisk ."}, b.take())
		require.InDelta(t, 1, testutil.ToFloat64(b.c.metrics.Retired), 0)
	})
}
