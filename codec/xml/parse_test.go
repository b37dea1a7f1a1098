package xml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/xml"
)

func TestParse(t *testing.T) {
	tests := map[string]struct {
		wire string
		want []codec.Header
	}{
		"attributes": {
			`<command action="originate" channel="SIP/100" CallerID='"A" &lt;1>'/>`,
			headers("Action", "originate", "channel", "SIP/100", "CallerID", `"A" <1>`),
		},
		"the action is first":        {`<command b="2" ACTION="Ping" a="1" />`, headers("Action", "Ping", "b", "2", "a", "1")},
		"names as they are spelled":  {`<Command aCtion="x" ActionID="1" chaNNel="2"/>`, headers("Action", "x", "ActionID", "1", "chaNNel", "2")},
		"any letter of a name":       {`<command action="x" a-1.b_C="y"/>`, headers("Action", "x", "a-1.b_C", "y")},
		"no value":                   {`<command action="x" a="" b="  "/>`, headers("Action", "x", "a", "", "b", "")},
		"blanks before a value":      {`<command action="  x " a="  1  2  "/>`, headers("Action", "x ", "a", "1  2  ")},
		"entities":                   {`<command action="x" a="&amp;&lt;&gt;&quot;&apos;&#65;&#x42;&#xe9;"/>`, headers("Action", "x", "a", `&<>"'AB`+"é")},
		"an entity of an entity":     {`<command action="x" a="&amp;lt;&#38;gt;"/>`, headers("Action", "x", "a", "&lt;&gt;")},
		"UTF-8":                      {"<command action='x' a='é\U0001F600'><b>ß</b></command>", headers("Action", "x", "a", "é\U0001F600", "b", "ß")},
		"a TAB is a blank":           {"<command action='x' a='1\t2&#9;3'/>", headers("Action", "x", "a", "1 2\t3")},
		"headers as children":        {`<command action="x"><header name="Variable">a=1</header><HEADER NAME='variable'>b=2</HEADER></command>`, headers("Action", "x", "Variable", "a=1", "variable", "b=2")},
		"children by their names":    {`<command action="x"><variable>a=1</variable><Variable>b=2</Variable></command>`, headers("Action", "x", "variable", "a=1", "Variable", "b=2")},
		"children behind attributes": {`<command variable="a" action="x"><variable>b</variable></command>`, headers("Action", "x", "variable", "a", "variable", "b")},
		"any name of a header":       {`<command action="x"><header name="ChanVariable(Local/x@y;1)&lt;">a</header></command>`, headers("Action", "x", "ChanVariable(Local/x@y;1)<", "a")},
		"pretty":                     {"<command\r\n  action='x'\r\n>\r\n  <a>\r\n\t1 2 \r\n</a>\r\n  <b/>\n</command\n>", headers("Action", "x", "a", "1 2", "b", "")},
		"line ends at the ends":      {"<command action='x'><a>&#13;&#10;1&#10;</a></command>", headers("Action", "x", "a", "1")},
		"CDATA":                      {"<command action='x'><a>1<![CDATA[<&amp;>]]>2</a></command>", headers("Action", "x", "a", "1<&amp;>2")},
		"comments":                   {"<!-- 1 --> <!-- 2 --><command action='x'><!-- 3 --><a>1<!-- 4 -->2</a></command>", headers("Action", "x", "a", "12")},
		"declaration":                {`<?xml version="1.0" encoding="UTF-8" ?><!-- 1 --><command action="x"/>`, headers("Action", "x")},
		"declaration, no encoding":   {`<?xml version='1.0'?><command action="x"/>`, headers("Action", "x")},
		"as many headers as may be":  {`<command` + attributes(127) + ` action="0"/>`, nHeaders(127)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := xml.Parse([]byte(tc.wire))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)

			// What Parse is said to read the Splitter finds whole.
			n, err := new(xml.Splitter).Next([]byte(tc.wire))
			require.NoError(t, err)
			require.Equal(t, len(tc.wire), n)
		})
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d="%d"`, i, i)
	}
	return b.String()
}

func nHeaders(n int) []codec.Header {
	hs := headers("Action", "0")
	for i := range n {
		hs = append(hs, headers(fmt.Sprintf("a%d", i), fmt.Sprint(i))...)
	}
	return hs
}

// Each has the ActionID 7 and a secret, which no error may tell.
func TestParseRefuses(t *testing.T) {
	const (
		command = `<command action="x" ActionID="7" secret="s3cret"`
		control = `the value of %q holds a line break or another control character`
		name    = "the name of a header may hold letters, digits and punctuation of ASCII, but no colon"
		entity  = "only &amp; &lt; &gt; &quot; &apos; and character references may follow an & (byte %d)"
		noChar  = "a control character or what is no character (byte %d)"
		header  = "an element header needs the attribute name and no other"
		space   = "namespaces are not allowed"
		declare = "the XML declaration may say version 1.0 and encoding UTF-8 only"
	)
	tests := map[string]struct {
		wire string
		want string
	}{
		"an attribute twice":                    {command + ` a="1" a="2"/>`, `attribute "a" is given twice`},
		"an attribute twice in other case":      {command + ` Channel="1" b="3" channel="1"/>`, `attribute "channel" is given twice`},
		"an action twice":                       {command + ` Action="y"/>`, `attribute "Action" is given twice`},
		"an action in a child":                  {command + `><action>y</action></command>`, "the action stands elsewhere than in the attribute action"},
		"an action in a header":                 {command + `><header name="ACTION">y</header></command>`, "the action stands elsewhere than in the attribute action"},
		"no action":                             {`<command ActionID="7"/>`, "it has no action"},
		"no action, but a child":                {`<command ActionID="7"><action>x</action></command>`, "it has no action"},
		"an empty action":                       {`<command action="" ActionID="7"/>`, "it has no action"},
		"a blank action":                        {`<command action="  " ActionID="7"/>`, "it has no action"},
		"bad UTF-8":                             {command + " a='\xe9'/>", "it is not UTF-8"},
		"bad UTF-8 in text":                     {command + "><a>\xc0\x80</a></command>", "it is not UTF-8"},
		"a surrogate in UTF-8":                  {command + " a='\xed\xa0\x80'/>", "it is not UTF-8"},
		"attribute injection":                   {command + ` a="1&#13;&#10;Action: y"/>`, fmt.Sprintf(control, "a")},
		"attribute injection in hex":            {command + ` a="1&#xD;&#x0A;Action: y"/>`, fmt.Sprintf(control, "a")},
		"attribute injection by LF":             {command + ` a="1&#10;Action: y"/>`, fmt.Sprintf(control, "a")},
		"attribute injection by CR":             {command + ` a="1&#13;Action: y"/>`, fmt.Sprintf(control, "a")},
		"attribute injection in the action":     {`<command action="x&#10;Action: y" ActionID="7"/>`, fmt.Sprintf(control, "action")},
		"injection by a child":                  {command + `><a>1&#13;&#10;Action: y</a></command>`, fmt.Sprintf(control, "a")},
		"injection by CDATA":                    {command + "><a><![CDATA[1\nAction: y]]></a></command>", fmt.Sprintf(control, "a")},
		"injection by a header":                 {command + `><header name="b">1&#10;Action: y</header></command>`, fmt.Sprintf(control, "b")},
		"injection by a name":                   {command + `><header name="b&#10;Action">y</header></command>`, name},
		"a line break at a value's beginning":   {command + ` a="&#10;1"/>`, fmt.Sprintf(control, "a")},
		"LF as it is":                           {command + " a='1\n2'/>", fmt.Sprintf(control, "a")},
		"CR as it is":                           {command + " a='1\r2'/>", fmt.Sprintf(control, "a")},
		"LF in a child's text":                  {command + "><a>1\n2</a></command>", fmt.Sprintf(control, "a")},
		"CR in a child's text":                  {command + "><a>1\r2</a></command>", fmt.Sprintf(control, "a")},
		"NUL":                                   {command + ` a="&#0;"/>`, fmt.Sprintf(noChar, 57)},
		"NUL as it is":                          {command + " a='\x00'/>", fmt.Sprintf(noChar, 54)},
		"a control character":                   {command + ` a="&#27;[2J"/>`, fmt.Sprintf(noChar, 61)},
		"a control character as it is":          {command + " a='\x1b'/>", fmt.Sprintf(noChar, 54)},
		"no character of Unicode":               {command + " a='\uFFFE'/>", fmt.Sprintf(noChar, 56)},
		"too deep":                              {command + `><a><b>1</b></a></command>`, `element "b" stands too deep`},
		"too deep in a header":                  {command + `><header name="a">1<b/></header></command>`, `element "b" stands too deep`},
		"far too deep":                          {command + ">" + strings.Repeat("<a>", 9000) + strings.Repeat("</a>", 9000) + "</command>", `element "a" stands too deep`},
		"a command inside":                      {command + `><command action="y"/></command>`, "a command stands inside another"},
		"a DTD":                                 {`<!DOCTYPE command>` + command + `/>`, "a DTD is not allowed"},
		"a DTD from elsewhere":                  {`<!DOCTYPE command SYSTEM "file:///etc/passwd">` + command + `/>`, "a DTD is not allowed"},
		"a bomb of entities":                    {`<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>` + command + ` a="&c;"/>`, "a DTD is not allowed"},
		"an entity declared inside":             {command + `><!ENTITY a "b"></command>`, "a DTD is not allowed"},
		"an unknown entity":                     {command + ` a="&nbsp;"/>`, fmt.Sprintf(entity, 58)},
		"an unknown entity in text":             {command + `><a>&s3cret;</a></command>`, fmt.Sprintf(entity, 60)},
		"an & alone":                            {command + ` a="s3&cret"/>`, fmt.Sprintf(entity, 59)},
		"a character far out":                   {command + ` a="&#x110000;"/>`, fmt.Sprintf(entity, 62)},
		"a character too far out":               {command + ` a="&#99999999999999999999999;"/>`, fmt.Sprintf(entity, 78)},
		"an open element":                       {command + `>`, fmt.Sprintf(notClosed, 49)},
		"an open child":                         {command + `><a>1`, fmt.Sprintf(notClosed, 53)},
		"an open comment":                       {command + `/><!-- `, "something stands behind the element"},
		"another end tag":                       {command + `></comand>`, fmt.Sprintf(wrongEnd, 58)},
		"another end tag of a child":            {command + `><a>1</b></command>`, fmt.Sprintf(wrongEnd, 57)},
		"an end tag in other case":              {command + `><a>1</A></command>`, fmt.Sprintf(wrongEnd, 57)},
		"an end tag alone":                      {`</command>`, "an end tag without its start tag (byte 10)"},
		"a prefix of the element":               {`<x:command xmlns:x="y" action="x" ActionID="7"/>`, space},
		"a prefix of an attribute":              {command + ` x:a="1"/>`, space},
		"a prefix that means another name":      {command + ` xml:lang="en"/>`, space},
		"a prefix of a child":                   {command + `><x:a>1</x:a></command>`, space},
		"a prefix of a header's name":           {command + `><header x:name="a">1</header></command>`, header},
		"a namespace":                           {command + ` xmlns="urn:x"/>`, space},
		"no namespace":                          {command + ` xmlns=""/>`, space},
		"a namespace declared":                  {command + ` xmlns:x="urn:x"/>`, space},
		"a namespace of a child":                {command + `><a xmlns="urn:x">1</a></command>`, space},
		"a colon in a header's name":            {command + `><header name="a: b">1</header></command>`, name},
		"a colon alone in a header's name":      {command + `><header name="a:">1</header></command>`, name},
		"a colon before an attribute's name":    {command + ` :a="1"/>`, name},
		"a blank in a header's name":            {command + `><header name=" a">1</header></command>`, name},
		"an empty name":                         {command + `><header name="">1</header></command>`, name},
		"letters beyond ASCII":                  {command + ` é="1"/>`, name},
		"letters beyond ASCII in a child":       {command + `><é>1</é></command>`, name},
		"DEL in a header's name":                {command + `><header name="a` + "\x7f" + `">1</header></command>`, name},
		"a header without its name":             {command + `><header>1</header></command>`, header},
		"a header with another attribute":       {command + `><header name="a" value="1"/></command>`, header},
		"a header with its name twice":          {command + `><header name="a" name="b">1</header></command>`, header},
		"a child with an attribute":             {command + `><a name="b">1</a></command>`, `element "a" has attributes`},
		"too many attributes":                   {command + attributes(126) + `/>`, "it has more than 128 headers"},
		"far too many attributes":               {command + attributes(5000) + `/>`, "it has more than 128 headers"},
		"too many children":                     {command + `>` + strings.Repeat("<a/>", 126) + `</command>`, "it has more than 128 headers"},
		"too many attributes but for an action": {`<command ActionID="7"` + attributes(127) + `/>`, "it has more than 128 headers"},
		"nothing":                               {"", "it is empty"},
		"white space":                           {" \r\n", "it is empty"},
		"a comment":                             {"<!-- 1 -->", "it is empty"},
		"another element":                       {`<policy ActionID="7"/>`, `the element is named "policy", not command`},
		"an element whose name has no end":      {"<" + strings.Repeat("a", 9000) + "/>", fmt.Sprintf("the element is named %q, not command", strings.Repeat("a", 64))},
		"text":                                  {command + `>s3cret</command>`, "text at byte 49 stands in no header"},
		"text behind a child":                   {command + `><a/>s3cret</command>`, "text at byte 53 stands in no header"},
		"CDATA in no header":                    {command + `><![CDATA[s3cret]]></command>`, "text at byte 49 stands in no header"},
		"text in front":                         {`s3cret` + command + `/>`, "text at byte 0 stands in no header"},
		"text behind":                           {command + `/>s3cret`, "something stands behind the element"},
		"two elements":                          {command + `/>` + pingXML, "something stands behind the element"},
		"an instruction":                        {`<?php 1?>` + command + `/>`, "a processing instruction is not allowed"},
		"an instruction inside":                 {command + `><?xml version="1.0"?></command>`, "a processing instruction is not allowed"},
		"a declaration behind a comment":        {`<!-- 1 --><?xml version="1.0"?>` + command + `/>`, "a processing instruction is not allowed"},
		"another encoding":                      {`<?xml version="1.0" encoding="ISO-8859-1"?>` + command + `/>`, declare},
		"another encoding, with blanks":         {`<?xml version="1.0" encoding = 'latin1'?>` + command + `/>`, declare},
		"another version":                       {`<?xml version="1.1"?>` + command + `/>`, declare},
		"no version":                            {`<?xml encoding="UTF-8"?>` + command + `/>`, declare},
		"a declaration not closed":              {`<?xml version="1.0">` + command + `/>`, fmt.Sprintf(notClosed, 70)},
		"-- in a comment":                       {`<!-- -- -->` + command + `/>`, "a -- in a comment (byte 8)"},
		"< in a value":                          {command + ` a="<"/>`, "a < in an attribute value (byte 53)"},
		"no quotes":                             {command + ` a=1/>`, fmt.Sprintf(noXML, 52)},
		"no value":                              {command + ` a/>`, fmt.Sprintf(noXML, 51)},
		"a quote too many":                      {command + `s3cret" a="1"/>`, fmt.Sprintf(noXML, 55)},
		"]]> in text":                           {command + `><a>]]></a></command>`, fmt.Sprintf(noXML, 55)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := parse(t, []byte(tc.wire))
			require.Equal(t, tc.want, got.Reason)
			if strings.Contains(tc.wire, "ActionID") {
				require.Equal(t, "7", got.ID)
			} else {
				require.Empty(t, got.ID)
			}
			require.NotContains(t, got.Reason, "cret")
		})
	}
}

