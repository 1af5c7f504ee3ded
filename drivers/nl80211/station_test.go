package nl80211

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// scanResult is one message of a GET_SCAN dump, heard now.
func scanResult(bssid [6]byte, frequency uint32, ssid string) []byte {
	return encode(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, fakeIndex)
		e.Nested(unix.NL80211_ATTR_BSS, func(b *netlink.AttributeEncoder) error {
			b.Bytes(unix.NL80211_BSS_BSSID, bssid[:])
			b.Uint32(unix.NL80211_BSS_FREQUENCY, frequency)
			b.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS,
				append([]byte{0, byte(len(ssid))}, ssid...))
			b.Uint64(unix.NL80211_BSS_LAST_SEEN_BOOTTIME, uint64(bootTime()))
			return nil
		})
	})
}

// then tells an event a moment after a command: commands are answered before their events come.
func (k *fakeKernel) then(command uint8, fill func(e *netlink.AttributeEncoder)) {
	go func() {
		time.Sleep(30 * time.Millisecond)
		if command == unix.NL80211_CMD_NEW_SCAN_RESULTS {
			k.set(func(k *fakeKernel) {
				k.results = [][]byte{scanResult(fakeBSSID, 2412, "heard")}
			})
		}
		k.event(command, fill)
	}()
}

// refusing answers one command with errors, then with success.
func refusing(command uint8, errnos ...syscall.Errno) func(uint8, []byte) syscall.Errno {
	return func(c uint8, _ []byte) syscall.Errno {
		if c != command || len(errnos) == 0 {
			return 0
		}
		errno := errnos[0]
		errnos = errnos[1:]
		return errno
	}
}

func TestScan(t *testing.T) {
	const trigger = unix.NL80211_CMD_TRIGGER_SCAN
	for _, c := range []struct {
		name     string
		prepare  func(k *fakeKernel)
		want     error // nil: the access point is found
		triggers int
		took     time.Duration // 0: any
	}{
		{name: "a scan returns what was heard", triggers: 1, took: 30 * time.Millisecond},
		{
			name: "a link that is down comes up first",
			prepare: func(k *fakeKernel) {
				k.answer = scripted(k, refusing(trigger, unix.ENETDOWN),
					unix.NL80211_CMD_NEW_SCAN_RESULTS)
			},
			triggers: 2,
		},
		{
			name: "a link that may not come up for rfkill is ErrRadioBlocked",
			prepare: func(k *fakeKernel) {
				k.answer, k.refuseUp = refusing(trigger, unix.ENETDOWN), unix.ERFKILL
			},
			want: drivers.ErrRadioBlocked, triggers: 1,
		},
		{
			name:    "ERFKILL is ErrRadioBlocked",
			prepare: func(k *fakeKernel) { k.answer = refusing(trigger, unix.ERFKILL) },
			want:    drivers.ErrRadioBlocked, triggers: 1,
		},
		{
			name: "EPERM with a blocked radio is ErrRadioBlocked",
			prepare: func(k *fakeKernel) {
				k.answer = refusing(trigger, unix.EPERM)
				k.block()
			},
			want: drivers.ErrRadioBlocked, triggers: 1,
		},
		{
			name:    "EPERM with a radio that is not blocked is a matter of permissions",
			prepare: func(k *fakeKernel) { k.answer = refusing(trigger, unix.EPERM) },
			want:    os.ErrPermission, triggers: 1,
		},
		{
			name: "an interface that is gone is ErrInterfaceGone",
			prepare: func(k *fakeKernel) {
				k.answer = func(c uint8, _ []byte) syscall.Errno {
					if c != trigger {
						return 0
					}
					k.set(func(k *fakeKernel) { k.gone = true })
					return unix.ENODEV
				}
			},
			want: drivers.ErrInterfaceGone, triggers: 1,
		},
		{
			name: "somebody else's scan is waited for",
			prepare: func(k *fakeKernel) {
				k.answer = scripted(k, refusing(trigger, unix.EBUSY),
					unix.NL80211_CMD_NEW_SCAN_RESULTS)
				k.then(unix.NL80211_CMD_SCAN_ABORTED, nil) // theirs
			},
			triggers: 2, took: 60 * time.Millisecond,
		},
		{
			name: "somebody else's scan whose end is not told is tried again after a while",
			prepare: func(k *fakeKernel) {
				k.answer = scripted(k, refusing(trigger, unix.EBUSY),
					unix.NL80211_CMD_NEW_SCAN_RESULTS)
			},
			triggers: 2, took: firstRetry + 30*time.Millisecond,
		},
		{
			name: "a radio that is busy all the time is ErrBusy",
			prepare: func(k *fakeKernel) {
				k.answer = func(c uint8, _ []byte) syscall.Errno {
					if c == trigger {
						return unix.EBUSY
					}
					return 0
				}
			},
			want: drivers.ErrBusy, triggers: 14, took: busyTime,
		},
		{
			name: "a scan that is aborted each time fails in the end",
			prepare: func(k *fakeKernel) {
				k.answer = scripted(k, nil, unix.NL80211_CMD_SCAN_ABORTED)
			},
			want: errScanAborted, triggers: scanTries, took: scanTries * 30 * time.Millisecond,
		},
		{
			name: "a scan whose end is lost in an overrun is done again",
			prepare: func(k *fakeKernel) {
				first := true
				k.answer = func(c uint8, _ []byte) syscall.Errno {
					switch {
					case c != trigger:
					case first:
						first = false
						go func() {
							time.Sleep(time.Millisecond)
							k.everywhere(fakeItem{err: &netlink.OpError{Op: "receive",
								Err: os.NewSyscallError("recvmsg", unix.ENOBUFS)}})
						}()
					default:
						k.then(unix.NL80211_CMD_NEW_SCAN_RESULTS, nil)
					}
					return 0
				}
			},
			triggers: 2,
		},
		{
			name:    "a radio without the command is ErrNotSupported",
			prepare: func(k *fakeKernel) { k.answer = refusing(trigger, unix.EOPNOTSUPP) },
			want:    drivers.ErrNotSupported, triggers: 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &fakeKernel{sysfs: t.TempDir()}
				k.answer = scripted(k, nil, unix.NL80211_CMD_NEW_SCAN_RESULTS)
				if c.prepare != nil {
					c.prepare(k)
				}
				s := newFakeStation(t, k)
				start := time.Now()
				found, err := s.Scan(t.Context(), drivers.ScanRequest{})
				if took := time.Since(start); c.took != 0 && took != c.took {
					t.Errorf("it took %v, not %v", took, c.took)
				}
				if !errors.Is(err, c.want) || c.want == nil &&
					(len(found) != 1 || found[0].BSSID != fakeBSSID) {
					t.Errorf("Scan: %+v, %v", found, err)
				}
				if n := k.count(trigger); n != c.triggers {
					t.Errorf("%d requests, not %d", n, c.triggers)
				}
			})
		})
	}
}

