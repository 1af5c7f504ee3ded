package nl80211

import (
	"io"
	"os"
	"path/filepath"
	"strings"
)

// rfkill tells whether radios are blocked: by a switch (hard) or by software (soft).
type rfkill struct {
	sysfs  string // its mount point, for the state
	device string // for the changes
}

// blocked tells whether the radio of an interface is blocked now. It reads sysfs: unlike the
// device, that is readable for everybody, and always current. A radio without rfkill is not
// blocked.
func (r rfkill) blocked(ifname string) bool {
	if ifname == "" || ifname == "." || ifname == ".." ||
		strings.ContainsRune(ifname, filepath.Separator) {
		return false
	}
	radio := filepath.Join(r.sysfs, "class/net", ifname, "phy80211")
	entries, err := os.ReadDir(radio)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "rfkill") {
			continue
		}
		for _, kind := range []string{"soft", "hard"} {
			value, err := os.ReadFile(filepath.Join(radio, e.Name(), kind))
			if err == nil && len(value) > 0 && value[0] == '1' {
				return true
			}
		}
	}
	return false
}

// The device tells one event with each read: index (4 bytes), type, operation, soft, hard; later
// kernels add bytes, for readers that ask for them.
const (
	sizeRfkillEvent  = 8
	rfkillTypeOffset = 4
	rfkillTypeAll    = 0
	rfkillTypeWLAN   = 1
)

// watch calls changed for each change that concerns Wi-Fi, until the device is closed. The first
// events tell what is there already.
func watchRfkill(device io.Reader, changed func()) error {
	event := make([]byte, sizeRfkillEvent)
	for {
		n, err := device.Read(event)
		if err != nil {
			return err
		}
		if n < sizeRfkillEvent {
			return io.ErrUnexpectedEOF
		}
		if kind := event[rfkillTypeOffset]; kind == rfkillTypeWLAN || kind == rfkillTypeAll {
			changed()
		}
	}
}
