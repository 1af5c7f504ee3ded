//go:build linux

// Package evkey tells when one key is pressed, on any input device that has it: the WPS button of a
// router board, which Linux's gpio-keys driver makes KEY_WPS_BUTTON, or another that somebody
// names. It reads event devices (Linux, Documentation/input/input.rst; include/uapi/linux/input.h),
// for which the group of theirs is enough, "input" as a rule.
//
// It hears of no other key: a device that does not have the key is closed at once, and of one that
// has it the kernel is asked to pass that key alone (EVIOCSMASK), so that this is no way to read
// somebody's typing.
package evkey

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Directory is where event devices are.
const Directory = "/dev/input"

const (
	// maxDevices bounds how many devices are read: any with the key can be plugged in.
	maxDevices = 16
	// pause is between presses: a contact bounces, and a key that is held repeats.
	pause = 300 * time.Millisecond

	evKey     = 0x01 // EV_KEY
	pressed   = 1    // the value of an event of a key that goes down
	keyMax    = 0x2ff
	eventSize = int(unsafe.Sizeof(unix.Timeval{})) + 8 // struct input_event
)

// Watcher tells of presses. Its fields are set before Watch, and not changed.
type Watcher struct {
	// Key is the key's number (include/uapi/linux/input-event-codes.h).
	Key uint16
	// Directory has the devices; empty: the usual one.
	Directory string
	// Log gets what happens to devices; nil: nowhere.
	Log *slog.Logger

	mu    sync.Mutex
	files map[string]*os.File // by name; those that are read
	tasks sync.WaitGroup
}

// Watch puts a value into the returned channel for each press, until ctx ends; then it closes it.
// Presses that nobody has taken are one. Devices may come and go.
func (w *Watcher) Watch(ctx context.Context) (<-chan struct{}, error) {
	if w.Directory == "" {
		w.Directory = Directory
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("evkey: %w", err)
	}
	notes := os.NewFile(uintptr(fd), "inotify")
	// A device is made first, and gets its group then.
	if _, err := unix.InotifyAddWatch(fd, w.Directory,
		unix.IN_CREATE|unix.IN_ATTRIB|unix.IN_MOVED_TO); err != nil {
		return nil, errors.Join(fmt.Errorf("evkey: %s: %w", w.Directory, err), notes.Close())
	}
	w.files = map[string]*os.File{}
	presses := make(chan struct{}, 1)
	stop := context.AfterFunc(ctx, func() { w.end(notes) })
	w.tasks.Go(func() {
		defer stop()
		w.look(ctx, presses)
		w.follow(ctx, notes, presses)
	})
	go func() {
		w.tasks.Wait()
		close(presses)
	}()
	return presses, nil
}

// end closes everything that is read: whoever reads ends.
func (w *Watcher) end(notes *os.File) {
	_ = notes.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.files {
		_ = f.Close()
	}
}

// follow looks again whenever something in the directory changes, until ctx ends.
func (w *Watcher) follow(ctx context.Context, notes *os.File, presses chan<- struct{}) {
	buffer := make([]byte, 4096)
	for {
		if _, err := notes.Read(buffer); err != nil {
			if ctx.Err() == nil {
				w.Log.Warn("devices that are plugged in are not noticed any more", "err", err)
			}
			return
		}
		w.look(ctx, presses)
	}
}

// look opens the devices that are there and not read yet.
func (w *Watcher) look(ctx context.Context, presses chan<- struct{}) {
	names, _ := filepath.Glob(filepath.Join(w.Directory, "event*"))
	for _, name := range names {
		w.mu.Lock()
		_, known := w.files[name]
		room := len(w.files) < maxDevices
		w.mu.Unlock()
		if known || !room || ctx.Err() != nil {
			continue
		}
		f, err := w.open(name)
		if err != nil {
			w.Log.Debug("a device is not read", "device", name, "err", err)
			continue
		}
		w.mu.Lock()
		w.files[name] = f
		w.mu.Unlock()
		if ctx.Err() != nil { // it ended just now
			_ = f.Close()
		}
		w.Log.Info("the key is watched", "device", name)
		w.tasks.Go(func() { w.read(ctx, name, f, presses) })
	}
}

// errOtherKeys means that a device does not have the key.
var errOtherKeys = errors.New("it does not have the key")

