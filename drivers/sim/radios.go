package sim

import (
	"errors"
	"slices"

	"wpsd/drivers"
	"wpsd/engine/wsc"
)

// AddRadio plugs an interface in.
func (w *World) AddRadio(r Radio) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Name == "" || r.MAC.IsZero() || r.MAC.IsMulticast() {
		return errors.New("sim: an interface needs a name and an address of its own")
	}
	if err := w.free(r.Name, r.MAC); err != nil {
		return err
	}
	if r.Channels == nil {
		r.Channels = defaultChannels()
	}
	w.index++
	n := &radio{Radio: r, index: w.index, heard: make(map[wsc.MAC]drivers.BSS),
		off: make(chan struct{})}
	if r.Blocked {
		close(n.off)
	}
	w.radios = append(w.radios, n)
	w.notify()
	return nil
}

// RemoveRadio pulls an interface out. Whatever is in progress on it ends with
// drivers.ErrInterfaceGone.
func (w *World) RemoveRadio(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.radio(name)
	if r == nil {
		w.removeHotspot(name)
		return
	}
	w.radios = slices.DeleteFunc(w.radios, func(o *radio) bool { return o == r })
	for _, own := range r.interfaces() {
		if own.station != nil {
			own.station.end(drivers.ErrInterfaceGone)
		}
		own.lose(drivers.ErrInterfaceGone)
	}
	w.connect(r, wsc.MAC{})
	w.notify()
}

// BlockRadio has rfkill block an interface, or no longer.
func (w *World) BlockRadio(name string, blocked bool) {
	w.block(name, blocked)
	w.aired()
}

// block is BlockRadio without the news of what is on the air.
func (w *World) block(name string, blocked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.radio(name)
	if r == nil || r.Blocked == blocked {
		return
	}
	if blocked {
		close(r.off)
		w.connect(r, wsc.MAC{})
	}
	off := r.off
	if !blocked {
		off = make(chan struct{})
	}
	for _, own := range r.interfaces() {
		own.Blocked, own.off = blocked, off
		if blocked {
			own.Up = false
			own.lose(drivers.ErrRadioBlocked)
		}
	}
	w.notify()
}

// RadioState is what an interface looks like from outside.
type RadioState struct {
	Up, Blocked, Taken bool
	Associated         wsc.MAC // zero: with nobody
}

// RadioState looks at an interface; false: there is none of that name.
func (w *World) RadioState(name string) (RadioState, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.radio(name)
	if r == nil {
		return RadioState{}, false
	}
	s := RadioState{Up: r.Up, Blocked: r.Blocked, Taken: r.station != nil}
	s.Associated = r.associated()
	return s, true
}

// SetRadioUp brings an interface's link up or down, as an administrator would.
func (w *World) SetRadioUp(name string, up bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.radio(name); r != nil {
		r.Up = up && !r.Blocked
	}
}

// Occupy associates an interface in the name of another program; the zero address ends that.
func (w *World) Occupy(name string, bssid wsc.MAC) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.radio(name); r != nil {
		w.connect(r, bssid)
	}
}
