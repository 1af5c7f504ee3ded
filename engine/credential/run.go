package credential

import (
	"bytes"
	"errors"
	"fmt"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// LeftOutError tells why one Credential of several makes no network here. It shows no key.
type LeftOutError struct {
	Number, Of int    // counted from 1, as they came
	SSID       []byte // as it came; any bytes
	Err        error  // ErrAuth, ErrWEP, ErrSSID, ErrKey or ErrEncryption
}

// Error implements error.
func (e *LeftOutError) Error() string {
	return fmt.Sprintf("%v (number %d of %d)", e.Err, e.Number, e.Of)
}

// Unwrap gives the reason to errors.Is.
func (e *LeftOutError) Unwrap() error { return e.Err }

// FromRun makes networks of all Credentials that one run gave, in their order; leftOut tells of
// those that make none, whatever is wrong with them: one bad Credential does not spoil a good one,
// before it or behind it (wpa_supplicant 2.10 keeps the good one).
//
// The error means that the run failed, and that its M8 is to be refused: no Credential at all, or
// none that is valid. Those with an Authentication Type that we have no use for are valid (hostap
// behaviour), so there can be no networks and no error.
//
// Two Credentials for the same network with the same key are one network that takes both kinds of
// security, as access points in mixed mode send them.
func FromRun(cs []wsc.Credential, own wsc.MAC) (networks []Network, leftOut []*LeftOutError,
	err error) {
	valid := false
	for i, c := range cs {
		n, err := fromPeer(c, own)
		if err == nil {
			networks = merge(networks, n)
			continue
		}
		valid = valid || errors.Is(err, ErrAuth)
		leftOut = append(leftOut,
			&LeftOutError{Number: i + 1, Of: len(cs), SSID: bytes.Clone(c.SSID), Err: err})
	}
	if len(networks) > 0 || valid {
		return networks, leftOut, nil
	}
	why := []error{ErrNone}
	for _, l := range leftOut {
		why = append(why, l)
	}
	return nil, leftOut, errors.Join(why...)
}

// fromPeer is FromWSC for what nobody here has typed: the name has to be one that can be joined,
// too.
func fromPeer(c wsc.Credential, own wsc.MAC) (Network, error) {
	n, err := FromWSC(c, own)
	if err != nil {
		return Network{}, err
	}
	if err := checkSSID(n.SSID); err != nil {
		n.Wipe()
		return Network{}, err
	}
	return n, nil
}

// checkSSID checks a name that a peer gave, without its padding. IEEE 802.11 would allow a zero in
// it, yet no access point is known to have such a name, and what takes networks as text would end
// it there: another network's name.
func checkSSID(ssid []byte) error {
	switch {
	case len(ssid) == 0: // the stub that some Registrars send before the network
		return fmt.Errorf("%w: it is empty", ErrSSID)
	case len(ssid) > wsc.MaxSSID:
		return fmt.Errorf("%w: longer than %d bytes", ErrSSID, wsc.MaxSSID)
	case bytes.IndexByte(ssid, 0) >= 0:
		return fmt.Errorf("%w: a zero in it", ErrSSID)
	}
	return nil
}

// merge adds n to networks, or to the one that it is the same network as.
func merge(networks []Network, n Network) []Network {
	for i := range networks {
		m := &networks[i]
		if !bytes.Equal(m.SSID, n.SSID) || m.KeyKind != n.KeyKind || !m.Key.Equal(n.Key) {
			continue
		}
		m.Auth |= n.Auth
		m.Encryption |= n.Encryption
		both := append(bytes.Clone(m.Raw.Bytes()), n.Raw.Bytes()...)
		m.Raw.Wipe()
		n.Wipe()
		m.Raw = secret.New(both)
		clear(both)
		return networks
	}
	return append(networks, n)
}
