package credential

import (
	"bytes"
	"errors"
	"fmt"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// FromRun makes networks of all Credentials that one run gave, in their order. The error means that the
// run failed, and that its M8 is to be refused: no Credential at all, one that is invalid, none left.
// Credentials for WEP, and those with an Authentication Type that we have no use for, do not fail the
// run; skipped tells of them (hostap behaviour). With only the latter there are no networks and no error.
//
// Two Credentials for the same network with the same key are one network that takes both kinds of
// security, as access points in mixed mode send them.
func FromRun(cs []wsc.Credential, own wsc.MAC) (networks []Network, skipped []error, err error) {
	acceptable := 0
	for i, c := range cs {
		n, err := FromWSC(c, own)
		switch {
		case err == nil:
			acceptable++
			networks = merge(networks, n)
		case errors.Is(err, ErrAuth):
			acceptable++
			skipped = append(skipped, err)
		case errors.Is(err, ErrWEP):
			skipped = append(skipped, err)
		default:
			for i := range networks {
				networks[i].Key.Wipe()
				networks[i].Raw.Wipe()
			}
			return nil, nil, fmt.Errorf("%w (number %d of %d)", err, i+1, len(cs))
		}
	}
	if acceptable == 0 {
		return nil, nil, errors.Join(append([]error{ErrNone}, skipped...)...)
	}
	return networks, skipped, nil
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
		n.Raw.Wipe()
		n.Key.Wipe()
		m.Raw = secret.New(both)
		clear(both)
		return networks
	}
	return append(networks, n)
}
