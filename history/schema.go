package history

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"ampd/stats"
)

const (
	// applicationID marks a file as ampd's: "ampd" (PRAGMA application_id).
	applicationID = 0x616d7064

	// schemaVersion is the one that this ampd writes (PRAGMA user_version).
	schemaVersion = 1
)

// isOpen is what the partial index calls_open says.
const isOpen = "ended_by = '' AND outcome IN ('', 'answered')"

// isMissed is what the partial index calls_missed says.
const isMissed = "outcome = 'abandoned' AND reached IS NULL"

// migrations lead from each version to the next: the first makes an empty file one of version 1.
// The columns of figures are no matter of versions: see addColumns.
var migrations = []string{
	`
CREATE TABLE meta (name TEXT PRIMARY KEY, value REAL) WITHOUT ROWID;

CREATE TABLE calls (
	day TEXT NOT NULL, hour INTEGER NOT NULL,
	queue TEXT NOT NULL COLLATE NOCASE,
	uniqueid TEXT NOT NULL, linkedid TEXT NOT NULL,
	number TEXT NOT NULL, digits TEXT NOT NULL, name TEXT NOT NULL,
	joined REAL NOT NULL, position INTEGER NOT NULL,
	outcome TEXT NOT NULL, wait INTEGER NOT NULL,
	answered REAL, agent TEXT NOT NULL COLLATE NOCASE, interface TEXT NOT NULL, channel TEXT NOT NULL,
	ring INTEGER NOT NULL, talk INTEGER NOT NULL, ended_by TEXT NOT NULL,
	reached REAL,
	UNIQUE (joined, uniqueid, queue)
);
CREATE INDEX calls_day ON calls (day, queue);
CREATE INDEX calls_digits ON calls (digits);
CREATE INDEX calls_missed ON calls (digits) WHERE ` + isMissed + `;
CREATE INDEX calls_open ON calls (joined) WHERE ` + isOpen + `;

CREATE TABLE activity (
	time REAL NOT NULL, day TEXT NOT NULL,
	agent TEXT NOT NULL COLLATE NOCASE, what TEXT NOT NULL,
	interface TEXT NOT NULL, name TEXT NOT NULL, queue TEXT NOT NULL COLLATE NOCASE,
	reason TEXT NOT NULL, uniqueid TEXT NOT NULL, seconds INTEGER NOT NULL
);
CREATE INDEX activity_time ON activity (time);
CREATE INDEX activity_agent ON activity (agent, time);

CREATE TABLE queue_hours (
	day TEXT NOT NULL, hour INTEGER NOT NULL, queue TEXT NOT NULL COLLATE NOCASE,
	PRIMARY KEY (day, hour, queue)
) WITHOUT ROWID;

CREATE TABLE agent_hours (
	day TEXT NOT NULL, hour INTEGER NOT NULL, agent TEXT NOT NULL COLLATE NOCASE, queue TEXT NOT NULL COLLATE NOCASE,
	counted_until REAL,
	PRIMARY KEY (day, hour, agent, queue)
) WITHOUT ROWID;

CREATE TABLE agent_pauses (
	day TEXT NOT NULL, hour INTEGER NOT NULL, agent TEXT NOT NULL COLLATE NOCASE, reason TEXT NOT NULL,
	seconds INTEGER NOT NULL,
	PRIMARY KEY (day, hour, agent, reason)
) WITHOUT ROWID;

CREATE TABLE gaps (begin REAL PRIMARY KEY, end REAL NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
`,
}

// migrate makes the file one of the present version. A file of a newer one is an error, and so is
// one of another program's.
func migrate(ctx context.Context, tx *sql.Tx) error {
	var id, version, tables int
	if err := tx.QueryRowContext(ctx, "SELECT (SELECT * FROM pragma_application_id), (SELECT * FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)").
		Scan(&id, &version, &tables); err != nil {
		return err
	}
	if err := known(id, version, tables); err != nil {
		return err
	}
	for _, step := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	if version < schemaVersion {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, schemaVersion)); err != nil {
			return err
		}
	}
	if err := addColumns(ctx, tx, "queue_hours", words(stats.QueueColumns)); err != nil {
		return err
	}
	if err := addColumns(ctx, tx, "agent_hours", words(stats.AgentColumns)); err != nil {
		return err
	}
	if err := makeView(ctx, tx, "queue_days", viewOf("queue_days", "queue", "queue_hours", stats.QueueColumns)); err != nil {
		return err
	}
	return makeView(ctx, tx, "agent_days", viewOf("agent_days", "agent", "agent_hours", stats.AgentColumns))
}

// known tells whether a file with this mark, version and number of tables can be used.
func known(id, version, tables int) error {
	switch {
	case id != applicationID && (tables > 0 || version > 0):
		return errForeign
	case version > schemaVersion:
		return fmt.Errorf("a newer ampd has written it: it has version %d, this ampd knows %d", version, schemaVersion)
	}
	return nil
}

func words[T any](columns []stats.Column[T]) (all []string) {
	for _, c := range columns {
		all = append(all, c.Word)
	}
	return all
}

// addColumns gives a table the figures that it does not have yet. Of the hours before they are 0.
func addColumns(ctx context.Context, tx *sql.Tx, table string, words []string) error {
	rows, err := tx.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return err
	}
	defer rows.Close()
	var have []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		have = append(have, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, word := range words {
		if slices.Contains(have, word) {
			continue
		}
		if _, err := tx.ExecContext(ctx, "ALTER TABLE "+table+" ADD COLUMN "+word+" INTEGER NOT NULL DEFAULT 0"); err != nil {
			return err
		}
	}
	return nil
}

// viewOf sums the hours of a table to days.
func viewOf[T any](name, who, table string, columns []stats.Column[T]) string {
	return "CREATE VIEW " + name + " AS SELECT day, " + who + ", " + strings.Join(sums(columns), ", ") + " FROM " + table + " GROUP BY day, " + who
}

// sums are the columns added up, under their own names.
func sums[T any](columns []stats.Column[T]) (all []string) {
	for _, c := range columns {
		how := "sum"
		if c.Longest {
			how = "max"
		}
		all = append(all, how+"("+c.Word+") AS "+c.Word)
	}
	return all
}

// makeView makes the view, anew where it was another one.
func makeView(ctx context.Context, tx *sql.Tx, name, create string) error {
	var before string
	err := tx.QueryRowContext(ctx, "SELECT coalesce(max(sql), '') FROM sqlite_schema WHERE type = 'view' AND name = ?", name).Scan(&before)
	if err != nil || before == create {
		return err
	}
	_, err = tx.ExecContext(ctx, "DROP VIEW IF EXISTS "+name+"; "+create)
	return err
}
