package proxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
	"ampd/upstream"
)

// recordedEvents are those of an hour of queue calls, which Asterisk sent.
func recordedEvents(t *testing.T, version string) (events []*codec.Packet) {
	t.Helper()
	f, err := os.Open("../tests/corpus/" + version + "-queue-hour.s2c")
	require.NoError(t, err)
	defer f.Close()
	d := native.NewDecoder(f, native.FromAsterisk)
	_, err = d.ReadLine()
	require.NoError(t, err)
	for {
		p := new(codec.Packet)
		if d.Decode(p) != nil {
			return events
		}
		if p.Kind() == codec.Event && strings.HasSuffix(p.Get("Privilege"), ",all") {
			events = append(events, atOnce(p))
		}
	}
}

// atOnce is an event as it is where no time passes. How long a call has taken tells which one
// has ended.
func atOnce(p *codec.Packet) *codec.Packet {
	if p.Name() != "AgentComplete" {
		return p
	}
	return native.Rewrite(p, func(_ int, h codec.Header) (string, bool) {
		if h.Name == "TalkTime" {
			return "0", true
		}
		return h.Value, true
	})
}

// told are the packets that the client has got since the last time.
func (c *testClient) told() (packets []*codec.Packet) {
	c.b.t.Helper()
	c.b.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	d := native.NewDecoder(strings.NewReader(c.got.String()), native.FromAsterisk)
	for {
		p := new(codec.Packet)
		if d.Decode(p) != nil {
			c.got.Reset()
			return packets
		}
		packets = append(packets, p)
	}
}

// said is the text of what the client has got since the last time.
func (c *testClient) said() string {
	text := c.text()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got.Reset()
	return text
}

// listed are the fields that lists tell.
func listed() map[string]bool {
	told := map[string]bool{}
	for _, f := range pbx.Fields() {
		told[f.Object+" "+f.Name] = f.List
	}
	return told
}

// differences are those in what lists tell.
func differences(have, want *pbx.State) (differ []pbx.Difference) {
	told := listed()
	for _, d := range have.Differences(want) {
		if told[d.Object+" "+d.Field] {
			differ = append(differ, d)
		}
	}
	return differ
}

// TestSnapshotAndStreamAreTheState has a client take a snapshot at random moments while
// events come, a thousand times, and apply what follows: it has what the hub has.
func TestSnapshotAndStreamAreTheState(t *testing.T) {
	for _, version := range []string{"22", "16"} {
		events := recordedEvents(t, version)
		rounds := 500
		if testing.Short() {
			rounds = 60
		}
		inBubble(t, func(t *testing.T) {
			b := newBench(t, nil)
			lists := &upstream.Info{Version: "11.0.0", Commands: []upstream.Command{{Name: "QueueStatus"}}}
			queues := []*codec.Packet{packet("Response: Success|EventList: start")}
			for _, name := range []string{"empty", "pool", "sales", "support"} {
				queues = append(queues, packet("Event: QueueParams|Queue: "+name+"|Max: 0|Strategy: ringall|Calls: 0|Weight: 0"))
			}
			b.hub.Listed(b.hub.Lists(lists)[0], append(queues, packet("Event: QueueStatusComplete|EventList: Complete")))
			b.hub.Ready(lists)
			c := b.login("admin")
			c.told()
			random := rand.New(rand.NewPCG(1, 2))
			at := 0
			some := func(most int) {
				n := min(random.IntN(most), len(events)-at)
				b.hub.Events(events[at : at+n])
				at += n
			}
			objects := 0
			for round := range rounds {
				if at == len(events) {
					at = 0 // the same calls again
				}
				some(200)
				c.told()
				asked := make(chan struct{})
				go func() {
					defer close(asked)
					c.send(fmt.Sprintf("Action: AmpdSnapshot\nActionID: %d", round))
				}()
				for range random.IntN(30) {
					some(3)
				}
				<-asked
				some(10)
				got := pbx.New()
				var answer []*codec.Packet
				whole := false
				for _, p := range c.told() {
					switch {
					case p.Get("ActionID") == fmt.Sprint(round) && p.Name() != "OriginateResponse" && !whole:
						answer = append(answer, p)
						if p.Name() == "AmpdSnapshotComplete" {
							require.Equal(t, fmt.Sprint(len(answer)-2), p.Get("ListItems"))
							require.NoError(t, got.Load(pbx.SnapshotOf(pbx.AllObjects), answer, time.Now()))
							whole = true
						}
					case whole:
						got.Apply(p, time.Now())
					default:
						require.Empty(t, answer, "an event inside of the answer: %q", p.Raw)
					}
				}
				require.True(t, whole)
				objects += len(answer) - 2
				require.Empty(t, differences(got, b.hub.state), "round %d", round)
			}
			require.Greater(t, objects, 10*rounds)
		})
	}
}

