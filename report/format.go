package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ampd/stats"
)

// isTime tells whether a column's name says that it has seconds.
func isTime(name string) bool { return strings.HasSuffix(name, "_seconds") }

// csv writes a line of names and one for each row.
func (r *report) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	line := func(text func(i int) string) error {
		var cells []string
		for i, c := range r.columns {
			if !c.data {
				cells = append(cells, text(i))
			}
		}
		return out.Write(cells)
	}
	if err := line(func(i int) string { return r.columns[i].name }); err != nil {
		return err
	}
	for _, row := range r.rows {
		if err := line(func(i int) string { return plain(row[i]) }); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// plain is a value for programs.
func plain(v value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return fmt.Sprint(v)
}

// json writes one object: numbers are numbers, what there is not is null. Members stand in the
// order of the columns.
func (r *report) json(w io.Writer, calendar stats.Calendar) error {
	type gap struct {
		Begin  string `json:"begin"`
		End    string `json:"end"`
		Reason string `json:"reason"`
	}
	all := struct {
		Report string            `json:"report"`
		From   string            `json:"from"`
		To     string            `json:"to"`
		Rows   []json.RawMessage `json:"rows"`
		Gaps   []gap             `json:"gaps"`
	}{r.subject, r.from, r.to, []json.RawMessage{}, []gap{}}
	for _, row := range r.rows {
		object, err := r.object(row)
		if err != nil {
			return err
		}
		all.Rows = append(all.Rows, object)
	}
	for _, g := range r.gaps {
		all.Gaps = append(all.Gaps, gap{written(g.Begin, calendar), written(g.End, calendar), g.Reason})
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(all)
}

func (r *report) object(row []value) (json.RawMessage, error) {
	var b bytes.Buffer
	for i, c := range r.columns {
		text, err := json.Marshal(row[i])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, ", %q: %s", c.name, text)
	}
	return append(append(json.RawMessage("{"), b.Bytes()[2:]...), '}'), nil
}

// table writes a table for people: figures that are 0 everywhere are left out.
func (r *report) table(w io.Writer, calendar stats.Calendar) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s", r.title(), r.from)
	if r.to != r.from {
		fmt.Fprintf(&b, " to %s", r.to)
	}
	b.WriteString("\n\n")
	if len(r.rows) == 0 {
		b.WriteString("nothing\n")
	} else {
		r.grid(&b)
	}
	for _, g := range r.gaps {
		fmt.Fprintf(&b, "\nNobody watched from %s to %s: %s.", written(g.Begin, calendar), written(g.End, calendar), g.Reason)
	}
	if len(r.gaps) > 0 {
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *report) title() string {
	switch r.subject {
	case "queues":
		return "Queues"
	case "agents":
		return "Agents"
	}
	return "Callers to call back"
}

// grid writes the columns that there is something to see of, their names in lines of single
// words above them.
func (r *report) grid(b *strings.Builder) {
	rows := slices.Clone(r.rows)
	if r.total != nil {
		rows = append(rows, r.total)
	}
	var heads [][]string
	var columns [][]string // the cells of each
	var right []bool
	height := 0
	for i, c := range r.columns {
		if c.data || c.quiet && !slices.ContainsFunc(rows, func(row []value) bool { return row[i] != int64(0) }) {
			continue
		}
		cells := make([]string, len(rows))
		number := false
		for n, row := range rows {
			cells[n] = readable(c, row[i])
			if _, text := row[i].(string); !text && row[i] != nil {
				number = true
			}
		}
		words := strings.Split(strings.TrimSuffix(c.name, "_seconds"), "_")
		if words[len(words)-1] == "percent" {
			words[len(words)-1] = "%"
		}
		heads, columns, right = append(heads, words), append(columns, cells), append(right, number)
		height = max(height, len(words))
	}
	widths := make([]int, len(columns))
	for i := range columns {
		for _, cell := range append(slices.Clone(heads[i]), columns[i]...) {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(cell func(i int) string) {
		var text strings.Builder
		for i := range columns {
			if i > 0 {
				text.WriteString("  ")
			}
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell(i)))
			if right[i] {
				text.WriteString(space + cell(i))
			} else {
				text.WriteString(cell(i) + space)
			}
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
	for n := range height {
		line(func(i int) string {
			if at := n - (height - len(heads[i])); at >= 0 {
				return heads[i][at]
			}
			return ""
		})
	}
	for n := range rows {
		line(func(i int) string { return columns[i][n] })
	}
}

// readable is a value for people. What clients chose can't move their terminal's cursor.
func readable(c column, v value) string {
	if n, ok := v.(int64); ok && c.seconds {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, plain(v))
}
