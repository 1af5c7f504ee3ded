// Package drivers declares what the service asks of the outside world: which network interfaces
// there are, and what one can do with a radio. Drivers hand over raw elements and frames; they
// know nothing of WSC.
package drivers

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNotSupported is returned by a driver for what it, or the hardware, cannot do.
	ErrNotSupported = errors.New("not supported by this driver")
	// ErrNoManager means that a network manager does not run: nobody is there to ask, or to give
	// anything to.
	ErrNoManager = errors.New("the manager does not run")
	// ErrNoInterface is returned for a name that the driver does not know, or no longer.
	ErrNoInterface = errors.New("no such network interface")
	// ErrInterfaceGone ends everything in progress on an interface that was unplugged or renamed.
	ErrInterfaceGone = errors.New("the network interface is gone")
	// ErrRadioBlocked means that rfkill blocks the radio, by a switch or by software.
	ErrRadioBlocked = errors.New("the radio is blocked by rfkill")
	// ErrBusy means that somebody else uses the radio in a way that excludes ours.
	ErrBusy = errors.New("the interface is in use")
	// ErrLinkLost is returned by Link calls once the association is over.
	ErrLinkLost = errors.New("link lost")
	// ErrClosed is returned by calls on a Driver, Station or Link that was closed.
	ErrClosed = errors.New("closed")
)

// LostError tells why an association ended or did not come about; it wraps ErrLinkLost or
// ErrAssociation.
type LostError struct {
	// Err is ErrLinkLost or ErrAssociation.
	Err error
	// Reason is the 802.11 reason code (deauthentication) and Status the status code
	// (refused authentication or association); zero: none was given.
	Reason, Status uint16
	// ByPeer tells a deauthentication by the access point from a loss that we noticed.
	ByPeer bool
}

// ErrAssociation means that the access point refused us or did not answer.
var ErrAssociation = errors.New("association failed")

// Error implements error.
func (e *LostError) Error() string {
	switch {
	case e.Status != 0:
		return fmt.Sprintf("%v: refused with status %d", e.Err, e.Status)
	case e.Reason != 0:
		return fmt.Sprintf("%v: reason %d", e.Err, e.Reason)
	}
	return e.Err.Error()
}

// Unwrap gives ErrLinkLost or ErrAssociation to errors.Is.
func (e *LostError) Unwrap() error { return e.Err }

// Driver is a kind of radio. Its methods are safe for concurrent use.
type Driver interface {
	// Name is what --driver and AddInterface call it.
	Name() string
	// Interfaces lists what is there now.
	Interfaces(ctx context.Context) ([]Interface, error)
	// Changed receives a value whenever Interfaces may answer differently. It holds at most one.
	Changed() <-chan struct{}
	// Station takes the interface for scanning and enrolment. At most one is open per interface
	// (ErrBusy). Taking it changes nothing yet: a link that is down comes up with the first
	// Scan or Associate.
	Station(ctx context.Context, ifname string) (Station, error)
	// Close releases everything; open Stations end with ErrClosed.
	Close() error
	Namer
	LinkKeeper
	Aparter
	Blocker
	Connecter
	Listener
}

// The parts of a Driver that some kinds of radio do not have. These answer ErrNotSupported: embed
// UnsupportedDriver.

// Namer is a Driver's interfaces that it does not find by itself.
type Namer interface {
	// Named reports whether its interfaces are just those that somebody names, with Add.
	Named() bool
	// Add names one more; ErrBusy if it is named already. Interfaces lists it from then on.
	Add(name string) error
	// Remove takes one back; ErrNoInterface if it was not named.
	Remove(name string) error
}

// Interface is one network interface as its driver sees it.
type Interface struct {
	Name         string
	Index        int // kernel's ifindex; 0 where there is none
	HardwareAddr [6]byte
	Mode         Mode
	Blocked      bool // by rfkill
}

// Mode is what an interface is used as.
type Mode uint8

// The modes of an interface. An interface in another mode (monitor, mesh) is not listed.
const (
	ModeNone    Mode = iota // no radio: External Registrar only
	ModeStation             // "station"
	ModeAP                  // "ap"
)

// String gives the word that D-Bus uses.
func (m Mode) String() string {
	switch m {
	case ModeStation:
		return "station"
	case ModeAP:
		return "ap"
	}
	return "none"
}

// Channel is one channel that the radio may use now.
type Channel struct {
	Frequency int  // MHz
	Passive   bool // listen only (no-IR or radar): takes a beacon interval and more
}

// ScanRequest says what to look for and where.
type ScanRequest struct {
	// IEs are the elements for our Probe Requests (whole elements). A driver whose hardware takes
	// fewer bytes leaves them out rather than cut them.
	IEs []byte
	// Frequencies in MHz; nil means all that the radio may use.
	Frequencies []int
	// SSID to probe for; nil means the wildcard.
	SSID []byte
	// Passive listens only, and sends no Probe Request: IEs and SSID count for nothing.
	Passive bool
	// Flush drops the results of earlier scans first.
	Flush bool
	// Urgent ends somebody else's scan that is in the way, where the hardware can, rather than wait
	// for its end.
	Urgent bool
}

