package pbx

import (
	"fmt"
	"strings"
	"testing"

	"ampd/codec"
)

// BenchmarkApply applies an hour of queue traffic. One turn is all of it.
func BenchmarkApply(b *testing.B) {
	for _, r := range traffic[:2] {
		b.Run(r.events, func(b *testing.B) {
			packets, _ := recorded(b, r.events)
			first := loaded(b, r.tour)
			b.ReportAllocs()
			for b.Loop() {
				s := first.Clone()
				for _, p := range packets {
					s.Apply(p, start)
				}
			}
			n := float64(b.N * len(packets))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/event")
		})
	}
}

// large is a state with n channels, every two of them in a bridge.
func large(b *testing.B, n int) *State {
	b.Helper()
	s := New()
	var wire strings.Builder
	for i := range n {
		block := fmt.Sprintf("Channel: PJSIP/line%d-%08x\r\nChannelState: 6\r\nChannelStateDesc: Up\r\nCallerIDNum: %d\r\nCallerIDName: Line %d\r\n"+
			"ConnectedLineNum: %d\r\nConnectedLineName: Line\r\nLanguage: en\r\nAccountCode: \r\nContext: internal\r\nExten: %d\r\nPriority: 2\r\n"+
			"Uniqueid: pbx-1795256600.%d\r\nLinkedid: pbx-1795256600.%d\r\n", i, i, i, i, i, i, i, i&^1)
		wire.WriteString("Event: Newchannel\r\nPrivilege: call,all\r\n" + block + "\r\n")
		wire.WriteString("Event: Newexten\r\nPrivilege: dialplan,all\r\n" + block + "Application: Dial\r\nAppData: PJSIP/other,30,tT\r\n\r\n")
		wire.WriteString(fmt.Sprintf("Event: BridgeEnter\r\nPrivilege: call,all\r\nBridgeUniqueid: %08d-0000\r\nBridgeType: basic\r\n", i/2) + block + "\r\n")
	}
	for _, p := range decode(b, []byte(wire.String())) {
		s.Apply(p, start)
	}
	return s
}

func BenchmarkClone10000Channels(b *testing.B) {
	s := large(b, 10000)
	b.ReportAllocs()
	for b.Loop() {
		s.Clone()
	}
}

func BenchmarkSnapshot10000Channels(b *testing.B) {
	s := large(b, 10000)
	b.ReportAllocs()
	for b.Loop() {
		for range s.Snapshot(AllObjects, "id", start) {
		}
	}
}

func BenchmarkRecheck10000Channels(b *testing.B) {
	s := large(b, 10000)
	var items []*codec.Packet
	for p := range s.Snapshot(Channels, "id", start) {
		items = append(items, p)
	}
	list := append([]*codec.Packet{{Headers: []codec.Header{{Name: "Response", Value: "Success"}}}}, items...)
	list = append(list, &codec.Packet{Headers: []codec.Header{{Name: "Event", Value: "X"}, {Name: "EventList", Value: "Complete"}}})
	b.ReportAllocs()
	for b.Loop() {
		r := s.Recheck(SnapshotOf(Channels))
		for range 2 {
			if missed, err := r.Answer(list, start); err != nil || len(missed) > 0 {
				b.Fatal(len(missed), err)
			}
		}
	}
}
