package sim

import (
	"errors"
	"fmt"
	"strings"

	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// Command does what a line of the control pipe says. AP is a BSSID, or an SSID, which may hold
// spaces. An empty line and one that begins with # do nothing.
//
//	pbc AP           press the access point's button
//	pin AP PIN       type an Enrollee's PIN into it
//	cancel AP        withdraw both
//	ap-pin AP PIN    set its own PIN (ap-pin AP none: take it away)
//	tag AP FILE      let it read the NFC tag whose content is in a file
//	token AP FILE    write its own NFC password token to a file, and enable it
//	handover AP FILE OUT   answer the NFC handover request in a file into another
//	lock AP          lock its setup
//	unlock AP
//	kick AP          deauthenticate its stations
//	off AP           cut its power
//	on AP            switch it on again, with the settings that it had
//	leave AP         switch it off in good order
//	restart AP       switch it off in good order, and on again
//	hotspot IFNAME AP  make it an access point of this machine, with an interface of mode ap
//	device NAME [MAC]  bring a device into range; its name has no spaces, its address is made up if not given
//	press NAME       press the device's button: it looks for two minutes
//	enter NAME PIN   have the device look with this PIN
//	device-tag NAME FILE  write what is on its NFC tag to a file, and have it look for whoever reads that
//	stop NAME        have it give up
//	remove NAME      take it away
//	overlap          press the buttons of all access points whose SSID begins with "Sim Overlap"
//	block IFNAME     have rfkill block an interface
//	unblock IFNAME
//	unplug IFNAME    pull an interface out
//	scan IFNAME      have another program scan there: who listens hears what it hears
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
	case "block", "unblock", "unplug", "scan":
		return w.commandRadio(word, rest)
	case "device":
		return w.commandDevice(strings.Fields(rest))
	case "press", "enter", "stop", "remove":
		return w.commandEnrollee(word, rest)
	case "on":
		return w.commandOn(rest)
	case "hotspot":
		ifname, name, _ := strings.Cut(rest, " ")
		ap, err := w.named(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		return w.AddHotspot(ifname, ap)
	case "device-tag":
		return w.commandDeviceTag(strings.Fields(rest))
	case "tag", "token", "handover":
		return w.commandNFC(word, strings.Fields(rest))
	case "pin", "ap-pin":
		i := strings.LastIndexByte(rest, ' ')
		if i < 0 {
			return fmt.Errorf("sim: %s needs an access point and a PIN: %w", word, ErrCommand)
		}
		return w.commandPIN(word, strings.TrimSpace(rest[:i]), rest[i+1:])
	}
	if do := w.extension(word); do != nil {
		return do(rest)
	}
	return w.commandAccessPoint(word, rest)
}

// commandAccessPoint does what is done to an access point by its name.
func (w *World) commandAccessPoint(word, name string) error {
	ap, err := w.named(name)
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
	case "restart":
		w.ShutDownAP(ap)
		return w.ReturnAP(ap)
	case "leave":
		w.ShutDownAP(ap)
	default:
		return fmt.Errorf("sim: %q: %w", word, ErrCommand)
	}
	return nil
}

func (w *World) commandPIN(word, name, text string) error {
	ap, err := w.named(name)
	if err != nil {
		// its name may be a misplaced PIN
		return fmt.Errorf("sim: %s: there is no such access point", word)
	}
	if word == "ap-pin" && text == "none" {
		ap.SetAPPIN(secret.Value{})
		return nil
	}
	pin, err := devpass.AnyPIN(text)
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
	switch word {
	case "unplug":
		w.RemoveRadio(name)
		return nil
	case "scan":
		return w.ScanBeside(name)
	}
	w.BlockRadio(name, word == "block")
	return nil
}

func (w *World) commandDevice(f []string) error {
	o := EnrolleeOptions{Name: f[0]}
	switch len(f) {
	case 1:
		w.mu.Lock()
		w.made++
		o.MAC = wsc.MAC{0x02, 0x5a, 0, 1, byte(w.made >> 8), byte(w.made)}
		w.mu.Unlock()
	case 2:
		mac, err := wsc.ParseMAC(f[1])
		if err != nil {
			return fmt.Errorf("sim: device %s: %w", f[0], err)
		}
		o.MAC = mac
	default:
		return fmt.Errorf("sim: a device has a name without spaces, and an address: %w", ErrCommand)
	}
	_, err := w.AddEnrollee(o)
	return err
}

func (w *World) commandEnrollee(word, rest string) error {
	name, text, _ := strings.Cut(rest, " ")
	e := w.Enrollee(name)
	switch {
	case e == nil:
		return fmt.Errorf("sim: there is no device %q", name)
	case (word == "enter") != (text != ""):
		return fmt.Errorf("sim: %s needs a device, and a PIN if it is enter: %w", word, ErrCommand)
	}
	switch word {
	case "press":
		return e.PressButton()
	case "enter":
		pin, err := devpass.AnyPIN(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		return e.UsePIN(pin)
	case "stop":
		e.Stop()
	default:
		w.RemoveEnrollee(e)
	}
	return nil
}

// commandOn finds an access point among those that are switched off.
func (w *World) commandOn(name string) error {
	w.mu.Lock()
	var found *AP
	for _, ap := range w.off {
		if string(ap.net.ssid) == name || ap.BSSID().String() == name {
			found = ap
		}
	}
	w.mu.Unlock()
	if found == nil {
		return fmt.Errorf("sim: no access point %q is switched off", name)
	}
	return w.ReturnAP(found)
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
