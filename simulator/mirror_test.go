package simulator_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/simulator"
)

// A mirror is what a client knows that asked for all lists once and then listened.
// Each object is the text that tells all of it.
type mirror struct {
	channels map[string]map[string]string
	members  map[string]map[string]string
	callers  map[string][]string // channels, by queue, in their order
	devices  map[string]string
	hints    map[string]string
}

var lists = []string{"CoreShowChannels", "QueueStatus", "DeviceStateList", "ExtensionStateList"}

// load asks for all lists.
func load(cl *client) *mirror {
	m := &mirror{
		channels: map[string]map[string]string{}, members: map[string]map[string]string{},
		callers: map[string][]string{}, devices: map[string]string{}, hints: map[string]string{},
	}
	for _, name := range lists {
		for _, p := range cl.do("Action: "+name, "ActionID: list") {
			switch p.Name() {
			case "CoreShowChannel":
				m.channels[p.Get("Uniqueid")] = map[string]string{
					"snapshot": snapshot(p, ""), "app": p.Get("Application"), "bridge": p.Get("BridgeId"),
				}
			case "QueueMember":
				m.members[p.Get("Queue")+" "+p.Get("Location")] = memberOf(p, p.Get("Name"))
			case "QueueEntry":
				q := p.Get("Queue")
				m.callers[q] = append(m.callers[q], p.Get("Channel"))
				if p.Get("Position") != strconv.Itoa(len(m.callers[q])) {
					cl.t.Errorf("position: %q", p.Raw)
				}
			case "DeviceStateChange":
				m.devices[p.Get("Device")] = p.Get("State")
			case "ExtensionStatus":
				m.hints[p.Get("Exten")] = p.Get("Hint") + p.Get("Status") + p.Get("StatusText")
			}
		}
	}
	return m
}

func snapshot(p *codec.Packet, prefix string) string {
	var b strings.Builder
	for _, name := range []string{
		"Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName",
		"AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
	} {
		b.WriteString(p.Get(prefix+name) + "|")
	}
	for _, h := range p.Headers {
		if h.Name == prefix+"ChanVariable" {
			b.WriteString(h.Value + "|")
		}
	}
	return b.String()
}

func memberOf(p *codec.Packet, name string) map[string]string {
	m := map[string]string{"name": name}
	for _, header := range []string{
		"StateInterface", "Membership", "Penalty", "CallsTaken", "LastCall", "LastPause", "LoginTime", "InCall", "Status", "Paused", "PausedReason",
	} {
		m[header] = p.Get(header)
	}
	return m
}

// apply follows an event.
func (m *mirror) apply(p *codec.Packet) error {
	name, id := p.Name(), p.Get("Uniqueid")
	ch := m.channels[id]
	if name == "Newchannel" {
		if ch != nil {
			return fmt.Errorf("new twice: %q", p.Raw)
		}
		ch = map[string]string{"app": "", "bridge": ""}
		m.channels[id] = ch
	}
	if p.Get("Channel") != "" && p.Get("ChannelState") != "" {
		if ch == nil {
			return fmt.Errorf("channel that is not there: %q", p.Raw)
		}
		ch["snapshot"] = snapshot(p, "")
	}
	if dest := p.Get("DestUniqueid"); dest != "" {
		if m.channels[dest] == nil {
			return fmt.Errorf("destination that is not there: %q", p.Raw)
		}
		m.channels[dest]["snapshot"] = snapshot(p, "Dest")
	}
	switch name {
	case "Hangup":
		if ch["bridge"] != "" {
			return fmt.Errorf("hung up in a bridge: %q", p.Raw)
		}
		delete(m.channels, id)
	case "Newexten":
		ch["app"] = p.Get("Application")
	case "OriginateResponse":
		if app := p.Get("Application"); ch != nil && app != "" {
			ch["app"] = app
		}
	case "BridgeEnter":
		ch["bridge"] = p.Get("BridgeUniqueid")
	case "BridgeLeave":
		ch["bridge"] = ""
	case "QueueMemberAdded", "QueueMemberStatus", "QueueMemberPause", "QueueMemberPenalty":
		m.members[p.Get("Queue")+" "+p.Get("Interface")] = memberOf(p, p.Get("MemberName"))
	case "QueueMemberRemoved":
		delete(m.members, p.Get("Queue")+" "+p.Get("Interface"))
	case "QueueCallerJoin", "QueueCallerLeave":
		return m.queueCaller(p)
	case "DeviceStateChange":
		m.devices[p.Get("Device")] = p.Get("State")
	case "ExtensionStatus":
		m.hints[p.Get("Exten")] = p.Get("Hint") + p.Get("Status") + p.Get("StatusText")
	}
	return nil
}

