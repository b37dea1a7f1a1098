package pbx

import (
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

// A ParkedCall is a channel in a parking space.
type ParkedCall struct {
	Parkee           string // the Uniqueid of its channel
	ParkerDialString string // who is called when its time is over
	Lot              string
	Space            string
	Since            time.Time
	Until            time.Time // when its time is over

	early   *Channel // what is known of its channel before its Newchannel came, or nil
	touched uint64
}

// parkedRows leaves out what moves: ParkingTimeout, the seconds that are left, and
// ParkingDuration.
var parkedRows = []row[ParkedCall]{
	{"ParkerDialString", "ParkerDialString", func(c *ParkedCall) *string { return &c.ParkerDialString }, false},
	{"Parkinglot", "Parkinglot", func(c *ParkedCall) *string { return &c.Lot }, false},
	{"ParkingSpace", "ParkingSpace", func(c *ParkedCall) *string { return &c.Space }, false},
}

var parkedBlock = eventColumns(parkedRows)

const parkee = "Parkee"

// park takes over what an event or a list item says. Its channel may not be known yet:
// parking has a stasis topic of its own (ast_parking_topic in main/parking.c),
// and on a busy Asterisk 22 a ParkedCall was seen before its parkee's Newchannel. It
// may be known no more: then the end of the parking follows in the same way.
func (s *State) park(p *codec.Packet, now time.Time) {
	id := value(p, parkee+"Uniqueid")
	if id == "" {
		return
	}
	call := s.parked[id]
	if call == nil {
		call = &ParkedCall{Parkee: strings.Clone(id)}
		s.parked[call.Parkee] = call
	}
	call.early = nil
	if s.channels[id] == nil {
		call.early = &Channel{}
		call.early.update(parkee, parked[0].in(p.Headers))
	}
	call.touched = s.events
	parkedBlock.update(call, "", p.Headers)
	call.Since = before(now, value(p, "ParkingDuration"))
	call.Until = now.Add(now.Sub(before(now, value(p, "ParkingTimeout"))))
}

// before is so many whole seconds before now; now itself where it is no number.
func before(now time.Time, seconds string) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 32)
	if err != nil {
		return now
	}
	return now.Add(-time.Duration(n) * time.Second)
}

func (s *State) unpark(uniqueid string) {
	if s.parked[uniqueid] != nil {
		delete(s.parked, uniqueid)
		s.forgot(parkedKind, uniqueid)
	}
}

// parkee is the channel of a parked call: as it is, or as the ParkedCall told it.
func (s *State) parkee(call *ParkedCall) *Channel {
	if c := s.channels[call.Parkee]; c != nil {
		return c
	}
	return call.early
}

// writeParked adds all headers of an event or list item about the parked call of c.
// retriever is who has fetched it, or nil.
func writeParked(b *builder, c, retriever *Channel, call *ParkedCall, now time.Time) {
	writeChannel(b, parkee, c)
	if retriever != nil {
		writeChannel(b, "Retriever", retriever)
	}
	parkedBlock.write(b, "", call)
	b.header("ParkingTimeout", seconds(call.Until.Sub(now)))
	b.header("ParkingDuration", seconds(now.Sub(call.Since)))
}

// seconds is d in whole seconds, rounded, never negative.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(0, int64(d.Round(time.Second)/time.Second)), 10)
}

func parkedCall(s *State, e event) { s.park(e.Packet, e.now) }

// parkedCallSwap puts its parkee where another one was (main/bridge.c swaps the
// channels of a parking bridge).
func parkedCallSwap(s *State, e event) {
	lot, space := e.value("Parkinglot"), e.value("ParkingSpace")
	for id, call := range s.parked {
		if call.Lot == lot && call.Space == space {
			s.unpark(id)
		}
	}
	parkedCall(s, e)
}

func unparkedCall(s *State, e event) {
	s.unpark(e.value("ParkeeUniqueid"))
}
