package session

import (
	"fmt"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// Settings are a network's name and security, as a person gives them.
type Settings struct {
	SSID       []byte
	Auth       wsc.AuthType
	Encryption wsc.EncrType
	Key        secret.Value // passphrase of 8 to 63 characters, or 64 hex digits; empty: open
}

// Credential is the form that goes over the air.
func (s *Settings) Credential() wsc.Credential {
	return wsc.Credential{
		NetworkIndex: 1, SSID: s.SSID, AuthType: s.Auth, EncrType: s.Encryption,
		NetworkKey: s.Key.Clone(),
	}
}

// Check refuses what makes no network, with the reason.
func (s *Settings) Check() error {
	personal := s.Auth == wsc.AuthWPAPSK || s.Auth == wsc.AuthWPA2PSK ||
		s.Auth == wsc.AuthWPAPSK|wsc.AuthWPA2PSK
	ciphers := s.Encryption == wsc.EncrTKIP || s.Encryption == wsc.EncrAES ||
		s.Encryption == wsc.EncrTKIP|wsc.EncrAES
	switch {
	case len(s.SSID) == 0 || len(s.SSID) > 32:
		return fmt.Errorf("%w: an SSID has 1 to 32 bytes, this one %d", state.ErrInvalid, len(s.SSID))
	case s.Encryption&wsc.EncrWEP != 0:
		return fmt.Errorf("%w: WEP is broken, and WPS 2.0 forbids it: use WPA2PSK with CCMP", state.ErrInvalid)
	case s.Auth == wsc.AuthOpen && s.Encryption == wsc.EncrNone:
		if !s.Key.IsZero() {
			return fmt.Errorf("%w: an open network has no key: leave it out, or use WPA2PSK with CCMP", state.ErrInvalid)
		}
		return nil
	case s.Auth == wsc.AuthOpen:
		return fmt.Errorf("%w: an open network has no encryption: use OPEN with NONE, or WPA2PSK with CCMP", state.ErrInvalid)
	case !personal:
		return fmt.Errorf("%w: authentication %v: use WPA2PSK, or OPEN, WPAPSK or WPAPSK|WPA2PSK",
			state.ErrInvalid, s.Auth)
	case !ciphers:
		return fmt.Errorf("%w: %v needs encryption: use CCMP, or TKIP or TKIP|CCMP",
			state.ErrInvalid, s.Auth)
	}
	return checkKey(s.Key)
}

// checkKey checks the key of a WPA network: 802.11's passphrase is 8 to 63 characters of printable
// ASCII.
func checkKey(key secret.Value) error {
	b := key.Bytes()
	switch {
	case len(b) == 64:
		if !credential.IsRawPSK(b) {
			return fmt.Errorf("%w: a key of 64 characters has to be hex digits", state.ErrInvalid)
		}
		return nil
	case len(b) < 8 || len(b) > 63:
		return fmt.Errorf("%w: a passphrase has 8 to 63 characters, this one %d",
			state.ErrInvalid, len(b))
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return fmt.Errorf("%w: a passphrase is made of printable ASCII characters", state.ErrInvalid)
		}
	}
	return nil
}

// Taken is what the network is once an access point has taken the settings: hostapd puts WPA2
// beside WPA and CCMP beside TKIP (hostapd 2.10, M8 with WPA or TKIP alone), as WPS 2.0 lets no
// Registrar set up the weak ones by themselves.
func (s *Settings) Taken() wsc.Credential {
	c := s.Credential()
	Strengthen(&c)
	return c
}

func Strengthen(c *wsc.Credential) {
	if c.AuthType&wsc.AuthWPAPSK != 0 {
		c.AuthType |= wsc.AuthWPA2PSK
	}
	if c.EncrType&wsc.EncrTKIP != 0 {
		c.EncrType |= wsc.EncrAES
	}
}