// open opens a device that has the key, and has the kernel pass that alone.
func (w *Watcher) open(name string) (*os.File, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	var keys [keyMax/8 + 1]byte
	err = ioctl(fd, ioRead('E', 0x20+evKey, uint(len(keys))), unsafe.Pointer(&keys[0])) // EVIOCGBIT
	if err == nil && keys[w.Key/8]&(1<<(w.Key%8)) == 0 {
		err = errOtherKeys
	}
	if err == nil {
		err = w.mask(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// inputMask is struct input_mask.
type inputMask struct {
	kind, size uint32
	codes      uint64 // a pointer
}

// mask leaves of a device's events those of the key (EVIOCSMASK, Linux 4.4).
func (w *Watcher) mask(fd int) error {
	keys := new([keyMax/8 + 1]byte)
	var pinned runtime.Pinner // the kernel reads it by its address
	defer pinned.Unpin()
	pinned.Pin(keys)
	keys[w.Key/8] = 1 << (w.Key % 8)
	m := inputMask{kind: evKey, size: uint32(len(keys)),
		codes: uint64(uintptr(unsafe.Pointer(&keys[0])))}
	err := ioctl(fd, ioWrite('E', 0x93, uint(unsafe.Sizeof(m))), unsafe.Pointer(&m))
	if err != nil {
		return fmt.Errorf("its other keys cannot be left out: %w", err)
	}
	return nil
}

// read reads a device to its end: until it is unplugged, or closed.
func (w *Watcher) read(ctx context.Context, name string, f *os.File, presses chan<- struct{}) {
	defer func() {
		_ = f.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.files, name)
	}()
	buffer := make([]byte, 16*eventSize)
	var last time.Time
	for {
		n, err := io.ReadAtLeast(f, buffer, eventSize)
		if err != nil {
			if ctx.Err() == nil {
				w.Log.Info("a device is gone", "device", name)
			}
			return
		}
		if now := time.Now(); w.isPress(buffer[:n]) && now.Sub(last) >= pause {
			last = now
			select {
			case presses <- struct{}{}:
			default:
			}
		}
	}
}

// isPress reports whether a press of the key is among events. What is no whole event is none.
func (w *Watcher) isPress(events []byte) bool {
	for ; len(events) >= eventSize; events = events[eventSize:] {
		e := events[eventSize-8:]
		if binary.NativeEndian.Uint16(e) == evKey && binary.NativeEndian.Uint16(e[2:]) == w.Key &&
			binary.NativeEndian.Uint32(e[4:]) == pressed {
			return true
		}
	}
	return false
}

// ioctl makes the call.
func ioctl(fd int, request uintptr, argument unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	if errno != 0 {
		return errno
	}
	return nil
}

// names are the keys that can be named (include/uapi/linux/input-event-codes.h).
var names = map[string]uint16{
	"KEY_WPS_BUTTON": 0x211, "KEY_RESTART": 0x198, "KEY_SETUP": 141, "KEY_CONFIG": 171,
	"KEY_WLAN": 238, "KEY_RFKILL": 247, "KEY_PROG1": 148, "KEY_PROG2": 149, "KEY_PROG3": 202,
	"KEY_PROG4": 203, "KEY_VENDOR": 0x168, "KEY_OPTION": 0x165, "KEY_POWER2": 0x164,
	"BTN_0": 0x100, "BTN_1": 0x101, "BTN_2": 0x102, "BTN_3": 0x103, "BTN_4": 0x104,
	"BTN_5": 0x105, "BTN_6": 0x106, "BTN_7": 0x107, "BTN_8": 0x108, "BTN_9": 0x109,
}

// Number is a key's number, by its name or as it is.
func Number(name string) (uint16, error) {
	if n, ok := names[strings.ToUpper(name)]; ok {
		return n, nil
	}
	var n uint16
	if _, err := fmt.Sscanf(name, "%v", &n); err != nil || n == 0 || n > keyMax ||
		fmt.Sprint(n) != name && fmt.Sprintf("%#x", n) != name {
		return 0, fmt.Errorf("%q is no key: take one such as KEY_WPS_BUTTON, or a number of linux/input-event-codes.h", name)
	}
	return n, nil
}

// ioRead and ioWrite number requests that read from, or write to, a device.
func ioRead(kind byte, number, size uint) uintptr {
	return uintptr(directionRead)<<directionShift | uintptr(size)<<sizeShift | uintptr(kind)<<8 |
		uintptr(number)
}

func ioWrite(kind byte, number, size uint) uintptr {
	return uintptr(directionWrite)<<directionShift | uintptr(size)<<sizeShift | uintptr(kind)<<8 |
		uintptr(number)
}
