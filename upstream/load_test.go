package upstream

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/pbx"
)

// withLists is a fake Asterisk that has lists.
func withLists(answer func(k *fakeConn, action *codec.Packet) bool) *fakeAsterisk {
	fake := newFake()
	fake.commands += "CoreShowChannels: List.  (Priv: <none>)\r\nQueueStatus: Queues.  (Priv: <none>)\r\n"
	fake.answer = answer
	return fake
}

func (k *fakeConn) event(name string) { k.send("Event: " + name + "\r\nPrivilege: call,all\r\n\r\n") }

func (k *fakeConn) listOf(action *codec.Packet, items ...string) {
	k.reply(action, "Response: Success", "EventList: start")
	for _, item := range items {
		k.reply(action, "Event: "+item)
	}
	k.reply(action, "Event: "+action.Get("Action")+"Complete", "EventList: Complete")
}

func TestListsAreLoadedBeforeReady(t *testing.T) {
	fake := withLists(func(k *fakeConn, action *codec.Packet) bool {
		if action.Get("Action") == "CoreShowChannels" {
			k.event("A")
			k.listOf(action, "CoreShowChannel", "CoreShowChannel")
			k.event("B")
			return true
		}
		k.reply(action, "Response: Error", "Message: No such thing")
		return true
	})
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		require.Equal(t, []string{
			"event Event: A|Privilege: call,all",
			"listed CoreShowChannels: Success CoreShowChannel CoreShowChannel CoreShowChannelsComplete",
			"event Event: B|Privilege: call,all",
			"listed QueueStatus: Error",
			"ready",
		}, b.take())
		require.Len(t, fake.events(t).actions, 2)
	})
}

func TestListThatDoesNotEndIsNoState(t *testing.T) {
	silent := true
	fake := withLists(func(k *fakeConn, action *codec.Packet) bool {
		if silent {
			k.reply(action, "Response: Success", "EventList: start")
			return true
		}
		k.listOf(action)
		return true
	})
	onBench(t, fake, nil, func(t *testing.T, b *bench) {
		require.Empty(t, b.take())
		b.sleep(b.c.cfg.Load().ActionTimeout.Std() / 2)
		fake.set(func() { silent = false })
		b.sleep(b.c.cfg.Load().ActionTimeout.Std() + time.Second)
		require.Equal(t, []string{
			"lost: CoreShowChannels: " + textTimeout,
			"listed CoreShowChannels: Success CoreShowChannelsComplete",
			"listed QueueStatus: Success QueueStatusComplete",
			"ready",
		}, b.take())
	})
}

func TestListOnAnActionConnection(t *testing.T) {
	mode := ""
	fake := withLists(func(k *fakeConn, action *codec.Packet) bool {
		switch mode {
		case "silent":
		case "cut":
			_ = k.Close()
		default:
			k.listOf(action, "Item")
		}
		return true
	})
	onBench(t, fake, func(cfg *Config) { cfg.ActionConnections = 1 }, func(t *testing.T, b *bench) {
		status := pbx.Question{Action: "QueueStatus"}
		answer, err := b.c.List(t.Context(), status)
		require.NoError(t, err)
		require.Len(t, answer, 3)
		require.Equal(t, "Item", answer[1].Name())
		require.Len(t, fake.actionConns()[0].actions, 1)
		require.Equal(t, 1, fake.events(t).pings)

		fake.set(func() { mode = "silent" })
		_, err = b.c.List(t.Context(), status)
		require.EqualError(t, err, "QueueStatus: "+textTimeout)
		b.sleep(time.Minute)

		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errors.New("enough")) })
		_, err = b.c.List(ctx, status)
		require.EqualError(t, err, "enough")
		b.sleep(2 * time.Minute)

		fake.set(func() { mode = "cut" })
		_, err = b.c.List(t.Context(), status)
		require.EqualError(t, err, "QueueStatus: "+textLost)

		fake.set(func() { fake.down = true })
		fake.cut()
		_, err = b.c.List(t.Context(), status)
		require.EqualError(t, err, "QueueStatus: "+errUnconnected.Error())
		b.take()
	})
}
