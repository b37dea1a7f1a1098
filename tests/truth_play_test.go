package tests

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ampd/pbx"
	"ampd/tests/asterisk"
	"ampd/tests/daemon"
)

// A play has calls, agents and whoever runs an Asterisk do things to it, while clients of
// ampd follow, and compares what they have with what Asterisk says.
type play struct {
	t       *testing.T
	s       *asterisk.Server
	d       *daemon.Daemon
	addr    string // of Asterisk to ampd
	config  daemon.Config
	truth   *teller
	control *wire // of who does things
	ledger  *ledger
	made    map[string]int // synthetic events that were seen

	first   *follower   // from before all, by a snapshot
	blank   *follower   // from before all, with nothing
	late    []*follower // by snapshots taken meanwhile
	shower  *follower
	clients int
	calls   int
}

// perform begins a play in front of an Asterisk, at whose own address past ampd the truth is.
func perform(t *testing.T, s *asterisk.Server, addr string, config daemon.Config) *play {
	t.Helper()
	p := &play{t: t, s: s, addr: addr, config: config, truth: tell(t, s.Addr), ledger: newLedger(), made: map[string]int{}}
	p.control = openWire(t, "control", s.Addr, asterisk.Ampd, "Events: off")
	p.do("Action: Setvar", "Variable: RNA", "Value: 0")
	p.start()
	return p
}

// start starts an ampd, and clients that follow it.
func (p *play) start() {
	p.t.Helper()
	p.d = daemon.Start(p.t, p.addr, p.config)
	p.d.WaitReady(p.t)
	p.first = p.join(false, "Snapshot: yes")
	p.shower = p.join(true)
	p.blank, p.late = nil, nil
}

func (p *play) join(shows bool, login ...string) *follower {
	p.t.Helper()
	p.clients++
	return follow(p.t, fmt.Sprintf("client %d", p.clients), p.d.Addr, shows, login...)
}

// joinLate has one more client begin with a snapshot, now.
func (p *play) joinLate() { p.late = append(p.late, p.join(false, "Snapshot: yes")) }

func (p *play) followers() []*follower {
	all := append([]*follower{p.first}, p.late...)
	if p.blank != nil {
		all = append(all, p.blank)
	}
	return all
}

// do runs an action at Asterisk, which must succeed.
func (p *play) do(lines ...string) {
	p.t.Helper()
	_, answer, err := p.control.ask(lines...)
	require.NoError(p.t, err)
	require.Contains(p.t, []string{"Success", "Goodbye"}, header(answer, "Response"), "%q: %q", lines, answer)
}

// call originates a call whose first channel, a half of a Local channel whose other half
// waits for ten minutes, runs an extension. It returns that channel's Uniqueid.
func (p *play) call(context, exten string, variables ...string) string {
	p.t.Helper()
	p.calls++
	return p.originate(fmt.Sprintf("Local/c%d@callers/n", p.calls), append([]string{
		"Context: " + context, "Exten: " + exten, "Priority: 1", "Variable: PATIENCE=600",
		fmt.Sprintf("CallerID: \"Caller, No. %d\" <555%04d>", p.calls, p.calls), fmt.Sprintf("Variable: CALLNO=%d", p.calls),
	}, variables...)...)
}

func (p *play) originate(channel string, lines ...string) string {
	p.t.Helper()
	p.calls++
	id := fmt.Sprintf("Call-%d.%d", time.Now().UnixMilli(), p.calls) // with a capital letter
	p.do(append([]string{"Action: Originate", "Channel: " + channel, "ChannelId: " + id, "OtherChannelId: " + id + ".2", "Async: true", "Account: truth"}, lines...)...)
	return id
}

// await waits until the first client's state is so.
func (p *play) await(what string, holds func(*pbx.State) bool) {
	p.t.Helper()
	p.first.until(p.t, what, func() bool { return holds(p.first.state) })
}

// name is the name of a channel whose Uniqueid is known.
func (p *play) name(id string) (name string) {
	p.t.Helper()
	p.await("channel "+id, func(s *pbx.State) bool {
		if c := s.Channel(id); c != nil {
			name = c.Name
		}
		return name != ""
	})
	return name
}

// partner is the name of the channel that shares a bridge with that of an id, and is of a
// device that begins so.
func (p *play) partner(id, device string) (name string) {
	p.t.Helper()
	p.await(id+" talks to "+device, func(s *pbx.State) bool {
		if c := s.Channel(id); c != nil {
			for other := range s.Bridged(c) {
				if strings.HasPrefix(other.Device(), device) {
					name = other.Name
				}
			}
		}
		return name != ""
	})
	return name
}

func (p *play) hangUp(channels ...string) {
	p.t.Helper()
	for _, name := range channels {
		p.do("Action: Hangup", "Channel: "+name)
	}
}

// waits waits until a channel waits in a queue.
func (p *play) waits(id, queue string) {
	p.t.Helper()
	p.await(id+" waits in "+queue, func(s *pbx.State) bool {
		c := s.Channel(id)
		return c != nil && c.Queue == queue
	})
}

// runs waits until a channel runs an application and is in no bridge.
func (p *play) runs(id, application string) {
	p.t.Helper()
	p.await(id+" runs "+application, func(s *pbx.State) bool {
		c := s.Channel(id)
		return c != nil && c.Application == application && c.Bridge == ""
	})
}

