package tests

import (
	"fmt"
	"slices"
	"strings"

	"ampd/codec"
)

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#9;")

// references writes all of a text so.
func references(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// An element is a message in XML. Attributes stand there once, so headers that
// repeat become children.
func element(action string, attributes, children []codec.Header) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<command action="%s"`, action)
	for _, h := range attributes {
		fmt.Fprintf(&b, ` %s="%s"`, h.Name, xmlEscapes.Replace(h.Value))
	}
	if len(children) == 0 {
		return b.String() + "/>\n"
	}
	b.WriteByte('>')
	for _, h := range children {
		fmt.Fprintf(&b, `<header name="%s">%s</header>`, h.Name, xmlEscapes.Replace(h.Value))
	}
	return b.String() + "</command>\n"
}

// single are the headers that can be attributes: the first of each name.
func single(headers []codec.Header) (attributes, children []codec.Header) {
	for _, h := range headers {
		if slices.ContainsFunc(attributes, func(a codec.Header) bool { return strings.EqualFold(a.Name, h.Name) }) {
			children = append(children, h)
		} else {
			attributes = append(attributes, h)
		}
	}
	return attributes, children
}

func xmlRoads() []way {
	onlyDeciding := func(write func(d *dangerous) string) func(d *dangerous) string {
		return func(d *dangerous) string {
			if d.decides == "" {
				return ""
			}
			return write(d)
		}
	}
	all := func(write func(action string, headers []codec.Header) string) func(d *dangerous) string {
		return func(d *dangerous) string { return write(d.action, d.headers) }
	}
	attributes := func(action string, headers []codec.Header) string {
		a, c := single(headers)
		return element(action, a, c)
	}
	roads := []way{
		{name: "attributes", write: all(attributes)},
		{name: "odd case", write: all(func(action string, headers []codec.Header) string {
			a, c := single(headers)
			for i := range a {
				a[i].Name = oddCase(a[i].Name)
			}
			return strings.Replace(element(oddCase(action), a, c), " action=", " aCtIoN=", 1)
		})},
		{name: "cmd:", write: all(func(action string, headers []codec.Header) string { return "cmd:" + attributes(action, headers) })},
		{name: "children", write: all(func(action string, headers []codec.Header) string { return element(action, nil, headers) })},
		{name: "children with names of their own", write: all(func(action string, headers []codec.Header) string {
			if slices.ContainsFunc(headers, func(h codec.Header) bool { return strings.EqualFold(h.Name, "command") }) {
				return "" // <command> begins a message
			}
			text := fmt.Sprintf(`<command action="%s">`, action)
			for _, h := range headers {
				text += fmt.Sprintf("<%[1]s>%[2]s</%[1]s>", strings.ToLower(h.Name), xmlEscapes.Replace(h.Value))
			}
			return text + "</command>\n"
		})},
		{name: "CDATA", write: all(func(action string, headers []codec.Header) string {
			text := fmt.Sprintf(`<command action="%s">`, action)
			for _, h := range headers {
				text += fmt.Sprintf(`<header name="%s"><![CDATA[%s]]></header>`, h.Name, h.Value)
			}
			return text + "</command>\n"
		})},
		{name: "character references", write: all(func(action string, headers []codec.Header) string {
			text := fmt.Sprintf(`<command action="%s">`, references(action))
			for _, h := range headers {
				text += fmt.Sprintf(`<header name="%s">%s</header>`, references(h.Name), references(h.Value))
			}
			return text + "</command>\n"
		})},
		{name: "blanks in a child's name", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, nil, d.said("", d.deciding(func(h codec.Header) []codec.Header { return same(named(h.Name+" ", h.Value)) }))[1:])
		}), why: notItsHeader},
		{name: "a harmless attribute, then a child", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, []codec.Header{named(d.decides, harmlessValue(d))}, d.headers)
		})},
		{name: "an empty attribute, then a child", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, []codec.Header{named(d.decides, "")}, d.headers)
		}), words: wordsEmpty},
		{name: "a harmless child first", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, nil, append([]codec.Header{named(d.decides, harmlessValue(d))}, d.headers...))
		})},
		{name: "a harmless child last", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, nil, append(slices.Clone(d.headers), named(d.decides, harmlessValue(d))))
		})},
		{name: "bars between variables", write: func(d *dangerous) string {
			if d.decides != "Variable" || d.action != "Originate" {
				return ""
			}
			return element(d.action, nil, d.said("", d.deciding(func(h codec.Header) []codec.Header { return same(named(h.Name, "A=1|"+h.Value)) }))[1:])
		}},
		{name: "a child Action", write: func(d *dangerous) string {
			return element("Ping", nil, append([]codec.Header{named("Action", d.action)}, d.headers...))
		}, why: theFirst},
		{name: "a line break in an attribute", write: func(d *dangerous) string {
			return fmt.Sprintf("<command action=\"Ping\" x=\"%s\"/>\n", "1&#13;&#10;&#13;&#10;"+strings.ReplaceAll(xmlEscapes.Replace(d.text), "\n", "&#13;&#10;")+"&#13;&#10;&#13;&#10;")
		}, words: generalError},
		{name: "a line break in a name", write: func(d *dangerous) string {
			return fmt.Sprintf("<command action=\"Ping\"><header name=\"x: 1&#10;&#10;Action: %s&#10;y\">1</header></command>\n", d.action)
		}, words: generalError},
		{name: "attributes twice", write: onlyDeciding(func(d *dangerous) string {
			return element(d.action, append([]codec.Header{named(d.decides, harmlessValue(d))}, d.headers...), nil)
		}), words: generalError},
	}
	for _, custom := range customs {
		wrapped := func(put func(d *dangerous) (attributes, children []codec.Header)) func(d *dangerous) string {
			return func(d *dangerous) string {
				a, c := put(d)
				more, rest := single(d.headers)
				return element(custom, append(a, more...), append(c, rest...))
			}
		}
		for _, r := range []way{
			{name: "plain", write: wrapped(func(d *dangerous) (a, c []codec.Header) { return []codec.Header{named("caction", d.action)}, nil })},
			{name: "CAction a child", write: wrapped(func(d *dangerous) (a, c []codec.Header) { return nil, []codec.Header{named("CAction", d.action)} })},
			{name: "CAction twice, harmless first", words: wordsOnce, write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return []codec.Header{named("caction", "Ping")}, []codec.Header{named("CAction", d.action)}
			})},
			{name: "CAction twice, harmless last", words: wordsOnce, write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return []codec.Header{named("caction", d.action)}, []codec.Header{named("CAction", "Ping")}
			})},
			{name: "an Action inside", words: generalError, write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return []codec.Header{named("caction", "Ping")}, []codec.Header{named("Action", d.action)}
			})},
			{name: "an Action inside, no CAction", words: generalError, write: wrapped(func(d *dangerous) (a, c []codec.Header) {
				return nil, []codec.Header{named("Action", d.action)}
			})},
		} {
			r.name = custom + ", " + r.name
			roads = append(roads, r)
		}
	}
	for i := range roads {
		roads[i].name, roads[i].xml = "XML: "+roads[i].name, true
	}
	return roads
}
