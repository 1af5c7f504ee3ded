package credential

import (
	"errors"

	"wpsd/engine/wsc"
)

// ErrWPA3Only means that a network is joined by SAE only, and that this is not possible: its key is
// no passphrase, or the network manager that is to join it has no SAE.
var ErrWPA3Only = errors.New("credential: the network takes WPA3 (SAE) only")

// AuthSAE is what AuthName gives for a network that is joined by SAE only.
const AuthSAE = "SAE"

// RequireSAE notes that the access points of a network take SAE only. A Credential cannot say so:
// WSC has no Authentication Type for it, so such an access point calls its network WPA2-Personal.
// Without a passphrase, from which SAE begins, there is no way in: ErrWPA3Only. An open network
// stays as it is.
func (n *Network) RequireSAE() error {
	switch n.KeyKind {
	case KeyPassphrase:
		n.WPA3Only = true
	case KeyRawPSK:
		return ErrWPA3Only
	case KeyWEP, KeyNone:
	}
	return nil
}

// AuthName tells how the stations of a network are authenticated: "WPA2PSK", and "SAE" if that is
// the only way in.
func AuthName(auth wsc.AuthType, wpa3Only bool) string {
	if wpa3Only {
		return AuthSAE
	}
	return auth.String()
}
