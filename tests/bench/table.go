package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A table is printed as Markdown, unless it is empty.
type table struct {
	title   string
	note    string // a paragraph under the title
	columns []string
	rows    [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	widths := make([]int, len(t.columns))
	for _, row := range append([][]string{t.columns}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(w, "|")
	}
	fmt.Fprintf(w, "\n### %s\n\n", t.title)
	if t.note != "" {
		fmt.Fprintf(w, "%s\n\n", t.note)
	}
	line(t.columns)
	for _, width := range widths {
		fmt.Fprintf(w, "| %s ", strings.Repeat("-", width))
	}
	fmt.Fprintln(w, "|")
	for _, row := range t.rows {
		line(row)
	}
}

// verdict says whether a figure reaches its goal.
func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

// atMost is a goal that a figure must not exceed, and whether it does.
func atMost(figure, goal float64) string {
	return fmt.Sprintf("≤ %s: %s", short(goal), verdict(figure <= goal))
}

// atLeast is a goal that a figure must reach, and whether it does.
func atLeast(figure, goal float64) string {
	return fmt.Sprintf("≥ %s: %s", short(goal), verdict(figure >= goal))
}
