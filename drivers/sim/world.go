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
	onAir     []func()
	extra     map[string]func(string) error // commands; see Extend
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

// named finds an access point by BSSID or SSID.
func (w *World) named(name string) (*AP, error) {
	if bssid, err := wsc.ParseMAC(name); err == nil {
		if ap := w.AP(bssid); ap != nil {
			return ap, nil
		}
	}
	for _, ap := range w.APs() {
		if ap.Status().SSID == name {
			return ap, nil
		}
	}
	return nil, fmt.Errorf("sim: there is no access point %q", name)
}

// ErrCommand is returned by Command for a line that is not one.
var ErrCommand = errors.New("not a command")