func TestSnapshotShowsWhatTheSessionMayRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		wall := b.login("wall", "Snapshot: queues\n")
		wall.send("Action: AmpdSnapshot\nActionID: 0")
		require.Equal(t, "Response: Error\r\nActionID: 0\r\nMessage: Upstream not connected\r\n\r\n", wall.said())
		b.ready()
		b.hub.Lists(b.hub.info)
		b.hub.Ready(b.hub.info)
		b.hub.Events(recordedEvents(t, "22")[:2000])
		wall.told()
		names := func(c *testClient) map[string]int {
			count := map[string]int{}
			for _, p := range c.told() {
				count[p.Name()]++
			}
			return count
		}
		wall.send("Action: AmpdSnapshot\nActionID: 1")
		seen := names(wall)
		require.Positive(t, seen["CoreShowChannel"])
		require.Zero(t, seen["QueueMember"], "needs agent")
		admin := b.login("admin")
		admin.told()
		admin.send("Action: AmpdSnapshot\nObjects: Queues, agents")
		seen = names(admin)
		require.Zero(t, seen["CoreShowChannel"])
		require.Positive(t, seen["QueueMember"])
		admin.send("Action: AmpdSnapshot\nObjects: queues,trunks")
		require.Equal(t, "Response: Error\r\nMessage: Unknown object: trunks\r\n\r\n", admin.said())
	})
}

func TestLoginWithASnapshot(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.ready()
		b.event("Newchannel", "|Channel: SIP/1-1|ChannelState: 0|Uniqueid: 1|Linkedid: 1")
		c := b.conversation("admin", "Snapshot: yes\n")
		b.event("Hangup", "|Channel: SIP/1-1|ChannelState: 6|Uniqueid: 1|Linkedid: 1")
		require.Equal(t, "Success FullyBooted CoreShowChannel AmpdSnapshotComplete Hangup", c.sees())
		c = b.conversation("admin", "Snapshot: channels\nResume: 00\n")
		require.Equal(t, "Success FullyBooted AmpdSnapshotComplete", c.sees())
	})
}

// conversation logs in and keeps the answer to that.
func (b *bench) conversation(profile, more string) *testClient {
	b.t.Helper()
	near, far := net.Pipe()
	b.conns <- far
	c := b.reads(near)
	c.send("Action: Login\nUsername: " + profile + "\nSecret: s\n" + more)
	b.settle()
	c.mu.Lock()
	_, rest, _ := strings.Cut(c.got.String(), "\r\n") // the greeting
	c.got.Reset()
	c.got.WriteString(rest)
	c.mu.Unlock()
	return c
}

// channelList is the answer to CoreShowChannels, with channels of these Uniqueids.
func channelList(ids ...string) []*codec.Packet {
	answer := []*codec.Packet{packet("Response: Success|EventList: start")}
	for _, id := range ids {
		answer = append(answer, packet(fmt.Sprintf("Event: CoreShowChannel|Channel: SIP/%s-1|ChannelState: 6|ChannelStateDesc: Up|Uniqueid: %s|Linkedid: %s|Duration: 00:00:01|BridgeId: ", id, id, id)))
	}
	return append(answer, packet("Event: CoreShowChannelsComplete|EventList: Complete"))
}

var listsChannels = &upstream.Info{Version: "11.0.0", Commands: []upstream.Command{{Name: "CoreShowChannels"}}, FullyBooted: packet("Event: FullyBooted|Privilege: system,all")}

func TestWhatWasMissedWhileAsteriskWasLostIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		load := func(ids ...string) {
			questions := b.hub.Lists(listsChannels)
			require.Len(t, questions, 1)
			b.hub.Listed(questions[0], channelList(ids...))
		}
		load("1", "2")
		b.hub.Ready(listsChannels)
		c, blind := b.login("admin"), b.login("wall")
		c.told()
		b.hub.Lost(errors.New("gone"))
		load("2", "3")
		b.event("Newchannel", "|Channel: SIP/4-1|ChannelState: 6|ChannelStateDesc: Up|Uniqueid: 4|Linkedid: 4") // while the rest is asked
		require.Equal(t, "Newchannel", c.sees())
		b.hub.Ready(listsChannels)
		text := c.said()
		require.Equal(t, "Hangup Newchannel Newstate FullyBooted", namesOf(text))
		require.Equal(t, 3, strings.Count(text, "\r\nAmpdSynthetic: 1\r\n\r\n"))
		require.Contains(t, text, "Channel: SIP/1-1\r\n")
		require.Contains(t, text, "Channel: SIP/3-1\r\n")
		require.Equal(t, "Newchannel Hangup Newchannel Newstate", namesOf(blind.said()))

		b.hub.Lost(errors.New("gone"))
		load("7")
		b.hub.Lost(errors.New("gone before all was asked"))
		load("2", "3", "4")
		b.hub.Ready(listsChannels)
		require.Equal(t, "FullyBooted", c.sees())
	})
}

