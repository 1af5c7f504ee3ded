package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// maxFile bounds what is read of a file. A network takes about 1 kB; one merged from the ten
// Credentials that a message may hold, 8 kB.
const maxFile = 32 << 10

// maxFiles bounds how many entries of the directory are looked at.
const maxFiles = 4 * MaxNetworks

const (
	temporaryPrefix = ".new-"
	damagedSuffix   = ".damaged"
)

// directory is the state directory. Its lock keeps a second daemon out.
type directory struct {
	root *os.Root
	self *os.File // the directory itself, for fsync and flock
	// passing: nothing in it is of use once the kernel was started anew. A process that is killed loses
	// nothing that it has written, so nobody waits for the disk.
	passing bool
	// step is called before each change of the file system. Tests let it fail from some step on, as
	// if the process was killed there.
	step func(what string) error
}

// openDirectory opens path, made 0700 if there is none, and checks whose it is.
func openDirectory(path string) (*directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	self, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), root.Close())
	}
	d := &directory{root: root, self: self, step: func(string) error { return nil }}
	if err := d.check(path); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// check refuses a directory of somebody else, or one that others can write to, and takes the lock.
func (d *directory) check(path string) error {
	info, err := d.self.Stat()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d, not to %d: chown it", ErrUnsafe, path,
			stat.Uid, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%w: others can write to %s (mode %04o): chmod 700 it",
			ErrUnsafe, path, mode)
	}
	err = syscall.Flock(int(d.self.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%w: %s", ErrInUse, path)
	}
	return nil // a file system without locks is no reason to do without a store
}

func (d *directory) close() error {
	return errors.Join(d.self.Close(), d.root.Close())
}

// names lists the files, at most maxFiles. What a killed process left half-written is removed.
func (d *directory) names() ([]string, error) {
	list, err := d.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer list.Close()
	entries, err := list.ReadDir(maxFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("store: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temporaryPrefix) {
			_ = d.root.Remove(e.Name()) // if it stays, the next start tries again
			continue
		}
		names = append(names, e.Name())
	}
	return names, nil
}

// read returns the content of a file. Others must not be able to read it: if they could, that is
// put right, for example after an editor or a restored backup.
func (d *directory) read(name string) ([]byte, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrInvalid, name)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrInvalid, name, maxFile)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := d.root.Chmod(name, 0o600); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	text := make([]byte, info.Size()+1) // one read buffer, so that one place is to be cleared
	n, err := io.ReadFull(f, text)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("store: %w", err)
	}
	if n == len(text) {
		return nil, fmt.Errorf("%w: %s grows while it is read", ErrInvalid, name)
	}
	return text[:n], nil
}

// write makes name hold text, or leaves it as it was.
func (d *directory) write(name string, text []byte) error {
	temporary := temporaryPrefix + name
	if err := d.writeTemporary(temporary, text); err != nil {
		if d.step("remove "+temporary) == nil {
			_ = d.root.Remove(temporary) // it may not even be there
		}
		return fmt.Errorf("store: writing %s: %w", name, err)
	}
	if err := d.step("rename " + temporary); err != nil {
		return err
	}
	if err := d.root.Rename(temporary, name); err != nil {
		return fmt.Errorf("store: writing %s: %w", name, err)
	}
	return d.sync()
}

func (d *directory) writeTemporary(name string, text []byte) error {
	if err := d.step("create " + name); err != nil {
		return err
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) { // left by a write that failed, and could not be removed then
		_ = d.root.Remove(name)
		f, err = d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return err
	}
	// Two parts and a step between, so that the crash test sees half a file.
	half := len(text) / 2
	_, err = f.Write(text[:half])
	if err == nil {
		err = d.step("write " + name)
	}
	if err == nil {
		_, err = f.Write(text[half:])
	}
	if err == nil {
		err = d.step("sync " + name)
	}
	if err == nil && !d.passing {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// remove deletes a file; that it is gone already is fine.
func (d *directory) remove(name string) error {
	if err := d.step("remove " + name); err != nil {
		return err
	}
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: removing %s: %w", name, err)
	}
	return d.sync()
}

// setAside renames a damaged file so that it is out of the way, and not lost.
func (d *directory) setAside(name string) (string, error) {
	aside := name + damagedSuffix
	for i := 2; ; i++ {
		if _, err := d.root.Lstat(aside); errors.Is(err, fs.ErrNotExist) || i > maxFiles {
			break
		}
		aside = fmt.Sprintf("%s-%d%s", name, i, damagedSuffix)
	}
	if err := d.step("set aside " + name); err != nil {
		return name, err
	}
	if err := d.root.Rename(name, aside); err != nil {
		return name, fmt.Errorf("store: setting %s aside: %w", name, err)
	}
	return aside, d.sync()
}

// sync makes renames and removals last. Some file systems cannot sync a directory; they then have
// their own rules, and there is nothing more to do.
func (d *directory) sync() error {
	if err := d.step("sync directory"); err != nil {
		return err
	}
	if d.passing {
		return nil
	}
	err := d.self.Sync()
	if err == nil || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return fmt.Errorf("store: syncing the directory: %w", err)
}
