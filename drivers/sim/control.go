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

	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
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

// openControl makes the pipe and starts to read it. A pipe of ours left by a daemon that was killed is
// used again; anything else in its place is left alone.
func openControl(w *World, path string, log *slog.Logger) (*control, error) {
	err := syscall.Mkfifo(path, 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("sim: control pipe %s: %w", path, err)
	}
	// For reading and writing: so opening does not wait for a writer, and the end of one is not ours.
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
	return ok && int(owner.Uid) == os.Geteuid() && info.Mode().Type() == fs.ModeNamedPipe && info.Mode().Perm()&0o077 == 0
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
			log.Warn("sim: control pipe", slog.Any("error", err))
			return
		case prefix:
			log.Warn("sim: control pipe: line too long")
			continue
		}
		// The line may hold a PIN: only its first word goes to the log.
		word, _, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if err := w.Command(string(line)); err != nil {
			log.Warn("sim: command refused", slog.String("command", word), slog.Any("error", err))
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

// ErrCommand is returned by Command for a line that is not one.
var ErrCommand = errors.New("not a command")

// Command does what a line of the control pipe says. AP is a BSSID, or an SSID, which may hold
// spaces. An empty line and one that begins with # do nothing.
//
//	pbc AP           press the access point's button
//	pin AP PIN       type an Enrollee's PIN into it
//	cancel AP        withdraw both
//	ap-pin AP PIN    set its own PIN (ap-pin AP none: take it away)
//	lock AP          lock its setup
//	unlock AP
//	kick AP          deauthenticate its stations
//	off AP           switch it off
//	overlap          press the buttons of all access points whose SSID begins with "Sim Overlap"
//	block IFNAME     have rfkill block an interface
//	unblock IFNAME
//	unplug IFNAME    pull an interface out
func (w *World) Command(line string) error {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case word == "" || strings.HasPrefix(word, "#"):
		return nil
	case word == "overlap":
		return w.pressOverlap()
	case rest == "":
		return fmt.Errorf("sim: %q: %w, or it lacks what it is for", word, ErrCommand)
	}
	switch word {
	case "block", "unblock", "unplug":
		return w.commandRadio(word, rest)
	case "pin", "ap-pin":
		i := strings.LastIndexByte(rest, ' ')
		if i < 0 {
			return fmt.Errorf("sim: %s needs an access point and a PIN: %w", word, ErrCommand)
		}
		return w.commandPIN(word, strings.TrimSpace(rest[:i]), rest[i+1:])
	}
	ap, err := w.named(rest)
	if err != nil {
		return err
	}
	switch word {
	case "pbc":
		return ap.PressButton()
	case "cancel":
		ap.Cancel()
	case "lock", "unlock":
		ap.SetLocked(word == "lock")
	case "kick":
		ap.Kick(reasonLeaving)
	case "off":
		w.RemoveAP(ap)
	default:
		return fmt.Errorf("sim: %q: %w", word, ErrCommand)
	}
	return nil
}

func (w *World) commandPIN(word, name, text string) error {
	ap, err := w.named(name)
	if err != nil {
		return fmt.Errorf("sim: %s: there is no such access point", word) // its name may be a misplaced PIN
	}
	if word == "ap-pin" && text == "none" {
		ap.SetAPPIN(secret.Value{})
		return nil
	}
	pin, err := devpass.CheckPIN(text)
	if err != nil {
		return err
	}
	if word == "ap-pin" {
		ap.SetAPPIN(pin)
		return nil
	}
	return ap.SetPIN(pin)
}

func (w *World) commandRadio(word, name string) error {
	if _, ok := w.RadioState(name); !ok {
		return fmt.Errorf("sim: there is no interface %q", name)
	}
	if word == "unplug" {
		w.RemoveRadio(name)
		return nil
	}
	w.BlockRadio(name, word == "block")
	return nil
}

// pressOverlap makes a PBC session overlap for whoever listens.
func (w *World) pressOverlap() error {
	var errs []error
	for _, ap := range w.APs() {
		if strings.HasPrefix(ap.Status().SSID, "Sim Overlap") {
			errs = append(errs, ap.PressButton())
		}
	}
	if len(errs) < 2 {
		return errors.New("sim: there are no two access points called Sim Overlap")
	}
	return errors.Join(errs...)
}

// named finds an access point by BSSID or SSID.
func (w *World) named(name string) (*AP, error) {
	if bssid, err := wsc.ParseMAC(name); err == nil {
		if ap := w.AP(bssid); ap != nil {
			return ap, nil
		}
	}
	for _, ap := range w.APs() {
		if ap.Status().SSID == name {
			return ap, nil
		}
	}
	return nil, fmt.Errorf("sim: there is no access point %q", name)
}
