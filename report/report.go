package report

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"ampd/history"
	"ampd/stats"
)

// Names are what there are reports of, and the formats.
var (
	Subjects = []string{"queues", "agents", "abandoned"}
	Formats  = []string{"table", "csv", "json"}
)

// A Request says what is to be reported, of which days, and how.
type Request struct {
	history.Query
	Subject string // one of Subjects
	Format  string // one of Formats
}

// A report is rows under columns, before anybody has given it a form.
type report struct {
	subject  string
	from, to string
	columns  []column
	rows     [][]value
	total    []value // of all rows; nil for none
	gaps     []stats.Gap
}

// A column is a name in small letters. Those that are shown only in tables, or not there, say so.
type column struct {
	name    string
	seconds bool // a table shows hours, minutes and seconds
	quiet   bool // a table leaves it out where all of it is 0 or nothing
	data    bool // is for programs: not in tables
}

// A value is a text, a whole number, a number, or nil for nothing.
type value any

// Write writes the report. The calendar is that of the history.
func Write(ctx context.Context, w io.Writer, from *history.Reader, calendar stats.Calendar, request Request) error {
	r := &report{subject: request.Subject, from: request.From, to: request.To}
	var err error
	switch request.Subject {
	case "queues":
		err = r.queues(ctx, from, calendar, request.Query)
	case "agents":
		err = r.agents(ctx, from, calendar, request.Query)
	case "abandoned":
		err = r.abandoned(ctx, from, calendar, request.Query)
	default:
		err = fmt.Errorf("there is no report of %q", request.Subject)
	}
	if err != nil {
		return err
	}
	if err := r.readGaps(ctx, from, calendar); err != nil {
		return err
	}
	switch request.Format {
	case "csv":
		return r.csv(w)
	case "json":
		return r.json(w, calendar)
	}
	return r.table(w, calendar)
}

func (r *report) readGaps(ctx context.Context, from *history.Reader, calendar stats.Calendar) error {
	begin, err := calendar.Begin(r.from)
	if err != nil {
		return err
	}
	last, err := calendar.Begin(r.to)
	if err != nil {
		return err
	}
	r.gaps, err = from.Gaps(ctx, begin, calendar.End(last))
	return err
}

// spanColumns are those of the time that a row is about.
func spanColumns(by string) (columns []column) {
	if by == "day" || by == "hour" {
		columns = append(columns, column{name: "day"})
	}
	if by == "hour" {
		columns = append(columns, column{name: "hour"})
	}
	return columns
}

func span(by string, h stats.Hour) (values []value) {
	if by == "day" || by == "hour" {
		values = append(values, h.Day)
	}
	if by == "hour" {
		values = append(values, int64(h.Of))
	}
	return values
}

func figureColumns[T any](columns []stats.Column[T]) (all []column) {
	for _, c := range columns {
		all = append(all, column{name: c.Word, seconds: isTime(c.Word), quiet: true})
	}
	return all
}

func figures[T any](columns []stats.Column[T], t *T) (all []value) {
	for _, c := range columns {
		all = append(all, *c.Of(t))
	}
	return all
}

func share(percent float64, ok bool) value {
	if !ok {
		return nil
	}
	return rounded(percent)
}

// rounded has one digit behind the point.
func rounded(percent float64) float64 {
	n, _ := strconv.ParseFloat(strconv.FormatFloat(percent, 'f', 1, 64), 64)
	return n
}

func (r *report) queues(ctx context.Context, from *history.Reader, calendar stats.Calendar, q history.Query) error {
	all, err := from.Queues(ctx, q, calendar.Reset())
	if err != nil {
		return err
	}
	r.columns = append(append(spanColumns(q.By), column{name: "queue"}), figureColumns(stats.QueueColumns)...)
	r.columns = append(r.columns, column{name: "average_hold_seconds", seconds: true}, column{name: "average_talk_seconds", seconds: true}, column{name: "service_level_percent"})
	row := func(h stats.Hour, name string, t *stats.QueueTotals) []value {
		values := append(append(span(q.By, h), name), figures(stats.QueueColumns, t)...)
		return append(values, stats.Average(t.HoldTime, t.Answered), stats.Average(t.TalkTime, t.Completed()), share(t.ServiceLevel()))
	}
	var sum stats.QueueTotals
	for i := range all {
		r.rows = append(r.rows, row(all[i].Hour, all[i].Queue, &all[i].Totals))
		sum.Add(&all[i].Totals)
	}
	r.sum(q.By, func(h stats.Hour, name string) []value { return row(h, name, &sum) })
	return nil
}

func (r *report) agents(ctx context.Context, from *history.Reader, calendar stats.Calendar, q history.Query) error {
	all, err := from.Agents(ctx, q, calendar.Reset())
	if err != nil {
		return err
	}
	r.columns = append(append(spanColumns(q.By), column{name: "agent"}), figureColumns(stats.AgentColumns)...)
	r.columns = append(r.columns, column{name: "average_talk_seconds", seconds: true}, column{name: "occupancy_percent"}, column{name: "paused_for", data: true})
	row := func(h stats.Hour, name string, t *stats.AgentTotals) []value {
		values := append(append(span(q.By, h), name), figures(stats.AgentColumns, t)...)
		paused := t.PausedFor
		if paused == nil {
			paused = map[string]int64{}
		}
		return append(values, stats.Average(t.TalkTime, t.Answered), share(t.Occupancy()), paused)
	}
	var sum stats.AgentTotals
	for i := range all {
		r.rows = append(r.rows, row(all[i].Hour, all[i].Agent, &all[i].Totals))
		sum.Add(&all[i].Totals)
	}
	r.sum(q.By, func(h stats.Hour, name string) []value { return row(h, name, &sum) })
	return nil
}

// sum adds a row with the sum of all where there are several.
func (r *report) sum(by string, row func(h stats.Hour, name string) []value) {
	if len(r.rows) < 2 {
		return
	}
	r.total = row(stats.Hour{}, "")
	names := len(spanColumns(by)) + 1
	for i := range names {
		r.total[i] = nil
	}
	r.total[0] = "all"
}

func (r *report) abandoned(ctx context.Context, from *history.Reader, calendar stats.Calendar, q history.Query) error {
	all, err := from.Abandoned(ctx, q)
	if err != nil {
		return err
	}
	r.columns = []column{{name: "number"}, {name: "name"}, {name: "tries"}, {name: "last_call"}, {name: "last_queue"}, {name: "last_wait_seconds", seconds: true}}
	for _, m := range all {
		r.rows = append(r.rows, []value{m.Number, m.Name, int64(m.Tries), written(m.Time, calendar), m.Queue, m.Wait})
	}
	return nil
}

// written is a moment as reports have it, in the time zone of the days.
func written(t time.Time, calendar stats.Calendar) string {
	return t.In(calendar.Location()).Format(time.DateTime)
}
