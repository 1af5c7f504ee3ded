package credential

import (
	"errors"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// Offer is a network for a network manager, with what is known of where it is. An access point may
// be another one by the time that the manager looks: what is here tells where to look first.
type Offer struct {
	Network
	// Heard says that the network was heard, under its own name, not long ago.
	Heard bool
	// BSSID and Frequency (MHz) are those of the BSS to look for: that by which it was heard, else
	// that which gave it. Zero: nothing is known.
	BSSID     wsc.MAC
	Frequency int
	// Ciphers are what it announced when it was heard.
	Ciphers ie.Ciphers
	// Station is the address with which the network was received: an access point may tie a key to
	// it. Zero: any will do.
	Station wsc.MAC
	// Priority is what the manager is to rank it by among the networks that it knows; 0: it ranks
	// by itself.
	Priority int
	// NoSAE says that a network of WPA2 is joined as such, also where the access point has WPA3.
	NoSAE bool
	// Backhaul says that it links access points (Multi-AP), and is joined as such.
	Backhaul bool
}

// Connection is what a network manager has made of a network that it is connected to. What it does
// not name is empty.
type Connection struct {
	Path string // of its object on D-Bus
	UUID string
}

// Usable keeps the offers that check has nothing against. If that is none, the error says why.
func Usable(offers []Offer, check func(*Offer) error) (usable []*Offer, err error) {
	for i := range offers {
		if refused := check(&offers[i]); refused != nil {
			err = errors.Join(err, refused)
			continue
		}
		usable = append(usable, &offers[i])
	}
	if len(usable) > 0 {
		return usable, nil
	}
	return nil, err
}

// Suits reports whether a BSS that offers this is one of the network: an access point that is set
// up in the run has been heard as it was before.
func (n *Network) Suits(offered ie.Security) bool {
	if n.KeyKind == KeyNone {
		return offered == ie.Open
	}
	return offered&(ie.WPAPSK|ie.WPA2PSK|ie.SAE) != 0
}
