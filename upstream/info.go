package upstream

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"ampd/codec"
)

// Command finds an action of Asterisk's by its name, whose case does not matter.
func (i *Info) Command(name string) (Command, bool) {
	for _, c := range i.Commands {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Command{}, false
}

// setCommands reads the response to ListCommands, whose headers are "Name: Text
// (Priv: class,...)". A text may hold parentheses, a "(Priv:" too: the last counts.
func (i *Info) setCommands(p *codec.Packet) {
	i.Commands = nil
	for _, h := range p.Headers {
		at := strings.LastIndex(h.Value, "(Priv: ")
		if h.Name == "" || at < 0 || !strings.HasSuffix(h.Value, ")") {
			continue
		}
		classes, unknown := codec.ParseClasses(h.Value[at+len("(Priv: ") : len(h.Value)-1])
		i.Commands = append(i.Commands, Command{
			Name: strings.Clone(h.Name), Text: strings.Clone(h.Value), Classes: classes, Unknown: strings.Clone(unknown),
		})
	}
}

// setBooted takes over FullyBooted and what it says of the time since.
func (i *Info) setBooted(p *codec.Packet, at time.Time) {
	i.FullyBooted = kept(p)
	i.Booted = before(at, p.Get("Uptime"))
	i.Reloaded = before(at, p.Get("LastReload"))
}

// copyTo copies what setBooted and reloads say.
func (i *Info) copyTo(to *Info) {
	to.FullyBooted, to.Booted, to.Reloaded = i.FullyBooted, i.Booted, i.Reloaded
}

func before(at time.Time, seconds string) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 32)
	if err != nil {
		return at
	}
	return at.Add(-time.Duration(n) * time.Second)
}

// kept is a copy that holds no neighbours in memory.
func kept(p *codec.Packet) *codec.Packet {
	whole := make([]codec.Header, len(p.Headers))
	for i, h := range p.Headers {
		whole[i] = codec.Header{Name: strings.Clone(h.Name), Value: strings.Clone(h.Value)}
	}
	return &codec.Packet{Raw: bytes.Clone(p.Raw), Headers: whole}
}

// neededRead are the classes whose events the tracked state is made of.
const neededRead = codec.System | codec.Call | codec.Agent | codec.Dialplan

// missingRead are the needed classes that the account does not read, as the output
// of "manager show user NAME" says; known tells whether it does.
func missingRead(output *codec.Packet) (missing codec.Classes, known bool) {
	_, rest, found := bytes.Cut(output.Raw, []byte("read perm: "))
	if !found {
		return 0, false
	}
	line, _, _ := bytes.Cut(rest, []byte{'\n'})
	classes, _ := codec.ParseClasses(strings.TrimSpace(string(line)))
	return neededRead &^ classes, true
}

// asterisk is Asterisk's own version, "" if it did not tell.
func (i *Info) asterisk() string {
	if i.Settings == nil {
		return ""
	}
	return i.Settings.Get("AsteriskVersion")
}
