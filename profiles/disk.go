package profiles

import (
	"os"
	"path/filepath"
)

// disk are the steps of replacing a file, apart so that a test can have each fail.
type disk struct {
	create func(name string) (*os.File, error)
	write  func(f *os.File, text []byte) error
	sync   func(f *os.File) error // of files and folders
	rename func(from, to string) error
}

var realDisk = disk{
	create: func(name string) (*os.File, error) {
		return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	},
	write:  func(f *os.File, text []byte) error { _, err := f.Write(text); return err },
	sync:   (*os.File).Sync,
	rename: os.Rename,
}

// replace gives the file this text: whenever power fails it has the old one or this, and
// this once replace has returned nil. replaced tells whether it has it already where
// there is an error.
func (d disk) replace(name string, text []byte) (replaced bool, err error) {
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return false, err
	}
	defer folder.Close()
	fresh := name + ".new"
	if err := os.Remove(fresh); err != nil && !os.IsNotExist(err) { // of a process that was killed
		return false, err
	}
	f, err := d.create(fresh)
	if err != nil {
		return false, err
	}
	err = d.fill(f, text)
	if err == nil {
		err = d.rename(fresh, name)
	}
	if err != nil {
		_ = os.Remove(fresh)
		return false, err
	}
	return true, d.sync(folder)
}

// fill writes the text and closes the file.
func (d disk) fill(f *os.File, text []byte) error {
	err := d.write(f, text)
	if err == nil {
		err = d.sync(f)
	}
	if failed := f.Close(); err == nil {
		err = failed
	}
	return err
}
