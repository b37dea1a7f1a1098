package tests

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"ampd/codec"
)

// harmless are values of deciding headers that are refused to nobody.
var harmless = map[string]string{
	"Application": "Echo", "CallerID": "1", "Command": "core show version", "Conference": "room1", "Duration": "100", "Exten": "1", "File": "x.wav",
	"MemberName": "x", "Options": "b", "RecordFile": "x.wav", "Registration": "x", "Variables": "TALK_MAX", "Data": "1", "Value": "1", "Channel": "Local/1@misc/n",
}

func harmlessValue(d *dangerous) string {
	if d.decides == "Variable" && d.action == "Originate" {
		return "A=1"
	}
	if value := harmless[d.decides]; value != "" {
		return value
	}
	return "TALK_MAX"
}

const (
	wordsOnce      = "Action and CAction must be given once"
	generalError   = "Unknown"
	wordsNoCAction = "Missing required parameter: CAction"
	wordsEmpty     = "Permission denied|Missing required parameter: {decides}"            // the ampd dialect asks for it first
	wordsNUL       = "Permission denied|The value of {decides} holds a control character" // the ampd dialect's first
	theFirst       = "of several Actions the first counts, and no other is sent"
	notItsHeader   = "Asterisk does not know a header with a blank before its colon or its name: observed with Asterisk 16 and 22"
)

// named is a header for the wire.
func named(name, value string) codec.Header { return codec.Header{Name: name, Value: value} }

// nativeText puts a packet together.
func nativeText(headers ...codec.Header) string {
	var b strings.Builder
	for _, h := range headers {
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	return b.String() + "\r\n"
}

// said is the action with its headers.
func (d *dangerous) said(action string, change func(h codec.Header) []codec.Header) []codec.Header {
	all := []codec.Header{named("Action", action)}
	for _, h := range d.headers {
		all = append(all, change(h)...)
	}
	return all
}

func same(h codec.Header) []codec.Header { return []codec.Header{h} }

// deciding changes the deciding headers only.
func (d *dangerous) deciding(change func(h codec.Header) []codec.Header) func(h codec.Header) []codec.Header {
	return func(h codec.Header) []codec.Header {
		if strings.EqualFold(h.Name, d.decides) {
			return change(h)
		}
		return same(h)
	}
}

// oddCase turns the case of every second letter.
func oddCase(text string) string {
	turn := false
	return strings.Map(func(r rune) rune {
		if turn = !turn; turn {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, text)
}

// customs are the names under which one action runs another.
var customs = []string{"Custom", "CustomFreeForm"}

// nativeRoads are those of both dialects.
func nativeRoads() []way {
	plain := func(change func(d *dangerous, h codec.Header) []codec.Header) func(d *dangerous) string {
		return func(d *dangerous) string {
			if d.decides == "" {
				return ""
			}
			return nativeText(d.said(d.action, d.deciding(func(h codec.Header) []codec.Header { return change(d, h) }))...)
		}
	}
	lines := func(format string, end string) func(d *dangerous) string {
		return func(d *dangerous) string {
			var b strings.Builder
			for _, h := range d.said(d.action, same) {
				b.WriteString(fmt.Sprintf(format, h.Name, h.Value) + end)
			}
			return b.String() + end
		}
	}
	others := func(format string) func(d *dangerous) string {
		return func(d *dangerous) string {
			b := "Action: " + d.action + "\r\n"
			for _, h := range d.headers {
				if strings.EqualFold(h.Name, d.decides) {
					b += fmt.Sprintf(format, h.Name, h.Value) + "\r\n"
				} else {
					b += h.Name + ": " + h.Value + "\r\n"
				}
			}
			return b + "\r\n"
		}
	}
	onlyDeciding := func(write func(d *dangerous) string) func(d *dangerous) string {
		return func(d *dangerous) string {
			if d.decides == "" {
				return ""
			}
			return write(d)
		}
	}
	return []way{
		{name: "as it is", write: func(d *dangerous) string { return strings.ReplaceAll(d.text, "\n", "\r\n") + "\r\n\r\n" }},
		{name: "odd case of names", write: func(d *dangerous) string {
			all := d.said(oddCase(d.action), func(h codec.Header) []codec.Header { return same(named(oddCase(h.Name), h.Value)) })
			all[0].Name = "aCtIoN"
			return nativeText(all...)
		}},
		{name: "odd case of values", write: plain(func(_ *dangerous, h codec.Header) []codec.Header { return same(named(h.Name, oddCase(h.Value))) })},
		{name: "upper case of values", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return same(named(h.Name, strings.ToUpper(h.Value)))
		})},
		{name: "no blank behind the colon", write: lines("%s:%s", "\r\n")},
		{name: "blanks behind the colon", write: lines("%s: \t  %s", "\r\n")},
		{name: "line feeds alone", write: lines("%s: %s", "\n")},
		{name: "a blank before the colon", write: onlyDeciding(others("%s : %s")), why: notItsHeader},
		{name: "a tab before the colon", write: onlyDeciding(others("%s\t: %s")), why: notItsHeader},
		{name: "a blank before the name", write: onlyDeciding(others(" %s: %s")), why: notItsHeader},
		{name: "a blank before the colon of Action", write: func(d *dangerous) string {
			return "Action : " + d.action + "\r\n" + nativeText(d.headers...)
		}, words: missingAction},
		{name: "repeated, harmless first", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{named(h.Name, harmlessValue(d)), h}
		})},
		{name: "repeated, harmless last", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{h, named(h.Name, harmlessValue(d))}
		})},
		{name: "repeated in another case", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{named(strings.ToUpper(h.Name), harmlessValue(d)), named(strings.ToLower(h.Name), h.Value)}
		})},
		{name: "empty first", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{named(h.Name, ""), h}
		}), words: wordsEmpty},
		{name: "empty last", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return []codec.Header{h, named(h.Name, "")}
		})},
		{name: "behind a NUL", write: plain(func(_ *dangerous, h codec.Header) []codec.Header {
			return same(named(h.Name, "\x00"+h.Value))
		}), why: "a value ends at a NUL, as Asterisk reads it, and is sent without what stands behind"},
		{name: "before a NUL", write: plain(func(d *dangerous, h codec.Header) []codec.Header {
			return same(named(h.Name, h.Value+"\x00"+harmlessValue(d)))
		}), words: wordsNUL},
		{name: "the deciding header first", write: func(d *dangerous) string {
			all := d.said(d.action, same)
			slices.Reverse(all)
			return nativeText(all...)
		}},
		{name: "an empty Action first", write: func(d *dangerous) string {
			return nativeText(append([]codec.Header{named("Action", "")}, d.said(d.action, same)...)...)
		}},
		{name: "Action twice, harmless first", write: func(d *dangerous) string {
			return nativeText(append([]codec.Header{named("Action", "Ping")}, d.said(d.action, same)...)...)
		}, why: theFirst},
		{name: "Action twice, harmless last", write: func(d *dangerous) string {
			return nativeText(append(d.said(d.action, same), named("Action", "Ping"))...)
		}},
	}
}

