package sim

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wpsd/drivers"
	"wpsd/engine/admission"
	"wpsd/engine/wsc"
)

// WorldOptions are the properties of a World. The zero value is a good one.
type WorldOptions struct {
	// Log is told what happens at the access points; nil: nobody.
	Log *slog.Logger
	// Rand is the access points' randomness, safe for concurrent use if more than one station is
	// about; nil: crypto/rand.
	Rand io.Reader
	// Trace sees each frame in the air but beacons; nil: nobody. It is called from several
	// goroutines, must not block, and must not call the World.
	Trace func(Frame)
	// Speed is that of the devices' radios, as in Options; 0: 1.
	Speed float64
}

// World is everything in radio range: access points and the radios of interfaces. Its methods, and
// those of its APs, are safe for concurrent use.
type World struct {
	log   *slog.Logger
	rand  io.Reader
	trace func(Frame)

	// taken before mu, by what puts access points on the network and takes them off
	lanMu sync.Mutex
	lan   *localNetwork // nil: they are on none; guarded by lanMu

	mu        sync.Mutex // guards everything below, and the state of all APs and radios
	aps       []*AP
	off       []*AP // switched off
	radios    []*radio
	hotspots  []*hotspot
	enrollees []*Enrollee
	made      int     // devices that Command made
	speed     float64 // of the devices' radios
	index     int     // of the newest radio
	drivers   map[*Driver]struct{}
}

// NewWorld makes an empty World.
func NewWorld(o WorldOptions) *World {
	w := &World{log: o.Log, rand: o.Rand, trace: o.Trace, drivers: make(map[*Driver]struct{}),
		speed: o.Speed}
	if w.speed == 0 {
		w.speed = 1
	}
	if w.trace == nil {
		w.trace = func(Frame) {}
	}
	return w
}

// Close removes all devices, takes the access points off the network, and waits for what they do.
func (w *World) Close() {
	w.mu.Lock()
	all := slices.Clone(w.enrollees)
	w.mu.Unlock()
	for _, e := range all {
		w.RemoveEnrollee(e)
	}
	w.closeUPnP()
}

// FrameKind says what a frame of the air is.
type FrameKind uint8

// The frames that a Trace sees.
const (
	ProbeRequest        FrameKind = iota + 1 // Body: elements
	ProbeResponse                            // Body: elements
	AssociationRequest                       // Body: elements
	AssociationResponse                      // Body: elements
	EAPOL                                    // Body: 802.1X PDU
	Deauthentication                         // Body: reason code, little endian
)

// String names the kind of frame.
func (k FrameKind) String() string {
	switch k {
	case ProbeRequest:
		return "probe request"
	case ProbeResponse:
		return "probe response"
	case AssociationRequest:
		return "association request"
	case AssociationResponse:
		return "association response"
	case EAPOL:
		return "EAPOL"
	case Deauthentication:
		return "deauthentication"
	}
	return fmt.Sprintf("frame kind %d", uint8(k))
}

// Frame is one frame in the air.
type Frame struct {
	At        time.Time
	Kind      FrameKind
	From, To  wsc.MAC
	Frequency int    // MHz
	Status    uint16 // of an AssociationResponse
	Body      []byte // shared: not to be changed
}

// Radio describes a network interface to be.
type Radio struct {
	Name string
	MAC  wsc.MAC
	// Channels is what the radio may use; nil: 2.4 and 5 GHz as in Europe.
	Channels []drivers.Channel
	// MaxProbeIEs is how many bytes of elements the hardware takes; 0: any number.
	MaxProbeIEs int
	Blocked     bool // by rfkill
	Up          bool
}

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

// free complains if there is an interface of this name or address. The lock is held.
func (w *World) free(name string, mac wsc.MAC) error {
	for _, o := range w.radios {
		if o.Name == name || o.MAC == mac {
			return fmt.Errorf("sim: there is an interface %s with address %s already",
				o.Name, o.MAC)
		}
	}
	for _, e := range w.enrollees {
		if e.name == name || e.device.MAC == mac {
			return fmt.Errorf("sim: there is a device %s with address %s already", e.name,
				e.device.MAC)
		}
	}
	for _, h := range w.hotspots {
		if h.name == name || h.ap.BSSID() == mac {
			return fmt.Errorf("sim: there is an interface %s with address %s already", h.name,
				h.ap.BSSID())
		}
	}
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
	if r.station != nil {
		r.station.end(drivers.ErrInterfaceGone)
	}
	r.lose(drivers.ErrInterfaceGone)
	w.notify()
}

// BlockRadio has rfkill block an interface, or no longer.
func (w *World) BlockRadio(name string, blocked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.radio(name)
	if r == nil || r.Blocked == blocked {
		return
	}
	r.Blocked = blocked
	if blocked {
		r.Up = false
		close(r.off)
		r.lose(drivers.ErrRadioBlocked)
	} else {
		r.off = make(chan struct{})
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
		r.occupied = bssid
		r.Up = r.Up || !bssid.IsZero()
	}
}

// radio finds an interface by name. The lock is held.
func (w *World) radio(name string) *radio {
	for _, r := range w.radios {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// notify tells the drivers that the list of interfaces changed. The lock is held.
func (w *World) notify() {
	for d := range w.drivers {
		select {
		case d.changed <- struct{}{}:
		default:
		}
	}
}

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
	ap.Kick(reasonLeaving)
	w.remove(ap, true)
}

func (w *World) remove(ap *AP, orderly bool) {
	w.lanMu.Lock()
	defer w.lanMu.Unlock()
	w.switchOff(ap)
	w.unplug(ap, orderly)
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
	return w.plugIn(ap)
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
	ap.selection, ap.monitor, ap.guesses, ap.pressAt = selection{},
		admission.Monitor{}, admission.Lockout{}, time.Time{}
	ap.overlapped = false
	ap.tell(Event{At: time.Now(), Kind: SwitchedOn})
	return nil
}

// AP finds an access point by the BSSID of one of its BSSs; nil: there is none.
func (w *World) AP(bssid wsc.MAC) *AP {
	w.mu.Lock()
	defer w.mu.Unlock()
	ap, _ := w.bss(bssid)
	return ap
}

// APs lists the access points in the order in which they were switched on.
func (w *World) APs() []*AP {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.aps)
}

// bss finds a BSS. The lock is held.
func (w *World) bss(bssid wsc.MAC) (*AP, *bss) {
	for _, ap := range w.aps {
		for _, b := range ap.bsss {
			if b.BSSID == bssid {
				return ap, b
			}
		}
	}
	return nil, nil
}