// scripted answers with another answer, and lets each scan that is accepted end with an event.
func scripted(k *fakeKernel, answer func(uint8, []byte) syscall.Errno, end uint8) func(uint8,
	[]byte) syscall.Errno {
	return func(c uint8, attrs []byte) syscall.Errno {
		var errno syscall.Errno
		if answer != nil {
			errno = answer(c, attrs)
		}
		if c == unix.NL80211_CMD_TRIGGER_SCAN && errno == 0 {
			k.then(end, nil)
		}
		return errno
	}
}

// block makes the radio a blocked one.
func (k *fakeKernel) block() {
	dir := filepath.Join(k.sysfs, "class/net", fakeName, "phy80211/rfkill0")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "soft"), []byte("1\n"), 0o600); err != nil {
		panic(err)
	}
}

func TestScanRequest(t *testing.T) {
	decode := func(t *testing.T, attrs []byte) map[uint16][]byte {
		d, err := netlink.NewAttributeDecoder(attrs)
		if err != nil {
			t.Fatal(err)
		}
		all := make(map[uint16][]byte)
		for d.Next() {
			all[d.Type()] = d.Bytes()
		}
		return all
	}
	s := newFakeStation(t, &fakeKernel{})
	for _, c := range []struct {
		name                 string
		r                    drivers.ScanRequest
		elements             bool
		frequencies          int // bytes of the attribute
		flush, passive, fail bool
	}{
		{name: "nothing asked for is all channels without elements", r: drivers.ScanRequest{}},
		{name: "elements that fit go with the probes",
			r: drivers.ScanRequest{IEs: make([]byte, 100)}, elements: true},
		{name: "elements that do not fit are left out whole",
			r: drivers.ScanRequest{IEs: make([]byte, 101)}},
		{name: "a frequency that comes twice is asked for once",
			r: drivers.ScanRequest{Frequencies: []int{2437, 2412, 2437}}, frequencies: 16},
		{name: "the flush flag is passed on", r: drivers.ScanRequest{Flush: true}, flush: true},
		{name: "one that only listens asks nobody", r: drivers.ScanRequest{Passive: true,
			IEs: make([]byte, 10), Frequencies: []int{6135}}, frequencies: 8, passive: true},
		{name: "an SSID of 33 bytes is refused", r: drivers.ScanRequest{SSID: make([]byte, 33)},
			fail: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			attrs, err := s.scanAttributes(t.Context(), c.r)
			if err != nil {
				if !c.fail {
					t.Error(err)
				}
				return
			}
			if c.fail {
				t.Error("no error")
			}
			all := decode(t, attrs)
			// without an SSID it is a passive scan
			if _, ok := all[unix.NL80211_ATTR_SCAN_SSIDS]; ok == c.passive {
				t.Errorf("passive: %v", !ok)
			}
			if _, ok := all[unix.NL80211_ATTR_IE]; ok != c.elements {
				t.Errorf("elements: %v", ok)
			}
			if got := len(all[unix.NL80211_ATTR_SCAN_FREQUENCIES]); got != c.frequencies {
				t.Errorf("%d bytes of frequencies, not %d", got, c.frequencies)
			}
			if _, ok := all[unix.NL80211_ATTR_SCAN_FLAGS]; ok != c.flush {
				t.Errorf("flush: %v", ok)
			}
		})
	}
}

func TestACancelledScanIsAborted(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer syscall.Errno // to ABORT_SCAN
		took   time.Duration
	}{
		{name: "a radio that can abort is free at once", took: 40 * time.Millisecond},
		{name: "a radio that cannot abort goes on", answer: unix.EOPNOTSUPP,
			took: 10 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &fakeKernel{}
				k.answer = func(command uint8, _ []byte) syscall.Errno {
					if command != unix.NL80211_CMD_ABORT_SCAN {
						return 0
					}
					if c.answer == 0 {
						k.then(unix.NL80211_CMD_SCAN_ABORTED, nil)
					}
					return c.answer
				}
				s := newFakeStation(t, k)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				defer cancel()
				start := time.Now()
				if _, err := s.Scan(ctx, drivers.ScanRequest{}); !errors.Is(err,
					context.DeadlineExceeded) {
					t.Errorf("Scan: %v", err)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("it took %v, not %v", took, c.took)
				}
			})
		})
	}
}