// customRoads run the action through Custom and CustomFreeForm.
func customRoads() (roads []way) {
	for _, custom := range customs {
		wrapped := func(first ...codec.Header) func(d *dangerous) string {
			return func(d *dangerous) string {
				all := slices.Clone(first)
				for i := range all {
					all[i].Value = strings.ReplaceAll(all[i].Value, "{action}", d.action)
				}
				return nativeText(append(all, d.headers...)...)
			}
		}
		action, caction, ping := named("Action", custom), named("CAction", "{action}"), named("CAction", "Ping")
		for _, r := range []way{
			{name: "plain", write: wrapped(action, caction)},
			{name: "CAction first", write: wrapped(caction, action)},
			{name: "odd case", write: wrapped(named("ACTION", oddCase(custom)), named("cACTION", "{action}"))},
			{name: "a blank before the colon of CAction", write: wrapped(action, named("CAction ", "{action}")), words: wordsNoCAction},
			{name: "CAction twice, harmless first", write: wrapped(action, ping, caction), words: wordsOnce},
			{name: "CAction twice, harmless last", write: wrapped(action, caction, ping), words: wordsOnce},
			{name: "CAction twice, in another case", write: wrapped(action, named("caction", "Ping"), named("CACTION", "{action}")), words: wordsOnce},
			{name: "an empty CAction first", write: wrapped(action, named("CAction", ""), caction), words: wordsNoCAction},
			{name: "an Action inside", write: wrapped(action, ping, named("Action", "{action}")), words: wordsOnce},
			{name: "an Action inside, no CAction", write: wrapped(action, named("Action", "{action}")), words: wordsNoCAction},
			{name: "an Action inside that is empty", write: wrapped(action, caction, named("Action", "")), words: wordsOnce},
			{name: "an empty Action first", write: wrapped(named("Action", ""), action, caction), words: wordsOnce},
			{name: "Custom of Custom", write: wrapped(action, named("CAction", "Custom"), caction), words: wordsOnce},
			{name: "repeated, harmless first", write: func(d *dangerous) string {
				if d.decides == "" {
					return ""
				}
				return nativeText(append([]codec.Header{action, named("CAction", d.action), named(d.decides, harmlessValue(d))}, d.headers...)...)
			}},
		} {
			r.name = custom + ", " + r.name
			roads = append(roads, r)
		}
	}
	return roads
}
