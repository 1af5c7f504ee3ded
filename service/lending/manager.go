package lending

import (
	"context"

	"wpsd/engine/credential"
)

// Holder is a manager that may have the interface that a session needs: it lets go for the
// session's time. Two Holders can have the same interface, one on top of the other.
type Holder interface {
	// Name is networkmanager, wpa_supplicant or iwd.
	Name() string
	// Claim looks whether the manager has the interface, and changes nothing. What it returns,
	// JSON, is all that Restore needs to make it as it was; nil: it does not have it.
	Claim(ctx context.Context, ifname string) (debt []byte, err error)
	// Release makes the manager let go. apart means that it cannot do that entirely: the session
	// then uses a virtual interface of its own. Whatever it returns, Restore makes good.
	Release(ctx context.Context, ifname string, debt []byte) (apart bool, err error)
	// Restore gives the interface back as debt says: also twice, also if Release was never called,
	// or not by this process. With reconnect the connection that was there comes back, too.
	// drivers.ErrNoManager: nobody is there to take it.
	Restore(ctx context.Context, ifname string, debt []byte, reconnect bool) error
	// Shares reports whether the manager leaves alone what others make on its radio. Where somebody
	// asks for that, and the radio has room for two, it need not let go, and its connection stays.
	Shares() bool
	// Disconnect ends the connection of an interface, and leaves it at that: the manager does not
	// connect by itself again until somebody asks it to. It returns when the connection is over.
	// That there is none is no error. drivers.ErrNotSupported: the manager cannot.
	Disconnect(ctx context.Context, ifname string) error
}

// Manager is a network manager: it may have an interface, and takes networks.
type Manager interface {
	Holder
	Sink
}

// Sink takes a network that was received: a network manager, which then connects on its own.
type Sink interface {
	// Name is networkmanager, wpa_supplicant or iwd.
	Name() string
	// Deliver makes the manager know the networks, at least one, and connect the interface to one
	// of them: rather to the first. It returns once that is connected, as far as 802.11 goes, with
	// what the manager has made of it; an address comes later. Its errors hold no key.
	Deliver(ctx context.Context, ifname string,
		offers []credential.Offer) (credential.Connection, error)
	// Changes reports whether the manager has a network of this name for the interface, unless it
	// has this very one: the same kind of security and, as far as it tells that, the same key. A
	// manager that is not there has none. drivers.ErrNotSupported: it cannot tell.
	Changes(ctx context.Context, ifname string, n credential.Network) (bool, error)
}
