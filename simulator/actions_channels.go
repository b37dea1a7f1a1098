package simulator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// duration since a channel was made, as h:m:s.
func (ch *channel) duration() string {
	s := int64(ch.c.clock.Sub(ch.created) / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

func coreShowChannels(r *request) {
	r.beginList("Channels will follow")
	for _, ch := range r.c.channels {
		r.item("CoreShowChannel")
		r.out = ch.appendSnapshot(r.out, "")
		r.add("Application", ch.app)
		r.add("ApplicationData", ch.data)
		r.add("Duration", ch.duration())
		r.add("BridgeId", ch.bridgeID())
		r.end()
	}
	r.endList("CoreShowChannelsComplete", len(r.c.channels))
	r.end()
}

func status(r *request) {
	list := r.c.channels
	if name := r.get("Channel"); name != "" {
		ch := r.c.findChannel(name)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		list = []*channel{ch}
	}
	r.beginList("Channel status will follow")
	for _, ch := range list {
		r.add("Event", "Status")
		r.add("Privilege", "Call")
		r.out = ch.appendSnapshot(r.out, "")
		tech, _, _ := strings.Cut(ch.name, "/")
		r.add("Type", tech)
		r.add("DNID", ch.dnid)
		r.add("EffectiveConnectedLineNum", unknown(ch.connNum))
		r.add("EffectiveConnectedLineName", unknown(ch.connName))
		r.add("TimeToHangup", "0")
		r.add("BridgeID", ch.bridgeID())
		r.add("Application", ch.app)
		r.add("Data", ch.data)
		format := "ulaw"
		if tech == "Local" {
			format = "slin"
		}
		r.add("Nativeformats", "("+format+")")
		r.add("Readformat", format)
		r.add("Readtrans", "")
		r.add("Writeformat", format)
		r.add("Writetrans", "")
		r.add("Callgroup", "0")
		r.add("Pickupgroup", "0")
		r.add("Seconds", strconv.FormatInt(int64(r.c.clock.Sub(ch.created)/time.Second), 10))
		for _, name := range splitVariables(r.get("Variables")) {
			r.add("Variable", name+"="+ch.variable(name))
		}
		r.endItem()
	}
	r.endList("StatusComplete", len(list))
	r.add("Items", strconv.Itoa(len(list)))
	r.end()
}

func splitVariables(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// hangup follows action_hangup: a channel, or all that match /REGEX/.
func hangup(r *request) {
	name := r.get("Channel")
	if name == "" {
		r.fail("No channel specified")
		return
	}
	cause, err := strconv.Atoi(r.get("Cause"))
	if err != nil || cause < 0 || cause > 127 {
		cause = causeNormal
	}
	if len(name) < 2 || name[0] != '/' || name[len(name)-1] != '/' {
		ch := r.c.findChannel(name)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		r.succeed("Channel Hungup")
		ch.hang(cause)
		return
	}
	re, err := regexp.Compile(name[1 : len(name)-1])
	if err != nil {
		r.fail("Regex compile failed on: " + name)
		return
	}
	var list []*channel
	for _, ch := range r.c.channels {
		if re.MatchString(ch.name) {
			list = append(list, ch)
		}
	}
	r.beginList("Channels hung up will follow")
	for _, ch := range list {
		r.add("Event", "ChannelHungup")
		r.add("Channel", ch.name)
		r.endItem()
	}
	r.endList("ChannelsHungupListComplete", len(list))
	r.end()
	for _, ch := range list {
		if !ch.gone {
			ch.hang(cause)
		}
	}
}
