// Package led shows on a light of the machine how a session goes: it blinks while somebody has to
// press a button, is on for a while when it went well, and flickers when it did not. A light is a
// folder below /sys/class/leds (Linux, Documentation/leds/leds-class.rst), whose file "brightness"
// this user has to be allowed to write.
package led

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Directory is where lights are.
const Directory = "/sys/class/leds"

// How the light shows what.
const (
	blink   = 500 * time.Millisecond
	flicker = 100 * time.Millisecond
	shown   = 5 * time.Second // how long it shows how a session went
)

// Light is one light. It is used by one goroutine at a time; nil is one that shows nothing.
type Light struct {
	path string // of "brightness"
	full []byte
}

// ErrName means that a name is none of a light.
var ErrName = errors.New("not the name of a light below /sys/class/leds")

// Open finds a light by its name, in a directory; empty: the usual one.
func Open(directory, name string) (*Light, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return nil, fmt.Errorf("led: %q: %w", name, ErrName)
	}
	if directory == "" {
		directory = Directory
	}
	place := filepath.Join(directory, name)
	text, err := os.ReadFile(filepath.Join(place, "max_brightness"))
	if err != nil {
		return nil, fmt.Errorf("led: %w", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("led: %q: %w", name, ErrName)
	}
	l := &Light{filepath.Join(place, "brightness"), strconv.AppendUint(nil, n, 10)}
	// What makes it blink by itself, such as traffic, would go on besides. That may be forbidden.
	_ = os.WriteFile(filepath.Join(place, "trigger"), []byte("none"), 0)
	return l, l.set(false)
}

// set switches it on or off.
func (l *Light) set(on bool) error {
	value := []byte("0")
	if on {
		value = l.full
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY, 0) // never made
	if err != nil {
		return fmt.Errorf("led: %w", err)
	}
	_, err = f.Write(value)
	return errors.Join(err, f.Close())
}

// Waiting blinks until ctx ends.
func (l *Light) Waiting(ctx context.Context) { l.alternate(ctx, blink) }

// Success is on for some seconds, or until ctx ends.
func (l *Light) Success(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, shown)
	defer cancel()
	l.alternate(ctx, shown)
}

// Failure flickers for some seconds, or until ctx ends.
func (l *Light) Failure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, shown)
	defer cancel()
	l.alternate(ctx, flicker)
}

// alternate is on and off for so long each, until ctx ends; then it is off. A light that cannot be
// switched shows nothing: there is more to do than to show it.
func (l *Light) alternate(ctx context.Context, each time.Duration) {
	if l == nil {
		return
	}
	defer func() { _ = l.set(false) }()
	for on := true; ctx.Err() == nil; on = !on {
		_ = l.set(on)
		select {
		case <-time.After(each):
		case <-ctx.Done():
		}
	}
}
