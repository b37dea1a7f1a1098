package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/codec/xml"
)

// A recording is what the fake Asterisk sends, over and over: events of a real one,
// each with two headers more at its end,
//
//	BenchSeq: 0000000000000000
//	BenchTime: 0000000000000000
//
// whose 16 hexadecimal digits are written before each sending: how many events came
// before it, and when it was sent, in nanoseconds since the bench began.
type recording struct {
	events  [][]byte
	classes []codec.Classes // of each event
	native  []layout        // of each event as it is sent
	xml     []layout        // of each event as a client in XML gets it
	bytes   int             // of all events
}

// A layout is how long an event is on the wire, and where in it the digits begin.
type layout struct{ size, seq, time int }

// The digits stand at fixed places, counted from the end of an event.
const (
	stamps   = "BenchSeq: 0000000000000000\r\nBenchTime: 0000000000000000\r\n\r\n"
	digits   = 16
	timeTail = digits + len("\r\n\r\n")
	seqTail  = timeTail + len("\r\nBenchTime: ") + digits
)

// actedUpon are events that mean something to ampd itself.
var actedUpon = []string{"FullyBooted", "Load", "Unload", "Reload", "Shutdown"}

// newRecording takes from the corpus what goes to everybody. more, where not nil,
// gives the n-th event headers of its own, whole lines.
func newRecording(more func(n int) string) (*recording, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	r := &recording{}
	for _, name := range []string{"22-queue-hour.s2c", "22-tour.s2c"} {
		if err := r.read(filepath.Join(root, "tests", "corpus", name), more); err != nil {
			return nil, fmt.Errorf("corpus %s: %w", name, err)
		}
	}
	return r, nil
}

func (r *recording) read(path string, more func(n int) string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := native.NewDecoder(file, native.FromAsterisk)
	if _, err := decoder.ReadLine(); err != nil {
		return err
	}
	for {
		var p codec.Packet
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// Items of lists have no such Privilege: authority_to_str in main/manager.c.
		privilege, broadcast := strings.CutSuffix(p.Get("Privilege"), ",all")
		if p.Kind() != codec.Event || !broadcast || slices.Contains(actedUpon, p.Name()) {
			continue
		}
		classes, unknown := codec.ParseClasses(privilege)
		if unknown != "" {
			return fmt.Errorf("class %q", unknown)
		}
		event := bytes.TrimSuffix(bytes.Clone(p.Raw), []byte("\r\n"))
		if more != nil {
			event = append(event, more(len(r.events))...)
		}
		event = append(event, stamps...)
		r.events = append(r.events, event)
		r.classes = append(r.classes, classes)
		r.native = append(r.native, layout{len(event), len(event) - seqTail, len(event) - timeTail})
		r.xml = append(r.xml, layoutOfXML(inXML(event)))
		r.bytes += len(event)
	}
}

// inXML is an event as docs/protocol.md has it for clients in XML.
func inXML(event []byte) []byte {
	var out []byte
	for p := range native.Packets(event) {
		out = append(xml.AppendElement(out, "event", p.Headers), '\n')
	}
	return out
}

// layoutOfXML is where the digits stand in an event in XML: in front of its children.
func layoutOfXML(event []byte) layout {
	digitsOf := func(name string) int {
		attribute := []byte(" " + name + `="`)
		return bytes.LastIndex(event, attribute) + len(attribute)
	}
	return layout{len(event), digitsOf("BenchSeq"), digitsOf("BenchTime")}
}

// mean is the size of an event, in bytes.
func (r *recording) mean() int { return r.bytes / len(r.events) }

// moduleRoot is the folder of go.mod, seen from the working folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the working folder is not inside ampd's module")
		}
		dir = parent
	}
}
