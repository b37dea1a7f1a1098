package proxy

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// What GetConfig answers about queues.conf, templates in it resolved (observed with Asterisk 22).
func TestWrapUpsAreReadFromTheConfiguration(t *testing.T) {
	wire := "Response: Success\r\nCategory-000000: general\r\nLine-000000-000000: persistentmembers=yes\r\n" +
		"Category-000001: support\r\nLine-000001-000000: musicclass=default\r\nLine-000001-000001: wrapuptime=15\r\nLine-000001-000002: member=wrapuptime=3\r\n" +
		"Category-000002: Sales\r\nLine-000002-000000: WrapUpTime=5\r\nCategory-000003: empty\r\nLine-000003-000000: wrapuptime=no\r\n\r\n"
	var p codec.Packet
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), native.FromAsterisk).Decode(&p))
	require.Equal(t, map[string]int64{"support": 15, "sales": 5}, wrapUps(&p))
}

// What has changed is told once a second, to sessions that take events of ampd's own, within their
// scopes.
func TestStatisticsAreTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		questions := b.hub.Lists(listsChannels)
		b.hub.Listed(questions[0], channelList("1"))
		b.hub.Ready(listsChannels)
		all, plain, scoped := b.login("admin", "Type: administrator\n"), b.login("admin"), b.login("support", "Type: administrator\n")
		all.sees()
		plain.sees()
		scoped.sees()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go b.hub.tick(ctx)
		member := func(event, queue, more string) {
			b.hub.Events([]*codec.Packet{packet("Event: " + event + "|Privilege: agent,all|Queue: " + queue +
				"|MemberName: Ann|Interface: PJSIP/ann|Membership: dynamic|Status: 1|InCall: 0" + more)})
		}
		next := func(c *testClient) string {
			time.Sleep(time.Second)
			return c.sees()
		}
		next(all)
		member("QueueMemberAdded", "support", "|Paused: 0|PausedReason: ")
		member("QueueMemberPause", "support", "|Paused: 1|PausedReason: tea")
		require.Equal(t, "QueueMemberAdded QueueMemberPause QueueStatistic AgentStatistic", next(all), "once")
		require.Equal(t, "QueueMemberAdded QueueMemberPause", plain.sees())
		require.Equal(t, "QueueMemberAdded QueueMemberPause QueueStatistic AgentStatistic", scoped.sees())
		require.Empty(t, next(all), "nothing has changed but the time")

		member("QueueMemberAdded", "sales", "|Paused: 0|PausedReason: ")
		require.Equal(t, "QueueMemberAdded QueueStatistic AgentStatistic", next(all))
		require.Empty(t, scoped.sees(), "a queue of the agent is outside")
		b.event("QueueCallerJoin", "|Channel: SIP/1-1|Uniqueid: 1|Queue: support|Position: 1|Count: 1")
		time.Sleep(time.Second)
		text := scoped.text()
		require.Contains(t, text, "Event: QueueStatistic\r\nPrivilege: reporting,all\r\nQueue: support\r\nCallsWaiting: 1\r\nLongestWait: ")
		require.Contains(t, text, "\r\nOffered: 1\r\nAnswered: 0\r\n")
	})
}
