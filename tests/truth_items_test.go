package tests

import (
	"fmt"
	"slices"
	"strings"

	"ampd/codec"
)

// identities are the headers that tell which object a list item is about.
var identities = map[string][]string{
	"CoreShowChannel": {"Uniqueid"},
	"BridgeListItem":  {"BridgeUniqueid"},
	"QueueParams":     {"Queue"},
	"QueueMember":     {"Queue", "Location"},
	"QueueEntry":      {"Uniqueid"},
	"Agents":          {"Agent"},
	"PeerEntry":       {"Channeltype", "ObjectName"},
	"EndpointList":    {"ObjectName"},
	"ContactList":     {"Uri"},
	"ParkedCall":      {"ParkeeUniqueid"},
}

// byItself are the headers that change by themselves, or say whose answer it is.
var byItself = []string{"ActionID", "Duration", "Wait", "ParkingTimeout", "ParkingDuration"}

// sameItems compares what ampd shows with Asterisk's own lists, text by text: this has
// nothing to do with how ampd reads lists. It returns how many items are the same.
func sameItems(own [][]*codec.Packet, shown []*codec.Packet) (same int, wrong []string) {
	texts := itemTexts(slices.Concat(own...))
	for key, text := range itemTexts(shown) {
		if texts[key] == text {
			same++
		} else {
			wrong = append(wrong, fmt.Sprintf("shown: %s\nAsterisk's: %s", text, texts[key]))
		}
		delete(texts, key)
	}
	for _, text := range texts {
		wrong = append(wrong, "not shown: "+text)
	}
	slices.Sort(wrong)
	return same, wrong
}

func itemTexts(items []*codec.Packet) map[string]string {
	texts := map[string]string{}
	for _, p := range items {
		headers := identities[p.Name()]
		if len(headers) == 0 || p.Kind() != codec.Event {
			continue
		}
		key := p.Name()
		for _, name := range headers {
			key += "\n" + p.Get(name)
		}
		var text strings.Builder
		for _, h := range p.Headers {
			if !slices.Contains(byItself, h.Name) {
				fmt.Fprintf(&text, "%s: %s, ", h.Name, h.Value)
			}
		}
		texts[key] = text.String()
	}
	return texts
}
