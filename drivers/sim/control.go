package sim

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"syscall"
)

// maxCommand is the longest line that the control pipe takes.
const maxCommand = 512

// control is the named pipe that takes commands. A pipe and not a socket, so that a shell can write
// to it with nothing but echo; what came of a command is in the log.
type control struct {
	path string
	file *os.File
	done chan struct{}
}

// openControl makes the pipe and starts to read it. A pipe of ours left by a daemon that was killed
// is used again; anything else in its place is left alone.
func openControl(w *World, path string, log *slog.Logger) (*control, error) {
	err := syscall.Mkfifo(path, 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("sim: control pipe %s: %w", path, err)
	}
	// For reading and writing: so opening does not wait for a writer, and the end of one is not
	// ours.
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("sim: control pipe: %w", err)
	}
	if !ownPipe(f) {
		_ = f.Close()
		return nil, fmt.Errorf("sim: control pipe %s: there is something else, or a pipe that others may write to", path)
	}
	c := &control{path: path, file: f, done: make(chan struct{})}
	go c.serve(w, log)
	return c, nil
}

// ownPipe reports whether f is a named pipe that belongs to us alone.
func ownPipe(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid() && info.Mode().Type() == fs.ModeNamedPipe &&
		info.Mode().Perm()&0o077 == 0
}

// serve is the pipe's goroutine; close ends it.
func (c *control) serve(w *World, log *slog.Logger) {
	defer close(c.done)
	lines := bufio.NewReaderSize(c.file, maxCommand)
	for {
		line, prefix, err := lines.ReadLine()
		for tooLong := prefix; tooLong && err == nil; {
			_, tooLong, err = lines.ReadLine()
		}
		switch {
		case errors.Is(err, os.ErrClosed):
			return
		case err != nil:
			log.Warn("sim: control pipe", slog.Any("err", err))
			return
		case prefix:
			log.Warn("sim: control pipe: line too long")
			continue
		}
		// The line may hold a PIN: only its first word goes to the log.
		word, _, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if err := w.Command(string(line)); err != nil {
			log.Warn("sim: command refused", slog.String("command", word), slog.Any("err", err))
		} else if word != "" {
			log.Info("sim: command done", slog.String("command", word))
		}
	}
}

func (c *control) close() error {
	err := c.file.Close()
	<-c.done
	return errors.Join(err, os.Remove(c.path))
}