// The ActionID of a message is read as far as there is one, whatever else is wrong.
func TestActionIDOfWhatIsNoMessage(t *testing.T) {
	tests := map[string]struct{ wire, want string }{
		"in any case":                 {`<command ACTIONid="7"/>`, "7"},
		"white space":                 {"<command\nactionid\r\n =\t'7'/>", "7"},
		"behind other values":         {`<command a='"' b="'" actionid="7"/>`, "7"},
		"behind a value not quoted":   {`<command a=1 actionid="7"/>`, "7"},
		"behind a DTD":                {`<!DOCTYPE a "b"><command actionid="7"/>`, "7"},
		"the first counts":            {`<command actionid="7" ActionID="8"/>`, "7"},
		"entities":                    {`<command actionid="&lt;&#55;"/>`, "<7"},
		"blanks":                      {`<command actionid="  7 "/>`, "7 "},
		"as a value, cut off":         {`<command actionid="7`, ""},
		"in another value":            {`<command a=' actionid="7"'/>`, ""},
		"the end of another name":     {`<command xactionid="7" />`, ""},
		"no attribute":                {`<command actionid "7" />`, ""},
		"no name before":              {`="7"`, ""},
		"nothing but the name":        {`actionid="7"`, ""},
		"a line break":                {`<command actionid="7&#10;" />`, ""},
		"a line break as it is":       {"<command actionid='7\n' />", ""},
		"an unknown entity":           {`<command actionid="&x;" />`, ""},
		"bad UTF-8":                   {"<command actionid='\xff' />", ""},
		"an element":                  {`<command actionid="<a>" />`, ""},
		"a quote without its partner": {`<!-- don't --><command actionid="7"/>`, "7"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := parse(t, []byte(tc.wire))
			require.NotEmpty(t, got.Reason)
			require.Equal(t, tc.want, got.ID)
		})
	}
}

// What Parse returns may be kept: the caller's buffer is read into again.
func TestParseSharesNothing(t *testing.T) {
	wire := []byte(`<command action="x" a="1"><b>2</b><c>3</c></command>`)
	got, err := xml.Parse(wire)
	require.NoError(t, err)
	clear(wire)
	require.Equal(t, headers("Action", "x", "a", "1", "b", "2", "c", "3"), got)
}
