//go:build hwsim

package hwsim

// credential is one Credential as the D-Bus API shows it.
type credential struct {
	ssid       []byte
	auth       string // "OPEN", "WPA2PSK", …
	encryption string // "NONE", "CCMP", …
	key        []byte
	keyKind    string // "passphrase", "raw-psk", "wep", "none"
}
