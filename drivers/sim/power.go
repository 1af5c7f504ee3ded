package sim

import (
	"fmt"
	"slices"
	"time"

	"wpsd/engine/admission"
)

// AddAP switches an access point on.
func (w *World) AddAP(o APOptions) (*AP, error) {
	ap, err := newAP(w, o)
	if err != nil {
		return nil, err
	}
	w.lanMu.Lock()
	defer w.lanMu.Unlock()
	if err := w.switchOn(ap); err != nil {
		return nil, err
	}
	if err := w.plugIn(ap); err != nil {
		return nil, err
	}
	w.aired()
	return ap, nil
}

// switchOn lets an access point be heard. lanMu is held.
func (w *World) switchOn(ap *AP) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range ap.bsss {
		if _, taken := w.bss(b.BSSID); taken != nil {
			return fmt.Errorf("sim: there is an access point %s already", b.BSSID)
		}
	}
	w.aps = append(w.aps, ap)
	ap.refresh(time.Now())
	return nil
}

// RemoveAP takes an access point off the air, as a cut cable does: stations notice after a while
// that nobody answers. Kick them first for an orderly end.
func (w *World) RemoveAP(ap *AP) { w.remove(ap, false) }

// ShutDownAP takes an access point off the air in good order: stations are deauthenticated, and who
// found it on the network is told.
func (w *World) ShutDownAP(ap *AP) {
	ap.clear(reasonLeaving)
	w.remove(ap, true)
}

func (w *World) remove(ap *AP, orderly bool) {
	w.lanMu.Lock()
	defer w.lanMu.Unlock()
	w.switchOff(ap)
	w.unplug(ap, orderly)
	w.aired()
}

// switchOff is the radio's part of remove. lanMu is held.
func (w *World) switchOff(ap *AP) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.aps, ap)
	if i < 0 {
		return
	}
	w.aps = slices.Delete(w.aps, i, i+1)
	w.off = append(w.off, ap)
	close(ap.gone)
	w.disconnect(ap)
	ap.tell(Event{At: time.Now(), Kind: SwitchedOff})
}

// ReturnAP switches an access point on again that RemoveAP took off the air. It has kept its
// settings and its AP PIN, and forgotten everything else.
func (w *World) ReturnAP(ap *AP) error {
	w.lanMu.Lock()
	defer w.lanMu.Unlock()
	if err := w.reset(ap); err != nil {
		return err
	}
	if err := w.switchOn(ap); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.off = append(w.off, ap)
		return err
	}
	err := w.plugIn(ap)
	w.aired()
	return err
}

// reset has an access point that is switched off forget what it keeps in memory only. lanMu is
// held.
func (w *World) reset(ap *AP) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.off, ap)
	if i < 0 {
		return fmt.Errorf("sim: %s is not switched off", ap.BSSID())
	}
	w.off = slices.Delete(w.off, i, i+1)
	ap.gone = make(chan struct{})
	ap.pins.clear()
	ap.nfc.tokens = nil
	ap.selection, ap.buttons, ap.guesses, ap.pressAt = selection{},
		buttons{}, admission.Lockout{}, time.Time{}
	ap.tell(Event{At: time.Now(), Kind: SwitchedOn})
	return nil
}
