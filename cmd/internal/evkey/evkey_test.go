//go:build linux

package evkey

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// event is a struct input_event.
func event(kind, code uint16, value uint32) []byte {
	b := make([]byte, eventSize-8, eventSize)
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, code)
	return binary.NativeEndian.AppendUint32(b, value)
}

func TestIsPress(t *testing.T) {
	t.Parallel()
	w := &Watcher{Key: 0x211}
	for _, c := range []struct {
		name   string
		events []byte
		want   bool
	}{
		{"the key goes down", event(evKey, 0x211, 1), true},
		{"it goes up", event(evKey, 0x211, 0), false},
		{"it repeats", event(evKey, 0x211, 2), false},
		{"another key", event(evKey, 30, 1), false},
		{"something that is no key", event(2, 0x211, 1), false},
		{"after others", append(event(0, 0, 0), event(evKey, 0x211, 1)...), true},
		{"half an event", event(evKey, 0x211, 1)[:eventSize-1], false},
		{"nothing", nil, false},
	} {
		if got := w.isPress(c.events); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzIsPress(f *testing.F) {
	f.Add(event(evKey, 0x211, 1))
	f.Fuzz(func(t *testing.T, events []byte) {
		w := &Watcher{Key: 0x211}
		if w.isPress(events) && len(events) < eventSize {
			t.Error("less than an event is a press")
		}
	})
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]uint16{"KEY_WPS_BUTTON": 0x211, "key_wps_button": 0x211,
		"BTN_3": 0x103, "529": 529, "0x211": 0x211, "": 0, "0": 0, "-1": 0, "768": 0, "70000": 0,
		"KEY_NOBODY_HAS": 0, "529x": 0, " 529": 0} {
		if got, err := Number(name); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q is %d, %v", name, got, err)
		}
	}
	for name := range names {
		if n, err := Number(name); err != nil || n > keyMax {
			t.Errorf("%s is %d, %v", name, n, err)
		}
	}
}

// Files that are no devices are left alone, however many come, and the end is an end. Real devices
// are in test/hwsim.
func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	presses, err := (&Watcher{Key: 0x211, Directory: dir}).Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"event0", "event1", "mice"} {
		if err := os.WriteFile(filepath.Join(dir, name), event(evKey, 0x211, 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	select {
	case _, ok := <-presses:
		if ok {
			t.Error("a file was taken for a device")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
	if _, err := (&Watcher{Directory: filepath.Join(dir, "none")}).Watch(t.Context()); err == nil {
		t.Error("a directory that is not there can be watched")
	}
}