func namesOf(text string) string {
	var names []string
	d := native.NewDecoder(strings.NewReader(text), native.FromAsterisk)
	for {
		p := new(codec.Packet)
		if d.Decode(p) != nil {
			return strings.Join(names, " ")
		}
		names = append(names, p.Name())
	}
}

// A listing answers questions as the test says.
type listing func(q pbx.Question) ([]*codec.Packet, error)

func (l listing) List(_ context.Context, q pbx.Question) ([]*codec.Packet, error) { return l(q) }

func TestResyncTellsWhatNoEventTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		questions := b.hub.Lists(listsChannels)
		b.hub.Listed(questions[0], channelList("1", "2"))
		b.hub.Ready(listsChannels)
		c := b.login("admin")
		c.told()

		asked := make(chan struct{})
		answers := make(chan []*codec.Packet)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.hub.resync(ctx, listing(func(q pbx.Question) ([]*codec.Packet, error) {
				if q.Action == "GetConfig" {
					return nil, errors.New("no such file")
				}
				asked <- struct{}{}
				answer := <-answers
				if answer == nil {
					return nil, errors.New("lost")
				}
				return answer, nil
			}))
		}()
		twice := func(first, second []*codec.Packet, between func()) {
			<-asked
			answers <- first
			b.settle()
			between()
			<-asked
			answers <- second
		}
		began := time.Now()
		twice(channelList("2"), channelList("2"), func() {})
		require.Equal(t, "Hangup", c.sees())
		require.Equal(t, time.Minute+2*time.Second, time.Since(began))

		twice(channelList("2"), channelList("2", "3"), func() {})
		require.Empty(t, c.sees(), "once is not enough")
		twice(channelList("2"), channelList("2"), func() {
			b.event("Newchannel", "|Channel: SIP/4-1|ChannelState: 0|Uniqueid: 4|Linkedid: 4")
		})
		require.Equal(t, "Newchannel", c.sees(), "what is newer than the list")
		<-asked
		answers <- nil
		began = time.Now()
		b.event("Reload", "|Module: app_queue|Status: 0")
		twice(channelList("2"), channelList("2"), func() {})
		require.Equal(t, "Reload Hangup", c.sees())
		require.Equal(t, 2*time.Second, time.Since(began))
		stop()
		<-ended
	})
}

func TestCallerIDsAreReadInTheBackground(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		info := &upstream.Info{Version: "11.0.0", Commands: []upstream.Command{{Name: "PJSIPShowEndpoints"}, {Name: "PJSIPShowEndpoint"}}}
		endpoints := []*codec.Packet{
			packet("Response: Success|EventList: start"),
			packet("Event: EndpointList|ObjectType: endpoint|ObjectName: 101|DeviceState: Not in use"),
			packet("Event: EndpointList|ObjectType: endpoint|ObjectName: 102|DeviceState: Not in use"),
			packet("Event: EndpointListComplete|EventList: Complete"),
		}
		b.hub.Listed(b.hub.Lists(info)[0], endpoints)
		b.hub.Ready(info)
		asked := map[string]int{}
		up := listing(func(q pbx.Question) ([]*codec.Packet, error) {
			asked[q.Action]++
			if q.Action == "PJSIPShowEndpoints" {
				return endpoints, nil
			}
			return []*codec.Packet{
				packet("Response: Success|EventList: start"),
				packet("Event: EndpointDetail|Callerid: <" + q.Headers[0].Value + ">"),
				packet("Event: EndpointDetailComplete|EventList: Complete"),
			}, nil
		})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go b.hub.resync(ctx, up)
		time.Sleep(3 * time.Minute)
		b.settle()
		require.Equal(t, 2, asked["PJSIPShowEndpoint"])
		require.Equal(t, "<102>", b.hub.state.Peer("PJSIP/102").CallerID)
		b.event("Reload", "|Module: res_pjsip|Status: 0")
		time.Sleep(time.Minute)
		b.settle()
		require.Equal(t, 4, asked["PJSIPShowEndpoint"])
	})
}
