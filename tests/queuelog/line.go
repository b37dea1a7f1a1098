package queuelog

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A Line is one event.
type Line struct {
	Time  time.Time // in whole seconds
	Call  string    // Uniqueid of the caller's channel; MANAGER, NONE and the like of what is no call's
	Queue string    // "NONE" for what is no queue's
	Agent string    // MemberName, interface or id, "NONE"
	Event string
	Data  []string
}

// Parse reads a queue_log. A line that is none is an error.
func Parse(r io.Reader) ([]Line, error) {
	var lines []Line
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		fields := strings.Split(scanner.Text(), "|")
		if len(fields) < 5 {
			return lines, fmt.Errorf("line %d: %q has less than five fields", len(lines)+1, scanner.Text())
		}
		seconds, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return lines, fmt.Errorf("line %d: time: %w", len(lines)+1, err)
		}
		lines = append(lines, Line{time.Unix(seconds, 0), fields[1], fields[2], fields[3], fields[4], fields[5:]})
	}
	return lines, scanner.Err()
}

// Hold returns where a line says how long its caller waited, as an index of Data, or -1.
func (l *Line) Hold() int { return l.field(holds) }

// Talk returns where it says how long the caller talked.
func (l *Line) Talk() int { return l.field(talks) }

// Where the fields are: those of transfers stand before the last one, the position.
var (
	holds = map[string]int{
		"CONNECT": 0, "COMPLETEAGENT": 0, "COMPLETECALLER": 0, "BLINDTRANSFER": -3, "ATTENDEDTRANSFER": -3,
		"ABANDON": 2, "EXITWITHTIMEOUT": 2, "EXITEMPTY": 2, "WITHDRAW": 2, "EXITWITHKEY": 3,
	}
	talks = map[string]int{"COMPLETEAGENT": 1, "COMPLETECALLER": 1, "BLINDTRANSFER": -2, "ATTENDEDTRANSFER": -2}
)

func (l *Line) field(where map[string]int) int {
	i, ok := where[l.Event]
	switch {
	case !ok:
		return -1
	case i < 0:
		i += len(l.Data)
	}
	if i >= len(l.Data) {
		return -1
	}
	return i
}

// Seconds is a field as a number, 0 where there is none.
func (l *Line) Seconds(field int) int {
	if field < 0 || field >= len(l.Data) {
		return 0
	}
	n, _ := strconv.Atoi(l.Data[field]) // what is no number counts nothing
	return n
}
