package main

import (
	"bytes"
	"fmt"
	"time"
)

// askedID is the ActionID of actions that the bench asks over and over.
const askedID = "bench-1"

// pong appends the answer to a Ping.
func pong(b []byte, id string) []byte {
	us := time.Now().UnixMicro()
	return fmt.Appendf(b, "Response: Success\r\nActionID: %s\r\nPing: Pong\r\nTimestamp: %d.%06d\r\n\r\n", id, us/1e6, us%1e6)
}

// listItems is how many items a list has.
const listItems = 50

// A queueList is the answer to QueueStatus: one queue and its members.
type queueList struct {
	pieces [][]byte // between them the ActionID is to stand
}

func newQueueList() *queueList {
	var b bytes.Buffer
	const id = "\x00"
	b.WriteString("Response: Success\r\nActionID: " + id + "\r\nEventList: start\r\nMessage: Queue status will follow\r\n\r\n")
	b.WriteString("Event: QueueParams\r\nQueue: bench\r\nMax: 0\r\nStrategy: rrmemory\r\nCalls: 0\r\nHoldtime: 12\r\n" +
		"TalkTime: 94\r\nCompleted: 317\r\nAbandoned: 21\r\nServiceLevel: 20\r\nServicelevelPerf: 91.2\r\n" +
		"ServicelevelPerf2: 89.9\r\nWeight: 0\r\nActionID: " + id + "\r\n\r\n")
	for i := range listItems - 1 {
		fmt.Fprintf(&b, "Event: QueueMember\r\nQueue: bench\r\nName: Agent %d\r\nLocation: PJSIP/1%03[1]d\r\n"+
			"StateInterface: PJSIP/1%03[1]d\r\nMembership: static\r\nPenalty: 0\r\nCallsTaken: %d\r\nLastCall: 1795256654\r\n"+
			"LastPause: 0\r\nLoginTime: 1795256614\r\nInCall: 0\r\nStatus: 1\r\nPaused: 0\r\nPausedReason: \r\n"+
			"Wrapuptime: 0\r\nActionID: "+id+"\r\n\r\n", i, i%17)
	}
	fmt.Fprintf(&b, "Event: QueueStatusComplete\r\nActionID: "+id+"\r\nEventList: Complete\r\nListItems: %d\r\n\r\n", listItems)
	return &queueList{pieces: bytes.Split(b.Bytes(), []byte(id))}
}

func (l *queueList) answer(b []byte, id string) []byte {
	for i, piece := range l.pieces {
		if i > 0 {
			b = append(b, id...)
		}
		b = append(b, piece...)
	}
	return b
}
