package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"ampd/codec"
)

// profiles has those who log in. Each is a monitor, as most clients are, but for
// filterer: to add filters takes class system.
const profiles = `
[[profile]]
name = "all"
secret = "allsecret"
types = ["monitor"]
read = ["all"]
write = ["all"]

[[profile]]
name = "queues"
secret = "queuessecret"
types = ["monitor"]
read = ["call", "agent", "system"]
write = ["call", "agent", "reporting"]

[[profile]]
name = "traces"
secret = "tracessecret"
types = ["monitor"]
read = ["call", "dialplan"]

[[profile]]
name = "quiet"
secret = "quietsecret"
types = ["monitor"]
read = ["all"]
write = ["all"]
filters = ["!Event: VarSet"]

[[profile]]
name = "filterer"
secret = "filterersecret"
types = ["administrator"]
read = ["all"]
write = ["all"]
`

func reads(classes codec.Classes) func([]byte, codec.Classes) bool {
	return func(_ []byte, event codec.Classes) bool { return classes.Has(event) }
}

// mixed are the subscriptions of clients of every kind, in turn: masks, rights and a
// filter of the profile's.
func mixed() []subscription {
	return []subscription{
		{profile: "all", mask: "on", sees: reads(codec.All)},
		{profile: "all", mask: "call", sees: reads(codec.Call)},
		{profile: "all", mask: "agent,call", sees: reads(codec.Agent | codec.Call)},
		{
			profile: "all", mask: "system,call,agent,dialplan,reporting",
			sees: reads(codec.System | codec.Call | codec.Agent | codec.Dialplan | codec.Reporting),
		},
		{profile: "queues", mask: "on", sees: reads(codec.Call | codec.Agent | codec.System)},
		{profile: "traces", mask: "on", sees: reads(codec.Call | codec.Dialplan)},
		{
			profile: "quiet", mask: "on",
			sees: func(event []byte, _ codec.Classes) bool { return !bytes.Contains(event, []byte("Event: VarSet")) },
		},
	}
}

// classic is the same subscriptions of clients in the ampd dialect, in XML or not. They do without
// the class reporting, for in that dialect it has events of ampd's own too, which are told by the
// clock.
func classic(of []subscription, xml bool) []subscription {
	out := slices.Clone(of)
	for i := range out {
		out[i].classic, out[i].xml = true, xml
		if out[i].mask == "on" {
			out[i].mask = (codec.All &^ codec.Reporting).String()
		}
		out[i].mask = strings.Replace(out[i].mask, ",reporting", "", 1)
		sees := out[i].sees
		out[i].sees = func(event []byte, classes codec.Classes) bool {
			return classes&codec.Reporting == 0 && sees(event, classes)
		}
	}
	return out
}

// everything is one subscription without any mask.
func everything() []subscription { return mixed()[:1] }

// nothing is a subscription that no event passes.
func nothing() subscription {
	return subscription{profile: "all", mask: "off", sees: reads(0)}
}

// tenth is a tenth of the events, picked for each client at random, as a header of
// the recording says.
func named(event, client int) bool {
	x := uint64(event)<<32 | uint64(client)
	x ^= x >> 31
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return (x>>33)%10 == 0
}

// addressees gives each event a header with the clients of n that it is for:
// "BenchFor: ,3,17,". No line is longer than 900 bytes.
func addressees(n int) func(event int) string {
	return func(event int) string {
		out := "BenchFor: ,"
		line := len(out)
		for client := range n {
			if !named(event, client) {
				continue
			}
			if line > 900 {
				out += "\r\nBenchFor: ,"
				line = 0
			}
			id := fmt.Sprintf("%d,", client)
			out += id
			line += len(id)
		}
		return out + "\r\n"
	}
}

// filtered is each of n clients with a filter of its own, on that header.
func filtered(n int) []subscription {
	out := make([]subscription, n)
	for client := range out {
		literal := fmt.Sprintf(",%d,", client)
		out[client] = subscription{
			profile: "filterer", mask: "on", filters: []string{literal},
			sees: func(event []byte, _ codec.Classes) bool { return bytes.Contains(event, []byte(literal)) },
		}
	}
	return out
}
