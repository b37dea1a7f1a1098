package xml_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec/xml"
)

func FuzzRead(f *testing.F) {
	for _, stream := range streams {
		f.Add([]byte(stream.wire))
	}
	f.Add([]byte(long(xml.MaxMessage+1) + "\n" + pingXML))
	f.Add([]byte("<command action='x' a='1&#13;&#10;Action: y'/>\x00<command\r\na='\t&#9;é&apos;&#x42;' action='x'><header name='b(;'> 1\r\n</header></command>"))
	f.Fuzz(requireLawsOfReading)
}

// TestLawsOnMadeMessages puts streams together from the pieces that matter, which chance
// alone seldom does.
func TestLawsOnMadeMessages(t *testing.T) {
	pieces := []string{
		"<", ">", "/>", "</", "'", `"`, "=", " ", "\n", "\x00", "<command", "<COMMAND ", "</command>", "</a>", "<a>", "<a ", ` action="x"`,
		" action='&#10;'", " b='", "<!--", "-->", "--", "<![CDATA[", "]]>", "<!DOCTYPE ", "<!", "[", "]", "<?xml version='1.0'?>", "<?", "?>", "&lt;", "&a;",
		"text", "é", "\xff", "\r\n<", pingXML, setvarXML, "<header name='n'>", "</header>", strings.Repeat("x", xml.MaxMessage-20),
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var wire []byte
		for range 1 + random.IntN(24) {
			piece := pieces[random.IntN(len(pieces))]
			if len(piece) > 1000 && random.IntN(40) > 0 {
				continue
			}
			wire = append(wire, piece...)
		}
		requireLawsOfReading(t, wire)
	}
}

// requireLawsOfReading checks what holds for whatever a client sends. That no byte is looked at
// twice the client itself checks.
func requireLawsOfReading(t *testing.T, wire []byte) {
	got := readAll(t, wire)
	requireSame(t, got, readAll(t, byteByByte(wire)...))
	requireSame(t, got, readAll(t, wire[:len(wire)/2], wire[len(wire)/2:]))
	require.Less(t, len(got.buf), xml.MaxMessage)

	for _, m := range got.messages {
		require.False(t, strings.ContainsAny(m.ID, "\r\n\x00"))
		if m.Reason != "" {
			require.Empty(t, m.Headers)
			continue
		}
		require.Equal(t, "Action", m.Headers[0].Name)
		require.NotEmpty(t, m.Headers[0].Value)
		require.LessOrEqual(t, len(m.Headers), 128)
		for i, h := range m.Headers {
			require.NotEmpty(t, h.Name)
			require.False(t, strings.ContainsAny(h.Name, " :\r\n\x00"), h.Name)
			require.False(t, strings.ContainsAny(h.Value, "\r\n\x00"), h.Value)
			require.Equal(t, i == 0, strings.EqualFold(h.Name, "Action"), h.Name)
		}

		// What was read, written and read again is the same, as far as children do not
		// lose the blanks at their ends.
		again := readAll(t, xml.AppendElement(nil, "command", m.Headers)).messages
		require.Len(t, again, 1)
		want := written("command", m.Headers)
		want[0].Name = "Action"
		require.Len(t, again[0].Headers, len(want), again[0].Reason)
		for i, h := range again[0].Headers {
			require.Equal(t, want[i].Name, h.Name)
			require.Equal(t, strings.TrimRight(want[i].Value, " \t"), strings.TrimRight(h.Value, " \t"))
		}
	}

	// Parse takes care of itself.
	if m := parse(t, wire); m.Reason == "" {
		require.Equal(t, "Action", m.Headers[0].Name)
	}
}

func FuzzAppendElement(f *testing.F) {
	f.Add("Response", "Success", "ActionID", "1", "actionid", "2")
	f.Add("ChanVariable(Local/x@y-00000001;1)", "CAMPAIGN=", "", "text", "xmlns", "a")
	f.Add("Message", "a\r\n<b/>\t&amp;", "Output", "  \xff ", "Output", "\uFFFE\uFFFF\x00")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2, name3, value3 string) {
		hs := headers(name1, value1, name2, value2, name3, value3)
		for _, element := range []string{"command", "event"} {
			requireReadsBack(t, element, hs)
			requireReadsBack(t, element, append(headers("Event", "X", "RESPONSE", value3), hs...))
		}
		requireErrorReadsBack(t, value1, value2)
	})
}
