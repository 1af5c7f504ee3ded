//go:build hwsim

package hwsim

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of the kernel's interface for input devices that a program makes (include/uapi/linux/uinput.h,
// input-event-codes.h).
const (
	uiSetEvBit   = 0x40045564
	uiSetKeyBit  = 0x40045565
	uiSetLedBit  = 0x40045569
	uiDevCreate  = 0x5501
	uiDevDestroy = 0x5502
	uiDevSetup   = 0x405c5503
	evSyn, evKey = 0, 1
	evLed        = 0x11
	keyWPSButton = 0x211
	ledCapsLock  = 1
)

// wpsButton is a button such as router boards have, with a light.
type wpsButton struct {
	w     *world
	file  *os.File
	light string // its folder's name in /sys/class/leds
}

// plugButton makes one, whose device belongs to a group as udev has it.
func (w *world) plugButton() *wpsButton {
	w.t.Helper()
	f, err := os.OpenFile("/dev/uinput", os.O_WRONLY, 0)
	w.must(err)
	for _, step := range [][2]uintptr{{uiSetEvBit, evKey}, {uiSetEvBit, evLed},
		{uiSetKeyBit, keyWPSButton}, {uiSetKeyBit, 30}, {uiSetLedBit, ledCapsLock}} {
		w.must(unix.IoctlSetInt(int(f.Fd()), uint(step[0]), int(step[1])))
	}
	var setup [92]byte // struct uinput_setup: an id, a name, and more
	copy(setup[8:], "WPS button")
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uiDevSetup,
		uintptr(unsafe.Pointer(&setup[0])))
	if errno != 0 {
		w.t.Fatal(errno)
	}
	w.must(unix.IoctlSetInt(int(f.Fd()), uiDevCreate, 0))
	b := &wpsButton{w: w, file: f}
	w.until("the button has a light", 10*time.Second, func() bool {
		for _, dir := range []string{"/sys/class/leds/*::capslock"} {
			lights, _ := filepath.Glob(dir)
			for _, l := range lights {
				if name, _ := os.ReadFile(filepath.Join(l, "device/name")); strings.HasPrefix(
					string(name), "WPS button") {
					b.light = filepath.Base(l)
				}
			}
		}
		return b.light != ""
	})
	w.t.Cleanup(func() { f.Close() })
	return b
}

// unplug takes it away.
func (b *wpsButton) unplug() {
	b.w.t.Helper()
	b.w.must(unix.IoctlSetInt(int(b.file.Fd()), uiDevDestroy, 0))
}

// press presses and lets go, with another key before, which nobody is to hear of.
func (b *wpsButton) press() {
	b.w.t.Helper()
	for _, e := range [][3]uint32{{evKey, 30, 1}, {evSyn, 0, 0}, {evKey, 30, 0}, {evSyn, 0, 0},
		{evKey, keyWPSButton, 1}, {evSyn, 0, 0}, {evKey, keyWPSButton, 0}, {evSyn, 0, 0}} {
		event := make([]byte, unsafe.Sizeof(unix.Timeval{}))
		event = binary.NativeEndian.AppendUint16(event, uint16(e[0]))
		event = binary.NativeEndian.AppendUint16(event, uint16(e[1]))
		event = binary.NativeEndian.AppendUint32(event, e[2])
		_, err := b.file.Write(event)
		b.w.must(err)
	}
}

// shines waits until the light is on, or off.
func (b *wpsButton) shines(value string) {
	b.w.t.Helper()
	b.w.until("the light is "+value, 20*time.Second, func() bool {
		text, _ := os.ReadFile(filepath.Join("/sys/class/leds", b.light, "brightness"))
		return strings.TrimSpace(string(text)) == value
	})
}