func (m *mirror) queueCaller(p *codec.Packet) error {
	q := p.Get("Queue")
	position, _ := strconv.Atoi(p.Get("Position"))
	list := m.callers[q]
	switch {
	case p.Name() == "QueueCallerJoin" && position >= 1 && position <= len(list)+1:
		list = slices.Insert(list, position-1, p.Get("Channel"))
	case p.Name() == "QueueCallerLeave" && position >= 1 && position <= len(list) && list[position-1] == p.Get("Channel"):
		list = slices.Delete(list, position-1, position)
	default:
		return fmt.Errorf("position among %q: %q", list, p.Raw)
	}
	if p.Get("Count") != strconv.Itoa(len(list)) {
		return fmt.Errorf("count of %d: %q", len(list), p.Raw)
	}
	m.callers[q] = list
	if len(list) == 0 {
		delete(m.callers, q)
	}
	return nil
}

// disturb does something at random.
func disturb(cl *client, r *rand.Rand, channels []string) {
	phone := fmt.Sprintf("PJSIP/%d", 1001+r.IntN(10))
	queue := []string{"support", "sales", "billing"}[r.IntN(3)]
	extens := []string{"600", "601", "602", "1001", "1004", "1009", "caller", "echo", "wait", "moh", "5551234", "busy", "congestion", "noanswer"}
	exten := extens[r.IntN(len(extens))]
	switch r.IntN(8) {
	case 0:
		cl.send("Action: QueuePause", "Interface: "+phone, "Paused: "+[]string{"true", "false"}[r.IntN(2)], "Reason: Lunch")
	case 1:
		cl.send("Action: QueueAdd", "Queue: "+queue, "Interface: "+phone, "MemberName: Dyn")
	case 2:
		cl.send("Action: QueueRemove", "Queue: "+queue, "Interface: "+phone)
	case 3:
		cl.send("Action: QueuePenalty", "Interface: "+phone, fmt.Sprintf("Penalty: %d", r.IntN(3)))
	case 4:
		if len(channels) > 0 {
			cl.send("Action: Hangup", "Channel: "+channels[r.IntN(len(channels))])
		}
	case 5:
		cl.send("Action: Originate", "Channel: "+phone, "Context: internal", "Exten: "+exten, "Priority: 1", "Async: true", fmt.Sprintf("Timeout: %d", 1000+r.IntN(9000)), "CallerID: X <99>")
	case 6:
		cl.send("Action: Originate", "Channel: Local/"+exten+"@internal/n", "Context: internal", "Exten: "+extens[r.IntN(len(extens))], "Priority: 1", "Async: true", "Account: a", "Variable: QUEUE_PRIO=5")
	case 7:
		cl.send("Action: Originate", "Channel: PJSIP/5551234@trunk", "Application: Wait", "Data: 20", "Async: true")
	}
}

// A client that follows the events knows what the lists would say, at any moment.
func TestListsAgreeWithEvents(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, simulator.Config{Seed: seed, CallsPerMinute: 20, Pace: 2}, func(t *testing.T, c *centre) {
				cl, other := c.login(), c.login("Events: off")
				known := load(cl)
				r := rand.New(rand.NewPCG(seed, 99))
				for range 100 {
					time.Sleep(time.Duration(r.IntN(10000)) * time.Millisecond)
					for _, p := range cl.take() {
						require.NoError(t, known.apply(p))
					}
					require.Equal(t, load(cl), known)
					var names []string
					for _, id := range slices.Sorted(maps.Keys(known.channels)) {
						name, _, _ := strings.Cut(known.channels[id]["snapshot"], "|")
						names = append(names, name)
					}
					disturb(other, r, names)
				}
			})
		})
	}
}
