package history

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var errForeign = errors.New("it is another program's database")

// A file is the database, open for writing.
type file struct {
	db   *sql.DB
	info os.FileInfo // of the file when it was opened
	met  bool        // it has what is known of today and the day before
}

// openFile opens the file, made readable by its owner only where there was none, and brings
// it to the present version. patience is how long another process's lock is waited for.
func openFile(ctx context.Context, path string, patience time.Duration) (*file, error) {
	// Made here for its mode, which SQLite gives the files beside it too. It must not be opened here once it is
	// open: closing it would take SQLite's locks away (howtocorrupt.html, 2.2).
	made, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	made.Close()
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// With synchronous = FULL a transaction is on the disk when it has ended, so a power cut costs no more
	// than a crash of ampd does. It costs one fsync a second.
	db, err := sql.Open("sqlite", dsn(path, "rwc", patience)+"&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=journal_size_limit(8388608)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	f := &file{db: db, info: info}
	if err := f.transaction(ctx, func(tx *sql.Tx) error { return migrate(ctx, tx) }); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// dsn names a file for the driver.
func dsn(path, mode string, patience time.Duration) string {
	name := url.URL{Scheme: "file", Path: path}
	return name.String() + "?mode=" + mode + "&_pragma=busy_timeout(" + strconv.FormatInt(patience.Milliseconds(), 10) + ")"
}

// transaction runs work, of which all is written, or nothing.
func (f *file) transaction(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		_ = tx.Rollback() // err says why
		return err
	}
	return tx.Commit()
}

// isThere tells whether the file still is the one of that name.
func (f *file) isThere(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f.info)
}

func (f *file) close() {
	_ = f.db.Close() // what is not in the file yet is in its log, from which the next one to open it takes it
}

// code is SQLite's of an error, without its extension; 0 for none.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// reason says in words what is the matter with the file.
func reason(path string, err error) error {
	var words string
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		words = "another process has locked it"
	case sqlite3.SQLITE_READONLY:
		words = "it is read-only"
	case sqlite3.SQLITE_FULL:
		words = "the disk is full"
	case sqlite3.SQLITE_CORRUPT:
		words = "it is damaged"
	case sqlite3.SQLITE_NOTADB:
		words = "it is no SQLite database"
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		if isFull(path) { // of the files beside it SQLite says no more than that
			words = "the disk is full"
		}
	}
	if words == "" {
		return err
	}
	return fmt.Errorf("%s (%w)", words, err)
}

// isFull tells whether the disk has no room for another page or two.
func isFull(path string) bool {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &fs); err != nil {
		return false
	}
	return fs.Bavail*uint64(max(fs.Bsize, 0)) < 64<<10
}

// isLock tells whether the file is well and another process has locked it.
func isLock(err error) bool {
	return code(err) == sqlite3.SQLITE_BUSY || code(err) == sqlite3.SQLITE_LOCKED
}

// isBroken tells whether the error is one of the file's content.
func isBroken(err error) bool {
	return code(err) == sqlite3.SQLITE_CORRUPT || code(err) == sqlite3.SQLITE_NOTADB
}

// beside are the files that SQLite has beside its own.
var beside = []string{"-wal", "-shm"}

// setAside renames a broken file, with those beside it, and returns its new name. A file that does not
// begin as a database does, or as one of which nothing was written, is not touched: it may be anybody's.
func setAside(path string, now time.Time) (name string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	head := make([]byte, 16)
	_, err = io.ReadFull(f, head)
	f.Close()
	if err != nil || !bytes.Equal(head, []byte("SQLite format 3\x00")) && !bytes.Equal(head, make([]byte, 16)) {
		return "", errors.New("it is no SQLite database: move it away, or name another file")
	}
	name = path + ".broken-" + now.UTC().Format("20060102-150405")
	if err := os.Rename(path, name); err != nil {
		return "", err
	}
	for _, suffix := range beside {
		if err := os.Rename(path+suffix, name+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return name, err
		}
	}
	return name, nil
}