// startClientUnit starts a unit that runs a command of wpsctl, in its sandbox.
func (w *world) startClientUnit(command string, args ...string) *process {
	w.t.Helper()
	name := "wpsd-" + command
	text, err := os.ReadFile(filepath.Join(installed, name+".service"))
	w.must(err)
	log := filepath.Join(w.dir, name+".log")
	p := w.startService(name, strings.NewReplacer(
		"ExecStart=@BINDIR@/wpsctl "+command,
		"ExecStart=/in/wpsctl "+command+" "+strings.Join(args, " ")+
			"\nEnvironment=DBUS_SYSTEM_BUS_ADDRESS=unix:path="+busSocket+
			"\nStandardOutput=append:"+log+"\nStandardError=append:"+log,
		"Restart=on-failure\n", "").Replace(string(text)))
	w.t.Cleanup(p.stop)
	return p
}

// A button of this machine is pressed, then the router's, and the network is there; a light shows
// how it goes. What reads the button runs as it is installed: a user of its own in a sandbox, in
// the group of the device. A button that is plugged in later is as good.
func TestButtonOfThisMachineJoinsANetwork(t *testing.T) {
	w := newWorld(t)
	if !sandboxed() {
		t.Skip("needs systemd for the unit: run without WPSD_HWSIM_SANDBOX=0")
	}
	a := w.startAP(ap{})
	w.startBus()
	w.startPolkitd()
	d := w.startDaemonAgain()
	b := w.plugButton()
	// udev makes the group, which the root of another release may be without.
	w.sh("grep -q ^input: /etc/group || echo input:x:899: >> /etc/group")
	w.sh("chgrp input /dev/input/event*; chmod 640 /dev/input/event*; chgrp wpsd-client /sys/class/leds/%[1]s/brightness; chmod g+w /sys/class/leds/%[1]s/brightness", b.light)
	config := w.write("button.conf", "led="+b.light+"\ninterface="+station+"\n")
	w.must(os.Chmod(config, 0o644))
	p := w.startClientUnit("button", "--config", config)
	p.waitLog("the key is watched", 10*time.Second)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid()))
	w.must(err)
	for _, line := range []string{"CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(string(status), line) {
			t.Errorf("the process that reads keys has not %q:\n%s", line, status)
		}
	}

	b.press()
	for range 2 {
		b.shines("1")
		b.shines("0")
	}
	a.mustOK("WPS_PBC")
	p.waitLog("Received the network "+testSSID, time.Minute)
	b.shines("1")
	b.shines("0")
	if len(d.networks()) != 1 {
		t.Error("no network is stored")
	}

	b.unplug()
	p.waitLog("a device is gone", 10*time.Second)
	b = w.plugButton()
	w.sh("chgrp input /dev/input/event*; chmod 640 /dev/input/event*")
	w.until("the new button is watched", 10*time.Second, func() bool {
		return strings.Count(p.output(), "the key is watched") == 2
	})
	b.press()
	w.until("a second session began", 20*time.Second, func() bool {
		return strings.Count(p.output(), "Press the WPS button of your router") == 2
	})
}

// A machine without screen or keyboard starts where its network manager knows no network: the
// router's button is pressed, and NetworkManager is in its network, with an address. At the next
// start there is nothing to do.
func TestManagerNetworkManagerOnboard(t *testing.T) {
	w := newWorld(t)
	if !sandboxed() {
		t.Skip("needs systemd for the unit: run without WPSD_HWSIM_SANDBOX=0")
	}
	a := w.startAP(ap{})
	w.serveAddresses(a, newAddress)
	w.startBus()
	nm := w.startNetworkManager() // with networks that are not in reach
	w.startDaemonAgain()
	// the access point under test is an interface of this machine, too, and is up
	p := w.startClientUnit("onboard", "--interface", station, "--grace", "5s")
	p.waitLog("Press the WPS button of your router", time.Minute)
	a.mustOK("WPS_PBC")
	nm.connectedTo(testSSID)
	w.hasAddress(newAddress)
	p.waitLog("NetworkManager is connected to it.", time.Minute)
	again := w.startClientUnit("onboard", "--interface", station, "--grace", "5s")
	again.waitLog("there is nothing to do", time.Minute)
}
