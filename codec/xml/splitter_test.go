package xml_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec/xml"
)

const (
	notClosed   = "something is not closed (byte %d)"
	nulFirst    = "a NUL stands before the end of the message"
	nextFirst   = "the next command begins before the end of this one"
	textInstead = "text stands where an element must"
	tooLong     = "the message is longer than 65536 bytes"
	noXML       = "it is no XML (byte %d)"
	wrongEnd    = "an end tag that belongs to another element (byte %d)"
)

func good(pairs ...string) message { return message{Headers: headers(pairs...)} }

func bad(reason string, args ...any) message { return message{Reason: fmt.Sprintf(reason, args...)} }

var (
	ping   = good("Action", "ping")
	login  = good("Action", "login", "user", "u")
	setvar = good("Action", "setvar", "variable", "a=1")
)

const (
	pingXML   = `<command action="ping"/>`
	loginXML  = `<command action="login" user='u' />`
	setvarXML = `<command action="setvar"><variable>a=1</variable></command>`
)

// streams are whole conversations.
var streams = map[string]struct {
	wire string
	want []message
	left string // what has not ended
}{
	"one":                       {wire: pingXML, want: []message{ping}},
	"nothing between":           {wire: pingXML + setvarXML + loginXML, want: []message{ping, setvar, login}},
	"NUL between":               {wire: pingXML + "\x00" + setvarXML + "\x00\x00" + loginXML + "\x00", want: []message{ping, setvar, login}},
	"LF between":                {wire: pingXML + "\n" + setvarXML + "\n" + loginXML + "\n", want: []message{ping, setvar, login}},
	"CRLF and blanks between":   {wire: "\r\n " + pingXML + "\r\n\r\n\t" + setvarXML + "  " + loginXML, want: []message{ping, setvar, login}},
	"any case":                  {wire: "<COMMAND ACTION='ping'></COMMAND>" + pingXML, want: []message{good("Action", "ping"), ping}},
	"not yet ended":             {wire: pingXML + "<command action='p", want: []message{ping}, left: "<command action='p"},
	"only begun":                {wire: pingXML + "<", want: []message{ping}, left: "<"},
	"ends of tags in values":    {wire: `<command action="a/>b" x='"/>'/>` + pingXML, want: []message{good("Action", "a/>b", "x", `"/>`), ping}},
	"a slash that ends no tag":  {wire: `<command action="a" / ></command>` + pingXML, want: []message{bad(noXML, 22), ping}},
	"white space in tags":       {wire: "<command\n\taction = \"ping\"\r\n/>" + "<command\naction='ping'\n></command\n>" + pingXML, want: []message{ping, ping, ping}},
	"names like command":        {wire: `<commander><commands/></commander>` + `<command action='a'><commands>x</commands></command>`, want: []message{bad(`the element is named "commander", not command`), good("Action", "a", "commands", "x")}},
	"children":                  {wire: `<command action="a"><b/><c></c><d>/></d></command>` + pingXML, want: []message{good("Action", "a", "b", "", "c", "", "d", "/>"), ping}},
	"declaration":               {wire: `<?xml version="1.0"?>` + pingXML + "\x00<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n" + pingXML, want: []message{ping, ping}},
	"comments":                  {wire: `<!----><!-- <command action="a"/> - -> ' -->` + pingXML + `<command action="a"><!-- </command> --><b>1<!-->-->2</b></command>`, want: []message{ping, good("Action", "a", "b", "12")}},
	"CDATA":                     {wire: `<command action="a"><b><![CDATA[</command><command>]]]]><![CDATA[>]]></b></command>` + pingXML, want: []message{good("Action", "a", "b", "</command><command>]]>"), ping}},
	"another element":           {wire: `<policy><a/></policy>` + pingXML, want: []message{bad(`the element is named "policy", not command`), ping}},
	"a DTD":                     {wire: `<!DOCTYPE c [<!-- it's > --><!ENTITY a "]>&gt;<command action='x'/>"><?x?>]>` + pingXML + pingXML, want: []message{bad("a DTD is not allowed"), ping}},
	"a DTD inside":              {wire: `<command action="a"><!ENTITY b ">"></command>` + pingXML, want: []message{bad("a DTD is not allowed"), ping}},
	"elements in a DTD":         {wire: `<!DOCTYPE c [<x>< y></x>]>` + pingXML + pingXML, want: []message{bad("a DTD is not allowed"), ping}},
	"a quote in an end tag":     {wire: `<command action="a"></command <"/>` + pingXML, want: []message{bad(noXML, 31), ping}},
	"what looks like a DTD":     {wire: `<!x><!-><![CDATAx]]>` + pingXML + pingXML, want: []message{bad("a DTD is not allowed"), ping}},
	"a declaration not closed":  {wire: `<?xml version="1.0">` + pingXML + pingXML, want: []message{bad(notClosed, 44), ping}},
	"another instruction":       {wire: `<?php x?>` + pingXML + pingXML, want: []message{bad("a processing instruction is not allowed"), ping}},
	"ended by NUL":              {wire: "<command action='a'>\x00" + pingXML, want: []message{bad(nulFirst), ping}},
	"ended by NUL in a value":   {wire: "<command actionid='7' action='a\x00" + pingXML, want: []message{{Reason: nulFirst, ID: "7"}, ping}},
	"ended by NUL in a comment": {wire: "<!-- \x00" + pingXML, want: []message{bad(nulFirst), ping}},
	"ended by NUL in CDATA":     {wire: "<command action='a'><b><![CDATA[\x00" + pingXML, want: []message{bad(nulFirst), ping}},
	"ended by NUL in a DTD":     {wire: "<!DOCTYPE [ '\x00" + pingXML, want: []message{bad(nulFirst), ping}},
	"NUL behind a declaration":  {wire: `<?xml version="1.0"?>` + "\x00" + pingXML, want: []message{bad(nulFirst), ping}},
	"begun, then NUL":           {wire: "<\x00" + pingXML, want: []message{bad(nulFirst), ping}},
	"an open value":             {wire: `<command action="a actionid='7'/>` + "\n" + pingXML, want: []message{{Reason: nextFirst, ID: "7"}, ping}},
	"an open tag":               {wire: `<command action="a" actionid='7'` + "\n" + pingXML, want: []message{{Reason: nextFirst, ID: "7"}, ping}},
	"an open element":           {wire: `<command ActionID="&lt;7" action="a">` + pingXML, want: []message{{Reason: nextFirst, ID: "<7"}, ping}},
	"an open child":             {wire: `<command action="a"><b>` + pingXML, want: []message{bad(nextFirst), ping}},
	"an open name":              {wire: `<comm` + pingXML + "<" + pingXML, want: []message{bad(nextFirst), ping, bad(nextFirst), ping}},
	"an open end tag":           {wire: `<command action="a"></command` + pingXML, want: []message{bad(nextFirst), ping}},
	"an open end tag, no name":  {wire: `<command action="a"></` + pingXML, want: []message{bad(nextFirst), ping}},
	"another element, open":     {wire: `<policy>` + pingXML, want: []message{bad(nextFirst), ping}},
	"no command in a value":     {wire: `<command action="a<b <commands <<comm"/>` + pingXML, want: []message{bad("a < in an attribute value (byte 19)"), ping}},
	"text in front":             {wire: `<!-- a -->text` + pingXML, want: []message{bad(textInstead), ping}},
	"text behind":               {wire: pingXML + "text" + pingXML, want: []message{ping, ping}},
	"an end tag alone":          {wire: "</command>" + pingXML + "</a>" + pingXML, want: []message{bad("an end tag without its start tag (byte 10)"), ping, bad("an end tag without its start tag (byte 4)"), ping}},
	"a child not closed":        {wire: `<command action="a"><b>1</command>` + pingXML, want: []message{bad(wrongEnd, 34), ping}},
	"another end tag":           {wire: `<command action="a"></policy>` + pingXML, want: []message{bad(wrongEnd, 29), ping}},
	"another case":              {wire: `<command action="a"></Command>` + pingXML, want: []message{bad(wrongEnd, 30), ping}},
	"< in text":                 {wire: `<command action="a"><b>1 < 2</b></command>` + pingXML, want: []message{bad(noXML, 26), ping}},
	"< in a tag":                {wire: `<command action="a" <b></command>` + pingXML, want: []message{bad(noXML, 20), ping}},
	"no name":                   {wire: `< command action="a"/>` + pingXML, want: []message{bad(noXML, 1), ping}},
}

