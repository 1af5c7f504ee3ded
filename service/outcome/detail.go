package outcome

import (
	"slices"
	"time"

	"wpsd/engine/wsc"
)

// AccessPoint is an access point as a sentence names it.
type AccessPoint struct {
	BSSID wsc.MAC
	SSID  []byte   // empty: it is not known, or hidden
	UUID  wsc.UUID // that tells its router; zero: it does not say
}

// LeftOut is a network that came and that nothing was made of.
type LeftOut struct {
	SSID []byte
	Why  Flaw
}

// Detail is what more there is to know of how a session is, and of how it ended. All that its
// sentence says is in it. What is not known is zero. It has no secrets.
type Detail struct {
	// Case is the sentence that is said of the end; empty as long as there is none.
	Case        Case
	ConfigError wsc.ConfigError // of the end

	// The access points of it.
	SSID   []byte      // of the access point that was tried last
	Peer   wsc.MAC     // who was on the other side, at the end: an access point, or a device
	Wanted AccessPoint // that whoever started the session named
	// band-without-wps: where that is, in MHz, and one of its name where WPS is
	Frequency int
	Instead   AccessPoint
	Overlap   []AccessPoint // pbc-overlap: whose buttons are pressed, strongest first
	// what an access point of the External Registrar calls itself, and its address in the network
	FriendlyName, Address string

	// The run.
	PasswordHalf      int // wrong PIN: which half, 1 or 2
	AccessPointsTried int
	LinkReason        uint16 // 802.11 reason code of a lost link
	LinkStatus        uint16 // 802.11 status code of a refused association
	UPnPError         int    // with which an access point refused over UPnP
	Granted           bool   // the access point of this machine knows whom to let in
	// how long a PIN was good for at an access point, once the session has ended
	Timeout time.Duration

	// What came of it.
	Credentials int       // how many were received
	Stored      int       // how many networks of them are stored
	NotStored   bool      // not all could be stored: fetch them while the session is there
	StoreFull   bool      // as there are too many
	StoreError  string    // else why
	LeftOut     []LeftOut // Credentials that make no network
	Session     uint32    // whose they are: the number of the session that has ended

	// The network manager.
	Interface  string // that it has, where a sentence says so
	Manager    string // who gets, or got, the network
	HandedOver bool   // Manager is connected to it
	// what Manager made of it: its object on D-Bus, and its UUID, as far as it has them
	Connection, ConnectionUUID string
	ManagerError               string // why it is not, in the manager's own words
	// the address that the network was received with, where the manager's is another
	ReceivedWith wsc.MAC
}

// BSSIDs are those of Overlap.
func (d *Detail) BSSIDs() []wsc.MAC {
	var list []wsc.MAC
	for _, ap := range d.Overlap {
		list = append(list, ap.BSSID)
	}
	return list
}

// Clone returns a copy that shares no list with d.
func (d Detail) Clone() Detail {
	d.Overlap, d.LeftOut = slices.Clone(d.Overlap), slices.Clone(d.LeftOut)
	return d
}