// BSS is one access point as heard.
type BSS struct {
	BSSID      [6]byte
	Frequency  int       // MHz
	Signal     int       // dBm
	Privacy    bool      // capability bit: some encryption is on
	Capability uint16    // all capability bits; 0: not told
	Interval   uint16    // of beacons, in units of 1,024 µs; 0: not told
	TSF        uint64    // the access point's clock when IEs were sent, µs; 0: not told
	IEs        []byte    // elements of the newest Beacon or Probe Response
	BeaconIEs  []byte    // elements of the newest Beacon; nil when none was heard
	Seen       time.Time // when last heard
	Associated bool      // the interface is associated with it now
}

// AssociateRequest says whom to associate with: always Open System, no RSN, our element added.
type AssociateRequest struct {
	BSSID     [6]byte
	SSID      []byte
	Frequency int  // MHz
	Privacy   bool // as in the BSS
	IEs       []byte
}

// Station is the taken interface in its role as a station. It is used by one goroutine, except
// Close, which may come from another and ends what is in progress with ErrClosed.
type Station interface {
	// Channels lists what the radio may use now, in the driver's order.
	Channels(ctx context.Context) ([]Channel, error)
	// Scan does one scan and returns what it heard, elements copied. ctx ends it early.
	Scan(ctx context.Context, r ScanRequest) ([]BSS, error)
	// Cached returns what the radio still knows from scans of the last maxAge, whoever asked for
	// them, without sending anything.
	Cached(ctx context.Context, maxAge time.Duration) ([]BSS, error)
	// Associate returns once associated. The first EAPOL frame may arrive before that and is kept.
	Associate(ctx context.Context, r AssociateRequest) (Link, error)
	// HardwareAddr is the address that it sends from; zero: the one that Interfaces listed.
	// Managers change addresses when they take and leave an interface.
	HardwareAddr() [6]byte
	// Close gives the interface back as it was found: not associated by us, down if it was down.
	Close() error
}

// Link is an association that carries EAPOL frames (802.1X PDUs, without Ethernet header).
// Send and Receive may be called from two goroutines.
type Link interface {
	// Send sends one frame to the access point.
	Send(ctx context.Context, frame []byte) error
	// Receive returns the next frame of the access point, or a *LostError when the link is over.
	// Frames that arrived before the loss come first.
	Receive(ctx context.Context) ([]byte, error)
	// Close deauthenticates (reason 3, leaving).
	Close() error
}

// Unsupported is a Station that can nothing; embed it to implement a part.
type Unsupported struct{}

// Channels implements Station.
func (Unsupported) Channels(context.Context) ([]Channel, error) { return nil, ErrNotSupported }

// Scan implements Station.
func (Unsupported) Scan(context.Context, ScanRequest) ([]BSS, error) { return nil, ErrNotSupported }

// Cached implements Station.
func (Unsupported) Cached(context.Context, time.Duration) ([]BSS, error) {
	return nil, ErrNotSupported
}

// Associate implements Station.
func (Unsupported) Associate(context.Context, AssociateRequest) (Link, error) {
	return nil, ErrNotSupported
}

// HardwareAddr implements Station.
func (Unsupported) HardwareAddr() [6]byte { return [6]byte{} }

// Close implements Station.
func (Unsupported) Close() error { return nil }

// UnsupportedDriver has the parts of a Driver that not each kind of radio has; embed it.
type UnsupportedDriver struct{}

// Named implements Namer.
func (UnsupportedDriver) Named() bool { return false }

// Add implements Namer.
func (UnsupportedDriver) Add(string) error { return ErrNotSupported }

// Remove implements Namer.
func (UnsupportedDriver) Remove(string) error { return ErrNotSupported }

// LinkUp implements LinkKeeper.
func (UnsupportedDriver) LinkUp(context.Context, string) (bool, error) {
	return false, ErrNotSupported
}

// LinkGiven implements LinkKeeper.
func (UnsupportedDriver) LinkGiven(context.Context, string) {}

// LinkDown implements LinkKeeper.
func (UnsupportedDriver) LinkDown(context.Context, string) error { return ErrNotSupported }

// RoomApart implements Aparter.
func (UnsupportedDriver) RoomApart(context.Context, string) (bool, error) {
	return false, ErrNotSupported
}

// StationApart implements Aparter.
func (UnsupportedDriver) StationApart(context.Context, string) (Station, error) {
	return nil, ErrNotSupported
}

// Blocked implements Blocker.
func (UnsupportedDriver) Blocked(string) (bool, error) { return false, ErrNotSupported }

// Connection implements Connecter.
func (UnsupportedDriver) Connection(context.Context, string) (BSS, bool, error) {
	return BSS{}, false, ErrNotSupported
}

// Links implements Connecter.
func (UnsupportedDriver) Links() <-chan string { return nil }

// Listen implements Listener.
func (UnsupportedDriver) Listen(bool) error { return ErrNotSupported }

// Heard implements Listener.
func (UnsupportedDriver) Heard() <-chan HeardScan { return nil }

// Air implements Listener.
func (UnsupportedDriver) Air(context.Context, string, time.Duration) ([]BSS, error) {
	return nil, ErrNotSupported
}