func (p *play) gone(ids ...string) {
	p.t.Helper()
	for _, id := range ids {
		p.await(id+" is gone", func(s *pbx.State) bool { return s.Channel(id) == nil })
	}
}

// clear ends all calls.
func (p *play) clear() {
	p.t.Helper()
	channels := 0
	p.await("calls", func(s *pbx.State) bool { channels = objects(s)["channel"]; return true })
	if channels > 0 {
		_, _, err := p.control.ask("Action: Hangup", "Channel: /^.*$/")
		require.NoError(p.t, err)
		for {
			_, answer, err := p.control.ask("Action: Ping") // behind the list
			require.NoError(p.t, err)
			if header(answer, "Ping") != "" {
				break
			}
		}
	}
	p.await("the end of all calls", func(s *pbx.State) bool { return objects(s)["channel"] == 0 })
}

// secondLook is how soon what is not the same must be: a list may be ahead of an event
// that is on its way through Asterisk.
const secondLook = 3 * time.Second

// quotedID finds Uniqueids and interfaces.
var quotedID = regexp.MustCompile(`[A-Za-z0-9]+-?\d+\.\d+|Local/\w+@\w+`)

// quiet compares all clients, and what ampd shows, with what Asterisk says, at a moment at
// which nothing happens.
func (p *play) quiet(what string) {
	p.t.Helper()
	p.settle(what, secondLook, toldByBoth)
}

// settle does so until all is the same in what ampd is to know by now.
func (p *play) settle(what string, within time.Duration, shown func(pbx.Field) bool) {
	p.t.Helper()
	began := time.Now()
	for looks := 0; ; looks++ {
		number, want, _ := p.truth.truth(p.t)
		wrong := p.compare(number, want, shown)
		if len(wrong) == 0 {
			p.ledger.points++
			if looks > 0 && within == secondLook {
				p.ledger.late++
			}
			return
		}
		if looks == 0 && within == secondLook {
			p.t.Logf("%s, at the first look: %s", what, strings.Join(wrong, "\n"))
		}
		if looks >= 2 && time.Since(began) > within {
			all := strings.Join(wrong, "\n")
			p.t.Logf("the events of these:\n%s", p.first.about(quotedID.FindAllString(all, -1)...))
			require.FailNow(p.t, what+": not what Asterisk says", "%s", all)
		}
	}
}

// sameText compares what ampd shows with Asterisk's lists once more, word by word.
func (p *play) sameText(what string) {
	p.t.Helper()
	began := time.Now()
	for looks := 0; ; looks++ {
		number, _, answers := p.truth.truth(p.t)
		_, since, items := p.shower.at(p.t, number)
		same, wrong := sameItems(answers, items)
		if len(wrong) == 0 && !slices.ContainsFunc(since, isOfState) {
			p.t.Logf("%s: %s: %d items are Asterisk's word by word", p.s.Version, what, same)
			return
		}
		if looks >= 2 && time.Since(began) > secondLook {
			require.FailNow(p.t, what+": not Asterisk's words", "%s", strings.Join(wrong, "\n"))
		}
	}
}

// compare returns all differences of all clients.
func (p *play) compare(number int, want *pbx.State, shown func(pbx.Field) bool) (wrong []string) {
	p.t.Helper()
	type judged struct {
		want *pbx.State
		told func(pbx.Field) bool
	}
	var all []judged
	who := map[string][]string{} // has what difference
	judge := func(name string, have, want *pbx.State, told func(pbx.Field) bool) {
		for _, d := range differ(have, want, told) {
			text := fmt.Sprintf("%s %q, %q: %q, should be %q", d.Object, d.Key, d.Field, d.Have, d.Want)
			who[text] = append(who[text], name)
		}
		all = append(all, judged{want, told})
	}
	for _, f := range p.followers() {
		told := toldByBoth
		if f == p.blank {
			told = toldWithoutLists
		}
		have, _, _ := f.at(p.t, number)
		judge(f.name, have, want, told)
	}
	have, since, _ := p.shower.at(p.t, number)
	then := want.Clone()
	for _, event := range since {
		then.Apply(event, time.Now())
	}
	judge("AmpdSnapshot", have, then, shown)
	if len(who) == 0 {
		for _, j := range all {
			p.ledger.add(j.want, j.told)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(who)) {
		wrong = append(wrong, text+" ("+strings.Join(who[text], "; ")+")")
	}
	return wrong
}

// end tells what was compared, and holds that ampd's own events look like Asterisk's.
func (p *play) end() {
	p.t.Helper()
	p.note()
	p.ledger.report(p.t, p.s.Version, p.made)
}

// note takes down which events ampd made since the last time, and returns their number.
func (p *play) note() (made map[string]int) {
	p.t.Helper()
	made = p.first.synthetic()
	for name, n := range made {
		p.made[name] += n
	}
	for _, f := range append(p.followers(), p.shower) {
		strange := f.shapes.strange(p.truth.shapes)
		require.Empty(p.t, strange, "events unlike Asterisk's own:\n%s", strings.Join(strange, "\n"))
	}
	return made
}

// names are the keys of a map, in order.
func names[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }
