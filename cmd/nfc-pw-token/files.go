package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// The names of a directory's files: token-000001.conf, each the lines of a token.
const (
	namePrefix = "token-"
	nameSuffix = ".conf"
)

// createSecret creates a file for its owner's eyes only. It never opens one that exists, nor
// follows a link that somebody put there. A file system that cannot keep others out is refused.
func createSecret(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s: the file system lets others read private keys (mode %v)", name,
			info.Mode().Perm())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(name))
	}
	return f, nil
}

// directory is a sink with a file for each token.
type directory struct{ path string }

// newDirectory makes the directory if need be, and refuses one that has a file of such a batch:
// better before the first token than after some.
func newDirectory(path string, count int) (*directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		digits := strings.TrimSuffix(strings.TrimPrefix(e.Name(), namePrefix), nameSuffix)
		if n, err := strconv.Atoi(digits); err == nil && n >= 1 && n <= count &&
			fileName(n) == e.Name() {
			return nil, &fs.PathError{Op: "create", Path: filepath.Join(path, e.Name()),
				Err: fs.ErrExist}
		}
	}
	return &directory{path: path}, nil
}

func fileName(number int) string { return fmt.Sprintf("%s%06d%s", namePrefix, number, nameSuffix) }

// put writes the token's own file, down to the disk.
func (d *directory) put(number int, t *token) error {
	name := filepath.Join(d.path, fileName(number))
	f, err := createSecret(name)
	if err != nil {
		return err
	}
	text := t.appendLines(nil)
	defer clear(text)
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// close makes the names of the files last, too.
func (d *directory) close() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// table is a sink with a row for each token, in the order in which they are done.
type table struct {
	mu   sync.Mutex
	f    *os.File
	rows int
	size int64 // of the complete rows
}

// newTable creates the file with its header.
func newTable(path string) (*table, error) {
	f, err := createSecret(path)
	if err != nil {
		return nil, err
	}
	n, err := f.Write(header())
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return &table{f: f, size: int64(n)}, nil
}

// put adds a row. The part of one that did not fit on the disk is taken away again.
func (t *table) put(number int, tok *token) error {
	row := tok.appendRow(nil, number)
	defer clear(row)
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.f.WriteAt(row, t.size)
	if err != nil {
		return errors.Join(err, t.f.Truncate(t.size))
	}
	t.rows++
	t.size += int64(n)
	return nil
}

// close writes the rows down to the disk. A table without rows is not worth keeping.
func (t *table) close() error {
	if t.rows == 0 {
		return errors.Join(t.f.Close(), os.Remove(t.f.Name()))
	}
	return errors.Join(t.f.Sync(), t.f.Close())
}