func TestSplitter(t *testing.T) {
	for name, tc := range streams {
		t.Run(name, func(t *testing.T) {
			c := readAll(t, []byte(tc.wire))
			require.Equal(t, tc.want, c.messages)
			require.Equal(t, tc.left, string(c.buf))
			require.Zero(t, c.skipped)
		})
	}
}

func TestHowBytesComeDoesNotMatter(t *testing.T) {
	for name, tc := range streams {
		t.Run(name, func(t *testing.T) {
			wire := []byte(tc.wire)
			want := readAll(t, wire)
			requireSame(t, want, readAll(t, byteByByte(wire)...))
			for i := range wire {
				requireSame(t, want, readAll(t, wire[:i], wire[i:]))
			}
		})
	}
}

// long is a command of n bytes whose action is a.
func long(n int) string {
	const before, after = `<command ActionID="7" action="a" value="`, `"/>`
	return before + strings.Repeat("x", n-len(before)-len(after)) + after
}

func TestMessageOverMaxMessageIsSkipped(t *testing.T) {
	const most = xml.MaxMessage
	over := message{Reason: tooLong, ID: "7"}
	tests := map[string]struct {
		wire     string
		want     []message
		skipped  int
		skipping bool
	}{
		"as long as may be":         {wire: long(most) + pingXML, want: []message{good("ActionID", "7"), ping}},
		"one byte more":             {wire: long(most+1) + "\n" + pingXML, want: []message{over, ping}, skipped: 2},
		"up to a NUL":               {wire: long(most+9) + "\x00" + pingXML, want: []message{over, ping}, skipped: 10},
		"far longer":                {wire: long(3*most) + "\x00 \n" + pingXML, want: []message{over, ping}, skipped: 2*most + 1},
		"not ended":                 {wire: long(3*most) + pingXML, want: []message{over}, skipped: 2*most + len(pingXML), skipping: true},
		"a new line, no element":    {wire: long(most+9) + "\nx\n " + pingXML + "\r\n" + pingXML, want: []message{over, ping}, skipped: 9 + 1 + 2 + 1 + len(pingXML) + 2},
		"NUL right behind":          {wire: long(most + 3)[:most] + "\x00" + pingXML, want: []message{over, ping}, skipped: 1},
		"new line right behind":     {wire: long(most + 3)[:most] + "\n" + pingXML, want: []message{over, ping}, skipped: 1},
		"new line as the last byte": {wire: long(most + 3)[:most-1] + "\n" + pingXML, want: []message{over, ping}},
		"a next command across":     {wire: long(most + 9)[:most-4] + pingXML + "\n" + pingXML, want: []message{over, ping}, skipped: len(pingXML) - 4 + 1},
		"a next one too long":       {wire: long(most+1) + "\n" + long(most+1) + "\x00", want: []message{over, over}, skipped: 4},
		"before its comment ends":   {wire: "<!--" + strings.Repeat("-", most) + "\n" + pingXML, want: []message{bad(tooLong), ping}, skipped: 5},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			wire := []byte(tc.wire)
			c := readAll(t, wire)
			for i := range c.messages {
				if hs := c.messages[i].Headers; len(hs) > 2 { // the long value
					c.messages[i].Headers = hs[1:2]
				}
			}
			require.Equal(t, tc.want, c.messages)
			require.Equal(t, tc.skipped, c.skipped)
			require.Equal(t, tc.skipping, c.splitter.Skipping())

			c = readAll(t, wire)
			for _, i := range []int{1, most - 20, most - 1, most, most + 1} {
				if i < len(wire) {
					requireSame(t, c, readAll(t, wire[:i], wire[i:]))
				}
			}
			from, to := most-20, min(most+60, len(wire))
			requireSame(t, c, readAll(t, slices.Concat([][]byte{wire[:from]}, byteByByte(wire[from:to]), [][]byte{wire[to:]})...))
		})
	}
}

func TestSplitterDoesNotAllocate(t *testing.T) {
	var s xml.Splitter
	wire := []byte(setvarXML + pingXML)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for rest := wire; len(rest) > 0; {
			n, err := s.Next(rest)
			if n == 0 || err != nil {
				panic("no message")
			}
			rest = rest[n:]
		}
	}))
}

func TestSyntaxErrorIsForTheClient(t *testing.T) {
	_, err := xml.Parse([]byte(`<command ActionID="a&amp;1"/>`))
	require.EqualError(t, err, "Failed to parse message: it has no action")
	require.Equal(t, &xml.SyntaxError{Reason: "it has no action", ActionID: "a&1"}, err)
}
